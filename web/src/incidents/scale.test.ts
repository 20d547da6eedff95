import { describe, expect, it } from 'vitest';
import type { ExplainedPart } from '../api/types';
import { figuresBeside, place, restOf, rowScale, sharedDimensions, shareOfRest } from './scale';

const part = (slice: Record<string, string>, share: number, value = 1, expected = 2): ExplainedPart => ({
  slice,
  share,
  value,
  expected,
  affected: null,
  denominator: null,
});

describe('the scale of all rows', () => {
  it('holds every figure, and a share stays between 0 and 1', () => {
    const scale = rowScale([0.41, 0.99, null], 'percent', false);
    expect(scale.min).toBeLessThan(0.41);
    expect(scale.max).toBe(1);
    expect(place(0.41, scale)).toBeGreaterThan(0);
    expect(place(null, scale)).toBeNull();
  });

  it('of sums starts at nothing', () => {
    expect(rowScale(['120.50', 300], 'EUR', true).min).toBe(0);
    expect(rowScale([-20, 300], 'EUR', true).min).toBeLessThan(-20);
  });

  it('has a width even if all is the same, or nothing is known', () => {
    for (const figures of [[5, 5], [0], []]) {
      const { min, max } = rowScale(figures, null, false);
      expect(max).toBeGreaterThan(min);
    }
  });
});

describe('the rest', () => {
  it('is what the parts leave of the change', () => {
    expect(shareOfRest([part({ a: '1' }, 0.7), part({ a: '2' }, 0.1)])).toBeCloseTo(0.2);
    expect(shareOfRest([part({ a: '1' }, 1.2)])).toBeNull();
  });

  it('of a sum is the whole less the parts', () => {
    const explanation = { parts: [part({ a: '1' }, 1, 10, 40)], value: 100, expected: '131.10' };
    expect(restOf(explanation)).toEqual({ value: 90, expected: '91.10' });
    expect(restOf({ ...explanation, expected: null })).toBeNull();
  });
});

describe('slices beside the parts', () => {
  it('are those by the dimensions that all parts share', () => {
    expect(sharedDimensions([part({ b: '1', a: '2' }, 1), part({ a: '3', b: '4' }, 1)])).toEqual(['a', 'b']);
    expect(sharedDimensions([part({ a: '1' }, 1), part({ b: '1' }, 1)])).toEqual([]);
    expect(sharedDimensions([part({ a: '1', b: '2', c: '3' }, 1)])).toEqual([]);
    expect(sharedDimensions([])).toEqual([]);
  });

  it('do not hold the parts themselves, nor what has no figure', () => {
    const document = {
      metric: 'm',
      unit: null,
      from: 0,
      to: 1,
      step_ms: 1,
      by: ['a'],
      watermark: null,
      truncated: false,
      series: [
        { by: { a: '1' }, points: [[0, 0.4]] },
        { by: { a: '2' }, points: [[0, 0.9]] },
        { by: { a: '3' }, points: [[0, null]] },
      ] as { by: Record<string, string>; points: [number, number | null][] }[],
    };
    expect(figuresBeside(document, [part({ a: '1' }, 1)])).toEqual([0.9]);
    expect(figuresBeside(undefined, [])).toEqual([]);
  });
});
