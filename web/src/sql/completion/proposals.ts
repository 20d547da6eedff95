import type { Metric } from '../../api/types';
import type { Table, TableColumn } from '../schema';
import { BUCKET } from '../schema';
import type { Source } from './expected';

/** What there is to name. */
export interface Catalogue {
  tables: Table[];
  metrics: Metric[];
}

/** A name that is proposed. */
export interface Proposal {
  name: string;
  kind: 'stream' | 'cube' | 'column' | 'metric' | 'measure' | 'query';
  /** A type, or a unit. */
  detail: string;
  says: string;
}

const windowColumns: TableColumn[] = [
  { name: 'window_start', type: 'timestamp' },
  { name: 'window_end', type: 'timestamp' },
];

const forecastColumns: TableColumn[] = ['start', 'value', 'lower_80', 'upper_80', 'lower_95', 'upper_95'].map(
  (name, i) => ({ name, type: i === 0 ? 'timestamp' : 'float64' }),
);

export function tableNamed(catalogue: Catalogue, name: string): Table | undefined {
  return catalogue.tables.find((table) => table.name === name);
}

/** The columns of a table of the statement, with those that a function of windows adds. */
export function columnsOf(catalogue: Catalogue, { table, call }: Source): TableColumn[] {
  if (call === 'forecast') return forecastColumns;
  const columns = tableNamed(catalogue, table)?.columns ?? [];
  return call === null ? columns : [...windowColumns, ...columns];
}

/** The source that a qualifier means: by its other name or its own. */
export function sourceNamed(sources: readonly Source[], qualifier: string): Source | undefined {
  return (
    sources.find(({ alias }) => alias === qualifier) ??
    sources.find(({ table, alias }) => alias === null && table === qualifier)
  );
}

export function tableProposals(catalogue: Catalogue, only?: Table['kind']): Proposal[] {
  return catalogue.tables
    .filter(({ kind }) => only === undefined || kind === only)
    .map(({ name, kind }) => ({ name, kind, detail: '', says: '' }));
}

export function columnProposals(columns: readonly TableColumn[]): Proposal[] {
  return columns.map(({ name, type }) => ({ name, kind: 'column' as const, detail: type, says: '' }));
}

/** Metrics and measures of the cubes that a statement names; of all cubes where it names none yet. */
export function measureProposals(catalogue: Catalogue, sources: readonly Source[]): Proposal[] {
  const named = sources.flatMap(({ table, call }) => {
    const found = call === 'forecast' ? undefined : tableNamed(catalogue, table);
    return found?.kind === 'cube' ? [found] : [];
  });
  // A question over streams alone measures nothing.
  const isOfStreams = named.length === 0 && sources.some(({ table }) => tableNamed(catalogue, table));
  const cubes = named.length > 0 ? named : catalogue.tables.filter(({ kind }) => kind === 'cube');
  if (isOfStreams) return [];
  const isNamed = named.length > 0;
  return cubes.flatMap((cube) => [
    ...cube.metrics.map(
      (metric): Proposal => ({
        name: metric.name,
        kind: 'metric',
        detail: isNamed ? (metric.unit ?? '') : cube.name,
        says: [metric.description, metric.formula].filter(Boolean).join('\n'),
      }),
    ),
    ...(isNamed
      ? cube.measures
          .filter((name) => !cube.metrics.some((metric) => metric.name === name))
          .map((name): Proposal => ({ name, kind: 'measure', detail: '', says: '' }))
      : []),
  ]);
}

/** The table whose column is compared with a text: a source of the statement that has such a text column. */
export function tableOfValue(
  catalogue: Catalogue,
  sources: readonly Source[],
  column: string,
  qualifier: string | null,
): string | null {
  const wanted = qualifier === null ? undefined : sourceNamed(sources, qualifier);
  const among = qualifier === null ? sources : wanted ? [wanted] : [];
  for (const { table } of among) {
    const found = tableNamed(catalogue, table)?.columns.find(({ name }) => name === column);
    if (found && found.name !== BUCKET && found.type === 'string') return table;
  }
  return null;
}
