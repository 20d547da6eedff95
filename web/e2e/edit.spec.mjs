// Boards that people make: the list, the form, what it saves and what becomes of it when others save too. Against the mock.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { saveBoard, savedBoards } from '../dev/mock-boards.mjs';
import { TOKEN } from '../dev/mock-server.mjs';
import { assertUsable, opening } from './opening.mjs';

const open = opening({ path: '/boards' });

const mine = {
  title: { en: 'Team', zh: '团队' },
  tiles: [
    { metric: 'payment_attempts', title: { en: 'Attempts', zh: '支付笔数' } },
    { metric: 'authorization_rate', title: { en: 'Rate', zh: '成功率' }, good: 'up' },
    { metric: 'payment_volume', title: { en: 'Volume', zh: '金额' } },
  ],
  charts: [{ metric: 'payment_volume', by: 'psp', title: { en: 'Volume', zh: '金额' } }],
  incidents: false,
};
const withMine = (mock) => saveBoard(mock.state, 'team', mine);
const editor = (page) => page.locator('[data-testid=board-editor]');
const items = (page, section) => page.locator(`[data-section=${section}] [data-testid=board-item]`);
const titles = (page, section) =>
  items(page, section).locator('.be-item-title > .ellipsis').allTextContents();
const english = (page) => page.getByRole('textbox', { name: 'Title of the board, English' });
const save = (page) => page.click('[data-testid=save-board]');

async function chooseMetric(page, scope, word) {
  await scope.locator('[data-testid=board-metric]').first().click();
  await page.keyboard.type(word);
  await page.keyboard.press('Enter');
}

test('a board is made by keyboard from its first letter to its place in the header', async (t) => {
  const { page, mock, faults } = await open(t);
  await page.click('[data-testid=new-board]');
  await english(page).fill('Night shift, Europe');
  assert.equal(await page.inputValue('[data-testid=board-name]'), 'night_shift_europe');
  await page.focus('[data-testid=add-item][data-kind=tile]');
  await page.keyboard.press('Enter');
  // The new item is open, and its metric is the first thing to choose.
  await page.waitForFunction(() => document.activeElement?.dataset.testid === 'board-metric');
  await page.keyboard.press('Enter');
  await page.keyboard.type('declined');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-testid=board-preview] [data-testid=tile]:not([data-value=""])');
  await page.keyboard.press('Control+s');
  await page.waitForURL('**/boards/night_shift_europe');
  await page.waitForSelector('[data-testid=board][data-board=night_shift_europe] [data-testid=tile]');
  await page.locator('.nav-board', { hasText: 'Night shift, Europe' }).waitFor();
  const kept = savedBoards(mock.state).get('night_shift_europe');
  assert.equal(kept.version, 1);
  assert.deepEqual(kept.tiles[0].metric, 'declined_attempts');
  assert.deepEqual(faults, []);
});

test('a board of the folder is read-only, and its copy is not', async (t) => {
  const { page, mock } = await open(t, { path: '/boards/payments' });
  await page.locator('[data-testid=edit-board]', { hasText: 'Duplicate to edit' }).click();
  await page.waitForURL('**/new-board?from=payments');
  assert.equal(await english(page).inputValue(), 'Payments (copy)');
  assert.equal(await page.inputValue('[data-testid=board-name]'), 'payments_copy');
  await save(page);
  await page.waitForURL('**/boards/payments_copy');
  const kept = savedBoards(mock.state).get('payments_copy');
  assert.equal(kept.tiles.length, 5);
  assert.deepEqual(kept.title, { en: 'Payments (copy)', zh: '支付（副本）' });
  // Whoever knows the address of the form is told the same.
  await page.goto(`${mock.url}/boards/payments/edit`);
  await page.getByText('comes from the definitions folder').waitFor();
  assert.equal(await editor(page).count(), 0);
});

