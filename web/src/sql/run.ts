import { useEffect, useRef, useState } from 'react';
import { ApiError } from '../api/client';
import { askSql, type SqlAnswer } from './call';
import { remember } from './memory/history';
import type { Limits } from './memory/limits';
import { type Statement, withLimit } from './statement';

/** What became of a statement. */
export type Outcome = { statement: Statement; tookMs: number; atMs: number } & (
  | { ending: 'done'; answer: SqlAnswer /** The rows shown, where there are more. */; cutAt: number | null }
  | { ending: 'failed'; error: ApiError }
  | { ending: 'cancelled' }
);

export interface Running {
  statement: Statement;
  sinceMs: number;
}

/** Runs statements, one at a time. The last answer stays until the next one is there. */
export function useRuns(onOutcome: (outcome: Outcome) => void) {
  const [running, setRunning] = useState<Running | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const current = useRef<AbortController | null>(null);
  const tell = useRef(onOutcome);
  useEffect(() => {
    tell.current = onOutcome;
  });
  // The server ends a query whose client has gone, so leaving the page costs nothing.
  useEffect(
    () => () => {
      const left = current.current;
      current.current = null;
      left?.abort();
    },
    [],
  );

  const run = async (statement: Statement, limits: Limits) => {
    current.current?.abort();
    const controller = new AbortController();
    current.current = controller;
    const sinceMs = Date.now();
    const startedAt = performance.now();
    setRunning({ statement, sinceMs });
    const ended = await endingOf(statement.text, limits, controller.signal);
    // A newer run has taken over; its outcome is the one to show.
    if (current.current !== controller) return;
    const tookMs = performance.now() - startedAt;
    const next: Outcome = { statement, tookMs, atMs: sinceMs, ...ended };
    current.current = null;
    setRunning(null);
    setOutcome(next);
    const rows = next.ending === 'done' ? next.answer.rows.length : null;
    remember({ sql: statement.text, at: sinceMs, tookMs: Math.round(tookMs), ending: next.ending, rows });
    tell.current(next);
  };

  return { running, outcome, run, cancel: () => current.current?.abort() };
}

type Ended =
  | { ending: 'done'; answer: SqlAnswer; cutAt: number | null }
  | { ending: 'failed'; error: ApiError }
  | { ending: 'cancelled' };

async function endingOf(sql: string, { rows, seconds }: Limits, signal: AbortSignal): Promise<Ended> {
  // One row more than is shown tells that there are more. A statement with a limit of its own is sent as it is.
  const limited = withLimit(sql, rows + 1);
  const timeoutMs = seconds * 1000;
  try {
    const answer = await askSql(limited ?? sql, { timeoutMs }, signal);
    const isCut = limited !== null && answer.rows.length > rows;
    return {
      ending: 'done',
      answer: isCut ? { ...answer, rows: answer.rows.slice(0, rows) } : answer,
      cutAt: isCut ? rows : null,
    };
  } catch (cause) {
    if (signal.aborted) return { ending: 'cancelled' };
    if (cause instanceof ApiError) return { ending: 'failed', error: cause };
    throw cause;
  }
}
