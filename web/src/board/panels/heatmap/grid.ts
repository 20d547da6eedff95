import type { Figure, MetricKind, SeriesDocument } from '../../../api/types';
import { isSum, unfinishedFrom } from '../../../charts/shape';
import { offsetMs, wallParts } from '../../../explore/zoned';
import { scaledFigure, sumFigures } from '../../../format/decimal';
import { toNumber } from '../../../format/figure';

export const HOUR_MS = 3_600_000;
export const WEEK_MS = 7 * 24 * HOUR_MS;
export const DAYS = 7;
export const HOURS = 24;

/** One hour of one weekday, over all weeks that are looked at. */
export interface HeatCell {
  /** 0 is Monday. */
  weekday: number;
  hour: number;
  /** Of a sum its mean per hour, of everything else the mean of its hours; null where nothing is known. */
  value: Figure | null;
  /** How many such hours there were; a change of clocks makes one more or one fewer of some. */
  hours: number;
  /** Between the lowest and the highest cell, from 0 to 1. */
  level: number;
}

export interface HeatGrid {
  /** 7 × 24 cells, Monday first. */
  cells: HeatCell[];
  highest: HeatCell | null;
  lowest: HeatCell | null;
}

/**
 * The step that hours of a zone are made of: an hour where clocks are whole hours ahead of UTC, else what they are off by,
 * as half an hour in Kolkata. Null where the metric's buckets do not fit into an hour.
 */
export function heatStep(bucketMs: number, zone: string, fromMs: number, toMs: number): number | null {
  const parts = [fromMs, toMs].map((atMs) => Math.abs(offsetMs(atMs, zone)) % HOUR_MS);
  const step = parts.reduce(commonDivisor, HOUR_MS);
  if (bucketMs <= 0 || step % bucketMs === 0) return step;
  // Whole hours of UTC then stand for the hours of the zone that they begin in.
  return HOUR_MS % bucketMs === 0 ? HOUR_MS : null;
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

/** The window of so many weeks up to the hour that has begun. */
export function heatWindow(nowMs: number, weeks: number): { fromMs: number; toMs: number } {
  const toMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
  return { fromMs: toMs - weeks * WEEK_MS, toMs };
}

/** Steps by weekday and hour of a zone. What may still change is left out: a part of an hour is no hour. */
export function heatGrid(document: SeriesDocument, kind: MetricKind, zone: string): HeatGrid {
  const step = document.step_ms;
  const endMs = Math.min(unfinishedFrom(document), document.to);
  const sums = isSum(kind);
  const found: Figure[][] = Array.from({ length: DAYS * HOURS }, () => []);
  for (const [at, figure] of filled(document, sums, endMs)) {
    if (at < document.from || at + step > endMs || figure === null) continue;
    const { year, month, day, hour } = wallParts(at, zone);
    const weekday = (new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % DAYS;
    found[weekday * HOURS + hour]?.push(figure);
  }
  const cells = found.map((figures, i): HeatCell => {
    const hours = (figures.length * step) / HOUR_MS;
    return {
      weekday: Math.floor(i / HOURS),
      hour: i % HOURS,
      value: figures.length > 0 ? mean(figures, sums ? step : HOUR_MS) : null,
      hours,
      level: 0,
    };
  });
  return leveled(cells, sums);
}

/** Holes of a sum are zeros, from its first step with a figure on; before that nothing is known. */
function* filled(
  { series, step_ms: step }: SeriesDocument,
  sums: boolean,
  endMs: number,
): Generator<[number, Figure | null]> {
  const points = series[0]?.points ?? [];
  if (!sums || step <= 0) {
    yield* points;
    return;
  }
  const first = points.find(([, figure]) => figure !== null)?.[0];
  if (first === undefined) return;
  const known = new Map(points);
  for (let at = first; at < endMs; at += step) yield [at, known.get(at) ?? 0];
}

/** The figures added up, per `HOUR_MS` of the time they are of; `eachMs` is the time of one. */
function mean(figures: readonly Figure[], eachMs: number): Figure | null {
  return scaledFigure(sumFigures(figures), HOUR_MS / 60_000, (figures.length * eachMs) / 60_000);
}

function leveled(cells: HeatCell[], sums: boolean): HeatGrid {
  let highest: HeatCell | null = null;
  let lowest: HeatCell | null = null;
  for (const cell of cells) {
    const value = toNumber(cell.value);
    if (value === null) continue;
    if (highest === null || value > (toNumber(highest.value) ?? 0)) highest = cell;
    if (lowest === null || value < (toNumber(lowest.value) ?? 0)) lowest = cell;
  }
  const top = toNumber(highest?.value) ?? 0;
  const bottom = sums ? Math.min(0, toNumber(lowest?.value) ?? 0) : (toNumber(lowest?.value) ?? 0);
  for (const cell of cells) {
    const value = toNumber(cell.value);
    if (value !== null) cell.level = top > bottom ? (value - bottom) / (top - bottom) : value === 0 ? 0 : 1;
  }
  return { cells, highest, lowest };
}

/** The cell that an arrow key leads to. */
export function nextCell(at: number | null, key: string): number | null | undefined {
  const here = at ?? 0;
  const [day, hour] = [Math.floor(here / HOURS), here % HOURS];
  switch (key) {
    case 'ArrowRight':
      return at === null ? 0 : day * HOURS + Math.min(HOURS - 1, hour + 1);
    case 'ArrowLeft':
      return at === null ? 0 : day * HOURS + Math.max(0, hour - 1);
    case 'ArrowDown':
      return at === null ? 0 : Math.min(DAYS - 1, day + 1) * HOURS + hour;
    case 'ArrowUp':
      return at === null ? 0 : Math.max(0, day - 1) * HOURS + hour;
    case 'Home':
      return day * HOURS;
    case 'End':
      return day * HOURS + HOURS - 1;
    case 'Escape':
      return null;
    default:
      return undefined;
  }
}
