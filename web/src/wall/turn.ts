/** One of the pages that a wall screen goes through. */
export interface Stop {
  board: string;
  page: number;
}

/** All pages of all boards in their order. */
export function stopsOf(boards: readonly { name: string; pages: number }[]): Stop[] {
  return boards.flatMap(({ name, pages }) =>
    Array.from({ length: Math.max(1, pages) }, (_, page) => ({ board: name, page })),
  );
}

export function isSameStop(a: Stop | null, b: Stop | null): boolean {
  return a?.board === b?.board && a?.page === b?.page;
}

/**
 * The stop that is `by` further on, round and round. Where the present one is gone, since its board was removed or the screen
 * has been turned, the way goes on from the same board, or from the beginning.
 */
export function turned(stops: readonly Stop[], now: Stop | null, by: number): Stop | null {
  if (stops.length === 0) return null;
  const at = stops.findIndex((stop) => isSameStop(stop, now));
  if (at < 0) return stops.find(({ board }) => board === now?.board) ?? stops[0] ?? null;
  return stops[(((at + by) % stops.length) + stops.length) % stops.length] ?? null;
}
