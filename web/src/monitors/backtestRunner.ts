import { ApiError } from '../api/client';
import { Store } from '../live/store';
import { BusyError, postBacktest, type Question } from './backtestCall';
import type { BacktestAnswer } from './types';

export type Phase =
  | { kind: 'idle' }
  /** Somebody is typing. */
  | { kind: 'waiting' }
  | { kind: 'running'; sinceMs: number }
  /** Another test is running there, or nobody answers: it is asked again. */
  | { kind: 'queued'; retryAtMs: number; isBusy: boolean }
  | { kind: 'done' }
  | { kind: 'failed'; error: Error };

export interface RunnerState {
  phase: Phase;
  /** The newest answer, which may be to an earlier question while another is on its way. */
  answer: BacktestAnswer | null;
  /** Whether it is to what was asked last. */
  isCurrent: boolean;
}

/** As long as people rest between two words. */
const REST_MS = 600;
/** A test that was given up leaves its place within moments; one of somebody else's takes as long as it takes. */
const OWN_PLACE_MS = 800;
const UNREACHABLE_RETRY_MS = 3_000;
/** As many answers as one goes back and forth between. */
const KEPT_MAX = 6;

type Send = (question: Question, signal: AbortSignal) => Promise<BacktestAnswer>;

/** Asks for one back-test at a time: the newest question wins, and the one before is hung up on. */
export class BacktestRunner {
  readonly store = new Store<RunnerState>({ phase: { kind: 'idle' }, answer: null, isCurrent: false });
  readonly #send: Send;
  readonly #kept = new Map<string, BacktestAnswer>();
  #asked: string | null = null;
  #question: Question | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #call: AbortController | null = null;
  #hungUpAtMs = Number.NEGATIVE_INFINITY;

  constructor(send: Send = postBacktest) {
    this.#send = send;
  }

  /** Asks this instead of whatever was asked before; after a rest, so that not every letter is a test. */
  ask(question: Question, restMs = REST_MS): void {
    const key = JSON.stringify(question);
    if (key === this.#asked) return;
    this.#give();
    this.#asked = key;
    this.#question = question;
    const kept = this.#kept.get(key);
    if (kept) {
      this.store.set({ phase: { kind: 'done' }, answer: kept, isCurrent: true });
      return;
    }
    this.#set({ kind: 'waiting' });
    this.#timer = setTimeout(() => void this.#run(), restMs);
  }

  /** Asks the same again: after a failure, or because events have gone on. */
  again(): void {
    if (!this.#question || !this.#asked) return;
    this.#give();
    this.#kept.delete(this.#asked);
    void this.#run();
  }

  /** Asks nothing any more, as what would be asked makes no sense. What was found stays on the screen. */
  stop(): void {
    this.#give();
    this.#asked = null;
    this.#question = null;
    this.#set({ kind: 'idle' });
  }

  #give(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#call) return;
    this.#call.abort();
    this.#call = null;
    this.#hungUpAtMs = Date.now();
  }

  #set(phase: Phase): void {
    this.store.set({ ...this.store.get(), phase, isCurrent: false });
  }

  async #run(): Promise<void> {
    const question = this.#question;
    const key = this.#asked;
    if (!question || key === null) return;
    const call = new AbortController();
    this.#call = call;
    this.#set({ kind: 'running', sinceMs: Date.now() });
    try {
      const answer = await this.#send(question, call.signal);
      if (this.#call !== call) return;
      this.#call = null;
      this.#keep(key, answer);
      this.store.set({ phase: { kind: 'done' }, answer, isCurrent: true });
    } catch (cause) {
      if (this.#call !== call) return;
      this.#call = null;
      const error = cause instanceof Error ? cause : new Error(String(cause));
      const waitMs = this.#waitMs(error);
      if (waitMs === null) return this.#set({ kind: 'failed', error });
      this.#set({ kind: 'queued', retryAtMs: Date.now() + waitMs, isBusy: error instanceof BusyError });
      this.#timer = setTimeout(() => void this.#run(), waitMs);
    }
  }

  /** After how long the same may succeed; null where it will not. */
  #waitMs(error: Error): number | null {
    if (error instanceof BusyError) {
      const wasOurs = Date.now() - this.#hungUpAtMs < error.retryAfterMs;
      if (!wasOurs) return error.retryAfterMs;
      // The next one waits as long as the server says.
      this.#hungUpAtMs = Number.NEGATIVE_INFINITY;
      return Math.min(OWN_PLACE_MS, error.retryAfterMs);
    }
    const isAway = error instanceof ApiError && (error.status === 0 || error.status === 503);
    return isAway ? UNREACHABLE_RETRY_MS : null;
  }

  #keep(key: string, answer: BacktestAnswer): void {
    this.#kept.delete(key);
    this.#kept.set(key, answer);
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > KEPT_MAX && !oldest.done) this.#kept.delete(oldest.value);
  }
}
