// The palette, the list of keys, and the way to many boards in the header. Against the mock.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertUsable, opening } from './opening.mjs';

const open = opening({ path: '/boards/payments' });

const options = (page) =>
  page.locator('[data-testid=palette-option]').evaluateAll((all) => all.map((one) => one.dataset.entry));
const search = '[data-testid=palette-search]';
const call = async (page) => {
  await page.keyboard.press('Control+k');
  await page.waitForSelector(search);
};

test('it is loaded on first use, finds a board by its words, and goes there by keys alone', async (t) => {
  const { page, faults } = await open(t);
  const loaded = [];
  page.on('request', (request) => loaded.push(request.url()));
  await page.waitForSelector('[data-testid=tile]');
  assert.equal(
    loaded.some((url) => /Palette-/.test(url)),
    false,
  );
  await call(page);
  await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'combobox');
  assert.equal(
    loaded.some((url) => /Palette-/.test(url)),
    true,
  );
  await page.keyboard.type('commer');
  await page.waitForSelector('[data-entry="board:commerce"][aria-selected=true]');
  assert.equal(
    await page.evaluate(() => {
      const field = document.activeElement;
      return document.getElementById(field.getAttribute('aria-activedescendant'))?.dataset.entry;
    }),
    'board:commerce',
  );
  await page.keyboard.press('Enter');
  await page.waitForURL('**/boards/commerce');
  assert.equal(await page.locator('[data-testid=palette]').count(), 0);
  assert.deepEqual(faults, []);
});

test('metrics, monitors, incidents by id and by words, and pages are found', async (t) => {
  const { page } = await open(t);
  for (const [words, entry, url] of [
    ['latency p95', 'metric:latency_p95', '**/explore?metric=latency_p95'],
    ['inc_01jdr2', 'incident:inc_01JDR2', '**/incidents/inc_01JDR2'],
    ['klarna', 'incident:inc_01JDR4', '**/incidents/inc_01JDR4'],
    ['authorization drop', 'monitor:authorization_drop', '**/monitors/authorization_drop'],
    ['quarantine', 'page:page.data.quarantine', '**/data?tab=quarantine'],
    ['sql', 'page:page.sql', '**/sql'],
  ]) {
    await call(page);
    await page.keyboard.type(words);
    await page.waitForSelector(`[data-entry="${entry}"][aria-selected=true]`);
    await page.keyboard.press('Enter');
    await page.waitForURL(url);
  }
  // What was used last comes first, the newest at the top.
  await call(page);
  assert.deepEqual((await options(page)).slice(0, 2), ['page:page.sql', 'page:page.data.quarantine']);
});

test('actions change the theme, the language and the time range', async (t) => {
  const { page, faults } = await open(t);
  const act = async (words) => {
    await call(page);
    await page.keyboard.type(words);
    await page.waitForSelector('[data-testid=palette-option][aria-selected=true]');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-testid=palette]', { state: 'detached' });
  };
  await act('theme dark');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await act('last 6 hours');
  await page.waitForURL('**/boards/payments?range=6h');
  await act('chinese');
  await page.getByRole('heading', { level: 1, name: '支付' }).waitFor();
  // Found by the words of the other language as well.
  await act('light');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'light');
  await act('时间范围 24');
  await page.waitForURL('**/boards/payments?range=24h');
  assert.deepEqual(faults, []);
});

test('arrows go round, Escape closes and gives the focus back, nothing found is told', async (t) => {
  const { page } = await open(t);
  await page.waitForSelector('[data-testid=open-palette]');
  await page.focus('[data-testid=open-palette]');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-testid=palette-option]');
  await page.keyboard.press('ArrowUp');
  const all = await options(page);
  await page.waitForSelector(`[data-entry="${all.at(-1)}"][aria-selected=true]`);
  await page.keyboard.press('ArrowDown');
  await page.waitForSelector(`[data-entry="${all[0]}"][aria-selected=true]`);
  await page.keyboard.type('nothing like this');
  await page.getByText('Nothing is called “nothing like this”.').waitFor();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await page.waitForSelector('[data-testid=palette]', { state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), 'open-palette');
  // The keys work while somebody writes, too; a second time they close it.
  await page.goto(`${new URL(page.url()).origin}/incidents`);
  await page.getByRole('searchbox').focus();
  await call(page);
  await page.keyboard.press('Control+k');
  await page.waitForSelector('[data-testid=palette]', { state: 'detached' });
});

test('one help has the keys of all pages', async (t) => {
  const { page } = await open(t);
  await page.waitForSelector('[data-testid=tile]');
  await page.keyboard.press('?');
  const help = page.locator('[data-testid=shortcut-help]');
  await help.getByRole('heading', { name: 'Wall screen' }).waitFor();
  await help.getByRole('heading', { name: 'Editing a board' }).waitFor();
  await help.getByText('Acknowledge the incident').waitFor();
  await assertUsable(page);
  await help.getByRole('checkbox').uncheck();
  await page.keyboard.press('Escape');
  await help.waitFor({ state: 'detached' });
  await page.keyboard.press('?');
  // Off is off; the palette, which is no single key, leads there still.
  await call(page);
  assert.equal(await help.count(), 0);
  await page.keyboard.type('keyboard');
  await page.keyboard.press('Enter');
  await help.waitFor();
});

test('with many boards the header has some, always the present one, and a list of all', async (t) => {
  const { page, faults } = await open(t, {
    prepare: (mock) => {
      mock.state.manyBoards = 40;
    },
  });
  await page.waitForSelector('.nav-board');
  const inline = () => page.locator('.nav-board').allTextContents();
  assert.deepEqual(await inline(), ['Payments', 'Commerce', 'Operations']);
  await page.click('[data-testid=board-menu]');
  await page.fill('[data-testid=switcher-search]', 'region 33');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/boards/region_33');
  assert.deepEqual(await inline(), ['Payments', 'Commerce', 'Region 33']);
  await page.click('[data-testid=board-menu]');
  await page.waitForSelector('.switcher-link[aria-current=page]');
  await assertUsable(page);
  await page.keyboard.press('Escape');
  await page.waitForSelector('[data-testid=switcher-search]', { state: 'detached' });
  await page.click('[data-testid=board-menu]');
  await page.getByRole('link', { name: 'Manage boards' }).click();
  await page.waitForURL('**/boards');
  await page.waitForSelector('[data-testid=board-row]');
  assert.equal(await page.locator('[data-testid=board-row]').count(), 43);
  assert.deepEqual(faults, []);
});

for (const [width, colorScheme, locale] of [
  [360, 'light', 'zh-CN'],
  [1440, 'dark', 'en-GB'],
  [3840, 'light', 'en-GB'],
]) {
  test(`the palette is usable at ${width} px, ${colorScheme}, ${locale}`, async (t) => {
    const { page } = await open(t, { viewport: { width, height: 900 }, colorScheme, locale });
    await page.waitForSelector('[data-testid=tile]');
    await call(page);
    await page.waitForSelector('[data-entry="page:page.sql"]');
    await assertUsable(page);
    await page.keyboard.type('a');
    await page.waitForSelector('[data-entry^="metric:"]');
    await assertUsable(page);
  });
}
