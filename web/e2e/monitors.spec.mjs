// Monitors: the list, a monitor, and the form with its back-test, against the mock.
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

async function open(t, { mode = 'normal', path = '/monitors', backtestMs = 300, ...options } = {}) {
  const mock = await startMock(0, mode);
  mock.state.backtestMs = backtestMs;
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
  const faults = watchFaults(page);
  await page.goto(mock.url + path, { timeout: 60_000 });
  return { page, mock, faults, context };
}

/** Waits until a test has answered to what is in the form. */
const tested = (page) => page.waitForSelector('[data-testid=run][data-phase=done]', { timeout: 30_000 });
const figure = (page, name) => page.textContent(`[data-figure="${name}"]`);
const yaml = (page) => page.textContent('[data-testid=yaml]');

test('the list says what each monitor does, and what to do where one cannot', async (t) => {
  const { page, faults } = await open(t);
  await page.waitForSelector('[data-testid=monitor]');
  const states = await page.$$eval('[data-testid=monitor]', (rows) =>
    rows.map(({ dataset }) => `${dataset.monitor} ${dataset.state}`),
  );
  assert.equal(states[0], 'latency_by_method failing');
  assert.equal(states[1], 'authorization_drop firing');
  assert.ok(states.includes('volume_shape learning'));
  assert.ok(states.includes('acceptance_by_country idle'));
  await page.getByText('nothing is judged: `min_samples: 20`').waitFor();
  await page.getByText('Leave “min samples” out').waitFor();
  await page.getByText('11 of 13 real').waitFor();
  assert.deepEqual(faults, []);
});

test('filters and search are in the address', async (t) => {
  const { page } = await open(t);
  await page.waitForSelector('[data-testid=monitor]');
  await page.getByRole('radio', { name: 'Firing' }).check();
  await page.waitForURL('**/monitors?state=firing');
  assert.equal(await page.locator('[data-testid=monitor]').count(), 1);
  await page.getByRole('radio', { name: 'All' }).check();
  await page.getByLabel('Search monitors').fill('latency psp');
  await page.waitForURL(/q=latency/);
  assert.equal(await page.locator('[data-testid=monitor]').count(), 1);
  await page.reload();
  await page.waitForSelector('[data-monitor=psp_latency]');
  assert.equal(await page.locator('[data-testid=monitor]').count(), 1);
  await page.getByLabel('Search monitors').fill('nothing like it');
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=monitor]').length === 8);
});

test('a monitor shows its definition and leads to its form, which tests it as it is', async (t) => {
  const { page, faults } = await open(t, { path: '/monitors/authorization_drop' });
  await page.waitForSelector('[data-testid=definition]');
  await page.getByText('The server does not tell every key').waitFor();
  await page.getByRole('link', { name: 'Edit and back-test' }).click();
  await page.waitForURL('**/monitors/authorization_drop?mode=edit');
  await tested(page);
  await page.getByText('Nothing is changed yet').waitFor();
  assert.ok(Number(await figure(page, 'existing-found')) > 3);
  assert.equal(await page.locator('[data-figure^=proposed]').count(), 0);
  // Which way is bad is learned from the test, who looks after it from its incidents.
  assert.match(await yaml(page), /direction: down/);
  assert.match(await yaml(page), /owner: payments on call/);
  await page.locator('[data-testid=untold]').getByText('resolve_after').waitFor();
  assert.deepEqual(faults, []);
});

test('a change is tested as it is typed and compared with what is', async (t) => {
  const { page, faults, mock } = await open(t, { path: '/monitors/authorization_drop?mode=edit' });
  await tested(page);
  const before = mock.state.tests;
  await page.locator('[data-setting=min_change]').pressSequentially('0.2', { delay: 40 });
  await page.waitForSelector('[data-testid=outcome][data-compared]');
  await tested(page);
  assert.equal(mock.state.tests, before + 1, 'one test for three letters');
  const [existing, proposed] = [
    Number(await figure(page, 'existing-found')),
    Number(await figure(page, 'proposed-found')),
  ];
  assert.ok(proposed < existing, `${proposed} of ${existing}`);
  assert.ok((await page.locator('[data-testid=found][data-group=existing]').count()) > 0);
  assert.ok((await page.locator('[data-testid=strip] [data-lane=both] .strip-bar').count()) > 0);
  assert.match(await yaml(page), /min_change: 0\.2/);
  await page.waitForURL(/min_change=0\.2/);
  // The address holds the form.
  await page.reload();
  await tested(page);
  assert.equal(await page.inputValue('[data-setting=min_change]'), '0.2');
  await page.getByRole('button', { name: 'Undo all changes' }).click();
  await page.getByText('Nothing is changed yet').waitFor();
  assert.deepEqual(faults, []);
});

