// The first page's weight, gzipped, against its budget:   npm run build && npm run size
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const BUDGET_KB = 350;
const assets = fileURLToPath(new URL('../dist/assets/', import.meta.url));
let scripts = 0;
for (const name of readdirSync(assets).sort()) {
  const kb = gzipSync(readFileSync(assets + name), { level: 9 }).length / 1000;
  if (name.endsWith('.js')) scripts += kb;
  console.log(`${kb.toFixed(1).padStart(8)} kB  ${name}`);
}
console.log(`${scripts.toFixed(1).padStart(8)} kB  all scripts, budget ${BUDGET_KB} kB`);
process.exitCode = scripts > BUDGET_KB ? 1 : 0;
