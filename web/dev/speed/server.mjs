// The real program with a board of 24 live panels, and traffic that changes every one of them each second.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../demo.mjs';

export const BOARD = 'live';
export const PANELS = 24;
/** Some 35 payments a second: each of four PSPs and of four methods has several of them every second. */
const EVENTS_PER_DAY = 20_000_000;
const HISTORY = '2h';
const READY_MS = 60_000;
const pack = fileURLToPath(new URL('../../../packs/payments/', import.meta.url));

/** Charts of four cubes in each of the drawings, the last twelve hours of a day as well as the last. */
function board() {
  const split = [
    ['attempt_count', 'method', 'stacked'],
    ['authorization_rate', 'psp', 'lines'],
    ['attempt_count', 'psp', 'bars'],
    ['latency_p95', 'psp', 'lines'],
    ['payment_volume', 'psp', 'stacked'],
    ['decline_rate', 'method', 'lines'],
    ['declines', 'outcome', 'stacked'],
    ['error_rate', 'psp', 'lines'],
    ['authentication_rate', 'psp', 'lines'],
    ['latency_p50', 'method', 'lines'],
    ['payment_success_rate', 'method', 'lines'],
    ['first_attempt_authorization_rate', 'psp', 'lines'],
  ];
  const charts = [...split, ...split.map(([metric, , shape]) => [metric, null, shape])];
  if (charts.length !== PANELS) throw new Error(`the board has ${charts.length} panels`);
  const lines = charts.map(
    ([metric, by, shape]) =>
      `      - {metric: ${metric}, ${by ? `by: ${by}, ` : ''}window: 1h, shape: ${metric.endsWith('rate') && shape === 'stacked' ? 'lines' : shape}, width: third}`,
  );
  return `boards:\n  ${BOARD}:\n    title: {en: Live, zh: 实时}\n    tiles: []\n    charts:\n${lines.join('\n')}\n`;
}

/** Starts the server and its traffic; `close` stops both and removes the data. */
export async function startLive(program) {
  const folder = await mkdtemp(join(tmpdir(), 'tillwatch-speed-'));
  const config = join(folder, 'definitions');
  await mkdir(config);
  for (const file of await readdir(pack))
    if (file.endsWith('.yaml')) await copyFile(join(pack, file), join(config, file));
  await writeFile(join(config, 'live_board.yaml'), board());
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const started = [];
  const close = async () => {
    for (const one of started.reverse()) await stop(one);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const args = [
      'serve',
      '--config',
      config,
      '--data',
      join(folder, 'data'),
      '--listen',
      `127.0.0.1:${port}`,
    ];
    const server = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    started.push(server);
    await said(server, /^ready/m);
    const traffic = [
      'simulate',
      '--server',
      url,
      '--stream',
      'payments',
      '--events-per-day',
      `${EVENTS_PER_DAY}`,
    ];
    const from = new Date(Date.now() - 2 * 3_600_000).toISOString();
    const history = spawn(program, [...traffic, '--from', from, '--for', HISTORY], { stdio: 'ignore' });
    started.push(history);
    const [code] = await once(history, 'exit');
    if (code !== 0) throw new Error(`the history was not taken: simulate ended with ${code}`);
    started.push(spawn(program, [...traffic, '--live', '--seed', '2'], { stdio: 'ignore' }));
    return { url, server, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Waits until a program has said something; it goes on saying it to nobody. */
async function said(child, what) {
  let text = '';
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready after ${READY_MS} ms:\n${text}`)), READY_MS);
    child.stdout.on('data', (piece) => {
      if (text.length < 10_000) text += piece;
      if (!what.test(text)) return;
      clearTimeout(timer);
      resolve();
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code}:\n${text}`)));
  });
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  await ended;
}
