import { describe, expect, it } from 'vitest';
import { midnight, wallInstant, wallText } from './zoned';

describe('wall-clock times', () => {
  it.each([
    ['UTC', '2026-11-30T14:00', '2026-11-30T14:00:00Z'],
    ['Europe/Berlin', '2026-11-30T14:00', '2026-11-30T13:00:00Z'],
    ['Europe/Berlin', '2026-07-01T00:00:05', '2026-06-30T22:00:05Z'],
    ['Asia/Kathmandu', '2026-01-01T00:00', '2025-12-31T18:15:00Z'],
    ['America/New_York', '2026-03-08T12:00', '2026-03-08T16:00:00Z'],
  ])('of %s: %s is %s', (zone, wall, instant) => {
    expect(wallInstant(wall, zone)).toBe(Date.parse(instant));
    expect(wallText(Date.parse(instant), zone)).toBe(wall);
  });

  it('that clocks skip are meant as before the change', () => {
    expect(wallInstant('2026-03-29T02:30', 'Europe/Berlin')).toBe(Date.parse('2026-03-29T01:30:00Z'));
  });

  it('that come twice are the first', () => {
    expect(wallInstant('2026-10-25T02:30', 'Europe/Berlin')).toBe(Date.parse('2026-10-25T00:30:00Z'));
  });

  it.each(['', 'tomorrow', '2026-02-30T10:00', '2026-11-30'])('%j is none', (text) => {
    expect(wallInstant(text, 'UTC')).toBeNull();
  });
});

it('a day begins at the midnight of its zone', () => {
  const at = Date.parse('2026-10-25T22:30:00Z');
  expect(midnight(at, 'Europe/Berlin')).toBe(Date.parse('2026-10-24T22:00:00Z'));
  expect(midnight(at, 'Europe/Berlin', 1)).toBe(Date.parse('2026-10-25T23:00:00Z'));
  expect(midnight(at, 'UTC', -1)).toBe(Date.parse('2026-10-24T00:00:00Z'));
});
