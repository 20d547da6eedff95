// What the program embeds: the built page, its texts gzipped, as they are sent. `npm run build` runs this last.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const from = fileURLToPath(new URL('../dist/', import.meta.url));
const to = fileURLToPath(new URL('../packed/', import.meta.url));
// Smaller files are not worth it.
const BYTES_MIN = 512;

rmSync(to, { recursive: true, force: true });
for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = join(entry.parentPath, entry.name);
  const target = join(to, path.slice(from.length));
  mkdirSync(dirname(target), { recursive: true });
  const content = readFileSync(path);
  const packed = /\.(html|js|css|json|svg|txt)$/.test(entry.name) && content.length >= BYTES_MIN;
  if (packed) writeFileSync(`${target}.gz`, gzipSync(content, { level: 9 }));
  else writeFileSync(target, content);
}
