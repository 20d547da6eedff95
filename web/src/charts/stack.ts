import type { DrawnSeries } from './option';
import type { DrawnPoint } from './shape';

/**
 * Courses that have their points at the same moments. On an axis of time ECharts stacks the n-th point of each course,
 * whatever its moment, and not all courses begin together: a slice may have come just now, and what is left of the whole
 * is fetched by itself. Where a course has no point it adds nothing; the topmost just ends where it is not known further.
 */
export function aligned(series: readonly DrawnSeries[]): readonly DrawnSeries[] {
  const [first, ...others] = series;
  if (!first || others.every((one) => haveSameMoments(first.points, one.points))) return series;
  const moments = [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].sort(
    (a, b) => a - b,
  );
  const top = series.at(-1);
  return series.map((one) => {
    const values = new Map(one.points);
    const lastMs = one.points.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY;
    const missing = (at: number) => (one === top && at > lastMs ? null : 0);
    const points = moments.map(
      (at): DrawnPoint => [at, values.has(at) ? (values.get(at) ?? null) : missing(at)],
    );
    return { ...one, points };
  });
}

function haveSameMoments(a: readonly DrawnPoint[], b: readonly DrawnPoint[]): boolean {
  return a.length === b.length && a.every(([at], i) => at === b[i]?.[0]);
}
