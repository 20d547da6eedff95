import { expect, it } from 'vitest';
import { nextRow } from './keys';

it('goes down and up, and stops at both ends', () => {
  expect([nextRow(0, 0, 1, 3), nextRow(2, 2, 1, 3), nextRow(0, 0, -1, 3)]).toEqual([1, 2, 0]);
});

it('begins at the first row, or from below at the last', () => {
  expect([nextRow(-1, -1, 1, 3), nextRow(-1, -1, -1, 3)]).toEqual([0, 2]);
});

it('goes on where it was when its row has left the list', () => {
  // The row at 1 is gone: what followed it is at 1 now, and what was before it at 0.
  expect([nextRow(-1, 1, 1, 3), nextRow(-1, 1, -1, 3)]).toEqual([1, 0]);
});
