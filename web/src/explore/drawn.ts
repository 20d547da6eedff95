import type { MetricKind, Point, Series, SeriesDocument } from '../api/types';
import type { DrawnSeries } from '../charts/option';
import { pickSlices, restCourse, restFigure } from '../charts/pick';
import { type DrawnPoint, isSum, shapePoints } from '../charts/shape';
import { totalOf } from '../charts/total';
import { sumFigures } from '../format/decimal';
import { sliceKey } from '../live/merge';
import type { Drawing } from './state';
import type { Exploration } from './useExploration';

/** More lines than this cannot be told apart. */
export const LINES_SHOWN_MAX = 8;
/** The key of what the lines leave out, and of the whole; no slice can have either. */
export const REST_KEY = 'rest';
export const WHOLE_KEY = 'whole';

/** How a metric is drawn: what does not add up cannot be stacked. */
export function drawingOf(chosen: Drawing | null, kind: MetricKind, isSplit: boolean): Drawing {
  if (!isSum(kind)) return chosen === 'bars' ? 'bars' : 'lines';
  return chosen ?? (isSplit ? 'stacked' : 'lines');
}

/** A course that the chart draws. */
export interface Course {
  key: string;
  by: Series['by'];
  points: Point[];
}

/** The slices that are drawn: those that were chosen, or the largest, with what they leave out of a sum. */
export function coursesOf(
  { lines, totals, wholeLines, wholeTotal }: Exploration,
  kind: MetricKind,
  only: readonly string[],
): { courses: Course[]; isCut: boolean } {
  if (!lines) return { courses: [], isCut: false };
  const all = lines.series.map(({ by, points }): Course => ({ key: sliceKey(by), by, points }));
  if (only.length > 0) return { courses: all.filter(({ key }) => only.includes(key)), isCut: true };
  if (lines.by.length === 0) return { courses: all, isCut: false };
  const picked = pickSlices(lines, totals, kind, LINES_SHOWN_MAX);
  const courses = all.filter(({ key }) => picked.figures.has(key));
  const whole = wholeLines?.series[0];
  if (!picked.isCut || !isSum(kind) || !whole) return { courses, isCut: picked.isCut };
  const figure = totalOf(wholeTotal?.series[0], undefined, kind);
  if (figure !== null && restFigure(picked.figures.values(), figure) === 0) return { courses, isCut: false };
  return {
    courses: [...courses, { key: REST_KEY, by: {}, points: restCourse(courses, whole) }],
    isCut: true,
  };
}

/** The compared courses, moved to now: one for each that is drawn, or that of the whole over a stack. */
export function ghostsOf(
  past: Exploration['past'],
  kind: MetricKind,
  drawn: readonly DrawnSeries[],
  isStacked: boolean,
  isAll: boolean,
  wholeName: string,
  wholeColor: string,
): DrawnSeries[] {
  if (!past?.lines) return [];
  const { lines, wholeLines } = past;
  // The compared time is over: where it ends, its course does, and nothing is filled in up to now.
  const ended = (document: SeriesDocument): SeriesDocument => ({
    ...document,
    watermark: Math.min(document.watermark ?? document.to, document.to),
  });
  const moved = (points: readonly Point[], document: SeriesDocument): DrawnPoint[] =>
    shapePoints(points, ended(document), kind).map(([at, value]) => [at + past.backMs, value]);
  const courses = new Map(lines.series.map((series) => [sliceKey(series.by), series.points]));
  if (isStacked && drawn.length > 1) {
    const parts = drawn.flatMap(({ key }) => courses.get(key) ?? []);
    const points =
      isAll && wholeLines
        ? moved(wholeLines.series[0]?.points ?? [], wholeLines)
        : moved(summed(parts), lines);
    return points.length > 0
      ? [{ key: WHOLE_KEY, name: wholeName, color: wholeColor, points, faded: false }]
      : [];
  }
  return drawn.flatMap((series) => {
    const points = moved(courses.get(series.key) ?? [], lines);
    return points.length > 0 ? [{ ...series, points }] : [];
  });
}

/** Courses added up, step by step. */
function summed(points: readonly Point[]): Point[] {
  const sums = new Map<number, Point>();
  for (const [at, figure] of points) {
    const known = sums.get(at)?.[1] ?? null;
    sums.set(at, [at, known === null ? figure : figure === null ? known : sumFigures([known, figure])]);
  }
  return [...sums.values()].sort(([a], [b]) => a - b);
}
