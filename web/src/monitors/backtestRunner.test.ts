import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../api/client';
import { BusyError, postBacktest, type Question } from './backtestCall';
import { BacktestRunner } from './backtestRunner';
import type { BacktestAnswer } from './types';

interface Call {
  question: Question;
  signal: AbortSignal;
  answer: (took: number) => void;
  fail: (error: Error) => void;
}

let calls: Call[];
let runner: BacktestRunner;
const ask = (name: string) => runner.ask({ name });
const phase = () => runner.store.get().phase;
const last = () => calls.at(-1) as Call;
const busy = (ms: number) => new BusyError(new ApiError(429, null, 'busy'), ms);
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  calls = [];
  runner = new BacktestRunner(
    (question, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        calls.push({
          question,
          signal,
          answer: (took_s) => resolve({ took_s } as BacktestAnswer),
          fail: reject,
        });
      }),
  );
});
afterEach(() => void vi.useRealTimers());

describe('a runner', () => {
  it('asks when typing has stopped, once, and the newest', async () => {
    ask('a');
    await vi.advanceTimersByTimeAsync(300);
    ask('b');
    ask('b');
    expect(phase().kind).toBe('waiting');
    await vi.advanceTimersByTimeAsync(599);
    expect(calls).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(calls.map(({ question }) => question.name)).toEqual(['b']);
    expect(phase().kind).toBe('running');
    last().answer(1);
    await settle();
    expect(runner.store.get()).toMatchObject({
      phase: { kind: 'done' },
      isCurrent: true,
      answer: { took_s: 1 },
    });
  });

  it('hangs up on the former, and keeps what it found until there is something newer', async () => {
    ask('a');
    await vi.advanceTimersByTimeAsync(600);
    last().answer(1);
    await settle();
    ask('b');
    await vi.advanceTimersByTimeAsync(600);
    const second = last();
    ask('c');
    expect(second.signal.aborted).toBe(true);
    expect(runner.store.get()).toMatchObject({ isCurrent: false, answer: { took_s: 1 } });
    await vi.advanceTimersByTimeAsync(600);
    second.answer(2);
    last().answer(3);
    await settle();
    expect(runner.store.get()).toMatchObject({ isCurrent: true, answer: { took_s: 3 } });
  });

  it('waits as long as the server says while another test is running', async () => {
    ask('a');
    await vi.advanceTimersByTimeAsync(600);
    last().fail(busy(5_000));
    await settle();
    expect(phase()).toMatchObject({ kind: 'queued', isBusy: true, retryAtMs: Date.now() + 5_000 });
    await vi.advanceTimersByTimeAsync(4_999);
    expect(calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(calls).toHaveLength(2);
    last().answer(1);
    await settle();
    expect(phase().kind).toBe('done');
  });

  it('comes back soon, once, where the place may still be that of a test it gave up', async () => {
    ask('a');
    await vi.advanceTimersByTimeAsync(600);
    ask('b');
    await vi.advanceTimersByTimeAsync(600);
    last().fail(busy(5_000));
    await vi.advanceTimersByTimeAsync(800);
    expect(calls).toHaveLength(3);
    last().fail(busy(5_000));
    await vi.advanceTimersByTimeAsync(4_999);
    expect(calls).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(1);
    expect(calls).toHaveLength(4);
  });

  it('asks nothing any more once it is stopped, also when it was waiting to', async () => {
    ask('a');
    await vi.advanceTimersByTimeAsync(600);
    last().fail(busy(1_000));
    await settle();
    runner.stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(calls).toHaveLength(1);
    expect(phase().kind).toBe('idle');
  });

  it('heals when the server was away, and gives up on what will not change', async () => {
    ask('a');
    await vi.advanceTimersByTimeAsync(600);
    last().fail(new ApiError(503, null, 'recovering'));
    await settle();
    expect(phase()).toMatchObject({ kind: 'queued', isBusy: false });
    await vi.advanceTimersByTimeAsync(3_000);
    last().fail(new ApiError(422, null, 'bad'));
    await settle();
    expect(phase().kind).toBe('failed');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls).toHaveLength(2);
    runner.again();
    expect(calls).toHaveLength(3);
  });

  it('remembers what it was told, so that going back costs nothing', async () => {
    for (const [i, name] of ['a', 'b'].entries()) {
      ask(name);
      await vi.advanceTimersByTimeAsync(600);
      last().answer(i);
      await settle();
    }
    ask('a');
    expect(runner.store.get()).toMatchObject({
      phase: { kind: 'done' },
      isCurrent: true,
      answer: { took_s: 0 },
    });
    expect(calls).toHaveLength(2);
    runner.again();
    expect(calls).toHaveLength(3);
  });
});

describe('the call', () => {
  const question: Question = {
    name: 'a/b',
    from: '2026-11-01T00:00:00Z',
    monitor: { metric: 'm', detect: 'auto' },
  };

  it('sends the question as the server takes it', async () => {
    const send = vi.fn(async (_path: string, _init: RequestInit) => Response.json({ took_s: 1 }));
    vi.stubGlobal('fetch', send);
    await postBacktest(question, new AbortController().signal);
    const [path, init] = send.mock.calls[0] ?? [];
    expect(path).toBe('/v1/monitors/a%2Fb/backtest');
    expect(JSON.parse(String(init?.body))).toEqual({ from: question.from, monitor: question.monitor });
    vi.unstubAllGlobals();
  });

  it('tells a busy server from a bad definition', async () => {
    const answers = [
      Response.json({ detail: 'busy' }, { status: 429, headers: { 'retry-after': '7' } }),
      Response.json({ detail: 'bad', faults: [{ path: 'monitor.by.0', message: 'x' }] }, { status: 422 }),
    ];
    vi.stubGlobal('fetch', async () => answers.shift());
    const signal = new AbortController().signal;
    await expect(postBacktest(question, signal)).rejects.toMatchObject({
      name: 'BusyError',
      retryAfterMs: 7_000,
    });
    await expect(postBacktest(question, signal)).rejects.toMatchObject({
      status: 422,
      problem: { faults: [{ path: 'monitor.by.0' }] },
    });
    vi.unstubAllGlobals();
  });
});
