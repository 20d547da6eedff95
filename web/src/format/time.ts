/** How times are shown: in the browser's zone or in UTC, always saying which. */
export type ZoneChoice = 'local' | 'utc';

/** The browser's own zone. Asking for it costs as much as a format does, and it does not change while a page is open. */
let localZone: string | null = null;

export function zoneName(choice: ZoneChoice): string {
  if (choice === 'utc') return 'UTC';
  localZone ??= Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
  return localZone;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale}|${JSON.stringify(options)}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale, { hourCycle: 'h23', ...options });
    formats.set(key, format);
  }
  return format;
}

/** The offset of a zone at an instant, such as `UTC+02:00`. */
export function zoneOffset(zone: string, atMs: number): string {
  const part = dateFormat('en', { timeZone: zone, timeZoneName: 'longOffset' })
    .formatToParts(atMs)
    .find(({ type }) => type === 'timeZoneName');
  const offset = (part?.value ?? 'GMT').replace('GMT', 'UTC');
  // Some engines write an offset for UTC itself.
  return offset === 'UTC+00:00' ? 'UTC' : offset;
}

export function clockTime(atMs: number, locale: string, zone: string, withSeconds = true): string {
  return dateFormat(locale, {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    ...(withSeconds ? { second: '2-digit' } : {}),
  }).format(atMs);
}

export function dayName(atMs: number, locale: string, zone: string): string {
  return dateFormat(locale, { timeZone: zone, weekday: 'short', month: 'short', day: 'numeric' }).format(
    atMs,
  );
}

export function dateTime(atMs: number, locale: string, zone: string): string {
  return dateFormat(locale, {
    timeZone: zone,
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).format(atMs);
}

/** Time alone for today, with the day before it otherwise. */
export function briefTime(atMs: number, nowMs: number, locale: string, zone: string): string {
  const day = dateFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' });
  const time = clockTime(atMs, locale, zone, false);
  return day.format(atMs) === day.format(nowMs) ? time : `${dayName(atMs, locale, zone)}, ${time}`;
}

const durationUnits = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/** A duration with its two largest units: `2 min 5 s`, `1 天 3 小时`. */
export function durationText(ms: number, locale: string): string {
  let rest = Math.max(0, Math.floor(ms / 1000));
  const parts: string[] = [];
  for (const [unit, seconds] of durationUnits) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count === 0 && !(unit === 'second' && parts.length === 0)) {
      if (parts.length > 0) break;
      continue;
    }
    parts.push(unitText(count, unit, locale));
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}

const unitFormats = new Map<string, Intl.NumberFormat>();

function unitText(count: number, unit: string, locale: string): string {
  const key = `${locale}|${unit}`;
  let format = unitFormats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' });
    unitFormats.set(key, format);
  }
  return format.format(count);
}
