import type { Figure } from '../api/types';
import { isDecimal } from './figure';

/** Adds figures. As soon as one is a decimal, all digits are kept; floats join with the digits they print. */
export function sumFigures(figures: readonly Figure[]): Figure {
  if (!figures.some((figure) => typeof figure === 'string')) {
    return figures.reduce<number>((sum, figure) => sum + Number(figure), 0);
  }
  const texts = figures.map((figure) => (isDecimal(figure) ? figure : plainText(Number(figure))));
  const scale = Math.max(0, ...texts.map((text) => text.split('.')[1]?.length ?? 0));
  const total = texts.reduce((sum, text) => sum + scaled(text, scale), 0n);
  const digits = (total < 0n ? -total : total).toString().padStart(scale + 1, '0');
  const sign = total < 0n ? '-' : '';
  if (scale === 0) return `${sign}${digits}`;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The figure with the other sign. */
export function negated(figure: Figure): Figure {
  if (typeof figure === 'number') return -figure;
  return figure.startsWith('-') ? figure.slice(1) : `-${figure}`;
}

/**
 * A figure times one whole number and divided by another. A decimal keeps its scale and is rounded to it, halves away from
 * zero: the mean of amounts is an amount. Null where there is nothing to divide by.
 */
export function scaledFigure(figure: Figure, times: number, by: number): Figure | null {
  if (by === 0) return null;
  if (!isDecimal(figure)) return (Number(figure) * times) / by;
  const scale = figure.split('.')[1]?.length ?? 0;
  const top = scaled(figure, scale) * BigInt(times) * 2n;
  const bottom = BigInt(by) * 2n;
  const isNegative = top < 0n !== bottom < 0n && top !== 0n;
  const size = (top < 0n ? -top : top) + (bottom < 0n ? -bottom : bottom) / 2n;
  const quotient = size / (bottom < 0n ? -bottom : bottom);
  const digits = quotient.toString().padStart(scale + 1, '0');
  const sign = isNegative && quotient !== 0n ? '-' : '';
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function scaled(text: string, scale: number): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(scale, '0'));
}

/** A float without an exponent; what is not finite counts as nothing. */
function plainText(number: number): string {
  if (!Number.isFinite(number)) return '0';
  const text = String(number);
  return isDecimal(text) ? text : number.toFixed(12);
}
