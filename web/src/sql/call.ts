import { fetchWithToken } from '../api/access';
import { ApiError, problemOf } from '../api/client';
import type { Problem } from '../api/types';
import { observeDateHeader } from '../live/clock';

/** A value as JSON has it: decimals and long integers are texts, times RFC 3339. */
export type Cell = string | number | boolean | null | Cell[];

export interface SqlColumn {
  name: string;
  /** In the words of definitions: `string`, `int64`, `decimal(18,2)`, `timestamp` … */
  type: string;
}

export interface SqlAnswer {
  columns: SqlColumn[];
  rows: Cell[][];
}

/** What a problem says of a statement beyond what all problems say. */
export interface SqlProblem extends Problem {
  reason?: string;
  /** Both counted from 1, columns in characters. */
  line?: number;
  column?: number;
}

export interface SqlLimits {
  rowsMax?: number;
  timeoutMs?: number;
}

/** Longer than the server gives any query; what is silent beyond it is unreachable. */
const SILENCE_MAX_MS = 100_000;

export async function askSql(sql: string, limits: SqlLimits, signal?: AbortSignal): Promise<SqlAnswer> {
  const response = await send(sql, limits, 'application/json', signal);
  return read(() => response.json() as Promise<SqlAnswer>, signal);
}

export async function askCsv(sql: string, limits: SqlLimits, signal?: AbortSignal): Promise<Blob> {
  const response = await send(sql, limits, 'text/csv', signal);
  return read(() => response.blob(), signal);
}

async function send(
  sql: string,
  { rowsMax, timeoutMs }: SqlLimits,
  accept: string,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const silence = AbortSignal.timeout(SILENCE_MAX_MS);
  let response: Response;
  try {
    response = await fetchWithToken('/v1/sql', {
      method: 'POST',
      headers: { accept, 'content-type': 'application/json' },
      body: JSON.stringify({ sql, rows_max: rowsMax, timeout_ms: timeoutMs }),
      signal: signal ? AbortSignal.any([signal, silence]) : silence,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, null, cause instanceof Error ? cause.message : 'network error');
  }
  observeDateHeader(response);
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function read<T>(body: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, null, 'the answer was cut off or is not JSON');
  }
}

export function sqlProblem(error: ApiError): SqlProblem | null {
  return error.problem;
}
