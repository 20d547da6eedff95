// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { accessStore, isSendable, keepToken, signOut } from './access';
import { getJson } from './client';

const sent: (string | null)[] = [];

/** A server that knows one token. */
function serve(right: string, delayMs: () => number = () => 0) {
  vi.stubGlobal('fetch', async (_path: string, init: RequestInit) => {
    const header = new Headers(init.headers).get('authorization');
    sent.push(header);
    const wait = delayMs();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    if (header === `Bearer ${right}`) return Response.json({});
    return Response.json({ status: 401, title: 'no' }, { status: 401 });
  });
}

beforeEach(() => {
  sent.length = 0;
  keepToken('');
  accessStore.set('granted');
});
afterEach(() => void vi.unstubAllGlobals());

it('tells a missing token from a wrong one, and sends the right one everywhere', async () => {
  serve('right');
  await expect(getJson('/v1/boards')).rejects.toMatchObject({ status: 401 });
  expect(accessStore.get()).toBe('missing');
  keepToken('false');
  await expect(getJson('/v1/boards')).rejects.toMatchObject({ status: 401 });
  expect(accessStore.get()).toBe('wrong');
  expect(sessionStorage.getItem('tillwatch.token')).toBeNull();
  await expect(getJson('/v1/metrics')).rejects.toMatchObject({ status: 401 });
  expect(accessStore.get()).toBe('wrong');
  keepToken('right');
  await getJson('/v1/boards');
  expect(accessStore.get()).toBe('granted');
  expect(sessionStorage.getItem('tillwatch.token')).toBe('right');
  expect(sent).toEqual([null, 'Bearer false', null, 'Bearer right']);
});

it('takes no answer to an older token for one to the present', async () => {
  const waits = [20, 0];
  serve('right', () => waits.shift() ?? 0);
  const late = getJson('/v1/boards');
  keepToken('right');
  await getJson('/v1/boards');
  await expect(late).rejects.toMatchObject({ status: 401 });
  expect(accessStore.get()).toBe('granted');
  expect(sessionStorage.getItem('tillwatch.token')).toBe('right');
});

it('sends only what a header can carry', () => {
  expect(['abc-123_~', 'a b', 'ключ', ''].map(isSendable)).toEqual([true, false, false, false]);
});

it('tells an expired and a revoked token from one that never was', async () => {
  for (const kind of ['expired', 'revoked'] as const) {
    vi.stubGlobal('fetch', async () =>
      Response.json({ type: `https://tillwatch.dev/problems/token-${kind}` }, { status: 401 }),
    );
    accessStore.set('granted');
    keepToken('old');
    await expect(getJson('/v1/boards')).rejects.toMatchObject({ status: 401 });
    expect(accessStore.get()).toBe(kind);
    expect(sessionStorage.getItem('tillwatch.token')).toBeNull();
    // What was under way without a token does not unsay it.
    await expect(getJson('/v1/metrics')).rejects.toMatchObject({ status: 401 });
    expect(accessStore.get()).toBe(kind);
  }
});

it('forgets the token of who signs out', async () => {
  serve('right');
  keepToken('right');
  await getJson('/v1/boards');
  signOut();
  expect(accessStore.get()).toBe('missing');
  expect(sessionStorage.getItem('tillwatch.token')).toBeNull();
  await expect(getJson('/v1/boards')).rejects.toMatchObject({ status: 401 });
  expect(sent.at(-1)).toBeNull();
});
