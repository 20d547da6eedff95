import { describe, expect, it } from 'vitest';
import { APART_PX, aroundIncident, askedHours, isAbout, MARKS_MAX, marksFor, together } from './near';
import type { Annotation } from './types';

const AT = Date.parse('2026-11-01T12:00:00Z');
const MINUTE = 60_000;

function noted(minute: number, more: Partial<Annotation> = {}): Annotation {
  return {
    id: minute,
    kind: 'deployment',
    at: new Date(AT + minute * MINUTE).toISOString(),
    until: null,
    title: `release ${minute}`,
    text: null,
    by: null,
    url: null,
    where: {},
    created_at: new Date(AT).toISOString(),
    ...more,
  };
}

describe('Annotations near something', () => {
  it('are about a slice unless they name another one', () => {
    const adyen = noted(0, { where: { psp: 'adyen' } });
    expect(isAbout(noted(0), { psp: 'stripe' })).toBe(true);
    expect(isAbout(adyen, {})).toBe(true);
    expect(isAbout(adyen, { issuer: 'bank_17' })).toBe(true);
    expect(isAbout(adyen, { psp: ['stripe', 'adyen'] })).toBe(true);
    expect(isAbout(adyen, { psp: 'stripe' })).toBe(false);
    expect(isAbout(noted(0, { where: { psp: null } }), { psp: [''] })).toBe(true);
  });

  it('are within a window also where they only reach into it, and not too many', () => {
    const until = new Date(AT).toISOString();
    const all = [noted(-30, { until }), noted(-20), noted(0), noted(5), noted(11)];
    const ids = marksFor(all, {}, AT, AT + 10 * MINUTE).map(({ annotation: { id } }) => id);
    expect(ids).toEqual([-30, 0, 5]);
    const many = Array.from({ length: 40 }, (_, minute) => noted(minute));
    const marks = marksFor(many, {}, AT, AT + 60 * MINUTE);
    expect(marks).toHaveLength(MARKS_MAX);
    expect(marks.at(-1)?.annotation.id).toBe(39);
  });

  it('of an incident stand with the nearest before its beginning first', () => {
    const incident = {
      slice: { psp: 'adyen' },
      started_at: new Date(AT).toISOString(),
      resolved_at: new Date(AT + 30 * MINUTE).toISOString(),
    };
    const elsewhere = noted(-1, { where: { psp: 'stripe' } });
    const all = [noted(-61), noted(-50), elsewhere, noted(-2), noted(10), noted(31)];
    const ids = aroundIncident(all, incident, AT).map(({ annotation: { id } }) => id);
    expect(ids).toEqual([-2, -50, 10]);
    const open = { ...incident, resolved_at: null };
    expect(aroundIncident(all, open, AT + 60 * MINUTE)).toHaveLength(4);
  });

  it('are asked for by whole hours', () => {
    const asked = askedHours(AT + 5 * MINUTE, AT + 60 * MINUTE);
    expect(asked).toEqual({ from: '2026-11-01T12:00:00.000Z', to: '2026-11-01T14:00:00.000Z' });
    expect(askedHours(AT + 6 * MINUTE, AT + 61 * MINUTE)).toEqual(asked);
  });

  it('stand together where they would stand on each other', () => {
    const marks = marksFor(
      [0, 1, 5, 9, 60].map((minute) => noted(minute)),
      {},
      AT,
      AT + 90 * MINUTE,
    );
    const lots = together(marks, (atMs) => ((atMs - AT) / MINUTE) * 4);
    expect(lots.map(({ marks: lot }) => lot.map(({ annotation }) => annotation.id))).toEqual([
      [0, 1, 5],
      [9],
      [60],
    ]);
    for (const [i, lot] of lots.entries())
      expect(lot.leftPx - (lots[i - 1]?.leftPx ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(APART_PX);
  });
});
