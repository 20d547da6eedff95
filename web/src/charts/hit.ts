import type { DrawnSeries } from './option';

/**
 * The series that lies under a point of a chart, by the moment and the value there: the layer of a stack, else the nearest
 * course. Null where nothing is: above a stack, or where no course has a value.
 */
export function seriesAt(
  series: readonly DrawnSeries[],
  atMs: number,
  value: number,
  isStacked: boolean,
): DrawnSeries | null {
  const known = series.flatMap((one) => {
    const found = one.points.find(([at]) => at === atMs)?.[1] ?? null;
    return found === null ? [] : [{ one, found }];
  });
  if (isStacked && known.length > 1) {
    let base = 0;
    for (const { one, found } of known) {
      if (value >= Math.min(base, base + found) && value < Math.max(base, base + found)) return one;
      base += found;
    }
    return null;
  }
  let nearest: (typeof known)[number] | null = null;
  for (const each of known)
    if (nearest === null || Math.abs(each.found - value) < Math.abs(nearest.found - value)) nearest = each;
  return nearest?.one ?? null;
}
