import { describe, expect, it } from 'vitest';
import type { Incident } from '../api/types';
import { markersFor } from '../charts/markers';
import { capIncidents, INCIDENTS_HELD_MAX, mergeIncidents, sortIncidents } from './incidents';

function incident(id: string, overrides: Partial<Incident> = {}): Incident {
  return {
    id,
    monitor: 'm',
    metric: 'authorization_rate',
    unit: 'percent',
    severity: 'critical',
    state: 'open',
    slice: {},
    opened_at: '2026-11-01T10:00:00Z',
    started_at: '2026-11-01T10:00:00Z',
    updated_at: '2026-11-01T10:00:00Z',
    resolved_at: null,
    value: 0.4,
    expected: 0.9,
    summary: '',
    timeline: [],
    ...overrides,
  };
}

describe('incidents', () => {
  it('replaces by id and never goes back in time', () => {
    const known = mergeIncidents(new Map(), [
      incident('a', { updated_at: '2026-11-01T10:05:00Z', state: 'acknowledged' }),
    ]);
    expect(mergeIncidents(known, [incident('a')]).get('a')?.state).toBe('acknowledged');
    const resolved = incident('a', { updated_at: '2026-11-01T10:06:00Z', state: 'resolved' });
    expect(mergeIncidents(known, [resolved]).get('a')?.state).toBe('resolved');
  });

  it('puts what is open and severe first and resolved last', () => {
    const sorted = sortIncidents([
      incident('resolved', { state: 'resolved' }),
      incident('warning', { severity: 'warning' }),
      incident('older'),
      incident('newer', { started_at: '2026-11-01T11:00:00Z' }),
    ]);
    expect(sorted.map(({ id }) => id)).toEqual(['newer', 'older', 'warning', 'resolved']);
  });

  it('holds a bounded number and lets go of resolved ones first', () => {
    const many = new Map<string, Incident>();
    for (let i = 0; i < INCIDENTS_HELD_MAX; i += 1)
      many.set(`r${i}`, incident(`r${i}`, { state: 'resolved' }));
    many.set('open', incident('open'));
    const held = capIncidents(many);
    expect(held.size).toBe(INCIDENTS_HELD_MAX);
    expect(held.has('open')).toBe(true);
  });

  it('marks a chart with the incidents of its metric that overlap its window', () => {
    const at = Date.parse('2026-11-01T10:00:00Z');
    const all = [
      incident('here'),
      incident('other', { metric: 'payment_volume' }),
      incident('before', { state: 'resolved', resolved_at: '2026-11-01T10:00:30Z' }),
    ];
    const markers = markersFor(all, 'authorization_rate', at + 60_000, at + 120_000);
    expect(markers.map(({ incident: { id } }) => id)).toEqual(['here']);
    expect(markers[0]?.endMs).toBe(at + 120_000);
  });
});
