// What the page itself must do, against the mock: the states that a real server cannot be asked for.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { launch, watchFaults } from '../dev/browser.mjs';
import { startMock, TOKEN } from '../dev/mock-server.mjs';

let browser;
let axe;

before(async () => {
  browser = await launch();
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
});
after(() => browser?.close());

async function open(t, { mode = 'normal', path = '/boards/payments', ...options } = {}) {
  const mock = await startMock(0, mode);
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    locale: 'en-GB',
    ...options,
  });
  t.after(async () => {
    await context.close();
    await mock.close();
  });
  const page = await context.newPage();
  const faults = watchFaults(page);
  await page.goto(mock.url + path, { timeout: 60_000 });
  return { page, mock, faults };
}

const live = (page) => page.waitForSelector('[data-testid=health][data-health=live]', { timeout: 60_000 });
const tileValue = (page) => page.getAttribute('[data-testid=tile][data-kind=count]', 'data-value');

test('the first board is the home page, and figures move without a touch', async (t) => {
  const { page, faults } = await open(t, { path: '/' });
  await page.waitForURL('**/boards/payments');
  await live(page);
  const before = await page.getAttribute('[data-testid=chart]', 'data-updated-at');
  await page.waitForFunction(
    (old) => document.querySelector('[data-testid=chart]').dataset.updatedAt > old,
    before,
  );
  assert.deepEqual(faults, []);
});

test('after a restart of the server the page is live again without a reload', async (t) => {
  const { page, mock } = await open(t);
  await live(page);
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  mock.setMode('down');
  await page.waitForSelector('[data-testid=health][data-health=reconnecting]');
  await page.waitForSelector('[data-testid=banner][data-kind=lost]');
  assert.notEqual(await tileValue(page), '', 'the last figures stay');
  mock.setMode('recovering');
  await page.waitForSelector('[data-testid=banner][data-kind=recovering]', { timeout: 60_000 });
  mock.setMode('normal');
  await live(page);
  await page.waitForSelector('[data-testid=banner]', { state: 'detached' });
  assert.equal(await page.evaluate(() => window.sameDocument), true);
});

test('a page opened while the server is away fills when it comes', async (t) => {
  const { page, mock } = await open(t, { mode: 'recovering' });
  await page.waitForSelector('[role=alert]');
  mock.setMode('normal');
  await live(page);
  await page.waitForSelector('[data-testid=tile]:not([data-value=""])');
});

test('a server with tokens is used after its token is entered, and a wrong one is told', async (t) => {
  const { page } = await open(t, { mode: 'locked' });
  await page.fill('[data-testid=access] input', 'not-the-token');
  await page.click('[data-testid=access] button');
  await page.getByText('The server does not accept this token.').waitFor();
  await page.fill('[data-testid=access] input', TOKEN);
  await page.click('[data-testid=access] button');
  await live(page);
  await page.waitForSelector('[data-testid=tile]:not([data-value=""])');
  await page.reload();
  await live(page);
});

test('a metric that a reload has removed leaves the board, and the rest stays live', async (t) => {
  const { page, mock } = await open(t);
  await live(page);
  await page.waitForSelector('[data-testid=chart][data-metric=latency_p95]');
  mock.setMode('reloaded');
  await page.waitForSelector('[data-testid=chart][data-metric=latency_p95]', { state: 'detached' });
  await page.getByText('This board shows the metric “latency_p95”').first().waitFor();
  await live(page);
});

test('the range is in the URL and survives a reload', async (t) => {
  const { page, faults } = await open(t);
  await live(page);
  await page.getByRole('radio', { name: '6 h', exact: true }).check({ force: true });
  await page.waitForURL('**?range=6h');
  await page.reload();
  await page.waitForSelector('[data-testid=board][data-range="6h"]');
  await page.selectOption('[data-testid=chart] select', 'method');
  await page.waitForURL(/by=authorization_rate\.method/);
  await page.waitForSelector('[data-testid=chart][data-by=method] [data-slice=paypal]');
  assert.deepEqual(faults, []);
});

