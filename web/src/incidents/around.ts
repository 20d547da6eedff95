import type { Incident, Metric } from '../api/types';
import { isSum } from '../charts/shape';
import { toNumber } from '../format/figure';

/** How far a chart looks back before an incident; kept in the URL. */
export const LOOKBACKS = ['near', 'day', 'week'] as const;
export type Lookback = (typeof LOOKBACKS)[number];

export function readLookback(text: string | undefined): Lookback {
  return LOOKBACKS.find((lookback) => lookback === text) ?? 'near';
}

/** The time around an incident and the step in which it is shown. */
export interface Around {
  fromMs: number;
  /** Null while it goes on: up to now. */
  toMs: number | null;
  stepMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const BEFORE_MIN_MS = 45 * MINUTE_MS;
const BEFORE_MAX_MS = DAY_MS;
const AFTER_MIN_MS = 20 * MINUTE_MS;
const AFTER_MAX_MS = 6 * HOUR_MS;
/** The window of an incident that goes on is made anew whenever it has become twice as long, not at every tick. */
const LENGTH_FIRST_MS = 15 * MINUTE_MS;

const SUM_POINTS = 150;
const SHARE_POINTS = 60;
/** A share of fewer events than this jumps between 0 and 100 %. */
const EVENTS_PER_STEP = 12;

const steps = [
  1_000,
  5_000,
  10_000,
  30_000,
  MINUTE_MS,
  2 * MINUTE_MS,
  5 * MINUTE_MS,
  10 * MINUTE_MS,
  15 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
  6 * HOUR_MS,
  DAY_MS,
];

type Times = Pick<Incident, 'started_at' | 'resolved_at'> & Partial<Pick<Incident, 'denominator'>>;

/** The time around an incident: enough of what was before to see what is usual, all of the bad time, a little after. */
export function around(
  incident: Times,
  metric: Pick<Metric, 'kind' | 'bucket_ms'>,
  lookback: Lookback,
  nowMs: number,
): Around {
  const startMs = Date.parse(incident.started_at);
  const endMs = incident.resolved_at === null ? null : Date.parse(incident.resolved_at);
  const lengthMs = endMs === null ? doubled(nowMs - startMs) : Math.max(0, endMs - startMs);
  const leastMs = { near: BEFORE_MIN_MS, day: DAY_MS, week: 7 * DAY_MS }[lookback];
  const beforeMs = Math.max(leastMs, Math.min(lengthMs, BEFORE_MAX_MS));
  const afterMs = Math.min(Math.max(lengthMs / 2, AFTER_MIN_MS), AFTER_MAX_MS);
  const spanMs = beforeMs + lengthMs + (endMs === null ? 0 : afterMs);
  const stepMs = stepOf(spanMs, lengthMs, incident.denominator, metric);
  const down = (at: number) => Math.floor(at / stepMs) * stepMs;
  return {
    fromMs: down(startMs - beforeMs),
    toMs: endMs === null ? null : down(Math.min(endMs + afterMs, nowMs) + stepMs - 1),
    stepMs,
  };
}

function doubled(lengthMs: number): number {
  let length = LENGTH_FIRST_MS;
  while (length < lengthMs) length *= 2;
  return length;
}

function stepOf(
  spanMs: number,
  lengthMs: number,
  events: Times['denominator'],
  { kind, bucket_ms: bucketMs }: Pick<Metric, 'kind' | 'bucket_ms'>,
): number {
  const count = toNumber(events);
  // Enough events a step, but three steps at least of the bad time.
  const quiet = count && count > 0 ? Math.min((EVENTS_PER_STEP * lengthMs) / count, lengthMs / 3) : 0;
  const wanted = isSum(kind) ? spanMs / SUM_POINTS : Math.max(spanMs / SHARE_POINTS, quiet);
  const step = steps.find((one) => one >= wanted && one >= bucketMs) ?? DAY_MS;
  return bucketMs > 0 ? Math.ceil(step / bucketMs) * bucketMs : step;
}

/** Steps to ask for when there is nothing in finer ones: old buckets are kept by the hour or the day. */
export function coarserSteps(stepMs: number): number[] {
  return [10 * MINUTE_MS, HOUR_MS, DAY_MS].filter((one) => one > stepMs && one % stepMs === 0);
}

/** The same time in longer steps, at least a dozen of them before the incident. */
export function widened(window: Around & { toMs: number }, stepMs: number): Around & { toMs: number } {
  const down = (at: number) => Math.floor(at / stepMs) * stepMs;
  const fromMs = Math.min(down(window.fromMs), down(window.toMs) - 24 * stepMs);
  return { fromMs, toMs: down(window.toMs + stepMs - 1), stepMs };
}
