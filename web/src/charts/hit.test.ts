import { expect, it } from 'vitest';
import { seriesAt } from './hit';
import type { DrawnSeries } from './option';

const series = (key: string, ...values: (number | null)[]): DrawnSeries => ({
  key,
  name: key,
  color: '',
  faded: false,
  points: values.map((value, i) => [i, value]),
});

it('finds the layer of a stack, and nothing above it', () => {
  const stack = [series('a', 10), series('b', 0), series('c', 5)];
  expect(seriesAt(stack, 0, 9.9, true)?.key).toBe('a');
  expect(seriesAt(stack, 0, 10, true)?.key).toBe('c');
  expect(seriesAt(stack, 0, 15, true)).toBeNull();
  expect(seriesAt(stack, 0, -1, true)).toBeNull();
});

it('finds the nearest line that has a value there', () => {
  const lines = [series('a', 0.9, null), series('b', 0.5, 0.5)];
  expect(seriesAt(lines, 0, 0.8, false)?.key).toBe('a');
  expect(seriesAt(lines, 1, 0.9, false)?.key).toBe('b');
  expect(seriesAt(lines, 7, 0.9, false)).toBeNull();
});
