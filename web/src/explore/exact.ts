import type { Figure } from '../api/types';
import { isDecimal } from '../format/figure';
import { figureText, numberFormat, showFigure } from '../format/units';

/** A figure with all its digits and its unit, written as the locale writes numbers. */
export function exactText(figure: Figure | null, unit: string | null, locale: string): string {
  if (figure === null) return figureText(null, unit, locale);
  const text = String(figure);
  // A float so small or large that it has an exponent is shown as the program writes it.
  if (!isDecimal(text)) return `${text}${unit === 'percent' ? ' × 100 %' : ''}`;
  const digits = unit === 'percent' ? shifted(text, 2) : text;
  const decimals = digits.split('.')[1]?.length ?? 0;
  const format = numberFormat(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  const number = format.format(digits as `${number}`);
  if (unit === 'ms') return `${number}\u00a0ms`;
  const { prefix, suffix } = showFigure(figure, unit, locale);
  const gap = suffix === '' || suffix === '%' ? '' : '\u00a0';
  return `${prefix}${prefix && '\u00a0'}${number}${gap}${suffix}`;
}

/** A decimal with its point moved to the right: digits are moved, not computed. */
export function shifted(decimal: string, places: number): string {
  const sign = decimal.startsWith('-') ? '-' : '';
  const [whole = '0', fraction = ''] = decimal.replace('-', '').split('.');
  const padded = fraction.padEnd(places, '0');
  const digits = `${whole}${padded.slice(0, places)}`.replace(/^0+(?=\d)/, '');
  const rest = padded.slice(places);
  return `${sign}${digits}${rest && `.${rest}`}`;
}
