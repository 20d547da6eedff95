import { isRange, type Range } from './range';
import { readFilters, writeFilters } from './where';

/** What a board compares with: nothing, the time before, or the same time last week. */
export const boardComparisons = ['none', 'previous', 'week'] as const;
export type BoardComparison = (typeof boardComparisons)[number];

/** What the URL of a board says beyond its name. */
export interface BoardSearch {
  range?: Range;
  /** Chosen splits, as `metric.dimension` joined by commas; absent for those the board defines. */
  by?: string;
  /** Whether charts show what is expected of the rest of the day. */
  forecast?: 'on';
  /** Absent: tiles are compared with last week, and charts draw the present alone. */
  compare?: BoardComparison;
  /** The filters that every panel obeys, as lists of values. */
  [where: `where.${string}`]: string;
}

/** Reads untrusted URL parameters: what is not understood is dropped, never guessed. */
export function readSearch(raw: Record<string, unknown>): BoardSearch {
  const search: BoardSearch = {};
  if (isRange(raw.range)) search.range = raw.range;
  if (typeof raw.by === 'string' && raw.by !== '') search.by = raw.by;
  if (raw.forecast === 'on') search.forecast = 'on';
  const compare = boardComparisons.find((one) => one === raw.compare);
  if (compare) search.compare = compare;
  return { ...search, ...writeFilters(readFilters(Object.entries(raw))) };
}

export function readSplits(by: string | undefined): Map<string, string> {
  const splits = new Map<string, string>();
  for (const part of (by ?? '').split(',')) {
    const dot = part.lastIndexOf('.');
    if (dot > 0 && dot < part.length - 1) splits.set(part.slice(0, dot), part.slice(dot + 1));
  }
  return splits;
}

export function writeSplits(splits: ReadonlyMap<string, string>): string | undefined {
  const text = [...splits].map(([metric, dimension]) => `${metric}.${dimension}`).join(',');
  return text === '' ? undefined : text;
}
