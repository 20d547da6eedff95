/** As many boards as stand in the header by name; the others are behind a button there. */
export const BOARDS_SHOWN_MAX = 3;

/** The boards that stand in the header: the first ones, and always the one that is looked at. */
export function shownBoards<T extends { name: string }>(
  boards: readonly T[],
  current: string | undefined,
): readonly T[] {
  const first = boards.slice(0, BOARDS_SHOWN_MAX);
  const looked = boards.find(({ name }) => name === current);
  if (!looked || first.includes(looked)) return first;
  return [...first.slice(0, -1), looked];
}
