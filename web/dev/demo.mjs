// The demo with data of its own, as `make demo` starts it.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The demo breaks an issuer within the first minute and tells of it soon after; a busy machine is slower. */
const TOLD_MS = 300_000;

/** Starts the demo and waits until it has told of its incident; `close` stops it and removes its data. */
export async function startDemo(program, more = []) {
  const folder = await mkdtemp(join(tmpdir(), 'tillwatch-demo-'));
  const port = await freePort();
  const args = ['demo', '--listen', `127.0.0.1:${port}`, '--data', folder, ...more];
  const demo = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => demo.once('exit', resolve));
  const close = async () => {
    demo.kill('SIGINT');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await new Promise((resolve, reject) => {
      let said = '';
      demo.stdout.on('data', (piece) => {
        said += piece;
        if (/^webhook {3}opened/m.test(said)) resolve();
      });
      ended.then(() => reject(new Error(`the demo ended before it told of its incident:\n${said}`)));
      setTimeout(() => reject(new Error(`the demo told of no incident:\n${said}`)), TOLD_MS).unref();
    });
  } catch (error) {
    await close();
    throw error;
  }
  return { url: `http://127.0.0.1:${port}`, close };
}

export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
