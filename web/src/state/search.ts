import { isRange, type Range } from './range';

/** What the URL of a board says beyond its name. */
export interface BoardSearch {
  range?: Range;
  /** Chosen splits, as `metric.dimension` joined by commas; absent for those the board defines. */
  by?: string;
  /** Whether charts show what is expected of the rest of the day. */
  forecast?: 'on';
}

/** Reads untrusted URL parameters: what is not understood is dropped, never guessed. */
export function readSearch(raw: Record<string, unknown>): BoardSearch {
  const search: BoardSearch = {};
  if (isRange(raw.range)) search.range = raw.range;
  if (typeof raw.by === 'string' && raw.by !== '') search.by = raw.by;
  if (raw.forecast === 'on') search.forecast = 'on';
  return search;
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
