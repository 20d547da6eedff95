// The page for SQL against the mock: writing with completion, running, cancelling, reading the answer, keeping statements.
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

async function open(t, { mode = 'normal', q, view, ...options } = {}) {
  const mock = await startMock(0, mode);
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    permissions: ['clipboard-read', 'clipboard-write'],
    ...options,
  });
  t.after(async () => {
    await context.close();
    await mock.close();
  });
  const page = await context.newPage();
  const faults = watchFaults(page);
  const search = new URLSearchParams({ ...(q ? { q } : {}), ...(view ? { view } : {}) });
  await page.goto(`${mock.url}/sql?${search}`, { timeout: 60_000 });
  await page.waitForSelector('.cm-content');
  return { page, mock, faults };
}

const EVENTS = 'select * from payments order by occurred_at desc';
const COURSE =
  "select date_bin(interval '5 minutes', bucket) as time, measure(authorization_rate), measure(payment_volume) from payment_attempts group by 1 order by 1";

async function write(page, text) {
  await page.click('.cm-content');
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(text);
}

const ended = (page, ending = 'done') =>
  page.waitForSelector(`[data-testid=sql-result][data-ending=${ending}][data-running=false]`);
const written = (page) =>
  page.$$eval('.cm-line', (lines) => lines.map((line) => line.textContent).join('\n'));

test('a statement runs by keyboard, its answer keeps every digit, and the address holds it', async (t) => {
  const { page, mock, faults } = await open(t);
  await write(page, EVENTS);
  await page.keyboard.press('Control+Enter');
  await ended(page);
  await page.waitForURL((url) => url.searchParams.get('q') === EVENTS);
  await page.getByText('9,223,372,036,854,775,807').first().waitFor();
  assert.ok((await page.locator('.sql-null').count()) > 0);
  const time = page.locator('.sql-cell[data-kind=time]').first();
  assert.match(await time.getAttribute('title'), /^\d{4}-\d\d-\d\dT.*Z$/);
  // Only what is in sight is in the document.
  assert.ok((await page.locator('.sql-row').count()) < 80);
  await page.getByText('Only the first 10,000 rows are shown').waitFor();
  await page.reload();
  await ended(page);
  assert.equal(await written(page), EVENTS);
  assert.equal(mock.state.cancelled ?? 0, 0);
  assert.deepEqual(faults, []);
});

test('names and values are proposed as one types', async (t) => {
  const { page, faults } = await open(t);
  await page.waitForSelector('[data-testid=sql-table-entry]');
  await page.click('.cm-content');
  const proposed = page.locator('.cm-tooltip-autocomplete li');
  const take = async (name) => {
    await proposed.filter({ hasText: name }).first().waitFor();
    // The list takes no key in its first moments, so that nobody accepts what has just appeared.
    await page.waitForTimeout(150);
    await page.keyboard.press('Tab');
  };
  await page.keyboard.type('select psp, measure(author');
  await take('authorization_rate');
  await page.keyboard.press('End');
  await page.keyboard.type(' from payment_att');
  await take('payment_attempts');
  await page.keyboard.type(" where psp = 'o");
  await take("o'neil");
  assert.equal(
    await written(page),
    "select psp, measure(authorization_rate) from payment_attempts where psp = 'o''neil'",
  );
  await page.keyboard.type(' and ps');
  await proposed.filter({ hasText: 'psp' }).first().waitFor();
  await page.keyboard.press('Escape');
  await proposed.first().waitFor({ state: 'detached' });
  assert.deepEqual(faults, []);
});

test('Tab leaves the editor', async (t) => {
  const { page } = await open(t);
  await page.click('.cm-content');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className.includes('sql-editor')), false);
});

test('a fault is marked where it is, and its remedy is taken by a click', async (t) => {
  const { page } = await open(t);
  await write(page, 'select 1;\n\nselect pps, measure(authorization_rate)\nfrom payment_attempts group by 1');
  await page.click('[data-testid=sql-run]');
  await ended(page, 'failed');
  await page.getByText("There is no column 'pps'.").waitFor();
  assert.equal(await page.textContent('.cm-fault'), 'pps');
  assert.equal(await page.getAttribute('[data-testid=sql-place]', 'data-line'), '3');
  await page.click('[data-testid=sql-remedy]');
  await ended(page);
  assert.match(await written(page), /select psp, measure/);
  assert.equal(await page.locator('.cm-fault').count(), 0);
});

