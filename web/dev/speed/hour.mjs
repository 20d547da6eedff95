// What a board of 24 live panels costs, minute by minute: processor time of its processes, heap, nodes, listeners.
import { launch, watchFaults } from '../browser.mjs';
import { BOARD, PANELS } from './server.mjs';

const START_MS = 120_000;
const MINUTE_MS = 60_000;
/** Before this the page is still filling its windows and the engine still compiling. */
const SETTLED_MS = 30_000;

/** What a person has before them, and a wall of four times the points that shows every panel. */
const DESK = { width: 1920, height: 1080 };
const WALL = { width: 3840, height: 2160 };

/** Watches the board for some minutes; `tell` is called with each row as it comes. */
export async function watchBoard(url, minutes, allInSight, tell) {
  const browser = await launch();
  try {
    const page = await browser.newPage({ viewport: allInSight ? WALL : DESK });
    const faults = watchFaults(page);
    const whole = await browser.newBrowserCDPSession();
    const own = await page.context().newCDPSession(page);
    await own.send('Performance.enable', { timeDomain: 'timeTicks' });
    await page.goto(`${url}/boards/${BOARD}`, { timeout: START_MS });
    await page.waitForSelector('[data-testid=health][data-health=live]', { timeout: START_MS });
    await page.waitForFunction(
      (panels) => document.querySelectorAll('[data-testid=chart] canvas').length === panels,
      PANELS,
      { timeout: START_MS },
    );
    await page.waitForTimeout(SETTLED_MS);
    await countUpdates(page);
    const rows = [];
    let last = await measure(whole, own, page);
    for (let minute = 1; minute <= minutes; minute += 1) {
      await page.waitForTimeout(Math.max(0, last.atMs + MINUTE_MS - performance.now()));
      const now = await measure(whole, own, page);
      const seconds = (now.atMs - last.atMs) / 1_000;
      const share = (part) => (100 * (now.cpu[part] - last.cpu[part])) / seconds;
      const changed = now.updates.map((count, i) => (count - last.updates[i]) / seconds);
      const row = {
        minute,
        renderer: share('renderer'),
        gpu: share('GPU'),
        browser: share('browser'),
        heapMb: now.heapMb,
        nodes: now.nodes,
        listeners: now.listeners,
        documents: now.documents,
        slowest: Math.min(...changed),
        mean: changed.reduce((sum, one) => sum + one, 0) / changed.length,
      };
      rows.push(row);
      tell(row);
      // Measuring, collecting garbage above all, is no part of what the board costs.
      last = await measure(whole, own, page, now);
    }
    return { rows, faults, version: browser.version() };
  } finally {
    await browser.close();
  }
}

/** Counts how often each panel's newest data were renewed. */
function countUpdates(page) {
  return page.evaluate(() => {
    const panels = [...document.querySelectorAll('[data-testid=chart]')];
    const counts = panels.map(() => 0);
    const observer = new MutationObserver((records) => {
      for (const { target } of records) counts[panels.indexOf(target)] += 1;
    });
    for (const panel of panels)
      observer.observe(panel, { attributes: true, attributeFilter: ['data-updated-at'] });
    window.panelUpdates = counts;
  });
}

/** `counted` has what a garbage collection has just been made for. */
async function measure(whole, own, page, counted) {
  const { processInfo } = await whole.send('SystemInfo.getProcessInfo');
  const cpu = {};
  for (const type of ['renderer', 'GPU', 'browser'])
    cpu[type] = processInfo.filter((one) => one.type === type).reduce((sum, one) => sum + one.cpuTime, 0);
  const atMs = performance.now();
  const updates = await page.evaluate(() => window.panelUpdates);
  if (counted) return { ...counted, cpu, atMs, updates };
  await own.send('HeapProfiler.collectGarbage');
  const { metrics } = await own.send('Performance.getMetrics');
  const of = (name) => metrics.find((one) => one.name === name)?.value ?? Number.NaN;
  return {
    atMs,
    cpu,
    updates: [...updates],
    heapMb: of('JSHeapUsedSize') / 2 ** 20,
    nodes: of('Nodes'),
    listeners: of('JSEventListeners'),
    documents: of('Documents'),
  };
}
