import { expect, it } from 'vitest';
import type { Metric } from '../api/types';
import { inWords, isWritten, keepTitles, titleStore } from './titles';

const made = (name: string, title?: Metric['title']): Metric => ({
  name,
  unit: 'count',
  of: 'payments',
  dimensions: [],
  bucket_ms: 10_000,
  kind: 'count',
  ...(title && { title }),
});

it('a name is written as words', () => {
  expect(inWords('latency_p95')).toBe('Latency p95');
});

it('what the server calls a panel without a title was written by nobody', () => {
  expect(isWritten({ en: 'Payment volume' }, 'payment_volume')).toBe(false);
  expect(isWritten({ en: 'payment_volume' }, 'payment_volume')).toBe(false);
  expect(isWritten(undefined, 'payment_volume')).toBe(false);
  expect(isWritten({ en: 'Payment volume', zh: '成交额' }, 'payment_volume')).toBe(true);
  expect(isWritten({ en: 'Turnover' }, 'payment_volume')).toBe(true);
});

it('titles are told on when they change, and not at every answer', () => {
  let told = 0;
  const leave = titleStore.subscribe(() => {
    told += 1;
  });
  const metrics = [made('payments', { en: 'Payments', zh: '支付' }), made('refunds')];
  keepTitles(metrics);
  keepTitles(metrics);
  expect(told).toBe(1);
  expect([...titleStore.get().keys()]).toEqual(['payments']);
  keepTitles([made('payments')]);
  expect(told).toBe(2);
  expect(titleStore.get().size).toBe(0);
  leave();
});
