import { describe, expect, it } from 'vitest';
import { instantOf, labelBetween } from './localTime';
import { isSpan, spanFrom } from './span';
import { linePath, midnights, placed } from './strip';

const stretch = (startMs: number, endMs: number) => ({ startMs, endMs });

describe('the strip', () => {
  it('puts what overlaps on lines of its own', () => {
    const bars = placed([stretch(500, 700), stretch(0, 100), stretch(50, 300), stretch(400, 600)], 0, 1_000);
    expect(bars.map(({ left, line }) => [left, line])).toEqual([
      [0, 0],
      [0.05, 1],
      [0.4, 0],
      [0.5, 1],
    ]);
  });

  it('keeps everything within the time, and wide enough to be seen', () => {
    const bars = placed([stretch(-500, 10), stretch(1_000, 1_000), stretch(990, 5_000)], 0, 1_000);
    for (const { left, width } of bars) {
      expect(left).toBeGreaterThanOrEqual(0);
      expect(left + width).toBeLessThanOrEqual(1 + 1e-9);
      expect(width).toBeGreaterThanOrEqual(0.004);
    }
  });

  it('has a bounded number of lines however much happens at a time', () => {
    const bars = placed(
      Array.from({ length: 100 }, () => stretch(100, 900)),
      0,
      1_000,
    );
    expect(Math.max(...bars.map(({ line }) => line))).toBeLessThan(5);
  });
});

describe('midnights', () => {
  const day = 86_400_000;

  it('are those of the zone, also when clocks change', () => {
    const from = Date.UTC(2026, 9, 23, 12);
    const found = midnights(from, from + 4 * day, 'Europe/Berlin').map((at) => new Date(at).toISOString());
    expect(found).toEqual([
      '2026-10-23T22:00:00.000Z',
      '2026-10-24T22:00:00.000Z',
      '2026-10-25T23:00:00.000Z',
      '2026-10-26T23:00:00.000Z',
    ]);
    expect(midnights(0, 2 * day, 'UTC')).toEqual([0, day, 2 * day]);
  });

  it('are as many as have room', () => {
    for (const days of [7, 14, 28, 56, 91]) {
      const found = midnights(0, days * day, 'Asia/Shanghai');
      expect(found.length).toBeGreaterThan(3);
      expect(found.length).toBeLessThanOrEqual(10);
    }
  });
});

describe('the line', () => {
  it('fills its box and stops where there is no value', () => {
    const points = [
      [0, 1],
      [50, 3],
      [60, null],
      [100, 2],
    ] as const;
    expect(linePath(points, 0, 100, 100, 10)).toBe('M0.0 10.0L50.0 0.0M100.0 5.0');
    expect(linePath([[0, null]], 0, 100, 100, 10)).toBe('');
    expect(linePath([[0, 7]], 0, 100, 100, 10)).toBe('M0.0 5.0');
  });
});

describe('the time to test', () => {
  it('is counted back from where events end, in whole hours', () => {
    const now = Date.UTC(2026, 10, 30, 12, 34);
    expect(spanFrom('14d', null, now)).toBeUndefined();
    expect(spanFrom('7d', null, now)).toBe('2026-11-23T12:00:00.000Z');
    expect(spanFrom('7d', Date.UTC(2020, 0, 8, 0, 59), now)).toBe('2020-01-01T00:00:00.000Z');
    expect(spanFrom('7d', now + 86_400_000, now)).toBe('2026-11-23T12:00:00.000Z');
    expect(isSpan('28d')).toBe(true);
    expect(isSpan('29d')).toBe(false);
  });
});

describe('a time that somebody enters', () => {
  const iso = (text: string, zone: string) => {
    const at = instantOf(text, zone);
    return at === null ? null : new Date(at).toISOString();
  };

  it('is one of the reader\u2019s zone', () => {
    expect(iso('2026-11-30T14:00', 'UTC')).toBe('2026-11-30T14:00:00.000Z');
    expect(iso('2026-11-30T14:00', 'Europe/Berlin')).toBe('2026-11-30T13:00:00.000Z');
    expect(iso('2026-07-01T14:00:30', 'America/New_York')).toBe('2026-07-01T18:00:30.000Z');
    // The night in which clocks are put back.
    expect(iso('2026-10-25T00:30', 'Europe/Berlin')).toBe('2026-10-24T22:30:00.000Z');
    expect(iso('2026-10-25T04:30', 'Europe/Berlin')).toBe('2026-10-25T03:30:00.000Z');
    expect(iso('', 'UTC')).toBeNull();
    expect(iso('2026-13-30T14:00', 'UTC')).toBeNull();
  });

  it('makes a label of the slices that are named', () => {
    expect(labelBetween(0, 60_000, { psp: ' adyen ', issuer: '', gone: 'x' }, ['psp', 'issuer'])).toEqual({
      from: '1970-01-01T00:00:00.000Z',
      to: '1970-01-01T00:01:00.000Z',
      where: { psp: 'adyen' },
      verdict: 'real',
    });
    expect(labelBetween(60_000, 60_000, {}, [])).toBeNull();
    expect(labelBetween(null, 60_000, {}, [])).toBeNull();
  });
});
