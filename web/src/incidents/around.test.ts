import { describe, expect, it } from 'vitest';
import { around, coarserSteps, readLookback, widened } from './around';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const start = Date.parse('2026-11-22T14:00:00Z');
const at = (ms: number) => new Date(ms).toISOString();
const rate = { kind: 'rate', bucket_ms: 10_000 } as const;
const count = { kind: 'count', bucket_ms: 10_000 } as const;

describe('the time around an incident', () => {
  it('that goes on reaches from well before it to now', () => {
    const incident = { started_at: at(start), resolved_at: null };
    const { fromMs, toMs, stepMs } = around(incident, rate, 'near', start + 7 * MINUTE);
    expect(toMs).toBeNull();
    expect(start - fromMs).toBeGreaterThanOrEqual(45 * MINUTE);
    expect(start - fromMs).toBeLessThan(46 * MINUTE + stepMs);
    expect(stepMs).toBe(MINUTE);
  });

  it('stays the same while it grows a little, so that nothing is asked for at every tick', () => {
    const incident = { started_at: at(start), resolved_at: null };
    expect(around(incident, rate, 'near', start + 16 * MINUTE)).toEqual(
      around(incident, rate, 'near', start + 29 * MINUTE),
    );
  });

  it('that is over ends a little after it, and never in the future', () => {
    const incident = { started_at: at(start), resolved_at: at(start + HOUR) };
    const late = around(incident, count, 'near', start + 3 * DAY);
    expect(late.toMs).toBe(start + 90 * MINUTE);
    const soon = around(incident, count, 'near', start + HOUR + 2 * MINUTE);
    expect(soon.toMs ?? 0).toBeLessThan(start + HOUR + 2 * MINUTE + soon.stepMs);
  });

  it('is cut into whole buckets, as many as a panel can show', () => {
    for (const length of [MINUTE, 20 * MINUTE, 5 * HOUR, 9 * DAY]) {
      for (const lookback of ['near', 'day', 'week'] as const) {
        for (const bucket of [1_000, 7_000, 10_000, HOUR]) {
          for (const kind of ['rate', 'count'] as const) {
            const incident = { started_at: at(start), resolved_at: at(start + length) };
            const { fromMs, toMs, stepMs } = around(
              incident,
              { kind, bucket_ms: bucket },
              lookback,
              start + 30 * DAY,
            );
            expect(stepMs % bucket).toBe(0);
            expect(fromMs % stepMs).toBe(0);
            expect(((toMs ?? 0) - fromMs) / stepMs).toBeLessThanOrEqual(kind === 'count' ? 152 : 62);
            expect(fromMs).toBeLessThan(start);
          }
        }
      }
    }
  });

  it('of few events has longer steps, but shows the bad time in three of them', () => {
    const incident = { started_at: at(start), resolved_at: at(start + 30 * MINUTE), denominator: 24 };
    expect(around(incident, rate, 'near', start + DAY).stepMs).toBe(10 * MINUTE);
    expect(around({ ...incident, denominator: 9_000 }, rate, 'near', start + DAY).stepMs).toBe(2 * MINUTE);
  });
});

describe('old buckets', () => {
  it('are asked for in steps that hold whole finer ones', () => {
    expect(coarserSteps(2 * MINUTE)).toEqual([10 * MINUTE, HOUR, DAY]);
    expect(coarserSteps(HOUR)).toEqual([DAY]);
    expect(coarserSteps(7_000)).toEqual([]);
  });

  it('are asked for over a longer time, on their own borders', () => {
    const wide = widened({ fromMs: start - HOUR, toMs: start + HOUR, stepMs: MINUTE }, HOUR);
    expect(wide).toEqual({ fromMs: start - 23 * HOUR, toMs: start + HOUR, stepMs: HOUR });
  });
});

it('reads how far to look back, and nothing it does not know', () => {
  expect(readLookback('week')).toBe('week');
  expect(readLookback('century')).toBe('near');
  expect(readLookback(undefined)).toBe('near');
});
