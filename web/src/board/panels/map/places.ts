import type { Figure, MetricKind, SeriesDocument } from '../../../api/types';
import { isSum } from '../../../charts/shape';
import { totalOf } from '../../../charts/total';
import { toNumber } from '../../../format/figure';
import { countryCode } from './iso';

/** How many shades a map has; more cannot be told apart. */
export const LEVELS = 5;

export interface Place {
  /** As the data writes it: what filters are made of. */
  value: string | null;
  /** ISO 3166 alpha-2; null for what is none. */
  code: string | null;
  figure: Figure;
  /** From 1 to `LEVELS`. */
  level: number;
}

export interface Places {
  /** By code: those that have a shape. */
  drawn: ReadonlyMap<string, Place>;
  /** Countries that are too small for this map. */
  small: Place[];
  /** What is no country, and a second spelling of one. */
  unknown: Place[];
  /** All of them, the largest first. */
  all: Place[];
  /** Where each shade begins, the palest first. */
  bounds: number[];
}

/** Where the figures of a split by country lie. */
export function placesOf(
  document: SeriesDocument,
  dimension: string,
  kind: MetricKind,
  shapes: ReadonlySet<string>,
): Places {
  const sums = isSum(kind);
  const found = document.series.flatMap((one): Place[] => {
    const figure = totalOf(one, undefined, kind);
    const value = one.by[dimension] ?? null;
    if (figure === null || (sums && toNumber(figure) === 0)) return [];
    return [{ value, code: countryCode(value), figure, level: 1 }];
  });
  const all = found.sort((a, b) => (toNumber(b.figure) ?? 0) - (toNumber(a.figure) ?? 0));
  const drawn = new Map<string, Place>();
  const small: Place[] = [];
  const unknown: Place[] = [];
  for (const place of all) {
    const { code } = place;
    if (code === null || drawn.has(code) || small.some((one) => one.code === code)) unknown.push(place);
    else if (shapes.has(code)) drawn.set(code, place);
    else small.push(place);
  }
  const bounds = boundsOf([...drawn.values()], sums);
  for (const place of all) place.level = levelOf(toNumber(place.figure) ?? 0, bounds);
  return { drawn, small, unknown, all, bounds };
}

/**
 * Where shades begin. Sums are spread over magnitudes, so their shades are equal parts of the square root; all else is spread
 * evenly between the lowest and the highest.
 */
function boundsOf(places: readonly Place[], sums: boolean): number[] {
  const numbers = places.map(({ figure }) => toNumber(figure) ?? 0);
  if (numbers.length === 0) return [];
  const high = Math.max(...numbers);
  const low = sums ? Math.min(0, ...numbers) : Math.min(...numbers);
  if (high <= low) return [low];
  return Array.from({ length: LEVELS }, (_, i) => {
    const part = i / LEVELS;
    return low + (high - low) * (sums ? part * part : part);
  });
}

function levelOf(number: number, bounds: readonly number[]): number {
  let level = 1;
  for (const [i, bound] of bounds.entries()) if (number >= bound) level = i + 1;
  return level;
}
