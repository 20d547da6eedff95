import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BEAT_IDLE_MS, BEAT_INTERVAL_MS, Beat } from './beat';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function counted() {
  const beat = new Beat(() => Date.now());
  const listener = vi.fn();
  const stop = beat.listen(listener);
  return { beat, listener, stop };
}

it('tells a first change at once', () => {
  const { beat, listener } = counted();
  beat.changed();
  expect(listener).toHaveBeenCalledTimes(1);
});

it('limits the rate under steady traffic and tells the last change', () => {
  const { beat, listener } = counted();
  for (let ms = 0; ms < 5_000; ms += 20) {
    beat.changed();
    vi.advanceTimersByTime(20);
  }
  expect(listener.mock.calls.length).toBeLessThanOrEqual(1 + 5_000 / BEAT_INTERVAL_MS);
  const before = listener.mock.calls.length;
  beat.changed();
  vi.advanceTimersByTime(BEAT_INTERVAL_MS);
  expect(listener.mock.calls.length).toBe(before + 1);
});

it('beats without changes, since windows slide', () => {
  const { listener } = counted();
  vi.advanceTimersByTime(BEAT_IDLE_MS * 3);
  expect(listener).toHaveBeenCalledTimes(3);
});

it('stops when nobody listens', () => {
  const { beat, listener, stop } = counted();
  stop();
  beat.changed();
  vi.advanceTimersByTime(BEAT_IDLE_MS * 3);
  expect(listener).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});
