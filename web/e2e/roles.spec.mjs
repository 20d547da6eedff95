// What each role is offered, and how one signs in and out, against the mock.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { launch } from '../dev/browser.mjs';
import { startMock, TOKENS } from '../dev/mock-server.mjs';

let browser;
let axe;

before(async () => {
  browser = await launch();
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
});
after(() => browser?.close());

async function open(t, { role = 'ask', path = '/boards/payments', ...options } = {}) {
  const mock = await startMock(0, 'normal', role);
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
  page.setDefaultTimeout(60_000);
  const seen = [];
  page.on('request', (request) => seen.push(request));
  await page.goto(mock.url + path);
  return { page, mock, seen };
}

const live = (page) => page.waitForSelector('[data-testid=health][data-health=live]');
const has = (page, selector) => page.locator(selector).count();
const signIn = async (page, token) => {
  await page.fill('[data-testid=access] input', token);
  await page.keyboard.press('Enter');
};

async function violations(page) {
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }),
  );
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
}

const texts = {
  'en-GB': {
    wrong: 'The server does not accept this token.',
    expired: 'This token has expired.',
    revoked: 'This token was revoked.',
    denied: (needed, role) =>
      new RegExp(`takes a token of the role “${needed}”; yours has the role “${role}”`),
    blind: 'This token sends events, and may not look',
    page: 'Your token may not do this',
  },
  'zh-CN': {
    wrong: '服务器不接受此令牌。',
    expired: '此令牌已过期',
    revoked: '此令牌已被吊销',
    denied: (needed, role) => new RegExp(`需要角色为“${needed}”的令牌；您的令牌角色为“${role}”`),
    blind: '此令牌只能发送事件，不能查看',
    page: '您的令牌无权执行此操作',
  },
};

/** A test in both languages. */
function inBoth(name, run) {
  test(name, async (t) => {
    for (const locale of Object.keys(texts)) await t.test(locale, (t) => run(t, locale, texts[locale]));
  });
}

inBoth('who signs in is told why a token is not taken', async (t, locale, say) => {
  const { page, seen } = await open(t, { locale });
  for (const [token, text] of [
    ['twt_none-0123456789', say.wrong],
    [TOKENS.expired, say.expired],
    [TOKENS.revoked, say.revoked],
  ]) {
    await signIn(page, token);
    await page.getByText(text).waitFor();
  }
  assert.deepEqual(await violations(page), []);
  await signIn(page, TOKENS.operate);
  await live(page);
  await page.click('[data-testid=account-button]');
  const account = await page.textContent('[data-testid=account]');
  assert.match(account, /ann/);
  assert.match(account, /operate/);
  assert.deepEqual(await violations(page), []);
  await page.click('[data-testid=sign-out]');
  await page.waitForSelector('[data-testid=access]');
  assert.equal(await page.evaluate(() => sessionStorage.getItem('tillwatch.token')), null);
  for (const request of seen) assert.ok(!request.url().includes('twt_'), request.url());
});

inBoth('somebody who may look is offered nothing else', async (t, locale, say) => {
  const { page } = await open(t, { locale, role: 'read' });
  await live(page);
  await page.waitForSelector('[data-testid=wall-board]');
  assert.equal(await has(page, '[data-testid=edit-board]'), 0);
  assert.equal(await has(page, '.incident-actions'), 0);
  const operate = say.denied('operate', 'read');
  await page.goto(new URL('/incidents', page.url()).href);
  const row = page.locator('[data-testid=inbox-row] a').first();
  await row.waitFor();
  assert.equal(await has(page, '.inbox-take'), 0);
  await row.click();
  await page.locator('[data-testid=actions]').getByText(operate).waitFor();
  assert.equal(await has(page, '[data-testid=actions] button'), 0);
  assert.deepEqual(await violations(page), []);
  await page.goto(new URL('/boards', page.url()).href);
  await page.waitForSelector('[data-testid=board-row]');
  await page.locator('[data-testid=boards]').getByText(operate).waitFor();
  for (const deed of ['new-board', 'ask-import', 'duplicate', 'ask-delete'])
    assert.equal(await has(page, `[data-testid=${deed}]`), 0, deed);
  for (const path of ['/new-board', '/boards/payments/edit']) {
    await page.goto(new URL(path, page.url()).href);
    await page.getByRole('heading', { name: say.page }).waitFor();
  }
  await page.goto(new URL('/data?tab=upload', page.url()).href);
  await page.getByText(say.denied('ingest', 'read')).waitFor();
  assert.equal(await has(page, '[data-testid=upload] input'), 0);
  await page.goto(new URL('/data?tab=quarantine', page.url()).href);
  await page.locator('[data-testid=denied]').first().waitFor();
  assert.equal(await has(page, '[data-testid=replay]'), 0);
  await page.goto(new URL('/data?tab=system', page.url()).href);
  await page.getByText(say.denied('admin', 'read')).first().waitFor();
  assert.equal(await has(page, '[data-testid=verify] button'), 0);
  assert.equal(await has(page, '[data-testid=backup] button'), 0);
  assert.equal(await has(page, '[data-testid=maintain] button'), 0);
});

