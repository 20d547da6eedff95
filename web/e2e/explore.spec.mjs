// What the page for exploring a metric must do, against the mock.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { launch, watchFaults } from '../dev/browser.mjs';
import { startMock } from '../dev/mock-server.mjs';

let browser;
let axe;

before(async () => {
  browser = await launch();
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
});
after(() => browser?.close());

async function open(t, path, { mode = 'normal', ...options } = {}) {
  const mock = await startMock(0, mode);
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    ...options,
  });
  t.after(async () => {
    await context.close();
    await mock.close();
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const faults = watchFaults(page);
  await page.goto(mock.url + path, { timeout: 60_000 });
  return { page, mock, faults };
}

const CHART = '[data-testid=explore-chart]';
const drawn = (page) => page.waitForSelector(`${CHART} canvas`);
const plot = (page) => page.locator(`${CHART} .chart`);
const parameter = (page, name) => new URL(page.url()).searchParams.get(name);
const until = (page, check, argument) => page.waitForFunction(check, argument);

test('a metric is found by its words and opened by keyboard', async (t) => {
  const { page, faults } = await open(t, '/explore');
  await page.fill('[data-testid=metric-search]', 'declined');
  assert.equal(await page.locator('[data-testid=metric-option]').count(), 1);
  await page.press('[data-testid=metric-search]', 'Enter');
  await page.waitForURL('**/explore?metric=declined_attempts');
  await drawn(page);
  assert.equal(await page.title(), 'Declined attempts · Explore · Tillwatch');
  // Another one from the head of the page.
  await page.click('[data-testid=metric-picker]');
  await page.keyboard.type('latency');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/explore?metric=latency_p95');
  await page.goBack();
  await page.waitForURL('**/explore?metric=declined_attempts');
  assert.deepEqual(faults, []);
});

test('a metric is called by its title in the reader’s language, and in words where it has none', async (t) => {
  const { page } = await open(t, '/explore?metric=payment_volume', { locale: 'zh-CN' });
  await drawn(page);
  assert.match(await page.title(), /^成交金额 · /);
  assert.match(await page.textContent('[data-testid=metric-picker]'), /成交金额/);
  await page.click('[data-testid=metric-picker]');
  await page.keyboard.type('成交');
  assert.equal(await page.locator('[data-testid=metric-option]').count(), 1);
  await page.keyboard.press('Escape');
  await page.goto(`${new URL(page.url()).origin}/explore?metric=declined_attempts`);
  await drawn(page);
  assert.match(await page.title(), /^Declined attempts · /);
});

test('a figure moves without a touch', async (t) => {
  const { page, faults } = await open(t, '/explore?metric=payment_attempts&by=psp');
  await page.waitForSelector('[data-testid=health][data-health=live]');
  await page.waitForSelector('[data-testid=slice]:not([data-value=""])');
  const before = await page.getAttribute('[data-testid=slice]', 'data-value');
  await until(page, (old) => document.querySelector('[data-testid=slice]').dataset.value !== old, before);
  assert.deepEqual(faults, []);
});

test('the whole state is in the address and survives a reload', async (t) => {
  const { page, faults } = await open(t, '/explore?metric=payment_volume');
  await drawn(page);
  await page.getByRole('radio', { name: '24 h', exact: true }).check({ force: true });
  await page.selectOption('[data-testid=split]', 'psp');
  await page.selectOption('[data-testid=split-second]', 'method');
  await page.selectOption('[data-testid=step]', { label: '30 mins' });
  await page.selectOption('[data-testid=compare]', 'week');
  await page.getByRole('radio', { name: 'Bars' }).check({ force: true });
  await page.waitForURL('**chart=bars**');
  const address = new URL(page.url()).search;
  assert.equal(address, '?metric=payment_volume&range=24h&step=30m&by=psp%2Cmethod&compare=week&chart=bars');
  await page.reload();
  await drawn(page);
  await page.waitForSelector(
    `${CHART}[data-drawing=bars][data-by="psp,method"][data-step="1800000"][data-ghosts="1"]`,
  );
  assert.equal(new URL(page.url()).search, address);
  assert.deepEqual(faults, []);
});

test('a filter is chosen from the values of the data, and typed where it is not among them', async (t) => {
  const { page, faults } = await open(t, '/explore?metric=payment_attempts');
  await drawn(page);
  await page.click('[data-testid=filter-add]');
  await page.selectOption('[data-testid=filter-dimension]', 'method');
  await page.locator('[data-testid=filter-value][data-value=paypal] input').check();
  await until(page, () => new URLSearchParams(location.search).get('where.method') === 'paypal');
  await page.fill('[data-testid=filter-search]', 'a,b');
  await page.press('[data-testid=filter-search]', 'Enter');
  await until(page, () => new URLSearchParams(location.search).get('where.method') === 'paypal,a\\,b');
  await page.keyboard.press('Escape');
  await page.locator('[data-testid=filter][data-dimension=method]').getByText('paypal, a,b').waitFor();
  await page.getByRole('button', { name: 'Remove the filter by Method' }).click();
  await page.waitForSelector('[data-testid=filter]', { state: 'detached' });
  assert.deepEqual(faults, []);
});

test('a row draws its slice alone, joins another, and becomes a filter', async (t) => {
  const { page, faults } = await open(t, '/explore?metric=payment_attempts&by=psp');
  await page.waitForSelector(`${CHART}[data-series="4"]`);
  const row = (name) => page.locator(`[data-testid=slice][data-slice=${name}]`);
  await row('stripe').getByRole('button', { name: 'stripe', exact: true }).click();
  await page.waitForSelector(`${CHART}[data-series="1"]`);
  assert.equal(parameter(page, 'only'), 'stripe');
  await row('adyen')
    .getByRole('button', { name: 'adyen', exact: true })
    .click({ modifiers: ['Shift'] });
  await page.waitForSelector(`${CHART}[data-series="2"]`);
  await row('adyen').getByRole('button', { name: 'Look at adyen only' }).click();
  await page.waitForSelector('[data-testid=filter][data-dimension=psp]');
  assert.equal(parameter(page, 'by'), null);
  assert.equal(parameter(page, 'where.psp'), 'adyen');
  await page.goBack();
  await page.waitForSelector(`${CHART}[data-series="2"]`);
  assert.deepEqual(faults, []);
});

test('the table is sorted by any column and shows every digit', async (t) => {
  const { page, faults } = await open(t, '/explore?metric=payment_volume&by=method&compare=previous');
  await page.waitForSelector('[data-testid=slice]:not([data-value=""])');
  const names = () => page.$$eval('[data-testid=slice]', (rows) => rows.map((row) => row.dataset.slice));
  assert.equal((await names())[0], 'card');
  await page.getByRole('button', { name: 'Slice' }).click();
  assert.equal((await names())[0], 'apple_pay');
  assert.equal(parameter(page, 'sort'), 'name');
  await page.locator('.change-text').first().waitFor();
  await page.getByText('All digits').click();
  const exact = await page.locator('[data-testid=slice-whole] data').textContent();
  assert.match(exact, /^[\d,]+\.\d\d$/);
  await page.getByRole('button', { name: 'Total (EUR)' }).waitFor();
  assert.deepEqual(faults, []);
});

test('a stretch that is brushed and a step that is clicked are zoomed to, and back undoes it', async (t) => {
  const { page, faults } = await open(t, '/explore?metric=payment_attempts&range=24h');
  await drawn(page);
  await page.waitForTimeout(500);
  const box = await plot(page).boundingBox();
  const at = (share) => [box.x + box.width * share, box.y + box.height / 2];
  await page.mouse.move(...at(0.3));
  await page.mouse.down();
  await page.mouse.move(...at(0.45), { steps: 4 });
  await page.waitForSelector('.brush');
  await page.mouse.move(...at(0.6), { steps: 4 });
  await page.mouse.up();
  await page.waitForURL('**from=**');
  const length = Date.parse(parameter(page, 'to')) - Date.parse(parameter(page, 'from'));
  assert.ok(length > 6 * 3_600_000 && length < 9 * 3_600_000, String(length));
  await page.waitForSelector(`${CHART}[data-step="300000"] canvas`);
  await page.waitForTimeout(300);
  await page.mouse.click(...at(0.5));
  await until(
    page,
    (old) => {
      const { searchParams } = new URL(location.href);
      return Date.parse(searchParams.get('to')) - Date.parse(searchParams.get('from')) < old / 10;
    },
    length,
  );
  await page.goBack();
  await page.goBack();
  await page.waitForURL('**/explore?metric=payment_attempts&range=24h');
  assert.deepEqual(faults, []);
});

test('the same by keyboard', async (t) => {
  const { page, faults } = await open(t, '/explore?metric=payment_attempts');
  await drawn(page);
  await page.waitForTimeout(500);
  await plot(page).focus();
  await page.keyboard.press('ArrowLeft');
  for (let i = 0; i < 30; i += 1) await page.keyboard.press('ArrowLeft');
  await page.waitForSelector('.readout');
  for (let i = 0; i < 20; i += 1) await page.keyboard.press('Shift+ArrowLeft');
  await page.waitForSelector('.brush');
  await page.keyboard.press('Enter');
  await page.waitForURL('**from=**');
  await plot(page).focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.readout', { state: 'detached' });
  assert.deepEqual(faults, []);
});

test('a finger reads a step first and chooses it with the second touch', async (t) => {
  const options = { hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } };
  const { page, faults } = await open(t, '/explore?metric=payment_attempts&range=24h', options);
  await drawn(page);
  await page.waitForTimeout(500);
  const box = await plot(page).boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.touchscreen.tap(x, y);
  await page.waitForSelector('.readout');
  assert.equal(parameter(page, 'from'), null);
  await page.touchscreen.tap(x, y);
  await page.waitForURL('**from=**');
  assert.deepEqual(faults, []);
});

