import type { QueryClient } from '@tanstack/react-query';
import { askSql } from '../call';
import { identifier } from '../statement';

/** Values proposed for a column; one with more of them is not chosen from a list. */
const VALUES_MAX = 200;
/** Proposals that take longer than this come too late. */
const TIMEOUT_MS = 4_000;
const STALE_MS = 60_000;

/** The values a text column has, asked for when somebody begins to write one; none where that cannot be told. */
export async function valuesOf(queries: QueryClient, table: string, column: string): Promise<string[]> {
  const name = identifier(column);
  const sql = `select distinct ${name} from ${identifier(table)} where ${name} is not null limit ${VALUES_MAX}`;
  try {
    const { rows } = await queries.fetchQuery({
      queryKey: ['sql-values', table, column],
      queryFn: ({ signal }) => askSql(sql, { timeoutMs: TIMEOUT_MS }, signal),
      staleTime: STALE_MS,
      retry: false,
    });
    const values = rows.map(([value]) => value).filter((value) => typeof value === 'string');
    return values.sort((a, b) => a.localeCompare(b));
  } catch {
    return [];
  }
}
