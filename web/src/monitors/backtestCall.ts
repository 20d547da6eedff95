import { fetchWithToken } from '../api/access';
import { ApiError, problemOf } from '../api/client';
import { observeDateHeader } from '../live/clock';
import type { Written } from './draft';
import type { BacktestAnswer } from './types';

/** What is asked: a monitor over a time, and perhaps a version of it that is none yet. */
export interface Question {
  /** The monitor that exists, or a name for one that does not. */
  name: string;
  /** RFC 3339; the server's own choice, two weeks up to where events are complete, when absent. */
  from?: string;
  monitor?: { [key: string]: Written };
}

/** Another test is running; the server says when to ask again. */
export class BusyError extends ApiError {
  readonly retryAfterMs: number;

  constructor(error: ApiError, retryAfterMs: number) {
    super(error.status, error.problem, error.message);
    this.name = 'BusyError';
    this.retryAfterMs = retryAfterMs;
  }
}

/** The server gives up after a minute unless its limits say otherwise; after this long nobody answers any more. */
const ANSWER_TIMEOUT_MS = 180_000;
const RETRY_AFTER_MS = 5_000;

export function backtestPath(name: string): string {
  return `/v1/monitors/${encodeURIComponent(name)}/backtest`;
}

/** Runs a back-test. An abort hangs up, which ends the test on the server as well. */
export async function postBacktest(question: Question, signal: AbortSignal): Promise<BacktestAnswer> {
  const { name, ...body } = question;
  let response: Response;
  try {
    response = await fetchWithToken(backtestPath(name), {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
    });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new ApiError(0, null, cause instanceof Error ? cause.message : 'network error');
  }
  observeDateHeader(response);
  if (!response.ok) {
    const error = await problemOf(response);
    if (response.status !== 429) throw error;
    const seconds = Number(response.headers.get('retry-after') ?? '');
    throw new BusyError(error, seconds > 0 ? seconds * 1_000 : RETRY_AFTER_MS);
  }
  try {
    return (await response.json()) as BacktestAnswer;
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new ApiError(0, null, 'the answer was cut off or is not JSON');
  }
}
