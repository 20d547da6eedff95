import type { Figure } from '../../../api/types';
import { negated, sumFigures } from '../../../format/decimal';
import { toNumber } from '../../../format/figure';

export interface GaugeScale {
  from: number;
  to: number;
  /** Where figure and objective lie between both ends, from 0 to 1; null for a figure that is not known. */
  valueAt: number | null;
  objectiveAt: number;
  /** Whether the figure lies beyond an end, and is drawn at it. */
  isBeyond: boolean;
  /** The figure less the objective, exactly. */
  difference: Figure | null;
  direction: 'above' | 'below' | 'at' | null;
  isMet: boolean | null;
}

interface Asked {
  value: Figure | null;
  objective: Figure;
  from?: Figure | null | undefined;
  to?: Figure | null | undefined;
  good?: 'up' | 'down' | null | undefined;
  unit: string | null;
}

/** Where a figure stands against its objective. Without ends a percentage goes from 0 to 1, all else to twice the objective. */
export function gaugeScale({ value, objective, from, to, good, unit }: Asked): GaugeScale {
  const goal = toNumber(objective) ?? 0;
  const low = toNumber(from) ?? (unit === 'percent' ? 0 : Math.min(0, 2 * goal));
  const wanted = toNumber(to) ?? (unit === 'percent' ? 1 : Math.max(0, 2 * goal));
  // Ends that are the same or the wrong way round are no scale.
  const high = wanted > low ? wanted : low + (Math.abs(low) || 1);
  const place = (number: number) => Math.min(1, Math.max(0, (number - low) / (high - low)));
  const number = toNumber(value);
  const difference = value === null || number === null ? null : exactDifference(value, objective);
  const off = toNumber(difference);
  return {
    from: low,
    to: high,
    valueAt: number === null ? null : place(number),
    objectiveAt: place(goal),
    isBeyond: number !== null && (number < low || number > high),
    difference,
    direction: off === null ? null : off > 0 ? 'above' : off < 0 ? 'below' : 'at',
    isMet: off === null ? null : good === 'down' ? off <= 0 : off >= 0,
  };
}

/** Decimals are subtracted digit by digit. Two floats are, too, by the digits they print: 0.93 - 0.92 is 0.01. */
function exactDifference(value: Figure, objective: Figure): Figure {
  const written = typeof objective === 'number' ? String(objective) : objective;
  const isPlain = /^-?\d+(\.\d+)?$/.test(written);
  return sumFigures([value, negated(isPlain ? written : objective)]);
}

/** The arc of a gauge from one place to another, both from 0 to 1, on a half circle from left to right. */
export function arcPath(from: number, to: number, radius: number, centre: { x: number; y: number }): string {
  const point = (at: number) => {
    const angle = Math.PI * (1 - at);
    const x = centre.x + radius * Math.cos(angle);
    const y = centre.y - radius * Math.sin(angle);
    return `${x.toFixed(2)} ${y.toFixed(2)}`;
  };
  return `M${point(from)}A${radius} ${radius} 0 0 1 ${point(to)}`;
}