test('faults stand at their fields with what was meant', async (t) => {
  const { page } = await open(t, {
    path: '/monitors/new?metric=authorization_rate&detect=rate&by=pspp&notify=oncall&window=5s&name=drop',
  });
  await page.locator('[data-field=by] [data-testid=fault]').waitFor();
  await page
    .locator('[data-field="settings.window"] [data-testid=fault]')
    .getByText('between 10s and 24h')
    .waitFor();
  await page.locator('[data-testid=run-failure]').waitFor();
  await page.getByRole('button', { name: 'Use psp' }).click();
  await page.getByRole('button', { name: 'Use on_call' }).click();
  await page.fill('[data-setting=window]', '5');
  await page.getByText('Write a whole number and a unit').waitFor();
  await page.fill('[data-setting=window]', '5m');
  await tested(page);
  assert.equal(await page.locator('[data-testid=fault]').count(), 0);
  assert.match(
    await yaml(page),
    /by: \[psp\]\n {4}detect:\n {6}rate:\n {8}window: 5m\n {4}notify: \[on_call\]/,
  );
});

test('labels change precision at once, stay, and can be saved', async (t) => {
  const { page } = await open(t, { path: '/monitors/authorization_drop?mode=edit' });
  await tested(page);
  // One was called real live.
  assert.equal(await figure(page, 'existing-precision'), '100%');
  const second = page.locator('[data-testid=found]').nth(1);
  await second.getByRole('button', { name: 'False alarm' }).click();
  assert.equal(await figure(page, 'existing-precision'), '50%');
  await page.getByRole('button', { name: 'Call all others false alarms' }).click();
  assert.equal(await figure(page, 'existing-unjudged'), '0');
  await second.getByRole('button', { name: 'Real', exact: true }).click();
  assert.equal(await figure(page, 'existing-real'), '2');
  // A stricter version misses it.
  await page.fill('[data-setting=min_change]', '0.25');
  await page.waitForSelector('[data-testid=outcome][data-compared]');
  await tested(page);
  assert.equal(await figure(page, 'proposed-missed'), '1');
  await page.waitForSelector('[data-testid=missed][data-version=proposed]');
  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save labels as a file' }).click();
  const file = await saving;
  assert.equal(file.suggestedFilename(), 'authorization_rate-labels.yaml');
  assert.match(await readFile(await file.path(), 'utf8'), /verdict: false_alarm\}/);
  await page.reload();
  await tested(page);
  assert.equal(await figure(page, 'proposed-missed'), '1');
});

test('a server that tests for somebody else is asked again, and one that went away as well', async (t) => {
  const { page, mock } = await open(t, { path: '/monitors' });
  mock.state.testing = true;
  await page.goto(`${mock.url}/monitors/psp_latency?mode=edit`);
  await page.getByText('Another test is running on the server').waitFor();
  mock.state.testing = false;
  await tested(page);
  mock.setMode('down');
  await page.fill('[data-setting=above]', '700');
  await page.getByText('The server does not answer').waitFor();
  mock.setMode('normal');
  await tested(page);
  assert.ok((await figure(page, 'proposed-found')) !== '');
});

test('typing on hangs up on the test before', async (t) => {
  const { page, mock } = await open(t, { path: '/monitors/psp_latency?mode=edit', backtestMs: 60_000 });
  await page.waitForSelector('[data-testid=run][data-phase=running]');
  assert.equal(mock.state.tests, 1);
  mock.state.backtestMs = 100;
  await page.fill('[data-setting=above]', '650');
  await tested(page);
  assert.equal(mock.state.testing, false);
  assert.equal(await page.locator('[data-testid=outcome][data-compared]').count(), 1);
});

test('the definition is saved as a file, for a longer time too', async (t) => {
  const { page, faults } = await open(t, { path: '/monitors/new' });
  await page.selectOption('[data-testid=metric]', 'payment_attempts');
  await page.getByRole('radio', { name: /^Count/ }).check({ force: true });
  await page.getByLabel('Name', { exact: true }).fill('few_payments');
  await tested(page);
  await page.selectOption('[data-testid=span]', '56d');
  await page.waitForURL(/span=56d/);
  await tested(page);
  assert.equal(await page.locator('.week-bars tbody tr').count(), 8);
  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download' }).click();
  const file = await saving;
  assert.equal(file.suggestedFilename(), 'few_payments.yaml');
  const text = await readFile(await file.path(), 'utf8');
  assert.equal(text, 'monitors:\n  few_payments:\n    metric: payment_attempts\n    detect: count\n');
  assert.deepEqual(faults, []);
});

test('what was found is gone through by keyboard', async (t) => {
  const { page } = await open(t, { path: '/monitors/authorization_drop?mode=edit' });
  await tested(page);
  await page.focus('[data-testid=strip] [role=listbox]');
  await page.keyboard.press('End');
  await page.waitForSelector('[data-testid=found][data-selected]');
  const first = await page.getAttribute('[data-testid=found][data-selected]', 'data-slice');
  await page.keyboard.press('ArrowLeft');
  assert.notEqual(await page.getAttribute('[data-testid=found][data-selected]', 'data-slice'), first);
  await page.focus('input[name=detector]:checked');
  await page.keyboard.press('ArrowRight');
  await page.waitForSelector('[data-testid=outcome][data-compared]');
});

