import { describe, expect, it } from 'vitest';
import { readEntry, silencedUntilMs } from './entry';

describe('an entry of a timeline', () => {
  it('is taken apart where people did something', () => {
    expect(readEntry({ kind: 'acknowledged', text: 'acknowledged by ada: on it' })).toEqual({
      kind: 'acknowledged',
      by: 'ada',
      note: 'on it',
      verdict: null,
      silencedUntil: null,
      text: '',
    });
    expect(readEntry({ kind: 'note', text: 'noted: first: line\nsecond by hand' })).toMatchObject({
      by: null,
      note: 'first: line\nsecond by hand',
    });
    expect(readEntry({ kind: 'feedback', text: 'called a false alarm by m. keller' })).toMatchObject({
      verdict: 'false_alarm',
      by: 'm. keller',
    });
    expect(readEntry({ kind: 'updated', text: 'silenced until 2026-11-22T15:00:00Z by ada' })).toMatchObject({
      kind: 'silenced',
      silencedUntil: '2026-11-22T15:00:00Z',
      by: 'ada',
    });
  });

  it('stays as it was written in every other case', () => {
    for (const [kind, text] of [
      ['opened', '41 % of 92 attempts'],
      ['resolved', 'no events any more'],
      ['updated', 'of the same cause, by `psp_errors`: error_rate rose'],
      ['delivered', 'acknowledged by ada'],
      ['acknowledged', 'by m.keller: PSP informed'],
      ['unheard_of', 'noted'],
    ] as const)
      expect(readEntry({ kind, text })).toMatchObject({ kind, text, by: null, note: null });
  });
});

it('counts a silence only while it lasts, and of what is not over', () => {
  const until = { silenced_until: '2026-11-22T15:00:00Z', state: 'open' } as const;
  const at = Date.parse('2026-11-22T15:00:00Z');
  expect(silencedUntilMs(until, at - 1)).toBe(at);
  expect(silencedUntilMs(until, at)).toBeNull();
  expect(silencedUntilMs({ ...until, state: 'resolved' }, at - 1)).toBeNull();
  expect(silencedUntilMs({ silenced_until: null, state: 'open' }, at)).toBeNull();
});
