import { describe, expect, it } from 'vitest';
import { ALL, COURSE_MS, CounterHistory, sourceKey } from './counters';
import type { StatusDocument, StreamDocument } from './documents';

function status(streams: Partial<StreamDocument>[], startedAt = 'a'): StatusDocument {
  const whole = streams.map((stream) => ({
    name: 'payments',
    events: 0,
    duplicates: 0,
    rejected: 0,
    late: 0,
    overloaded: 0,
    sources: [],
    ...stream,
  }));
  return { started_at: startedAt, streams: whole, sources: [] } as unknown as StatusDocument;
}

describe('CounterHistory', () => {
  it('knows no rate from a single poll, and one from two', () => {
    const history = new CounterHistory();
    history.observe(status([{ events: 100 }]), 1_000);
    expect(history.rate('payments')).toBeNull();
    history.observe(status([{ events: 160 }]), 4_000);
    expect(history.rate('payments')).toBe(20);
    expect(history.course('payments')).toEqual([[4_000, 20]]);
  });

  it('takes the rate over the last seconds and not over the last poll alone', () => {
    const history = new CounterHistory();
    for (const [at, events] of [
      [0, 0],
      [3_000, 30],
      [6_000, 30],
      [9_000, 90],
      [12_000, 120],
      [15_000, 150],
    ] as const)
      history.observe(status([{ events }]), at);
    // From 3 s to 15 s.
    expect(history.rate('payments')).toBe(10);
  });

  it('adds all streams up and follows sources by themselves', () => {
    const history = new CounterHistory();
    const source = {
      name: 'http',
      late: 0,
      last_event_at: null,
      last_received_at: '',
      lag_ms: null,
      idle: false,
    };
    const poll = (a: number, b: number) =>
      status([
        { name: 'a', events: a, sources: [{ ...source, events: a - 5 }] },
        { name: 'b', events: b, rejected: b / 10 },
      ]);
    history.observe(poll(10, 100), 0);
    history.observe(poll(20, 130), 10_000);
    expect(history.rate(ALL)).toBe(4);
    expect(history.rate(sourceKey('a', 'http'))).toBe(1);
    expect(history.grown(ALL, 'rejected')).toBe(3);
    expect(history.grown('a', 'rejected')).toBe(0);
  });

  it('begins anew after a restart, and where a stream is counted anew', () => {
    const history = new CounterHistory();
    history.observe(status([{ events: 100 }], 'a'), 0);
    history.observe(status([{ events: 130 }], 'a'), 3_000);
    history.observe(status([{ events: 200 }], 'b'), 6_000);
    expect(history.rate('payments')).toBeNull();
    history.observe(status([{ events: 230 }], 'b'), 9_000);
    expect(history.rate('payments')).toBe(10);
    history.observe(status([{ events: 5 }], 'b'), 12_000);
    expect(history.rate('payments')).toBeNull();
    expect(history.grown('payments', 'events')).toBe(0);
  });

  it('has a hole where nobody asked', () => {
    const history = new CounterHistory();
    history.observe(status([{ events: 0 }]), 0);
    history.observe(status([{ events: 30 }]), 3_000);
    history.observe(status([{ events: 630 }]), 63_000);
    history.observe(status([{ events: 660 }]), 66_000);
    expect(history.course('payments')).toEqual([
      [3_000, 10],
      [63_000, null],
      [66_000, 10],
    ]);
    // What came meanwhile is no rate of now.
    expect(history.rate('payments')).toBe(10);
  });

  it('forgets what is older than its course, streams that are gone, and never grows beyond its bounds', () => {
    const history = new CounterHistory();
    for (let at = 0; at <= 4 * COURSE_MS; at += 3_000) history.observe(status([{ events: at }]), at);
    const course = history.course('payments');
    expect(course.length).toBeLessThanOrEqual(COURSE_MS / 3_000 + 1);
    expect(history.watchedMs('payments')).toBeLessThanOrEqual(COURSE_MS);
    for (let at = 1; at < 5_000; at += 1)
      history.observe(status([{ events: 4 * COURSE_MS + at }]), 4 * COURSE_MS + at);
    expect(history.course('payments').length).toBeLessThan(200);
    history.observe(status([{ name: 'other' }]), 9 * COURSE_MS);
    expect(history.course('payments')).toEqual([]);
    const many = Array.from({ length: 3_000 }, (_, i) => ({ name: `s${i}`, events: 0 }));
    history.observe(status(many), 10 * COURSE_MS);
    history.observe(status(many.map((stream) => ({ ...stream, events: 9 }))), 10 * COURSE_MS + 3_000);
    expect(history.rate('s0')).toBe(3);
    expect(history.rate('s2999')).toBeNull();
    // The sum of all is kept whatever there is.
    expect(history.rate(ALL)).toBe(9_000);
  });

  it('ignores an answer that arrives out of order', () => {
    const history = new CounterHistory();
    history.observe(status([{ events: 10 }]), 3_000);
    history.observe(status([{ events: 40 }]), 6_000);
    history.observe(status([{ events: 20 }]), 4_000);
    expect(history.rate('payments')).toBe(10);
  });
});
