// The pictures of docs/gallery.md, of the demo as everybody sees it.   make gallery
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch, watchFaults } from './browser.mjs';
import { startDemo } from './demo.mjs';

const PROGRAM = process.env.TILLWATCH_BIN;
const docs = fileURLToPath(new URL('../../docs/', import.meta.url));
const SHOWN_MS = 60_000;

const desk = { width: 1440, height: 900 };
const chart = '.chart canvas';
const pictures = [
  {
    name: 'board',
    text: 'The board of the pack `payments`, live. The incident of the demo stands beside its chart.',
    path: '/boards/payments',
    shows: [chart, '[data-testid=incident]'],
  },
  {
    name: 'panels',
    text: 'Further down: an objective, a map, a flow, the largest slices and the hours of the week.',
    path: '/boards/payments?range=24h',
    viewport: { width: 1440, height: 1100 },
    scroll: true,
    shows: ['[data-testid=sankey-link]', '.heat-cell'],
  },
  {
    name: 'commerce',
    text: 'The board of the pack `commerce` in the dark, with the funnel from visit to order.',
    path: '/boards/commerce',
    viewport: { width: 1440, height: 1500 },
    colorScheme: 'dark',
    shows: [chart],
  },
  {
    name: 'incident',
    text: 'One incident: what, since when, how sure, how much money, what explains it, and the events behind it.',
    path: async (url) => {
      const { incidents } = await (await fetch(`${url}/v1/incidents`)).json();
      return `/incidents/${incidents.at(0)?.id}`;
    },
    viewport: { width: 1440, height: 1200 },
    shows: [chart],
  },
  {
    name: 'explore',
    text: 'Explore: one metric over any time, split, filtered and compared; the address holds all of it.',
    path: '/explore?metric=authorization_rate&by=psp',
    shows: [chart],
  },
  {
    name: 'monitors',
    text: 'The monitors, with what each sees.',
    path: '/monitors',
    shows: ['.monitor-list li'],
  },
  {
    name: 'monitor',
    text: 'A monitor while it is changed: the past is judged anew as one types.',
    path: '/monitors/authorization_by_issuer?mode=edit&metric=authorization_rate&detect=rate&by=psp,issuer&direction=down&min_samples=8',
    viewport: { width: 1440, height: 1200 },
    shows: ['[data-testid=outcome]'],
  },
  { name: 'sql', text: 'SQL over events and cubes.', path: '/sql', shows: ['.cm-editor'] },
  {
    name: 'data',
    text: 'What comes in, how late, and what was rejected.',
    path: '/data',
    shows: ['main table'],
  },
  {
    name: 'wall',
    text: 'A wall screen: boards one after the other, never scrolling.',
    path: '/wall?boards=payments,commerce&every=60s',
    viewport: { width: 1920, height: 1080 },
    shows: [chart],
  },
  {
    name: 'phone',
    text: 'In Chinese on a phone.',
    path: '/boards/payments',
    viewport: { width: 390, height: 844 },
    locale: 'zh-CN',
    colorScheme: 'dark',
    shows: ['[data-testid=incident]'],
  },
];

if (!PROGRAM) throw new Error('TILLWATCH_BIN names the program, which `make gallery` builds');
const demo = await startDemo(PROGRAM);
try {
  await take(demo.url);
} finally {
  await demo.close();
}

async function take(url) {
  await mkdir(join(docs, 'gallery'), { recursive: true });
  const browser = await launch();
  const wrong = [];
  for (const one of pictures) {
    const { name, path, shows, viewport = desk, scroll = false, ...rest } = one;
    const { colorScheme = 'light', locale = 'en-GB' } = rest;
    const context = await browser.newContext({ viewport, colorScheme, locale, timezoneId: 'Europe/Berlin' });
    const page = await context.newPage();
    const faults = watchFaults(page);
    await page.goto(url + (typeof path === 'function' ? await path(url) : path));
    for (const selector of scroll ? [chart] : shows)
      await page.locator(selector).first().waitFor({ timeout: SHOWN_MS });
    if (scroll) {
      await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
      for (const selector of shows) await page.locator(selector).first().waitFor({ timeout: SHOWN_MS });
    }
    // Charts draw themselves in; what they show has come.
    await page.waitForTimeout(1_500);
    await page.screenshot({ path: join(docs, 'gallery', `${name}.jpg`), type: 'jpeg', quality: 82 });
    wrong.push(...faults.map((fault) => `${name}: ${fault}`));
    await context.close();
  }
  await browser.close();
  const shown = pictures.map(({ name, text }) => `## ${text}\n\n![${text}](gallery/${name}.jpg)\n`);
  const head =
    '# Gallery\n\nThe demo, as `make demo` shows it. `make gallery` takes these pictures again.\n\n';
  await writeFile(join(docs, 'gallery.md'), head + shown.join('\n'));
  if (wrong.length > 0) throw new Error(`pages had faults:\n${wrong.join('\n')}`);
}
