// What the panels of a board, its filters and its comparison must do, against the mock.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { launch, watchFaults } from '../dev/browser.mjs';
import { saveBoard } from '../dev/mock-boards.mjs';
import { startMock } from '../dev/mock-server.mjs';

let browser;
let axe;

before(async () => {
  browser = await launch();
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
});
after(() => browser?.close());

async function open(t, { mode = 'normal', path = '/boards/operations', prepare, ...options } = {}) {
  const mock = await startMock(0, mode);
  prepare?.(mock);
  const context = await browser.newContext({
    // High enough for all panels: what is out of sight is not asked for.
    viewport: { width: 1440, height: 4200 },
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

const PANEL = '[data-testid=panel]';
const panel = (page, kind, nth = 0) => page.locator(`${PANEL}[data-kind=${kind}]`).nth(nth);
const drawn = async (page) => {
  await page.waitForSelector('[data-testid=health][data-health=live]');
  await page.waitForFunction(() => !document.querySelector('[data-testid=board] .skeleton'));
};
const parameters = (page) => Object.fromEntries(new URL(page.url()).searchParams);
const explored = (page) => page.waitForURL('**/explore?**');

test('each kind of panel shows its figures', async (t) => {
  const { page, faults } = await open(t);
  await drawn(page);
  assert.equal(await panel(page, 'table').locator('[data-testid=top-row]').count(), 8);
  await panel(page, 'table').getByText('The 8 largest are shown.').waitFor();
  assert.equal(await panel(page, 'table').locator('[data-testid=top-rest]').count(), 1);
  assert.equal(await panel(page, 'heatmap').locator('.heat-cell').count(), 7 * 24);
  await panel(page, 'heatmap').getByText('Europe/Berlin').waitFor();
  assert.equal(await panel(page, 'funnel').locator('[data-testid=funnel-step]').count(), 3);
  assert.match(await panel(page, 'funnel').textContent(), /Overall \d+\.\d% of the first step/);
  assert.ok((await panel(page, 'sankey').locator('[data-testid=sankey-link]').count()) >= 8);
  assert.match(
    await panel(page, 'gauge').locator('[data-testid=gauge-said]').textContent(),
    /Objective missed/,
  );
  assert.match(
    await panel(page, 'gauge').textContent(),
    /\d+\.\d percentage points below the objective of 92%/,
  );
  assert.match(await panel(page, 'gauge', 1).textContent(), /ms below the objective of 600\sms/);
  assert.equal(await panel(page, 'map').getAttribute('data-drawn'), '6');
  await panel(page, 'map').locator('[data-testid=map-small]').getByText('Singapore').waitFor();
  assert.equal(await panel(page, 'text').locator('p').count(), 2);
  // What the page does not know is told, and takes nothing else along.
  await page.getByText('This board shows the metric “no_such_metric”').waitFor();
  await page.getByText('a panel of the kind “hologram”').waitFor();
  assert.deepEqual(faults, []);
});

test('charts have the shape, the filter and the width that the board says', async (t) => {
  const { page, faults } = await open(t);
  await drawn(page);
  const charts = page.locator('[data-testid=chart]');
  assert.deepEqual(
    await charts.evaluateAll((all) => all.map(({ dataset }) => [dataset.shape, dataset.width])),
    [
      ['bars', 'full'],
      ['stacked', 'half'],
      ['lines', 'half'],
    ],
  );
  await charts.nth(2).getByText('PSP: adyen').waitFor();
  const boxes = await charts.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().width));
  assert.ok(boxes[0] > boxes[1] * 1.9, `full is wider than half: ${boxes}`);
  assert.equal(Math.round(boxes[1]), Math.round(boxes[2]));
  assert.deepEqual(faults, []);
});

test('figures of panels move without a touch', async (t) => {
  const { page, faults } = await open(t);
  await drawn(page);
  for (const kind of ['table', 'gauge', 'map', 'sankey']) {
    const before = Number(await panel(page, kind).getAttribute('data-updated-at'));
    await page.waitForFunction(
      ([selector, old]) => Number(document.querySelector(selector).dataset.updatedAt) > old,
      [`${PANEL}[data-kind=${kind}]`, before],
    );
  }
  assert.deepEqual(faults, []);
});

test('what is out of sight is asked for when it is scrolled to', async (t) => {
  const { page } = await open(t, { viewport: { width: 1280, height: 700 } });
  await page.waitForSelector('[data-testid=health][data-health=live]');
  await page.waitForSelector(`${PANEL}[data-kind=map]`);
  assert.equal(await panel(page, 'map').getAttribute('data-drawn'), '');
  await panel(page, 'map').scrollIntoViewIfNeeded();
  await page.waitForSelector(`${PANEL}[data-kind=map]:not([data-drawn=""])`);
});

test('one filter holds for all panels, and those that cannot obey it say so', async (t) => {
  const { page, faults } = await open(t);
  await drawn(page);
  await page.click('[data-testid=filter-add]');
  await page.selectOption('[data-testid=filter-dimension]', 'psp');
  await page.locator('[data-testid=filter-value][data-value=stripe] input').check();
  await page.waitForFunction(() => new URLSearchParams(location.search).get('where.psp') === 'stripe');
  await page.locator('[data-testid=filter-value][data-value=worldline] input').check();
  await page.waitForFunction(
    () => new URLSearchParams(location.search).get('where.psp') === 'stripe,worldline',
  );
  await page.keyboard.press('Escape');
  // The checkouts know no PSP: their tile and their table say so, and the funnel that begins with them.
  await page.locator('[data-testid=tile][data-metric=checkouts] [data-testid=filter-ignored]').waitFor();
  await panel(page, 'funnel').locator('[data-testid=filter-ignored]').waitFor();
  await panel(page, 'table', 1).getByText('Not filtered by PSP').waitFor();
  // A chart that is about another PSP has nothing left to show.
  const adyen = page.locator('[data-testid=chart]').nth(2);
  await adyen.locator('[data-testid=filter-excluded]').waitFor();
  assert.equal(await adyen.locator('canvas').count(), 0);
  await page.waitForFunction(() => {
    // How many slices the mock has declines of depends on the hour.
    const table = document.querySelector('[data-testid=panel][data-kind=table]');
    const rows = [...(table?.querySelectorAll('[data-testid=top-row]') ?? [])];
    return rows.length > 1 && rows.every(({ dataset }) => /stripe|worldline/.test(dataset.slice));
  });
  await page.reload();
  await drawn(page);
  const chip = page.locator('[data-testid=filter][data-dimension=psp]');
  await chip.getByText('stripe, worldline').waitFor();
  await page.getByRole('button', { name: 'Remove the filter by PSP' }).click();
  await chip.waitFor({ state: 'detached' });
  assert.equal(parameters(page)['where.psp'], undefined);
  assert.equal(await page.locator('[data-testid=filter-ignored]').count(), 0);
  assert.deepEqual(faults, []);
});

test('one comparison holds for tiles and charts, and the address keeps it', async (t) => {
  const { page, faults } = await open(t);
  await drawn(page);
  const tile = page.locator('[data-testid=tile]').first();
  await tile.getByText('vs last week').waitFor();
  assert.equal(await page.locator('[data-testid=chart]:not([data-ghosts="0"])').count(), 0);
  await page.selectOption('[data-testid=board-compare]', 'previous');
  await tile.getByText('vs previous period').waitFor();
  await page.waitForFunction(() => !document.querySelector('[data-testid=chart][data-ghosts="0"]'));
  await page.locator('[data-testid=chart]').first().getByText('Dotted: previous period').waitFor();
  await page.reload();
  await drawn(page);
  assert.equal(await page.inputValue('[data-testid=board-compare]'), 'previous');
  await page.selectOption('[data-testid=board-compare]', 'none');
  await tile.locator('.change').waitFor({ state: 'detached' });
  assert.equal(parameters(page).compare, 'none');
  assert.deepEqual(faults, []);
});

test('every panel leads to Explore with the range, the filters and the slice', async (t) => {
  const path = '/boards/operations?range=6h&where.country=DE,FR&compare=week';
  const { page, faults } = await open(t, { path });
  const all = { range: '6h', 'where.country': 'DE,FR' };
  const leads = async (act, expected) => {
    await act();
    await explored(page);
    await page.waitForSelector('[data-testid=explore]');
    assert.deepEqual(parameters(page), expected);
    await page.goBack();
    await page.waitForURL('**/boards/operations?**');
    await drawn(page);
  };
  await drawn(page);
  await leads(() => page.locator('[data-testid=tile]').nth(1).click(), {
    ...all,
    metric: 'payment_volume',
    compare: 'week',
  });
  const row = panel(page, 'table').locator('[data-testid=top-row]').first();
  const slice = Object.fromEntries(JSON.parse(await row.getAttribute('data-slice')));
  await leads(() => row.click({ position: { x: 400, y: 10 } }), {
    ...all,
    metric: 'declined_attempts',
    'where.issuer': slice.issuer,
    'where.psp': slice.psp,
    compare: 'week',
  });
  const node = panel(page, 'sankey').locator('[data-testid=sankey-node][data-column="1"]').first();
  await leads(() => node.click(), {
    ...all,
    metric: 'payment_attempts',
    by: 'method,issuer',
    'where.psp': 'adyen',
  });
  await leads(() => panel(page, 'map').locator('.country[data-code=DE]').click(), {
    metric: 'payment_volume',
    range: '6h',
    'where.country': 'DE',
  });
  await leads(() => panel(page, 'funnel').getByRole('link', { name: 'Payment tried' }).click(), {
    ...all,
    metric: 'payment_attempts',
  });
  const chart = page.locator('[data-testid=chart]').nth(1);
  const legend = chart.locator('[data-testid=slice][data-slice=stripe]');
  await legend.hover();
  await leads(() => legend.getByRole('link', { name: 'Explore stripe' }).click(), {
    ...all,
    metric: 'payment_volume',
    compare: 'week',
    chart: 'stacked',
    'where.psp': 'stripe',
  });
  // The lowest layer of the stack is the first PSP.
  const box = await chart.locator('.chart').boundingBox();
  await leads(() => chart.locator('.chart').click({ position: { x: box.width * 0.6, y: box.height - 40 } }), {
    ...all,
    metric: 'payment_volume',
    compare: 'week',
    chart: 'stacked',
    'where.psp': 'adyen',
  });
  assert.deepEqual(faults, []);
});

test('panels are read by keyboard', async (t) => {
  const { page, faults } = await open(t);
  await drawn(page);
  const heat = panel(page, 'heatmap').locator('.heat');
  await heat.focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  await panel(page, 'heatmap')
    .getByText(/Tuesday, 00:00–01:00: [\d,.]+ on average \(hours: \d+\)/)
    .waitFor();
  for (const kind of ['heatmap', 'sankey', 'map']) {
    await panel(page, kind).locator('summary').focus();
    await page.keyboard.press('Enter');
    await panel(page, kind).locator('.as-table table').waitFor();
  }
  assert.equal(await panel(page, 'heatmap').locator('.as-table tbody tr').count(), 24);
  await panel(page, 'map').locator('.as-table').getByRole('link', { name: 'Singapore' }).waitFor();
  await panel(page, 'sankey').locator('[data-testid=sankey-node]').first().focus();
  await panel(page, 'sankey').locator('.panel-readout').getByText('card:').waitFor();
  await panel(page, 'table').getByRole('button', { name: 'Issuer' }).press('Enter');
  await page.waitForSelector('.top-table th[aria-sort=ascending]');
  await page.locator('[data-testid=tile-link]').first().focus();
  await page.keyboard.press('Enter');
  await explored(page);
  assert.deepEqual(faults, []);
});

test('amounts in several currencies are neither added up nor compared', async (t) => {
  const { page, faults } = await open(t, { path: '/boards/payments' });
  await page.route('**/v1/metrics', async (route) => {
    const { metrics } = await (await route.fetch()).json();
    await route.fulfill({
      json: {
        metrics: metrics.map((one) => (one.name === 'payment_volume' ? { ...one, unit: 'currency' } : one)),
      },
    });
  });
  await page.route('**/v1/boards/operations', async (route) => {
    const board = await (await route.fetch()).json();
    const metric = 'payment_volume';
    const panels = [
      { kind: 'map', metric },
      { kind: 'sankey', metric, by: ['method', 'psp'] },
      { kind: 'table', metric, by: ['country'], top: 3 },
    ];
    await route.fulfill({ json: { ...board, panels } });
  });
  await page.goto(page.url().replace('payments', 'operations'));
  for (const kind of ['map', 'sankey'])
    await panel(page, kind).getByText('These amounts are each in their own currency').waitFor();
  await panel(page, 'table').locator('[data-testid=top-row]').nth(2).waitFor();
  assert.equal(await panel(page, 'table').locator('.cell-bar, .top-share, tfoot').count(), 0);
  assert.deepEqual(faults, []);
});

test('nothing that data says becomes markup in any panel', async (t) => {
  const { page, faults } = await open(t, { mode: 'hostile' });
  await drawn(page);
  const text = await page.textContent('[data-testid=board]');
  assert.match(text, /<img src=x onerror=/);
  await panel(page, 'map').locator('[data-testid=map-unknown]').getByText('constructor').waitFor();
  for (const kind of ['sankey', 'map']) await panel(page, kind).locator('summary').click();
  await panel(page, 'sankey').locator('[data-testid=sankey-node][data-column="1"]').first().hover();
  assert.equal(await page.locator('#root img, #root script').count(), 0);
  assert.equal(await page.title(), 'Operations · Tillwatch');
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await panel(page, 'table').locator('[data-testid=top-row] a').first().click();
  await explored(page);
  await page.waitForSelector('[data-testid=filter]');
  assert.equal(await page.locator('#root img, #root script').count(), 0);
  assert.deepEqual(faults, []);
});

test('each panel has its state while it is empty, loading, failing and stale', async (t) => {
  const { page, mock } = await open(t, { mode: 'loading' });
  await page.waitForSelector(`${PANEL}[data-kind=table][aria-busy=true] .skeleton`);
  await page.waitForSelector(`${PANEL}[data-kind=gauge][aria-busy=true] .skeleton`);
  mock.setMode('empty');
  await page.reload();
  for (const kind of ['table', 'funnel', 'sankey', 'map'])
    await panel(page, kind).getByText('No data in the last hour').waitFor();
  await panel(page, 'heatmap').getByText('No data in the last 2 weeks').waitFor();
  await panel(page, 'gauge').getByText('No figure to compare with the objective of 92%').waitFor();
  mock.setMode('error');
  await page.reload();
  for (const kind of ['table', 'heatmap', 'funnel', 'sankey', 'gauge', 'map'])
    await panel(page, kind).getByText('over its memory limit').waitFor();
  mock.setMode('normal');
  await drawn(page);
  await page.waitForSelector(`${PANEL}[data-kind=map]:not([data-drawn=""])`);
  mock.setMode('down');
  await page.waitForSelector('[data-testid=board][data-health=reconnecting]');
  assert.equal(
    await panel(page, 'table').locator('[data-testid=top-row]').count(),
    8,
    'the last figures stay',
  );
});

test('what shows a metric that is not defined any more says so under its title, and a table goes without its column', async (t) => {
  const { page, faults } = await open(t, {
    path: '/boards/left',
    prepare: ({ state }) =>
      saveBoard(state, 'left', {
        title: { en: 'Left' },
        tiles: [{ metric: 'gone_rate', title: { en: 'My tile' } }],
        charts: [{ metric: 'gone_rate', title: { en: 'My chart' } }],
        panels: [
          { kind: 'gauge', metric: 'gone_rate', objective: '0.9', title: { en: 'My gauge' } },
          { kind: 'table', metric: 'payment_attempts', by: ['psp'], also: ['gone_rate', 'payment_volume'] },
        ],
      }),
  });
  const unknown = page.locator('[data-testid=unknown-metric]');
  for (const title of ['My tile', 'My chart', 'My gauge'])
    await unknown.filter({ hasText: title }).getByText('“gone_rate”, which is not defined').waitFor();
  assert.equal(await unknown.count(), 3);
  const table = panel(page, 'table');
  await table.locator('[data-testid=missing-column]').getByText('gone_rate').waitFor();
  const heads = await table.locator('thead th').allTextContents();
  assert.equal(heads.filter((head) => /Approved volume/.test(head)).length, 1);
  assert.ok(!heads.some((head) => /Gone/.test(head)));
  assert.deepEqual(faults, []);
});

test('a panel whose code does not come fails alone', async (t) => {
  const { page, mock } = await open(t, { path: '/explore' });
  await page.route('**/assets/GaugePanel-*.js', (route) => route.abort());
  await page.goto(`${mock.url}/boards/operations`);
  await page.waitForSelector('[data-testid=panel-failed]');
  await panel(page, 'table').locator('[data-testid=top-row]').first().waitFor();
  assert.equal(await panel(page, 'gauge').count(), 0);
  await page.unroute('**/assets/GaugePanel-*.js');
  await page.locator('[data-testid=panel-failed]').getByRole('button', { name: 'Reload' }).first().click();
  await panel(page, 'gauge').first().waitFor();
});

test('a filter leaves the incidents of its own slices on the charts', async (t) => {
  const { page, faults } = await open(t, { path: '/boards/payments?where.psp=stripe' });
  const flags = page.locator('[data-testid=chart][data-metric=authorization_rate] .flag');
  await flags.first().waitFor();
  // Those of all PSPs that are no matter of one: the one by method.
  assert.equal(await flags.count(), 1);
  await page.getByRole('button', { name: 'Remove the filter by PSP' }).click();
  await flags.nth(1).waitFor();
  assert.deepEqual(faults, []);
});

test('the words are Chinese where the page is, and hours are those of the zone that is chosen', async (t) => {
  const { page, faults } = await open(t, { locale: 'zh-CN', timezoneId: 'Asia/Kolkata' });
  await drawn(page);
  await panel(page, 'gauge').getByText('未达目标').waitFor();
  await panel(page, 'map').getByText('德国').first().waitFor();
  await panel(page, 'funnel').getByText('流失最多').waitFor();
  assert.equal(await panel(page, 'heatmap').getAttribute('data-step'), '1800000');
  assert.deepEqual(faults, []);
});

for (const [width, colorScheme, locale] of [
  [360, 'light', 'en-GB'],
  [1440, 'dark', 'en-GB'],
  [1440, 'light', 'zh-CN'],
  [3840, 'light', 'en-GB'],
]) {
  test(`no accessibility finding and no sideways scrolling at ${width} px, ${colorScheme}, ${locale}`, async (t) => {
    const path = '/boards/operations?where.method=card,paypal&compare=week';
    const { page } = await open(t, { path, viewport: { width, height: 9_000 }, colorScheme, locale });
    await drawn(page);
    await page.waitForSelector(`${PANEL}[data-kind=map]:not([data-drawn=""])`);
    for (const details of await page.locator('.as-table').all()) await details.locator('summary').click();
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() =>
      window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }),
    );
    assert.deepEqual(
      violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`),
      [],
    );
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  });
}
