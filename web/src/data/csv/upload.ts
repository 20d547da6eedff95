import { ApiError } from '../../api/client';
import { Store } from '../../live/store';
import type { Answer, Part } from '../calls';
import type { Receipt } from '../documents';
import { type CsvReading, contentTypeOf, type DelimiterName, delimiters, type FileForm } from './look';
import { type FilePart, FileParts } from './parts';

export type UploadPhase =
  | 'sending'
  /** The server is busy or away; the same part is sent again at `retryAtMs`. */
  | 'waiting'
  /** Nothing of the first part was taken: more of the same would only fill the quarantine. */
  | 'doubtful'
  /** The server has refused, or was away for too long; it can be taken up again. */
  | 'failed'
  | 'done'
  | 'cancelled';

/** A line of the file that was not taken. */
export interface FileRejection {
  line: number;
  field: string | null;
  reason: string;
}

export interface UploadState {
  phase: UploadPhase;
  bytesDone: number;
  accepted: number;
  duplicates: number;
  rejected: number;
  /** The first ones. */
  rejections: FileRejection[];
  error: Error | null;
  retryAtMs: number | null;
  startedAtMs: number;
  endedAtMs: number | null;
}

/** How many rejected lines are shown; the quarantine has the others. */
export const REJECTIONS_MAX = 20;
/** The server is not asked more often than this in a row for a part; a busy server that says when to come is. */
const TRIES_MAX = 10;
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 30_000;

export interface UploadOptions {
  file: File;
  stream: string;
  form?: FileForm;
  reading: CsvReading;
  found: DelimiterName | null;
  send: (part: Part, signal: AbortSignal) => Promise<Answer>;
  /** How the tests make time pass. */
  wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  partBytes?: number;
}

/** Sends a file part by part, each after the one before it is safe on the server's disk. */
export class CsvUpload {
  readonly file: File;
  readonly stream: string;
  readonly store: Store<UploadState>;
  readonly #options: UploadOptions;
  readonly #parts: FileParts;
  /** Stands in for a hash of the content where the browser offers none. */
  readonly #nonce = nonce();
  #part: FilePart | null = null;
  #abort = new AbortController();
  #isRunning = false;
  #wasDoubted = false;

  constructor(options: UploadOptions) {
    this.#options = options;
    this.file = options.file;
    this.stream = options.stream;
    const { reading, found } = options;
    const delimiter = delimiters[reading.delimiter === 'auto' ? (found ?? 'comma') : reading.delimiter];
    this.#parts = new FileParts(options.file, delimiter, options.partBytes, options.form);
    this.store = new Store<UploadState>({
      phase: 'sending',
      bytesDone: 0,
      accepted: 0,
      duplicates: 0,
      rejected: 0,
      rejections: [],
      error: null,
      retryAtMs: null,
      startedAtMs: Date.now(),
      endedAtMs: null,
    });
  }

  /** Sends what has not been taken yet. The promise ends with the run and never fails. */
  async run(): Promise<void> {
    if (this.#isRunning || ['done', 'cancelled'].includes(this.store.get().phase)) return;
    this.#isRunning = true;
    this.#abort = new AbortController();
    this.#change({ phase: 'sending', error: null, retryAtMs: null, endedAtMs: null });
    try {
      await this.#sendAll(this.#abort.signal);
    } catch (cause) {
      if (this.#abort.signal.aborted) return;
      const error = cause instanceof Error ? cause : new Error(String(cause));
      this.#change({ phase: 'failed', error, retryAtMs: null, endedAtMs: Date.now() });
    } finally {
      this.#isRunning = false;
    }
  }

  /** Stops. What has been taken stays taken, and so may the part that is on its way. */
  cancel(): void {
    if (this.store.get().phase === 'done') return;
    this.#abort.abort();
    this.#part = null;
    this.#change({ phase: 'cancelled', retryAtMs: null, endedAtMs: Date.now() });
  }

  async #sendAll(signal: AbortSignal): Promise<void> {
    for (;;) {
      this.#part ??= await this.#parts.at(this.store.get().bytesDone);
      if (signal.aborted) return;
      const part = this.#part;
      if (!part) return this.#change({ phase: 'done', endedAtMs: Date.now() });
      const receipt = await this.#sendOne(part, signal);
      if (!receipt || signal.aborted) return;
      this.#part = null;
      this.#count(part, receipt);
      const nothing = receipt.rejected > 0 && receipt.accepted + receipt.duplicates === 0;
      const isMore = part.to < this.file.size;
      if (part.from === 0 && nothing && isMore && !this.#wasDoubted) {
        this.#wasDoubted = true;
        return this.#change({ phase: 'doubtful', endedAtMs: Date.now() });
      }
    }
  }

  async #sendOne(part: FilePart, signal: AbortSignal): Promise<Receipt | null> {
    const { stream, form = 'csv', reading, found, send, wait = sleep } = this.#options;
    const contentType = contentTypeOf(form, reading, found, part.isRepeated);
    const key = `web:${(await contentHash(part.body)) ?? this.#nonce}:${part.from}`;
    for (let failures = 0; ; ) {
      const answer = await send({ stream, body: part.body, contentType, key }, signal);
      if (signal.aborted) return null;
      if (answer.kind === 'taken') return answer.receipt;
      // An overloaded server says when to come again, which is no failure.
      const isAsked = answer.error.status === 429;
      if (!isAsked) failures += 1;
      if (failures >= TRIES_MAX) throw answer.error;
      const backoff = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.max(0, failures - 1));
      const ms = Math.min(RETRY_MAX_MS, answer.retryAfterMs ?? backoff);
      this.#change({ phase: 'waiting', error: answer.error, retryAtMs: Date.now() + ms });
      await wait(ms, signal);
      if (signal.aborted) return null;
      this.#change({ phase: 'sending', error: null, retryAtMs: null });
    }
  }

  #count(part: FilePart, receipt: Receipt): void {
    const { accepted, duplicates, rejected, rejections } = this.store.get();
    const room = REJECTIONS_MAX - rejections.length;
    const more = receipt.rejections.slice(0, Math.max(0, room)).map(({ line, field, reason }) => ({
      line: Math.max(1, line + part.linesAbove),
      field: field ?? null,
      reason,
    }));
    this.#change({
      bytesDone: part.to,
      accepted: accepted + receipt.accepted,
      duplicates: duplicates + receipt.duplicates,
      rejected: rejected + receipt.rejected,
      rejections: [...rejections, ...more],
    });
  }

  #change(change: Partial<UploadState>): void {
    this.store.set({ ...this.store.get(), ...change });
  }
}

/** The upload of this tab. It goes on while somebody looks at another page. */
export const uploadStore = new Store<CsvUpload | null>(null);

/** Whether sending the same file again is known to be the same: hashes need a secure connection or this machine. */
export const canHash = typeof crypto !== 'undefined' && crypto.subtle !== undefined;

async function contentHash(body: Uint8Array<ArrayBuffer>): Promise<string | null> {
  if (!canHash) return null;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
  return [...digest.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function nonce(): string {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((word) => word.toString(16)).join('');
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Whether an error is the server's refusal to let this reader write. */
export function isRefused(error: Error | null): boolean {
  return error instanceof ApiError && (error.status === 401 || error.status === 403);
}
