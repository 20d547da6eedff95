import type { Figure } from '../api/types';

/** A number of a chart: good for drawing, not for showing, since a decimal beyond 2^53 loses digits. */
export function toNumber(figure: Figure | null | undefined): number | null {
  if (figure === null || figure === undefined || figure === '') return null;
  const number = Number(figure);
  return Number.isFinite(number) ? number : null;
}

const decimalText = /^-?\d+(\.\d+)?$/;

/** Whether a figure is text that holds an exact decimal. */
export function isDecimal(figure: Figure): figure is string {
  return typeof figure === 'string' && decimalText.test(figure);
}

/** A unit that is an ISO 4217 code by its form. Unknown codes are still money, and still named. */
export function isCurrency(unit: string): boolean {
  return /^[A-Z]{3}$/.test(unit);
}