test('items are moved by keys and by pointer, removed, copied, and all of it is undone', async (t) => {
  const { page, faults } = await open(t, { path: '/boards/team/edit', prepare: withMine });
  await editor(page).waitFor();
  assert.deepEqual(await titles(page, 'tiles'), ['Attempts', 'Rate', 'Volume']);
  await page.getByRole('button', { name: 'Move “Attempts”', exact: true }).press('ArrowDown');
  assert.deepEqual(await titles(page, 'tiles'), ['Rate', 'Attempts', 'Volume']);
  assert.equal(await page.textContent('[data-testid=said]'), '“Attempts” is now number 2 of 3');
  await page.keyboard.press('End');
  assert.deepEqual(await titles(page, 'tiles'), ['Rate', 'Volume', 'Attempts']);
  // The focus goes along.
  assert.equal(
    await page.evaluate(() => document.activeElement.getAttribute('aria-label')),
    'Move “Attempts”',
  );

  const grip = page.getByRole('button', { name: 'Move “Attempts”', exact: true });
  const [from, to] = [await grip.boundingBox(), await items(page, 'tiles').first().boundingBox()];
  await page.mouse.move(from.x + 8, from.y + 8);
  await page.mouse.down();
  await page.mouse.move(from.x + 8, to.y + to.height * 0.6, { steps: 4 });
  await page.mouse.move(from.x + 8, to.y + 4, { steps: 4 });
  await page.waitForSelector('[data-drop=before]');
  await page.mouse.up();
  assert.deepEqual(await titles(page, 'tiles'), ['Attempts', 'Rate', 'Volume']);

  await page.getByRole('button', { name: 'Remove “Rate”' }).click();
  assert.deepEqual(await titles(page, 'tiles'), ['Attempts', 'Volume']);
  await page.getByRole('button', { name: 'Duplicate “Volume”' }).first().click();
  assert.deepEqual(await titles(page, 'tiles'), ['Attempts', 'Volume', 'Volume']);
  for (const expected of [
    ['Attempts', 'Volume'],
    ['Attempts', 'Rate', 'Volume'],
    ['Rate', 'Volume', 'Attempts'],
    ['Rate', 'Attempts', 'Volume'],
  ]) {
    await page.click('[data-testid=undo]');
    assert.deepEqual(await titles(page, 'tiles'), expected);
  }
  // The last one by its keys.
  await page.focus('h1, [data-grip]');
  await page.keyboard.press('Control+z');
  assert.deepEqual(await titles(page, 'tiles'), ['Attempts', 'Rate', 'Volume']);
  assert.equal(await editor(page).getAttribute('data-dirty'), 'false');
  assert.equal(await page.isDisabled('[data-testid=undo]'), true);
  assert.deepEqual(faults, []);
});

test('Escape gives a drag up', async (t) => {
  const { page } = await open(t, { path: '/boards/team/edit', prepare: withMine });
  const grip = page.getByRole('button', { name: 'Move “Attempts”', exact: true });
  await grip.waitFor();
  const [from, to] = [await grip.boundingBox(), await items(page, 'tiles').last().boundingBox()];
  await page.mouse.move(from.x + 8, from.y + 8);
  await page.mouse.down();
  await page.mouse.move(from.x + 8, to.y + to.height - 2, { steps: 4 });
  await page.waitForSelector('[data-drop=after]');
  await page.keyboard.press('Escape');
  await page.mouse.up();
  assert.deepEqual(await titles(page, 'tiles'), ['Attempts', 'Rate', 'Volume']);
});

test('what the server finds wrong stands at its field, and goes when that is mended', async (t) => {
  const { page, mock } = await open(t, { path: '/boards/team/edit', prepare: withMine });
  await editor(page).waitFor();
  await page.click('[data-testid=add-item][data-kind=sankey]');
  const flow = items(page, 'panels').first();
  await chooseMetric(page, flow, 'authorization');
  await flow.getByRole('checkbox', { name: 'PSP' }).check({ force: true });
  await save(page);
  // The form finds by itself what is missing.
  await flow.getByText('Choose 2 to 4 dimensions.').waitFor();
  await flow.getByRole('checkbox', { name: 'Method' }).check({ force: true });
  await flow.getByText('Choose 2 to 4 dimensions.').waitFor({ state: 'detached' });
  await page.locator('[data-grip]').last().press('Home');
  await save(page);
  const metric = flow.locator('[data-control$=".metric"]');
  await metric.getByText("'authorization_rate' does not add up, so that it has no flow").waitFor();
  await metric.getByText('take a metric that counts').waitFor();
  assert.equal(await flow.getAttribute('data-faulty'), 'true');
  await page.getByText('Not saved. Things to mend, marked below: 1').waitFor();
  await chooseMetric(page, flow, 'attempts');
  await page.waitForFunction(() => !document.querySelector('[data-testid=board-fault]'));
  await save(page);
  await page.waitForURL('**/boards/team');
  const [panel] = savedBoards(mock.state).get('team').panels;
  assert.deepEqual(panel.by, ['psp', 'method']);
});

