// What the browser writes into the definitions folder of a real server:
//   TILLWATCH_URL=http://127.0.0.1:7878 node --test e2e/writing.spec.mjs          (tests/demo/test_writing.py starts the server)
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, watchFaults } from '../dev/browser.mjs';

const url = process.env.TILLWATCH_URL?.replace(/\/$/, '');
const DEADLINE_MS = 60_000;
let browser;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function open(t, path) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, locale: 'en-GB' });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE_MS);
  const faults = watchFaults(page);
  await page.goto(`${url}${path}`, { timeout: DEADLINE_MS });
  return { page, faults };
}

const told = async (path) => (await fetch(`${url}${path}`)).json();

test('a file becomes a stream, its events and a board', { skip: !url }, async (t) => {
  const { page, faults } = await open(t, '/data?tab=upload&way=new');
  const row = (i) => `p_${i},2026-11-0${(i % 9) + 1}T10:00:00Z,${i}.50,EUR,${['DE', 'FR'][i % 2]}`;
  const text = `parcel_id,sent_at,price,currency,country\n${Array.from({ length: 60 }, (_, i) => row(i)).join('\n')}\n`;
  const file = { name: 'parcels.csv', mimeType: 'text/csv', buffer: Buffer.from(text) };
  await page.setInputFiles('[data-testid=upload-file]', file);
  await page.waitForSelector('[data-testid=walk][data-step=fields]');
  await page.locator('[data-testid=walk-fields] [data-row=parcel_id]').waitFor();
  await page.click('[data-testid=walk-next]');
  await page.waitForSelector('[data-testid=def-check][data-state=good]');
  await page.click('[data-testid=walk-save]');
  await page.waitForSelector('[data-testid=upload-run][data-phase=done]');
  assert.equal(await page.textContent('[data-testid=upload-accepted]'), '60');
  await page.click('[data-testid=walk-save-board]');
  await page.waitForURL('**/boards/parcels');
  await page.waitForSelector('[data-testid=board]');
  assert.deepEqual(faults, []);
});

test('a monitor is made in the form, changed, and removed; comments elsewhere stay', {
  skip: !url,
}, async (t) => {
  const { page, faults } = await open(t, '/monitors/new?metric=orders&detect=threshold');
  await page.fill('[data-field=name] input', 'too_many');
  await page.fill('[data-field="settings.above"] input', '1000000');
  await page.click('[data-testid=save-monitor-do]:not([disabled])');
  await page.waitForURL('**/monitors/too_many');
  await page.waitForSelector('[data-testid=def-saved]');
  const made = await told('/v1/definitions/monitors/too_many');
  assert.match(made.yaml, /metric: orders/);
  assert.ok((await told('/v1/monitors')).monitors.some(({ name }) => name === 'too_many'));
  await page.goto(`${url}/monitors/too_many?mode=edit`);
  await page.fill('[data-field=owner] input', 'the shop');
  await page.click('[data-testid=save-monitor-do]:not([disabled])');
  await page.waitForSelector('[data-testid=def-saved]');
  assert.match((await told('/v1/definitions/monitors/too_many')).yaml, /owner: the shop/);
  await page.click('[data-testid=delete-monitor]');
  await page.click('[data-testid=delete-monitor-yes]');
  await page.waitForURL('**/monitors');
  assert.equal((await fetch(`${url}/v1/definitions/monitors/too_many`)).status, 404);
  const files = await told('/v1/definitions');
  const text = await (await fetch(`${url}/v1/definitions/files/${files.files[0].file}`)).text();
  assert.match(text, /# Kept by hand/);
  // The preview is told that there is no history to judge, and says so.
  assert.deepEqual(
    faults.filter((fault) => !/status of 422/.test(fault)),
    [],
  );
});

test('a maintenance window that lasts now is made, shown as such and removed', { skip: !url }, async (t) => {
  const { page, faults } = await open(t, '/maintenance');
  await page.click('[data-testid=new-window]');
  await page.fill('[data-testid=calendar-name]', 'all_day');
  await page.fill('[data-testid=calendar-from]', '00:00');
  await page.fill('[data-testid=calendar-to]', '00:00');
  await page.click('[data-testid=calendar-save]');
  await page.waitForSelector('[data-testid=window][data-name=all_day][data-state=active]');
  const { maintenance } = await told('/v1/calendars');
  assert.equal(maintenance[0].to, '24:00');
  assert.deepEqual(
    maintenance.map(({ name, active }) => [name, active]),
    [['all_day', true]],
  );
  await page.click('[data-testid=edit-window]');
  await page.click('[data-testid=calendar-delete]');
  await page.click('[data-testid=calendar-delete]');
  await page.waitForFunction(() => !document.querySelector('[data-testid=window]'));
  assert.deepEqual((await told('/v1/calendars')).maintenance, []);
  assert.deepEqual(faults, []);
});

test('a calendar with a day of its own is made', { skip: !url }, async (t) => {
  const { page, faults } = await open(t, '/maintenance');
  await page.click('[data-testid=new-calendar]');
  await page.fill('[data-testid=calendar-name]', 'germany');
  await page.click('text=Add a day');
  await page.getByLabel('Day', { exact: true }).fill('2026-12-25');
  await page.click('[data-testid=calendar-save]');
  await page.waitForSelector('[data-testid=calendar][data-name=germany]');
  const { calendars } = await told('/v1/calendars');
  assert.deepEqual(calendars[0].days, [{ day: '2026-12-25', like: 'sun' }]);
  assert.deepEqual(faults, []);
});
