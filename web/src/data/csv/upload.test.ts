import { describe, expect, it } from 'vitest';
import { ApiError } from '../../api/client';
import type { Answer, Part } from '../calls';
import type { Receipt } from '../documents';
import { CsvUpload, REJECTIONS_MAX } from './upload';

const reading = { delimiter: 'auto', header: 'auto' } as const;
const file = () => new File([`id,n\n${Array.from({ length: 20 }, (_, i) => `${i},x\n`).join('')}`], 'a.csv');
const rowsIn = (part: Part) => new TextDecoder().decode(part.body).trimEnd().split('\n').length - 1;
const taken = (receipt: Partial<Receipt>): Answer => ({
  kind: 'taken',
  receipt: { accepted: 0, duplicates: 0, rejected: 0, rejections: [], ...receipt },
});

function upload(answer: (part: Part, call: number) => Answer | Promise<Answer>, waits: number[] = []) {
  const parts: Part[] = [];
  const one = new CsvUpload({
    file: file(),
    stream: 'payments',
    reading,
    found: 'comma',
    partBytes: 30,
    send: async (part) => {
      parts.push(part);
      return answer(part, parts.length);
    },
    wait: async (ms) => {
      waits.push(ms);
    },
  });
  return { one, parts };
}

describe('CsvUpload', () => {
  it('sends all parts one after the other and adds their receipts up', async () => {
    const { one, parts } = upload((part) => taken({ accepted: rowsIn(part) }));
    await one.run();
    const state = one.store.get();
    expect(state).toMatchObject({ phase: 'done', accepted: 20, duplicates: 0, rejected: 0 });
    expect(state.bytesDone).toBe(one.file.size);
    expect(parts.length).toBeGreaterThan(3);
    expect(parts[0]?.contentType).toBe('text/csv; guess=comma');
    expect(parts[1]?.contentType).toBe('text/csv; guess=comma; first-row=repeated');
    expect(new Set(parts.map(({ key }) => key)).size).toBe(parts.length);
  });

  it('names the same content by the same key, so that a second time counts nothing', async () => {
    const first = upload((part) => taken({ accepted: rowsIn(part) }));
    const second = upload((part) => taken({ duplicates: rowsIn(part) }));
    await first.one.run();
    await second.one.run();
    expect(second.parts.map(({ key }) => key)).toEqual(first.parts.map(({ key }) => key));
    expect(second.one.store.get()).toMatchObject({ phase: 'done', duplicates: 20 });
  });

  it('tells rejected lines by their number in the file, and only so many', async () => {
    const { one } = upload((part) =>
      taken({
        accepted: rowsIn(part) - 1,
        rejected: 1,
        rejections: [{ line: 2, field: 'n', reason: 'bad' }],
      }),
    );
    await one.run();
    const { rejections, rejected } = one.store.get();
    // The second line of the file, then the first row of each part behind the first row of the file.
    expect(rejections[0]).toEqual({ line: 2, field: 'n', reason: 'bad' });
    const lines = rejections.map(({ line }) => line);
    expect(lines).toEqual([...lines].sort((a, b) => a - b));
    expect(new Set(lines).size).toBe(lines.length);
    expect(Math.max(...lines)).toBeLessThanOrEqual(21);
    expect(rejected).toBe(rejections.length);

    const many = upload(() =>
      taken({
        accepted: 1,
        rejected: 40,
        rejections: Array.from({ length: 40 }, (_, i) => ({ line: i + 1, reason: 'bad' })),
      }),
    );
    await many.one.run();
    expect(many.one.store.get().rejections).toHaveLength(REJECTIONS_MAX);
  });

  it('waits as long as a busy server says and sends the same again', async () => {
    const waits: number[] = [];
    const busy = new ApiError(429, null, 'too much');
    const { one, parts } = upload(
      (part, call) =>
        call === 2 ? { kind: 'busy', error: busy, retryAfterMs: 7_000 } : taken({ accepted: rowsIn(part) }),
      waits,
    );
    await one.run();
    expect(one.store.get()).toMatchObject({ phase: 'done', accepted: 20, error: null });
    expect(waits).toEqual([7_000]);
    expect(parts[2]?.key).toBe(parts[1]?.key);
  });

  it('gives up on a server that stays away, and goes on where it was when asked to', async () => {
    const waits: number[] = [];
    let isAway = true;
    const { one } = upload((part, call) => {
      if (call > 1 && isAway)
        return { kind: 'busy', error: new ApiError(0, null, 'gone'), retryAfterMs: null };
      return taken({ accepted: rowsIn(part) });
    }, waits);
    await one.run();
    const stopped = one.store.get();
    expect(stopped.phase).toBe('failed');
    expect(stopped.error?.message).toBe('gone');
    expect(waits.slice(0, 6)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
    isAway = false;
    await one.run();
    expect(one.store.get()).toMatchObject({ phase: 'done', accepted: 20 });
  });

  it('stops at once at a refusal', async () => {
    const { one, parts } = upload(() => {
      throw new ApiError(403, { detail: 'no' }, 'no');
    });
    await one.run();
    expect(one.store.get()).toMatchObject({ phase: 'failed', bytesDone: 0 });
    expect(parts).toHaveLength(1);
  });

  it('asks before it sends the rest when nothing of the first part was taken', async () => {
    const { one, parts } = upload((part) =>
      taken({ rejected: rowsIn(part), rejections: [{ line: 2, reason: 'these columns are missing' }] }),
    );
    await one.run();
    expect(one.store.get().phase).toBe('doubtful');
    expect(parts).toHaveLength(1);
    await one.run();
    expect(one.store.get()).toMatchObject({ phase: 'done', rejected: 20 });
  });

  it('ends when it is cancelled, also while it waits', async () => {
    const { one, parts } = upload((part, call) => {
      if (call === 2) one.cancel();
      return taken({ accepted: rowsIn(part) });
    });
    await one.run();
    expect(one.store.get().phase).toBe('cancelled');
    expect(parts).toHaveLength(2);
    await one.run();
    expect(parts).toHaveLength(2);

    const waiting = new CsvUpload({
      file: file(),
      stream: 'payments',
      reading,
      found: null,
      send: async () => ({ kind: 'busy', error: new ApiError(503, null, 'x'), retryAfterMs: 60_000 }),
    });
    const running = waiting.run();
    await new Promise<void>((resolve) => {
      waiting.store.subscribe(() => waiting.store.get().phase === 'waiting' && resolve());
    });
    waiting.cancel();
    await running;
    expect(waiting.store.get().phase).toBe('cancelled');
  });
});
