/** Followers of a cube are refreshed at most this often. */
export const BEAT_INTERVAL_MS = 500;
/** Without any change a window still slides: figures are then refreshed at this interval. */
export const BEAT_IDLE_MS = 10_000;

/**
 * The beat of one cube: tells listeners that its figures have changed, at once for a change after a pause, and at most
 * every `BEAT_INTERVAL_MS` under steady traffic. A change is never swallowed: one that comes too early is told late.
 */
export class Beat {
  readonly #listeners = new Set<() => void>();
  #lastMs = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #timerAtMs = 0;
  readonly #now: () => number;
  #changes = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (this.#timer === null) this.#schedule(this.#now() + BEAT_IDLE_MS);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#clear();
    };
  }

  /** How many changes there have been; who asks seldom compares it with what it was. */
  get changes(): number {
    return this.#changes;
  }

  /** Something has changed. */
  changed(): void {
    this.#changes += 1;
    if (this.#listeners.size === 0) return;
    const due = this.#lastMs + BEAT_INTERVAL_MS;
    if (this.#now() >= due) this.#fire();
    else if (this.#timer === null || this.#timerAtMs > due) this.#schedule(due);
  }

  #fire(): void {
    this.#lastMs = this.#now();
    this.#schedule(this.#lastMs + BEAT_IDLE_MS);
    for (const listener of [...this.#listeners]) listener();
  }

  #schedule(atMs: number): void {
    this.#clear();
    this.#timerAtMs = atMs;
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, atMs - this.#now()));
  }

  #clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
