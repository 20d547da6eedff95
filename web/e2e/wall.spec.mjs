// Boards on a big screen: they turn by themselves, never scroll, and heal without a hand. Against the mock.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { saveBoard } from '../dev/mock-boards.mjs';
import { assertUsable, opening } from './opening.mjs';

const open = opening({
  path: '/wall?boards=payments,commerce&every=5s',
  viewport: { width: 1920, height: 1080 },
});

const wall = '[data-testid=wall]';
const shown = (page) => page.getAttribute(wall, 'data-board');
const ready = (page) =>
  page.waitForFunction(
    () => {
      const one = document.querySelector('[data-testid=wall-page][data-shown=true]');
      return one?.querySelector('canvas') && !one.querySelector('.skeleton');
    },
    null,
    { timeout: 60_000 },
  );

test('boards turn by themselves, each drawn before it is shown', async (t) => {
  const { page, faults } = await open(t);
  await ready(page);
  assert.equal(await shown(page), 'payments');
  assert.equal(await page.locator('.header').count(), 0);
  assert.match(await page.textContent('[data-testid=wall-clock]'), /\d\d:\d\d:\d\d/);
  await page.waitForSelector('[data-testid=wall-age]:not([data-age=""])');
  // The next one comes in unseen.
  await page.waitForSelector('[data-testid=wall-page][data-shown=false] canvas', { state: 'attached' });
  await page.waitForSelector(`${wall}[data-board=commerce]`);
  await page.waitForSelector('[data-testid=wall-page][data-shown=true] canvas');
  await page.waitForSelector(`${wall}[data-board=payments]`);
  assert.deepEqual(faults, []);
});

test('keys pause, turn and leave', async (t) => {
  const { page } = await open(t, { path: '/wall?boards=payments,commerce&every=1h' });
  await ready(page);
  await page.keyboard.press('ArrowRight');
  await page.waitForSelector(`${wall}[data-board=commerce]`);
  await page.keyboard.press('ArrowLeft');
  await page.waitForSelector(`${wall}[data-board=payments]`);
  await page.keyboard.press(' ');
  await page.waitForSelector(`${wall}[data-paused]`);
  // Space on a button presses that, and nothing else.
  await page.getByRole('button', { name: 'Next page' }).press(' ');
  await page.waitForSelector(`${wall}[data-board=commerce][data-paused]`);
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('Escape');
  await page.waitForURL('**/boards/commerce');
});

for (const [width, height] of [
  [360, 740],
  [1280, 720],
  [1920, 1080],
  [3840, 2160],
]) {
  test(`nothing scrolls and nothing is squeezed flat at ${width} × ${height}`, async (t) => {
    const { page } = await open(t, {
      path: '/wall?boards=payments&every=1h',
      viewport: { width, height },
    });
    await page.waitForSelector('[data-testid=wall-page][data-shown=true] [data-testid=tile]');
    const stops = Number(await page.getAttribute(wall, 'data-stops'));
    for (let i = 0; i < stops; i += 1) {
      await page.waitForFunction(
        (at) =>
          document.querySelector('[data-testid=wall]').dataset.page === String(at) &&
          !document.querySelector('[data-testid=wall-page] .skeleton'),
        i,
      );
      const found = await page.evaluate(() => {
        const room = document.querySelector('.wall-room').getBoundingClientRect();
        const boxes = [
          ...document.querySelectorAll('[data-shown=true] :is(.tile, .wall-cell, .wall-incidents)'),
        ];
        return {
          scrolls:
            document.documentElement.scrollHeight > innerHeight ||
            document.documentElement.scrollWidth > innerWidth,
          out: boxes.filter((box) => box.getBoundingClientRect().bottom > room.bottom + 1).length,
          flat: [...document.querySelectorAll('[data-shown=true] .chart')].filter(
            (chart) => chart.getBoundingClientRect().height < 60,
          ).length,
        };
      });
      assert.deepEqual(found, { scrolls: false, out: 0, flat: 0 }, `page ${i + 1} of ${stops}`);
      if (i === 0) await assertUsable(page);
      await page.keyboard.press('ArrowRight');
    }
  });
}

test('titles and filters however long make the wall no wider', async (t) => {
  const long = (letter) => letter.repeat(200);
  const { page } = await open(t, {
    path: '/wall?boards=long&every=1h',
    viewport: { width: 1920, height: 1080 },
    prepare: ({ state }) =>
      saveBoard(state, 'long', {
        title: { en: long('B') },
        tiles: [{ metric: 'payment_volume', title: { en: long('T') }, where: { psp: long('v') } }],
        charts: [{ metric: 'payment_volume', by: 'psp', title: { en: long('C') } }],
      }),
  });
  await page.waitForSelector('[data-shown=true] [data-testid=tile] .tile-value');
  const out = await page.evaluate(() =>
    [...document.querySelectorAll('.wall-clock, .tile, .wall-cell, .wall-incidents')]
      .filter((box) => box.getBoundingClientRect().right > innerWidth)
      .map(({ className }) => className),
  );
  assert.deepEqual(out, []);
  const title = await page.locator('[data-testid=tile-link]').boundingBox();
  assert.ok(title.width > 100, 'the filter leaves the title its room');
});