test('names that look like markup stay text', async (t) => {
  const { page, faults } = await open(t, { mode: 'hostile', path: '/monitors/authorization_drop?mode=edit' });
  await tested(page);
  await page.locator('[data-testid=found]').first().getByText('<img src=x').first().waitFor();
  assert.equal(await page.locator('#root img, #root script').count(), 0);
  assert.deepEqual(faults, []);
});

for (const [mode, text] of [
  ['empty', 'No monitor yet'],
  ['error', 'Could not load'],
]) {
  test(`the list is designed when it is ${mode}`, async (t) => {
    const { page } = await open(t, { mode });
    await page.getByText(text).first().waitFor();
  });
}

test('a page opened while the server is away fills when it comes', async (t) => {
  const { page, mock } = await open(t, { mode: 'recovering' });
  await page.waitForSelector('.panel-error');
  mock.setMode('normal');
  await page.waitForSelector('[data-testid=monitor]', { timeout: 30_000 });
});

test('a monitor that is none is told', async (t) => {
  const { page } = await open(t, { path: '/monitors/nowhere' });
  await page.getByText('There is no monitor “nowhere”').waitFor();
});

for (const [width, colorScheme, path] of [
  [360, 'light', '/monitors'],
  [1440, 'dark', '/monitors'],
  [360, 'dark', '/monitors/authorization_drop'],
  [1440, 'light', '/monitors/authorization_drop'],
  [
    360,
    'light',
    '/monitors/authorization_drop?mode=edit&metric=authorization_rate&detect=rate&by=psp&min_change=0.2',
  ],
  [
    1440,
    'dark',
    '/monitors/authorization_drop?mode=edit&metric=authorization_rate&detect=rate&by=psp&min_change=0.2',
  ],
  [3840, 'light', '/monitors/authorization_drop?mode=edit&metric=authorization_rate&detect=rate&by=psp,x'],
]) {
  test(`no accessibility finding and no sideways scrolling at ${width} px, ${colorScheme}, ${path}`, async (t) => {
    const { page } = await open(t, { path, colorScheme, viewport: { width, height: 900 } });
    await page.waitForSelector(
      '[data-testid=monitor], [data-testid=definition], [data-testid=outcome], [data-testid=fault]',
    );
    if (path.includes('edit'))
      await page.waitForSelector('[data-testid=run][data-phase=done], [data-testid=run][data-phase=failed]');
    await page.waitForTimeout(500);
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

test('what somebody knows of counts as missed where no version finds it', async (t) => {
  const { page } = await open(t, { path: '/monitors/authorization_drop?mode=edit', timezoneId: 'UTC' });
  await tested(page);
  await page.getByText('Something else was wrong').click();
  const day = new Date(Date.now() - 5 * 86_400_000).toISOString().slice(0, 10);
  await page.getByLabel('From').fill(`${day}T00:05`);
  await page.getByLabel('Until').fill(`${day}T00:10`);
  await page.getByLabel('PSP', { exact: true }).last().fill('nobody_at_all');
  await page.getByRole('button', { name: 'Add', exact: true }).last().click();
  await page.waitForSelector('[data-testid=missed][data-version=existing]');
  assert.equal(await figure(page, 'existing-missed'), '1');
  await page.locator('[data-testid=missed]').getByText('nobody_at_all').waitFor();
  await page.getByRole('button', { name: 'Forget my labels' }).click();
  assert.equal(await figure(page, 'existing-missed'), '0');
});

test('silenced incidents are told on the list and at their monitor', async (t) => {
  const { page, mock } = await open(t, { path: '/boards/payments' });
  const silenced = await page.evaluate(async () => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch('/v1/incidents/inc_01JDR8/silence', {
      method: 'POST',
      headers,
      body: '{"for":"1h"}',
    });
    return answer.ok;
  });
  assert.ok(silenced);
  await page.goto(`${mock.url}/monitors`);
  await page.locator('[data-testid=silences]').getByText('authorization_drop: adyen').waitFor();
  await page.locator('[data-testid=silences]').getByText('ada').waitFor();
  await page.goto(`${mock.url}/monitors/authorization_drop`);
  await page.locator('[data-testid=monitor-incident]').getByText('silenced until').waitFor();
  // It is ended before its time, and is gone.
  await page.goto(`${mock.url}/monitors`);
  await page.getByRole('button', { name: /End the silence of authorization_drop: adyen/ }).click();
  await page.locator('[data-testid=silences]').waitFor({ state: 'detached' });
});
