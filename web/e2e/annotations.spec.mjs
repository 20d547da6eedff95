// What is noted on charts and beside incidents, against the mock.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertUsable, opening } from './opening.mjs';

const open = opening({ path: '/explore?metric=payment_attempts' });
const MARK = '[data-testid=annotation]';

test('a chart marks what was noted, tells of it and lets it be removed', async (t) => {
  const { page, faults } = await open(t);
  await page.waitForSelector(MARK);
  assert.equal(await page.locator(MARK).count(), 3);
  await page.getByRole('button', { name: /^Deployment: checkout 4\.12\.0/ }).click();
  const details = page.getByRole('dialog', { name: /checkout 4\.12\.0/ });
  await details.getByText('3-D Secure 2.3 for all issuers').waitFor();
  assert.equal(await details.getByRole('link').getAttribute('href'), 'https://ci.example/runs/7');
  assert.equal(await details.getByRole('link').getAttribute('rel'), 'noopener noreferrer');
  await assertUsable(page);
  await details.getByRole('button', { name: 'Remove' }).click();
  await details.getByRole('button', { name: 'Remove for everybody?' }).click();
  await page.waitForFunction((mark) => document.querySelectorAll(mark).length === 2, MARK);
  assert.deepEqual(faults, []);
});

test('a filter leaves out what is of other slices', async (t) => {
  const { page } = await open(t, { path: '/explore?metric=payment_attempts&where.psp=adyen' });
  await page.waitForSelector(MARK);
  assert.equal(await page.locator(MARK).count(), 2);
});

for (const [language, words] of [
  ['en-GB', { button: 'Note', save: 'Note it', name: 'In one line', end: 'When it ended (may be empty)' }],
  ['zh-CN', { button: '标注', save: '标注', name: '一句话说明', end: '结束时间（可留空）' }],
]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`something is noted by hand and stands on the chart, ${language}, ${colorScheme}`, async (t) => {
      const viewport = colorScheme === 'dark' ? { width: 360, height: 780 } : { width: 1440, height: 900 };
      const { page, faults } = await open(t, { locale: language, colorScheme, viewport });
      await page.waitForSelector(MARK);
      await page.getByTestId('annotate').click();
      const dialog = page.getByTestId('annotation-dialog');
      await dialog.getByLabel(words.name).fill('new acquirer <b>');
      await dialog.getByLabel(words.end).fill('2001-01-01T00:00');
      await dialog.getByRole('alert').waitFor();
      assert.ok(await dialog.getByRole('button', { name: words.save }).isDisabled());
      await dialog.getByLabel(words.end).fill('');
      await assertUsable(page);
      await dialog.getByRole('button', { name: words.save }).click();
      await page.getByRole('button', { name: /new acquirer <b>/ }).waitFor();
      assert.equal(await page.locator('dialog[open]').count(), 0);
      assert.deepEqual(faults, []);
    });
  }
}

test('an incident has what was noted before it began', async (t) => {
  const { page, mock, faults } = await open(t, { path: '/incidents' });
  const { id } = mock.state.incidents[0];
  await page.goto(`${mock.url}/incidents/${id}`);
  await page.getByTestId('noted').getByText('checkout 4.12.0').waitFor();
  await assertUsable(page);
  assert.deepEqual(faults, []);
});

test('what is noted never becomes markup or a script', async (t) => {
  const { page, faults } = await open(t, { mode: 'hostile' });
  await page.waitForSelector(MARK);
  await page.getByRole('button', { name: /^Deployment: <img/ }).click();
  await page.getByText('<script>window.__hostile = 1</script>').waitFor();
  assert.equal(await page.locator('.note-details a').count(), 0);
  assert.equal(await page.evaluate(() => window.__hostile), undefined);
  assert.equal(await page.locator('.note-details :is(img, script, b)').count(), 0);
  assert.deepEqual(faults, []);
});
