import { durationText } from '../format/time';
import { numberFormat } from '../format/units';

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** A number of bytes with three figures and the unit that the server's limits are written in. */
export function bytesText(bytes: number, locale: string): string {
  let size = bytes;
  let unit = 0;
  while (Math.abs(size) >= 1_000 && unit < byteUnits.length - 1) {
    size /= 1_024;
    unit += 1;
  }
  const digits = unit === 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return `${numberFormat(locale, { maximumFractionDigits: digits }).format(size)}\u00a0${byteUnits[unit]}`;
}

/** A span of time, exact where it is short. */
export function spanText(ms: number, locale: string): string {
  if (ms < 1_000) return unitText(Math.max(0, Math.round(ms)), 'millisecond', locale);
  if (ms < 10_000) return unitText(ms / 1_000, 'second', locale);
  return durationText(ms, locale);
}

function unitText(value: number, unit: 'millisecond' | 'second', locale: string): string {
  const style = { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 } as const;
  return numberFormat(locale, style).format(value);
}

/** Events per second: a tenth only where it matters. */
export function rateText(rate: number, locale: string): string {
  if (rate > 0 && rate < 0.05) return `<\u00a0${numberFormat(locale, {}).format(0.1)}`;
  if (rate >= 100_000)
    return numberFormat(locale, { notation: 'compact', maximumSignificantDigits: 3 }).format(rate);
  return numberFormat(locale, { maximumFractionDigits: rate < 100 ? 1 : 0 }).format(rate);
}
