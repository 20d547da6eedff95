// Maintenance windows and calendars: listed, seen on a month, made, changed and removed in the definitions folder.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeAside } from '../dev/mock-definitions.mjs';
import { assertUsable, opening } from './opening.mjs';

const open = opening({ path: '/maintenance' });
const saveButton = '[data-testid=calendar-save]';
const field = (page, name) => page.getByLabel(name, { exact: true });

test('windows say when they are next and what they are about, and stand on their days of the month', async (t) => {
  const { page, faults } = await open(t, { path: '/monitors' });
  await page.click('[data-testid=to-maintenance]');
  const weekly = page.locator('[data-testid=window][data-name=weekly_release]');
  await weekly.getByText('Sat, Sun 23:30 – 01:00 (Europe/Berlin) · All incidents').waitFor();
  const once = page.locator('[data-testid=window][data-name=adyen_moves]');
  await once.getByText('PSP: adyen').waitFor();
  // Over midnight it is on Monday as well.
  const days = page.locator('[data-testid=month] td:has(.month-window)');
  assert.ok((await days.count()) >= 9, `${await days.count()} days`);
  while ((await page.getAttribute('[data-testid=month]', 'data-month')) !== '2027-03')
    await page.click('[data-testid=month-next]');
  await page.locator('td[data-day="2027-03-02"]').getByText('adyen_moves').waitFor();
  await page.getByText('Used by authorization_drop').waitFor();
  await assertUsable(page);
  assert.deepEqual(faults, []);
});

test('a window is made for a day that is pressed, and stands in its file', async (t) => {
  const { page, mock, faults } = await open(t);
  await page.locator('td[aria-current=date] .month-day').click();
  await page.waitForSelector('[data-testid=maintenance-dialog]');
  assert.equal(await page.isDisabled(saveButton), true);
  await page.fill('[data-testid=calendar-name]', 'Bad name');
  await page.getByText('This is no name').waitFor();
  await page.fill('[data-testid=calendar-name]', 'weekly_release');
  await page.getByText('There is one of this name.').waitFor();
  await page.fill('[data-testid=calendar-name]', 'move');
  await page.fill('[data-testid=calendar-to]', '2020-01-01T00:00');
  await page.getByText('It ends before it begins.').waitFor();
  await page.fill('[data-testid=calendar-from]', '2027-05-01T22:00');
  await page.fill('[data-testid=calendar-to]', '2027-05-02T04:00');
  await page.click('text=Add a value');
  await field(page, 'Dimension').fill('psp');
  await field(page, 'Value').fill('adyen');
  await assertUsable(page);
  await page.click(saveButton);
  await page.locator('[data-testid=window][data-name=move]').waitFor();
  const text = [...mock.state.folder.values()].join('\n');
  assert.match(
    text,
    /move:\n {4}from: "2027-05-01 22:00"\n {4}to: "2027-05-02 04:00"\n {4}zone: "Europe\/Berlin"\n {4}where:\n {6}psp: "adyen"/,
  );
  assert.deepEqual(faults, []);
});

test('a window is changed where nobody else has changed it, and removed after a question', async (t) => {
  const { page, mock } = await open(t);
  const edit = async () => {
    await page.locator('[data-testid=window][data-name=weekly_release] [data-testid=edit-window]').click();
    await page.waitForSelector(saveButton);
  };
  await edit();
  await page.fill('[data-testid=calendar-to]', '02:00');
  await page.getByText('Ends on the next day.').waitFor();
  await page.fill('[data-testid=calendar-to]', '23:30');
  await page.getByText('It ends when it begins.').waitFor();
  await page.fill('[data-testid=calendar-to]', '02:00');
  const text = mock.state.folder.get('maintenance.yaml');
  writeAside(mock.state, 'maintenance.yaml', text.replace('to: "01:00"', 'to: "03:00"'));
  await page.click(saveButton);
  const conflict = page.locator('[data-testid=file-conflict]');
  await conflict.getByText('03:00').waitFor();
  await page.click('[data-testid=conflict-mine]');
  await page.locator('[data-testid=window][data-name=weekly_release]').getByText('23:30 – 02:00').waitFor();
  await edit();
  await page.click('[data-testid=calendar-delete]');
  await page.getByText('Delete for everybody?').click();
  await page.waitForFunction(() => !document.querySelector('[data-testid=window][data-name=weekly_release]'));
  assert.doesNotMatch(mock.state.folder.get('maintenance.yaml'), /weekly_release/);
});

