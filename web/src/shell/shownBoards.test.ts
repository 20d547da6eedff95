import { expect, it } from 'vitest';
import { BOARDS_SHOWN_MAX, shownBoards } from './shownBoards';

it('shows the first boards, and always the one that is looked at', () => {
  const boards = Array.from({ length: 40 }, (_, i) => ({ name: `b${i}` }));
  const names = (current?: string) => shownBoards(boards, current).map(({ name }) => name);
  expect(names()).toEqual(['b0', 'b1', 'b2']);
  expect(names('b1')).toEqual(['b0', 'b1', 'b2']);
  expect(names('b30')).toEqual(['b0', 'b1', 'b30']);
  expect(names('gone')).toHaveLength(BOARDS_SHOWN_MAX);
  expect(shownBoards([], 'b1')).toEqual([]);
});
