import type { Incident } from '../api/types';

/** An incident for tests. */
export function exampleIncident(values: Partial<Incident> = {}): Incident {
  return {
    id: 'inc_1',
    monitor: 'authorization_drop',
    metric: 'authorization_rate',
    unit: 'percent',
    severity: 'critical',
    state: 'open',
    slice: { psp: 'adyen', issuer: 'bank_17' },
    opened_at: '2026-11-22T14:04:00Z',
    started_at: '2026-11-22T14:00:00Z',
    updated_at: '2026-11-22T14:10:00Z',
    resolved_at: null,
    value: 0.41,
    expected: 0.88,
    summary: 'authorization_rate on psp=adyen fell to 41 %, expected 88 %',
    timeline: [{ at: '2026-11-22T14:04:00Z', kind: 'opened', text: '41 % of 92' }],
    ...values,
  };
}