test('any other time is given by the clock of the reader, and a wrong one is told', async (t) => {
  const { page, faults } = await open(t, '/explore?metric=payment_volume');
  await drawn(page);
  await page.click('[data-testid=time-custom]');
  await page.fill('[data-testid=time-from]', '2026-01-10T12:00');
  await page.fill('[data-testid=time-to]', '2026-01-10T11:00');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.getByText('The end must be after the beginning.').waitFor();
  await page.fill('[data-testid=time-to]', '2026-01-10T18:00');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.waitForURL('**from=2026-01-10T11%3A00%3A00Z&to=2026-01-10T17%3A00%3A00Z');
  await page.getByText('No data:').waitFor();
  await page.click('[data-testid=time-custom]');
  await page.getByRole('button', { name: 'Today' }).click();
  await page.waitForSelector('[data-testid=health][data-health=live]');
  await drawn(page);
  assert.deepEqual(faults, []);
});

test('the past, what is to come and incidents are drawn, and a flag leads to its incident', async (t) => {
  const { page, faults } = await open(
    t,
    '/explore?metric=authorization_rate&range=6h&compare=week&forecast=on',
  );
  await page.waitForSelector(`${CHART}[data-ghosts="1"]:not([data-outlook="0"]):not([data-markers="0"])`);
  await plot(page).focus();
  for (let i = 0; i < 5; i += 1) await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Home');
  await page.locator('.readout').getByText('last week').waitFor();
  await page.locator('.flag').first().press('Enter');
  await page.waitForURL('**/incidents/inc_**');
  assert.deepEqual(faults, []);
});

