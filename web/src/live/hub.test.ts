import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { SeriesQuery } from '../api/paths';
import type { SeriesDocument } from '../api/types';
import { IDLE_AFTER_MS, LiveHub, REOPEN_AFTER_MS } from './hub';

const tile: SeriesQuery = { metric: 'attempts', from: '-1h', to: 'now', step: '1h', by: [], where: {} };
const chart: SeriesQuery = { metric: 'rate', from: '-1h', to: 'now', step: '30s', by: ['psp'], where: {} };

function answer(metric: string, value: number, query = 0): SeriesDocument & { query: number } {
  const to = Date.now();
  return {
    query,
    metric,
    unit: 'count',
    from: to - 3_600_000,
    to,
    step_ms: 30_000,
    by: [],
    watermark: to,
    series: [{ by: {}, points: [[to - 30_000, value]] }],
    truncated: false,
  };
}

let streams: { url: string; send: (event: string, data: unknown) => void; cut: () => void }[];
let fetched: string[];
let value: number;

beforeEach(() => {
  vi.useFakeTimers();
  streams = [];
  fetched = [];
  value = 1;
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    if (!url.includes('/live')) {
      fetched.push(url);
      if (url.startsWith('/v1/series'))
        return Response.json({ answers: asked(url).map(() => answer('attempts', value)) });
      return Response.json(url.startsWith('/v1/incidents') ? { incidents: [] } : answer('attempts', value));
    }
    let sink!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        sink = controller;
      },
    });
    init.signal?.addEventListener('abort', () => sink.error(new Error('aborted')));
    const send = (event: string, data: unknown) =>
      sink.enqueue(new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
    streams.push({ url, send, cut: () => sink.close() });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** The metrics that a stream was opened for. */
const asked = (url: string) =>
  new URL(url, 'http://x').searchParams.getAll('q').map((text) => text.split('?')[0]);

/** A millisecond lets a timer that was set by a timer come, too. */
const settle = (ms = 1) => vi.advanceTimersByTimeAsync(ms);

it('streams one series of a cube, the split one, and fetches the others when it moves', async () => {
  const hub = new LiveHub();
  hub.follow('cube', tile, 'total');
  hub.follow('cube', { ...tile, step: '30s' }, 'series');
  hub.follow('cube', chart, 'series');
  await settle();
  expect(streams.map(({ url }) => asked(url))).toEqual([['rate']]);
  streams[0]?.send('snapshot', answer('rate', 0.9));
  await settle(5_000);
  expect(hub.health.get().kind).toBe('live');
  const before = fetched.length;
  value = 2;
  streams[0]?.send('update', answer('rate', 0.8));
  await settle(50);
  expect(fetched.length).toBe(before + 1);
  expect(hub.series('cube', tile, 'total').get().document?.series[0]?.points[0]?.[1]).toBe(2);
});

it('streams a pulse where nothing else of its cube is, and asks for none where something is', async () => {
  const hub = new LiveHub();
  hub.follow('lonely', { ...tile, metric: 'pulse' }, 'pulse');
  hub.follow('cube', { ...tile, metric: 'silent' }, 'pulse');
  hub.follow('cube', chart, 'series');
  await settle();
  expect(streams.map(({ url }) => asked(url))).toEqual([['pulse', 'rate']]);
  const changes = () => ['lonely', 'cube'].map((cube) => hub.beat(cube).changes);
  expect(changes()).toEqual([0, 0]);
  streams[0]?.send('snapshot', answer('pulse', 1, 0));
  streams[0]?.send('snapshot', answer('rate', 0.9, 1));
  streams[0]?.send('update', answer('rate', 0.8, 1));
  await settle(5_000);
  expect(changes()).toEqual([1, 2]);
  expect(fetched.flatMap(asked)).not.toContain('silent');
});

it('fetches all figures that follow in one call', async () => {
  const hub = new LiveHub();
  const names = Array.from({ length: 24 }, (_, at) => `m${at}`);
  for (const metric of names) hub.follow('cube', { ...tile, metric }, 'total');
  hub.follow('cube', chart, 'series');
  await settle(5_000);
  expect(fetched.map(asked)).toEqual([names]);
  streams[0]?.send('snapshot', answer('rate', 0.9));
  await settle(50);
  expect(fetched.map(asked)).toEqual([names, names]);
});

it('fetches everything again after the stream was lost, and says that it was', async () => {
  const hub = new LiveHub();
  hub.follow('cube', tile, 'total');
  hub.follow('cube', chart, 'series');
  await settle();
  streams[0]?.send('snapshot', answer('rate', 0.9));
  await settle(1_000);
  streams[0]?.cut();
  await settle();
  expect(hub.health.get()).toMatchObject({ kind: 'reconnecting', attempt: 1 });
  expect(hub.series('cube', chart, 'series').get().document?.metric).toBe('rate');
  value = 7;
  await settle(1_000);
  streams[1]?.send('snapshot', answer('rate', 0.7));
  await settle(50);
  expect(hub.health.get().kind).toBe('live');
  expect(hub.series('cube', tile, 'total').get().document?.series[0]?.points[0]?.[1]).toBe(7);
});

it('streams another series when the streamed one is left, and nothing when all are', async () => {
  const hub = new LiveHub();
  const leave = hub.follow('cube', chart, 'series');
  const leaveOther = hub.follow('cube', { ...chart, metric: 'other' }, 'series');
  await settle();
  leave();
  await settle();
  expect(streams.map(({ url }) => asked(url))).toEqual([['rate'], ['other']]);
  leaveOther();
  await settle(60_000);
  expect(streams.length).toBe(2);
});

it('streams all cubes of a board through one connection', async () => {
  const hub = new LiveHub();
  const cubes = ['a', 'b', 'c', 'd', 'e'];
  for (const cube of cubes) hub.follow(cube, { ...chart, metric: cube }, 'series');
  await settle();
  expect(streams.map(({ url }) => asked(url))).toEqual([cubes]);
  expect(fetched.length).toBe(0);
  for (const [i, cube] of cubes.entries()) streams[0]?.send('snapshot', answer(cube, i, i));
  await settle();
  for (const [i, cube] of cubes.entries()) {
    const { document } = hub.series(cube, { ...chart, metric: cube }, 'series').get();
    expect([document?.metric, document?.series[0]?.points[0]?.[1]]).toEqual([cube, i]);
  }
});

it('goes on when one series of the stream is refused, doubts the definitions and asks again', async () => {
  const onDoubt = vi.fn();
  const hub = new LiveHub(onDoubt);
  hub.follow('a', { ...chart, metric: 'a' }, 'series');
  hub.follow('b', { ...chart, metric: 'b' }, 'series');
  await settle();
  streams[0]?.send('snapshot', answer('a', 1, 0));
  streams[0]?.send('problem', { query: 1, status: 404, title: 'No such metric', detail: 'gone' });
  await settle();
  expect(hub.health.get().kind).toBe('live');
  expect(onDoubt).toHaveBeenCalledTimes(1);
  expect(hub.series('b', { ...chart, metric: 'b' }, 'series').get().error?.message).toBe('gone');
  streams[0]?.send('update', answer('a', 2, 0));
  await settle();
  const { document } = hub.series('a', { ...chart, metric: 'a' }, 'series').get();
  expect(document?.series[0]?.points.at(-1)?.[1]).toBe(2);
  await settle(REOPEN_AFTER_MS);
  expect(streams.map(({ url }) => asked(url))).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ]);
});

