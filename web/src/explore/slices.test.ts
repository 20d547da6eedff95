import { expect, it } from 'vitest';
import type { Figure, Point, SeriesDocument } from '../api/types';
import { keyOfValues, lastFinished, rowsOf, sliceValues, sortRows } from './slices';

const made = (slices: Record<string, Point[]>, more: Partial<SeriesDocument> = {}): SeriesDocument => ({
  metric: 'm',
  unit: 'EUR',
  from: 0,
  to: 40,
  step_ms: 10,
  by: ['psp'],
  watermark: 30,
  series: Object.entries(slices).map(([psp, points]) => ({ by: { psp }, points })),
  truncated: false,
  ...more,
});
const whole = (slices: Record<string, Figure | null>, more: Partial<SeriesDocument> = {}) =>
  made(
    Object.fromEntries(Object.entries(slices).map(([psp, figure]) => [psp, [[0, figure] as Point]])),
    more,
  );

const known = { kind: 'amount', unit: 'EUR', lines: null, totals: null, earlier: null } as const;
const psp = (row: { by: Record<string, string | null> }) => row.by.psp ?? '';

it('a row has its exact figure and that of the newest complete step', () => {
  const lines = made({
    a: [
      [10, '1.10'],
      [20, '2.20'],
      [30, '9.90'],
    ],
  });
  const rows = rowsOf({ ...known, lines, totals: whole({ a: '99999999999999.99', b: '0.10' }) });
  expect(rows.map(({ by, value, last }) => [by.psp, value, last])).toEqual([
    ['a', '99999999999999.99', '2.20'],
    ['b', '0.10', null],
  ]);
});

it('a slice that has vanished keeps a row, and a new one is called new', () => {
  const earlier = { totals: whole({ a: '50.00', gone: '10.00' }), isWhole: true };
  const rows = rowsOf({ ...known, totals: whole({ a: '75.00', fresh: '1.00' }), earlier });
  expect(rows.map(({ by, value, earlier }) => [by.psp, value, earlier])).toEqual([
    ['a', '75.00', '50.00'],
    ['fresh', '1.00', 0],
    ['gone', 0, '10.00'],
  ]);
  expect(rows[0]?.change).toMatchObject({ kind: 'percent', amount: 50 });
  expect(rows[1]?.change).toEqual({ kind: 'new' });
  expect(rows[2]?.change).toMatchObject({ amount: -100 });
});

it('of a list that was cut nothing is concluded from what is absent', () => {
  const cut = { totals: whole({ a: '50.00', gone: '1.00' }, { truncated: true }), isWhole: true };
  const rows = rowsOf({
    ...known,
    totals: whole({ a: '75.00', b: '1.00' }, { truncated: true }),
    earlier: cut,
  });
  expect(rows.map(({ by, change }) => [by.psp, change?.kind])).toEqual([
    ['a', 'percent'],
    ['b', 'unknown'],
  ]);
});

it('a change against a part of a time is none', () => {
  const earlier = { totals: whole({ a: '50.00' }), isWhole: false };
  expect(rowsOf({ ...known, totals: whole({ a: '75.00' }), earlier })[0]?.change).toEqual({
    kind: 'partial',
  });
});

it('rows are sorted by any column, and what is unknown stands last', () => {
  const rows = rowsOf({ ...known, totals: whole({ b10: '5', b9: null, a: '10' }) });
  const order = (key: 'name' | 'value' | 'change', isDown: boolean) =>
    sortRows(rows, { key, isDown }, psp, 'en').map(psp);
  expect(order('value', true)).toEqual(['a', 'b10', 'b9']);
  expect(order('value', false)).toEqual(['b10', 'a', 'b9']);
  expect(order('name', false)).toEqual(['a', 'b9', 'b10']);
  expect(order('change', true)).toEqual(['b10', 'b9', 'a']);
});

it('the last figure is that of a complete step', () => {
  expect(lastFinished([], 10)).toBeNull();
  expect(
    lastFinished(
      [
        [0, 5],
        [10, null],
        [20, 7],
      ],
      20,
    ),
  ).toBe(5);
});

it('a slice is found by its values, in the order of the split', () => {
  const by = { method: null, psp: 'adyen' };
  expect(sliceValues(by, ['psp', 'method'])).toEqual(['adyen', null]);
  expect(keyOfValues(['adyen', null], ['psp', 'method'])).toBe(
    keyOfValues([null, 'adyen'], ['method', 'psp']),
  );
});
