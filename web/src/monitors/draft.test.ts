import { describe, expect, it } from 'vitest';
import { type Draft, definitionOf, draftFrom, draftOf, emptyDraft, isSameDraft, searchOf } from './draft';
import { briefDuration, durationMs } from './duration';
import type { Monitor } from './types';

function monitor(more: Partial<Monitor>): Monitor {
  return {
    name: 'drop',
    metric: 'authorization_rate',
    by: ['psp'],
    detect: {
      rate: { sensitivity: 'normal', min_samples: 8, window: '960s', history: '604800s', min_change: 0.02 },
    },
    severity: 'critical',
    notify: ['on_call'],
    last_judged_at: null,
    slices: 0,
    firing: 0,
    learning: false,
    error: null,
    feedback: { real: 0, false_alarms: 0, brier: null },
    ...more,
  };
}

describe('durations', () => {
  it('are read as the server reads them, and written short', () => {
    expect(['10s', '500ms', '1m', '24h', '7d', '4w', '3y', ' 5m '].map(durationMs)).toEqual([
      10_000, 500, 60_000, 86_400_000, 604_800_000, 2_419_200_000, 94_608_000_000, 300_000,
    ]);
    for (const text of ['', '5', 'm', '1.5h', '-1m', '5 m', '5M', '1m30s'])
      expect(durationMs(text), text).toBeNull();
    expect(['960s', '604800s', '5400s', '60s', '0s', '1500ms', 'soon'].map(briefDuration)).toEqual([
      '16m',
      '7d',
      '90m',
      '1m',
      '0s',
      '1500ms',
      'soon',
    ]);
  });
});

describe('a draft of a monitor', () => {
  it('leaves out what is so unless told', () => {
    const draft = draftOf(monitor({}));
    expect(draft.settings).toEqual({ min_samples: '8' });
    expect(definitionOf(draft)).toEqual({
      metric: 'authorization_rate',
      by: ['psp'],
      detect: { rate: { min_samples: 8 } },
      severity: 'critical',
      notify: ['on_call'],
    });
  });

  it('writes a trailing window where it stands in a definition', () => {
    const detect = {
      threshold: {
        above: 0.2,
        below: null,
        min_samples: 20,
        window: '60s',
        over: '300s',
        resolve_margin: 0.05,
      },
    };
    expect(definitionOf(draftOf(monitor({ detect, by: [], notify: [] })))).toEqual({
      metric: 'authorization_rate',
      detect: { threshold: { above: 0.2, min_samples: 20 } },
      over: '5m',
      severity: 'critical',
    });
  });

  it('is a word where a detector has nothing of its own', () => {
    const plain = draftOf(monitor({ detect: { auto: { sensitivity: 'normal' } } }));
    expect(definitionOf(plain).detect).toBe('auto');
    expect(definitionOf({ ...emptyDraft, detector: 'threshold' }).detect).toEqual({ threshold: {} });
  });

  it('takes keys that a server tells of a definition', () => {
    const draft = draftOf(
      monitor({ for: '60s', resolve_after: '180s', direction: 'down', calendar: 'germany' }),
    );
    expect(draft).toMatchObject({ for: '1m', resolve_after: '3m', direction: 'down', calendar: 'germany' });
    const waiting = draftOf(monitor({ early: false }));
    expect(definitionOf(waiting).early).toBe(false);
    expect(draftFrom(searchOf(waiting))?.early).toBe('false');
    // What is so unless told is not written.
    const plain = draftOf(
      monitor({ for: '0s', resolve_after: '120s', direction: 'both', early: true, detect: { rate: {} } }),
    );
    expect(plain).toMatchObject({ for: '', resolve_after: '', direction: '', early: '' });
  });

  it('keeps settings of another detector for when one comes back to it, and does not write them', () => {
    const draft: Draft = {
      ...emptyDraft,
      metric: 'm',
      detector: 'silence',
      settings: { min_samples: '9', window: '2h' },
    };
    expect(definitionOf(draft).detect).toEqual({ silence: { window: '2h' } });
  });

  it('hands what is no number to the server as it is', () => {
    const draft: Draft = { ...emptyDraft, metric: 'm', detector: 'rate', settings: { min_change: 'much' } };
    expect(definitionOf(draft).detect).toEqual({ rate: { min_change: 'much' } });
  });
});

describe('the address', () => {
  it('holds a draft and reads the same', () => {
    const draft: Draft = {
      ...emptyDraft,
      name: 'drop',
      metric: 'authorization_rate',
      by: ['psp', 'issuer'],
      detector: 'rate',
      settings: { min_samples: '8', window: '5m' },
      direction: 'down',
      for: '2m',
      owner: 'a & b, c',
      notify: ['on_call'],
    };
    const back = draftFrom(searchOf(draft));
    expect(back).toEqual(draft);
    expect(back && isSameDraft(back, draft)).toBe(true);
  });

  it('drops what it does not understand', () => {
    expect(draftFrom({})).toBeNull();
    expect(draftFrom({ span: '28d' })).toBeNull();
    const draft = draftFrom({
      metric: 'm',
      detect: 'magic',
      direction: 'sideways',
      severity: 'fatal',
      by: 'a,,a, b',
      evil: 'x',
    });
    expect(draft).toEqual({ ...emptyDraft, metric: 'm', by: ['a', 'b'] });
    expect(draftFrom({ metric: 'x'.repeat(9_999) })?.metric).toHaveLength(500);
  });
});
