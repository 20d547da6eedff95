import { expect, it } from 'vitest';
import { concerns } from './anomalies';

const incident = (slice: Record<string, string>) => ({ metric: 'rate', slice });

it('an incident of another metric is none of this one', () => {
  expect(concerns(incident({}), 'volume', {}, [])).toBe(false);
});

it('an incident of all traffic is about every slice', () => {
  expect(concerns(incident({}), 'rate', { psp: ['adyen'] }, [{ method: 'card' }])).toBe(true);
});

it('a filter leaves out incidents of other values, and keeps those of other dimensions', () => {
  expect(concerns(incident({ psp: 'stripe' }), 'rate', { psp: ['adyen'] }, [])).toBe(false);
  expect(concerns(incident({ psp: 'stripe' }), 'rate', { psp: ['adyen', 'stripe'] }, [])).toBe(true);
  expect(concerns(incident({ method: 'card' }), 'rate', { psp: ['adyen'] }, [])).toBe(true);
});

it('slices that are drawn alone have their own', () => {
  const only = [
    { psp: 'adyen', method: 'card' },
    { psp: 'stripe', method: null },
  ];
  expect(concerns(incident({ psp: 'adyen' }), 'rate', {}, only)).toBe(true);
  expect(concerns(incident({ psp: 'adyen', method: 'paypal' }), 'rate', {}, only)).toBe(false);
  expect(concerns(incident({ psp: 'stripe', method: '' }), 'rate', {}, only)).toBe(true);
});
