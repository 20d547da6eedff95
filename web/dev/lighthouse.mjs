// Lighthouse over the pages of the demo, on a desk and on a phone:   make lighthouse
// It is no dependency of the page: LIGHTHOUSE names the folder it is installed in. Ends with 1 where a score is below the goal.
//   node dev/lighthouse.mjs [--categories accessibility,best-practices] [page…]     of a server that runs: TILLWATCH_URL
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { launch } from './browser.mjs';
import { freePort, startDemo } from './demo.mjs';

const GOAL = 95;
const { values, positionals: only } = parseArgs({
  allowPositionals: true,
  options: { categories: { type: 'string', default: 'performance,accessibility,best-practices' } },
});
const categories = values.categories.split(',');
const program = process.env.TILLWATCH_BIN;
if (!program && !process.env.TILLWATCH_URL)
  throw new Error('TILLWATCH_BIN names the program, which `make lighthouse` builds');
const installed = createRequire(pathToFileURL(resolve(process.env.LIGHTHOUSE ?? '.', 'package.json')));
const load = async (name) => import(pathToFileURL(installed.resolve(name)).href);
const { default: lighthouse, desktopConfig } = await load('lighthouse');

const demo = process.env.TILLWATCH_URL
  ? { url: process.env.TILLWATCH_URL, close: async () => {} }
  : await startDemo(program, ['--days', '3']);
let isBelow = false;
try {
  const { incidents } = await (await fetch(`${demo.url}/v1/incidents`)).json();
  const pages = {
    board: '/boards/payments',
    explore: '/explore?metric=authorization_rate&by=psp',
    incidents: '/incidents',
    incident: `/incidents/${incidents.at(0)?.id}`,
    monitors: '/monitors',
    SQL: '/sql',
    data: '/data',
  };
  console.log(`| page | on | ${categories.join(' | ')} | what costs |`);
  console.log(`|${'---|'.repeat(categories.length + 3)}`);
  for (const [page, path] of Object.entries(pages))
    for (const on of ['desk', 'phone'])
      if (only.length === 0 || only.includes(page)) await rate(page, path, on);
} finally {
  await demo.close();
}
if (isBelow) process.exitCode = 1;

async function rate(page, path, on) {
  // A browser of its own, so that nothing is in its cache.
  const port = await freePort();
  const browser = await launch([`--remote-debugging-port=${port}`]);
  try {
    const flags = { port, logLevel: 'error', onlyCategories: categories };
    const result = await lighthouse(demo.url + path, flags, on === 'desk' ? desktopConfig : undefined);
    const { categories: rated, audits } = result.lhr;
    const scores = categories.map((name) => Math.round(100 * (rated[name].score ?? 0)));
    if (scores.some((score) => score < GOAL)) isBelow = true;
    const costly = categories
      .flatMap((name) => rated[name].auditRefs)
      .filter(({ weight, id }) => weight > 0 && (audits[id].score ?? 1) < 0.9)
      .map(({ id }) => [id, audits[id].displayValue, placeOf(audits[id])].filter(Boolean).join(' '));
    console.log(`| ${page} | ${on} | ${scores.join(' | ')} | ${costly.join(', ')} |`);
  } finally {
    await browser.close();
  }
}

/** The element that an audit complains of first. */
function placeOf({ details }) {
  const node = details?.items?.find((item) => item.node)?.node;
  return node ? `\`${node.selector}\`` : '';
}
