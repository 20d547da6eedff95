// How soon the first board shows figures and answers to a key, on a cold cache with a processor four times as slow.
import { launch } from '../browser.mjs';

export const SLOWED = 4;
const DEADLINE_MS = 120_000;

/**
 * Runs in the page from its first moment on. Notes when the first figure is there and the first chart, and of every key when it
 * was pressed and when the frame was painted that came of it. Times are those since the page was asked for.
 */
function watchBoard() {
  const seen = { figures: null, chart: null, keys: [] };
  window.boardSeen = seen;
  const figures = '.tile-value .number, [data-testid=slice] .legend-value';
  const look = () => {
    const now = performance.now();
    if (seen.figures === null && document.querySelector(figures)?.textContent) seen.figures = now;
    if (seen.chart === null && document.querySelector('.chart canvas')) seen.chart = now;
    if (seen.figures === null || seen.chart === null) setTimeout(look, 10);
  };
  look();
  new PerformanceObserver((list) => {
    for (const { name, startTime, duration } of list.getEntries())
      if (name === 'keydown') seen.keys.push({ pressed: startTime, painted: startTime + duration });
  }).observe({ type: 'event', durationThreshold: 16, buffered: true });
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
      const once = { timeout: DEADLINE_MS, polling: 20 };
      await page.waitForFunction(() => window.boardSeen?.figures, null, once);
      // The list of keys; what counts is the first frame that comes of it.
      await page.keyboard.press('?');
      await page.waitForFunction(
        () => document.querySelector('dialog[open]') && boardSeen.chart && boardSeen.keys.length > 0,
        null,
        once,
      );
      const { figures, chart, keys } = await page.evaluate(() => window.boardSeen);
      const response = keys[0].painted - keys[0].pressed;
      times.push({ figures, response, interactive: figures + response, chart });
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
