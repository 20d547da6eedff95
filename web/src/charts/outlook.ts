import type { ForecastDocument, MetricKind } from '../api/types';
import { isSum } from './shape';

/** What is expected at a moment, and the band that holds 80 of 100 values. */
export interface OutlookPoint {
  atMs: number;
  value: number;
  low: number;
  high: number;
}

const HOUR_MS = 3_600_000;

/**
 * The step of a chart's forecast: its own, but an hour at least. Cubes keep the weeks that a forecast needs in hours, and
 * everybody who asks by the hour gets the same answer.
 */
export function forecastStep(stepMs: number): number {
  return Math.ceil(HOUR_MS / stepMs) * stepMs;
}

/**
 * What of a forecast a chart of `stepMs` draws: the steps that begin before `untilMs`. A sum of a longer step is drawn as
 * what it makes of one of the chart's, in its middle. A forecast that knows neither a day nor a week is as wide as the
 * chart and says nothing.
 */
export function outlookOf(
  document: ForecastDocument | undefined,
  stepMs: number,
  kind: MetricKind,
  untilMs: number,
): OutlookPoint[] {
  const one = document?.forecasts[0];
  if (!document || one?.status !== 'ready' || one.footing === 'cold_start') return [];
  const share = isSum(kind) ? stepMs / document.step_ms : 1;
  const shiftMs = (document.step_ms - stepMs) / 2;
  return one.points
    .filter(({ start }) => start < untilMs)
    .map(({ start, value, lower_80, upper_80 }) => ({
      atMs: start + shiftMs,
      value: value * share,
      low: lower_80 * share,
      high: upper_80 * share,
    }));
}

/** Whether a forecast has come and there is too little history for one that could be drawn. */
export function isLearning(document: ForecastDocument | undefined): boolean {
  const one = document?.forecasts[0];
  return one !== undefined && (one.status !== 'ready' || one.footing === 'cold_start');
}

/** An estimate has no more digits than are worth reading. */
export function estimate(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
