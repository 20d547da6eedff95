// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { ApiError } from '../api/client';
import { examplesFor } from './examples';
import { faultOf } from './fault';
import { moved } from './result/move';
import { durationOf } from './result/took';
import { anchorOf, lookInto, tablesOf, typeWords } from './schema';
import { readSqlSearch, writeSqlSearch } from './search';
import { en } from './texts/en';
import { zh } from './texts/zh';

const metric = {
  name: 'authorization_rate',
  of: 'attempts_cube',
  unit: 'percent',
  dimensions: ['psp', 'method'],
  bucket_ms: 10_000,
  kind: 'rate' as const,
};
const schema = {
  columns: [],
  rows: [
    ['attempts_cube', 'bucket', 'Timestamp(µs, "UTC")'],
    ['attempts_cube', 'psp', 'Dictionary(UInt32, Utf8)'],
    ['attempts_cube', 'attempts#0', 'Int64'],
    ['attempts_cube', 'latency#0', 'Binary'],
    ['attempts_cube', 'latency#1', 'Binary'],
    ['payments', 'order', 'Utf8View'],
    ['payments', 'occurred_at', 'Timestamp(µs, "UTC")'],
    ['payments', 'amount', 'Decimal128(18, 3)'],
  ],
};
const tables = tablesOf(schema, [metric]);

describe('tables', () => {
  it('are put together from their columns', () => {
    expect(tables.map(({ name, kind, measures }) => [name, kind, measures])).toEqual([
      ['attempts_cube', 'cube', ['attempts', 'latency']],
      ['payments', 'stream', []],
    ]);
    expect(tables[0]?.columns).toEqual([
      { name: 'bucket', type: 'timestamp' },
      { name: 'psp', type: 'string' },
    ]);
    expect(tables[1]?.columns[2]?.type).toBe('decimal(18,3)');
    expect(['Float64', 'Boolean', 'Date32', 'List(Utf8)'].map(typeWords)).toEqual([
      'float64',
      'bool',
      'date',
      'list(utf8)',
    ]);
  });

  it('are looked into by their newest rows', () => {
    const [cube, stream] = tables;
    if (!cube || !stream) throw new Error();
    expect(lookInto(cube, "now() - interval '1 hour'")).toContain(
      'measure(authorization_rate), measure(attempts)',
    );
    expect(lookInto(stream, "now() - interval '1 hour'")).toBe(
      "select *\nfrom payments\nwhere occurred_at >= now() - interval '1 hour'\norder by occurred_at desc\nlimit 100",
    );
  });
});

describe('examples', () => {
  it('are made of what there is', () => {
    const kinds = examplesFor({ tables, anchor: 'now()', zone: 'Europe/Berlin' }).map(({ kind }) => kind);
    expect(kinds).toEqual(['course', 'split', 'week', 'events', 'top', 'tables']);
    expect(examplesFor({ tables: [], anchor: 'now()', zone: 'UTC' }).map(({ kind }) => kind)).toEqual([
      'tables',
    ]);
  });

  it('quote names that need it', () => {
    const top = examplesFor({ tables, anchor: 'now()', zone: 'UTC' }).find(({ kind }) => kind === 'top');
    expect(top?.sql).toContain('select "order", count(*) as events, sum(amount) as total_amount');
  });

  it('look back from the newest event where it is long past', () => {
    const now = Date.UTC(2026, 10, 30);
    expect(anchorOf('2026-11-29T23:59:59.5Z', now)).toBe('now()');
    expect(anchorOf('2021-06-30T00:00:00Z', now)).toBe("timestamp '2021-06-30T00:00:00Z'");
    expect(anchorOf(null, now)).toBe('now()');
  });
});

describe('faults', () => {
  const text = 'select 1;\nselect a,\n  pps from t';
  const statement = { text: 'select a,\n  pps from t', from: 10, to: 32 };
  const error = (problem: object) => new ApiError(400, problem, 'refused');

  it('stand where they are in the whole text, without saying it twice', () => {
    const fault = faultOf(
      error({
        detail: "There is no column 'pps' (line 2, column 3); did you mean 'psp'?",
        suggestion: "did you mean 'psp'?",
        line: 2,
        column: 3,
        reason: 'unknown-name',
      }),
      statement,
      text,
    );
    expect(fault.message).toBe("There is no column 'pps'.");
    expect(fault.place).toEqual({ from: 22, to: 25, line: 3, column: 3 });
    expect(fault.remedy).toBe('psp');
    expect(fault.suggestion).toBe("did you mean 'psp'?");
  });

  it('mark nothing where the text has changed meanwhile', () => {
    const fault = faultOf(error({ detail: 'No.', line: 1, column: 1 }), statement, text.replace('a', 'bb'));
    expect(fault.place).toBeNull();
  });

  it('say what they can without a problem document', () => {
    expect(faultOf(new ApiError(502, null, 'Bad Gateway'), statement, text)).toMatchObject({
      message: 'Bad Gateway.',
      place: null,
    });
  });
});

it('keeps the address readable and drops what it does not know', () => {
  expect(readSqlSearch({ q: 'select 1', view: 'chart', x: '1' })).toEqual({ q: 'select 1', view: 'chart' });
  expect(readSqlSearch({ q: '  ', view: 'pie' })).toEqual({ view: 'table' });
  expect(writeSqlSearch({ q: 'select 1', view: 'table' })).toEqual({ q: 'select 1' });
  expect(writeSqlSearch({ q: 'x'.repeat(9_000), view: 'chart' })).toEqual({ view: 'chart' });
});

it('walks through the grid and out of it', () => {
  const extent = { rows: 100, columns: 3, page: 10 };
  expect(moved('ArrowDown', false, null, extent)).toEqual({ row: 0, column: 0 });
  expect(moved('ArrowUp', false, { row: 0, column: 1 }, extent)).toEqual({ row: 0, column: 1 });
  expect(moved('PageDown', false, { row: 95, column: 1 }, extent)).toEqual({ row: 99, column: 1 });
  expect(moved('End', true, { row: 5, column: 0 }, extent)).toEqual({ row: 99, column: 2 });
  expect(moved('Escape', false, { row: 5, column: 0 }, extent)).toBeNull();
  expect(moved('x', false, { row: 5, column: 0 }, extent)).toBeUndefined();
});

it('tells durations as exactly as it matters', () => {
  expect([12.4, 999.4, 999.6, 12_345].map((ms) => durationOf(ms, 'en').replace(/\s/g, ' '))).toEqual([
    '12 ms',
    '999 ms',
    '1.0 s',
    '12.3 s',
  ]);
});

it('says the same in both languages', () => {
  const places = (text: string) => (text.match(/\{\{\w+\}\}/g) ?? []).sort();
  for (const key of Object.keys(en) as (keyof typeof en)[])
    expect(places(zh[key]), key).toEqual(places(en[key]));
});
