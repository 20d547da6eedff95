import { describe, expect, it } from 'vitest';
import { livePath, seriesPath } from '../api/paths';
import {
  apiDuration,
  rangeMs,
  ranges,
  stepFor,
  WEEK_MS,
  weekBeforeCompared,
  wholeStep,
  windowOf,
} from './range';
import { readSearch, readSplits, writeSplits } from './search';

describe('the URL', () => {
  it('keeps what it understands and drops the rest', () => {
    expect(readSearch({ range: '6h', by: 'm.psp', evil: '<script>' })).toEqual({ range: '6h', by: 'm.psp' });
    expect(readSearch({ range: '5y', by: 7 })).toEqual({});
    expect(readSearch({ range: ['1h'] })).toEqual({});
    expect(readSearch({ forecast: 'on' })).toEqual({ forecast: 'on' });
    expect(readSearch({ forecast: 'maybe' })).toEqual({});
  });

  it('writes splits so that they read the same', () => {
    const splits = new Map([
      ['authorization_rate', 'psp'],
      ['payment_volume', 'method'],
    ]);
    expect(readSplits(writeSplits(splits))).toEqual(splits);
    expect(readSplits('nonsense,.x,y.,')).toEqual(new Map());
    expect(writeSplits(new Map())).toBeUndefined();
  });
});

describe('ranges', () => {
  it('compares with the same elapsed window a week before', () => {
    expect(windowOf('1h')).toEqual({ from: '-1h', to: 'now' });
    expect(windowOf('1h', 1)).toEqual({ from: '-169h', to: '-7d' });
    expect(windowOf('7d', 1)).toEqual({ from: '-14d', to: '-7d' });
    expect(windowOf('15m', 1)).toEqual({ from: '-10095m', to: '-7d' });
    expect(10_095 * 60_000).toBe(WEEK_MS + rangeMs('15m'));
  });

  it('asks for whole buckets, as many as a panel can show', () => {
    for (const range of ranges) {
      for (const bucket of [1_000, 10_000, 60_000, 7_000, 86_400_000]) {
        for (const [kind, most] of [
          ['count', 180],
          ['rate', 30],
        ] as const) {
          const step = stepFor(range, { bucket_ms: bucket, kind });
          expect(step % bucket, `${range} of ${bucket}`).toBe(0);
          expect(rangeMs(range) / step).toBeLessThanOrEqual(most);
        }
      }
    }
    expect(stepFor('1h', { bucket_ms: 10_000, kind: 'amount' })).toBe(30_000);
    expect(wholeStep('1h', 10_000)).toBe(3_600_000);
    expect(wholeStep('1h', 86_400_000)).toBe(86_400_000);
    expect(apiDuration(90_000)).toBe('90s');
    expect(apiDuration(120_000)).toBe('2m');
  });
});

describe('steps of rates, quantiles and averages', () => {
  it('hold enough events to be a figure', () => {
    for (const range of ranges) {
      for (const kind of ['rate', 'other'] as const) {
        const points = rangeMs(range) / stepFor(range, { bucket_ms: 10_000, kind });
        expect(points, `${range} ${kind}`).toBeGreaterThanOrEqual(24);
        expect(points, `${range} ${kind}`).toBeLessThanOrEqual(30);
      }
    }
  });
});

describe('the week before the compared window', () => {
  it('ends where that window begins and is one step long', () => {
    expect(weekBeforeCompared('1h', 10_000)).toEqual({ from: '-337h', to: '-169h', step: '7d' });
    expect(weekBeforeCompared('7d', 300_000)).toEqual({ from: '-21d', to: '-14d', step: '7d' });
  });
});

describe('paths', () => {
  const query = {
    metric: 'a/b',
    from: '-1h',
    to: 'now',
    step: '30s',
    by: ['psp'],
    where: { psp: 'a&b=c:d', method: 'x' },
    limit: 8,
  };

  it('escape what comes from definitions', () => {
    const url = new URL(seriesPath(query), 'http://x');
    expect(url.pathname).toBe('/v1/metrics/a%2Fb');
    expect(url.searchParams.getAll('where')).toEqual(['method:x', 'psp:a&b=c:d']);
    expect(url.searchParams.getAll('by')).toEqual(['psp']);
  });

  it('put several questions into one, so that each can be taken out whole', () => {
    const url = new URL(livePath([query, { ...query, metric: 'other', by: [] }]), 'http://x');
    expect(url.pathname).toBe('/v1/live');
    const [first, second] = url.searchParams.getAll('q').map((text) => text.split('?'));
    expect(first?.[0]).toBe('a/b');
    expect(new URLSearchParams(first?.[1]).getAll('where')).toEqual(['method:x', 'psp:a&b=c:d']);
    expect(second?.[0]).toBe('other');
    expect(new URLSearchParams(second?.[1]).get('by')).toBeNull();
  });
});
