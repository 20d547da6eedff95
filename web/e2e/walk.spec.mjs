// From a file to a board: what the server makes of a file, its definition, the upload and the board.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertUsable, opening } from './opening.mjs';

const open = opening({ path: '/data?tab=upload&way=new' });
const csv = (text, name = 'orders.csv') => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });
const rows = (n) =>
  Array.from({ length: n }, (_, i) => `o_${i},2026-11-0${(i % 9) + 1}T10:00:00Z,${i}.50,EUR`).join('\n');
const orders = `order_id,created_at,amount,currency\n${rows(40)}\no_x,2026-11-01T10:00:00Z,many,EUR\n`;
const step = (page, name) => page.waitForSelector(`[data-testid=walk][data-step=${name}]`);

test('a file becomes a stream and a board, each step looked over before it', async (t) => {
  const { page, mock, faults } = await open(t);
  await page.setInputFiles('[data-testid=upload-file]', csv(orders));
  await step(page, 'fields');
  const fields = page.locator('[data-testid=walk-fields]');
  await fields.locator('[data-row=order_id]').getByText('Id', { exact: true }).waitFor();
  await fields.locator('[data-row=created_at]').getByText('Time', { exact: true }).waitFor();
  await fields.locator('[data-row=amount]').getByText('Amount', { exact: true }).waitFor();
  await fields.locator('[data-row=currency]').getByText('Currency', { exact: true }).waitFor();
  await page.getByText('41 lines looked at; 1 of them do not fit').waitFor();
  await page.getByText("'many' is no decimal number").waitFor();
  await assertUsable(page);
  await page.click('[data-testid=walk-next]');
  await step(page, 'definition');
  await page.waitForSelector('[data-testid=def-check][data-state=good]');
  await page.locator('[data-testid=yaml-editor]').getByText('# Proposed from orders.csv.').waitFor();
  await assertUsable(page);
  await page.click('[data-testid=walk-save]');
  await page.waitForSelector('[data-testid=upload-run][data-phase=done]');
  await step(page, 'board');
  assert.equal(mock.state.puts[0].file, 'orders.yaml');
  assert.match(mock.state.puts[0].body, /^ {2}orders:$/m);
  assert.equal(mock.state.uploads[0].text, orders);
  assert.equal(await page.textContent('[data-testid=upload-accepted]'), '40');
  assert.equal(await page.textContent('[data-testid=upload-rejected]'), '1');
  await page.getByText('This board is proposed: 1 figures, 1 charts').waitFor();
  await assertUsable(page);
  await page.click('[data-testid=walk-save-board]');
  await page.waitForURL('**/boards/orders');
  await page.waitForSelector('.chart canvas');
  assert.deepEqual(faults, []);
});

test('a name is proposed anew, a fault stands at its line, and every step can be gone back', async (t) => {
  const { page, mock } = await open(t);
  await page.setInputFiles('[data-testid=upload-file]', csv(orders));
  await page.click('[data-testid=walk-next]');
  await page.waitForSelector('[data-testid=def-check][data-state=good]');
  await page.fill('[data-testid=walk-name]', 'Shop Orders');
  await page.getByText('A name begins with a small letter').waitFor();
  await page.fill('[data-testid=walk-name]', 'shop_orders');
  await page.press('[data-testid=walk-name]', 'Enter');
  const editor = page.locator('[data-testid=yaml-editor] [contenteditable]');
  await editor.getByText('shop_orders').waitFor();
  assert.match(mock.state.proposals.at(-1).query, /stream=shop_orders/);
  assert.equal(await page.inputValue('[data-testid=walk-target]'), 'shop_orders.yaml');
  await editor.press('Control+End');
  await editor.pressSequentially('metrics:\n  sum_of: amout');
  await page.waitForSelector('[data-testid=def-check][data-state=bad]');
  const fault = page.locator('[data-testid=def-faults] li');
  assert.match(await fault.textContent(), /there is no field 'amout'[\s\S]*did you mean 'amount'\?/);
  await fault.getByRole('button').click();
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), 'yaml-editor');
  // What the server refuses when it is saved stands there too.
  await page.click('[data-testid=walk-save]');
  await page.waitForSelector('[data-testid=def-refused][data-status="422"]');
  assert.equal(mock.state.puts, undefined);
  // A text that was changed by hand is not replaced by itself.
  assert.equal(await page.getAttribute('[data-testid=walk-name]', 'readonly'), '');
  await page.click('[data-go=fields]');
  await step(page, 'fields');
  await page.click('[data-testid=walk-next]');
  await editor.getByText('amout').waitFor();
  // Another page, and back: nothing is lost.
  await page.getByRole('link', { name: 'Monitors', exact: true }).click();
  await page.getByRole('link', { name: 'Data', exact: true }).click();
  await page.getByRole('link', { name: 'Upload', exact: true }).click();
  await editor.getByText('amout').waitFor();
  await page.click('[data-go=file]');
  await step(page, 'file');
});

