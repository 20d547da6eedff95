import type { Board, Metric } from '../api/types';
import type { Comparison } from '../explore/state';
import { isRange, type Range } from '../state/range';
import { type BoardComparison, type BoardSearch, readSplits, writeSplits } from '../state/search';
import { type Filters, readFilters, writeFilters } from '../state/where';

/** How a board is looked at: what every panel of it obeys. */
export interface BoardView {
  range: Range;
  /** What the address says; null where it says nothing. */
  compare: BoardComparison | null;
  filters: Filters;
  withForecast: boolean;
  /** Chosen splits by metric. */
  splits: ReadonlyMap<string, string>;
}

/** How the URL says that a chart is not split; no dimension can have this name. */
export const NO_SPLIT = '-';

export function viewOf(search: BoardSearch, board: Board): BoardView {
  return {
    range: search.range ?? defaultRange(board),
    compare: search.compare ?? null,
    filters: readFilters(Object.entries(search)),
    withForecast: search.forecast === 'on',
    splits: readSplits(search.by),
  };
}

function defaultRange(board: Board): Range {
  const window = board.charts.find((chart) => isRange(chart.window))?.window;
  return isRange(window) ? window : '1h';
}

/** The address of the same board with other choices. */
export function searchWith(search: BoardSearch, next: Partial<BoardView>): BoardSearch {
  const { range, by, forecast, compare } = search;
  const chosen: BoardSearch = {
    ...((next.range ?? range) ? { range: next.range ?? range } : {}),
    ...(by ? { by } : {}),
    ...((next.withForecast ?? forecast === 'on') ? { forecast: 'on' } : {}),
    ...(compare && next.compare === undefined ? { compare } : {}),
    ...(next.compare ? { compare: next.compare } : {}),
  } as BoardSearch;
  if (next.splits) {
    const splits = writeSplits(next.splits);
    if (splits) chosen.by = splits;
    else delete chosen.by;
  }
  return { ...chosen, ...writeFilters(next.filters ?? readFilters(Object.entries(search))) };
}

/** What tiles compare with: last week unless something else is chosen. */
export function tileComparison({ compare }: BoardView): Comparison | null {
  if (compare === 'none') return null;
  return compare ?? 'week';
}

/** What charts draw beside the present: nothing unless it is chosen. */
export function chartComparison({ compare }: BoardView): Comparison | null {
  return compare === 'none' ? null : compare;
}

/** What of the board's filters holds for a panel. */
export interface Applied {
  where: Filters;
  /** Filtered dimensions that the panel's metrics do not have. */
  ignored: string[];
  /** The dimension whose filter leaves nothing of what the panel shows. */
  excluded: string | null;
}

/**
 * The filters of a panel: its own, and those of the board by dimensions that its metrics have. Where both filter the same
 * dimension, what satisfies both is left.
 */
export function appliedTo(
  metrics: readonly Pick<Metric, 'dimensions'>[],
  own: Readonly<Record<string, string>> | null | undefined,
  filters: Readonly<Filters>,
): Applied {
  const where: Filters = {};
  for (const [dimension, value] of Object.entries(own ?? {})) where[dimension] = [value];
  const ignored: string[] = [];
  let excluded: string | null = null;
  for (const [dimension, values] of Object.entries(filters)) {
    if (values.length === 0) continue;
    if (!metrics.every(({ dimensions }) => dimensions.includes(dimension))) {
      ignored.push(dimension);
      continue;
    }
    const mine = where[dimension];
    const both = mine ? mine.filter((value) => values.includes(value)) : values;
    if (both.length === 0) excluded ??= dimension;
    else where[dimension] = both;
  }
  return { where, ignored, excluded };
}

/** The dimensions that filters can be of: those of any metric on the board, in the order of first sight. */
export function filterable(metrics: Iterable<Pick<Metric, 'dimensions'>>): string[] {
  return [...new Set([...metrics].flatMap(({ dimensions }) => dimensions))];
}

/** The metrics that a board names, each once, in its order. */
export function metricNames(board: Board): string[] {
  const panels = (board.panels ?? []).flatMap((panel): string[] => {
    switch (panel.kind) {
      case 'table':
        return [panel.metric, ...(panel.also ?? [])];
      case 'funnel':
        return panel.steps.map(({ metric }) => metric);
      case 'text':
        return [];
      default:
        return 'metric' in panel ? [panel.metric] : [];
    }
  });
  const named = [...board.tiles, ...board.charts].map(({ metric }) => metric);
  return [...new Set([...named, ...panels])];
}
