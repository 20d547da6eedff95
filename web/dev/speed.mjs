// How fast the web is, against the real program:   TILLWATCH_BIN=… node dev/speed.mjs [--minutes 60] [--runs 5] [--out DIR]
// `make bench-web` builds the program first. A short check: BENCH_WEB_ARGS="--minutes 2 --runs 1".
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { curve } from './speed/curve.mjs';
import { watchBoard } from './speed/hour.mjs';
import { median, SLOWED, timeInteractive } from './speed/interactive.mjs';
import { BOARD, PANELS, startLive } from './speed/server.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    runs: { type: 'string', default: '5' },
    out: { type: 'string' },
    'all-in-sight': { type: 'boolean', default: false },
  },
});
const minutes = count('minutes');
const runs = count('runs');
const program = process.env.TILLWATCH_BIN;
if (!program) throw new Error('TILLWATCH_BIN names the program, which `make bench-web` builds');

console.log(`${new Date().toISOString().slice(0, 10)}, ${cpus().length} processors, ${cpus()[0]?.model}`);
const live = await startLive(program);
try {
  if (runs > 0) await interactive();
  if (minutes > 0) await memory();
} finally {
  await live.close();
}

function count(name) {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new Error(`--${name} is a whole number, not ${values[name]}`);
}

async function interactive() {
  console.log(`\nCold cache, processor ${SLOWED} × slowed, ${runs} runs: median and worst, ms`);
  console.log(
    '| board | first figure | a key is answered after | both | first chart |\n|---|---|---|---|---|',
  );
  for (const board of ['payments', BOARD]) {
    const times = await timeInteractive(`${live.url}/boards/${board}`, runs);
    const cells = ['figures', 'response', 'interactive', 'chart'].map((part) => {
      const each = times.map((one) => one[part]);
      return `${median(each).toFixed(0)}, ${Math.max(...each).toFixed(0)}`;
    });
    console.log(`| \`${board}\` | ${cells.join(' | ')} |`);
  }
}

async function memory() {
  const allInSight = values['all-in-sight'];
  console.log(`\n${PANELS} live panels, ${allInSight ? 'all in sight' : 'in a window of 1920 × 1080'}`);
  const shown = ['minute', 'renderer', 'gpu', 'browser', 'heapMb', 'nodes', 'listeners', 'slowest', 'mean'];
  console.log('| minute | renderer % | GPU process % | browser % | heap MiB | nodes | listeners | ');
  console.log('|---|---|---|---|---|---|---|');
  const { rows, faults, version } = await watchBoard(live.url, minutes, allInSight, (row) => {
    const cells = shown.slice(1, 5).map((key) => row[key].toFixed(1));
    console.log(`| ${row.minute} | ${cells.join(' | ')} | ${row.nodes} | ${row.listeners} |`);
  });
  const updates = median(rows.map(({ mean }) => mean)).toFixed(2);
  console.log(
    `\nChromium ${version}; renderer ${median(rows.map((row) => row.renderer)).toFixed(1)} % of a core`,
  );
  console.log(`(median of the minutes); a panel's course was renewed ${updates} times a second.`);
  if (values.out) {
    const folder = resolve(values.out);
    await mkdir(folder, { recursive: true });
    const lines = rows.map((row) => shown.map((key) => Number(row[key].toFixed(2))).join(','));
    await writeFile(join(folder, 'web-hour.csv'), `${[shown.join(','), ...lines].join('\n')}\n`);
    const title = `JS heap after garbage collection, MiB: ${PANELS} live panels`;
    await writeFile(join(folder, 'web-heap.svg'), curve(rows, 'heapMb', title));
  }
  if (faults.length > 0) throw new Error(`the page had faults:\n${faults.join('\n')}`);
}
