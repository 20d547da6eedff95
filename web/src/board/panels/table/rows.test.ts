import { describe, expect, it } from 'vitest';
import type { Figure, SeriesDocument } from '../../../api/types';
import { filtersOf, shareOf, sortTable, tableView } from './rows';

function totals(
  by: string[],
  slices: [(string | null)[], Figure | null][],
  truncated = false,
): SeriesDocument {
  return {
    metric: 'm',
    unit: 'EUR',
    from: 0,
    to: 10,
    step_ms: 10,
    by,
    watermark: 10,
    truncated,
    series: slices.map(([values, figure]) => ({
      by: Object.fromEntries(by.map((name, i) => [name, values[i] ?? null])),
      points: [[0, figure]],
    })),
  };
}

const whole = totals([], [[[], '100.10']]);

describe('a table of sums', () => {
  const rows = totals(
    ['psp'],
    [
      [['a'], '70.05'],
      [['b'], '20.00'],
      [['c'], '0'],
    ],
    true,
  );

  it('has shares of the whole, bars beside the largest, and exactly what is left', () => {
    const view = tableView({ rows, whole, also: [] }, 'amount', 10);
    expect(view.rows.map(({ by }) => by.psp)).toEqual(['a', 'b']);
    expect(view.rows[0]?.share).toBeCloseTo(0.6998, 4);
    expect(view.rows.map(({ bar }) => bar)).toEqual([1, 20 / 70.05]);
    expect(view.rest?.value).toBe('10.05');
    expect(view.whole).toBe('100.10');
  });

  it('keeps every digit of what is left of large sums', () => {
    const large = totals(['psp'], [[['a'], '99999999999999999.99']], true);
    const all = totals([], [[[], '100000000000000000.00']]);
    expect(tableView({ rows: large, whole: all, also: [] }, 'amount', 10).rest?.value).toBe('0.01');
  });

  it('has no rest where nothing is cut', () => {
    const view = tableView({ rows: { ...rows, truncated: false }, whole, also: [] }, 'amount', 10);
    expect(view).toMatchObject({ rest: null, isCut: false });
  });

  it('cuts at the number of rows that is asked for', () => {
    const view = tableView({ rows: { ...rows, truncated: false }, whole, also: [] }, 'amount', 1);
    expect(view.rows).toHaveLength(1);
    expect(view).toMatchObject({ isCut: true, rest: { value: '30.05' } });
  });

  it('finds the further columns by slice, in whatever order they come', () => {
    const also = [
      totals(
        ['psp'],
        [
          [['b'], 0.5],
          [['x'], 0.1],
        ],
      ),
    ];
    const view = tableView({ rows, whole, also }, 'amount', 10);
    expect(view.rows.map((row) => row.also)).toEqual([[null], [0.5]]);
  });
});

it('draws and adds up nothing across currencies', () => {
  const rows = totals(
    ['country'],
    [
      [['JP'], '90000'],
      [['DE'], '90.00'],
    ],
    true,
  );
  const view = tableView({ rows, whole, also: [] }, 'amount', 10, false);
  expect(view.rows.map(({ bar, share }) => [bar, share])).toEqual([
    [null, null],
    [null, null],
  ]);
  expect(view.rest).toBeNull();
});

it('shows a rate of zero, and no share of what does not add up', () => {
  const rows = totals(
    ['psp'],
    [
      [['a'], 0],
      [['b'], null],
      [['c'], 0.4],
    ],
    true,
  );
  const view = tableView({ rows, whole: totals([], [[[], 0.3]]), also: [] }, 'rate', 10);
  expect(view.rows.map(({ value, share }) => [value, share])).toEqual([
    [0, null],
    [0.4, null],
  ]);
  expect(view.rest).toBeNull();
});

it('has nothing to say of a part of nothing', () => {
  expect(shareOf('1', 0)).toBeNull();
  expect(shareOf(null, 5)).toBeNull();
  expect(shareOf('-5', '10')).toBe(-0.5);
});

it('asks for further columns of the shown slices only, under the same filters', () => {
  const rows = totals(
    ['psp', 'method'],
    [
      [['a', 'card'], 3],
      [['b', null], 2],
      [['z', 'card'], 1],
    ],
  );
  expect(filtersOf(rows, 2, { country: ['DE'], psp: ['a', 'b', 'z'] })).toEqual({
    country: ['DE'],
    psp: ['a', 'b'],
    method: ['card', ''],
  });
});

it('sorts by any column, with what has no figure last', () => {
  const rows = totals(
    ['psp'],
    [
      [['b10'], 3],
      [['b9'], 1],
      [['a'], 2],
    ],
  );
  const also = [
    totals(
      ['psp'],
      [
        [['b10'], 0.1],
        [['a'], 0.9],
      ],
    ),
  ];
  const view = tableView({ rows, whole: totals([], [[[], 6]]), also }, 'count', 10);
  const order = (column: 'by 0' | 'value' | 'also 0', isDown: boolean) =>
    sortTable(view.rows, { column, isDown }, (row) => row.by.psp ?? '', 'en').map(({ by }) => by.psp);
  expect(order('by 0', false)).toEqual(['a', 'b9', 'b10']);
  expect(order('value', true)).toEqual(['b10', 'a', 'b9']);
  expect(order('also 0', true)).toEqual(['a', 'b10', 'b9']);
  expect(order('also 0', false)).toEqual(['b10', 'a', 'b9']);
});
