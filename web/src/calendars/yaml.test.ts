import { expect, it } from 'vitest';
import { calendarYaml, windowYaml } from './yaml';

const window = {
  name: 'release',
  from: '23:30',
  to: '01:00',
  zone: 'Europe/Berlin',
  days: ['sat', 'sun'],
  once: false,
  severity: 'warning',
  monitors: ['drop'],
  metrics: [],
  where: { psp: ['adyen', null], country: ['no'] },
};

it('a window has its keys in an order that reads well, and none that says nothing', () => {
  expect(windowYaml(window)).toBe(`maintenance:
  release:
    days: [sat, sun]
    from: "23:30"
    to: "01:00"
    zone: "Europe/Berlin"
    severity: warning
    monitors: ["drop"]
    where:
      psp: ["adyen", null]
      country: "no"
`);
  const daily = { ...window, days: [], severity: null, monitors: [], where: {} };
  expect(windowYaml(daily)).toBe(
    'maintenance:\n  release:\n    from: "23:30"\n    to: "01:00"\n    zone: "Europe/Berlin"\n',
  );
});

it('texts that YAML would take for something else stay within their quotes', () => {
  const text = windowYaml({ ...window, where: { 'odd dimension:': ['": {evil: true}', 'a\nb'] } });
  expect(text.split('\n').at(-2)).toBe(String.raw`      "odd dimension:": ["\": {evil: true}", "a\nb"]`);
});

it('a calendar is its clock and its days', () => {
  const days = [
    { day: '2026-12-25', like: 'sun' },
    { day: '2026-11-27', like: 'none' },
  ];
  expect(calendarYaml({ name: 'germany', zone: 'Europe/Berlin', days })).toBe(`calendars:
  germany:
    zone: "Europe/Berlin"
    days:
      "2026-12-25": sun
      "2026-11-27": none
`);
  expect(calendarYaml({ name: 'plain', zone: 'UTC', days: [] })).toBe(
    'calendars:\n  plain:\n    zone: "UTC"\n',
  );
});
