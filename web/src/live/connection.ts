import { fetchWithToken } from '../api/access';
import { backoffMs } from './backoff';
import { type SseEvent, SseParser } from './sse';

/** The server sends a heartbeat every 15 s; after this much silence the connection is taken for dead. */
export const SILENCE_MAX_MS = 20_000;

export type ConnectionState =
  | { kind: 'connecting'; attempt: number }
  | { kind: 'open' }
  /** Lost; the next attempt comes at `retryAtMs`. `status` is the HTTP status of a refusal, 0 for none. */
  | { kind: 'waiting'; attempt: number; retryAtMs: number; status: number }
  | { kind: 'closed' };

export interface ConnectionOptions {
  path: string;
  onEvent: (event: SseEvent) => void;
  onState: (state: ConnectionState) => void;
  /** Injected by tests. */
  fetch?: typeof fetch;
  random?: () => number;
  now?: () => number;
}

/**
 * A server-sent event stream that stays up: it reconnects with back-off after errors, refusals and silence, and tells
 * the server the last event id it has seen. It never gives up, since a wall screen has nobody who would reload it.
 */
export class LiveConnection {
  readonly #options: ConnectionOptions;
  #abort: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #attempt = 0;
  #lastEventId = '';
  #retryFloorMs = 0;
  #closed = true;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Connects, unless it is connected already. */
  open(): void {
    if (!this.#closed) return;
    this.#closed = false;
    this.#attempt = 0;
    void this.#run();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#clearTimer();
    this.#abort?.abort();
    this.#abort = null;
    this.#options.onState({ kind: 'closed' });
  }

  /** Cuts the waiting short: the network is back, the tab is visible again, or somebody pressed “retry”. */
  retryNow(): void {
    if (this.#closed || this.#abort !== null) return;
    this.#clearTimer();
    void this.#run();
  }

  async #run(): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.#options.onState({ kind: 'connecting', attempt: this.#attempt });
    let status = 0;
    try {
      status = await this.#read(abort);
    } catch {
      // A lost connection and an unreadable stream end in the same way: by the wait below.
    }
    // Whoever closed or replaced this run has already said so.
    if (this.#abort !== abort) return;
    abort.abort();
    this.#abort = null;
    if (!this.#closed) this.#wait(status);
  }

  /** Reads until the stream ends; returns the HTTP status. */
  async #read(abort: AbortController): Promise<number> {
    const headers: Record<string, string> = { accept: 'text/event-stream' };
    if (this.#lastEventId) headers['last-event-id'] = this.#lastEventId;
    const touch = () => {
      this.#clearTimer();
      this.#timer = setTimeout(() => abort.abort(), SILENCE_MAX_MS);
    };
    touch();
    try {
      const init: RequestInit = { headers, signal: abort.signal, cache: 'no-store' };
      const response = await fetchWithToken(this.#options.path, init, this.#options.fetch);
      if (!response.ok || !response.body) return response.status;
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response.status;
      const parser = new SseParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done || abort.signal.aborted) return response.status;
        touch();
        for (const event of parser.feed(value)) this.#take(event);
        this.#retryFloorMs = parser.retryMs ?? 0;
      }
    } finally {
      if (this.#abort === abort) this.#clearTimer();
    }
  }

  #take(event: SseEvent): void {
    if (event.lastEventId) this.#lastEventId = event.lastEventId;
    // Only an event proves that the server works; a bare 200 does not reset the back-off.
    this.#attempt = 0;
    this.#options.onState({ kind: 'open' });
    this.#options.onEvent(event);
  }

  #wait(status: number): void {
    this.#attempt += 1;
    const delay = backoffMs(this.#attempt, this.#options.random ?? Math.random, this.#retryFloorMs);
    const now = (this.#options.now ?? Date.now)();
    this.#options.onState({ kind: 'waiting', attempt: this.#attempt, retryAtMs: now + delay, status });
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#run();
    }, delay);
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
