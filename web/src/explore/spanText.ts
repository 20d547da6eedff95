import type { Stretch } from '../charts/brush';

const formats = new Map<string, Intl.DateTimeFormat>();

/** A stretch of time in words: the day once where both ends are on it, seconds where there are any. */
export function spanText({ fromMs, toMs }: Stretch, locale: string, zone: string): string {
  const hasSeconds = fromMs % 60_000 !== 0 || toMs % 60_000 !== 0;
  const key = `${locale}|${zone}|${hasSeconds}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale, {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'short',
      day: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      ...(hasSeconds ? { second: '2-digit' } : {}),
    });
    formats.set(key, format);
  }
  return format.formatRange(fromMs, toMs);
}
