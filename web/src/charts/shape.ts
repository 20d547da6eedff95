import type { MetricKind, Point, SeriesDocument } from '../api/types';
import { toNumber } from '../format/figure';

export type DrawnPoint = [epochMs: number, value: number | null];

/** Sums grow within a bucket, so an unfinished one reads as a collapse that has not happened. */
export function isSum(kind: MetricKind): boolean {
  return kind === 'count' || kind === 'amount';
}

/**
 * Points ready to draw: holes are holes (zero for sums, a gap for everything else) instead of a straight line over
 * them, and the bucket that is still filling is left out where it would mislead.
 */
export function shapePoints(
  points: readonly Point[],
  document: SeriesDocument,
  kind: MetricKind,
): DrawnPoint[] {
  const step = document.step_ms;
  const sums = isSum(kind);
  const drawn: DrawnPoint[] = [];
  let expected: number | null = null;
  const complete = document.watermark ?? document.to;
  for (const [at, figure] of points) {
    if (sums && at + step > complete) break;
    if (expected !== null && step > 0) {
      // A hole longer than the window cannot be; the limit keeps a nonsensical answer from filling memory.
      for (let hole = expected, n = 0; hole < at && n < 2_000; hole += step, n += 1)
        drawn.push([hole, sums ? 0 : null]);
    }
    const value = toNumber(figure);
    drawn.push([at, value]);
    expected = at + step;
  }
  if (sums && expected !== null && step > 0) {
    for (let hole = expected, n = 0; hole + step <= complete && n < 2_000; hole += step, n += 1)
      drawn.push([hole, 0]);
  }
  return drawn;
}

/** The path of a sparkline in a box of `width` × `height`, with gaps where there is no value. */
export function sparkPath(
  points: readonly DrawnPoint[],
  fromMs: number,
  toMs: number,
  width: number,
  height: number,
  fromZero: boolean,
): { line: string; area: string } {
  const values = points.map(([, value]) => value).filter((value) => value !== null);
  if (values.length === 0 || toMs <= fromMs) return { line: '', area: '' };
  const highest = Math.max(...values);
  const lowest = fromZero ? Math.min(0, ...values) : Math.min(...values);
  const spread = highest - lowest;
  const x = (at: number) => round(((at - fromMs) / (toMs - fromMs)) * width);
  const y = (value: number) =>
    round(spread === 0 ? height / 2 : height - ((value - lowest) / spread) * height);
  let line = '';
  let area = '';
  let run: DrawnPoint[] = [];
  const close = () => {
    const first = run[0];
    const last = run.at(-1);
    if (first && last) {
      const path = run.map(([at, value], i) => `${i === 0 ? 'M' : 'L'}${x(at)} ${y(value ?? 0)}`).join('');
      line += path;
      area += `${path}L${x(last[0])} ${height}L${x(first[0])} ${height}Z`;
    }
    run = [];
  };
  for (const point of points) {
    if (point[1] === null) close();
    else run.push(point);
  }
  close();
  return { line, area };
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}
