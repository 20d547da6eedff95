import type { SeriesQuery } from '../../api/paths';
import { getSeries } from '../../api/series';
import type { Metric, SeriesDocument } from '../../api/types';
import { apiDuration, type Range, stepFor, wholeStep, windowOf } from '../../state/range';
import type { Filters } from '../../state/where';

/** The question for the figures of a metric over the whole range, by dimensions. */
export function figuresQuery(
  metric: Pick<Metric, 'name' | 'bucket_ms'>,
  range: Range,
  by: readonly string[],
  where: Filters,
  limit?: number,
): SeriesQuery {
  return {
    metric: metric.name,
    ...windowOf(range),
    step: apiDuration(wholeStep(range, metric.bucket_ms)),
    by: [...by],
    where,
    ...(limit === undefined ? {} : { limit }),
  };
}

/** The cheapest question that tells when a metric's cube has changed. */
export function pulseQuery(metric: Metric, range: Range): SeriesQuery {
  return {
    metric: metric.name,
    ...windowOf(range),
    step: apiDuration(stepFor(range, metric)),
    by: [],
    where: {},
  };
}

/** One pulse for each cube that some metrics are computed from. */
export function pulsesOf(metrics: readonly Metric[], range: Range): { cube: string; query: SeriesQuery }[] {
  const first = new Map(metrics.toReversed().map((metric) => [metric.of, metric]));
  return [...first.values()].map((metric) => ({ cube: metric.of, query: pulseQuery(metric, range) }));
}

/** Asks for several series; they go out as one call. */
export function askAll(queries: readonly SeriesQuery[], signal: AbortSignal): Promise<SeriesDocument[]> {
  return Promise.all(queries.map((query) => getSeries(query, 'present', signal)));
}
