// Pictures of the board in every state, against the mock.   node dev/screenshots.mjs [name…]
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { launch, watchFaults } from './browser.mjs';
import { startMock, TOKEN } from './mock-server.mjs';

const folder = fileURLToPath(new URL('./shots/', import.meta.url));
mkdirSync(folder, { recursive: true });

/** What is on the page when it is all there. */
const whole = [
  '[data-testid=health][data-health=live]',
  '.chart canvas',
  '[data-testid=incident]',
  '[data-testid=slice]',
];
const normal = { mode: 'normal', width: 1440, height: 900, shows: whole };
/** The board that has a panel of every kind, in a window that is high enough for all of them. */
const panels = {
  ...normal,
  path: '/boards/operations',
  height: 3600,
  shows: [...whole, '[data-kind=map]:not([data-drawn=""])', '.heat-cell', '[data-testid=sankey-link]'],
};
const shots = {
  normal,
  dark: { ...normal, colorScheme: 'dark' },
  week: { ...normal, path: '/boards/payments?range=7d' },
  chinese: { ...normal, locale: 'zh-CN' },
  narrow: { ...normal, width: 390, height: 844, fullPage: true },
  tablet: { ...normal, width: 820, height: 1180 },
  wide: { ...normal, width: 3840, height: 2160 },
  hover: {
    ...normal,
    act: (page) => page.hover('[data-testid=chart] .chart', { position: { x: 330, y: 120 } }),
  },
  details: { ...normal, act: (page) => page.click('[data-testid=incident] summary') },
  hostile: {
    ...normal,
    mode: 'hostile',
    act: (page) => page.hover('[data-testid=chart] .chart', { position: { x: 330, y: 120 } }),
  },
  empty: {
    ...normal,
    mode: 'empty',
    shows: ['[data-testid=health][data-health=live]', '[data-testid=tile]'],
  },
  error: { ...normal, mode: 'error', shows: ['[data-testid=chart] .panel-error'], faulty: true },
  loading: { ...normal, mode: 'loading', shows: ['[data-testid=tile] .skeleton'] },
  boards: { ...normal, path: '/boards', shows: ['[data-testid=board-row]'] },
  'boards-narrow': {
    ...normal,
    path: '/boards',
    width: 360,
    height: 780,
    locale: 'zh-CN',
    shows: ['[data-testid=board-row]'],
  },
  'board-copy': {
    ...normal,
    path: '/new-board?from=payments',
    shows: ['[data-testid=board-preview] .chart canvas'],
    act: (page) => page.locator('[data-section=charts] [data-open]').first().click(),
  },
  'board-copy-narrow': {
    ...normal,
    path: '/new-board?from=payments',
    width: 360,
    height: 780,
    colorScheme: 'dark',
    locale: 'zh-CN',
    shows: ['[data-testid=board-editor]'],
    act: (page) => page.locator('[data-section=charts] [data-open]').first().click(),
  },
  wall: {
    ...normal,
    path: '/wall?boards=operations&every=1h',
    width: 1920,
    height: 1080,
    shows: ['.wall-cell .chart canvas'],
  },
  'wall-wide': {
    ...normal,
    path: '/wall?boards=operations&every=1h',
    width: 3840,
    height: 2160,
    colorScheme: 'dark',
    locale: 'zh-CN',
    shows: ['.wall-cell .chart canvas'],
  },
  palette: {
    ...normal,
    act: async (page) => {
      await page.keyboard.press('Control+k');
      await page.waitForSelector('[data-testid=palette-option]');
      await page.keyboard.type('a');
    },
  },
  keys: { ...normal, act: (page) => page.keyboard.press('?') },
  missing: { ...normal, path: '/boards/nowhere', shows: ['.message'], faulty: true },
  locked: { ...normal, mode: 'locked', shows: ['[data-testid=access]'], faulty: true },
  wrong: {
    ...normal,
    mode: 'locked',
    locale: 'zh-CN',
    colorScheme: 'dark',
    shows: ['[data-testid=access]'],
    act: (page) => enter(page, 'not-the-token'),
    faulty: true,
  },
  unlocked: {
    ...normal,
    mode: 'locked',
    shows: ['[data-testid=access]'],
    act: async (page) => {
      await enter(page, TOKEN);
      for (const selector of whole) await page.waitForSelector(selector, { timeout: 120_000 });
    },
    faulty: true,
  },
  reloaded: {
    ...normal,
    act: async (page, mock) => {
      mock.setMode('reloaded');
      await page.waitForSelector('[data-testid=chart][data-metric=latency_p95]', {
        state: 'detached',
        timeout: 120_000,
      });
    },
    faulty: true,
  },
  panels,
  'panels-dark': { ...panels, colorScheme: 'dark' },
  'panels-chinese': { ...panels, locale: 'zh-CN' },
  'panels-narrow': { ...panels, width: 360, height: 9_000 },
  'panels-wide': { ...panels, width: 3840, height: 6_000 },
  'panels-hostile': { ...panels, mode: 'hostile' },
  'panels-filtered': {
    ...panels,
    path: '/boards/operations?where.psp=stripe,worldline&compare=previous',
    act: (page) => page.click('[data-testid=filter-add]'),
  },
  'panels-empty': {
    ...panels,
    mode: 'empty',
    shows: ['[data-testid=health][data-health=live]', '[data-kind=map] .panel-empty'],
  },
  'panels-error': { ...panels, mode: 'error', shows: ['[data-kind=map] .panel-error'], faulty: true },
  'panels-loading': { ...panels, mode: 'loading', shows: ['[data-kind=map] .skeleton'] },
  'panels-stale': { ...panels, act: (page, mock) => lose(page, mock, 'down'), faulty: true },
  stale: { ...normal, act: (page, mock) => lose(page, mock, 'down'), faulty: true },
  recovering: { ...normal, act: (page, mock) => lose(page, mock, 'recovering'), faulty: true },
};

