import { expect, it } from 'vitest';
import type { Incident } from '../api/types';
import { learnedOf, untoldKeys } from './learned';
import type { BacktestRun, Monitor } from './types';

const monitor = { name: 'drop' } as Monitor;
const run = (direction: string, detect: object) => ({ direction, detect }) as unknown as BacktestRun;
const incident = (monitor: string, opened_at: string, more: object) =>
  ({ monitor, opened_at, ...more }) as unknown as Incident;

it('a back-test tells the direction, where that is not what it is unless told', () => {
  expect(learnedOf(monitor, run('down', { rate: {} }), [])).toEqual({ direction: 'down' });
  expect(learnedOf(monitor, run('both', { rate: {} }), [])).toEqual({ direction: '' });
  expect(learnedOf(monitor, run('up', { threshold: { above: 1, below: null } }), [])).toEqual({
    direction: '',
  });
  expect(learnedOf(monitor, run('down', { threshold: { above: null, below: 1 } }), [])).toEqual({
    direction: '',
  });
  expect(learnedOf({ ...monitor, direction: 'up' }, run('up', { rate: {} }), [])).toEqual({});
  expect(learnedOf(monitor, null, [])).toEqual({});
});

it('its newest incident tells the owner and what it counts by', () => {
  const incidents = [
    incident('drop', '2026-11-01T00:00:00Z', { owner: 'old', impact: { metric: 'volume' } }),
    incident('drop', '2026-11-02T00:00:00Z', { owner: 'new', impact: null }),
    incident('other', '2026-11-03T00:00:00Z', { owner: 'else' }),
  ];
  expect(learnedOf(monitor, null, incidents)).toEqual({ owner: 'new' });
});

it('what nobody tells is named', () => {
  expect(untoldKeys(monitor, { direction: '', owner: 'x' })).toEqual([
    'description',
    'for',
    'resolve_after',
    'impact',
    'calendar',
  ]);
  const told = {
    ...monitor,
    description: null,
    direction: null,
    for: null,
    resolve_after: '120s',
    impact: null,
    owner: null,
    calendar: null,
  };
  expect(untoldKeys(told, {})).toEqual([]);
  // A server that tells whether it looks early tells all there is: no owner is none.
  const whole = { ...monitor, early: true, direction: 'up' as const, for: '0s', resolve_after: '120s' };
  expect(untoldKeys(whole, {})).toEqual([]);
  const incidents = [incident('drop', '2026-11-01T00:00:00Z', { owner: 'old' })];
  expect(learnedOf(whole, null, incidents)).toEqual({});
});
