import { describe, expect, it } from 'vitest';
import type { Metric } from '../api/types';
import { readList, writeList } from '../state/lists';
import { type ExploreState, readState, stateFor, writeState } from './state';

const metric: Metric = {
  name: 'authorization_rate',
  unit: 'percent',
  of: 'payment_attempts',
  dimensions: ['psp', 'method'],
  bucket_ms: 10_000,
  kind: 'rate',
};

describe('lists in an address', () => {
  it.each([
    [['adyen']],
    [['adyen', 'stripe']],
    [['']],
    [['', 'a']],
    [['a,b', 'c\\d', '\\-', '-']],
    [[null]],
    [['a', null, '']],
  ])('keep %j', (values) => {
    expect(readList(writeList(values))).toEqual(values);
  });

  it('end with a backslash that escapes nothing', () => {
    expect(readList('a\\')).toEqual(['a']);
  });
});

describe('the state of the page', () => {
  it('is short where it says what holds anyway', () => {
    expect(writeState(readState({ metric: 'm', range: '1h', sort: '-value' }))).toEqual({ metric: 'm' });
  });

  it('comes back whole from its own address', () => {
    const state: ExploreState = {
      metric: 'authorization_rate',
      span: { kind: 'fixed', fromMs: Date.UTC(2026, 10, 30, 14), toMs: Date.UTC(2026, 10, 30, 15, 0, 10) },
      stepMs: 90_000,
      by: ['psp', 'method'],
      where: { country: ['DE', ''], issuer: ['a,b'] },
      compare: 'week',
      forecast: true,
      drawing: 'bars',
      only: [
        ['adyen', null],
        ['a,b', 'card'],
      ],
      sort: { key: 'change', isDown: false },
      exact: true,
    };
    const address = new URLSearchParams(writeState(state)).toString();
    expect(readState(Object.fromEntries(new URLSearchParams(address)))).toEqual(state);
  });

  it('drops what it does not understand', () => {
    const state = readState({
      range: '3h',
      step: '1w',
      by: ',,psp,psp,method,issuer',
      compare: 'year',
      chart: 'pie',
      sort: '-colour',
      only: 'a,b,c',
      forecast: 'yes',
      'where.': 'x',
      other: 'x',
    });
    expect(writeState(state)).toEqual({ by: 'psp,method' });
  });

  it.each([
    [{ from: '2026-11-30T15:00:00Z', to: '2026-11-30T14:00:00Z' }],
    [{ from: '2026-11-30T15:00:00Z' }],
    [{ from: 'yesterday', to: '2026-11-30T14:00:00Z' }],
    [{ from: '-1', to: '5' }],
  ])('has no time of %j', (raw) => {
    expect(readState({ ...raw, range: '6h' }).span).toEqual({ kind: 'last', range: '6h' });
  });

  it('takes epoch milliseconds as a time', () => {
    expect(readState({ from: '1790000000000', to: '1790000060000' }).span).toEqual({
      kind: 'fixed',
      fromMs: 1_790_000_000_000,
      toMs: 1_790_000_060_000,
    });
  });

  it('keeps of another metric only what this one has', () => {
    const state = readState({
      metric: 'authorization_rate',
      by: 'issuer,psp',
      only: 'bank,adyen',
      'where.method': 'card',
      'where.issuer': 'bank',
      step: '15s',
    });
    expect(writeState(stateFor(state, metric))).toEqual({
      metric: 'authorization_rate',
      by: 'psp',
      'where.method': 'card',
    });
  });
});
