import type { LagHistogram } from './documents';

/** A quantile of how far events were behind. */
export type LagQuantile =
  | { kind: 'none' }
  /** At most so many milliseconds. */
  | { kind: 'within'; ms: number }
  /** More than the histogram tells apart. */
  | { kind: 'beyond'; ms: number };

export function eventsOf(histogram: LagHistogram): number {
  return histogram.buckets.reduce((sum, { events }) => sum + events, 0);
}

/** The bound of the bucket that `share` of all events are within. */
export function lagQuantile(histogram: LagHistogram, share: number): LagQuantile {
  const wanted = eventsOf(histogram) * share;
  if (wanted === 0) return { kind: 'none' };
  let seen = 0;
  let lower = 0;
  for (const { upto_ms, events } of histogram.buckets) {
    seen += events;
    if (seen >= wanted) {
      return upto_ms === null ? { kind: 'beyond', ms: lower } : { kind: 'within', ms: upto_ms };
    }
    if (upto_ms !== null) lower = upto_ms;
  }
  return { kind: 'beyond', ms: lower };
}

export interface LagBar {
  /** Null for the last bucket, which has no end. */
  uptoMs: number | null;
  /** What it begins behind. */
  overMs: number;
  events: number;
  share: number;
}

/** The buckets worth drawing: all up to the last one that has anything in it, and at least a few. */
export function lagBars(histogram: LagHistogram): LagBar[] {
  const total = eventsOf(histogram);
  const last = histogram.buckets.findLastIndex(({ events }) => events > 0);
  const shown = histogram.buckets.slice(0, Math.max(last + 1, 0));
  let overMs = 0;
  return shown.map(({ upto_ms, events }) => {
    const bar = { uptoMs: upto_ms, overMs, events, share: total > 0 ? events / total : 0 };
    overMs = upto_ms ?? overMs;
    return bar;
  });
}