test('where nothing can be written the text is there to copy, and the page waits for the stream', async (t) => {
  const { page, mock } = await open(t, {
    prepare: ({ state }) => {
      state.readOnly = true;
    },
  });
  await page.setInputFiles('[data-testid=upload-file]', csv(orders));
  await page.click('[data-testid=walk-next]');
  await page.getByText('takes no definitions from the browser: the folder is read-only').waitFor();
  await page.waitForSelector('[data-testid=copy-yaml]');
  await page.waitForSelector('[data-testid=walk-waiting]');
  assert.equal(await page.isDisabled('[data-testid=walk-upload]'), true);
  assert.equal(await page.locator('[data-testid=walk-save]').count(), 0);
  await assertUsable(page);
  mock.state.folder.set('orders.yaml', 'streams:\n  orders:\n    id: order_id\n');
  mock.state.puts = [{ file: 'orders.yaml', body: '' }];
  await page.getByText('The stream “orders” is there.').waitFor();
  await page.click('[data-testid=walk-upload]');
  await step(page, 'board');
  assert.equal(mock.state.uploads.length, 1);
});

test('a stream that is there takes the file without a definition', async (t) => {
  const { page, mock } = await open(t);
  await page.setInputFiles('[data-testid=upload-file]', csv(orders, 'refunds.csv'));
  await page.getByText('There is a stream “refunds” already').waitFor();
  await page.click('[data-testid=walk-only-upload]');
  await page.waitForSelector('[data-testid=upload-run][data-phase=done]');
  assert.equal(mock.state.puts, undefined);
  await page.getByText('No board was proposed').waitFor();
  await page.getByRole('button', { name: 'Upload another file' }).click();
  await page.waitForSelector('[data-testid=upload-file]', { state: 'attached' });
});

test('lines of objects are uploaded as such, also in parts', async (t) => {
  const { page, mock } = await open(t);
  const line = (i) =>
    JSON.stringify({ id: `e_${i}`, at: '2026-11-01T10:00:00Z', amount: `${i}.25`, note: 'he said "no",\n' });
  const file = `${Array.from({ length: 40_000 }, (_, i) => line(i)).join('\n')}\n`;
  await page.setInputFiles('[data-testid=upload-file]', csv(file, 'events.ndjson'));
  await step(page, 'fields');
  // Only the beginning is sent to be looked at, and whole lines of it.
  assert.ok(mock.state.proposals[0].bytes < file.length);
  assert.equal(mock.state.proposals[0].type, 'application/x-ndjson');
  await page.click('[data-testid=walk-next]');
  await page.click('[data-testid=walk-save]');
  await page.waitForSelector('[data-testid=upload-run][data-phase=done]');
  assert.ok(mock.state.uploads.length >= 2);
  assert.equal(mock.state.uploads.map(({ text }) => text).join(''), file);
  assert.ok(mock.state.uploads.every(({ type }) => type === 'application/x-ndjson'));
});

test('a file of which nothing can be made is told with the reason', async (t) => {
  const { page } = await open(t);
  await page.setInputFiles('[data-testid=upload-file]', csv('name,colour\nAda,red\n', 'names.csv'));
  await page.getByText('Nothing could be proposed for this file').waitFor();
  await page.getByText('no column has a date or time').waitFor();
  await page.setInputFiles('[data-testid=upload-file]', csv('[{"id":1}]', 'names.json'));
  await page.waitForSelector('[data-testid=unfit]');
  await page.setInputFiles('[data-testid=upload-file]', csv(orders));
  await step(page, 'fields');
});

test('names of files and values are only ever text', async (t) => {
  const { page, faults } = await open(t, { width: 360 });
  const evil = '<img src=x onerror=alert(1)>';
  await page.setInputFiles(
    '[data-testid=upload-file]',
    csv(`id,at,${evil}\n${evil},2026-11-01T10:00:00Z,<b>x</b>\n`, `${evil}.csv`),
  );
  await step(page, 'fields');
  assert.equal(await page.locator('#root img, #root b').count(), 0);
  assert.deepEqual(faults, []);
});

test('the proposed board can be looked at before it is saved', async (t) => {
  const { page } = await open(t);
  await page.setInputFiles('[data-testid=upload-file]', csv(orders));
  await page.click('[data-testid=walk-next]');
  await page.click('[data-testid=walk-save]');
  await page.click('[data-testid=walk-look]');
  await page.waitForURL('**/new-board?proposed=orders');
  await page.waitForSelector('[data-testid=board-preview] .chart canvas');
});

for (const [name, options] of Object.entries({
  narrow: { viewport: { width: 360, height: 780 }, locale: 'zh-CN', colorScheme: 'dark' },
  dark: { colorScheme: 'dark' },
})) {
  test(`every step is usable: ${name}`, async (t) => {
    const { page, faults } = await open(t, options);
    await page.waitForSelector('[data-testid=walk]');
    await assertUsable(page);
    await page.setInputFiles('[data-testid=upload-file]', csv(orders));
    await step(page, 'fields');
    await assertUsable(page);
    await page.click('[data-testid=walk-next]');
    await page.waitForSelector('[data-testid=def-check][data-state=good]');
    await assertUsable(page);
    await page.click('[data-testid=walk-save]');
    await step(page, 'board');
    await assertUsable(page);
    assert.deepEqual(faults, []);
  });
}
