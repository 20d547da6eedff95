import { ApiError, getJson } from './client';
import { type SeriesQuery, seriesListPath, seriesPath } from './paths';
import type { Problem, SeriesDocument } from './types';

/** As many questions as the server takes in one call, unless its limits say less. */
export const SERIES_PER_CALL_MAX = 32;

/** What is looked at now is not held up by what compares it with the past: each has calls of its own. */
export type Lane = 'present' | 'past';

const ALONE = new Set([422, 504]);

interface Asked {
  query: SeriesQuery;
  signal: AbortSignal | undefined;
  resolve: (document: SeriesDocument) => void;
  reject: (cause: unknown) => void;
}

const waiting = new Map<Lane, Asked[]>();

/**
 * Asks for a series. What is asked for at one time goes out as one call, so that a board of many panels is one of the few
 * connections that a browser has; a panel whose question fails fails alone.
 */
export function getSeries(query: SeriesQuery, lane: Lane, signal?: AbortSignal): Promise<SeriesDocument> {
  return new Promise((resolve, reject) => {
    const asked = { query, signal, resolve, reject };
    const others = waiting.get(lane);
    if (others) {
      others.push(asked);
      return;
    }
    waiting.set(lane, [asked]);
    setTimeout(() => send(lane), 0);
  });
}

function send(lane: Lane): void {
  const all = waiting.get(lane) ?? [];
  waiting.delete(lane);
  const asked = all.filter(({ signal, reject }) => {
    if (signal?.aborted) reject(signal.reason);
    return !signal?.aborted;
  });
  for (let at = 0; at < asked.length; at += SERIES_PER_CALL_MAX)
    void ask(asked.slice(at, at + SERIES_PER_CALL_MAX));
}

async function ask(batch: Asked[]): Promise<void> {
  const [first] = batch;
  if (first && batch.length === 1) {
    await getJson<SeriesDocument>(seriesPath(first.query), first.signal).then(first.resolve, first.reject);
    return;
  }
  // The call is given up when nobody waits for it any more.
  const given = new AbortController();
  let left = batch.length;
  for (const { signal, reject } of batch) {
    const leave = () => {
      reject(signal?.reason);
      left -= 1;
      if (left === 0) given.abort();
    };
    signal?.addEventListener('abort', leave, { once: true, signal: given.signal });
  }
  const alone = (one: Asked) => {
    if (!one.signal?.aborted) void ask([one]);
  };
  try {
    const path = seriesListPath(batch.map(({ query }) => query));
    const { answers } = await getJson<{ answers: (SeriesDocument | Problem)[] }>(path, given.signal);
    for (const [at, one] of batch.entries()) {
      const answer = answers[at];
      if (answer && 'series' in answer) one.resolve(answer);
      // What has no answer in the time or the room of a whole call may have one in a call of its own.
      else if (ALONE.has(answer?.status ?? 0)) alone(one);
      else
        one.reject(new ApiError(answer?.status ?? 0, answer ?? null, answer?.detail ?? answer?.title ?? ''));
    }
  } catch (cause) {
    // A server whose limit on questions is lower than ours refuses the call as a whole.
    if (cause instanceof ApiError && cause.status === 400) batch.forEach(alone);
    else for (const { reject } of batch) reject(cause);
  }
}
