import type { Figure, MetricKind, Series } from '../api/types';
import { sumFigures } from '../format/decimal';

/**
 * The figure over the whole window. A query whose step spans the window answers one point; should a server cut it at
 * a bucket border into several, sums still add up exactly, while for rates and quantiles only the newest part counts.
 */
export function totalOf(series: Series | undefined, kind: MetricKind): Figure | null {
  const figures = (series?.points ?? []).map(([, figure]) => figure).filter((figure) => figure !== null);
  if (figures.length === 0) return null;
  if (figures.length > 1 && (kind === 'count' || kind === 'amount')) return sumFigures(figures);
  return figures.at(-1) ?? null;
}
