import { queryOptions } from '@tanstack/react-query';
import { fetchWithToken } from '../api/access';
import { ApiError, getJson, problemOf } from '../api/client';
import { observeDateHeader } from '../live/clock';
import { counterHistory } from './counters';
import type { QuarantineList, Receipt, ReplayReceipt, StatusDocument, Work } from './documents';

const STATUS_INTERVAL_MS = 3_000;
const QUARANTINE_INTERVAL_MS = 10_000;
const WORK_INTERVAL_MS = 10_000;
const WORK_RUNNING_INTERVAL_MS = 1_000;
/** Events are answered after they are on the disk, and lines that are tried again after all of them are. */
const WRITE_TIMEOUT_MS = 120_000;

/** Nothing is asked for while nobody looks: the interval rests in a hidden tab, and one call makes up for it afterwards. */
const polled = {
  refetchIntervalInBackground: false,
  refetchOnWindowFocus: 'always',
  refetchOnMount: 'always',
  retry: false,
} as const;

export interface Snapshot {
  status: StatusDocument;
  /** When it arrived, by the clock of this machine. */
  atMs: number;
}

/** The state of the server. What arrives is noted in `counterHistory`. */
export const snapshotQuery = queryOptions({
  queryKey: ['data', 'status'],
  queryFn: async ({ signal }): Promise<Snapshot> => {
    const status = await getJson<StatusDocument>('/v1/status', signal);
    const atMs = Date.now();
    counterHistory.observe(status, atMs);
    return { status, atMs };
  },
  // Each is whole and new; comparing it with the last one would be for nothing.
  structuralSharing: false,
  refetchInterval: STATUS_INTERVAL_MS,
  ...polled,
});

/** The API shows the newest lines up to a limit and has no further pages: to see more is to ask for more. */
export const QUARANTINE_LIMITS = [100, 250, 500, 1_000] as const;

export function quarantineQuery(stream: string, limit: number) {
  return queryOptions({
    queryKey: ['data', 'quarantine', stream, limit],
    queryFn: ({ signal }) => getJson<QuarantineList>(`${quarantinePath(stream)}?limit=${limit}`, signal),
    refetchInterval: QUARANTINE_INTERVAL_MS,
    ...polled,
  });
}

function quarantinePath(stream: string): string {
  return `/v1/streams/${encodeURIComponent(stream)}/quarantine`;
}

/** Tries the newest lines of the quarantine again. */
export async function replay(stream: string, limit: number): Promise<ReplayReceipt> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' } };
  const response = await write(`${quarantinePath(stream)}/replay?limit=${limit}`, init);
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as ReplayReceipt;
}

export type WorkName = 'verify' | 'backup' | 'maintain';

/** The last work of a kind that this server was asked for; null when there was none since its start. */
export function workQuery<T extends Work>(name: WorkName) {
  return queryOptions({
    queryKey: ['data', 'work', name],
    queryFn: async ({ signal }) =>
      (await getJson<Record<string, T | null | undefined>>(`/v1/${name}`, signal))[name] ?? null,
    refetchInterval: ({ state }) =>
      (state.data as T | null | undefined)?.state === 'running' ? WORK_RUNNING_INTERVAL_MS : WORK_INTERVAL_MS,
    ...polled,
  });
}

/** What became of a part of a file. */
export type Answer =
  | { kind: 'taken'; receipt: Receipt }
  /** The same may be sent again after a while. */
  | { kind: 'busy'; error: ApiError; retryAfterMs: number | null };

/** One part of a file on its way to a stream. */
export interface Part {
  stream: string;
  body: Uint8Array<ArrayBuffer>;
  contentType: string;
  /** Names the body, so that sending it again counts nothing twice. */
  key: string;
}

/** Posts a part. What no waiting can mend is thrown. */
export async function sendPart(part: Part, signal: AbortSignal): Promise<Answer> {
  let response: Response;
  try {
    const headers = { 'content-type': part.contentType, 'idempotency-key': part.key };
    const init = { method: 'POST', headers, body: part.body };
    response = await write(`/v1/streams/${encodeURIComponent(part.stream)}/events`, init, signal);
  } catch (cause) {
    if (cause instanceof ApiError) return { kind: 'busy', error: cause, retryAfterMs: null };
    throw cause;
  }
  if (response.ok) return { kind: 'taken', receipt: (await response.json()) as Receipt };
  const error = await problemOf(response);
  // Where every line was rejected, the problem has the members of a receipt.
  const receipt = receiptOf(error);
  if (response.status === 422 && receipt) return { kind: 'taken', receipt };
  const isBusy = [408, 429, 500, 502, 503, 504].includes(response.status);
  if (!isBusy) throw error;
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return { kind: 'busy', error, retryAfterMs: Number.isFinite(seconds) ? seconds * 1_000 : null };
}

function receiptOf({ problem }: ApiError): Receipt | null {
  const told: Partial<Receipt> = (problem ?? {}) as Partial<Receipt>;
  if (typeof told.rejected !== 'number' || !Array.isArray(told.rejections)) return null;
  const { accepted = 0, duplicates = 0, rejected, rejections } = told;
  return { accepted, duplicates, rejected, rejections };
}

async function write(path: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
  const timeout = AbortSignal.timeout(WRITE_TIMEOUT_MS);
  const headers = { accept: 'application/json', ...init.headers };
  try {
    const combined = signal ? AbortSignal.any([signal, timeout]) : timeout;
    const response = await fetchWithToken(path, { ...init, headers, signal: combined });
    observeDateHeader(response);
    return response;
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, null, cause instanceof Error ? cause.message : 'network error');
  }
}
