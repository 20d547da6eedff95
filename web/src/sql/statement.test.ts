import { describe, expect, it } from 'vitest';
import {
  faultRange,
  findStatement,
  identifier,
  offsetOf,
  runnable,
  statementAt,
  statements,
  textLiteral,
  tokens,
  withLimit,
} from './statement';

describe('statements', () => {
  it('are parted by semicolons, except in texts, names and comments', () => {
    const sql = `select ';' as ";", 'it''s' -- a; b
from t; /* ; */ select 2;
-- nothing more`;
    expect(statements(sql).map(({ text }) => text)).toEqual([
      `select ';' as ";", 'it''s' -- a; b\nfrom t`,
      '/* ; */ select 2',
    ]);
  });

  it('know where they stand, and which one a cursor is in', () => {
    const sql = 'select 1;\n\nselect 2';
    expect(statementAt(sql, 3)?.text).toBe('select 1');
    expect(statementAt(sql, 10)?.text).toBe('select 1');
    expect(statementAt(sql, 11)).toEqual({ text: 'select 2', from: 11, to: 19 });
    expect(statementAt(' -- only a comment', 2)).toBeNull();
    expect(statementAt('   select 1', 0)?.text).toBe('select 1');
  });

  it('are what is marked, or what the cursor is in where only blanks are', () => {
    const sql = 'select 1; select 2 + 3';
    expect(runnable(sql, { from: 10, to: 18, head: 18 })?.text).toBe('select 2');
    expect(runnable(sql, { from: 0, to: 22, head: 22 })?.text).toBe(sql);
    expect(runnable(sql, { from: 9, to: 10, head: 10 })?.text).toBe('select 2 + 3');
    expect(runnable('', { from: 0, to: 0, head: 0 })).toBeNull();
  });
});

it('finds a statement again where it stands whole', () => {
  const sql = 'select 10;\nselect 1';
  expect(findStatement(sql, 'select 1')).toEqual({ text: 'select 1', from: 11, to: 19 });
  expect(findStatement('select 10', 'select 1')).toBeNull();
  expect(findStatement('select (select 1)', 'select 1')?.from).toBe(8);
  expect(findStatement('', 'select 1')).toBeNull();
});

describe('the limit', () => {
  it.each([
    ['select * from payments', true],
    ['with a as (select 1 limit 1) select * from a', true],
    ['(select 1) union all (select 2 limit 3)', true],
    ["select 'limit 5' -- limit 3", true],
    ['values (1), (2)', true],
    ['select * from payments limit 5', false],
    ['select * from payments FETCH first 5 rows only', false],
    ['select (select 1) limit 1', false],
    ['show tables', false],
    ['describe payments', false],
    ['select 1; select 2', false],
  ])('%s', (sql, isAdded) => {
    expect(withLimit(sql, 11)).toBe(isAdded ? `${sql}\nlimit 11` : null);
  });
});

describe('places', () => {
  it('are found by line and by character', () => {
    const sql = 'select "💳", pps\nfrom t';
    expect(offsetOf(sql, 1, 8)).toBe(7);
    expect(sql.slice(offsetOf(sql, 1, 13)).startsWith('pps')).toBe(true);
    expect(offsetOf(sql, 2, 6)).toBe(sql.length - 1);
    expect(offsetOf(sql, 9, 1)).toBe(sql.length);
    expect(offsetOf(sql, 1, 99)).toBe(sql.indexOf('\n'));
  });

  it('cover the word they begin with, or the last one', () => {
    expect(faultRange('select pps from t', 7)).toEqual({ from: 7, to: 10 });
    expect(faultRange('select  pps', 7)).toEqual({ from: 8, to: 11 });
    expect(faultRange('select 1 from', 13)).toEqual({ from: 9, to: 13 });
    expect(faultRange('', 0)).toEqual({ from: 0, to: 0 });
  });
});

it('quotes names only where they must be', () => {
  expect(['psp', 'order', 'Line Item', 'a"b', '结果', 'method'].map(identifier)).toEqual([
    'psp',
    '"order"',
    '"Line Item"',
    '"a""b"',
    '"结果"',
    'method',
  ]);
  expect(textLiteral("o'neil")).toBe("'o''neil'");
});

it('takes an unclosed text to be open to the end', () => {
  expect(tokens("a = 'x y").map(({ kind }) => kind)).toEqual(['word', 'sign', 'text']);
});
