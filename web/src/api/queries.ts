import { queryOptions } from '@tanstack/react-query';
import { hasFigure } from '../charts/total';
import { keepTitles } from '../i18n/titles';
import type { Identity } from './access';
import { ApiError, getJson } from './client';
import { boardPath, forecastPath, type SeriesQuery, seriesPath } from './paths';
import { getSeries } from './series';
import type { Board, BoardSummary, ForecastDocument, Metric, ServerStatus } from './types';

/** Definitions change when somebody edits them: seldom, and without a word to the page. */
const DEFINITIONS_STALE_MS = 60_000;
/** The key that all documents of the definitions begin with; invalidate it when they may have changed. */
export const DEFINITIONS_KEY = 'definitions';
/** A board that somebody has open follows soon what another has saved. */
const BOARD_FOLLOWS_MS = 10_000;
const COMPARISON_STALE_MS = 60_000;
const FORECAST_STALE_MS = 60_000;
/** A document that could not be loaded is asked for again this often, so that a restart heals the page by itself. */
const HEAL_INTERVAL_MS = 3_000;

export function healing({ state }: { state: { error: Error | null; data: unknown } }): number | false {
  return state.error instanceof ApiError && state.error.isTransient ? HEAL_INTERVAL_MS : false;
}

const definitions = {
  staleTime: DEFINITIONS_STALE_MS,
  refetchInterval: (query: Parameters<typeof healing>[0]) => healing(query) || DEFINITIONS_STALE_MS,
  retry: false,
} as const;

/** Who the server says one is. A token's role never changes, so it is asked once for each. */
export const accessQuery = queryOptions({
  queryKey: ['access'],
  queryFn: ({ signal }) => getJson<Identity>('/v1/access', signal),
  staleTime: Number.POSITIVE_INFINITY,
  refetchInterval: healing,
  retry: false,
});

export const boardsQuery = queryOptions({
  queryKey: [DEFINITIONS_KEY, 'boards'],
  queryFn: async ({ signal }) => (await getJson<{ boards: BoardSummary[] }>('/v1/boards', signal)).boards,
  ...definitions,
});

export function boardQuery(name: string) {
  return queryOptions({
    queryKey: [DEFINITIONS_KEY, 'board', name],
    queryFn: ({ signal }) => getJson<Board>(boardPath(name), signal),
    ...definitions,
  });
}

/** As `boardQuery`, for who looks at the board. */
export function followedBoardQuery(name: string) {
  return queryOptions({
    ...boardQuery(name),
    refetchInterval: (query) => healing(query) || BOARD_FOLLOWS_MS,
  });
}

export const metricsQuery = queryOptions({
  queryKey: [DEFINITIONS_KEY, 'metrics'],
  queryFn: async ({ signal }) => {
    const { metrics } = await getJson<{ metrics: Metric[] }>('/v1/metrics', signal);
    keepTitles(metrics);
    return new Map(metrics.map((metric) => [metric.name, metric]));
  },
  ...definitions,
});

export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: ({ signal }) => getJson<ServerStatus>('/v1/status', signal),
  retry: false,
});

/** A figure of the past: it hardly changes, so it is asked for once a minute instead of at every beat. */
export function comparisonQuery(query: SeriesQuery) {
  return queryOptions({
    queryKey: ['comparison', seriesPath(query)],
    queryFn: ({ signal }) => getSeries(query, 'past', signal),
    staleTime: COMPARISON_STALE_MS,
    refetchInterval: (query) => healing(query) || COMPARISON_STALE_MS,
    retry: false,
  });
}

/** Whether there is anything in a window of the past. What was there once is taken to stay, and not asked for again. */
export function earlierQuery(query: SeriesQuery) {
  return queryOptions({
    queryKey: ['earlier', seriesPath(query)],
    queryFn: ({ signal }) => getSeries(query, 'past', signal),
    staleTime: COMPARISON_STALE_MS,
    refetchInterval: (query) => healing(query) || (hasFigure(query.state.data) ? false : COMPARISON_STALE_MS),
    retry: false,
  });
}

/** What is expected until the day ends. The server computes it anew when another step is complete. */
export function forecastQuery(metric: string, step: string, zone: string, where: SeriesQuery['where'] = {}) {
  const path = forecastPath(metric, step, zone, where);
  return queryOptions({
    queryKey: ['forecast', path],
    queryFn: ({ signal }) => getJson<ForecastDocument>(path, signal),
    staleTime: FORECAST_STALE_MS,
    refetchInterval: (query) => healing(query) || FORECAST_STALE_MS,
    retry: false,
  });
}
