import { zoneOffset } from '../format/time';
import type { Label } from './labels';

/** How far a zone is ahead of UTC at an instant, in milliseconds. */
export function offsetMs(zone: string, atMs: number): number {
  const match = /^UTC(?:([+-])(\d{2}):(\d{2}))?/.exec(zoneOffset(zone, atMs));
  if (!match?.[1]) return 0;
  const ms = (Number(match[2]) * 60 + Number(match[3])) * 60_000;
  return match[1] === '-' ? -ms : ms;
}

/** The instant at which clocks in a zone show a time such as `2026-11-30T14:00`; null for what is none. */
export function instantOf(text: string, zone: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/.test(text)) return null;
  const shown = Date.parse(`${text}Z`);
  if (!Number.isFinite(shown)) return null;
  // The offset there is that of the instant itself: where clocks change in between the second look is right.
  const guess = shown - offsetMs(zone, shown);
  return shown - offsetMs(zone, guess);
}

/** A label of something real between two instants; null while there is no time between them. */
export function labelBetween(
  fromMs: number | null,
  toMs: number | null,
  values: Readonly<Record<string, string>>,
  by: readonly string[],
): Label | null {
  if (fromMs === null || toMs === null || fromMs >= toMs) return null;
  const named = by.flatMap((dimension) => {
    const value = values[dimension]?.trim() ?? '';
    return value === '' ? [] : [[dimension, value] as const];
  });
  return {
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    where: Object.fromEntries(named),
    verdict: 'real',
  };
}
