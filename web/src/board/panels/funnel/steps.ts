import type { Figure } from '../../../api/types';
import { negated, sumFigures } from '../../../format/decimal';
import { toNumber } from '../../../format/figure';

/** A step of a funnel, beside the one before it and the first one. */
export interface FunnelFigures {
  value: Figure | null;
  /** What part of the step before comes here; null for the first one and where it cannot be told. */
  ofPrevious: number | null;
  ofFirst: number | null;
  /** How many of the step before do not come here; negative where there are more than before. */
  lost: Figure | null;
  /** How long its bar is beside the largest step, from 0 to 1. */
  bar: number;
}

export interface Funnel {
  steps: FunnelFigures[];
  /** What part of the first step reaches the last one. */
  overall: number | null;
  /** Between which steps the most are lost, by the later one's place; null where none are. */
  worst: number | null;
}

/** Conversions of steps, between each two and over all. Counts come from events of their own: there may be more than before. */
export function funnelOf(figures: readonly (Figure | null)[]): Funnel {
  const numbers = figures.map(toNumber);
  const largest = Math.max(0, ...numbers.map((number) => number ?? 0));
  const part = (a: number | null | undefined, b: number | null | undefined) =>
    typeof a === 'number' && typeof b === 'number' && b > 0 ? a / b : null;
  const steps = figures.map((value, i): FunnelFigures => {
    const before = i > 0 ? (figures[i - 1] ?? null) : null;
    return {
      value,
      ofPrevious: i > 0 ? part(numbers[i], numbers[i - 1]) : null,
      ofFirst: part(numbers[i], numbers[0]),
      lost: before !== null && value !== null ? sumFigures([before, negated(value)]) : null,
      bar: largest > 0 ? Math.max(0, numbers[i] ?? 0) / largest : 0,
    };
  });
  let worst: number | null = null;
  for (const [i, { ofPrevious }] of steps.entries()) {
    if (ofPrevious === null || ofPrevious >= 1) continue;
    if (worst === null || ofPrevious < (steps[worst]?.ofPrevious ?? 1)) worst = i;
  }
  return { steps, overall: steps.length > 1 ? (steps.at(-1)?.ofFirst ?? null) : null, worst };
}
