import type { DrawnPoint } from '../charts/shape';
import { toNumber } from '../format/figure';
import type { Cell, SqlAnswer, SqlColumn } from './call';
import { kindOf, rawText } from './cells';

/** Courses over time: of several columns, or of one column split by another. */
export interface TimeShape {
  kind: 'time';
  time: number;
  category: number | null;
  values: number[];
}

/** Figures of named things. */
export interface BarShape {
  kind: 'bars';
  /** The columns that name a row. */
  labels: number[];
  values: number[];
}

export type Shape = TimeShape | BarShape;

/** What an answer can be drawn as; null where a drawing would say less than its table. */
export function shapeOf({ columns, rows }: SqlAnswer): Shape | null {
  if (rows.length < 2) return null;
  const kinds = columns.map(({ type }) => kindOf(type));
  const of = (...wanted: string[]) => kinds.flatMap((kind, i) => (wanted.includes(kind) ? [i] : []));
  const times = of('time', 'date');
  const values = of('number').filter((i) => {
    return !isKey(columns[i]) && rows.some((row) => toNumber(figure(row[i])) !== null);
  });
  const names = of('text', 'bool');
  const time = times[0];
  if (time !== undefined && values.length > 0) {
    if (isUnique(rows, [time])) return { kind: 'time', time, category: null, values };
    const category = names.find((name) => isUnique(rows, [time, name]));
    return category === undefined ? null : { kind: 'time', time, category, values };
  }
  if (names.length > 0 && values.length > 0) return { kind: 'bars', labels: names, values };
  const [first, ...rest] = values;
  // Hours of the day, numbers of attempts: a number may name a row too.
  if (first === 0 && rest.length > 0 && isUnique(rows, [first]))
    return { kind: 'bars', labels: [first], values: rest };
  return null;
}

/** Numbers that only name things tell nothing as a line. */
function isKey(column: SqlColumn | undefined): boolean {
  return column !== undefined && /^u?int64$/.test(column.type) && /(^|_)id$/.test(column.name);
}

function figure(cell: Cell | undefined): string | number | null {
  return typeof cell === 'string' || typeof cell === 'number' ? cell : null;
}

/** Whether no two rows agree in these columns. Nulls agree with each other. */
function isUnique(rows: readonly Cell[][], columns: readonly number[]): boolean {
  const seen = new Set<string>();
  for (const row of rows) {
    const key = columns.map((column) => JSON.stringify(row[column] ?? null)).join();
    if (seen.has(key)) return false;
    seen.add(key);
  }
  return true;
}

export interface Course {
  /** The column's name, or the value that splits; null is a value too. */
  name: string | null;
  points: DrawnPoint[];
}

/** More courses than this cannot be told apart. */
export const COURSES_MAX = 10;

export interface Courses {
  courses: Course[];
  /** How many are not drawn, the smallest of them. */
  left: number;
  fromMs: number;
  toMs: number;
  /** The least distance of two moments. */
  stepMs: number;
}

/** The courses of a shape; of one that is split, those of `value`. `zone` is whose midnight begins a day. */
export function coursesOf(answer: SqlAnswer, shape: TimeShape, value: number, zone: string): Courses {
  const isDay = kindOf(answer.columns[shape.time]?.type ?? '') === 'date';
  const moment = (row: readonly Cell[]) => momentOf(row[shape.time], isDay, zone);
  const rows = answer.rows
    .map((row) => ({ row, atMs: moment(row) }))
    .filter((one): one is { row: Cell[]; atMs: number } => one.atMs !== null)
    .sort((a, b) => a.atMs - b.atMs);
  let courses: Course[];
  if (shape.category === null) {
    courses = shape.values.map((column) => ({
      name: answer.columns[column]?.name ?? '',
      points: rows.map(({ row, atMs }): DrawnPoint => [atMs, toNumber(figure(row[column]))]),
    }));
  } else {
    const byName = new Map<string | null, DrawnPoint[]>();
    for (const { row, atMs } of rows) {
      const cell = row[shape.category] ?? null;
      const name = cell === null ? null : rawText(cell);
      const points = byName.get(name) ?? [];
      byName.set(name, points);
      points.push([atMs, toNumber(figure(row[value]))]);
    }
    courses = [...byName].map(([name, points]) => ({ name, points }));
    const size = ({ points }: Course) => points.reduce((sum, [, one]) => sum + Math.abs(one ?? 0), 0);
    if (courses.length > COURSES_MAX) courses.sort((a, b) => size(b) - size(a));
  }
  const fromMs = rows[0]?.atMs ?? 0;
  const toMs = Math.max(rows.at(-1)?.atMs ?? 0, fromMs + 1);
  const shown = courses.slice(0, COURSES_MAX);
  return { courses: shown, left: courses.length - shown.length, fromMs, toMs, stepMs: leastStep(rows) };
}

function leastStep(rows: readonly { atMs: number }[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const [i, { atMs }] of rows.entries()) {
    const step = atMs - (rows[i - 1]?.atMs ?? Number.NEGATIVE_INFINITY);
    if (step > 0 && step < least) least = step;
  }
  return Number.isFinite(least) ? least : 0;
}

/** A day is drawn at the reader's midnight, so that the axis names the same day as the table. */
function momentOf(cell: Cell | undefined, isDay: boolean, zone: string): number | null {
  if (typeof cell !== 'string') return null;
  const at = Date.parse(isDay ? `${cell}T00:00:00${zone === 'UTC' ? 'Z' : ''}` : cell);
  return Number.isFinite(at) ? at : null;
}

export interface Bar {
  names: (string | null)[];
  figure: Cell;
  value: number | null;
}

export const BARS_MAX = 50;

export function barsOf(answer: SqlAnswer, shape: BarShape, value: number): Bar[] {
  return answer.rows.slice(0, BARS_MAX).map((row) => ({
    names: shape.labels.map((label) => {
      const cell = row[label] ?? null;
      return cell === null ? null : rawText(cell);
    }),
    figure: row[value] ?? null,
    value: toNumber(figure(row[value])),
  }));
}