it('leaves a failure to the server that may pass by itself', async () => {
  const onDoubt = vi.fn();
  const hub = new LiveHub(onDoubt);
  hub.follow('a', chart, 'series');
  await settle();
  streams[0]?.send('problem', { query: 0, status: 429, detail: 'too much at once' });
  await settle(2 * REOPEN_AFTER_MS);
  expect(onDoubt).not.toHaveBeenCalled();
  expect(streams.length).toBe(1);
  streams[0]?.send('snapshot', answer('rate', 1));
  await settle();
  expect(hub.series('a', chart, 'series').get().error).toBeNull();
});

it('fetches what a refused stream cannot bring', async () => {
  const hub = new LiveHub();
  const answers = fetch;
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) =>
    url.includes('/live') ? new Response('', { status: 503 }) : answers(url, init),
  );
  hub.follow('a', chart, 'series');
  await settle(200);
  expect(hub.health.get()).toMatchObject({ kind: 'reconnecting', status: 503 });
  expect(hub.series('a', chart, 'series').get().document).not.toBeNull();
});

it('doubts the definitions after the line was lost, and forgets the loss when nobody looks any more', async () => {
  const onDoubt = vi.fn();
  const hub = new LiveHub(onDoubt);
  const leave = hub.follow('a', chart, 'series');
  await settle();
  streams[0]?.send('snapshot', answer('rate', 1));
  await settle();
  expect(onDoubt).not.toHaveBeenCalled();
  streams[0]?.cut();
  await settle(1_000);
  streams[1]?.send('snapshot', answer('rate', 1));
  await settle();
  expect(onDoubt).toHaveBeenCalledTimes(1);
  streams[1]?.cut();
  await settle();
  expect(hub.health.get().kind).toBe('reconnecting');
  leave();
  await settle();
  expect(hub.health.get().kind).toBe('connecting');
});

