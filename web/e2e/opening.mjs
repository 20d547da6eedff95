// What page tests begin with: one browser a file, and for each test a mock server, a context and a page of its own.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before } from 'node:test';
import { launch, watchFaults } from '../dev/browser.mjs';
import { startMock } from '../dev/mock-server.mjs';

/** A browser starts slowly on a machine that others use. */
const START_MS = 60_000;
let browser;
let axe;

/**
 * A way to open a page, for one file of tests. Call it once at the top. What is given to `open` beside `mode`, `path` and
 * `prepare`, which sees the mock before the page does, goes to the browser's context.
 */
export function opening({ path: usual = '/', ...defaults } = {}) {
  before(async () => {
    browser = await launch();
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  });
  after(() => browser?.close());
  return async function open(t, { mode = 'normal', path = usual, prepare, ...options } = {}) {
    const mock = await startMock(0, mode);
    prepare?.(mock);
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
      ...defaults,
      ...options,
    });
    t.after(async () => {
      await context.close();
      await mock.close();
    });
    const page = await context.newPage();
    page.setDefaultTimeout(START_MS);
    const faults = watchFaults(page);
    await page.goto(mock.url + path, { timeout: START_MS });
    return { page, mock, faults, context };
  };
}

/** No finding of axe by WCAG 2.2 AA, and nothing to scroll sideways. */
export async function assertUsable(page) {
  // The CSP of the page forbids injected scripts, as it should; axe comes in through the debugger.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }),
  );
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`),
    [],
  );
  assert.ok(
    await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
    'the page is not wider than the window',
  );
}
