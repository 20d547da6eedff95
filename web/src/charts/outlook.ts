import type { ForecastDocument } from '../api/types';

/** What is expected of one step, and the band that holds 80 of 100 values. */
export interface OutlookPoint {
  atMs: number;
  value: number;
  low: number;
  high: number;
}

/**
 * What of a forecast is drawn: the steps that begin before `untilMs`. One that knows neither a day nor a week is as wide
 * as the chart and says nothing.
 */
export function outlookOf(document: ForecastDocument | undefined, untilMs: number): OutlookPoint[] {
  const one = document?.forecasts[0];
  if (one?.status !== 'ready' || one.footing === 'cold_start') return [];
  return one.points
    .filter(({ start }) => start < untilMs)
    .map(({ start, value, lower_80, upper_80 }) => ({ atMs: start, value, low: lower_80, high: upper_80 }));
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
