// Monitors saved into the definitions folder from their form: written, renamed, deleted, and nobody overwritten.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeAside } from '../dev/mock-definitions.mjs';
import { assertUsable, opening } from './opening.mjs';

const open = opening({ path: '/monitors/authorization_drop?mode=edit' });
const save = '[data-testid=save-monitor-do]';
const enabled = (page) => page.waitForSelector(`${save}:not([disabled])`);

test('a change is written at the lines of the monitor, and its page says where', async (t) => {
  const { page, mock, faults } = await open(t);
  await page.getByText('Comments within its lines in monitors.yaml:3 are not kept.').waitFor();
  await page.fill('[data-field=owner] input', 'payments on call');
  await enabled(page);
  await assertUsable(page);
  await page.click(save);
  await page.waitForSelector('[data-testid=def-saved][data-place="monitors.yaml:3"]');
  await page.getByText('It is in force.').waitFor();
  const [put] = mock.state.puts;
  assert.equal(put.name, 'authorization_drop');
  assert.match(put.body, /^monitors:\n {2}authorization_drop:\n {4}metric: authorization_rate\n/);
  assert.match(put.body, /owner: payments on call/);
  // All around it is as it was.
  assert.match(mock.state.folder.get('monitors.yaml'), /# Told to the people on call\.[\s\S]*psp_latency:/);
  await page.getByRole('link', { name: 'Stands in monitors.yaml:3' }).waitFor();
  await assertUsable(page);
  assert.deepEqual(faults, []);
});

test('a new monitor is written and opened', async (t) => {
  const { page, mock } = await open(t, { path: '/monitors/new?metric=payment_attempts&detect=auto' });
  await page.waitForSelector('[data-testid=save-monitor]');
  assert.equal(await page.isDisabled(save), true);
  await page.fill('[data-field=name] input', 'few_payments');
  await enabled(page);
  await page.click(save);
  await page.waitForURL('**/monitors/few_payments');
  await page.waitForSelector('[data-testid=def-saved]');
  assert.match(mock.state.folder.get('monitors.yaml'), /few_payments:\n {4}metric: payment_attempts/);
});

test('what somebody else has written meanwhile is shown, and one is chosen', async (t) => {
  const { page, mock } = await open(t);
  await page.fill('[data-field=owner] input', 'us');
  await enabled(page);
  const text = mock.state.folder.get('monitors.yaml');
  writeAside(mock.state, 'monitors.yaml', text.replace('severity: critical', 'severity: info'));
  await page.click(save);
  const dialog = page.locator('[data-testid=file-conflict]');
  await dialog.getByText('severity: info').waitFor();
  await dialog.getByText('owner: us').waitFor();
  assert.equal(mock.state.puts, undefined);
  await page.click('[data-testid=conflict-mine]');
  await page.waitForSelector('[data-testid=def-saved]');
  assert.match(mock.state.folder.get('monitors.yaml'), /owner: us/);
});

test('what somebody else has written while the server was away is not undone unseen', async (t) => {
  const { page, mock } = await open(t);
  await page.fill('[data-field=owner] input', 'us');
  await enabled(page);
  const item = '/v1/definitions/monitors/authorization_drop';
  const lost = page.waitForEvent('requestfailed');
  mock.setMode('down');
  const text = mock.state.folder.get('monitors.yaml');
  writeAside(mock.state, 'monitors.yaml', text.replace('severity: critical', 'severity: info'));
  await lost;
  const again = page.waitForResponse((response) => response.url().endsWith(item));
  mock.setMode('normal');
  await again;
  await enabled(page);
  await page.click(save);
  await page.locator('[data-testid=file-conflict]').getByText('severity: info').waitFor();
  assert.equal(mock.state.puts, undefined);
});

test('what somebody else has written after the list was read, and before the text, is not undone unseen', async (t) => {
  const { page, mock } = await open(t, { path: '/monitors' });
  let isChanged = false;
  await page.route('**/v1/monitors', async (route) => {
    const response = await route.fetch();
    const list = await response.json();
    if (isChanged) list.monitors.find(({ name }) => name === 'authorization_drop').severity = 'info';
    await route.fulfill({ response, json: list });
  });
  await page.getByText('authorization_drop').first().waitFor();
  await fetch(`${mock.url}/v1/definitions`);
  const text = mock.state.folder.get('monitors.yaml');
  writeAside(mock.state, 'monitors.yaml', text.replace('severity: critical', 'severity: info'));
  await page.evaluate(() => {
    history.pushState({}, '', '/monitors/authorization_drop?mode=edit');
    dispatchEvent(new PopStateEvent('popstate'));
  });
  await page.fill('[data-field=owner] input', 'us');
  await enabled(page);
  isChanged = true;
  await page.click(save);
  const dialog = page.locator('[data-testid=file-conflict]');
  await dialog.getByText('severity: info').waitFor();
  assert.equal(mock.state.puts, undefined);
  await page.click('[data-testid=conflict-mine]');
  await page.waitForSelector('[data-testid=def-saved]');
  assert.match(mock.state.folder.get('monitors.yaml'), /owner: us/);
});

test('what the server finds wrong is told with its place, and nothing is written', async (t) => {
  const { page, mock } = await open(t);
  await page.fill('[data-field=owner] input', 'amout');
  await enabled(page);
  await page.click(save);
  const refused = page.locator('[data-testid=def-refused]');
  await refused.getByText('it would not work').waitFor();
  await refused.getByText("there is no field 'amout'").waitFor();
  await refused.getByText("did you mean 'amount'?").waitFor();
  assert.equal(mock.state.puts, undefined);
});

test('a monitor of a pack and a folder that is read-only leave the text to copy, with the reason', async (t) => {
  const { page, mock } = await open(t, { path: '/monitors/declines_max?mode=edit' });
  await page.getByText("it is of the pack 'payments'").waitFor();
  assert.equal(await page.locator(save).count(), 0);
  await page.waitForSelector('[data-testid=yaml]');
  await page.getByText('tillwatch check --config DIR').waitFor();
  mock.state.readOnly = true;
  await page.goto(`${mock.url}/monitors/authorization_drop`);
  await page.getByText('Stands in monitors.yaml:3').waitFor();
  assert.equal(await page.locator('[data-testid=delete-monitor]').count(), 0);
  await page.goto(`${mock.url}/monitors/authorization_drop?mode=edit`);
  await page.getByText('the folder is read-only').waitFor();
  assert.equal(await page.locator(save).count(), 0);
  await assertUsable(page);
});

test('a monitor is deleted after a question', async (t) => {
  const { page, mock } = await open(t, { path: '/monitors/psp_latency' });
  await page.click('[data-testid=delete-monitor]');
  await page.getByText('It judges no more').waitFor();
  await assertUsable(page);
  await page.getByRole('button', { name: 'Keep it' }).click();
  assert.match(mock.state.folder.get('monitors.yaml'), /psp_latency/);
  await page.click('[data-testid=delete-monitor]');
  await page.click('[data-testid=delete-monitor-yes]');
  await page.waitForURL('**/monitors');
  await page.waitForSelector('[data-testid=monitors]');
  await page.getByText('psp_latency').waitFor({ state: 'detached' });
  assert.doesNotMatch(mock.state.folder.get('monitors.yaml'), /psp_latency/);
});

test('a rename writes the new one, then removes the old one, and half of it is told and ended', async (t) => {
  const { page, mock } = await open(t, { path: '/monitors/psp_latency' });
  await page.click('[data-testid=rename-monitor]');
  await page.getByText('Under the new name it learns anew').waitFor();
  await page.fill('[data-testid=rename-name]', 'authorization_drop');
  await page.getByText('There is a monitor of this name.').waitFor();
  await page.fill('[data-testid=rename-name]', 'slow_psp');
  // Somebody changes the old one in between: it is not removed unseen.
  const text = mock.state.folder.get('monitors.yaml');
  writeAside(mock.state, 'monitors.yaml', text.replace('over: 5m', 'over: 6m'));
  await page.click('[data-testid=rename-do]');
  await page.getByText('slow_psp is written, but psp_latency could not be removed').waitFor();
  assert.deepEqual(
    mock.state.puts.map(({ method, name }) => [method, name]),
    [['PUT', 'slow_psp']],
  );
  writeAside(
    mock.state,
    'monitors.yaml',
    mock.state.folder.get('monitors.yaml').replace('over: 6m', 'over: 5m'),
  );
  await page.click('[data-testid=rename-do]');
  await page.waitForURL('**/monitors/slow_psp');
  const after = mock.state.folder.get('monitors.yaml');
  assert.match(after, /slow_psp:\n {4}metric: latency_p95\n {4}detect: \{threshold/);
  assert.doesNotMatch(after, /psp_latency/);
});
