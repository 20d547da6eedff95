import { Store } from './store';

/** One clock for all that is renewed at the same pace: what moves on then moves on at once, in one drawing of the page. */
class Ticker {
  readonly #intervalMs: number;
  readonly #now = new Store(Date.now());
  #users = 0;
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  get = (): number => this.#now.get();

  subscribe = (listener: () => void): (() => void) => {
    const leave = this.#now.subscribe(listener);
    this.#users += 1;
    if (this.#timer === null) {
      // Nobody has looked for a while: what time it is has to be told anew.
      this.#now.set(Date.now());
      this.#timer = setInterval(() => this.#now.set(Date.now()), this.#intervalMs);
    }
    return () => {
      leave();
      this.#users -= 1;
      if (this.#users > 0 || this.#timer === null) return;
      clearInterval(this.#timer);
      this.#timer = null;
    };
  };
}

const tickers = new Map<number, Ticker>();

/** The clock that is renewed every so many milliseconds. */
export function tickerOf(intervalMs: number): Ticker {
  let ticker = tickers.get(intervalMs);
  if (!ticker) {
    ticker = new Ticker(intervalMs);
    tickers.set(intervalMs, ticker);
  }
  return ticker;
}
