import { expect, it } from 'vitest';
import type { StreamStatus } from '../api/types';
import { lastEventMs } from './lastEvent';

const at = Date.UTC(2026, 10, 22, 22, 0);
const stream = (name: string, eventMs: number, waitMs: number): StreamStatus => ({
  name,
  last_event_at: new Date(eventMs).toISOString(),
  watermark: new Date(eventMs - waitMs).toISOString(),
});
const streams = [stream('payments', at, 60_000), stream('visits', at - 600_000, 5_000)];
const now = at + 1_000;

it('adds to a watermark what its stream waits for', () => {
  expect(lastEventMs([at - 60_000], streams, now)).toBe(at);
  expect(lastEventMs([at - 605_000], streams, now)).toBe(at - 600_000);
});

it('is the newest of all cubes, also of one that has moved on since the streams were asked', () => {
  expect(lastEventMs([at - 605_000, at - 58_000], streams, now)).toBe(at + 2_000);
});

it('stays with the watermark while nothing is known of streams, and knows nothing of no watermark', () => {
  expect(lastEventMs([at], [], now)).toBe(at);
  expect(lastEventMs([], streams, now)).toBeNull();
  expect(lastEventMs([at], [{ name: 'new', last_event_at: null, watermark: null }], now)).toBe(at);
});

it('is not led astray by an event of the future', () => {
  expect(lastEventMs([at], [stream('payments', at + 86_400_000, 86_400_000)], now)).toBe(at);
});
