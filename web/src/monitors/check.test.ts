import { describe, expect, it } from 'vitest';
import type { Metric } from '../api/types';
import { draftFaults, faultsByField, fieldOf, isTestable, meantBy } from './check';
import { type Draft, emptyDraft } from './draft';

const metric = { name: 'rate', dimensions: ['psp'], kind: 'rate' } as unknown as Metric;
const metrics = new Map([['rate', metric]]);
const none = new Set<string>();

function draft(more: Partial<Draft>): Draft {
  return { ...emptyDraft, name: 'drop', metric: 'rate', ...more };
}

const found = (more: Partial<Draft>, taken = none) =>
  draftFaults(draft(more), metrics, taken).map(({ field, key }) => `${field}: ${key}`);

describe('what the form finds by itself', () => {
  it('is nothing where all is well', () => {
    expect(found({})).toEqual([]);
    expect(found({ detector: 'threshold', settings: { above: '-1.5e3', window: '5m' }, for: '2m' })).toEqual(
      [],
    );
  });

  it('is what the server would refuse to read', () => {
    expect(found({ name: 'Drop it' })).toEqual(['name: fault.name']);
    expect(found({}, new Set(['drop']))).toEqual(['name: fault.taken']);
    expect(found({ metric: '' })).toEqual(['metric: fault.metric']);
    expect(found({ metric: 'gone' })).toEqual(['metric: fault.metric']);
    expect(
      found({ detector: 'rate', settings: { window: '5', min_samples: '1.5', min_change: 'much' } }),
    ).toEqual([
      'settings.min_samples: fault.whole',
      'settings.min_change: fault.number',
      'settings.window: fault.duration',
    ]);
    expect(found({ detector: 'threshold' })).toEqual(['settings.above: fault.bound']);
    expect(found({ for: 'soon', resolve_after: '1', over: '5 m' })).toEqual([
      'over: fault.duration',
      'for: fault.duration',
      'resolve_after: fault.duration',
    ]);
  });

  it('looks only at settings that the detector has', () => {
    expect(found({ detector: 'auto', settings: { window: 'x', above: 'y' } })).toEqual([]);
  });

  it('does not hold up a test for a name', () => {
    expect(isTestable(draftFaults(draft({ name: '' }), metrics, none))).toBe(true);
    expect(isTestable(draftFaults(draft({ metric: '' }), metrics, none))).toBe(false);
  });
});

describe('faults of the server', () => {
  const rate = draft({ detector: 'rate' });

  it.each([
    ['monitor', 'general'],
    ['monitor.metric', 'metric'],
    ['monitor.by', 'by'],
    ['monitor.by.1', 'by'],
    ['monitor.notify.0', 'notify'],
    ['monitor.detect', 'detect'],
    ['monitor.detect.rate', 'detect'],
    ['monitor.detect.rate.window', 'settings.window'],
    ['monitor.detect.rate.windw', 'detect'],
    ['monitor.for', 'for'],
    ['monitor.over', 'over'],
    ['monitor.name', 'general'],
    ['elsewhere.by', 'general'],
  ])('%s stands at %s', (path, field) => {
    expect(fieldOf(path, rate)).toBe(field);
  });

  it('are gathered by their control', () => {
    const faults = [
      { path: 'monitor.by.0', message: 'a' },
      { path: 'monitor.by.1', message: 'b' },
      { path: 'monitor.metric', message: 'c', suggestion: "did you mean 'rate'?" },
    ];
    const by = faultsByField(faults, rate);
    expect(by.get('by')).toHaveLength(2);
    expect(meantBy(by.get('metric')?.[0]?.suggestion)).toBe('rate');
    expect(meantBy('use 60s or 120s')).toBeNull();
    expect(meantBy(undefined)).toBeNull();
  });
});
