// Every page of a real server whose data, definitions and notes are full of markup and script:
//   TILLWATCH_URL=http://127.0.0.1:7878 node --test e2e/hostile.spec.mjs          (tests/demo/test_hostile.py fills the server)
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { launch, watchFaults } from '../dev/browser.mjs';

const url = process.env.TILLWATCH_URL?.replace(/\/$/, '');
const DEADLINE_MS = 60_000;
const MARKUP = '<img src=x onerror=';
let browser;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function open(t, path, locale = 'en-GB') {
  // High enough for all panels: what is out of sight is not asked for.
  const context = await browser.newContext({ viewport: { width: 1440, height: 4200 }, locale });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE_MS);
  const faults = watchFaults(page);
  await page.goto(`${url}${path}`, { timeout: DEADLINE_MS });
  return { page, faults };
}

/** Nothing ran, nothing was made of a name but text, and nothing leads out of the page by a script. */
async function isClean(page, faults) {
  const found = await page.evaluate(() => {
    const handlers = [...document.querySelectorAll('*')].filter((element) =>
      element.getAttributeNames().some((name) => name.startsWith('on')),
    );
    const links = [...document.querySelectorAll('a[href], area[href], form[action]')];
    return {
      ran: window.__hostile,
      elements: document.querySelectorAll(
        'body :is(img, script:not([src]), iframe, object, embed, base, meta)',
      ).length,
      handlers: handlers.length,
      links: links.filter((link) => /^\s*(javascript|data|vbscript):/i.test(link.getAttribute('href') ?? ''))
        .length,
      polluted: {}.__hostile,
    };
  });
  assert.deepEqual(found, { ran: undefined, elements: 0, handlers: 0, links: 0, polluted: undefined });
  assert.deepEqual(faults, []);
}

/** Moves the pointer over everything drawn, so that each tooltip and readout has been shown. */
async function pointAtAll(page, selector) {
  for (const drawn of await page.locator(selector).all()) {
    const box = await drawn.boundingBox();
    if (!box || box.width < 2 || box.height < 2) continue;
    for (const share of [0.2, 0.5, 0.8])
      await page.mouse.move(box.x + box.width * share, box.y + box.height * share);
  }
}

for (const locale of ['en-GB', 'zh-CN'])
  test(`a board of every kind of panel, ${locale}`, { skip: !url }, async (t) => {
    const { page, faults } = await open(t, '/boards/hostile', locale);
    await page.waitForSelector('[data-testid=health][data-health=live]');
    await page.waitForFunction(() => !document.querySelector('[data-testid=board] .skeleton'));
    await page.waitForSelector('[data-testid=chart] canvas');
    await page.waitForSelector('[data-testid=top-row]');
    await page.waitForSelector('[data-testid=sankey-link]');
    for (const kind of ['table', 'heatmap', 'funnel', 'sankey', 'gauge', 'map', 'text'])
      assert.equal(await page.locator(`[data-testid=panel][data-kind=${kind}]`).count(), 1, kind);
    // The names are there, as what they are.
    assert.ok(await page.locator('[data-testid=slice]').getByText(MARKUP).count());
    assert.ok(await page.locator('[data-testid=top-row]').getByText(MARKUP).count());
    assert.match(await page.title(), /^<img src=x onerror=/);
    await pointAtAll(
      page,
      '[data-testid=chart] canvas, [data-testid=panel] svg, [data-testid=sankey-node], [data-testid=top-row]',
    );
    await page.locator('[data-testid=annotation]').first().click();
    await page.locator('.note-details').getByText(MARKUP).waitFor();
    await isClean(page, faults);
  });

test('a metric by the hostile names, as chart, table and file', { skip: !url }, async (t) => {
  const { page, faults } = await open(t, '/explore?metric=revenue&by=product&range=1h');
  await page.waitForSelector('[data-testid=explore-chart] canvas');
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=slice]').length >= 5);
  await pointAtAll(page, '[data-testid=explore-chart] canvas');
  await page.click('[data-testid=export]');
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.click('[data-testid="export.table"]'),
  ]);
  const text = await readFile(await file.path(), 'utf8');
  assert.ok(text.includes("'=HYPERLINK("), 'a formula has lost its meaning');
  await isClean(page, faults);
});

test('the inbox and the page of an incident', { skip: !url }, async (t) => {
  const { page, faults } = await open(t, '/incidents?state=all');
  await page.waitForSelector('[data-testid=inbox-row]');
  assert.ok(
    await page
      .locator('[data-testid=inbox-row]')
      .getByText(/onerror|script|HYPERLINK|__proto__/)
      .count(),
  );
  await isClean(page, faults);
  const { incidents } = await (await fetch(`${url}/v1/incidents`)).json();
  for (const { id } of incidents.slice(0, 3)) {
    await page.goto(`${url}/incidents/${id}`);
    await page.waitForSelector('[data-testid=incident-page]');
    await page.waitForSelector('[data-testid=incident-chart] canvas');
    await page.waitForSelector('[data-testid=timeline]');
    await pointAtAll(page, '[data-testid=incident-chart] canvas');
    await isClean(page, faults);
  }
});

test('monitors, their page and their form', { skip: !url }, async (t) => {
  const { page, faults } = await open(t, '/monitors');
  await page.getByText('Failures').first().waitFor();
  await isClean(page, faults);
  await page.goto(`${url}/monitors/failures`);
  await page.getByText(MARKUP).first().waitFor();
  await isClean(page, faults);
  await page.goto(`${url}/monitors/failures?mode=edit`);
  await page.getByText(MARKUP).first().waitFor();
  await isClean(page, faults);
});

test('SQL: results, chart and completion of values', { skip: !url }, async (t) => {
  const sql = 'select product, count(*) as n from orders group by product order by n desc';
  const { page, faults } = await open(t, `/sql?q=${encodeURIComponent(sql)}`);
  const run = page.locator('[data-testid=sql-run]');
  if (await run.isEnabled()) await run.click();
  await page.waitForSelector('[data-testid=sql-result][data-ending=done][data-running=false]');
  await page.getByText(MARKUP).first().waitFor();
  await isClean(page, faults);
});

test('the quarantine, and what the palette finds', { skip: !url }, async (t) => {
  const { page, faults } = await open(t, '/data?tab=quarantine');
  await page.getByText(MARKUP).first().waitFor();
  await isClean(page, faults);
  await page.keyboard.press('Control+k');
  await page.waitForSelector('dialog[open]');
  await page.keyboard.type('img');
  await page.locator('dialog[open]').getByText(MARKUP).first().waitFor();
  await isClean(page, faults);
});

test('a wall screen', { skip: !url }, async (t) => {
  const { page, faults } = await open(t, '/wall?boards=hostile');
  await page.waitForSelector('.chart canvas');
  await isClean(page, faults);
});