test('a filter leaves the incidents of its own slice', async (t) => {
  const { page } = await open(
    t,
    '/explore?metric=authorization_rate&range=6h&where.psp=stripe&where.method=card',
  );
  await drawn(page);
  await page.waitForSelector(`${CHART}[data-markers="0"]`);
});

test('the query behind the chart, its address and its figures can be taken away', async (t) => {
  const permissions = ['clipboard-read', 'clipboard-write'];
  const { page, faults } = await open(t, '/explore?metric=payment_volume&by=psp&compare=previous', {
    permissions,
  });
  await page.waitForSelector(`${CHART}[data-series="4"][data-ghosts="1"]`);
  await page.click('[data-testid=copy-link]');
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), page.url());

  const take = async (entry) => {
    await page.click('[data-testid=export]');
    const [file] = await Promise.all([page.waitForEvent('download'), page.click(`[data-testid="${entry}"]`)]);
    return { name: file.suggestedFilename(), body: await readFile(await file.path()) };
  };
  const courses = await take('export.chart');
  assert.match(courses.name, /^tillwatch_Approved-volume-by-PSP_.*\.csv$/);
  const lines = courses.body.toString('utf8').split('\r\n');
  assert.match(
    lines[0],
    /start \(UTC\),start \(Europe\/Berlin\),adyen \(EUR\),"adyen, previous period \(EUR\)"/,
  );
  assert.match(lines[5], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,"?[^"]*"?,\d+\.\d\d,\d+\.\d\d,/);
  const table = await take('export.table');
  assert.match(table.body.toString('utf8'), /Slice,Total \(EUR\),/);
  const picture = await take('export.picture');
  assert.match(picture.name, /\.png$/);
  assert.deepEqual([...picture.body.subarray(1, 4)], [...Buffer.from('PNG')]);

  await page.click('[data-testid=open-sql]');
  await page.waitForURL('**/sql?q=**');
  assert.match(parameter(page, 'q'), /measure\(payment_volume\)\nfrom payment_attempts\n/);
  assert.deepEqual(faults, []);
});

