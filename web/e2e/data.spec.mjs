// The data page against the mock: what goes in, the quarantine, an upload, and works that the server is asked for.
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

async function open(t, { mode = 'normal', path = '/data', ...options } = {}) {
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

const csv = (rows) => ({
  name: 'payments.csv',
  mimeType: 'text/csv',
  buffer: Buffer.from(rows),
});

test('streams are listed with their rates, and one opens with its sources', async (t) => {
  const { page, faults } = await open(t);
  await page.waitForSelector('[data-testid=stream-table] [data-row=payments]');
  // The course is drawn from the counters of two polls.
  await page.waitForSelector('[data-row=payments] .sparkline-line[d*="L"]', { timeout: 30_000 });
  await page.getByRole('link', { name: 'payments', exact: true }).click();
  await page.waitForURL('**/data?stream=payments');
  await page.waitForSelector('[data-testid=stream-detail][data-stream=payments]');
  await page.locator('[data-testid=source-table]').getByText('Sent by HTTP').waitFor();
  await page.reload();
  await page.waitForSelector('[data-testid=stream-detail][data-stream=payments]');
  await page.getByRole('link', { name: 'All streams' }).click();
  await page.waitForSelector('[data-testid=stream-table]');
  assert.deepEqual(faults, []);
});

test('tabs are in the address, what is unknown there is dropped, and going back goes back', async (t) => {
  const { page } = await open(t, { path: '/data?tab=nothing&stream=nowhere' });
  await page.waitForSelector('[data-testid=data][data-tab=streams]');
  await page.getByText('There is no stream “nowhere”').waitFor();
  await page.getByRole('link', { name: 'Storage' }).click();
  await page.waitForURL('**/data?tab=storage**');
  await page.waitForSelector('[data-testid=cube-table]');
  await page.locator('[data-testid=cube-table]').getByText('authorization_rate').first().waitFor();
  await page.goBack();
  await page.waitForSelector('[data-testid=data][data-tab=streams]');
});

test('nothing is asked for while the page is hidden, and at once when it is seen again', async (t) => {
  const { page } = await open(t);
  await page.waitForSelector('[data-testid=stream-table]');
  let asked = 0;
  page.on('request', (request) => {
    if (request.url().endsWith('/v1/status')) asked += 1;
  });
  const show = (state) =>
    page.evaluate((visibility) => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => visibility });
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => visibility === 'hidden' });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    }, state);
  await show('hidden');
  // One may have been under way.
  await page.waitForTimeout(500);
  asked = 0;
  await page.waitForTimeout(7_000);
  assert.equal(asked, 0);
  const again = page.waitForRequest('**/v1/status', { timeout: 2_000 });
  await show('visible');
  await again;
});

test('the quarantine is narrowed to a reason, shows more, and lines are tried again', async (t) => {
  const { page, faults } = await open(t, { path: '/data?tab=quarantine&stream=payments' });
  const rows = page.locator('[data-testid=quarantine-lines] tbody tr');
  await rows.first().waitFor();
  assert.equal(await rows.count(), 100);
  await page.getByText('The newest 100 lines are shown').waitFor();
  await page.getByRole('button', { name: 'Show up to 250' }).click();
  await page.waitForFunction(
    () => document.querySelectorAll('[data-testid=quarantine-lines] tbody tr').length === 137,
  );
  await page.getByRole('button', { name: /created_at is required/ }).click();
  await page.waitForURL(/reason=created_at/);
  const narrowed = await rows.count();
  assert.ok(narrowed > 0 && narrowed < 137);
  await page.reload();
  await page.waitForSelector('[data-testid=reasons] [aria-pressed=true]');
  await page.getByRole('button', { name: /All reasons/ }).click();
  await page.click('[data-testid=replay]');
  const receipt = page.locator('[data-testid=replay-receipt]');
  await receipt.waitFor();
  await receipt.getByText('Tried again: 100').waitFor();
  await receipt.getByText('The first rejected lines').waitFor();
  await receipt.getByRole('button', { name: 'Dismiss' }).click();
  await receipt.waitFor({ state: 'detached' });
  assert.equal(await page.locator('#root img, #root script').count(), 0);
  assert.deepEqual(faults, []);
});

