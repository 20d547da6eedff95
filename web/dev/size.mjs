// The weight of what is loaded, gzipped, against its budget:   npm run build && npm run size
//
// The first page is a board: the entry, what it imports, its charts and its controls. Other pages are loaded when somebody goes
// there, and the kinds of panels when a board has one.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const BUDGET_KB = 350;
const assets = fileURLToPath(new URL('../dist/assets/', import.meta.url));
const names = readdirSync(assets).sort();
const texts = new Map(
  names.filter((name) => name.endsWith('.js')).map((name) => [name, readFileSync(assets + name, 'utf8')]),
);
const kb = (name) => gzipSync(readFileSync(assets + name), { level: 9 }).length / 1000;

const mentions = (text, before) =>
  [...text.matchAll(new RegExp(`${before}[\`"]\\./([^\`"]+\\.js)[\`"]`, 'g'))].map((match) => match[1]);
const onDemand = /^(zh|barChart|Palette|ShortcutHelp|BoardSwitcher|AnnotationDialog|Details)-/;
const isOnDemand = (name) => /(Page|Panel)-[^/]*\.js$/.test(name) || onDemand.test(name);

const first = new Set();
function load(name) {
  if (first.has(name) || !texts.has(name)) return;
  first.add(name);
  const text = texts.get(name);
  for (const part of mentions(text, '(?:from|import)\\s*')) load(part);
  for (const part of mentions(text, 'import\\(\\s*')) if (!isOnDemand(part)) load(part);
}
const entry = names.find((name) => name.startsWith('index-') && name.endsWith('.js'));
if (!entry) throw new Error('there is no entry; run npm run build first');
load(entry);

let scripts = 0;
for (const name of names) {
  const weight = kb(name);
  if (first.has(name)) scripts += weight;
  console.log(`${weight.toFixed(1).padStart(8)} kB  ${first.has(name) ? '*' : ' '} ${name}`);
}
console.log(`${scripts.toFixed(1).padStart(8)} kB  scripts of the first page (*), budget ${BUDGET_KB} kB`);
process.exitCode = scripts > BUDGET_KB ? 1 : 0;
