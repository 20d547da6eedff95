import { expect, it } from 'vitest';
import { isOn, monthsOn, weekDayOf, weeksOf } from './month';
import type { Maintenance } from './types';

const made = (more: Partial<Maintenance>): Maintenance => ({
  name: 'release',
  from: '02:00',
  to: '04:00',
  zone: 'Europe/Berlin',
  days: null,
  once: false,
  severity: null,
  monitors: [],
  metrics: [],
  where: {},
  active: false,
  next_from: null,
  next_to: null,
  ...more,
});

it('knows the days of the week, before 1970 too', () => {
  expect(weekDayOf('2026-12-01')).toBe('tue');
  expect(weekDayOf('1969-12-31')).toBe('wed');
  expect(weekDayOf('2024-02-29')).toBe('thu');
});

it('goes over the ends of years', () => {
  expect(monthsOn('2026-12', 1)).toBe('2027-01');
  expect(monthsOn('2026-01', -1)).toBe('2025-12');
});

it('a month is whole weeks from Monday, with the days of others at its ends', () => {
  const weeks = weeksOf('2026-12', [], []);
  expect(weeks).toHaveLength(5);
  expect(weeks[0]?.[0]).toMatchObject({ day: '2026-11-30', isOther: true });
  expect(weeks[0]?.[1]).toMatchObject({ day: '2026-12-01', isOther: false });
  expect(weeks[4]?.[6]).toMatchObject({ day: '2027-01-03', isOther: true });
  expect(weeksOf('2027-02', [], [])).toHaveLength(4);
});

it('a window of every week is on its days, and on the next where it goes over midnight', () => {
  const overNight = made({ days: ['sat'], from: '23:30', to: '01:00' });
  const on = ['2026-12-04', '2026-12-05', '2026-12-06', '2026-12-07'].filter((day) => isOn(overNight, day));
  expect(on).toEqual(['2026-12-05', '2026-12-06']);
  expect(isOn(made({ days: ['sat'], from: '22:00', to: '00:00' }), '2026-12-06')).toBe(false);
  expect(isOn(made({}), '2026-12-02')).toBe(true);
});

it('a window that is once is on every day from its first to its last', () => {
  const once = made({ once: true, from: '2026-12-24 18:00', to: '2026-12-26 06:00' });
  const days = weeksOf('2026-12', [once], []).flat();
  expect(days.filter(({ windows }) => windows.length > 0).map(({ day }) => day)).toEqual([
    '2026-12-24',
    '2026-12-25',
    '2026-12-26',
  ]);
  const uptoMidnight = made({ once: true, from: '2026-12-24 18:00', to: '2026-12-25 00:00' });
  expect(isOn(uptoMidnight, '2026-12-24')).toBe(true);
  expect(isOn(uptoMidnight, '2026-12-25')).toBe(false);
});
