import type { Metric } from '../../api/types';
import type { SqlAnswer, SqlColumn } from '../call';
import { type CellKind, cellText, kindOf } from '../cells';

/** A column as the table and the charts need it. */
export interface ShownColumn extends SqlColumn {
  kind: CellKind;
  /** Of the metric it is named after: a currency, `percent` … */
  unit: string | null;
}

export function shownColumns(
  columns: readonly SqlColumn[],
  metrics: ReadonlyMap<string, Metric> | undefined,
): ShownColumn[] {
  return columns.map((column) => {
    const kind = kindOf(column.type);
    return { ...column, kind, unit: kind === 'number' ? (metrics?.get(column.name)?.unit ?? null) : null };
  });
}

const SAMPLE_ROWS = 100;
const CHARACTERS_MIN = 5;
const CHARACTERS_MAX = 42;

/** How wide columns are, in characters: as their names and first values want it, within reason. */
export function widthsOf(
  answer: SqlAnswer,
  columns: readonly ShownColumn[],
  locale: string,
  zone: string,
): number[] {
  const sample = answer.rows.slice(0, SAMPLE_ROWS);
  return columns.map(({ name, type, kind, unit }, i) => {
    // Beside the name stands the sign of the order, below it the type.
    let wanted = Math.max(widthOf(name) + 2, widthOf(type) + (unit ? widthOf(unit) + 3 : 0));
    for (const row of sample)
      wanted = Math.max(wanted, widthOf(cellText(row[i] ?? null, kind, locale, zone)));
    return Math.min(CHARACTERS_MAX, Math.max(CHARACTERS_MIN, wanted));
  });
}

const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/g;

/** Chinese, Japanese and Korean signs take the room of two letters. */
function widthOf(text: string): number {
  const start = text.slice(0, CHARACTERS_MAX);
  return start.length + (start.match(wide)?.length ?? 0);
}
