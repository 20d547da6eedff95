import { describe, expect, it } from 'vitest';
import { type CellKind, cellText, compareCells, kindOf, rawText, sortedRows, tabbed } from './cells';

const plain = (text: string) => text.replace(/\s/g, ' ');
const shown = (cell: Parameters<typeof cellText>[0], kind: CellKind, zone = 'UTC') =>
  plain(cellText(cell, kind, 'en-GB', zone));

describe('cells', () => {
  it('keep every digit', () => {
    expect(shown('99999999999999999.990', 'number')).toBe('99,999,999,999,999,999.990');
    expect(shown('-9223372036854775808', 'number')).toBe('-9,223,372,036,854,775,808');
    expect(shown(0.1, 'number')).toBe('0.1');
    expect(shown(2026, 'number')).toBe('2026');
    expect(shown(1e-9, 'number')).toBe('1e-9');
    expect(plain(cellText('18400.50', 'number', 'de-DE', 'UTC'))).toBe('18.400,50');
  });

  it('show times in the zone that is asked for, with their fraction, and days as they are', () => {
    expect(shown('2026-07-01T22:30:05.120Z', 'time', 'Europe/Berlin')).toBe('2 Jul 2026, 00:30:05.120');
    expect(shown('2026-07-01T22:30:05Z', 'time')).toBe('1 Jul 2026, 22:30:05');
    expect(shown('2026-07-01', 'date', 'America/New_York')).toBe('1 Jul 2026');
  });

  it('are copied as the server wrote them', () => {
    expect(rawText('12.50')).toBe('12.50');
    expect(rawText(null)).toBe('');
    expect(rawText(['a', 1])).toBe('["a",1]');
    expect(tabbed(['a', 'b'], [['x\ty', null]])).toBe('a\tb\nx y\t');
  });

  it('know their kind by their type', () => {
    expect(
      ['decimal(18,2)', 'uint64', 'timestamp', 'date', 'string', 'list(string)', 'null'].map(kindOf),
    ).toEqual(['number', 'number', 'time', 'date', 'text', 'other', 'other']);
  });
});

describe('the order', () => {
  const ordered = (cells: (string | number)[], kind: CellKind) => [...cells].sort(compareCells(kind));

  it('is exact', () => {
    expect(
      ordered(['9007199254740993', '9007199254740992', '-1.5', '-10', '0.10', '0.1', 3], 'number'),
    ).toEqual(['-10', '-1.5', '0.10', '0.1', 3, '9007199254740992', '9007199254740993']);
    expect(ordered([1e21, 5, 1e-7], 'number')).toEqual([1e-7, 5, 1e21]);
    expect(ordered(['2026-01-01T00:00:00.5Z', '2026-01-01T00:00:00Z'], 'time')).toEqual([
      '2026-01-01T00:00:00Z',
      '2026-01-01T00:00:00.5Z',
    ]);
    expect(ordered(['bank_10', 'bank_9'], 'text')).toEqual(['bank_9', 'bank_10']);
  });

  it('puts nulls last either way and is stable', () => {
    const rows = [[2], [null], [10], [2]];
    expect(sortedRows(rows, 'number', { column: 0, isDescending: false })).toEqual([0, 3, 2, 1]);
    expect(sortedRows(rows, 'number', { column: 0, isDescending: true })).toEqual([2, 0, 3, 1]);
  });
});
