/** What a series is asked for. Times are relative (`-1h`), so that the server's clock alone decides. */
export interface SeriesQuery {
  metric: string;
  from: string;
  to: string;
  step: string;
  by: string[];
  /** Per dimension its value, or several of which any will do; the empty one means none as well. */
  where: Record<string, string | readonly string[]>;
  limit?: number;
}

function parameters(query: SeriesQuery): string {
  const search = new URLSearchParams({ from: query.from, to: query.to, step: query.step });
  for (const dimension of query.by) search.append('by', dimension);
  appendWhere(search, query.where);
  if (query.limit !== undefined) search.set('limit', String(query.limit));
  return search.toString();
}

function appendWhere(search: URLSearchParams, where: SeriesQuery['where']): void {
  for (const [dimension, values] of Object.entries(where).sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const value of typeof values === 'string' ? [values] : values)
      search.append('where', `${dimension}:${value}`);
  }
}

export function seriesPath(query: SeriesQuery): string {
  return `/v1/metrics/${encodeURIComponent(query.metric)}?${parameters(query)}`;
}

/** What is expected of a metric, without a split, until the reader's day ends. */
export function forecastPath(
  metric: string,
  step: string,
  zone: string,
  where: SeriesQuery['where'] = {},
): string {
  const search = new URLSearchParams({ horizon: 'day', step, zone });
  appendWhere(search, where);
  return `/v1/metrics/${encodeURIComponent(metric)}/forecast?${search}`;
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

export type IncidentActionName = 'acknowledge' | 'resolve' | 'silence' | 'feedback' | 'note';

/** One incident, or what is done about it. */
export function incidentPath(id: string, action?: IncidentActionName): string {
  const path = `/v1/incidents/${encodeURIComponent(id)}`;
  return action ? `${path}/${action}` : path;
}