test('a stream without rejected lines says so', async (t) => {
  const { page } = await open(t, { path: '/data?tab=quarantine&stream=refunds' });
  await page.getByText('Nothing in quarantine').waitFor();
  await page.selectOption('[data-testid=quarantine-stream]', 'payments');
  await page.waitForURL('**/data?tab=quarantine&stream=payments');
  await page.waitForSelector('[data-testid=quarantine-lines]');
});

test('a file goes to a stream in parts that repeat its first row, and again counts nothing twice', async (t) => {
  const { page, mock, faults } = await open(t, { path: '/data?tab=upload&stream=payments' });
  const line = (i) => `p_${i};${i % 1_000 === 7 ? 'many' : `${i}.50`};"a text that makes the row longer"\n`;
  const file = `id;amount;note\n${Array.from({ length: 90_000 }, (_, i) => line(i)).join('')}`;
  await page.setInputFiles('[data-testid=upload-file]', csv(file));
  await page.getByText('p_0').waitFor();
  await page.click('[data-testid=upload-start]');
  await page.waitForSelector('[data-testid=upload-run][data-phase=done]', { timeout: 60_000 });
  assert.equal(await page.textContent('[data-testid=upload-accepted]'), '89,910');
  assert.equal(await page.textContent('[data-testid=upload-rejected]'), '90');
  const { uploads } = mock.state;
  assert.ok(uploads.length >= 2);
  assert.equal(uploads[0].type, 'text/csv; guess=semicolon');
  for (const { type, text } of uploads.slice(1)) {
    assert.equal(type, 'text/csv; guess=semicolon; first-row=repeated');
    assert.ok(text.startsWith('id;amount;note\n'));
  }
  const rows = uploads.flatMap(({ text }) => text.split('\n').slice(1, -1));
  assert.equal(`id;amount;note\n${rows.join('\n')}\n`, file);
  // Rejected lines have their number in the file: the row of p_7 is the ninth line.
  const first = page.locator('[data-testid=rejections] tbody tr').first();
  assert.match(await first.textContent(), /^9\D/);

  await page.getByRole('button', { name: 'Upload another file' }).click();
  const keys = uploads.map(({ key }) => key);
  await page.setInputFiles('[data-testid=upload-file]', csv(file));
  await page.click('[data-testid=upload-start]');
  await page.waitForSelector('[data-testid=upload-run][data-phase=done]', { timeout: 60_000 });
  assert.equal(await page.textContent('[data-testid=upload-duplicates]'), '89,910');
  assert.deepEqual(
    mock.state.uploads.slice(keys.length).map(({ key }) => key),
    keys,
  );
  assert.deepEqual(faults, []);
});

test('an upload waits for a busy server, goes on on other pages, and can be cancelled', async (t) => {
  const { page, mock } = await open(t, { path: '/data?tab=upload&stream=payments' });
  mock.state.busy = () => ({ status: 429, after: 30 });
  await page.setInputFiles('[data-testid=upload-file]', csv('id,amount\np_1,5.00\n'));
  await page.click('[data-testid=upload-start]');
  await page.waitForSelector('[data-testid=upload-run][data-phase=waiting]');
  await page.getByText(/Next try in \d+ s/).waitFor();
  await page.getByRole('link', { name: 'Streams', exact: true }).click();
  await page.waitForSelector('[data-testid=stream-table]');
  await page.getByRole('link', { name: 'Upload', exact: true }).click();
  await page.waitForSelector('[data-testid=upload-run][data-phase=waiting]');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.waitForSelector('[data-testid=upload-run][data-phase=cancelled]');
});

test('a file of which nothing is taken stops after its first part, and a file that is no CSV is not sent', async (t) => {
  const { page, mock } = await open(t, { path: '/data?tab=upload&stream=payments' });
  const row = `p,many,${'x'.repeat(60)}\n`;
  await page.setInputFiles('[data-testid=upload-file]', csv(`id,amount,note\n${row.repeat(60_000)}`));
  await page.click('[data-testid=upload-start]');
  await page.waitForSelector('[data-testid=upload-run][data-phase=doubtful]');
  assert.equal(mock.state.uploads.length, 1);
  await page.getByRole('button', { name: 'Upload another file' }).click();
  await page.setInputFiles('[data-testid=upload-file]', csv('[{"id":"p_1"}]\n'));
  await page.waitForSelector('[data-testid=unfit]');
  assert.equal(await page.isDisabled('[data-testid=upload-start]'), true);
});