test('what a metric does not have is dropped, and an unknown metric is told', async (t) => {
  const { page } = await open(t, '/explore?metric=payment_attempts&by=nothing,psp&where.nothing=x&step=7s');
  await page.waitForSelector(`${CHART}[data-by=psp][data-step="30000"]`);
  assert.equal(await page.locator('[data-testid=filter]').count(), 0);
  await page.goto(new URL('/explore?metric=gone', page.url()).href);
  await page.getByText('There is no metric “gone”.').waitFor();
});

test('after a restart of the server the page is live again without a reload', async (t) => {
  const { page, mock } = await open(t, '/explore?metric=payment_attempts&by=psp');
  await page.waitForSelector('[data-testid=health][data-health=live]');
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  mock.setMode('down');
  await page.waitForSelector('[data-testid=health][data-health=reconnecting]');
  assert.ok((await page.locator('[data-testid=slice]').count()) > 0, 'the last figures stay');
  mock.setMode('normal');
  await page.waitForSelector('[data-testid=health][data-health=live]');
  assert.equal(await page.evaluate(() => window.sameDocument), true);
});

test('a page opened while the server fails says why and fills when it does not', async (t) => {
  const { page, mock } = await open(t, '/explore?metric=payment_attempts&by=psp', { mode: 'error' });
  await page.locator(CHART).getByText('over its memory limit').waitFor();
  mock.setMode('normal');
  await drawn(page);
});

test('nothing that data says becomes markup or a formula', async (t) => {
  const { page, faults } = await open(t, '/explore?metric=payment_volume&by=psp', { mode: 'hostile' });
  await page.waitForSelector('[data-testid=slice]');
  await page.locator('[data-testid=slice] button.slice-name').first().click();
  await page.waitForSelector(`${CHART}[data-series="1"]`);
  await page.reload();
  await page.waitForSelector(`${CHART}[data-series="1"]`);
  assert.equal(await page.locator('#root img, #root script').count(), 0);
  assert.deepEqual(faults, []);
});

for (const [width, colorScheme] of [
  [360, 'light'],
  [1440, 'dark'],
  [1440, 'light'],
  [3840, 'light'],
]) {
  test(`no accessibility finding and no sideways scrolling at ${width} px, ${colorScheme}`, async (t) => {
    const path = '/explore?metric=authorization_rate&range=6h&by=psp&where.method=card,paypal&compare=week';
    const { page } = await open(t, path, { viewport: { width, height: 900 }, colorScheme });
    await drawn(page);
    await page.waitForSelector('[data-testid=slice]:not([data-value=""])');
    // What lies below a panel is half hidden by it, and not what is looked at.
    const check = async (part) => {
      await page.evaluate(axe);
      const { violations } = await page.evaluate(
        (within) =>
          window.axe.run(within ?? document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }),
        part,
      );
      const found = violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`,
      );
      assert.deepEqual(found, []);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    };
    await check();
    for (const panel of ['metric-picker', 'time-custom', 'filter-add', 'export']) {
      await page.click(`[data-testid=${panel}]`);
      await page.waitForSelector('.popover-panel');
      await check('.popover-panel');
      await page.keyboard.press('Escape');
      await page.waitForSelector('.popover-panel', { state: 'detached' });
    }
  });
}
