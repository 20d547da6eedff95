import { expect, it } from 'vitest';
import { evenColumns } from './columns';

it('makes even rows', () => {
  expect([1, 5, 6, 7, 8, 9, 12].map((count) => evenColumns(count, 6))).toEqual([1, 5, 6, 4, 4, 5, 6]);
  expect(evenColumns(8, 8)).toBe(8);
  expect(evenColumns(0, 6)).toBe(1);
});
