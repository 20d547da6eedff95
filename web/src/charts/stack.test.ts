import { expect, it } from 'vitest';
import type { DrawnSeries } from './option';
import type { DrawnPoint } from './shape';
import { aligned } from './stack';

const made = (key: string, points: DrawnPoint[]): DrawnSeries => ({
  key,
  name: key,
  color: 'red',
  points,
  faded: false,
});

it('courses that lie alike stay as they are', () => {
  const series = [made('a', [[0, 1]]), made('b', [[0, null]])];
  expect(aligned(series)).toBe(series);
  expect(aligned([])).toEqual([]);
});

it('a slice that has come just now is stacked where it is', () => {
  const a = made('a', [
    [0, 1],
    [10, 2],
    [20, 3],
  ]);
  const fresh = made('fresh', [[20, 5]]);
  const [, second] = aligned([a, fresh]);
  expect(second?.points).toEqual([
    [0, 0],
    [10, 0],
    [20, 5],
  ]);
});

it('what is not known yet at the top is not drawn as nothing', () => {
  const a = made('a', [
    [10, 2],
    [20, 3],
  ]);
  const rest = made('rest', [
    [0, 9],
    [10, 9],
  ]);
  const [first, second] = aligned([a, rest]);
  expect(first?.points).toEqual([
    [0, 0],
    [10, 2],
    [20, 3],
  ]);
  expect(second?.points).toEqual([
    [0, 9],
    [10, 9],
    [20, null],
  ]);
});
