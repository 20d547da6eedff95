/** How much of the past is tested; the server takes 92 days unless its limits say otherwise. */
export const spans = ['7d', '14d', '28d', '56d', '91d'] as const;
export type Span = (typeof spans)[number];

/** What the server tests unless told, up to where events are complete. */
export const SPAN_UNLESS_TOLD: Span = '14d';

const HOUR_MS = 3_600_000;

export function isSpan(value: unknown): value is Span {
  return typeof value === 'string' && (spans as readonly string[]).includes(value);
}

/**
 * Where a test begins, counted back from where events end, which in a replay of old ones is long ago. Whole hours, so that
 * the same question stays the same while events come in. Undefined where the server counts back by itself.
 */
export function spanFrom(span: Span, watermarkMs: number | null, nowMs: number): string | undefined {
  if (span === SPAN_UNLESS_TOLD) return undefined;
  const endMs = Math.floor(Math.min(watermarkMs ?? nowMs, nowMs) / HOUR_MS) * HOUR_MS;
  return new Date(endMs - Number.parseInt(span, 10) * 24 * HOUR_MS).toISOString();
}
