import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS, backoffMs } from './backoff';
import { type ConnectionState, LiveConnection, SILENCE_MAX_MS } from './connection';
import type { SseEvent } from './sse';

/** A server under the test's control: each connection is a call with a stream to write to. */
function fakeServer() {
  const calls: { headers: Headers; write: (text: string) => void; end: () => void; signal: AbortSignal }[] =
    [];
  let answer: 'stream' | 'down' | number = 'stream';
  const fetchFake = vi.fn(async (_url: RequestInfo | URL, init?: RequestInit) => {
    if (answer === 'down') throw new TypeError('failed to fetch');
    if (typeof answer === 'number') return new Response('', { status: answer });
    let sink!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        sink = controller;
      },
    });
    const signal = init?.signal as AbortSignal;
    signal.addEventListener('abort', () => sink.error(new DOMException('aborted', 'AbortError')));
    const encoder = new TextEncoder();
    calls.push({
      headers: new Headers(init?.headers),
      signal,
      write: (text) => sink.enqueue(encoder.encode(text)),
      end: () => sink.close(),
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  });
  return {
    calls,
    fetch: fetchFake as unknown as typeof fetch,
    count: () => fetchFake.mock.calls.length,
    answerWith: (next: typeof answer) => {
      answer = next;
    },
  };
}

function connect(server: ReturnType<typeof fakeServer>) {
  const states: ConnectionState[] = [];
  const events: SseEvent[] = [];
  const connection = new LiveConnection({
    path: '/v1/x/live',
    onEvent: (event) => events.push(event),
    onState: (state) => states.push(state),
    fetch: server.fetch,
    random: () => 1,
    now: () => 0,
  });
  connection.open();
  return { connection, states, events, last: () => states.at(-1) };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

describe('LiveConnection', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('hands on events and tells the last id when it returns after a lost line', async () => {
    const server = fakeServer();
    const { events, last } = connect(server);
    await settle();
    server.calls[0]?.write('event: snapshot\nid: 41\ndata: {}\n\n');
    await settle();
    expect(events).toEqual([{ type: 'snapshot', data: '{}', lastEventId: '41' }]);
    expect(last()).toEqual({ kind: 'open' });
    server.calls[0]?.end();
    await settle();
    expect(last()).toMatchObject({ kind: 'waiting', attempt: 1, retryAtMs: BACKOFF_FIRST_MS });
    await vi.advanceTimersByTimeAsync(BACKOFF_FIRST_MS);
    expect(server.calls[1]?.headers.get('last-event-id')).toBe('41');
  });

  it('backs off while the server is down and recovers without help', async () => {
    const server = fakeServer();
    server.answerWith('down');
    const { last, states } = connect(server);
    await settle();
    for (const delay of [500, 1000, 2000, 4000]) {
      expect(last()).toMatchObject({ kind: 'waiting', retryAtMs: delay, status: 0 });
      await vi.advanceTimersByTimeAsync(delay);
    }
    server.answerWith('stream');
    await vi.advanceTimersByTimeAsync(8000);
    server.calls[0]?.write('event: snapshot\ndata: {}\n\n');
    await settle();
    expect(last()).toEqual({ kind: 'open' });
    server.calls[0]?.end();
    await settle();
    expect(states.at(-1)).toMatchObject({ kind: 'waiting', attempt: 1 });
  });

  it('does not take a bare 200 for a working server', async () => {
    const server = fakeServer();
    const { last } = connect(server);
    for (const attempt of [1, 2, 3]) {
      await settle();
      server.calls.at(-1)?.end();
      await settle();
      expect(last()).toMatchObject({ kind: 'waiting', attempt });
      await vi.advanceTimersByTimeAsync(BACKOFF_MAX_MS);
    }
  });

  it('reports the status of a refusal', async () => {
    const server = fakeServer();
    server.answerWith(503);
    const { last } = connect(server);
    await settle();
    expect(last()).toMatchObject({ kind: 'waiting', status: 503 });
  });

  it('takes silence for a dead line, but not while heartbeats come', async () => {
    const server = fakeServer();
    const { last } = connect(server);
    await settle();
    for (let beat = 0; beat < 5; beat += 1) {
      server.calls[0]?.write('event: heartbeat\ndata: {"now":1}\n\n');
      await vi.advanceTimersByTimeAsync(15_000);
    }
    expect(server.count()).toBe(1);
    await vi.advanceTimersByTimeAsync(SILENCE_MAX_MS);
    expect(server.calls[0]?.signal.aborted).toBe(true);
    expect(last()).toMatchObject({ kind: 'connecting', attempt: 1 });
    expect(server.count()).toBe(2);
  });

  it('retries at once when told so, and only then', async () => {
    const server = fakeServer();
    server.answerWith('down');
    const { connection } = connect(server);
    await settle();
    expect(server.count()).toBe(1);
    connection.retryNow();
    await settle();
    expect(server.count()).toBe(2);
  });

  it('says nothing more after it was closed', async () => {
    const server = fakeServer();
    const { connection, last, events } = connect(server);
    await settle();
    connection.close();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(last()).toEqual({ kind: 'closed' });
    expect(events).toEqual([]);
    expect(server.count()).toBe(1);
  });
});

describe('backoffMs', () => {
  it('grows, is capped, is spread, and respects the floor the server sets', () => {
    expect(backoffMs(1, () => 0)).toBe(250);
    expect(backoffMs(1, () => 1)).toBe(500);
    expect(backoffMs(99, () => 1)).toBe(BACKOFF_MAX_MS);
    expect(backoffMs(1, () => 0, 3000)).toBe(3000);
  });
});
