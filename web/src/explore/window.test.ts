import { expect, it } from 'vitest';
import type { Span } from './state';
import {
  askedBefore,
  askedFor,
  askedUntil,
  automaticStep,
  backMs,
  forecastUntil,
  isLive,
  lengthOf,
  moved,
  stepChoices,
  stepOf,
  widened,
  zoomedTo,
  zoomedToStep,
} from './window';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const count = { bucket_ms: 10_000, kind: 'count' } as const;
const rate = { bucket_ms: 10_000, kind: 'rate' } as const;
const last: Span = { kind: 'last', range: '1h' };
const fixed = (fromMs: number, toMs: number): Span => ({ kind: 'fixed', fromMs, toMs });
const now = 100 * DAY + 7 * MINUTE;

it('steps fit the span, and shares have fewer', () => {
  expect(automaticStep(last, count)).toBe(30_000);
  expect(automaticStep(fixed(0, HOUR), count)).toBe(30_000);
  expect(automaticStep(fixed(0, HOUR), rate)).toBe(2 * MINUTE);
  expect(automaticStep(fixed(0, 90 * DAY), count)).toBe(12 * HOUR);
  expect(automaticStep(fixed(0, 900 * DAY), count)).toBe(Math.ceil((5 * DAY) / 10_000) * 10_000);
});

it('a bucket of an odd length has steps of whole buckets', () => {
  const odd = { bucket_ms: 7_000, kind: 'count' } as const;
  expect(automaticStep(fixed(0, HOUR), odd)).toBe(21_000);
  expect(stepChoices(fixed(0, HOUR), odd)).toEqual([]);
});

it('the choices are bounded at both ends', () => {
  const choices = stepChoices(last, count);
  expect(choices[0]).toBe(10_000);
  expect(choices.at(-1)).toBe(HOUR);
  expect(stepChoices({ kind: 'last', range: '7d' }, count)[0]).toBe(10 * MINUTE);
});

it('a chosen step that does not suit the span gives way', () => {
  expect(stepOf(last, count, 5 * MINUTE)).toBe(5 * MINUTE);
  expect(stepOf(last, count, 15_000)).toBe(30_000);
  expect(stepOf(last, count, DAY)).toBe(30_000);
  expect(stepOf({ kind: 'last', range: '7d' }, count, 10_000)).toBe(HOUR);
});

it('what ends now is asked for relative to the clock of the server', () => {
  expect(askedFor(last, count, 30_000)).toEqual({ from: '-1h', to: 'now', stepMs: 30_000, wholeMs: HOUR });
  expect(askedFor(last, count, 30_000, HOUR)).toMatchObject({ from: '-2h', to: '-1h' });
});

it('a fixed span is asked for in whole steps, now and then', () => {
  const span = fixed(5_000, 65_000);
  expect(askedFor(span, count, 30_000)).toEqual({ from: '0', to: '90000', stepMs: 30_000, wholeMs: 90_000 });
  const back = backMs('previous', span, 30_000);
  expect(back).toBe(60_000);
  expect(askedFor(fixed(DAY + 5_000, DAY + 65_000), count, 30_000, back)).toMatchObject({
    from: String(DAY - 60_000),
    to: String(DAY + 30_000),
  });
});

it('the compared time lies whole steps back', () => {
  expect(backMs('week', last, 30_000)).toBe(7 * DAY);
  expect(backMs('week', last, 77_000) % 77_000).toBe(0);
  expect(backMs('previous', fixed(0, 100_000), 30_000)).toBe(120_000);
});

it('a time that is not over is compared with as much of the earlier one', () => {
  const today = askedFor(fixed(100 * DAY, 101 * DAY), count, 10 * MINUTE, DAY);
  const cut = askedUntil(today, now - DAY + 12_345, 10_000);
  expect(cut).toMatchObject({
    from: String(99 * DAY),
    to: String(99 * DAY + 7 * MINUTE),
    wholeMs: 7 * MINUTE,
  });
  expect(askedUntil(today, now, 10_000)).toBe(today);
  const relative = askedFor(last, count, 30_000, HOUR);
  expect(askedUntil(relative, 0, 10_000)).toBe(relative);
});

it('the week before it says whether it is whole', () => {
  expect(askedBefore(last, count, 30_000, 7 * DAY)).toMatchObject({ from: '-337h', to: '-169h' });
  expect(askedBefore(fixed(30 * DAY, 31 * DAY), count, HOUR, DAY)).toMatchObject({
    from: String(22 * DAY),
    to: String(29 * DAY),
  });
});

it('figures move while the span has not ended for long', () => {
  expect(isLive(last, now)).toBe(true);
  expect(isLive(fixed(0, now + HOUR), now)).toBe(true);
  expect(isLive(fixed(0, now - MINUTE), now)).toBe(true);
  expect(isLive(fixed(0, now - HOUR), now)).toBe(false);
});

it('there is a forecast where there is room for it', () => {
  expect(forecastUntil(last, now)).toBeNull();
  expect(forecastUntil({ kind: 'last', range: '24h' }, now)).toBe(now + DAY);
  expect(forecastUntil(fixed(now - HOUR, now + DAY), now)).toBe(now + DAY);
  expect(forecastUntil(fixed(now - DAY, now - HOUR), now)).toBeNull();
});

it('a zoom ends on buckets and shows a course', () => {
  expect(zoomedTo({ fromMs: 101_000, toMs: 999_000 }, 10_000)).toEqual(fixed(100_000, 1_000_000));
  const short = zoomedTo({ fromMs: HOUR, toMs: HOUR + 10_000 }, 10_000);
  expect(lengthOf(short)).toBeGreaterThanOrEqual(300_000);
});

it('a step is zoomed to while that shows more', () => {
  expect(zoomedToStep({ kind: 'last', range: '24h' }, HOUR, 10 * MINUTE, 10_000)).toEqual(
    fixed(HOUR, HOUR + 10 * MINUTE),
  );
  expect(zoomedToStep(fixed(HOUR, HOUR + 300_000), HOUR, 10_000, 10_000)).toBeNull();
});

it('a move to now is live again, and one to the past is not', () => {
  const past = moved(last, now, -1);
  expect(past).toEqual(fixed(now - 90 * MINUTE, now - 30 * MINUTE));
  expect(moved(past, now, 1)).toEqual(last);
  expect(moved(past, now + DAY, 1)).toEqual(fixed(now - HOUR, now));
});

it('a wider span has the same middle, or ends now', () => {
  expect(widened(last, now)).toEqual({ kind: 'last', range: '6h' });
  expect(widened(fixed(10 * HOUR, 12 * HOUR), now)).toEqual(fixed(9 * HOUR, 13 * HOUR));
  expect(widened(fixed(now - 30 * MINUTE, now), now)).toEqual(last);
  const month = widened({ kind: 'last', range: '7d' }, now);
  expect(lengthOf(month)).toBe(14 * DAY);
});