inBoth('an operator acts, and does not administer', async (t, locale, say) => {
  const { page } = await open(t, { locale, role: 'operate', path: '/incidents' });
  await page.locator('.inbox-take').first().waitFor();
  await page.locator('[data-testid=inbox-row] a').first().click();
  await page.waitForSelector('[data-testid=actions] textarea');
  await page.goto(new URL('/boards', page.url()).href);
  await page.waitForSelector('[data-testid=new-board]');
  await page.waitForSelector('[data-testid=duplicate]');
  assert.equal(await has(page, '[data-testid=denied]'), 0);
  await page.goto(new URL('/data?tab=upload', page.url()).href);
  await page.waitForSelector('[data-testid=upload] input');
  await page.goto(new URL('/data?tab=system', page.url()).href);
  await page.getByText(say.denied('admin', 'operate')).first().waitFor();
  assert.equal(await has(page, '[data-testid=verify] button'), 0);
});

inBoth('an administrator is offered everything', async (t, locale, say) => {
  const { page } = await open(t, { locale, role: 'admin', path: '/data?tab=system' });
  await page.waitForSelector('[data-testid=verify-sample]');
  await page.waitForSelector('[data-testid=backup-start]');
  await page.waitForSelector('[data-testid=maintain-start]');
  await page.goto(new URL('/boards', page.url()).href);
  await page.waitForSelector('[data-testid=new-board]');
  assert.equal(await has(page, '[data-testid=denied]'), 0);
});

inBoth('a token that sends events is told that it may not look', async (t, locale, say) => {
  const { page } = await open(t, { locale, viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
  await signIn(page, TOKENS.ingest);
  await page.getByRole('heading', { name: say.blind }).waitFor();
  assert.match(await page.textContent('[data-testid=blind]'), /shop/);
  assert.equal(await has(page, '[data-testid=board-menu], [data-testid=open-palette]'), 0);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  assert.deepEqual(await violations(page), []);
  await page.click('[data-testid=sign-out]');
  await signIn(page, TOKENS.read);
  await live(page);
});

test('a token that is revoked while somebody looks ends the live page and says so', async (t) => {
  const { page, mock } = await open(t);
  await signIn(page, TOKENS.read);
  await live(page);
  mock.endToken('read', 'revoked');
  await page.getByText(texts['en-GB'].revoked).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.getItem('tillwatch.token')), null);
  await signIn(page, TOKENS.admin);
  await live(page);
  await page.waitForSelector('[data-testid=edit-board]');
});

test('the account is reached and left by keyboard, and fits a narrow screen', async (t) => {
  const { page } = await open(t, { viewport: { width: 360, height: 740 } });
  await signIn(page, TOKENS.admin);
  await live(page);
  await page.focus('[data-testid=account-button]');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-testid=account]');
  const box = await page.locator('.account-menu').boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 360, JSON.stringify(box));
  await page.keyboard.press('Escape');
  await page.waitForSelector('[data-testid=account]', { state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement?.dataset.testid), 'account-button');
});

test('without tokens nobody is asked, and there is no account', async (t) => {
  const { page } = await open(t, { role: null });
  await live(page);
  await page.waitForSelector('[data-testid=edit-board]');
  assert.equal(await has(page, '[data-testid=account-button]'), 0);
});
