/** What a series is asked for. Times are relative (`-1h`), so that the server's clock alone decides. */
export interface SeriesQuery {
  metric: string;
  from: string;
  to: string;
  step: string;
  by: string[];
  where: Record<string, string>;
  limit?: number;
}

function parameters(query: SeriesQuery): string {
  const search = new URLSearchParams({ from: query.from, to: query.to, step: query.step });
  for (const dimension of query.by) search.append('by', dimension);
  for (const [dimension, value] of Object.entries(query.where).sort(([a], [b]) => (a < b ? -1 : 1))) {
    search.append('where', `${dimension}:${value}`);
  }
  if (query.limit !== undefined) search.set('limit', String(query.limit));
  return search.toString();
}

export function seriesPath(query: SeriesQuery): string {
  return `/v1/metrics/${encodeURIComponent(query.metric)}?${parameters(query)}`;
}

/** What is expected of a metric, without a split, until the reader's day ends. */
export function forecastPath(metric: string, step: string, zone: string): string {
  return `/v1/metrics/${encodeURIComponent(metric)}/forecast?${new URLSearchParams({ horizon: 'day', step, zone })}`;
}

/** One stream for several series. Its events say by `query` which of them they belong to, from 0. */
export function livePath(queries: readonly SeriesQuery[]): string {
  return `/v1/live?${questions(queries)}`;
}

/** One call for several series; there is an answer for each, in their order. */
export function seriesListPath(queries: readonly SeriesQuery[]): string {
  return `/v1/series?${questions(queries)}`;
}

function questions(queries: readonly SeriesQuery[]): URLSearchParams {
  return new URLSearchParams(queries.map((query) => ['q', `${query.metric}?${parameters(query)}`]));
}

export function boardPath(name: string): string {
  return `/v1/boards/${encodeURIComponent(name)}`;
}

export function incidentPath(id: string, action: 'acknowledge' | 'resolve' | 'feedback'): string {
  return `/v1/incidents/${encodeURIComponent(id)}/${action}`;
}