test('a table with many columns is drawn so small that all of them are seen', async (t) => {
  const { page } = await open(t, {
    path: '/wall?boards=columns&every=1h',
    viewport: { width: 1920, height: 1080 },
    prepare: ({ state }) =>
      saveBoard(state, 'columns', {
        title: { en: 'Columns' },
        charts: [{ metric: 'payment_volume', by: 'psp' }],
        panels: ['payment_volume', 'payment_attempts'].map((metric) => ({
          kind: 'table',
          metric,
          by: ['issuer', 'psp', 'method'],
          also: ['authorization_rate', metric === 'payment_volume' ? 'payment_attempts' : 'payment_volume'],
          top: 5,
        })),
      }),
  });
  await page.locator('[data-shown=true] [data-testid=top-row]').nth(9).waitFor();
  await page.waitForFunction(() => {
    const boxes = [...document.querySelectorAll('[data-shown=true] .top-scroll')];
    return boxes.length === 2 && boxes.every((box) => box.scrollWidth <= box.clientWidth + 1);
  });
});

test('turning leaves nothing behind', async (t) => {
  const { page, mock } = await open(t, { path: '/wall?boards=payments,commerce&every=1h' });
  await ready(page);
  const count = async () => {
    await ready(page);
    return page.evaluate(() => document.querySelectorAll('*').length);
  };
  const first = await count();
  for (let i = 0; i < 12; i += 1) {
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector(`${wall}[data-board=${i % 2 === 0 ? 'commerce' : 'payments'}]`);
    await ready(page);
  }
  const last = await count();
  assert.ok(last <= first * 1.1, `${first} elements before, ${last} after`);
  assert.equal(await page.locator('[data-testid=wall-page]').count(), 1);
  // One stream for series and one for incidents.
  await page.waitForFunction(() => document.querySelector('[data-testid=health]')?.dataset.health === 'live');
  assert.ok(mock.state.streams.size <= 2, `${mock.state.streams.size} streams`);
});

test('after a restart of the server the wall is live again by itself', async (t) => {
  const { page, mock } = await open(t, { path: '/wall?boards=payments&every=1h' });
  await ready(page);
  await page.waitForSelector(`${wall}[data-health=live]`);
  mock.setMode('down');
  await page.waitForSelector('[data-testid=banner]');
  // The last figures and the clock stay.
  assert.notEqual(await page.getAttribute('[data-testid=tile]', 'data-value'), '');
  assert.match(await page.textContent('[data-testid=wall-clock]'), /\d\d:\d\d:\d\d/);
  mock.setMode('normal');
  await page.waitForSelector(`${wall}[data-health=live]`);
  await page.waitForSelector('[data-testid=banner]', { state: 'detached' });
});

test('the screen is kept awake, and asked for again after it was hidden', async (t) => {
  const { page } = await open(t, { path: '/boards/payments' });
  await page.waitForSelector('[data-testid=wall-board]');
  await page.evaluate(() => {
    window.asked = 0;
    Object.defineProperty(navigator, 'wakeLock', {
      value: {
        request: async () => {
          window.asked += 1;
          return { release: async () => (window.released = true) };
        },
      },
    });
  });
  await page.click('[data-testid=wall-board]');
  await page.waitForURL('**/wall?boards=payments');
  await page.waitForFunction(() => window.asked === 1);
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await page.waitForFunction(() => window.asked === 2);
  await page.keyboard.press('Escape');
  await page.waitForURL('**/boards/payments*');
  await page.waitForFunction(() => window.released === true);
});

test('the pointer goes when nobody moves it, and the controls with it', async (t) => {
  const { page } = await open(t, { path: '/wall?boards=payments&every=1h' });
  await ready(page);
  await page.waitForSelector(`${wall}[data-idle]`);
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector('.wall')).cursor), 'none');
  await page.mouse.move(300, 300);
  await page.waitForSelector(`${wall}:not([data-idle])`);
});

test('boards that do not exist are left out, and none at all is told', async (t) => {
  const { page } = await open(t, { path: '/wall?boards=gone,payments&every=1h' });
  await ready(page);
  assert.equal(await shown(page), 'payments');
  const { page: other } = await open(t, { path: '/wall?boards=gone' });
  await other.getByText('None of these boards exists: gone').waitFor();
});