test('what is marked runs alone, and the statement at the cursor else', async (t) => {
  const { page } = await open(t);
  await write(page, 'select * from payments limit 3;\nselect 1');
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('[data-testid=sql-table][data-rows="3"]');
  await page.keyboard.press('Control+End');
  for (let i = 0; i < 'select 1'.length; i += 1) await page.keyboard.press('Shift+ArrowLeft');
  await page.getByRole('button', { name: 'Run selection' }).click();
  await page.waitForSelector('[data-testid=sql-table][data-rows="1"]');
});

test('cancelling hangs up, and the page is ready at once', async (t) => {
  const { page, mock } = await open(t);
  await write(page, 'select slowly()');
  await page.keyboard.press('Control+Enter');
  await page.click('[data-testid=sql-cancel]');
  await ended(page, 'cancelled');
  for (let i = 0; i < 50 && !mock.state.cancelled; i += 1) await page.waitForTimeout(50);
  assert.equal(mock.state.cancelled, 1);
  await write(page, 'select 1');
  await page.keyboard.press('Control+Enter');
  await ended(page);
});

test('the table is sorted, walked through and copied from by keyboard', async (t) => {
  const { page } = await open(t, { q: EVENTS });
  await ended(page);
  const head = page.getByRole('columnheader', { name: /^amount/ });
  await head.getByRole('button').click();
  await page.waitForSelector('[role=columnheader][aria-sort=descending]');
  const amounts = await page.$$eval('.sql-row .sql-cell[data-column="6"]', (cells) =>
    cells.map((cell) => Number(cell.textContent.replaceAll(',', ''))),
  );
  assert.deepEqual(
    amounts,
    [...amounts].sort((a, b) => b - a),
  );
  await page.focus('[data-testid=sql-table]');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Control+End');
  await page.waitForSelector('#sql-cell-9999-14');
  await page.keyboard.press('Home');
  await page.waitForSelector('#sql-cell-9999-0[aria-selected=true]');
  await page.keyboard.press('Control+c');
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^evt_/);
  await page.getByRole('region', { name: 'Chosen cell' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('region', { name: 'Chosen cell' }).waitFor({ state: 'detached' });
});

test('an answer over time is drawn as lines, one of names as bars', async (t) => {
  const { page, faults } = await open(t, { q: COURSE, view: 'chart' });
  await page.waitForSelector('[data-testid=sql-chart] canvas');
  // Figures of another unit wait for a click.
  assert.equal(await page.getAttribute('[data-testid=sql-chart]', 'data-series'), '1');
  await page.locator('.legend button', { hasText: 'payment_volume' }).click();
  await page.waitForSelector('[data-testid=sql-chart][data-series="2"]');
  await page.focus('.sql-chart .chart');
  await page.keyboard.press('ArrowLeft');
  await page.waitForSelector('.readout');
  await write(page, 'select psp, measure(payment_volume) from payment_attempts group by 1');
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('[data-testid=sql-bars]');
  assert.equal(await page.locator('.sql-bars li').count(), 6);
  await page.locator('.sql-bars').getByText('EUR').first().waitFor();
  await page.getByRole('radio', { name: 'Table' }).check({ force: true });
  await page.waitForSelector('[data-testid=sql-table]');
  await page.goBack();
  await page.waitForFunction(() => document.querySelector('[data-testid=sql-chart] canvas'));
  assert.match(await written(page), /date_bin/);
  assert.deepEqual(faults, []);
});

test('the limit is told, and CSV has all rows', async (t) => {
  const { page } = await open(t);
  await page.selectOption('[data-testid=sql-rows]', '100');
  await write(page, 'select value from generate_series(1, 500)');
  await page.keyboard.press('Control+Enter');
  await page.waitForSelector('[data-testid=sql-table][data-rows="100"]');
  await page.waitForSelector('[data-testid=sql-cut]');
  const [file] = await Promise.all([page.waitForEvent('download'), page.click('[data-testid=sql-csv]')]);
  assert.match(file.suggestedFilename(), /^tillwatch-\d{8}-\d{6}\.csv$/);
  const lines = (await readFile(await file.path(), 'utf8')).trim().split('\r\n');
  assert.deepEqual([lines.length, lines[0], lines.at(-1)], [501, 'value', '500']);
  await write(page, 'select value from generate_series(1, 200000) limit 150000');
  await page.keyboard.press('Control+Enter');
  await ended(page, 'failed');
  await page.getByText('The statement asks for too much').waitFor();
});

test('statements are saved, renamed, exported, deleted and read back', async (t) => {
  const { page } = await open(t);
  await write(page, 'select 1 -- one');
  await page.keyboard.press('Control+s');
  await page.waitForSelector('#sql-save-name:focus');
  await page.keyboard.type('Just one');
  await page.keyboard.press('Enter');
  const list = page.locator('[data-testid=sql-saved]');
  await list.locator('[data-name="Just one"]').waitFor();
  await list.getByRole('button', { name: 'Rename' }).click();
  await page.keyboard.press('Control+a');
  await page.keyboard.type('Only one');
  await page.keyboard.press('Enter');
  await list.locator('[data-name="Only one"]').waitFor();
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export .sql' }).click(),
  ]);
  const path = await file.path();
  assert.equal(await readFile(path, 'utf8'), '-- name: Only one\nselect 1 -- one\n;\n');
  await list.getByRole('button', { name: 'Delete' }).click();
  await list.getByRole('button', { name: 'Delete' }).click();
  await list.locator('[data-name]').waitFor({ state: 'detached' });
  await page.setInputFiles('.sql-file input', path);
  await page.getByText('1 statement added.').waitFor();
  await write(page, 'select 2');
  await list.locator('.sql-entry').click();
  assert.equal(await written(page), 'select 1 -- one');
  await page.reload();
  await page.getByRole('tab', { name: 'Saved' }).click();
  await list.locator('[data-name="Only one"]').waitFor();
});

