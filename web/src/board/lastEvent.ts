import type { StreamStatus } from '../api/types';

/**
 * The newest event time behind the watermarks of some cubes. A watermark lies behind its stream's newest event by as long
 * as the stream waits for stragglers, and series name the watermark alone. The stream is the one whose watermark is nearest:
 * that of a stream at rest is the same to the millisecond, and of one that moves it differs by what came in between.
 */
export function lastEventMs(
  watermarks: readonly number[],
  streams: readonly StreamStatus[],
  nowMs: number,
): number | null {
  const known = streams.flatMap(({ last_event_at, watermark }) => {
    const [eventMs, watermarkMs] = [Date.parse(last_event_at ?? ''), Date.parse(watermark ?? '')];
    // An event of the future moves no watermark, so its distance is not what is waited for.
    return eventMs >= watermarkMs && eventMs <= nowMs ? [{ watermarkMs, waitMs: eventMs - watermarkMs }] : [];
  });
  let newest: number | null = null;
  for (const at of watermarks) {
    let wait = 0;
    let best = Number.POSITIVE_INFINITY;
    for (const { watermarkMs, waitMs } of known) {
      const distance = Math.abs(watermarkMs - at);
      if (distance >= best) continue;
      best = distance;
      wait = waitMs;
    }
    newest = Math.max(newest ?? Number.NEGATIVE_INFINITY, at + wait);
  }
  return newest;
}
