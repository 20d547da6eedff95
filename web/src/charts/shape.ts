import type { MetricKind, Point, SeriesDocument } from '../api/types';
import { toNumber } from '../format/figure';

export type DrawnPoint = [epochMs: number, value: number | null];

/** Whether the figures of parts add up to the figure of the whole. */
export function isSum(kind: MetricKind): boolean {
  return kind === 'count' || kind === 'amount';
}

/** Holes longer than this cannot be; the limit keeps a nonsensical answer from filling memory. */
const HOLE_STEPS_MAX = 2_000;

/** The newest bucket that has something in it, over all series; null where none has. */
export function newestBucket(document: SeriesDocument, kind: MetricKind): number | null {
  let newest: number | null = null;
  for (const { points } of document.series) {
    for (let i = points.length - 1; i >= 0; i -= 1) {
      const [at, figure] = points[i] ?? [0, null];
      const value = toNumber(figure);
      // A sum of nothing is written as a zero and tells no more than an absent bucket; a rate of zero is a figure.
      if (value === null || (value === 0 && isSum(kind))) continue;
      if (newest === null || at > newest) newest = at;
      break;
    }
  }
  return newest;
}

/**
 * Where the finished part of a course ends: a bucket that begins here or later may still grow, because it has not passed
 * or because stragglers are waited for.
 */
export function unfinishedFrom(document: SeriesDocument): number {
  const complete = document.watermark ?? document.to;
  return document.step_ms > 0 ? complete - (complete % document.step_ms) : complete;
}

/**
 * Points ready to draw: holes are holes (zero for sums, a gap for everything else) instead of a straight line over
 * them. What has not begun to fill is left out: behind the newest bucket with something in it, an unfinished zero would
 * read as a collapse that has not happened.
 */
export function shapePoints(
  points: readonly Point[],
  document: SeriesDocument,
  kind: MetricKind,
): DrawnPoint[] {
  const step = document.step_ms;
  const sums = isSum(kind);
  const end = Math.max(
    newestBucket(document, kind) ?? Number.NEGATIVE_INFINITY,
    unfinishedFrom(document) - step,
  );
  const drawn: DrawnPoint[] = [];
  let expected: number | null = null;
  const fillTo = (at: number) => {
    if (expected === null || step <= 0) return;
    for (let hole = expected, n = 0; hole < at && n < HOLE_STEPS_MAX; hole += step, n += 1)
      drawn.push([hole, sums ? 0 : null]);
  };
  for (const [at, figure] of points) {
    if (at > end) break;
    fillTo(at);
    drawn.push([at, toNumber(figure)]);
    expected = at + step;
  }
  if (sums) fillTo(end + 1);
  return drawn;
}

/**
 * A course in its finished part and the part that may still change. The second begins with the last finished point, so
 * that the lines meet.
 */
export function splitUnfinished(
  points: readonly DrawnPoint[],
  unfinishedMs: number,
): { finished: DrawnPoint[]; unfinished: DrawnPoint[] } {
  const first = points.findIndex(([at]) => at >= unfinishedMs);
  if (first < 0) return { finished: points.slice(), unfinished: [] };
  return { finished: points.slice(0, first), unfinished: points.slice(Math.max(0, first - 1)) };
}

/** Where values lie in a box of `width` × `height`. */
export interface SparkScale {
  x: (atMs: number) => number;
  y: (value: number) => number;
  height: number;
}

/** The scale that fits all points into the box; null where there is nothing to draw. */
export function sparkScale(
  points: readonly DrawnPoint[],
  fromMs: number,
  toMs: number,
  width: number,
  height: number,
  fromZero: boolean,
): SparkScale | null {
  const values = points.map(([, value]) => value).filter((value) => value !== null);
  if (values.length === 0 || toMs <= fromMs) return null;
  const highest = Math.max(...values);
  const lowest = fromZero ? Math.min(0, ...values) : Math.min(...values);
  const spread = highest - lowest;
  return {
    x: (at) => round(((at - fromMs) / (toMs - fromMs)) * width),
    y: (value) => round(spread === 0 ? height / 2 : height - ((value - lowest) / spread) * height),
    height,
  };
}

/** The path of a sparkline, with gaps where there is no value. */
export function sparkPath(
  points: readonly DrawnPoint[],
  { x, y, height }: SparkScale,
): { line: string; area: string } {
  let line = '';
  let area = '';
  let run: DrawnPoint[] = [];
  const close = () => {
    const first = run[0];
    const last = run.at(-1);
    if (first && last) {
      const path = run.map(([at, value], i) => `${i === 0 ? 'M' : 'L'}${x(at)} ${y(value ?? 0)}`).join('');
      // A point alone is a line without a length, which round caps make a dot.
      line += run.length === 1 ? `${path}h0` : path;
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
