// The inbox of incidents and the page of one, against the mock.
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

async function open(t, { mode = 'normal', path = '/incidents', prepare, ...options } = {}) {
  const mock = await startMock(0, mode);
  prepare?.(mock);
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

const rows = (page) => page.locator('[data-testid=inbox-row]');
const ids = (page) => rows(page).evaluateAll((all) => all.map((row) => row.dataset.incident));
const focused = (page) => page.evaluate(() => document.activeElement?.dataset.row);

test('the inbox lists what goes on, the parts of a cause under it, and how much is at stake', async (t) => {
  const { page, faults } = await open(t);
  await rows(page).first().waitFor();
  assert.deepEqual(await ids(page), ['inc_01JDR8', 'inc_01JDR5', 'inc_01JDR4', 'inc_01JDR2']);
  await page.locator('.inbox-parts [data-incident=inc_01JDR5]').waitFor();
  await page.getByText('about EUR 9,120.50 at stake').waitFor();
  assert.match(await page.title(), /^\(2\) Incidents/);
  assert.deepEqual(faults, []);
});

test('filters are in the address, survive a reload, and drop what is not known', async (t) => {
  const { page } = await open(t);
  await rows(page).first().waitFor();
  await page.getByRole('radio', { name: /^All/ }).check({ force: true });
  await page.waitForURL('**/incidents?state=all');
  await page.getByRole('button', { name: 'Warning' }).click();
  await page.waitForURL('**/incidents?state=all&severity=warning');
  await page.getByRole('searchbox').fill('klarna');
  await page.waitForURL('**/incidents?state=all&severity=warning&q=klarna');
  assert.deepEqual(await ids(page), ['inc_01JDR4']);
  await page.reload();
  await rows(page).first().waitFor();
  assert.deepEqual(await ids(page), ['inc_01JDR4']);
  assert.equal(await page.getByRole('searchbox').inputValue(), 'klarna');
  await page.getByRole('searchbox').fill('nothing like this');
  await page.waitForSelector('[data-testid=inbox-none]');
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await page.waitForURL('**/incidents?state=all');
  await page.goto(`${new URL(page.url()).origin}/incidents?state=strange&severity=awful`);
  await rows(page).first().waitFor();
  assert.equal((await ids(page)).length, 4);
});

test('j, k and Enter go through the inbox, u leads back to the same list, and they can be switched off', async (t) => {
  const { page } = await open(t, { path: '/incidents?state=all' });
  await rows(page).first().waitFor();
  await page.keyboard.press('j');
  assert.equal(await focused(page), 'inc_01JDR8');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  assert.equal(await focused(page), 'inc_01JDR5');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/incidents/inc_01JDR5');
  await page.waitForSelector('[data-testid=incident-page]');
  await page.keyboard.press('j');
  await page.waitForURL('**/incidents/inc_01JDR4');
  await page.keyboard.press('u');
  await page.waitForURL('**/incidents?state=all');
  await rows(page).first().waitFor();
  await page.keyboard.press('j');
  assert.equal(await focused(page), 'inc_01JDR2');
  await page.keyboard.press('/');
  await page.keyboard.type('jk?');
  assert.equal(await page.getByRole('searchbox').inputValue(), 'jk?');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await page.getByRole('dialog').getByRole('checkbox').uncheck();
  await page.keyboard.press('Escape');
  const before = await focused(page);
  await page.keyboard.press('j');
  assert.equal(await focused(page), before);
});

test('without an incident it says that all is well, and not if nobody watches', async (t) => {
  const emptied = (mock) => {
    mock.state.incidents = mock.state.incidents.filter(({ state }) => state === 'resolved');
  };
  const { page } = await open(t, { prepare: emptied });
  await page.getByRole('heading', { name: 'Nothing is open, but not everything is watched' }).waitFor();
  const monitor = {
    name: 'm',
    detect: {},
    last_judged_at: '2026-11-30T12:00:00Z',
    slices: 4,
    learning: false,
  };
  const judging = JSON.stringify({ monitors: [{ ...monitor, error: null }] });
  await page.route('**/v1/monitors', (route) =>
    route.fulfill({ contentType: 'application/json', body: judging }),
  );
  await page.reload();
  await page.getByRole('heading', { name: 'All is well' }).waitFor();
  await page.getByRole('link', { name: 'See resolved incidents' }).click();
  await page.waitForURL('**/incidents?state=resolved');
  assert.equal((await ids(page)).length, 2);
  const other = await open(t, { mode: 'empty' });
  await other.page.getByRole('heading', { name: 'Nothing is watched yet' }).waitFor();
});

test('the page of an incident tells what, where, since when, how sure and how much', async (t) => {
  const { page, faults } = await open(t, { path: '/incidents/inc_01JDR8' });
  await page.getByRole('heading', { level: 1, name: /Authorization rate.*adyen.*bank_17/ }).waitFor();
  await page.locator('[data-testid=figure-value]').getByText('instead of 88.1%').waitFor();
  await page.locator('[data-testid=figure-impact]').getByText('9,120.50').waitFor();
  await page.locator('[data-testid=figure-probability]').getByText('99.9%').waitFor();
  assert.equal(await page.textContent('[data-testid=incident-owner]'), 'payments on call');
  await page.waitForSelector('[data-testid=incident-chart] canvas');
  await page.waitForSelector('[data-testid=incident-chart] .flag-band');
  await page.waitForSelector('[data-testid=incident-level][data-level=expected]');
  assert.equal(await page.locator('[data-testid=part]').count(), 1);
  await page.locator('[data-testid=part]').getByText('93% of the change').waitFor();
  await page.locator('[data-testid=related] a', { hasText: 'Error rate' }).waitFor();
  await page.locator('[data-testid=incident-chart] .chart').focus();
  await page.keyboard.press('End');
  await page.locator('.readout').getByText('Expected').waitFor();
  assert.deepEqual(faults, []);
});

test('its events lead to the SQL page with their statement', async (t) => {
  const { page } = await open(t, { path: '/incidents/inc_01JDR8' });
  await page.click('[data-testid=events-link]');
  await page.waitForURL(/\/sql\?/);
  const sql = new URL(page.url()).searchParams.get('q');
  assert.equal(sql, 'select * from "payments" order by "occurred_at" desc limit 1000');
});

test('what is done shows at once, is marked until the server agrees, and stays', async (t) => {
  let release;
  const { page, mock } = await open(t, { path: '/incidents/inc_01JDR8' });
  mock.state.beforeAct = () => new Promise((resolve) => (release = resolve));
  const view = page.locator('[data-testid=incident-page]');
  await page.getByRole('textbox', { name: 'Note' }).fill('PSP informed');
  await page.getByLabel('Your name').fill('ada');
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await page.waitForSelector(
    '[data-testid=incident-page][data-state=acknowledged][data-pending=acknowledge]',
  );
  await page.locator('[data-testid=timeline] [data-pending=true]').getByText('PSP informed').waitFor();
  assert.equal(mock.state.incidents[0].state, 'open');
  release();
  await page.waitForSelector('[data-testid=incident-page][data-state=acknowledged][data-pending=""]');
  await page.locator('[data-testid=timeline] [data-pending=false]').getByText('PSP informed').waitFor();
  assert.equal(await page.getByRole('textbox', { name: 'Note' }).inputValue(), '');
  mock.state.beforeAct = undefined;
  await page.getByLabel('How long').selectOption('4h');
  await page.getByRole('button', { name: 'Silence', exact: true }).click();
  await page.waitForSelector('[data-testid=incident-silenced]');
  await page.getByRole('button', { name: 'False alarm' }).click();
  await page.waitForSelector('[data-testid=incident-verdict]');
  await page.getByRole('button', { name: 'Add note' }).click();
  await page.getByText('Write the note first.').waitFor();
  await page.getByRole('button', { name: 'Resolve' }).click();
  await page.waitForSelector('[data-testid=incident-page][data-state=resolved][data-pending=""]');
  assert.equal(await view.getByRole('button', { name: 'Silence', exact: true }).count(), 0);
  const texts = mock.state.incidents[0].timeline.map(({ text }) => text);
  assert.ok(texts.includes('acknowledged by ada: PSP informed'), texts.join('\n'));
});

test('what the server refuses is taken back and told, and the note is kept', async (t) => {
  const { page, mock } = await open(t, { path: '/incidents/inc_01JDR8' });
  mock.state.beforeAct = () => {
    // Somebody else has resolved it meanwhile, and the stream has not told it yet.
    mock.state.incidents[0].state = 'resolved';
    mock.state.beforeAct = undefined;
  };
  await page.getByRole('textbox', { name: 'Note' }).fill('on it');
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  const told = page.locator('[data-testid=act-failed]');
  await told.getByText('Not acknowledged.').waitFor();
  await told.getByText("The incident 'inc_01JDR8' is resolved").waitFor();
  assert.equal(await page.getByRole('textbox', { name: 'Note' }).inputValue(), 'on it');
  assert.equal(await page.locator('[data-testid=timeline] [data-pending=true]').count(), 0);
});

test('a lost answer is told as not known, and the page heals', async (t) => {
  const { page, mock } = await open(t, { path: '/incidents/inc_01JDR8' });
  await page.waitForSelector('[data-testid=incident-chart] canvas');
  mock.setMode('down');
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await page.locator('[data-testid=act-failed]').getByText('Whether it was done').waitFor();
  assert.equal(await page.getAttribute('[data-testid=incident-page]', 'data-state'), 'open');
  mock.setMode('normal');
  await page.waitForSelector('[data-testid=health][data-health=live]', { timeout: 60_000 });
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await page.waitForSelector('[data-testid=incident-page][data-state=acknowledged]');
});

test('figures of an incident that goes on move by themselves', async (t) => {
  const { page } = await open(t, { path: '/incidents/inc_01JDR8' });
  const affected = page.locator('[data-testid=figure-affected] .case-figure-value');
  await affected.waitFor();
  const before = await affected.textContent();
  await page.waitForFunction(
    (old) => document.querySelector('[data-testid=figure-affected] .case-figure-value').textContent !== old,
    before,
  );
});

test('an incident is taken from the list, by button or key, and a refusal is told in its row', async (t) => {
  const { page, mock } = await open(t);
  await rows(page).first().waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('a');
  await page.waitForSelector('[data-testid=inbox-row][data-incident=inc_01JDR8][data-state=acknowledged]');
  assert.equal(mock.state.incidents[0].state, 'acknowledged');
  mock.state.beforeAct = () => {
    mock.state.incidents.find(({ id }) => id === 'inc_01JDR4').state = 'resolved';
  };
  const row = page.locator('[data-testid=inbox-row][data-incident=inc_01JDR4]');
  await row.hover();
  await row.getByRole('button', { name: 'Acknowledge' }).click();
  await row.getByText('Not acknowledged.').waitFor();
});

test('of very many incidents what goes on comes first, and the rest on demand', async (t) => {
  const prepare = (mock) => {
    const old = mock.state.incidents.find(({ state }) => state === 'resolved');
    for (let n = 0; n < 300; n += 1) mock.state.incidents.push({ ...old, id: `inc_old${n}` });
  };
  const { page } = await open(t, { path: '/incidents?state=all', prepare });
  await rows(page).first().waitFor();
  assert.equal((await ids(page))[0], 'inc_01JDR8');
  const before = (await ids(page)).length;
  await page.getByRole('button', { name: 'Show 100 more' }).click();
  assert.equal((await ids(page)).length, before + 100);
  await page.getByRole('button', { name: 'Load older ones' }).click();
  await page.getByRole('button', { name: 'Load older ones' }).waitFor({ state: 'detached' });
});

test('an incident that does not exist is told', async (t) => {
  const { page } = await open(t, { path: '/incidents/inc_nowhere' });
  await page.getByRole('heading', { name: 'There is no such incident' }).waitFor();
  await page.getByRole('link', { name: 'All incidents' }).click();
  await page.waitForURL('**/incidents');
});

test('nothing that data says becomes markup, a title or a script', async (t) => {
  const { page, faults } = await open(t, { mode: 'hostile', path: '/incidents/inc_01JDR8' });
  await page.waitForSelector('[data-testid=part]');
  await page.locator('h1').getByText('<img src=x onerror=').waitFor();
  assert.equal(await page.locator('#root img, #root script').count(), 0);
  assert.notEqual(await page.title(), 'owned');
  assert.deepEqual(faults, []);
});

for (const [width, colorScheme, locale] of [
  [360, 'light', 'en-GB'],
  [360, 'dark', 'zh-CN'],
  [1280, 'light', 'en-GB'],
  [1280, 'dark', 'en-GB'],
  [3840, 'light', 'en-GB'],
]) {
  for (const path of ['/incidents?state=all', '/incidents/inc_01JDR8']) {
    test(`no accessibility finding and no sideways scrolling: ${path}, ${width} px, ${colorScheme}, ${locale}`, async (t) => {
      const { page } = await open(t, { path, viewport: { width, height: 900 }, colorScheme, locale });
      await page.waitForSelector(
        path.includes('inc_') ? '[data-testid=incident-chart] .flag' : '[data-testid=inbox-row]',
      );
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
