import type { Figure, Point } from '../api/types';

/** A course as a column. */
export interface CsvColumn {
  name: string;
  points: readonly Point[];
}

/** Excel takes a file for UTF-8 only with this in front. */
const MARK = '\ufeff';

/**
 * What a chart shows as a table: a row for each step, a column for each course, figures exactly as the server wrote them.
 * The time stands twice: in UTC for programs, and as the reader's clock shows it.
 */
export function courseCsv(
  columns: readonly CsvColumn[],
  timeNames: [string, string],
  timeText: (atMs: number) => string,
): string {
  const times = new Set(columns.flatMap(({ points }) => points.map(([at]) => at)));
  const figures = columns.map(({ points }) => new Map(points));
  const rows = [...times]
    .sort((a, b) => a - b)
    .map((at) => [
      new Date(at).toISOString().replace('.000Z', 'Z'),
      timeText(at),
      ...figures.map((course) => figureCell(course.get(at) ?? null)),
    ]);
  return csv([[...timeNames, ...columns.map(({ name }) => name)].map(textCell), ...rows]);
}

/** A table whose cells are text or figures. */
export function tableCsv(head: readonly string[], rows: readonly (readonly CsvValue[])[]): string {
  const cells = rows.map((row) =>
    row.map((value) => ('text' in value ? textCell(value.text) : figureCell(value.figure))),
  );
  return csv([head.map(textCell), ...cells]);
}

export type CsvValue = { text: string } | { figure: Figure | null };

function csv(rows: readonly (readonly string[])[]): string {
  return `${MARK}${rows.map((row) => row.map(quoted).join(',')).join('\r\n')}\r\n`;
}

function figureCell(figure: Figure | null): string {
  return figure === null ? '' : String(figure);
}

/** Text from data that a spreadsheet would run as a formula gets an apostrophe in front, which keeps it text. */
function textCell(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** A name for a file that every system takes: letters and digits of any script, with dashes between them. */
export function fileName(parts: readonly string[], extension: string): string {
  const words = parts.map((part) => part.replaceAll(/[^\p{L}\p{N}]+/gu, '-').replaceAll(/^-|-$/g, ''));
  return `${words
    .filter((word) => word !== '')
    .join('_')
    .slice(0, 120)}.${extension}`;
}