test('runs are remembered, tables are looked into, and names are written by a click', async (t) => {
  const { page } = await open(t);
  const entry = page.locator('[data-testid=sql-table-entry][data-table=payment_attempts]');
  await entry.getByRole('button', { name: 'Look inside' }).click();
  await ended(page);
  await write(page, 'select');
  await entry.getByRole('button', { name: /^payment_volume/ }).click();
  assert.equal(await written(page), 'select measure(payment_volume)');
  await page.getByRole('tab', { name: 'History' }).click();
  await page.locator('[data-testid=sql-history] .sql-entry').first().click();
  assert.match(await written(page), /^select bucket, psp, method/);
});

test('a newcomer begins with an example of what there is', async (t) => {
  const { page, faults } = await open(t);
  await page.locator('.sql-welcome [data-example=course]').click();
  await page.waitForSelector('[data-testid=sql-chart] canvas');
  await page.waitForURL(/view=chart/);
  assert.deepEqual(faults, []);
});

test('nothing that data says becomes markup', async (t) => {
  const { page, faults } = await open(t, { mode: 'hostile', q: EVENTS });
  await ended(page);
  await page.getByText('<script>alert(1)</script>').first().waitFor();
  await write(page, 'select psp, measure(payment_volume) from payment_attempts group by 1');
  await page.keyboard.press('Control+Enter');
  await page.getByText('<img src=x').first().waitFor();
  await page.getByRole('radio', { name: 'Chart' }).check({ force: true });
  await page.waitForSelector('[data-testid=sql-bars]');
  assert.equal(await page.locator('#root img, #root script').count(), 0);
  assert.equal(await page.title(), 'SQL · Tillwatch');
  assert.deepEqual(faults, []);
});

test('a server that comes back is used without a reload', async (t) => {
  const { page, mock } = await open(t, { mode: 'recovering', q: 'select 1' });
  await ended(page, 'failed');
  await page.getByText('The server is not ready').waitFor();
  mock.setMode('normal');
  await page.waitForSelector('[data-testid=sql-table-entry]', { timeout: 15_000 });
  await page.getByRole('button', { name: 'Try again' }).click();
  await ended(page);
});

for (const [width, colorScheme] of [
  [360, 'light'],
  [1280, 'dark'],
  [1280, 'light'],
  [3840, 'light'],
]) {
  test(`no accessibility finding and no sideways scrolling at ${width} px, ${colorScheme}`, async (t) => {
    const { page } = await open(t, {
      viewport: { width, height: 900 },
      colorScheme,
      // A colour on its way to another is no finding.
      reducedMotion: 'reduce',
      q: EVENTS,
    });
    const check = async () => {
      const { violations } = await page.evaluate(() =>
        window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }),
      );
      assert.deepEqual(
        violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`,
        ),
        [],
      );
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    };
    await ended(page);
    await page.locator('.sql-cell').first().click();
    await page.evaluate(axe);
    await check();
    await write(page, "-- what\nselect pps, 'a', 1 from payments");
    await page.keyboard.press('Control+Enter');
    await ended(page, 'failed');
    await check();
    await write(page, 'select psp, measure(payment_volume) from payment_attempts group by 1');
    await page.keyboard.press('Control+Enter');
    await ended(page);
    await page.getByRole('radio', { name: 'Chart' }).check({ force: true });
    await page.waitForSelector('[data-testid=sql-bars]');
    await check();
  });
}
