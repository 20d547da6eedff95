import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { SeriesQuery } from './paths';
import { getSeries, SERIES_PER_CALL_MAX } from './series';

const query = (metric: string): SeriesQuery => ({
  metric,
  from: '-1h',
  to: 'now',
  step: '1m',
  by: [],
  where: {},
});

let fetched: { url: URL; signal: AbortSignal | null | undefined }[];
let respond: (url: URL) => Response | Promise<Response>;

beforeEach(() => {
  vi.useFakeTimers();
  fetched = [];
  respond = (url) => {
    const asked = url.searchParams.getAll('q').map((text) => text.split('?')[0]);
    const answer = (metric: string | undefined) =>
      metric === 'gone' ? { status: 404, title: 'No such metric', detail: 'gone' } : { metric, series: [] };
    const alone = url.pathname.split('/').at(-1);
    return Response.json(url.pathname === '/v1/series' ? { answers: asked.map(answer) } : answer(alone));
  };
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    const url = new URL(path, 'http://x');
    fetched.push({ url, signal: init.signal });
    return respond(url);
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('puts what is asked for at one time into one call, and gives each its own answer', async () => {
  const asked = ['a', 'b', 'gone', 'c'].map((metric) => getSeries(query(metric), 'present'));
  const settled = Promise.allSettled(asked);
  await vi.advanceTimersByTimeAsync(1);
  const answers = await settled;
  expect(fetched.map(({ url }) => url.pathname)).toEqual(['/v1/series']);
  expect(fetched[0]?.url.searchParams.getAll('q')[0]).toBe('a?from=-1h&to=now&step=1m');
  expect(answers.map((one) => (one.status === 'fulfilled' ? one.value.metric : one.reason.status))).toEqual([
    'a',
    'b',
    404,
    'c',
  ]);
});

it('asks for one by its own address, and for the past apart from the present', async () => {
  const asked = [getSeries(query('a'), 'present'), getSeries(query('b'), 'past')];
  await vi.advanceTimersByTimeAsync(1);
  await Promise.all(asked);
  expect(fetched.map(({ url }) => url.pathname)).toEqual(['/v1/metrics/a', '/v1/metrics/b']);
});

it('makes as many calls as the questions need', async () => {
  const names = Array.from({ length: SERIES_PER_CALL_MAX + 2 }, (_, at) => `m${at}`);
  const asked = names.map((metric) => getSeries(query(metric), 'present'));
  await vi.advanceTimersByTimeAsync(1);
  const answers = await Promise.all(asked);
  expect(answers.map(({ metric }) => metric)).toEqual(names);
  expect(fetched.map(({ url }) => url.searchParams.getAll('q').length)).toEqual([SERIES_PER_CALL_MAX, 2]);
});

it('fails all when the call does', async () => {
  respond = () => Response.json({ status: 503, detail: 'recovering' }, { status: 503 });
  const asked = Promise.allSettled(['a', 'b'].map((metric) => getSeries(query(metric), 'present')));
  await vi.advanceTimersByTimeAsync(1);
  for (const one of await asked) expect(one).toMatchObject({ status: 'rejected', reason: { status: 503 } });
});

it('asks alone for what the call has no time or room for', async () => {
  const whole = respond;
  respond = (url) =>
    url.pathname === '/v1/series'
      ? Response.json({ answers: [{ metric: 'a', series: [] }, { status: 504 }, { status: 422 }] })
      : whole(url);
  const asked = Promise.all(['a', 'b', 'c'].map((metric) => getSeries(query(metric), 'present')));
  await vi.advanceTimersByTimeAsync(1);
  expect((await asked).map(({ metric }) => metric)).toEqual(['a', 'b', 'c']);
  expect(fetched.map(({ url }) => url.pathname)).toEqual(['/v1/series', '/v1/metrics/b', '/v1/metrics/c']);
});

it('asks one by one where the server takes fewer questions in a call', async () => {
  const whole = respond;
  respond = (url) =>
    url.pathname === '/v1/series'
      ? Response.json({ status: 400, detail: 'Give 1 to 1' }, { status: 400 })
      : whole(url);
  const asked = Promise.all(['a', 'b'].map((metric) => getSeries(query(metric), 'present')));
  await vi.advanceTimersByTimeAsync(1);
  expect((await asked).map(({ metric }) => metric)).toEqual(['a', 'b']);
  expect(fetched.map(({ url }) => url.pathname)).toEqual(['/v1/series', '/v1/metrics/a', '/v1/metrics/b']);
});

it('lets one go without the others, and gives the call up with the last', async () => {
  respond = () => new Promise(() => {});
  const [one, other, early] = [new AbortController(), new AbortController(), new AbortController()];
  const asked = Promise.allSettled(
    [one, other, early].map(({ signal }) => getSeries(query('a'), 'present', signal)),
  );
  early.abort(new Error('early'));
  await vi.advanceTimersByTimeAsync(1);
  expect(fetched[0]?.url.searchParams.getAll('q').length).toBe(2);
  one.abort(new Error('one'));
  expect(fetched[0]?.signal?.aborted).toBe(false);
  other.abort(new Error('other'));
  expect(fetched[0]?.signal?.aborted).toBe(true);
  const reasons = (await asked).map((each) => each.status === 'rejected' && String(each.reason));
  expect(reasons).toEqual(['Error: one', 'Error: other', 'Error: early']);
});
