import { describe, expect, it } from 'vitest';
import type { IncidentExplanation } from '../api/types';
import { exampleIncident } from './example';
import { comparisonOf, isSame, windowMsOf } from './levels';

const MINUTE = 60_000;

function explained(values: Partial<IncidentExplanation>): IncidentExplanation {
  return {
    slice: {},
    from: '2026-11-22T14:00:00Z',
    to: '2026-11-22T14:10:00Z',
    compared_with: [],
    expected: null,
    value: null,
    parts: [],
    alternatives: [],
    mix: null,
    dimensions: [],
    dimensions_left_out: [],
    events_sql: null,
    ...values,
  };
}

describe('what a chart is compared with', () => {
  it('is the bound where there is one, and else what was expected', () => {
    const incident = exampleIncident({ bound: '0.80', expected: 0.9 });
    expect(comparisonOf(incident, 'rate', MINUTE, null)).toMatchObject({
      key: 'bound',
      value: '0.80',
      fromMs: null,
    });
    expect(comparisonOf(exampleIncident(), 'rate', MINUTE, null)).toMatchObject({
      key: 'expected',
      value: 0.88,
    });
    expect(comparisonOf(exampleIncident({ expected: null }), 'rate', MINUTE, null)).toBeNull();
  });

  it('holds for the bad time alone where it is only usual at such a time', () => {
    const incident = exampleIncident({ resolved_at: '2026-11-22T15:00:00Z' });
    expect(comparisonOf(incident, 'other', MINUTE, null)).toMatchObject({
      fromMs: Date.parse('2026-11-22T14:00:00Z'),
      toMs: Date.parse('2026-11-22T15:00:00Z'),
    });
  });

  it('of a sum is what falls to one step, and nothing where the time it is a sum of is not known', () => {
    const bound = exampleIncident({ bound: 600, expected: null });
    expect(comparisonOf(bound, 'count', MINUTE, null)).toBeNull();
    expect(comparisonOf(bound, 'count', MINUTE, 5 * MINUTE)).toMatchObject({ value: 120, isScaled: true });
    expect(comparisonOf(bound, 'count', MINUTE, MINUTE)).toMatchObject({ value: 600, isScaled: false });
    expect(comparisonOf(exampleIncident({ expected: 500 }), 'count', MINUTE, MINUTE)).toBeNull();
    const whole = exampleIncident({ slice: {}, explanation: explained({ expected: 5_000 }) });
    expect(comparisonOf(whole, 'amount', MINUTE, null)).toMatchObject({ value: 500, isScaled: true });
    const part = { share: 1, affected: 1, denominator: null, value: 1 };
    const own = exampleIncident({
      explanation: explained({
        expected: 9_000,
        parts: [{ ...part, slice: { issuer: 'bank_17', psp: 'adyen' }, expected: 300 }],
      }),
    });
    expect(comparisonOf(own, 'count', MINUTE, null)).toMatchObject({ value: 30 });
  });
});

it('knows slices whatever their order, and an absent value from an absent dimension', () => {
  expect(isSame({ a: '1', b: null }, { b: null, a: '1' })).toBe(true);
  expect(isSame({ a: null }, { b: null })).toBe(false);
  expect(isSame({}, { a: '1' })).toBe(false);
});

it('reads the window of a monitor as it is defined', () => {
  expect(windowMsOf({ threshold: { above: 1, window: '60s' } })).toBe(MINUTE);
  expect(windowMsOf({ threshold: { above: 1, window: '60s', over: '300s' } })).toBe(5 * MINUTE);
  for (const strange of [
    null,
    undefined,
    'x',
    {},
    { auto: {} },
    { threshold: null },
    { rate: { window: 'soon' } },
  ])
    expect(windowMsOf(strange)).toBeNull();
});