test('what somebody else has saved is neither lost nor lost to', async (t) => {
  const { page, mock, faults } = await open(t, { path: '/boards/team/edit', prepare: withMine });
  await english(page).fill('Mine');
  saveBoard(mock.state, 'team', { ...mine, title: { en: 'Theirs' } });
  await save(page);
  const dialog = page.locator('[data-testid=board-conflict]');
  await dialog.getByText('was saved by somebody else at').waitFor();
  assert.equal(savedBoards(mock.state).get('team').title.en, 'Theirs');
  await page.click('[data-testid=conflict-load]');
  assert.equal(await english(page).inputValue(), 'Theirs');
  assert.equal(await editor(page).getAttribute('data-version'), '2');
  await page.click('[data-testid=undo]');
  assert.equal(await english(page).inputValue(), 'Mine');
  // Having seen the newer one, whoever saves now means it.
  await save(page);
  await page.waitForURL('**/boards/team');
  assert.equal(savedBoards(mock.state).get('team').title.en, 'Mine');
  assert.equal(savedBoards(mock.state).get('team').version, 3);
  assert.deepEqual(
    faults.filter((text) => !/412/.test(text)),
    [],
  );
});

test('after a conflict mine can be saved under another name', async (t) => {
  const { page, mock } = await open(t, { path: '/boards/team/edit', prepare: withMine });
  await english(page).fill('Mine');
  saveBoard(mock.state, 'team', { ...mine, title: { en: 'Theirs' } });
  await save(page);
  assert.equal(await page.inputValue('[data-testid=conflict-name]'), 'team_2');
  await page.click('[data-testid=conflict-copy]');
  await page.waitForURL('**/boards/team_2');
  assert.equal(savedBoards(mock.state).get('team').title.en, 'Theirs');
  assert.equal(savedBoards(mock.state).get('team_2').title.en, 'Mine');
});

test('a board whose name the folder takes meanwhile can be saved under another one', async (t) => {
  const { page, mock } = await open(t, { path: '/boards/team/edit', prepare: withMine });
  await english(page).fill('Mine');
  mock.state.takenByFolder = ['team'];
  await save(page);
  await page.getByText('the definitions folder got a board of the same name').waitFor();
  await page.click('[data-testid=conflict-copy]');
  await page.waitForURL('**/boards/team_2');
  assert.equal(savedBoards(mock.state).get('team_2').title.en, 'Mine');
  assert.equal(savedBoards(mock.state).get('team').title.en, 'Team');
});

test('a board that somebody deleted meanwhile can be saved again', async (t) => {
  const { page, mock } = await open(t, { path: '/boards/team/edit', prepare: withMine });
  await english(page).fill('Mine');
  savedBoards(mock.state).delete('team');
  await save(page);
  await page.getByText('was deleted by somebody else').waitFor();
  await page.fill('[data-testid=conflict-name]', 'team_again');
  await page.click('[data-testid=conflict-copy]');
  await page.waitForURL('**/boards/team_again');
});

test('a name that is taken is told at the name', async (t) => {
  const { page } = await open(t, { path: '/new-board', prepare: withMine });
  await english(page).fill('Something');
  await page.fill('[data-testid=board-name]', 'payments');
  await save(page);
  await page
    .locator('[data-control="board.name"]')
    .getByText('There is a board “payments” already')
    .waitFor();
});

