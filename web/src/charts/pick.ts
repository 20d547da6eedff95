import type { Figure, MetricKind, Point, Series, SeriesDocument } from '../api/types';
import { negated, sumFigures } from '../format/decimal';
import { toNumber } from '../format/figure';
import { sliceKey } from '../live/merge';
import { isSum } from './shape';
import { totalOf } from './total';

/** The slices that a chart draws, by key, each with its figure over the whole window. */
export interface Pick {
  figures: ReadonlyMap<string, Figure | null>;
  /** Whether something is left out; what adds nothing is not missed. */
  isCut: boolean;
}

/**
 * Chooses the slices of a chart once, for its lines and its figures alike. Of sums the largest are taken and those of
 * nothing are not; of everything else the server has put the heaviest first. The order stays that of the lines, so that
 * the legend does not jump when one slice overtakes another.
 */
export function pickSlices(
  lines: SeriesDocument,
  totals: SeriesDocument | null,
  kind: MetricKind,
  max: number,
): Pick {
  const wholes = new Map((totals?.series ?? []).map((series) => [sliceKey(series.by), series]));
  // The first step of the lines may begin before the window. A slice that has something there only is not in the window.
  const isOutside = (key: string) =>
    totals !== null && !wholes.has(key) && (isSum(kind) || !totals.truncated);
  const all = lines.series.flatMap((series): [string, Figure | null][] => {
    const key = sliceKey(series.by);
    return isOutside(key) ? [] : [[key, totalOf(wholes.get(key), series, kind)]];
  });
  if (!isSum(kind))
    return { figures: new Map(all.slice(0, max)), isCut: lines.truncated || all.length > max };
  // A figure that has not come yet is not nothing.
  const filled = all.filter(([, value]) => toNumber(value) !== 0);
  const size = (value: Figure | null) => Math.abs(toNumber(value) ?? 0);
  const largest = new Set([...filled].sort(([, a], [, b]) => size(b) - size(a)).slice(0, max));
  const figures = new Map(filled.filter((one) => largest.has(one)));
  const isMissed = ([key, series]: [string, Series]) =>
    !figures.has(key) && toNumber(totalOf(series, undefined, kind)) !== 0;
  return { figures, isCut: totals === null ? lines.truncated : [...wholes].some(isMissed) };
}

/** The course of what is not drawn: the whole less the drawn slices, bucket by bucket. */
export function restCourse(drawn: readonly Series[], whole: Series): Point[] {
  const parts = new Map<number, Figure[]>();
  for (const { points } of drawn) {
    for (const [at, figure] of points) {
      if (figure === null) continue;
      const figures = parts.get(at);
      if (figures) figures.push(figure);
      else parts.set(at, [figure]);
    }
  }
  return whole.points.map(([at, figure]) => [
    at,
    figure === null ? null : restFigure(parts.get(at) ?? [], figure),
  ]);
}

/** The whole less its parts, exactly; nothing where the parts exceed it, since both are fetched a moment apart. */
export function restFigure(parts: Iterable<Figure | null>, whole: Figure): Figure {
  const taken = [...parts].filter((part) => part !== null).map(negated);
  const rest = sumFigures([whole, ...taken]);
  return (toNumber(rest) ?? 0) > 0 ? rest : 0;
}
