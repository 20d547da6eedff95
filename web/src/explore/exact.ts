import type { Figure } from '../api/types';
import { isCurrency, isDecimal } from '../format/figure';
import { figureText, numberFormat, type Shown, showFigure } from '../format/units';

/** A figure with all its digits and its unit, written as the locale writes numbers. */
export function exactText(figure: Figure | null, unit: string | null, locale: string): string {
  const { prefix, number, suffix } = showExactly(figure, unit, locale);
  const gap = suffix === '' || suffix === '%' ? '' : '\u00a0';
  return `${prefix}${prefix && '\u00a0'}${number}${gap}${suffix}`;
}

/** A figure in a column whose head names the currency; every other unit stands beside its number. */
export function cellText(
  figure: Figure | null,
  unit: string | null,
  locale: string,
  isExact: boolean,
): string {
  if (unit === null || !isCurrency(unit)) return (isExact ? exactText : figureText)(figure, unit, locale);
  return (isExact ? showExactly : showFigure)(figure, unit, locale).number;
}

function showExactly(figure: Figure | null, unit: string | null, locale: string): Shown {
  const shown = showFigure(figure, unit, locale);
  const text = String(figure ?? '');
  const isPlain = isDecimal(text);
  if (figure === null) return shown;
  // A float so small or large that it has an exponent is shown as the program writes it.
  if (!isPlain) return { ...shown, number: text, suffix: unit === 'percent' ? ' × 100 %' : shown.suffix };
  const digits = unit === 'percent' ? shifted(text, 2) : text;
  const decimals = digits.split('.')[1]?.length ?? 0;
  const format = numberFormat(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  const number = format.format(digits as `${number}`);
  // Long times are shown in seconds, and exactly in what they are counted in.
  return { ...shown, number, suffix: unit === 'ms' ? 'ms' : shown.suffix };
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