test('who may only read is told so, and loses nothing', async (t) => {
  const { page, mock } = await open(t, {
    path: '/boards/team/edit',
    prepare: (one) => {
      withMine(one);
      one.state.boardsRefuse = 403;
    },
  });
  await english(page).fill('Mine');
  await save(page);
  await page.locator('[data-testid=save-refused]').getByText('this access token may only read').waitFor();
  assert.equal(await english(page).inputValue(), 'Mine');
  mock.state.boardsRefuse = undefined;
  await save(page);
  await page.waitForURL('**/boards/team');
});

test('a server that asks for a token in between gets the same draft afterwards', async (t) => {
  const { page, mock } = await open(t, { path: '/boards/team/edit', prepare: withMine });
  await english(page).fill('Mine');
  await page.waitForFunction(() => Object.keys(sessionStorage).some((key) => /board-draft/.test(key)));
  mock.setMode('locked');
  await save(page);
  await page.fill('[data-testid=access] input', TOKEN);
  await page.click('[data-testid=access] button');
  await page.waitForSelector('[data-testid=restored]');
  assert.equal(await english(page).inputValue(), 'Mine');
  await save(page);
  await page.waitForURL('**/boards/team');
  assert.equal(savedBoards(mock.state).get('team').title.en, 'Mine');
});

test('leaving asks while something is not saved, and only then', async (t) => {
  const { page } = await open(t, { path: '/boards/team/edit', prepare: withMine });
  await editor(page).waitFor();
  await page.getByRole('link', { name: 'Incidents', exact: true }).click();
  await page.waitForURL('**/incidents');
  await page.goBack();
  await english(page).fill('Mine');
  await page.getByRole('link', { name: 'Incidents', exact: true }).click();
  const dialog = page.locator('[data-testid=board-leave]');
  await dialog.getByText('Leave without saving?').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.equal(await english(page).inputValue(), 'Mine');
  await page.getByRole('link', { name: 'Incidents', exact: true }).click();
  await page.click('[data-testid=leave-board]');
  await page.waitForURL('**/incidents');
  await page.goBack();
  await editor(page).waitFor();
  assert.equal(await english(page).inputValue(), 'Team');
});

test('a board is deleted after a question that names it', async (t) => {
  const { page, mock } = await open(t, { prepare: withMine });
  const row = page.locator('[data-board=team][data-testid=board-row]');
  await row.locator('[data-testid=ask-delete]').click();
  const dialog = page.locator('[data-testid=board-delete]');
  await dialog.getByRole('heading', { name: 'Delete “Team”?' }).waitFor();
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  assert.equal(savedBoards(mock.state).size, 1);
  await row.locator('[data-testid=ask-delete]').click();
  await page.click('[data-testid=delete-board]');
  await row.waitFor({ state: 'detached' });
  assert.equal(savedBoards(mock.state).size, 0);
  // Those of the folder cannot be deleted from here.
  assert.equal(await page.locator('[data-from=folder] [data-testid=ask-delete]').count(), 0);
});

test('a saved board that one of the folder hides is not lost', async (t) => {
  const { page, mock } = await open(t, { prepare: (one) => saveBoard(one.state, 'payments', mine) });
  const hidden = page.locator('[data-testid=hidden-boards]');
  await hidden.getByText('Team').waitFor();
  await hidden.getByRole('button', { name: 'Export' }).click();
  await page.getByText('"Team"').waitFor();
  await page.keyboard.press('Escape');
  await page.click('[data-testid=delete-hidden]');
  await page.click('[data-testid=delete-board]');
  await hidden.waitFor({ state: 'detached' });
  assert.equal(savedBoards(mock.state).size, 0);
  assert.equal(await page.locator('[data-board=payments]').count(), 1);
});

