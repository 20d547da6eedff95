import type { Point, Series, SeriesDocument } from '../api/types';

/** The identity of a series inside a document: its slice. Dimension order does not matter. */
export function sliceKey(by: Record<string, string | null>): string {
  return JSON.stringify(
    Object.entries(by)
      .map(([dimension, value]) => [dimension, value] as const)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  );
}

/** Merges changed buckets into a sorted list of points; both inputs stay as they are. */
export function mergePoints(old: readonly Point[], changed: readonly Point[]): Point[] {
  if (changed.length === 0) return old.slice();
  const fresh = [...changed].sort((a, b) => a[0] - b[0]);
  const merged: Point[] = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < fresh.length) {
    const a = old[i];
    const b = fresh[j];
    if (b === undefined || (a !== undefined && a[0] < b[0])) {
      if (a) merged.push(a);
      i += 1;
      continue;
    }
    if (a !== undefined && a[0] === b[0]) i += 1;
    // Of two changes of one bucket in the same update, the later one counts.
    if (merged.at(-1)?.[0] === b[0]) merged[merged.length - 1] = b;
    else merged.push(b);
    j += 1;
  }
  return merged;
}

/** Drops points before the window; a bucket that has begun before `fromMs` but reaches into it stays. */
export function pruneBefore(points: Point[], fromMs: number, stepMs: number): Point[] {
  const first = points.findIndex(([at]) => at + stepMs > fromMs);
  if (first === 0) return points;
  return first < 0 ? [] : points.slice(first);
}

/**
 * Applies a live update, which holds only the buckets that changed, to the document it belongs to. The window slides:
 * its end is the newest `to` either side knows of, and what falls out at the other end is forgotten, so that a board
 * left open for a month holds no more than one opened a minute ago.
 */
export function mergeUpdate(document: SeriesDocument, update: SeriesDocument): SeriesDocument {
  // A different step or split is an answer to another question and cannot be merged.
  if (update.step_ms !== document.step_ms || update.by.join() !== document.by.join()) return document;
  const to = Math.max(document.to, update.to);
  const from = to - (document.to - document.from);
  const changes = new Map(update.series.map((series) => [sliceKey(series.by), series]));
  const series: Series[] = [];
  for (const old of document.series) {
    const key = sliceKey(old.by);
    const change = changes.get(key);
    changes.delete(key);
    const points = pruneBefore(
      change ? mergePoints(old.points, change.points) : old.points,
      from,
      document.step_ms,
    );
    if (points.length > 0) series.push(points === old.points ? old : { by: old.by, points });
  }
  for (const added of changes.values()) {
    const points = pruneBefore(mergePoints([], added.points), from, document.step_ms);
    if (points.length > 0) series.push({ by: added.by, points });
  }
  const watermark =
    document.watermark === null || update.watermark === null
      ? (update.watermark ?? document.watermark)
      : Math.max(document.watermark, update.watermark);
  return { ...document, from, to, watermark, series, truncated: document.truncated || update.truncated };
}
