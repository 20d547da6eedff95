// Every page against a real server that has an incident:   TILLWATCH_URL=http://127.0.0.1:7878 node --test e2e/pages.spec.mjs
// What the pages ask must be what the server answers; what they do with it is tested against the mock.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, watchFaults } from '../dev/browser.mjs';

const url = process.env.TILLWATCH_URL?.replace(/\/$/, '');
const DEADLINE = { timeout: 60_000 };
let browser;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function open(t, path) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, locale: 'en-GB' });
  t.after(() => context.close());
  const page = await context.newPage();
  const faults = watchFaults(page);
  await page.goto(`${url}${path}`, DEADLINE);
  return { page, faults };
}

const answered = (page) =>
  page.waitForSelector('[data-testid=sql-result][data-ending=done][data-running=false]', DEADLINE);
const rows = (page) => page.$$eval('[data-testid=sql-table-entry], [role=row]', (found) => found.length);

test('an incident leads from the inbox to its cause and the events behind it', { skip: !url }, async (t) => {
  const { page, faults } = await open(t, '/incidents?state=all');
  await page.waitForSelector('[data-testid=inbox-row]', DEADLINE);
  const leading = page.locator('[data-testid=inbox-row] a').first();
  await leading.click();
  await page.waitForSelector('[data-testid=incident-page]', DEADLINE);
  await page.waitForSelector('[data-testid=incident-chart] canvas', DEADLINE);
  await page.waitForSelector('[data-testid=explanation]', DEADLINE);
  await page.waitForSelector('[data-testid=timeline]', DEADLINE);
  await page.click('[data-testid=events-link]');
  await answered(page);
  assert.ok((await rows(page)) > 1, 'there are events behind it');
  assert.deepEqual(faults, []);
});

test('a metric is explored by PSP, and the SQL of what is shown runs', { skip: !url }, async (t) => {
  const { page, faults } = await open(t, '/explore?metric=authorization_rate&range=6h&by=psp');
  await page.waitForSelector('[data-testid=explore-chart] canvas', DEADLINE);
  await page.waitForFunction(
    () => document.querySelectorAll('[data-testid=slice]').length >= 2,
    null,
    DEADLINE,
  );
  await page.click('[data-testid=open-sql]');
  await answered(page);
  assert.ok((await rows(page)) > 2, 'there are rows');
  assert.deepEqual(faults, []);
});

test('a monitor is back-tested as it is written', { skip: !url }, async (t) => {
  const { page, faults } = await open(t, '/monitors');
  await page.waitForFunction(
    () => document.querySelectorAll('[data-testid=monitor]').length >= 5,
    null,
    DEADLINE,
  );
  await page.goto(`${url}/monitors/authorization_by_issuer?mode=edit`, DEADLINE);
  await page.waitForSelector('[data-testid=scoreboard]', DEADLINE);
  await page.waitForSelector('[data-testid=strip]', DEADLINE);
  assert.deepEqual(faults, []);
});

test('the data page tells of streams, storage and health', { skip: !url }, async (t) => {
  const { page, faults } = await open(t, '/data');
  await page.getByRole('link', { name: 'payments', exact: true }).waitFor(DEADLINE);
  for (const tab of ['quarantine', 'upload', 'storage', 'system']) {
    await page.goto(`${url}/data?tab=${tab}`, DEADLINE);
    await page.waitForSelector(`[data-testid=data][data-tab=${tab}]`, DEADLINE);
    await page.waitForFunction(() => !document.querySelector('[data-testid=loading]'), null, DEADLINE);
  }
  assert.deepEqual(faults, []);
});

test('a board is made, saved, exported, changed and deleted', { skip: !url }, async (t) => {
  const { page, faults } = await open(t, '/new-board');
  page.setDefaultTimeout(DEADLINE.timeout);
  const name = `made_${Date.now().toString(36)}`;
  const title = page.getByRole('textbox', { name: 'Title of the board, English' });
  await title.fill('Made by a test');
  await page.fill('[data-testid=board-name]', name);
  await page.click('[data-testid=add-item][data-kind=tile]');
  await page.click('[data-testid=board-metric]');
  await page.keyboard.type('authorization rate');
  await page.keyboard.press('Enter');
  await page.waitForSelector(
    '[data-testid=board-preview] [data-testid=tile][data-metric=authorization_rate]',
  );
  await page.click('[data-testid=save-board]');
  await page.waitForURL(`**/boards/${name}`);
  await page.click('[data-testid=edit-board]');
  await page.waitForSelector('[data-testid=board-editor][data-dirty=false]');
  await title.fill('Changed by a test');
  await page.click('[data-testid=save-board]');
  await page.waitForURL(`**/boards/${name}`);
  await page.getByRole('heading', { level: 1, name: 'Changed by a test' }).waitFor();
  await page.goto(`${url}/boards`);
  const row = page.locator(`[data-testid=board-row][data-board=${name}]`);
  await row.locator('[data-testid=ask-export]').click();
  assert.match(await page.textContent('[data-testid=board-yaml]'), new RegExp(`^boards:\\n +${name}:`));
  await page.keyboard.press('Escape');
  await row.locator('[data-testid=ask-delete]').click();
  await page.click('[data-testid=delete-board]');
  await row.waitFor({ state: 'detached' });
  assert.deepEqual(faults, []);
});