test('what is exported is imported again, and what is wrong in a file is told by its place', async (t) => {
  const { page, mock } = await open(t, { prepare: withMine });
  await page.locator('[data-board=team] [data-testid=ask-export]').click();
  const yaml = await page.textContent('[data-testid=board-yaml]');
  assert.match(yaml, /^boards:\n {2}team:/);
  await page.keyboard.press('Escape');
  await page.click('[data-testid=ask-import]');
  await page.fill('[data-testid=import-yaml]', yaml);
  assert.equal(await page.inputValue('[data-testid=import-name]'), 'team');
  await page.click('[data-testid=import-do]');
  await page.getByText('There is a board “team” already').waitFor();
  await page.fill('[data-testid=import-yaml]', yaml.replace('payment_attempts', 'nothing_here'));
  await page.fill('[data-testid=import-name]', 'team_copy');
  await page.click('[data-testid=import-do]');
  await page.getByText("tiles[0].metric: there is no metric 'nothing_here'").waitFor();
  await page.setInputFiles('[data-testid=import-file]', {
    name: 'team.yaml',
    mimeType: 'application/yaml',
    buffer: Buffer.from(yaml),
  });
  await page.waitForFunction(
    () => !document.querySelector('[data-testid=import-yaml]').value.includes('nothing_here'),
  );
  await page.click('[data-testid=import-do]');
  await page.waitForURL('**/boards/team_copy');
  assert.deepEqual(savedBoards(mock.state).get('team_copy').tiles, savedBoards(mock.state).get('team').tiles);
});

test('the list is searched, narrowed, and keeps that in the address', async (t) => {
  const { page, faults } = await open(t, { prepare: withMine });
  await page.fill('[data-testid=board-search]', '支付');
  await page.waitForURL(/q=/);
  const names = () =>
    page.locator('[data-testid=board-row]').evaluateAll((all) => all.map((row) => row.dataset.board));
  assert.deepEqual(await names(), ['payments']);
  await page.fill('[data-testid=board-search]', '');
  await page.getByRole('combobox', { name: 'From' }).selectOption('catalogue');
  await page.waitForURL('**/boards?from=catalogue');
  assert.deepEqual(await names(), ['team']);
  await page.reload();
  await page.waitForSelector('[data-board=team]');
  assert.deepEqual(await names(), ['team']);
  await page.fill('[data-testid=board-search]', 'nothing');
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.waitForSelector('[data-board=payments]');
  assert.deepEqual(faults, []);
});

test('a step of a funnel keeps its fault while steps are moved', async (t) => {
  const { page } = await open(t, { path: '/boards/team/edit', prepare: withMine });
  await editor(page).waitFor();
  await page.click('[data-testid=add-item][data-kind=funnel]');
  const funnel = items(page, 'panels').first();
  await funnel.getByRole('textbox', { name: 'Title, English' }).last().fill('Way to pay');
  await funnel.locator('[data-testid=board-metric]').nth(0).click();
  await page.keyboard.type('attempts');
  await page.keyboard.press('Enter');
  await funnel.locator('[data-testid=board-metric]').nth(1).click();
  await page.keyboard.type('volume');
  await page.keyboard.press('Enter');
  await save(page);
  await funnel.locator('.be-step').nth(1).getByText("'payment_volume' does not count").waitFor();
  await funnel.getByRole('button', { name: 'Move step 2 up' }).click();
  await funnel.locator('.be-step').nth(1).getByText('Payment attempts').waitFor();
});

for (const [width, colorScheme, locale] of [
  [360, 'light', 'en-GB'],
  [1440, 'dark', 'zh-CN'],
  [3840, 'light', 'en-GB'],
]) {
  test(`the form and the list are usable at ${width} px, ${colorScheme}, ${locale}`, async (t) => {
    const { page, mock } = await open(t, {
      viewport: { width, height: 900 },
      colorScheme,
      locale,
      path: '/boards/team/edit',
      prepare: withMine,
    });
    await editor(page).waitFor();
    for (const kind of ['table', 'gauge', 'funnel', 'text'])
      await page.click(`[data-testid=add-item][data-kind=${kind}]`);
    await page.locator('[data-open]').first().click();
    await save(page);
    await page.waitForSelector('[data-testid=save-faulty]');
    await assertUsable(page);
    await page.click('[data-testid=ask-delete]');
    await page.waitForSelector('[data-testid=board-delete]');
    await assertUsable(page);
    await page.keyboard.press('Escape');
    // What is not saved is left behind by another tab's page.
    const list = await page.context().newPage();
    await list.goto(`${mock.url}/boards`, { timeout: 60_000 });
    await list.waitForSelector('[data-testid=board-row]');
    await assertUsable(list);
  });
}