async function enter(page, token) {
  await page.fill('[data-testid=access] input', token);
  await page.click('[data-testid=access] button');
  await page.waitForTimeout(1_000);
}

async function lose(page, mock, mode) {
  mock.setMode(mode);
  await page.waitForSelector(`[data-testid=banner][data-kind=${mode === 'down' ? 'lost' : 'recovering'}]`, {
    timeout: 15_000,
  });
}

const wanted = process.argv.slice(2);
const browser = await launch();
let failed = 0;
for (const [name, shot] of Object.entries(shots)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const mock = await startMock(0, shot.mode);
  const context = await browser.newContext({
    viewport: { width: shot.width, height: shot.height },
    locale: shot.locale ?? 'en-GB',
    timezoneId: 'Europe/Berlin',
    colorScheme: shot.colorScheme ?? 'light',
  });
  const page = await context.newPage();
  const faults = watchFaults(page);
  await page.goto(`${mock.url}${shot.path ?? '/boards/payments'}`);
  for (const selector of shot.shows) await page.waitForSelector(selector, { timeout: 120_000 });
  await page.waitForTimeout(1_500);
  if (shot.act) await shot.act(page, mock);
  await page.waitForTimeout(300);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await page.screenshot({ path: `${folder}${name}.png`, fullPage: shot.fullPage ?? false, timeout: 120_000 });
  const bad = shot.faulty ? faults.filter((text) => !/Failed to load resource|net::ERR/.test(text)) : faults;
  if (overflow > 0) bad.push(`the page is ${overflow} px wider than the window`);
  failed += bad.length;
  console.log(`${name}: ${bad.length === 0 ? 'clean' : bad.join('\n  ')}`);
  await context.close();
  await mock.close();
}
await browser.close();
process.exitCode = failed === 0 ? 0 : 1;
