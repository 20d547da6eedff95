import { describe, expect, it } from 'vitest';
import { listed, matches, readList, writeList } from './search';
import { adviceOf, learningMs, precisionOf, stateOf } from './state';
import type { Monitor } from './types';

const NOW = Date.UTC(2026, 10, 30, 12);

function monitor(more: Partial<Monitor> = {}): Monitor {
  return {
    name: 'm',
    metric: 'authorization_rate',
    by: ['psp'],
    detect: { rate: { window: '960s' } },
    severity: 'warning',
    notify: ['on_call'],
    last_judged_at: new Date(NOW - 60_000).toISOString(),
    slices: 3,
    firing: 0,
    learning: false,
    error: null,
    feedback: { real: 0, false_alarms: 0, brier: null },
    ...more,
  };
}

const ago = (ms: number) => new Date(NOW - ms).toISOString();

describe('the state of a monitor', () => {
  it('is the most pressing one', () => {
    expect(stateOf(monitor(), NOW)).toBe('watching');
    expect(stateOf(monitor({ firing: 2 }), NOW)).toBe('firing');
    expect(stateOf(monitor({ firing: 2, error: 'x' }), NOW)).toBe('failing');
    expect(stateOf(monitor({ learning: true, last_judged_at: null }), NOW)).toBe('learning');
    expect(stateOf(monitor({ last_judged_at: null }), NOW)).toBe('waiting');
  });

  it('is idle when nothing is judged for longer than windows last', () => {
    const hourly = monitor({ detect: { threshold: { window: '3600s' } } });
    expect(stateOf(monitor({ last_judged_at: ago(40 * 60_000) }), NOW)).toBe('watching');
    expect(stateOf(monitor({ last_judged_at: ago(50 * 60_000) }), NOW)).toBe('idle');
    expect(stateOf({ ...hourly, last_judged_at: ago(2 * 3_600_000) }, NOW)).toBe('watching');
    expect(stateOf({ ...hourly, last_judged_at: ago(4 * 3_600_000) }, NOW)).toBe('idle');
  });

  it('comes with what to do', () => {
    const advice = (error: string) => adviceOf(monitor({ error }), 'failing');
    expect(advice('nothing is judged: `min_samples: 20` needs a metric that is a count ÷ a count')).toBe(
      'advice.samples',
    );
    expect(advice('left out 3 figures of p that are no share of a count, as …')).toBe('advice.share');
    expect(
      advice(
        'the buckets of metric `m` are 7 s long, which is no part of a day that counts could be compared by',
      ),
    ).toBe('advice.buckets');
    expect(advice('more than 5000 series')).toBe('advice.slices');
    expect(advice('disk I/O error')).toBe('advice.error');
    expect(adviceOf(monitor(), 'watching')).toBeNull();
    expect(adviceOf(monitor(), 'learning')).toBe('advice.learning');
  });

  it('says how much is learned from first', () => {
    expect(learningMs({ detect: { count: {} } })).toBe(2 * 86_400_000);
    expect(learningMs({ detect: { seasonal: { window: '300s' } } })).toBe(400 * 300_000);
    expect(learningMs({ detect: { seasonal: {} } })).toBe(400 * 300_000);
    expect(learningMs({ detect: { threshold: {} } })).toBe(0);
  });

  it('has a precision as soon as somebody judged', () => {
    expect(precisionOf({ real: 0, false_alarms: 0 })).toBeNull();
    expect(precisionOf({ real: 3, false_alarms: 1 })).toBe(0.75);
  });
});

describe('the list', () => {
  const all = [
    monitor({ name: 'b_ok' }),
    monitor({ name: 'a_firing', firing: 1, severity: 'critical' }),
    monitor({ name: 'c_learning', learning: true, detect: { count: {} } }),
    monitor({ name: 'd_failing', error: 'x', severity: 'info' }),
  ];
  const names = (search: Parameters<typeof listed>[1]) =>
    listed(all, search, NOW).rows.map((row) => row.monitor.name);

  it('has the most urgent first, or another order', () => {
    expect(names({})).toEqual(['d_failing', 'a_firing', 'c_learning', 'b_ok']);
    expect(names({ order: 'name' })).toEqual(['a_firing', 'b_ok', 'c_learning', 'd_failing']);
  });

  it('is filtered, and counts the states of what is left by the other filters', () => {
    expect(names({ state: 'firing' })).toEqual(['a_firing']);
    expect(names({ severity: 'info' })).toEqual(['d_failing']);
    expect(names({ detect: 'count' })).toEqual(['c_learning']);
    const { counts, total } = listed(all, { state: 'firing', q: '_' }, NOW);
    expect(total).toBe(4);
    expect(counts).toMatchObject({ firing: 1, failing: 1, learning: 1, watching: 1, idle: 0 });
  });

  it('finds by every word', () => {
    expect(matches(monitor(), 'authorization rate')).toBe(true);
    expect(matches(monitor(), 'PSP on_call')).toBe(true);
    expect(matches(monitor(), 'psp issuer')).toBe(false);
    expect(matches(monitor(), '')).toBe(true);
  });

  it('reads its address and drops the rest', () => {
    const search = { q: 'x', state: 'firing', severity: 'info', detect: 'rate', order: 'name' } as const;
    expect(readList(writeList(search))).toEqual(search);
    expect(readList({ state: 'burning', severity: 'x', detect: 'y', order: 'urgency', q: '' })).toEqual({});
  });
});
