import { describe, expect, it } from 'vitest';
import { type Act, bodyOf, newerOf, SILENCES, silenceMs, withAct } from './act';
import { readEntry, silencedUntilMs } from './entry';
import { exampleIncident } from './example';

const now = Date.parse('2026-11-22T14:20:00Z');
const act = (values: Partial<Act> & Pick<Act, 'action'>): Act => ({ by: 'ada', note: 'on it', ...values });

describe('what is sent', () => {
  it('says nothing of what was left empty', () => {
    expect(bodyOf({ action: 'acknowledge', by: ' ', note: '\n' })).toEqual({});
    expect(bodyOf(act({ action: 'silence', silence: '4h' }))).toEqual({
      by: 'ada',
      note: 'on it',
      for: '4h',
    });
    expect(bodyOf(act({ action: 'feedback', verdict: 'real', note: '' }))).toEqual({
      by: 'ada',
      verdict: 'real',
    });
  });

  it('knows how long a silence is', () => {
    expect(SILENCES.map(silenceMs)).toEqual([0.5, 1, 4, 8, 24, 72, 168].map((hours) => hours * 3_600_000));
  });
});

describe('an incident as it will be', () => {
  it('has the new state and one entry more, and the old one stays as it was', () => {
    const incident = exampleIncident();
    const taken = withAct(incident, act({ action: 'acknowledge' }), now);
    expect([taken.state, taken.timeline.length]).toEqual(['acknowledged', 2]);
    expect([incident.state, incident.timeline.length]).toEqual(['open', 1]);
    const over = withAct(incident, act({ action: 'resolve' }), now);
    expect([over.state, over.resolved_at]).toEqual(['resolved', '2026-11-22T14:20:00.000Z']);
    const quiet = withAct(incident, act({ action: 'silence', silence: '30m' }), now);
    expect(silencedUntilMs(quiet, now)).toBe(now + 1_800_000);
    expect(withAct(incident, act({ action: 'feedback', verdict: 'false_alarm' }), now).verdict).toBe(
      'false_alarm',
    );
    expect(withAct(incident, act({ action: 'note' }), now).state).toBe('open');
  });

  it('tells of itself as the server will', () => {
    const last = (one: Act) => {
      const entry = withAct(exampleIncident(), one, now).timeline.at(-1);
      return entry && readEntry(entry);
    };
    expect(last(act({ action: 'acknowledge' }))).toMatchObject({
      kind: 'acknowledged',
      by: 'ada',
      note: 'on it',
    });
    expect(last(act({ action: 'feedback', verdict: 'real' }))).toMatchObject({ verdict: 'real', text: '' });
    expect(last(act({ action: 'silence', silence: '1h' }))).toMatchObject({
      kind: 'silenced',
      silencedUntil: '2026-11-22T15:20:00.000Z',
    });
  });
});

describe('of two states', () => {
  it('the later counts, and at the same time the one with the longer story', () => {
    const older = exampleIncident();
    const newer = exampleIncident({ updated_at: '2026-11-22T14:11:00Z' });
    expect(newerOf(older, newer)).toBe(newer);
    expect(newerOf(newer, older)).toBe(newer);
    const noted = exampleIncident({ timeline: [...older.timeline, { at: '', kind: 'note', text: 'noted' }] });
    expect(newerOf(older, noted)).toBe(noted);
    expect(newerOf(noted, older)).toBe(noted);
    expect(newerOf(undefined, older)).toBe(older);
    expect(newerOf(undefined, undefined)).toBeUndefined();
  });
});
