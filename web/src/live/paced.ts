import { ApiError } from '../api/client';
import { Store } from './store';

export interface PacedState<T> {
  data: T | null;
  error: Error | null;
  /** When the newest data arrived, on the local clock. */
  receivedAtMs: number | null;
}

interface Options {
  /** At least this long between the end of an answer and the next question. */
  paceMs: number;
  /** Counts what has changed of what the answer is made of. */
  changes: () => number;
  now?: () => number;
}

/** Without a change a window still slides: what is seen is asked for again after this time. */
export const PACED_SLIDE_MS = 60_000;
/** An answer that may succeed later is asked for again after this time. */
export const PACED_HEAL_MS = 3_000;

/**
 * An answer that is asked for again at a measured pace: while somebody sees it, and when what it is made of has changed since
 * it was asked for. One question is out at a time.
 */
export class PacedAnswer<T> {
  readonly store = new Store<PacedState<T>>({ data: null, error: null, receivedAtMs: null });
  readonly #ask: (signal: AbortSignal) => Promise<T>;
  readonly #paceMs: number;
  readonly #changes: () => number;
  readonly #now: () => number;
  #isSeen = false;
  #asking: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** What there was when the last question went out; null for none, or one that has to be repeated. */
  #askedAt: { changes: number; ms: number } | null = null;
  #restUntilMs = Number.NEGATIVE_INFINITY;

  constructor(ask: (signal: AbortSignal) => Promise<T>, { paceMs, changes, now }: Options) {
    this.#ask = ask;
    this.#paceMs = paceMs;
    this.#changes = changes;
    this.#now = now ?? (() => performance.now());
  }

  /** Whether somebody looks. What is not seen asks for nothing, and keeps what it has. */
  see(isSeen: boolean): void {
    if (this.#isSeen === isSeen) return;
    this.#isSeen = isSeen;
    if (isSeen) {
      this.#check();
      return;
    }
    this.#clear();
    if (this.#asking) {
      this.#asking.abort();
      this.#asking = null;
      this.#askedAt = null;
    }
  }

  /** Something may have changed. */
  notice(): void {
    this.#check();
  }

  retry(): void {
    this.#askedAt = null;
    this.#restUntilMs = Number.NEGATIVE_INFINITY;
    this.#clear();
    this.#check();
  }

  #isDue(): boolean {
    const { data, error } = this.store.get();
    const asked = this.#askedAt;
    if (asked === null) return true;
    if (error instanceof ApiError && error.isTransient) return true;
    if (this.#changes() !== asked.changes) return true;
    return data !== null && this.#now() - asked.ms >= PACED_SLIDE_MS;
  }

  #check(): void {
    if (!this.#isSeen || this.#asking !== null || this.#timer !== null || !this.#isDue()) return;
    const waitMs = this.#restUntilMs - this.#now();
    if (waitMs <= 0) {
      void this.#send();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#check();
    }, waitMs);
  }

  async #send(): Promise<void> {
    const asking = new AbortController();
    this.#asking = asking;
    this.#askedAt = { changes: this.#changes(), ms: this.#now() };
    try {
      const data = await this.#ask(asking.signal);
      if (this.#asking !== asking) return;
      this.store.set({ data, error: null, receivedAtMs: Date.now() });
      this.#restUntilMs = this.#now() + this.#paceMs;
    } catch (cause) {
      if (this.#asking !== asking) return;
      const error = cause instanceof Error ? cause : new Error(String(cause));
      this.store.set({ ...this.store.get(), error });
      this.#restUntilMs = this.#now() + Math.max(this.#paceMs, PACED_HEAL_MS);
    }
    this.#asking = null;
    this.#check();
  }

  #clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
