import type { Metric } from '../api/types';
import type { Stretch } from '../charts/brush';
import { isSum } from '../charts/shape';
import {
  aheadMs,
  apiDuration,
  type Range,
  rangeMs,
  ranges,
  stepFor,
  WEEK_MS,
  wholeStep,
  windowOf,
} from '../state/range';
import type { Comparison, Span } from './state';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The steps that people read easily. */
const STEPS_MS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  DAY,
];

/** More points than pixels show nothing more. */
export const POINTS_MAX = 2_000;
/** As on the board: sums in many steps, shares in few, each of which has enough events to be one. */
const POINTS_WANTED = { sum: 180, share: 30 };

type Stepped = Pick<Metric, 'bucket_ms' | 'kind'>;

/** How the API is asked for a stretch of time. `wholeMs` is a step that spans it, which gives one figure. */
export interface Asked {
  from: string;
  to: string;
  stepMs: number;
  wholeMs: number;
}

export function lengthOf(span: Span): number {
  return span.kind === 'last' ? rangeMs(span.range) : span.toMs - span.fromMs;
}

/** Where a span lies at a time. */
export function stretchAt(span: Span, nowMs: number): Stretch {
  return span.kind === 'last'
    ? { fromMs: nowMs - rangeMs(span.range), toMs: nowMs }
    : { fromMs: span.fromMs, toMs: span.toMs };
}

/** Events that come late still change what has just ended. */
const LATE_MS = 5 * MINUTE;

/** Whether figures of a span may still move. */
export function isLive(span: Span, nowMs: number): boolean {
  return span.kind === 'last' || span.toMs > nowMs - LATE_MS;
}

/** The steps that may be chosen for a span: whole buckets, fewer than the span is long, and not too many. */
export function stepChoices(span: Span, metric: Stepped): number[] {
  const length = lengthOf(span);
  return STEPS_MS.filter(
    (step) => step % metric.bucket_ms === 0 && step <= length && length / step <= POINTS_MAX,
  );
}

/** The chosen step where it suits the span, else the one that fits it. */
export function stepOf(span: Span, metric: Stepped, chosenMs: number | null): number {
  const length = lengthOf(span);
  if (
    chosenMs !== null &&
    chosenMs % metric.bucket_ms === 0 &&
    chosenMs <= length &&
    length / chosenMs <= POINTS_MAX
  )
    return chosenMs;
  return automaticStep(span, metric);
}

export function automaticStep(span: Span, metric: Stepped): number {
  if (span.kind === 'last') return stepFor(span.range, metric);
  const wanted = lengthOf(span) / (isSum(metric.kind) ? POINTS_WANTED.sum : POINTS_WANTED.share);
  const fits = STEPS_MS.find((step) => step >= wanted && step % metric.bucket_ms === 0);
  return fits ?? Math.ceil(wanted / metric.bucket_ms) * metric.bucket_ms;
}

/** A fixed span is asked for in whole steps, so that what is drawn adds up to the figures. */
export function wholeSteps({ fromMs, toMs }: Stretch, stepMs: number): Stretch {
  return { fromMs: Math.floor(fromMs / stepMs) * stepMs, toMs: Math.ceil(toMs / stepMs) * stepMs };
}

export function askedFor(span: Span, metric: Stepped, stepMs: number, backMs = 0): Asked {
  if (span.kind === 'last') {
    const window =
      backMs === 0
        ? windowOf(span.range)
        : { from: `-${apiDuration(backMs + rangeMs(span.range))}`, to: `-${apiDuration(backMs)}` };
    return { ...window, stepMs, wholeMs: wholeStep(span.range, metric.bucket_ms) };
  }
  const { fromMs, toMs } = wholeSteps(span, stepMs);
  return { from: String(fromMs - backMs), to: String(toMs - backMs), stepMs, wholeMs: toMs - fromMs };
}

/** A fixed time that is not over is compared up to the same moment: figures of a day with those of half a day say nothing. */
export function askedUntil(asked: Asked, untilMs: number, bucketMs: number): Asked {
  const [fromMs, toMs] = [Number(asked.from), Number(asked.to)];
  if (!(toMs > untilMs)) return asked;
  // By the minute, so that the question is not another one at every tick.
  const unit = Math.ceil(MINUTE / bucketMs) * bucketMs;
  const endMs = Math.max(fromMs + bucketMs, Math.floor(untilMs / unit) * unit);
  return { ...asked, to: String(endMs), wholeMs: Math.ceil((endMs - fromMs) / bucketMs) * bucketMs };
}

