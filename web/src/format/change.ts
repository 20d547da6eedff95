import type { Figure } from '../api/types';
import { toNumber } from './figure';
import { numberFormat } from './units';

export type Tone = 'good' | 'bad' | 'neutral';

export type Change =
  /** `amount` is in percentage points for rates and in per cent for everything else. */
  | { kind: 'points' | 'percent'; amount: number; direction: 'up' | 'down' | 'flat'; tone: Tone }
  /** There is something now and there was nothing then: no ratio exists. */
  | { kind: 'new' }
  /** The events begin within the window it would be compared with. */
  | { kind: 'partial' }
  | { kind: 'unknown' };

/** Below this a change would be shown as 0.0 and is called flat. */
const FLAT_BELOW = 0.05;

/** A change smaller than this is shown without a colour: a board that is red all day is not looked at any more. */
export const COLOUR_FROM = { points: 0.1, percent: 0.5 } as const;

/**
 * Compares a figure with the same one a week before. `isWhole` says whether there were events already when the earlier
 * window began: a part of a week makes any present look like growth.
 */
export function changeSince(
  now: Figure | null | undefined,
  before: Figure | null | undefined,
  isWhole: boolean,
  unit: string | null | undefined,
  good: 'up' | 'down' | null | undefined,
): Change {
  const current = toNumber(now);
  const past = toNumber(before);
  if (current === null || past === null) return { kind: 'unknown' };
  if (!isWhole) return { kind: 'partial' };
  if (unit === 'percent') return judged('points', (current - past) * 100, good);
  if (past === 0) return current === 0 ? judged('percent', 0, good) : { kind: 'new' };
  return judged('percent', ((current - past) / Math.abs(past)) * 100, good);
}

function judged(kind: 'points' | 'percent', amount: number, good: 'up' | 'down' | null | undefined): Change {
  const direction = Math.abs(amount) < FLAT_BELOW ? 'flat' : amount > 0 ? 'up' : 'down';
  const isSmall = Math.abs(amount) < COLOUR_FROM[kind];
  const tone: Tone =
    direction === 'flat' || isSmall || !good ? 'neutral' : direction === good ? 'good' : 'bad';
  return { kind, amount, direction, tone };
}

/** The number of a change without its sign, which is shown as an arrow and said in words. */
export function changeSize(amount: number, locale: string): string {
  const size = Math.abs(amount);
  if (size >= 1000) return numberFormat(locale, { maximumFractionDigits: 0 }).format(size);
  const digits = size >= 100 ? 0 : 1;
  return numberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(size);
}
