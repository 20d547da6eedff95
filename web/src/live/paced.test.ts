import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../api/client';
import { PACED_HEAL_MS, PACED_SLIDE_MS, PacedAnswer } from './paced';

let changes = 0;
let asked = 0;
let answer: (n: number) => Promise<number> = async (n) => n;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  changes = 0;
  asked = 0;
  answer = async (n) => n;
  return () => void vi.useRealTimers();
});

const paced = (paceMs = 5_000) =>
  new PacedAnswer<number>(
    () => {
      asked += 1;
      return answer(asked);
    },
    { paceMs, changes: () => changes },
  );
const settle = () => vi.advanceTimersByTimeAsync(0);

describe('an answer at a measured pace', () => {
  it('is asked for when it is seen, and not before', async () => {
    const one = paced();
    one.notice();
    expect(asked).toBe(0);
    one.see(true);
    await settle();
    expect(one.store.get()).toMatchObject({ data: 1, error: null });
    expect(one.store.get().receivedAtMs).not.toBeNull();
  });

  it('is asked for again only after a change, and not before its pace', async () => {
    const one = paced();
    one.see(true);
    await settle();
    one.notice();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked).toBe(1);
    changes += 1;
    one.notice();
    await settle();
    expect(asked).toBe(2);
    changes += 1;
    one.notice();
    await vi.advanceTimersByTimeAsync(4_999);
    expect(asked).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toBe(3);
  });

  it('hears of a change that came while it was being answered', async () => {
    const one = paced(1_000);
    let release = (_: number) => {};
    answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    one.see(true);
    changes += 1;
    one.notice();
    expect(asked).toBe(1);
    release(7);
    answer = async (n) => n;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toBe(2);
  });

  it('asks for nothing out of sight, and once when it is seen again', async () => {
    const one = paced();
    one.see(true);
    await settle();
    one.see(false);
    changes += 3;
    one.notice();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toBe(1);
    expect(one.store.get().data).toBe(1);
    one.see(true);
    await settle();
    expect(asked).toBe(2);
  });

  it('slides with time although nothing changes', async () => {
    const one = paced();
    one.see(true);
    await settle();
    await vi.advanceTimersByTimeAsync(PACED_SLIDE_MS);
    one.notice();
    await settle();
    expect(asked).toBe(2);
  });

  it('drops an answer that nobody waits for any more', async () => {
    const one = paced();
    let release = (_: number) => {};
    answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    one.see(true);
    one.see(false);
    release(9);
    await settle();
    expect(one.store.get().data).toBeNull();
    answer = async (n) => n;
    one.see(true);
    await settle();
    expect(one.store.get().data).toBe(2);
  });

  it('heals by itself from what passes, keeping what it has', async () => {
    const one = paced(100);
    one.see(true);
    await settle();
    answer = async () => {
      throw new ApiError(503, null, 'away');
    };
    changes += 1;
    await vi.advanceTimersByTimeAsync(100);
    one.notice();
    await settle();
    expect(one.store.get()).toMatchObject({ data: 1, error: { status: 503 } });
    answer = async (n) => n;
    await vi.advanceTimersByTimeAsync(PACED_HEAL_MS);
    expect(one.store.get()).toMatchObject({ data: 3, error: null });
  });

  it('does not repeat what is refused, unless it is told to', async () => {
    const one = paced(100);
    answer = async () => {
      throw new ApiError(422, null, 'too much');
    };
    one.see(true);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(asked).toBe(1);
    one.retry();
    await settle();
    expect(asked).toBe(2);
  });
});
