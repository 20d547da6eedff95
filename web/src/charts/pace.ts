/** A course moves by less than a pixel in this time; drawing it more often than this shows nothing more. */
export const DRAW_REST_MS = 1_000;

const waiting: (() => void)[] = [];

/**
 * Does one thing after the other, each in a task of its own: a key that is pressed while a board with many charts is drawn for the
 * first time is answered in between.
 */
function inTurn(draw: () => void): void {
  waiting.push(draw);
  if (waiting.length === 1) setTimeout(takeTurn, 0);
}

function takeTurn(): void {
  const draw = waiting.shift();
  if (waiting.length > 0) setTimeout(takeTurn, 0);
  draw?.();
}

interface Options {
  now?: () => number;
  restMs?: number;
}

/**
 * Draws what is newest, at a measured pace: the first when it is its turn among all charts, what only moves on is drawn once a second and only in sight, what somebody has
 * asked for at once and always.
 */
export class PacedDrawing {
  readonly #now: () => number;
  readonly #restMs: number;
  #draw: (() => void) | null = null;
  #signature: string | null = null;
  /** Nothing has been drawn yet; it is its turn soon. */
  #isNew = true;
  #isWaiting = false;
  #restUntilMs = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isSeen = false;

  constructor({ now = () => performance.now(), restMs = DRAW_REST_MS }: Options = {}) {
    this.#now = now;
    this.#restMs = restMs;
  }

  /**
   * What is to be drawn from now on. Another `signature` than the last says that it is more than the same, a little later;
   * null always does.
   */
  next(signature: string | null, draw: () => void): void {
    this.#draw = draw;
    const isUrgent = signature === null || signature !== this.#signature;
    this.#signature = signature;
    if (this.#isNew) this.#begin();
    else if (isUrgent) this.flush();
    else this.#check();
  }

  #begin(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    inTurn(() => {
      this.#isWaiting = false;
      if (this.#isNew) this.flush();
    });
  }

  see(isSeen: boolean): void {
    this.#isSeen = isSeen;
    this.#check();
  }

  /** Draws what waits. */
  flush(): void {
    this.#clear();
    const draw = this.#draw;
    if (!draw) return;
    this.#draw = null;
    this.#isNew = false;
    this.#restUntilMs = this.#now() + this.#restMs;
    draw();
  }

  /** Nothing is drawn any more. */
  stop(): void {
    this.#clear();
    this.#draw = null;
    this.#signature = null;
    this.#isNew = true;
  }

  #check(): void {
    if (this.#isNew || !this.#draw || !this.#isSeen || this.#timer !== null) return;
    const waitMs = this.#restUntilMs - this.#now();
    if (waitMs <= 0) {
      this.flush();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#check();
    }, waitMs);
  }

  #clear(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
