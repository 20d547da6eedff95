import { describe, expect, it } from 'vitest';
import type { Point, SeriesDocument } from '../api/types';
import { mergePoints, mergeUpdate, pruneBefore, sliceKey } from './merge';

function document(overrides: Partial<SeriesDocument> = {}): SeriesDocument {
  return {
    metric: 'authorization_rate',
    unit: 'percent',
    from: 0,
    to: 100,
    step_ms: 10,
    by: ['psp'],
    watermark: 90,
    series: [
      {
        by: { psp: 'adyen' },
        points: [
          [80, 0.5],
          [90, 0.6],
        ],
      },
    ],
    truncated: false,
    ...overrides,
  };
}

describe('mergePoints', () => {
  it('replaces changed buckets, adds new ones and fills in late ones, in order', () => {
    const old: Point[] = [
      [10, 1],
      [30, 3],
    ];
    expect(
      mergePoints(old, [
        [40, 4],
        [20, 2],
        [30, '3.50'],
      ]),
    ).toEqual([
      [10, 1],
      [20, 2],
      [30, '3.50'],
      [40, 4],
    ]);
    expect(old).toEqual([
      [10, 1],
      [30, 3],
    ]);
  });

  it('lets the later of two changes of a bucket win', () => {
    expect(
      mergePoints(
        [[10, 1]],
        [
          [10, 2],
          [10, 3],
        ],
      ),
    ).toEqual([[10, 3]]);
  });

  it('equals replacing by key for random updates', () => {
    let seed = 42;
    const random = (n: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return seed % n;
    };
    for (let round = 0; round < 200; round += 1) {
      const old: Point[] = [...new Set(Array.from({ length: random(20) }, () => random(40) * 10))]
        .sort((a, b) => a - b)
        .map((at) => [at, at]);
      const changed: Point[] = Array.from({ length: random(10) }, (_, i) => [random(40) * 10, 1000 + i]);
      const expected = new Map(old);
      const stable = [...changed].sort((a, b) => a[0] - b[0]);
      for (const [at, value] of stable) expected.set(at, value);
      expect(mergePoints(old, changed), `round ${round}`).toEqual([...expected].sort((a, b) => a[0] - b[0]));
    }
  });
});

describe('mergeUpdate', () => {
  it('changes only what changed and slides the window', () => {
    const before = document({
      series: [
        {
          by: { psp: 'adyen' },
          points: [
            [0, 0.1],
            [10, 0.2],
            [90, 0.6],
          ],
        },
      ],
    });
    const after = mergeUpdate(
      before,
      document({
        from: 15,
        to: 115,
        watermark: 110,
        series: [{ by: { psp: 'adyen' }, points: [[110, 0.7]] }],
      }),
    );
    expect(after).toMatchObject({ from: 15, to: 115, watermark: 110 });
    expect(after.series[0]?.points).toEqual([
      [10, 0.2],
      [90, 0.6],
      [110, 0.7],
    ]);
  });

  it('keeps the window when a tail document with a later start comes', () => {
    const after = mergeUpdate(document(), document({ from: 80, to: 105, series: [] }));
    expect(after).toMatchObject({ from: 5, to: 105 });
  });

  it('keeps a slice that the update does not mention and adds a new one', () => {
    const after = mergeUpdate(
      document(),
      document({ series: [{ by: { psp: 'stripe' }, points: [[90, 0.9]] }] }),
    );
    expect(after.series.map(({ by }) => by.psp)).toEqual(['adyen', 'stripe']);
  });

  it('forgets a slice that has left the window', () => {
    const after = mergeUpdate(document(), document({ from: 900, to: 1000, series: [] }));
    expect(after.series).toEqual([]);
  });

  it('does not mix in an answer with another step or split', () => {
    const before = document();
    expect(mergeUpdate(before, document({ step_ms: 60 }))).toBe(before);
    expect(mergeUpdate(before, document({ by: ['method'] }))).toBe(before);
  });

  it('never moves the watermark back', () => {
    expect(mergeUpdate(document(), document({ watermark: 50 })).watermark).toBe(90);
    expect(mergeUpdate(document({ watermark: null }), document({ watermark: 50 })).watermark).toBe(50);
    expect(mergeUpdate(document(), document({ watermark: null })).watermark).toBe(90);
  });
});

describe('helpers', () => {
  it('identifies a slice whatever the order of its dimensions', () => {
    expect(sliceKey({ a: '1', b: '2' })).toBe(sliceKey({ b: '2', a: '1' }));
    expect(sliceKey({ a: '1","b' })).not.toBe(sliceKey({ a: '1', b: '' }));
    expect(sliceKey({ a: null })).not.toBe(sliceKey({ a: 'null' }));
  });

  it('keeps the bucket that reaches into the window', () => {
    expect(
      pruneBefore(
        [
          [0, 1],
          [10, 2],
          [20, 3],
        ],
        15,
        10,
      ),
    ).toEqual([
      [10, 2],
      [20, 3],
    ]);
    expect(pruneBefore([[0, 1]], 50, 10)).toEqual([]);
  });
});
