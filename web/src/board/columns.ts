/** How many of `count` things a row holds when no row may hold more than `max` and all rows are to be as even as can be. */
export function evenColumns(count: number, max: number): number {
  const rows = Math.max(1, Math.ceil(count / max));
  return Math.max(1, Math.ceil(count / rows));
}
