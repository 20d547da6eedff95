import { dateTime } from '../format/time';
import { numberFormat } from '../format/units';
import type { Cell } from './call';

/** What a column's values are to the page. */
export type CellKind = 'number' | 'time' | 'date' | 'bool' | 'text' | 'other';

const kinds: Record<string, CellKind> = {
  int64: 'number',
  uint64: 'number',
  float64: 'number',
  timestamp: 'time',
  date: 'date',
  bool: 'bool',
  string: 'text',
};

export function kindOf(type: string): CellKind {
  return type.startsWith('decimal(') ? 'number' : (kinds[type] ?? 'other');
}

/** The value as the server wrote it; nothing for null. It is what is copied. */
export function rawText(cell: Cell): string {
  if (cell === null) return '';
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
}

/** What a cell shows. Figures keep every digit; times are the reader's. */
export function cellText(cell: Cell, kind: CellKind, locale: string, zone: string): string {
  const raw = rawText(cell);
  if (cell === null) return raw;
  if (kind === 'number') return numberText(raw, locale);
  if (kind === 'time') return timeText(raw, locale, zone);
  if (kind === 'date') return dayText(raw, locale);
  return raw;
}

const plainNumber = /^-?\d+(?:\.(\d+))?$/;

/** A number with the digits it has. Floats with an exponent, and what is no number, stay as they are. */
function numberText(raw: string, locale: string): string {
  const match = plainNumber.exec(raw);
  const scale = match?.[1]?.length ?? 0;
  if (!match || scale > 20) return raw;
  const format = numberFormat(locale, {
    minimumFractionDigits: scale,
    maximumFractionDigits: scale,
    // Years and short keys are not cut in two.
    useGrouping: 'min2',
  });
  return format.format(raw as `${number}`);
}

function timeText(raw: string, locale: string, zone: string): string {
  const at = Date.parse(raw);
  if (!Number.isFinite(at)) return raw;
  // Whole seconds by the locale; the fraction as the server wrote it, since dates here end at milliseconds.
  return dateTime(at, locale, zone) + (/\.\d+/.exec(raw)?.[0] ?? '');
}

const dayFormats = new Map<string, Intl.DateTimeFormat>();

/** A day is the same day everywhere. */
function dayText(raw: string, locale: string): string {
  const at = Date.parse(`${raw}T00:00:00Z`);
  if (!Number.isFinite(at)) return raw;
  let format = dayFormats.get(locale);
  if (!format) {
    format = new Intl.DateTimeFormat(locale, {
      timeZone: 'UTC',
      year: 'numeric',
      month: 'short',
      day: 'numeric',
    });
    dayFormats.set(locale, format);
  }
  return format.format(at);
}

/** How cells of a kind are ordered. Nulls are not compared: they come last either way. */
export function compareCells(kind: CellKind): (a: Cell, b: Cell) => number {
  if (kind === 'number') return (a, b) => compareNumbers(rawText(a), rawText(b));
  if (kind === 'time') return (a, b) => compareTexts(withoutZone(a), withoutZone(b));
  if (kind === 'text') return (a, b) => compareNames(rawText(a), rawText(b));
  return (a, b) => compareTexts(rawText(a), rawText(b));
}

/** `…:05Z` comes before `…:05.5Z`; with the letter it would not. */
function withoutZone(cell: Cell): string {
  return rawText(cell).replace(/Z$/, '');
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const names = new Intl.Collator(undefined, { numeric: true });

function compareNames(a: string, b: string): number {
  return names.compare(a, b) || compareTexts(a, b);
}

/** Exact for decimals of any length; floats with an exponent are compared as floats. */
function compareNumbers(a: string, b: string): number {
  if (!plainNumber.test(a) || !plainNumber.test(b)) return Number(a) - Number(b);
  const isNegative = a.startsWith('-');
  if (isNegative !== b.startsWith('-')) {
    const isZero = Number(a) === 0 && Number(b) === 0;
    return isZero ? 0 : isNegative ? -1 : 1;
  }
  const [wholeA = '', fractionA = ''] = a.replace('-', '').split('.');
  const [wholeB = '', fractionB = ''] = b.replace('-', '').split('.');
  const length = Math.max(wholeA.length, wholeB.length);
  const digits = Math.max(fractionA.length, fractionB.length);
  const order = compareTexts(
    wholeA.padStart(length, '0') + fractionA.padEnd(digits, '0'),
    wholeB.padStart(length, '0') + fractionB.padEnd(digits, '0'),
  );
  return isNegative ? -order : order;
}

export interface Sorting {
  column: number;
  isDescending: boolean;
}

/** The order in which rows are shown: their numbers, so that an answer itself stays as it came. */
export function sortedRows(rows: readonly Cell[][], kind: CellKind, sorting: Sorting): number[] {
  const compare = compareCells(kind);
  const sign = sorting.isDescending ? -1 : 1;
  const at = (row: number): Cell => rows[row]?.[sorting.column] ?? null;
  return rows
    .map((_, row) => row)
    .sort((a, b) => {
      const [left, right] = [at(a), at(b)];
      if (left === null || right === null) return Number(left === null) - Number(right === null) || a - b;
      return sign * compare(left, right) || a - b;
    });
}

/** Rows for a spreadsheet: tabs between cells, none within them. */
export function tabbed(names: readonly string[], rows: Iterable<readonly Cell[]>): string {
  const clean = (text: string) => text.replace(/[\t\r\n]+/g, ' ');
  const lines = [names.map(clean).join('\t')];
  for (const row of rows) lines.push(row.map((cell) => clean(rawText(cell))).join('\t'));
  return lines.join('\n');
}
