import { expect, it } from 'vitest';
import type { Metric } from '../api/types';
import { findMetrics } from './names';

const made = (name: string, more: Partial<Metric> = {}): Metric => ({
  name,
  unit: 'count',
  of: 'payment_attempts',
  dimensions: ['psp'],
  bucket_ms: 10_000,
  kind: 'count',
  ...more,
});
const metrics = [
  made('declined_payments', { description: 'Attempts that were declined.' }),
  made('payment_volume', { unit: 'EUR' }),
  made('attempts'),
];
const names = (search: string) => findMetrics(metrics, search).map(({ name }) => name);

it('nothing finds all, in their order', () => {
  expect(names(' ')).toEqual(['declined_payments', 'payment_volume', 'attempts']);
});

it('a name that begins with the search comes first', () => {
  expect(names('attempts')).toEqual(['attempts', 'declined_payments', 'payment_volume']);
  expect(names('payment')).toEqual(['payment_volume', 'declined_payments', 'attempts']);
});

it('all words must be found, in any place', () => {
  expect(names('EUR volume')).toEqual(['payment_volume']);
  expect(names('payment_vol')).toEqual(['payment_volume']);
  expect(names('declined refunds')).toEqual([]);
});

it('a title in any language is searched as the name is', () => {
  const titled = [made('attempts'), made('decline_rate', { title: { en: 'Refusals', zh: '拒绝率' } })];
  expect(findMetrics(titled, '拒绝').map(({ name }) => name)).toEqual(['decline_rate']);
  expect(findMetrics(titled, 'refusal').map(({ name }) => name)).toEqual(['decline_rate']);
});
