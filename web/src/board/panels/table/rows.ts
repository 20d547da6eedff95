import type { Figure, MetricKind, Series, SeriesDocument } from '../../../api/types';
import { restFigure } from '../../../charts/pick';
import { isSum } from '../../../charts/shape';
import { totalOf } from '../../../charts/total';
import { toNumber } from '../../../format/figure';
import { sliceKey } from '../../../live/merge';
import type { Filters } from '../../../state/where';

/** What the server has said of a table. */
export interface TableAnswer {
  rows: SeriesDocument;
  /** Without a split; its figure is what shares are of. */
  whole: SeriesDocument;
  /** The further columns, in their order. */
  also: SeriesDocument[];
}

export interface TableRow {
  key: string;
  by: Series['by'];
  value: Figure | null;
  /** Of the whole; null where figures do not add up. */
  share: number | null;
  /** How long its bar is beside the largest, from 0 to 1; null where figures are not to be compared. */
  bar: number | null;
  also: (Figure | null)[];
}

export interface TableView {
  rows: TableRow[];
  whole: Figure | null;
  /** What the rows leave out of a sum; null where nothing is left out. */
  rest: { value: Figure; share: number | null } | null;
  /** Whether there are more slices than rows. */
  isCut: boolean;
}

/** The part that one figure is of another, to be drawn and rounded; null where there is no such part. */
export function shareOf(part: Figure | null, whole: Figure | null): number | null {
  const [a, b] = [toNumber(part), toNumber(whole)];
  return a === null || b === null || b === 0 ? null : a / b;
}

export function tableView(
  { rows, whole, also }: TableAnswer,
  kind: MetricKind,
  top: number,
  isComparable = true,
): TableView {
  const sums = isSum(kind);
  const all = totalOf(whole.series[0], undefined, kind);
  const found = rows.series
    .map(({ by, points }) => ({ by, value: totalOf({ by, points }, undefined, kind) }))
    // A sum of nothing is no slice; a rate of zero is one.
    .filter(({ value }) => value !== null && !(sums && toNumber(value) === 0));
  const shown = found.slice(0, top);
  const longest = Math.max(0, ...shown.map(({ value }) => Math.abs(toNumber(value) ?? 0)));
  const others = also.map((document) => new Map(document.series.map((one) => [sliceKey(one.by), one])));
  const isCut = rows.truncated || found.length > shown.length;
  const left =
    sums && isComparable && isCut && all !== null
      ? restFigure(
          shown.map(({ value }) => value),
          all,
        )
      : 0;
  return {
    rows: shown.map(({ by, value }) => {
      const key = sliceKey(by);
      return {
        key,
        by,
        value,
        share: sums && isComparable ? shareOf(value, all) : null,
        bar: !isComparable ? null : longest > 0 ? Math.abs(toNumber(value) ?? 0) / longest : 0,
        also: others.map((column) => column.get(key)?.points.at(-1)?.[1] ?? null),
      };
    }),
    whole: all,
    rest: left === 0 ? null : { value: left, share: shareOf(left, all) },
    isCut,
  };
}

/** The filters that hold the slices of the rows, so that further columns are asked for no others. */
export function filtersOf(rows: SeriesDocument, top: number, where: Filters): Filters {
  const shown = rows.series.slice(0, top);
  const values = rows.by.map((dimension): [string, string[]] => [
    dimension,
    [...new Set(shown.map(({ by }) => by[dimension] ?? ''))],
  ]);
  return { ...where, ...Object.fromEntries(values) };
}

/** A column: one of the dimensions, the figure, its share (which has the same order), or a further metric. */
export type TableSort = { column: `by ${number}` | 'value' | `also ${number}`; isDown: boolean };

/** Rows in the chosen order. What has no figure stands last in both directions. */
export function sortTable(
  rows: readonly TableRow[],
  { column, isDown }: TableSort,
  nameOf: (row: TableRow, at: number) => string,
  locale: string,
): TableRow[] {
  const sign = isDown ? -1 : 1;
  const [what, place] = column.split(' ');
  const at = Number(place);
  if (what === 'by') {
    const collator = new Intl.Collator(locale, { numeric: true });
    return [...rows].sort((a, b) => sign * collator.compare(nameOf(a, at), nameOf(b, at)));
  }
  const weight = (row: TableRow) => toNumber(what === 'also' ? row.also[at] : row.value);
  return [...rows].sort((a, b) => {
    const [x, y] = [weight(a), weight(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return sign * (x - y);
  });
}
