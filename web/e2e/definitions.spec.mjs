// The files of definitions in the browser: looked at, checked, changed, deleted, and nobody overwritten.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeAside } from '../dev/mock-definitions.mjs';
import { assertUsable, opening } from './opening.mjs';

const open = opening({ path: '/data?tab=definitions' });
const editorOf = (page) => page.locator('[data-testid=yaml-editor] [contenteditable]');
const good = (page) => page.waitForSelector('[data-testid=def-check][data-state=good]');

async function openFile(page, file) {
  await page.click(`[data-file="${file}"]`);
  await page.waitForSelector('[data-testid=yaml-editor]');
}

async function append(page, text) {
  await editorOf(page).press('Control+End');
  await editorOf(page).pressSequentially(text);
}

test('every file tells what it holds, and what it says with its lines; those of packs can be read', async (t) => {
  const { page, faults } = await open(t);
  const list = page.locator('[data-testid=file-list]');
  await list.getByText('Monitors: authorization_drop, psp_latency').waitFor();
  await assertUsable(page);
  await openFile(page, 'monitors.yaml');
  await editorOf(page).getByText('# Told to the people on call.').waitFor();
  await page.waitForURL(/file=monitors\.yaml/);
  await assertUsable(page);
  await page.reload();
  await editorOf(page).getByText('# Told to the people on call.').waitFor();
  await openFile(page, 'payments.yaml');
  await page.getByText('A file of a pack is not changed here').waitFor();
  await page.locator('[data-testid=yaml-editor] [aria-readonly=true]').getByText('declines_max').waitFor();
  assert.equal(await page.locator('[data-testid=save-file]').count(), 0);
  assert.deepEqual(faults, []);
});