/** How far back the compared time lies, in whole steps, so that its steps begin where those of the present do. */
export function backMs(comparison: Comparison, span: Span, stepMs: number): number {
  return Math.ceil((comparison === 'week' ? WEEK_MS : lengthOf(span)) / stepMs) * stepMs;
}

/** The week before the compared time: where nothing is known of it, events may begin within that time. */
export function askedBefore(span: Span, metric: Stepped, stepMs: number, back: number): Asked {
  const wholeMs = Math.ceil(WEEK_MS / metric.bucket_ms) * metric.bucket_ms;
  if (span.kind === 'last') {
    const endMs = back + rangeMs(span.range);
    return {
      from: `-${apiDuration(endMs + WEEK_MS)}`,
      to: `-${apiDuration(endMs)}`,
      stepMs: wholeMs,
      wholeMs,
    };
  }
  const endMs = wholeSteps(span, stepMs).fromMs - back;
  return { from: String(endMs - wholeMs), to: String(endMs), stepMs: wholeMs, wholeMs };
}

/** A forecast of less than this would be all there is to see. */
const AHEAD_FROM_MS = 6 * HOUR;

/** Until when a chart of a span shows what is to come; null where it has no room for it. */
export function forecastUntil(span: Span, nowMs: number): number | null {
  if (span.kind === 'last') {
    const ahead = aheadMs(span.range);
    return ahead === null ? null : nowMs + ahead;
  }
  return span.toMs > nowMs && lengthOf(span) >= AHEAD_FROM_MS ? span.toMs : null;
}

/** A stretch with fewer buckets than this shows no course. */
const BUCKETS_MIN = 30;

/** The span that shows a stretch: on borders of buckets, and never so short that there is nothing to see. */
export function zoomedTo({ fromMs, toMs }: Stretch, bucketMs: number): Span {
  const shortest = BUCKETS_MIN * bucketMs;
  const missing = Math.max(0, shortest - (toMs - fromMs));
  const start = Math.max(0, Math.floor((fromMs - missing / 2) / bucketMs) * bucketMs);
  const end = Math.ceil((toMs + missing / 2) / bucketMs) * bucketMs;
  return { kind: 'fixed', fromMs: start, toMs: end };
}

/** The span that shows one step of a chart; null where it would show no more than there is already. */
export function zoomedToStep(span: Span, atMs: number, stepMs: number, bucketMs: number): Span | null {
  const zoomed = zoomedTo({ fromMs: atMs, toMs: atMs + stepMs }, bucketMs);
  return lengthOf(zoomed) < lengthOf(span) ? zoomed : null;
}

/** A span of a length that ends now moves with it, if there is a name for it. */
function endingNow(lengthMs: number, nowMs: number): Span {
  const range = ranges.find((one) => rangeMs(one) === lengthMs);
  if (range) return { kind: 'last', range };
  const toMs = Math.ceil(nowMs / MINUTE) * MINUTE;
  return { kind: 'fixed', fromMs: toMs - lengthMs, toMs };
}

/** The span beside this one, by half of its length; it goes no further than now. */
export function moved(span: Span, nowMs: number, direction: -1 | 1): Span {
  const { fromMs, toMs } = stretchAt(span, nowMs);
  const length = toMs - fromMs;
  const half = Math.round(length / 2 / SECOND) * SECOND;
  const nextMs = Math.round((toMs + direction * half) / SECOND) * SECOND;
  if (direction === 1 && nextMs >= nowMs) return endingNow(length, nowMs);
  return { kind: 'fixed', fromMs: nextMs - length, toMs: nextMs };
}

const LENGTH_MAX_MS = 1_500 * DAY;

/** Twice as long around the same middle, and not beyond now. */
export function widened(span: Span, nowMs: number): Span {
  if (span.kind === 'last') {
    const next: Range | undefined = ranges[ranges.indexOf(span.range) + 1];
    return next ? { kind: 'last', range: next } : endingNow(2 * rangeMs(span.range), nowMs);
  }
  const length = span.toMs - span.fromMs;
  if (length * 2 > LENGTH_MAX_MS) return span;
  const toMs = span.toMs + Math.round(length / 2 / SECOND) * SECOND;
  if (toMs >= nowMs && span.toMs <= nowMs) return endingNow(2 * length, nowMs);
  return { kind: 'fixed', fromMs: toMs - 2 * length, toMs };
}
