export const BACKOFF_FIRST_MS = 500;
export const BACKOFF_MAX_MS = 15_000;

/**
 * How long to wait before attempt `attempt` (1 is the first retry). Half of the exponential delay is random, so that
 * all the screens of a company do not return in the same millisecond after a restart.
 */
export function backoffMs(attempt: number, random: () => number, floorMs = 0): number {
  const exponential = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt - 1, 10));
  return Math.max(floorMs, Math.round(exponential / 2 + (random() * exponential) / 2));
}