test('verify and backup are started, show how far they are, and what they found', async (t) => {
  const { page, faults } = await open(t, { path: '/data?tab=system' });
  await page.click('[data-testid=verify-sample]');
  await page.waitForSelector('[data-testid=verify-last] [data-state=running]');
  await page
    .locator('[data-testid=verify]')
    .getByText(/Reading events\/payments: .* of 340.MiB/)
    .waitFor();
  await page.fill('[data-testid=backup] input', 'nightly');
  await page.click('[data-testid=backup-start]');
  await page.waitForSelector('[data-testid=backup-last] [data-state=running]');
  await page
    .locator('[data-testid=verify]')
    .getByText(/Comparing payment_attempts/)
    .waitFor();
  await page.waitForSelector('[data-testid=verify-outcome]', { timeout: 30_000 });
  await page.waitForSelector('[data-testid=backup-last] [data-state=done]');
  await page.getByText('/var/lib/tillwatch/backups/nightly').waitFor();
  assert.deepEqual(faults, []);
});

test('faults of the definitions have their place, and a refusal is told as one', async (t) => {
  const { page } = await open(t, { mode: 'troubled', path: '/data?tab=system' });
  const faults = page.locator('[data-testid=definition-fault]');
  await faults.first().waitFor();
  assert.match(
    await faults.first().textContent(),
    /definitions\/payments\.yaml.*line 48, column 14.*amout.*did you mean 'amount'\?/,
  );
  await page.waitForSelector('[data-check=history][data-tone=bad]');
  await page.click('[data-testid=backup-start]');
  await page.waitForSelector('[data-testid=backup] [data-testid=refusal][data-status="409"]');
  await page.getByText('start it with --backups').waitFor();
});

test('who may not look is told so, and a token opens the page', async (t) => {
  const refused = await open(t, { mode: 'forbidden' });
  await refused.page.waitForSelector('[data-testid=refusal][data-status="403"]');
  const locked = await open(t, { mode: 'locked' });
  await locked.page.fill('[data-testid=access] input', TOKEN);
  await locked.page.click('[data-testid=access] button');
  await locked.page.waitForSelector('[data-testid=stream-table]');
});

test('the last figures stay while the server is away, and it heals without a reload', async (t) => {
  const { page, mock } = await open(t);
  await page.waitForSelector('[data-testid=stream-table]');
  mock.setMode('down');
  await page.waitForSelector('[data-testid=stale]', { timeout: 30_000 });
  await page.waitForSelector('[data-testid=stream-table] [data-row=payments]');
  mock.setMode('recovering');
  await page.waitForSelector('[data-testid=recovering]', { timeout: 30_000 });
  mock.setMode('normal');
  await page.waitForSelector('[data-testid=recovering]', { state: 'detached', timeout: 30_000 });
  assert.equal(await page.locator('[data-testid=stale]').count(), 0);
});

for (const [width, colorScheme] of [
  [360, 'light'],
  [1280, 'dark'],
  [3840, 'light'],
]) {
  for (const tab of ['streams', 'quarantine', 'upload', 'definitions', 'storage', 'system']) {
    test(`no accessibility finding and no sideways scrolling: ${tab} at ${width} px, ${colorScheme}`, async (t) => {
      const { page } = await open(t, {
        mode: 'troubled',
        path: `/data?tab=${tab}&stream=payments`,
        viewport: { width, height: 900 },
        colorScheme,
      });
      await page.waitForSelector(`[data-testid=data][data-tab=${tab}] .data-panel`);
      if (tab === 'quarantine') await page.waitForSelector('[data-testid=quarantine-lines]');
      // The CSP of the page forbids injected scripts, as it should; axe comes in through the debugger.
      await page.evaluate(axe);
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
    });
  }
}