test('what somebody else has written after the list was read is not undone unseen', async (t) => {
  const { page, mock } = await open(t);
  const row = page.locator('[data-testid=window][data-name=weekly_release]');
  await row.waitFor();
  await fetch(`${mock.url}/v1/definitions`);
  const text = mock.state.folder.get('maintenance.yaml');
  writeAside(mock.state, 'maintenance.yaml', text.replace('to: "01:00"', 'to: "03:00"'));
  await row.locator('[data-testid=edit-window]').click();
  await page.waitForSelector(saveButton);
  assert.equal(await page.inputValue('[data-testid=calendar-to]'), '01:00');
  await page.getByLabel('At least this urgent').selectOption('critical');
  await page.click(saveButton);
  await page.locator('[data-testid=file-conflict]').getByText('03:00').waitFor();
  await page.click('[data-testid=conflict-mine]');
  await page.waitForFunction(() => !document.querySelector('dialog[open]'));
  assert.match(mock.state.folder.get('maintenance.yaml'), /severity: critical/);
});

test('what somebody else has changed is removed only after another question', async (t) => {
  const { page, mock } = await open(t);
  const row = page.locator('[data-testid=window][data-name=weekly_release]');
  await row.locator('[data-testid=edit-window]').click();
  await page.waitForSelector(saveButton);
  const text = mock.state.folder.get('maintenance.yaml');
  writeAside(mock.state, 'maintenance.yaml', text.replace('to: "01:00"', 'to: "03:00"'));
  await page.click('[data-testid=calendar-delete]');
  await page.click('[data-testid=calendar-delete]');
  const conflict = page.locator('[data-testid=file-conflict]');
  await conflict.getByText('Nothing was removed.').waitFor();
  await conflict.getByText('03:00').waitFor();
  await assertUsable(page);
  await conflict.getByText('Remove it all the same').click();
  await row.waitFor({ state: 'detached' });
  assert.doesNotMatch(mock.state.folder.get('maintenance.yaml'), /weekly_release/);
});

test('a calendar has its clock and its days, each once', async (t) => {
  const { page, mock } = await open(t);
  await page.click('[data-testid=edit-calendar]');
  await page.waitForSelector(saveButton);
  await page.click('text=Add a day');
  await page.getByText('Give each day, and each only once.').waitFor();
  const last = page.getByLabel('Day', { exact: true }).last();
  await last.fill('2026-12-25');
  await page.getByText('Give each day, and each only once.').waitFor();
  await last.fill('2027-05-17');
  await page.getByLabel('Is like').last().selectOption('sun');
  await page.click(saveButton);
  await page.waitForFunction(() => !document.querySelector('dialog[open]'));
  assert.match(mock.state.folder.get('calendars.yaml'), /"2027-05-17": sun/);
});

test('where nothing can be written the definition is there to copy', async (t) => {
  const { page } = await open(t, {
    prepare: (mock) => {
      mock.state.readOnly = true;
    },
  });
  await page.locator('[data-testid=edit-window]').first().click();
  await page.getByText('the folder is read-only').waitFor();
  await page.locator('[data-testid=calendar-yaml]').getByText('maintenance:').waitFor();
  assert.equal(await page.locator(saveButton).count(), 0);
  await assertUsable(page);
});

test('names are only ever text', async (t) => {
  const { page, faults } = await open(t, { mode: 'hostile' });
  await page.getByText('<img src=x onerror=alert(3)>').waitFor();
  assert.equal(await page.locator('#root img').count(), 0);
  assert.deepEqual(faults, []);
});

for (const [width, colorScheme, locale] of [
  [360, 'light', 'zh-CN'],
  [360, 'dark', 'en-GB'],
  [1440, 'dark', 'zh-CN'],
]) {
  test(`the page and its forms are usable: ${width} px, ${colorScheme}, ${locale}`, async (t) => {
    const { page } = await open(t, { viewport: { width, height: 900 }, colorScheme, locale });
    await page.waitForSelector('[data-testid=window]');
    await assertUsable(page);
    await page.click('[data-testid=edit-calendar]');
    await page.waitForSelector(saveButton);
    await assertUsable(page);
  });
}
