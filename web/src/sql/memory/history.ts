import { isRecord, StoredList } from './stored';

export type Ending = 'done' | 'failed' | 'cancelled';

/** A run of a statement. */
export interface Run {
  sql: string;
  /** Epoch milliseconds. */
  at: number;
  tookMs: number;
  ending: Ending;
  rows: number | null;
}

const RUNS_MAX = 100;
/** Longer statements are run, but not remembered: a hundred of them would fill local storage. */
const TEXT_MAX = 16_000;
const endings: readonly unknown[] = ['done', 'failed', 'cancelled'] satisfies Ending[];

const runs = new StoredList<Run>('tillwatch.sql.history', RUNS_MAX, (value) => {
  if (!isRecord(value)) return null;
  const { sql, at, tookMs, ending, rows } = value;
  if (typeof sql !== 'string' || typeof at !== 'number' || typeof tookMs !== 'number') return null;
  if (!endings.includes(ending)) return null;
  return { sql, at, tookMs, ending: ending as Ending, rows: typeof rows === 'number' ? rows : null };
});

export const historyStore = runs.store;

/** The newest first. The same statement run again takes the place of its last run. */
export function remember(run: Run): void {
  if (run.sql.length > TEXT_MAX) return;
  runs.update((list) => [run, ...list.filter(({ sql }) => sql !== run.sql)]);
}

export function forgetHistory(): void {
  runs.update(() => []);
}