test('nothing that data says becomes markup, a title or a script', async (t) => {
  const { page, faults } = await open(t, { mode: 'hostile' });
  await live(page);
  await page.waitForSelector('[data-testid=slice]');
  await page.hover('[data-testid=chart] .chart', { position: { x: 300, y: 100 } });
  await page.waitForSelector('.readout');
  const text = await page.textContent('.readout');
  assert.match(text, /<img src=x onerror=/);
  assert.match(text, /\{a\|rich\}/);
  assert.equal(await page.locator('#root img, #root script').count(), 0);
  assert.equal(await page.title(), 'Payments · Tillwatch');
  assert.deepEqual(faults, []);
});

test('every control is reached and used by keyboard', async (t) => {
  const { page } = await open(t);
  await live(page);
  await page.waitForSelector('.chart');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  await page.focus('[data-testid=chart] .chart');
  await page.keyboard.press('ArrowLeft');
  await page.waitForSelector('.readout');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.readout', { state: 'detached' });
  await page.focus('[data-testid=incident] summary');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Acknowledge' }).press('Enter');
  await page.waitForSelector('[data-incident=inc_01JDR8][data-state=acknowledged]');
});

test('language, theme and time zone change at once and are remembered', async (t) => {
  const { page, faults } = await open(t, { timezoneId: 'Asia/Shanghai' });
  await live(page);
  await page.selectOption('[data-testid=language]', 'zh');
  await page.getByRole('heading', { level: 1, name: '支付' }).waitFor();
  await page.click('[data-testid=theme]');
  await page.click('[data-testid=theme]');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await page.reload();
  await page.getByRole('heading', { level: 1, name: '支付' }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-CN');
  await page.getByText('Asia/Shanghai (UTC+08:00)').waitFor({ state: 'attached' });
  assert.deepEqual(faults, []);
});

for (const [width, colorScheme] of [
  [360, 'light'],
  [1280, 'dark'],
  [1280, 'light'],
  [3840, 'light'],
]) {
  test(`no accessibility finding and no sideways scrolling at ${width} px, ${colorScheme}`, async (t) => {
    const { page } = await open(t, { viewport: { width, height: 900 }, colorScheme });
    await live(page);
    await page.waitForSelector('.chart .flag');
    await page.evaluate(() =>
      document.querySelector('[data-testid=incident] details').setAttribute('open', ''),
    );
    // The CSP of the page forbids injected scripts, as it should; axe comes in through the debugger.
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() =>
      window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }),
    );
    assert.deepEqual(
      violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`),
      [],
    );
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  });
}

test('the switch draws what is expected of the rest of the day, and the address keeps it', async (t) => {
  const { page, faults } = await open(t, { path: '/boards/payments?range=24h' });
  await live(page);
  assert.equal(await page.locator('[data-testid=chart]:not([data-outlook="0"])').count(), 0);
  await page.check('[data-testid=forecast-switch]');
  await page.waitForURL('**/boards/payments?range=24h&forecast=on');
  // Stacks and charts without a split have one, a rate by PSP has none and says so.
  const volume = page.locator('[data-testid=chart][data-metric=payment_volume]:not([data-outlook="0"])');
  await volume.waitFor();
  await volume.getByText('Expected today: EUR').waitFor();
  const rate = page.locator('[data-testid=chart][data-metric=authorization_rate]');
  await rate.getByText('No forecast of a split').waitFor();
  await rate.locator('select').selectOption('');
  await page.waitForSelector('[data-metric=authorization_rate]:not([data-outlook="0"])');
  await rate.locator('.chart').focus();
  await page.keyboard.press('End');
  await rate.locator('.readout').getByText('Expected').waitFor();
  await page.uncheck('[data-testid=forecast-switch]');
  await page.waitForFunction(() => !document.querySelector('[data-testid=chart]:not([data-outlook="0"])'));
  assert.deepEqual(faults, []);
});

test('a range too short to look ahead has no forecast, and too little history is told', async (t) => {
  const { page, mock } = await open(t, { path: '/boards/payments?range=1h&forecast=on' });
  await live(page);
  assert.equal(await page.isDisabled('[data-testid=forecast-switch]'), true);
  assert.equal(await page.locator('[data-testid=day-forecast]').count(), 0);
  mock.state.traffic.forecast = () => ({
    forecasts: [{ by: {}, status: 'learning', points: [], day: null }],
  });
  await page.getByRole('radio', { name: '24 h' }).check();
  await page.getByText('No forecast yet: history is too short').first().waitFor();
});
