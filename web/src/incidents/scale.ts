import type { ExplainedPart, Figure, IncidentExplanation, SeriesDocument } from '../api/types';
import { sumFigures } from '../format/decimal';
import { toNumber } from '../format/figure';
import { isSame } from './levels';

/** The scale that all rows of an explanation share, so that their lengths can be compared. */
export interface RowScale {
  min: number;
  max: number;
}

const MARGIN = 0.06;

/** A scale around all figures. Sums start at nothing, or their lengths would lie; a share never leaves 0 to 1. */
export function rowScale(
  figures: readonly (Figure | null)[],
  unit: string | null,
  fromZero: boolean,
): RowScale {
  const values = figures.flatMap((figure) => toNumber(figure) ?? []);
  if (fromZero) values.push(0);
  if (values.length === 0) return { min: 0, max: 1 };
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = (high - low || Math.abs(high) || 1) * MARGIN;
  const isShare = unit === 'percent' && low >= 0 && high <= 1;
  return {
    min: fromZero && low === 0 ? 0 : Math.max(low - margin, isShare ? 0 : Number.NEGATIVE_INFINITY),
    max: Math.min(high + margin, isShare ? 1 : Number.POSITIVE_INFINITY),
  };
}

/** Where a figure lies, in per cent of the width; null where there is none. */
export function place(figure: Figure | null, { min, max }: RowScale): number | null {
  const value = toNumber(figure);
  if (value === null || max <= min) return null;
  return Math.min(100, Math.max(0, ((value - min) / (max - min)) * 100));
}

/** What the parts leave unexplained of the change; null where they explain all of it, or more. */
export function shareOfRest(parts: readonly ExplainedPart[]): number | null {
  const rest = 1 - parts.reduce((sum, { share }) => sum + (toNumber(share) ?? 0), 0);
  return rest > 0.005 ? rest : null;
}

/** Of a sum: what came and what was expected beside the parts; with all digits where there are decimals. */
export function restOf({
  parts,
  value,
  expected,
}: Pick<IncidentExplanation, 'parts' | 'value' | 'expected'>): { value: Figure; expected: Figure } | null {
  if (value === null || expected === null) return null;
  const less = (whole: Figure, key: 'value' | 'expected') =>
    sumFigures([whole, ...parts.flatMap((part) => (part[key] === null ? [] : negative(part[key])))]);
  return { value: less(value, 'value'), expected: less(expected, 'expected') };
}

function negative(figure: Figure): Figure {
  if (typeof figure === 'number') return -figure;
  return figure.startsWith('-') ? figure.slice(1) : `-${figure}`;
}

/** The dimensions that every part names, so that slices beside them can be asked for; none where they differ. */
export function sharedDimensions(parts: readonly ExplainedPart[]): string[] {
  const [first, ...others] = parts.map(({ slice }) => Object.keys(slice).sort());
  if (!first || first.length === 0 || first.length > 2) return [];
  return others.every((names) => names.join('\n') === first.join('\n')) ? first : [];
}

/** The figures of the slices beside the parts. */
export function figuresBeside(
  document: SeriesDocument | undefined,
  parts: readonly ExplainedPart[],
): Figure[] {
  return (document?.series ?? [])
    .filter(({ by }) => !parts.some(({ slice }) => isSame(slice, by)))
    .flatMap(({ points }) => points.findLast(([, figure]) => figure !== null)?.[1] ?? []);
}
