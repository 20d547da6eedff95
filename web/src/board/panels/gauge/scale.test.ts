import { describe, expect, it } from 'vitest';
import { arcPath, gaugeScale } from './scale';

describe('a gauge', () => {
  it('goes from 0 to 1 for percentages, else to twice the objective', () => {
    expect(gaugeScale({ value: 0.9, objective: '0.92', unit: 'percent' })).toMatchObject({ from: 0, to: 1 });
    expect(gaugeScale({ value: 1, objective: 600, unit: 'ms' })).toMatchObject({ from: 0, to: 1200 });
    expect(gaugeScale({ value: 1, objective: -50, unit: 'EUR' })).toMatchObject({ from: -100, to: 0 });
    expect(gaugeScale({ value: 1, objective: 0, unit: 'count' })).toMatchObject({ from: 0, to: 1 });
  });

  it('keeps the ends that are given, unless they are no scale', () => {
    const given = gaugeScale({ value: 0.75, objective: '0.9', from: 0.5, to: '1', unit: 'percent' });
    expect(given).toMatchObject({ from: 0.5, to: 1, valueAt: 0.5, isBeyond: false });
    expect(given.objectiveAt).toBeCloseTo(0.8);
    const wrong = gaugeScale({ value: 1, objective: 1, from: 5, to: 2, unit: 'count' });
    expect(wrong.to).toBeGreaterThan(wrong.from);
  });

  it('tells the difference exactly, and on which side it is', () => {
    const money = gaugeScale({
      value: '100000000000000000.01',
      objective: '100000000000000000',
      unit: 'EUR',
    });
    expect(money).toMatchObject({ difference: '0.01', direction: 'above', isMet: true });
    expect(gaugeScale({ value: 0.93, objective: 0.92, unit: 'percent' }).difference).toBe('0.01');
    expect(gaugeScale({ value: '5', objective: 5, unit: 'count' })).toMatchObject({
      direction: 'at',
      isMet: true,
    });
  });

  it('is met above the objective, or below it where less is better', () => {
    expect(gaugeScale({ value: 410, objective: 600, good: 'down', unit: 'ms' }).isMet).toBe(true);
    expect(gaugeScale({ value: 610, objective: 600, good: 'down', unit: 'ms' }).isMet).toBe(false);
    expect(gaugeScale({ value: 0.91, objective: '0.92', good: 'up', unit: 'percent' }).isMet).toBe(false);
  });

  it('draws what lies beyond its ends at them, and says so', () => {
    expect(gaugeScale({ value: 5000, objective: 600, unit: 'ms' })).toMatchObject({
      valueAt: 1,
      isBeyond: true,
    });
    expect(gaugeScale({ value: null, objective: 600, unit: 'ms' })).toMatchObject({
      valueAt: null,
      difference: null,
      isMet: null,
    });
  });

  it('is a half circle from left to right', () => {
    expect(arcPath(0, 1, 80, { x: 100, y: 92 })).toBe('M20.00 92.00A80 80 0 0 1 180.00 92.00');
    expect(arcPath(0, 0.5, 80, { x: 100, y: 92 })).toBe('M20.00 92.00A80 80 0 0 1 100.00 12.00');
  });
});
