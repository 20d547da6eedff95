// Signing in to a real server:   TILLWATCH_URL=… TILLWATCH_TOKENS='{"ingest":"twt_…","read":"twt_…","operate":"twt_…","admin":"twt_…"}' node --test e2e/signin.spec.mjs
// The server has a board `ours`; with `TILLWATCH_REVOKE` a command that revokes the token `read` is run while somebody looks.
import assert from 'node:assert/strict';
import { execSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { launch } from '../dev/browser.mjs';

const url = process.env.TILLWATCH_URL?.replace(/\/$/, '');
const tokens = JSON.parse(process.env.TILLWATCH_TOKENS ?? '{}');
const skip = !url;
let browser;

before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function open(t, path) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, locale: 'en-GB' });
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const addresses = [];
  page.on('request', (request) => addresses.push(request.url()));
  await page.goto(`${url}${path}`);
  return { page, addresses };
}

async function signIn(page, token) {
  await page.fill('[data-testid=access] input', token);
  await page.keyboard.press('Enter');
}

const live = (page) => page.waitForSelector('[data-testid=health][data-health=live]');

test('an operator signs in, saves a board in their name, and signs out', { skip }, async (t) => {
  const { page, addresses } = await open(t, '/boards/ours');
  await signIn(page, 'twt_0000000000000000');
  await page.getByText('The server does not accept this token.').waitFor();
  await signIn(page, tokens.operate);
  await live(page);
  await page.goto(`${url}/new-board`);
  await page.getByRole('textbox', { name: 'Title of the board, English' }).fill('Made by an operator');
  await page.fill('[data-testid=board-name]', 'operated');
  await page.click('[data-testid=add-item][data-kind=tile]');
  await page.click('[data-testid=board-metric]');
  await page.keyboard.type('orders');
  await page.keyboard.press('Enter');
  await page.click('[data-testid=save-board]');
  await page.waitForURL('**/boards/operated');
  await page.goto(`${url}/boards`);
  const row = page.locator('[data-testid=board-row][data-board=operated]');
  assert.match(await row.locator('.bl-when').textContent(), /operate/);
  await page.goto(`${url}/data?tab=system`);
  await page.waitForSelector('[data-testid=denied][data-right=administer]');
  await page.click('[data-testid=account-button]');
  await page.click('[data-testid=sign-out]');
  await page.waitForSelector('[data-testid=access]');
  assert.ok(addresses.every((address) => !address.includes('twt_')));
});

test('an administrator may verify, a sender of events may not look', { skip }, async (t) => {
  const { page } = await open(t, '/data?tab=system');
  await signIn(page, tokens.ingest);
  await page.waitForSelector('[data-testid=blind]');
  await page.click('[data-testid=sign-out]');
  await signIn(page, tokens.admin);
  await page.click('[data-testid=verify-sample]');
  await page.waitForSelector('[data-testid=verify-last] [data-state]');
});

test('who only looks is offered no more, and is told when the token is revoked', { skip }, async (t) => {
  const { page } = await open(t, '/boards/ours');
  await signIn(page, tokens.read);
  await live(page);
  await page.waitForSelector('[data-testid=wall-board]');
  assert.equal(await page.locator('[data-testid=edit-board]').count(), 0);
  const answer = await page.evaluate(async () => {
    const authorization = `Bearer ${sessionStorage.getItem('tillwatch.token')}`;
    const sent = await fetch('/v1/boards/operated', { method: 'DELETE', headers: { authorization } });
    return { status: sent.status, problem: await sent.json() };
  });
  assert.equal(answer.status, 403);
  assert.match(answer.problem.type, /role-insufficient$/);
  execSync(process.env.TILLWATCH_REVOKE);
  await page.getByText('This token was revoked.').waitFor();
});
