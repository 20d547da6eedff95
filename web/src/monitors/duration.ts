/** Durations as definitions write them: a whole number and a unit. */

const unitMs: Record<string, number> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
};

/** Milliseconds of `16m` or `7d`; null for what is no duration. */
export function durationMs(text: string): number | null {
  const match = /^\s*(\d+)(ms|s|m|h|d|w|y)\s*$/.exec(text);
  if (!match) return null;
  const ms = Number(match[1]) * (unitMs[match[2] ?? ''] ?? Number.NaN);
  return Number.isSafeInteger(ms) ? ms : null;
}

/** The same duration in the largest unit that divides it, up to days: `960s` is `16m`. What is no duration stays as it is. */
export function briefDuration(text: string): string {
  const ms = durationMs(text);
  if (ms === null) return text;
  if (ms === 0) return '0s';
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = unitMs[unit] ?? 1;
    if (ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}
