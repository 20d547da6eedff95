/**
 * Wall-clock times of a zone, as inputs of date and time have them: `2026-11-30T14:00`, with seconds where there are any.
 */
export function wallText(atMs: number, zone: string): string {
  const { year, month, day, hour, minute, second } = wallParts(atMs, zone);
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  return `${date}T${two(hour)}:${two(minute)}${second > 0 ? `:${two(second)}` : ''}`;
}

/**
 * The instant of a wall-clock time in a zone; null for what is no time. A time that a change of clocks skips is taken as it
 * was meant before the change, one that comes twice is the first.
 */
export function wallInstant(text: string, zone: string): number | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?$/.exec(text);
  if (!match) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  const asUtc = Date.UTC(year, month - 1, day, hour, minute, second);
  if (!Number.isFinite(asUtc) || new Date(asUtc).getUTCDate() !== day) return null;
  // The offsets before and after: they differ only next to a change of clocks.
  const before = asUtc - offsetMs(asUtc - DAY_MS, zone);
  const after = asUtc - offsetMs(asUtc + DAY_MS, zone);
  const found = [before, after].filter((atMs) => atMs + offsetMs(atMs, zone) === asUtc);
  return found.length > 0 ? Math.min(...found) : before;
}

const DAY_MS = 86_400_000;

/** The midnight that begins the day which is `days` after the one of an instant. */
export function midnight(atMs: number, zone: string, days = 0): number {
  const { year, month, day } = wallParts(atMs, zone);
  const date = new Date(Date.UTC(year, month - 1, day + days));
  return wallInstant(`${date.toISOString().slice(0, 10)}T00:00`, zone) ?? atMs;
}

/** What a clock and a calendar on the wall show. */
export interface WallParts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

export function wallParts(atMs: number, zone: string): WallParts {
  let format = formats.get(zone);
  if (!format) {
    const two = '2-digit' as const;
    const fields = { year: 'numeric', month: two, day: two, hour: two, minute: two, second: two } as const;
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      calendar: 'gregory',
      ...fields,
    });
    formats.set(zone, format);
  }
  const parts: WallParts = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  for (const { type, value } of format.formatToParts(atMs))
    if (type in parts) parts[type as keyof WallParts] = Number(value);
  return parts;
}

/** How far the clocks of a zone are ahead of UTC. */
export function offsetMs(atMs: number, zone: string): number {
  const { year, month, day, hour, minute, second } = wallParts(atMs, zone);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1000) * 1000;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
