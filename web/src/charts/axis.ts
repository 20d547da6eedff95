import { numberFormat } from '../format/units';
import type { DrawnPoint } from './shape';

/** The scale of a value axis: ticks from `min` to `max`, `interval` apart. */
export interface ValueAxis {
  min: number;
  max: number;
  interval: number;
}

/** About as many gaps between ticks as fit the height of a panel. */
const GAPS = 4;
/** From this on an axis is written short, all of it: “5k” beside “10k”. */
const COMPACT_FROM = 10_000;
const SECONDS_FROM_MS = 10_000;

/** The lowest and highest value that is drawn; stacked series add up at each moment, what lies beside them does not. */
function extent(
  courses: readonly (readonly DrawnPoint[])[],
  stacked: boolean,
  beside: readonly number[],
): [number, number] | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const sums = new Map<number, number>();
  for (const points of courses) {
    for (const [at, value] of points) {
      if (value === null) continue;
      const top = stacked ? (sums.get(at) ?? 0) + value : value;
      if (stacked) sums.set(at, top);
      low = Math.min(low, top);
      high = Math.max(high, top);
    }
  }
  for (const value of beside) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : null;
}

/** A readable axis around the values: ticks at round numbers, whole ones for counts, and up to 100 % for shares. */
export function valueAxis(
  courses: readonly (readonly DrawnPoint[])[],
  unit: string | null,
  stacked: boolean,
  fromZero: boolean,
  beside: readonly number[] = [],
): ValueAxis {
  const found = extent(courses, stacked, beside) ?? [0, 0];
  const low = fromZero ? Math.min(0, found[0]) : found[0];
  const high = fromZero ? Math.max(0, found[1]) : found[1];
  const wanted = high > low ? high - low : Math.abs(high) || 1;
  const interval = readable(wanted / GAPS, unit === 'count');
  const min = Math.floor(clean(low / interval)) * interval;
  const max = Math.ceil(clean(high / interval)) * interval;
  if (max > min) return { min: clean(min), max: clean(max), interval };
  // All values are the same, and on a tick: the line lies in the middle, or on the ground for nothing at all.
  if (low === 0) return { min: 0, max: interval * GAPS, interval };
  const isWhole = unit === 'percent' && clean(max) === 1;
  return { min: clean(min - interval), max: isWhole ? 1 : clean(max + interval), interval };
}

/** The next larger of 1, 2, 2.5, 5 × a power of ten. Counts have no halves. */
function readable(wanted: number, isWhole: boolean): number {
  const power = 10 ** Math.floor(Math.log10(wanted));
  const factor = [1, 2, 2.5, 5, 10].find((one) => {
    return one * power >= wanted * 0.999 && !(isWhole && !Number.isInteger(one * power));
  });
  return isWhole ? Math.max(1, (factor ?? 10) * power) : (factor ?? 10) * power;
}

/** Without the last digits of a float, which are noise: 0.30000000000000004. */
function clean(value: number): number {
  return Number(value.toPrecision(12));
}

/** The text of a tick. All ticks of an axis share one unit and one way of writing. */
export function axisText(value: number, unit: string | null, locale: string, axis: ValueAxis): string {
  const largest = Math.max(Math.abs(axis.min), Math.abs(axis.max));
  if (unit === 'percent') return `${plain(value * 100, axis.interval * 100, locale)}%`;
  if (unit === 'ms' && largest >= SECONDS_FROM_MS)
    return `${plain(value / 1000, axis.interval / 1000, locale)}\u00a0s`;
  if (unit === 'ms') return `${plain(value, axis.interval, locale)}\u00a0ms`;
  // The unit stands in the panel's head; an axis that repeats “EUR” five times has no room left.
  if (largest >= COMPACT_FROM)
    return numberFormat(locale, { notation: 'compact', maximumFractionDigits: 2 }).format(value);
  return plain(value, axis.interval, locale);
}

/** With as many digits after the point as the distance of the ticks needs. */
function plain(value: number, interval: number, locale: string): string {
  const decimals = String(clean(interval)).split('.')[1]?.length ?? 0;
  const digits = Math.min(6, decimals);
  return numberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}
