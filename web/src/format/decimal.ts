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
