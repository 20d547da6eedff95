import { observeDateHeader } from '../live/clock';
import { fetchWithToken } from './access';
import type { Problem } from './types';

/** An answer other than 2xx, or none at all (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem | null;

  constructor(status: number, problem: Problem | null, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.problem = problem;
  }

  /** Whether the same request may succeed later without anybody changing anything. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Longer than any board query takes; a server that is silent for longer counts as unreachable. */
const REQUEST_TIMEOUT_MS = 15_000;

/** Fetches a JSON document; every failure is an `ApiError`, except an abort by the caller. */
export function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return request<T>(path, {}, signal);
}

/** Posts a JSON body. The content type makes it a request that no foreign page can send without being asked first. */
export function postJson<T>(path: string, body: unknown): Promise<T | null> {
  const headers = { 'content-type': 'application/json' };
  return request<T | null>(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** Asks for something to be removed. */
export function remove(path: string): Promise<null> {
  return request<null>(path, { method: 'DELETE' });
}

async function request<T>(path: string, init: RequestInit, signal?: AbortSignal): Promise<T> {
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const combined = signal ? AbortSignal.any([signal, timeout]) : timeout;
  let response: Response;
  try {
    response = await fetchWithToken(path, {
      ...init,
      headers: { accept: 'application/json', ...init.headers },
      signal: combined,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, null, cause instanceof Error ? cause.message : 'network error');
  }
  observeDateHeader(response);
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return null as T;
  try {
    return (await response.json()) as T;
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, null, 'the answer was cut off or is not JSON');
  }
}

/** Turns an unsuccessful response into an error that carries the problem document, if there is one. */
export async function problemOf(response: Response): Promise<ApiError> {
  let problem: Problem | null = null;
  if (response.headers.get('content-type')?.includes('json')) {
    try {
      problem = (await response.json()) as Problem;
    } catch {
      problem = null;
    }
  }
  return new ApiError(response.status, problem, problem?.detail ?? problem?.title ?? response.statusText);
}
