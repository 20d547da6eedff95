import { queryOptions } from '@tanstack/react-query';
import { ApiError } from '../api/client';
import { DEFINITIONS_KEY } from '../api/queries';
import type { Metric } from '../api/types';
import { askSql, type SqlAnswer } from './call';
import { identifier } from './statement';

export interface TableColumn {
  name: string;
  /** In the words of definitions. */
  type: string;
}

/** A stream with its events, or a cube with its buckets, dimensions and what it measures. */
export interface Table {
  name: string;
  kind: 'stream' | 'cube';
  columns: TableColumn[];
  /** What `measure()` takes beside metrics. */
  measures: string[];
  metrics: Metric[];
}

const SCHEMA_SQL = `select table_name, column_name, data_type from information_schema.columns
where table_schema = 'public' order by table_name, ordinal_position`;

const STALE_MS = 60_000;
const HEAL_INTERVAL_MS = 3_000;

/** The columns of all tables. They change when definitions do, and with them the query is made anew. */
export const schemaQuery = queryOptions({
  queryKey: [DEFINITIONS_KEY, 'sql-schema'],
  queryFn: ({ signal }) => askSql(SCHEMA_SQL, {}, signal),
  staleTime: STALE_MS,
  refetchInterval: ({ state }) =>
    state.error instanceof ApiError && state.error.isTransient ? HEAL_INTERVAL_MS : STALE_MS,
  retry: false,
});

/** The column of a cube's buckets. */
export const BUCKET = 'bucket';

/**
 * Puts the tables together from their columns. A cube's columns of partial states, `attempts#0`, tell its measures.
 * One without any is known by its buckets and by being no stream.
 */
export function tablesOf(
  { rows }: SqlAnswer,
  metrics: Iterable<Metric>,
  streams?: readonly string[],
): Table[] {
  const tables = new Map<string, Table>();
  for (const [table, column, type] of rows) {
    if (typeof table !== 'string' || typeof column !== 'string') continue;
    let found = tables.get(table);
    if (!found) {
      found = { name: table, kind: 'stream', columns: [], measures: [], metrics: [] };
      tables.set(table, found);
    }
    const state = column.indexOf('#');
    if (state < 0) {
      found.columns.push({ name: column, type: typeWords(String(type ?? '')) });
      if (column === BUCKET && streams && !streams.includes(table)) found.kind = 'cube';
      continue;
    }
    found.kind = 'cube';
    const measure = column.slice(0, state);
    if (!found.measures.includes(measure)) found.measures.push(measure);
  }
  for (const metric of metrics) {
    const cube = tables.get(metric.of);
    if (!cube) continue;
    cube.kind = 'cube';
    cube.metrics.push(metric);
  }
  return [...tables.values()];
}

const words: [pattern: RegExp, word: string][] = [
  [/^(Large)?Utf8(View)?$/, 'string'],
  [/^Boolean$/, 'bool'],
  [/^Int\d+$/, 'int64'],
  [/^UInt\d+$/, 'uint64'],
  [/^Float\d+$/, 'float64'],
  [/^Timestamp\b/, 'timestamp'],
  [/^Date(32|64)$/, 'date'],
  [/^Time(32|64)\b/, 'time'],
  [/^(Interval|Duration)\b/, 'interval'],
  [/Binary/, 'binary'],
];

/** A type as the engine calls it in the words of definitions. */
export function typeWords(type: string): string {
  const inner = /^Dictionary\(.*?,\s*(.+)\)$/.exec(type)?.[1];
  if (inner) return typeWords(inner);
  const decimal = /^Decimal\d+\((\d+),\s*(-?\d+)\)$/.exec(type);
  if (decimal) return `decimal(${decimal[1]},${decimal[2]})`;
  return words.find(([pattern]) => pattern.test(type))?.[1] ?? type.toLowerCase();
}

export function dimensionsOf(table: Table): string[] {
  return table.columns.filter(({ name }) => name !== BUCKET).map(({ name }) => name);
}

/** The column by which a stream's newest events are found. */
export function timeOf(table: Table): string | null {
  if (table.kind === 'cube') return BUCKET;
  return table.columns.find(({ type }) => type === 'timestamp')?.name ?? null;
}

/** What is asked to look into a table: its newest rows. */
export function lookInto(table: Table, since: string): string {
  const time = timeOf(table);
  const from = identifier(table.name);
  if (table.kind === 'stream' || time === null) {
    const newest =
      time === null ? '' : `\nwhere ${identifier(time)} >= ${since}\norder by ${identifier(time)} desc`;
    return `select *\nfrom ${from}${newest}\nlimit 100`;
  }
  const dimensions = dimensionsOf(table).map(identifier);
  const figures = [...table.metrics.map(({ name }) => name), ...table.measures].slice(0, 6);
  const columns = [time, ...dimensions, ...figures.map((name) => `measure(${identifier(name)})`)];
  return `select ${columns.join(', ')}\nfrom ${from}\nwhere ${time} >= ${since}\ngroup by all\norder by ${time} desc\nlimit 100`;
}

/** How long ago the newest event may be for `now()` to be a good end of a range. */
const FRESH_MS = 2 * 3_600_000;

/** The moment that statements look back from: now, or the newest event where it is long past, as after loading a file. */
export function anchorOf(newestEvent: string | null, nowMs: number): string {
  const at = newestEvent === null ? Number.NaN : Date.parse(newestEvent);
  if (newestEvent === null || !Number.isFinite(at) || nowMs - at < FRESH_MS) return 'now()';
  return `timestamp '${new Date(at).toISOString().slice(0, 19)}Z'`;
}
