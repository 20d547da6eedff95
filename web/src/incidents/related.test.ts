import { expect, it } from 'vitest';
import { exampleIncident } from './example';
import { isLonely, relatedTo } from './related';

const at = (minute: number) => `2026-11-22T13:${String(minute).padStart(2, '0')}:00Z`;

it('tells every related incident once, the newest first', () => {
  const incident = exampleIncident({ id: 'x', part_of: 'leader', parts: ['p1', 'gone'] });
  const all = [
    incident,
    exampleIncident({ id: 'leader', monitor: 'other', slice: { psp: 'adyen' } }),
    exampleIncident({ id: 'p1', monitor: 'errors', slice: { psp: 'adyen' } }),
    exampleIncident({ id: 'p2', monitor: 'errors', part_of: 'x', slice: { psp: 'adyen' } }),
    exampleIncident({ id: 's1', metric: 'latency', monitor: 'slow', started_at: at(1) }),
    exampleIncident({ id: 's2', metric: 'latency', monitor: 'slow', started_at: at(2) }),
    exampleIncident({ id: 'm', slice: { psp: 'stripe' }, started_at: at(3) }),
    exampleIncident({ id: 'far', monitor: 'other', slice: { psp: 'stripe' } }),
  ];
  const related = relatedTo(incident, all);
  expect(related.leader?.id).toBe('leader');
  expect(related.parts.map(({ id }) => id)).toEqual(['p1', 'p2']);
  expect(related.partIds).toEqual(['gone']);
  expect(related.sameSlice.map(({ id }) => id)).toEqual(['s2', 's1']);
  expect(related.sameMonitor.map(({ id }) => id)).toEqual(['m']);
  expect(isLonely(related)).toBe(false);
});

it('does not take all traffic for a slice that two metrics share', () => {
  const incident = exampleIncident({ id: 'x', slice: {} });
  const all = [incident, exampleIncident({ id: 'y', slice: {}, metric: 'volume', monitor: 'silence' })];
  expect(isLonely(relatedTo(incident, all))).toBe(true);
});

it('names a leader that is not at hand', () => {
  const related = relatedTo(exampleIncident({ part_of: 'inc_old' }), []);
  expect([related.leader, related.leaderId]).toEqual([null, 'inc_old']);
  expect(isLonely(related)).toBe(false);
});
