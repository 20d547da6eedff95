import type { Figure } from '../api/types';
import { isCurrency, isDecimal, toNumber } from './figure';

/** A figure ready to show; number and unit apart, so that the unit can be set smaller. */
export interface Shown {
  /** Before the number, such as a currency code in English. */
  prefix: string;
  number: string;
  /** After the number, such as `%` or `ms`. */
  suffix: string;
}

const formats = new Map<string, Intl.NumberFormat>();

/** `Intl` objects are expensive to make and are asked for hundreds of times a second. */
export function numberFormat(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${locale}|${JSON.stringify(options)}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale, options);
    formats.set(key, format);
  }
  return format;
}

/**
 * Digits of a decimal string are formatted by `Intl` without a detour over floating point: 99999999999999.99 stays so.
 * TypeScript's library knows this as template-literal numbers.
 */
function formatFigure(format: Intl.NumberFormat, figure: Figure): string {
  return isDecimal(figure) ? format.format(figure as `${number}`) : format.format(Number(figure));
}

function currencyDigits(unit: string): number {
  return (
    numberFormat('en', { style: 'currency', currency: unit }).resolvedOptions().maximumFractionDigits ?? 2
  );
}

export interface FigureStyle {
  /** Short numbers for axes and dense lists: 1.2M, 万, 亿. */
  compact?: boolean;
}

/** Units that say nothing beside a number. The amounts of `currency` are split by currency, and the slice names it. */
const UNNAMED_UNITS = new Set(['count', 'number', 'ratio', 'currency']);

/** Whether figures of a unit may be added up and compared: amounts that are split by currency are each in their own. */
export function isComparable(unit: string | null | undefined): boolean {
  return unit !== 'currency';
}

const none: Shown = { prefix: '', number: '–', suffix: '' };

/** Formats a figure of a unit. A currency is always named by its code, never by a symbol that several share. */
export function showFigure(
  figure: Figure | null | undefined,
  unit: string | null | undefined,
  locale: string,
  style: FigureStyle = {},
): Shown {
  const number = toNumber(figure);
  if (figure === null || figure === undefined || number === null) return none;
  if (unit === 'percent') return { prefix: '', number: percentText(number, locale), suffix: '%' };
  if (unit && isCurrency(unit)) return showMoney(figure, unit, locale, style);
  if (unit === 'ms') return showMilliseconds(number, locale);
  const suffix = unit && !UNNAMED_UNITS.has(unit) ? unit : '';
  if (style.compact && Math.abs(number) >= 10_000) {
    return { prefix: '', number: compactText(number, locale), suffix };
  }
  const digits = fractionDigits(figure, number);
  return { prefix: '', number: formatFigure(numberFormat(locale, digits), figure), suffix };
}

function fractionDigits(figure: Figure, number: number): Intl.NumberFormatOptions {
  // A decimal is shown with the digits it has: the server has chosen its scale.
  if (isDecimal(figure)) {
    const scale = Math.min(20, figure.split('.')[1]?.length ?? 0);
    return { minimumFractionDigits: scale, maximumFractionDigits: scale };
  }
  if (Number.isInteger(number)) return { maximumFractionDigits: 0 };
  const size = Math.abs(number);
  return { maximumFractionDigits: size >= 100 ? 1 : size >= 1 ? 2 : 4 };
}

function showMoney(figure: Figure, unit: string, locale: string, style: FigureStyle): Shown {
  const number = Number(figure);
  let text: string;
  if (style.compact && Math.abs(number) >= 10_000) text = compactText(number, locale);
  else {
    const digits = currencyDigits(unit);
    text = formatFigure(
      numberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
      figure,
    );
  }
  return codeLeads(locale)
    ? { prefix: unit, number: text, suffix: '' }
    : { prefix: '', number: text, suffix: unit };
}

/** Whether the locale writes the currency before the number. */
function codeLeads(locale: string): boolean {
  const parts = numberFormat(locale, {
    style: 'currency',
    currency: 'EUR',
    currencyDisplay: 'code',
  }).formatToParts(1);
  return (
    parts.findIndex(({ type }) => type === 'currency') < parts.findIndex(({ type }) => type === 'integer')
  );
}

function percentText(fraction: number, locale: string): string {
  const percent = fraction * 100;
  const size = Math.abs(percent);
  // Near both ends one digit more: 99.95 % must not read as 100 %.
  const isExtreme = (size > 0 && size < 1) || (size > 99 && size < 100);
  const digits = isExtreme ? 2 : 1;
  return numberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(
    percent,
  );
}

/** A probability is never written as certain: what rounds to 0 or 1 is said to lie beyond the last figure shown. */
export function probabilityText(probability: number, locale: string): string {
  const format = numberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
  if (probability > 0.999) return `> ${format.format(0.999)}`;
  if (probability < 0.001) return `< ${format.format(0.001)}`;
  return format.format(probability);
}

function showMilliseconds(ms: number, locale: string): Shown {
  if (Math.abs(ms) >= 10_000) {
    const seconds = numberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(
      ms / 1000,
    );
    return { prefix: '', number: seconds, suffix: 's' };
  }
  const digits = Math.abs(ms) < 10 ? 1 : 0;
  return {
    prefix: '',
    number: numberFormat(locale, { maximumFractionDigits: digits }).format(ms),
    suffix: 'ms',
  };
}

/** From here on there are no words for how large a number is, and "2,000,000,000tn" would not be short. */
const SCIENTIFIC_FROM = 1e16;

function compactText(number: number, locale: string): string {
  const notation = Math.abs(number) < SCIENTIFIC_FROM ? 'compact' : 'scientific';
  return numberFormat(locale, { notation, maximumFractionDigits: 2 }).format(number);
}

/** One line of text; the spaces do not break. */
export function figureText(
  figure: Figure | null | undefined,
  unit: string | null | undefined,
  locale: string,
  style: FigureStyle = {},
): string {
  const { prefix, number, suffix } = showFigure(figure, unit, locale, style);
  const gap = suffix === '%' ? '' : '\u00a0';
  return `${prefix}${prefix ? '\u00a0' : ''}${number}${suffix ? gap : ''}${suffix}`;
}
