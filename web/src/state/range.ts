import type { Metric } from '../api/types';
import { isSum } from '../charts/shape';

/** The board's time range; kept in the URL. */
export const ranges = ['15m', '1h', '6h', '24h', '7d'] as const;
export type Range = (typeof ranges)[number];

const MINUTE_MS = 60_000;
const lengthMs: Record<Range, number> = {
  '15m': 15 * MINUTE_MS,
  '1h': 60 * MINUTE_MS,
  '6h': 360 * MINUTE_MS,
  '24h': 1_440 * MINUTE_MS,
  '7d': 10_080 * MINUTE_MS,
};

/** Sums: between 90 and 180 points over the range, as much as a panel can show. */
const sumStepMs: Record<Range, number> = {
  '15m': 10_000,
  '1h': 30_000,
  '6h': 2 * MINUTE_MS,
  '24h': 10 * MINUTE_MS,
  '7d': 60 * MINUTE_MS,
};

/**
 * Rates, quantiles and averages: 24 to 30 points over the range. Each is made of the events of its own step, and out of a
 * handful of events it jumps between 0 and 100 %.
 */
const shareStepMs: Record<Range, number> = {
  '15m': 30_000,
  '1h': 2 * MINUTE_MS,
  '6h': 15 * MINUTE_MS,
  '24h': 60 * MINUTE_MS,
  '7d': 360 * MINUTE_MS,
};

export const WEEK_MS = 7 * 1_440 * MINUTE_MS;

export function isRange(value: unknown): value is Range {
  return typeof value === 'string' && (ranges as readonly string[]).includes(value);
}

export function rangeMs(range: Range): number {
  return lengthMs[range];
}

/** How far charts look ahead at most; null for ranges so short that the rest of the day would be all there is to see. */
export function aheadMs(range: Range): number | null {
  return range === '15m' || range === '1h' ? null : lengthMs[range];
}

/** The step for a range: never finer than the cube's bucket, and a whole number of buckets. */
export function stepFor(
  range: Range,
  { bucket_ms: bucketMs, kind }: Pick<Metric, 'bucket_ms' | 'kind'>,
): number {
  const wanted = (isSum(kind) ? sumStepMs : shareStepMs)[range];
  return bucketMs > 0 ? Math.ceil(wanted / bucketMs) * bucketMs : wanted;
}

/** A step that spans the range, in whole buckets: such a query answers one figure. */
export function wholeStep(range: Range, bucketMs: number): number {
  return bucketMs > 0 ? Math.ceil(lengthMs[range] / bucketMs) * bucketMs : lengthMs[range];
}

const units: [suffix: string, ms: number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', MINUTE_MS],
  ['s', 1000],
];

/** A duration as the API writes it, in the largest unit that divides it. */
export function apiDuration(ms: number): string {
  for (const [suffix, size] of units) if (ms >= size && ms % size === 0) return `${ms / size}${suffix}`;
  return `${Math.max(1, Math.ceil(ms / 1000))}s`;
}

/**
 * The week before the window that a range is compared with. Where nothing is known of it, the events begin within the
 * compared window, and a part of it would be taken for the whole.
 */
export function weekBeforeCompared(
  range: Range,
  bucketMs: number,
): { from: string; to: string; step: string } {
  const endMs = WEEK_MS + lengthMs[range];
  const step = bucketMs > 0 ? Math.ceil(WEEK_MS / bucketMs) * bucketMs : WEEK_MS;
  return { from: `-${apiDuration(endMs + WEEK_MS)}`, to: `-${apiDuration(endMs)}`, step: apiDuration(step) };
}

/** The window of a range, and the same one a week earlier, relative to the server's now. */
export function windowOf(range: Range, weeksBack = 0): { from: string; to: string } {
  const shift = weeksBack * WEEK_MS;
  return {
    from: `-${apiDuration(shift + lengthMs[range])}`,
    to: shift === 0 ? 'now' : `-${apiDuration(shift)}`,
  };
}
