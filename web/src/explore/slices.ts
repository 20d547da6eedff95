import type { Figure, MetricKind, Point, Series, SeriesDocument } from '../api/types';
import { isSum, unfinishedFrom } from '../charts/shape';
import { totalOf } from '../charts/total';
import { type Change, changeSince } from '../format/change';
import { toNumber } from '../format/figure';
import { sliceKey } from '../live/merge';
import type { ExploreState, SortKey } from './state';

/** A slice as the table shows it. */
export interface SliceRow {
  key: string;
  by: Record<string, string | null>;
  /** Over the whole span. */
  value: Figure | null;
  /** Of the newest step that is complete. */
  last: Figure | null;
  /** Over the compared time; null while nothing is compared. */
  earlier: Figure | null;
  change: Change | null;
}

/** What is compared with: figures of an earlier time, and whether there were events already when it began. */
export interface Earlier {
  totals: SeriesDocument;
  isWhole: boolean;
}

interface Known {
  kind: MetricKind;
  unit: string | null;
  lines: SeriesDocument | null;
  totals: SeriesDocument | null;
  earlier: Earlier | null;
}

/** A row for each slice there is now, and for each that there was and is no more. */
export function rowsOf({ kind, unit, lines, totals, earlier }: Known): SliceRow[] {
  const courses = new Map((lines?.series ?? []).map((series) => [sliceKey(series.by), series]));
  const past = new Map((earlier?.totals.series ?? []).map((series) => [sliceKey(series.by), series]));
  const present = totals ?? lines;
  const rows: SliceRow[] = [];
  const add = (by: Series['by'], key: string, value: Figure | null) => {
    const found = past.get(key);
    const then = earlier ? earlierFigure(earlier, found, kind) : null;
    rows.push({
      key,
      by,
      value,
      last: lines ? lastFinished(courses.get(key)?.points ?? [], unfinishedFrom(lines)) : null,
      earlier: then,
      change: earlier ? changeSince(value, then, earlier.isWhole, unit, null) : null,
    });
    past.delete(key);
  };
  for (const series of present?.series ?? []) {
    const key = sliceKey(series.by);
    add(series.by, key, totals ? totalOf(series, courses.get(key), kind) : null);
  }
  // What has vanished is what one looks for, where the list is whole and it is not just further down.
  if (totals && !totals.truncated)
    for (const [key, { by }] of [...past]) add(by, key, isSum(kind) ? 0 : null);
  return rows;
}

/** A sum of nothing is zero, unless the slice may have been left out of a list that was too long. */
function earlierFigure({ totals }: Earlier, found: Series | undefined, kind: MetricKind): Figure | null {
  if (!found) return isSum(kind) && !totals.truncated ? 0 : null;
  return totalOf(found, undefined, kind);
}

/** The figure of the newest step that is complete. */
export function lastFinished(points: readonly Point[], unfinishedMs: number): Figure | null {
  for (let i = points.length - 1; i >= 0; i -= 1) {
    const [at, figure] = points[i] ?? [0, null];
    if (at < unfinishedMs && figure !== null) return figure;
  }
  return null;
}

/** Rows in the chosen order. What has no figure stands last in both directions. */
export function sortRows<R extends SliceRow>(
  rows: readonly R[],
  { key, isDown }: ExploreState['sort'],
  nameOf: (row: R) => string,
  locale: string,
): R[] {
  const sign = isDown ? -1 : 1;
  if (key === 'name') {
    const collator = new Intl.Collator(locale, { numeric: true });
    return [...rows].sort((a, b) => sign * collator.compare(nameOf(a), nameOf(b)));
  }
  const weights = new Map(rows.map((row) => [row, weightOf(row, key)]));
  return [...rows].sort((a, b) => {
    const [x, y] = [weights.get(a) ?? null, weights.get(b) ?? null];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return x === y ? 0 : sign * (x - y);
  });
}

function weightOf({ value, last, change }: SliceRow, key: Exclude<SortKey, 'name'>): number | null {
  if (key === 'value') return toNumber(value);
  if (key === 'last') return toNumber(last);
  if (change?.kind === 'new') return Number.POSITIVE_INFINITY;
  return change?.kind === 'points' || change?.kind === 'percent' ? change.amount : null;
}

/** The values of a slice in the order of the split, as an address has them. */
export function sliceValues(by: Series['by'], dimensions: readonly string[]): (string | null)[] {
  return dimensions.map((dimension) => by[dimension] ?? null);
}

/** The key of a slice that is given by its values. */
export function keyOfValues(values: readonly (string | null)[], dimensions: readonly string[]): string {
  return sliceKey(Object.fromEntries(dimensions.map((dimension, i) => [dimension, values[i] ?? null])));
}

/** An earlier course as it would lie now. */
export function moveCourse(points: readonly Point[], byMs: number): Point[] {
  return points.map(([at, figure]) => [at + byMs, figure]);
}
