// How soon the first board shows figures and answers to a key, on a cold cache with a processor four times as slow.
import { launch } from '../browser.mjs';

export const SLOWED = 4;
const DEADLINE_MS = 60_000;

/**
 * Runs in the page from its first moment on. Notes when the first figure is there, presses `?` from then on, which opens the
 * list of keys, and notes when that list is open. Times are those since the page was asked for.
 */
function watchBoard() {
  const seen = { figures: null, chart: null, answered: null };
  window.boardSeen = seen;
  const figures = '.tile-value .number, [data-testid=slice] .legend-value';
  const look = () => {
    const now = performance.now();
    if (seen.figures === null && document.querySelector(figures)?.textContent) seen.figures = now;
    if (seen.chart === null && document.querySelector('.chart canvas')) seen.chart = now;
    if (seen.figures !== null && seen.answered === null) {
      if (document.querySelector('dialog[open]')) seen.answered = now;
      else document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '?', bubbles: true }));
    }
    if (seen.answered === null || seen.chart === null) setTimeout(look, 10);
  };
  look();
}

/** Times of some runs of one page in milliseconds, each in a browser of its own. */
export async function timeInteractive(url, runs) {
  const times = [];
  for (let run = 0; run < runs; run += 1) {
    const browser = await launch();
    try {
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, locale: 'en-GB' });
      const session = await page.context().newCDPSession(page);
      await session.send('Network.enable');
      await session.send('Network.setCacheDisabled', { cacheDisabled: true });
      await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWED });
      await page.addInitScript(watchBoard);
      await page.goto(url, { waitUntil: 'commit', timeout: DEADLINE_MS });
      const isOver = () => window.boardSeen.answered !== null && window.boardSeen.chart !== null;
      await page.waitForFunction(isOver, null, { timeout: DEADLINE_MS, polling: 200 });
      times.push(await page.evaluate(() => window.boardSeen));
    } finally {
      await browser.close();
    }
  }
  return times;
}

export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