it('gives its connections back when paused and returns with fresh figures', async () => {
  const hub = new LiveHub();
  hub.follow('cube', tile, 'total');
  hub.follow('cube', chart, 'series');
  hub.followIncidents();
  await settle();
  hub.pause();
  const before = fetched.length;
  await settle(120_000);
  expect(fetched.length).toBe(before);
  value = 9;
  hub.resume();
  await settle(100);
  expect(streams.length).toBe(4);
  expect(hub.series('cube', tile, 'total').get().document?.series[0]?.points[0]?.[1]).toBe(9);
});

it('says nothing of health while nothing on the page is live', async () => {
  const hub = new LiveHub();
  expect(hub.health.get().kind).toBe('idle');
  const leave = hub.follow('cube', chart, 'series');
  const leaveIncidents = hub.followIncidents();
  expect(hub.health.get().kind).toBe('connecting');
  await settle();
  for (const stream of streams) stream.send('snapshot', { ...answer('rate', 1), incidents: [] });
  await settle();
  expect(hub.health.get().kind).toBe('live');
  leave();
  leaveIncidents();
  // The next page begins at once: the badge does not go out in between.
  const leaveNext = hub.follow('cube', { ...chart, metric: 'next' }, 'series');
  await settle(IDLE_AFTER_MS);
  expect(hub.health.get().kind).not.toBe('idle');
  leaveNext();
  await settle(IDLE_AFTER_MS);
  expect(hub.health.get().kind).toBe('idle');
});

it('knows how far each cube has come, whichever of its series has told', async () => {
  const hub = new LiveHub();
  hub.follow('a', { ...chart, metric: 'a' }, 'series');
  hub.follow('b', { ...chart, metric: 'b' }, 'series');
  await settle();
  streams[0]?.send('snapshot', { ...answer('a', 1, 0), watermark: 5_000 });
  streams[0]?.send('snapshot', { ...answer('b', 1, 1), watermark: null });
  await settle();
  expect([...hub.watermarks.get()]).toEqual([
    ['a', 5_000],
    ['b', null],
  ]);
  streams[0]?.send('update', { ...answer('a', 1, 0), watermark: 4_000 });
  streams[0]?.send('update', { ...answer('b', 1, 1), watermark: 7_000 });
  await settle();
  expect([...hub.watermarks.get().values()]).toEqual([5_000, 7_000]);
});
