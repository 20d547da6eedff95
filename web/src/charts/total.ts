import type { Figure, MetricKind, Series, SeriesDocument } from '../api/types';
import { sumFigures } from '../format/decimal';
import { isSum } from './shape';

/**
 * The figure over the whole window. A query whose step spans the window answers one point. A server that cuts the window
 * at borders of its own answers several, which reach beyond it: a sum is then added up, exactly, from the course;
 * of a rate or a quantile, which do not add up, the newest part is the nearest to the truth.
 */
export function totalOf(
  whole: Series | undefined,
  course: Series | undefined,
  kind: MetricKind,
): Figure | null {
  const figures = valuesOf(whole);
  if (figures.length > 1 && isSum(kind)) {
    const parts = valuesOf(course);
    return parts.length > 0 ? sumFigures(parts) : null;
  }
  return figures.at(-1) ?? null;
}

/** Whether anything is known of the window at all: a zero is known, an absent figure is not. */
export function hasFigure(document: SeriesDocument | undefined): boolean {
  return (document?.series ?? []).some((series) => valuesOf(series).length > 0);
}

function valuesOf(series: Series | undefined): Figure[] {
  return (series?.points ?? []).map(([, figure]) => figure).filter((figure) => figure !== null);
}
