import { observeDateHeader } from '../live/clock';
import { fetchWithToken } from './access';
import { ApiError, problemOf } from './client';

/** What is written is checked and on the disk before it is answered; longer than that and a slow disk takes nobody. */
const WRITE_TIMEOUT_MS = 30_000;

/** Makes a call and gives its answer as it came; every failure is an `ApiError`, except an abort by the caller. */
export async function answerTo(
  path: string,
  init: RequestInit,
  timeoutMs = WRITE_TIMEOUT_MS,
): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  let response: Response;
  try {
    response = await fetchWithToken(path, { ...init, signal });
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new ApiError(0, null, cause instanceof Error ? cause.message : 'network error');
  }
  observeDateHeader(response);
  if (!response.ok) throw await problemOf(response);
  return response;
}