test('a change is checked while it is typed and saved with its place; a fault stands at its line', async (t) => {
  const { page, mock, faults } = await open(t);
  await openFile(page, 'monitors.yaml');
  await good(page);
  assert.equal(await page.isDisabled('[data-testid=save-file]'), true);
  await append(page, '# amout');
  await page.waitForSelector('[data-testid=def-check][data-state=bad]');
  const fault = page.locator('[data-testid=file-shown] [data-testid=def-faults] li');
  assert.match(await fault.textContent(), /line 14, column 3.*there is no field 'amout'/);
  await page.locator('[data-testid=yaml-editor] .cm-faulty-line').waitFor();
  for (let i = 0; i < 5; i += 1) await editorOf(page).press('Backspace');
  await editorOf(page).pressSequentially('of ours');
  await good(page);
  await editorOf(page).press('Control+s');
  await page.waitForSelector('[data-testid=def-saved][data-place="monitors.yaml"]');
  await page.getByText('It is in force.').waitFor();
  assert.match(mock.state.folder.get('monitors.yaml'), /# of ours$/);
  assert.equal(await page.isDisabled('[data-testid=save-file]'), true);
  // The tag of what was saved is the one that the next save brings along.
  await append(page, '!');
  await page.click('[data-testid=save-file]');
  await page.waitForSelector('[data-testid=def-saved]');
  assert.match(mock.state.folder.get('monitors.yaml'), /# of ours!$/);
  // The browser itself tells of every refusal, as the one of the text that was not right yet.
  assert.deepEqual(
    faults.filter((one) => !/status of 422/.test(one)),
    [],
  );
});

test('what somebody else has saved meanwhile is shown beside mine, and one is chosen', async (t) => {
  const { page, mock } = await open(t);
  await openFile(page, 'monitors.yaml');
  await append(page, '# mine');
  await good(page);
  writeAside(mock.state, 'monitors.yaml', 'monitors: {}   # theirs\n');
  await page.click('[data-testid=save-file]');
  const dialog = page.locator('[data-testid=file-conflict]');
  await dialog.getByText('# theirs').waitFor();
  await dialog.getByText('# mine').waitFor();
  await assertUsable(page);
  assert.equal(mock.state.folder.get('monitors.yaml'), 'monitors: {}   # theirs\n');
  await page.press('[data-testid=file-conflict]', 'Escape');
  await editorOf(page).getByText('# mine').waitFor();
  await page.click('[data-testid=save-file]');
  await page.click('[data-testid=conflict-mine]');
  await page.waitForSelector('[data-testid=def-saved]');
  assert.match(mock.state.folder.get('monitors.yaml'), /# mine$/);
  writeAside(mock.state, 'monitors.yaml', 'monitors: {}   # theirs again\n');
  await append(page, ' still');
  await page.click('[data-testid=save-file]');
  await page.click('[data-testid=conflict-theirs]');
  await editorOf(page).getByText('# theirs again').waitFor();
  assert.equal(mock.state.folder.get('monitors.yaml'), 'monitors: {}   # theirs again\n');
});

test('leaving asks while something is not saved, and only then', async (t) => {
  const { page } = await open(t);
  await openFile(page, 'monitors.yaml');
  await page.click('[data-file="shop.yaml"]');
  await editorOf(page).getByText('# What the shop sends').waitFor();
  await append(page, '# mine');
  await page.getByRole('link', { name: 'Storage', exact: true }).click();
  await page.getByText('What you have changed in shop.yaml is not saved.').waitFor();
  await page.getByRole('button', { name: 'Go on editing' }).click();
  await editorOf(page).getByText('# mine').waitFor();
  await page.click('[data-file="monitors.yaml"]');
  await page.click('[data-testid=leave-file]');
  await editorOf(page).getByText('# Told to the people on call.').waitFor();
});

test('a file is begun and deleted, with a question before it is gone', async (t) => {
  const { page, mock } = await open(t);
  await page.click('[data-testid=new-file]');
  await page.fill('[data-testid=new-file-name]', '../outside.yaml');
  await page.getByText('A name of letters, digits').waitFor();
  await page.fill('[data-testid=new-file-name]', 'shop.yaml');
  await page.getByText('There is a file of this name.').waitFor();
  await page.fill('[data-testid=new-file-name]', 'team/alerts.yaml');
  await page.press('[data-testid=new-file-name]', 'Enter');
  await page.waitForSelector('[data-testid=yaml-editor]');
  await editorOf(page).pressSequentially('monitors:\n  a: {}');
  await page.click('[data-testid=save-file]');
  await page.waitForSelector('[data-testid=def-saved]');
  assert.match(mock.state.folder.get('team/alerts.yaml'), /^monitors:\n {2}a: \{\}/);
  await page.waitForSelector('[data-file="team/alerts.yaml"]');
  await page.click('[data-testid=delete-file]');
  const dialog = page.locator('[data-testid=file-delete]');
  await dialog.getByText('Delete team/alerts.yaml?').waitFor();
  await dialog.getByText('Monitors: a').waitFor();
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  assert.ok(mock.state.folder.has('team/alerts.yaml'));
  await page.click('[data-testid=delete-file]');
  await page.click('[data-testid=delete-file-yes]');
  await page.waitForSelector('[data-file="team/alerts.yaml"]', { state: 'detached' });
  assert.ok(!mock.state.folder.has('team/alerts.yaml'));
});

test('faults of the folder as it stands lead to their lines', async (t) => {
  const { page } = await open(t, {
    prepare: ({ state }) => writeAside(state, 'broken.yaml', 'metrics:\n  a: {sum: amout}\n'),
  });
  const panel = page.locator('[data-testid=folder-faults]');
  await panel.getByText("there is no field 'amout'").waitFor();
  await page.locator('[data-file="broken.yaml"]').getByText('has faults').waitFor();
  await panel.getByRole('button', { name: 'line 2, column 12' }).click();
  await page.waitForURL(/file=broken\.yaml/);
  await page.locator('[data-testid=yaml-editor] .cm-activeLine').getByText('amout').waitFor();
});

test('a folder that is read-only is shown, and nothing more is offered', async (t) => {
  const { page } = await open(t, {
    prepare: ({ state }) => {
      state.readOnly = true;
    },
  });
  await page.waitForSelector('[data-testid=def-closed]');
  assert.equal(await page.locator('[data-testid=new-file]').count(), 0);
  await openFile(page, 'monitors.yaml');
  await page.locator('[data-testid=yaml-editor] [aria-readonly=true]').waitFor();
  assert.equal(await page.locator('[data-testid=save-file], [data-testid=delete-file]').count(), 0);
  await assertUsable(page);
});

test('names of files and what they say are only ever text', async (t) => {
  const { page, faults } = await open(t, { mode: 'hostile' });
  await page.locator('[data-testid=file-list]').getByText('<img src=x onerror=alert(1)>.yaml').waitFor();
  await page.locator('[data-testid=file-list] a').filter({ hasText: '<img' }).click();
  await editorOf(page).getByText('<script>').waitFor();
  assert.equal(await page.locator('#root img, #root script').count(), 0);
  assert.deepEqual(faults, []);
});

test('an empty folder and a narrow screen in Chinese are usable', async (t) => {
  const { page, faults } = await open(t, {
    viewport: { width: 360, height: 780 },
    locale: 'zh-CN',
    colorScheme: 'dark',
  });
  await page.getByText('定义文件').first().waitFor();
  await assertUsable(page);
  await openFile(page, 'monitors.yaml');
  await good(page);
  await assertUsable(page);
  await page.getByRole('link', { name: '所有文件' }).click();
  await page.waitForSelector('[data-testid=file-list]');
  assert.deepEqual(faults, []);
});
