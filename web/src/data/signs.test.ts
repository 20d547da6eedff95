import { describe, expect, it } from 'vitest';
import { CounterHistory } from './counters';
import type { StatusDocument, StreamDocument } from './documents';
import { checksOf, lastReceivedMs, streamState, watermarkLagMs, worst } from './signs';

const nowMs = Date.parse('2026-11-22T14:00:00Z');
const iso = (agoMs: number) => new Date(nowMs - agoMs).toISOString();

function stream(change: Partial<StreamDocument> = {}): StreamDocument {
  const source = { name: 'http', events: 10, late: 0, lag_ms: 0, idle: false };
  return {
    name: 'payments',
    events: 10,
    duplicates: 0,
    rejected: 0,
    late: 0,
    overloaded: 0,
    failed: 0,
    rate_per_s: 5,
    last_event_at: iso(1_000),
    watermark: iso(61_000),
    sources: [{ ...source, last_event_at: iso(1_000), last_received_at: iso(500) }],
    ...change,
  } as StreamDocument;
}

function grown(change: Partial<StreamDocument>): CounterHistory {
  const history = new CounterHistory();
  const poll = (one: StreamDocument) =>
    ({ started_at: 'a', streams: [one], sources: [] }) as unknown as StatusDocument;
  history.observe(poll(stream()), 0);
  history.observe(poll(stream({ events: 20, ...change })), 3_000);
  return history;
}

describe('streamState', () => {
  const none = new CounterHistory();

  it('is what is worst of it', () => {
    expect(streamState(stream(), none, nowMs)).toBe('receiving');
    expect(streamState(stream({ failed: 1 }), grown({ rejected: 3 }), nowMs)).toBe('failed');
    expect(streamState(stream(), grown({ overloaded: 1, rejected: 3 }), nowMs)).toBe('overloaded');
    expect(streamState(stream(), grown({ rejected: 3 }), nowMs)).toBe('rejecting');
    // Lines that were rejected long ago are no news.
    expect(streamState(stream({ rejected: 3_000 }), none, nowMs)).toBe('receiving');
  });

  it('tells silence from the past that somebody loads', () => {
    const silent = { rate_per_s: 0, sources: [{ ...stream().sources[0], last_received_at: iso(600_000) }] };
    expect(streamState(stream(silent as Partial<StreamDocument>), none, nowMs)).toBe('quiet');
    expect(
      streamState(stream({ rate_per_s: 0, events: 0, sources: [], last_event_at: null }), none, nowMs),
    ).toBe('empty');
    expect(streamState(stream({ last_event_at: iso(86_400_000) }), none, nowMs)).toBe('past');
    // Just now, although the rate of the last seconds is nought.
    expect(streamState(stream({ rate_per_s: 0 }), none, nowMs)).toBe('receiving');
  });

  it('knows how far the watermark is behind, and when something came last', () => {
    expect(watermarkLagMs(stream())).toBe(60_000);
    expect(watermarkLagMs(stream({ watermark: null }))).toBeNull();
    expect(lastReceivedMs(stream())).toBe(nowMs - 500);
    expect(lastReceivedMs(stream({ sources: [] }))).toBeNull();
  });
});

describe('checksOf', () => {
  const well = {
    state: 'ready',
    definitions: { loaded_at: null, errors: [] },
    journal: { state: 'writable', fault: null, free_bytes: 100e9, free_bytes_min: 1e9 },
    history: { state: 'ok', fault: null },
    audit: { differences: 0, last_difference: null, fault: null },
    memory: { bytes: 1, bytes_max: 10, parts: [] },
    streams: [],
    cubes: [],
    sources: [],
    channels: [],
  } as unknown as StatusDocument;
  const amiss = (change: object) =>
    checksOf({ ...well, ...change } as StatusDocument)
      .filter(({ tone }) => tone !== 'good')
      .map(({ name, tone }) => `${name} ${tone}`);

  it('are all well when all is well', () => {
    expect(amiss({})).toEqual([]);
    expect(worst(checksOf(well).map(({ tone }) => tone))).toBe('good');
  });

  it('find each fault', () => {
    expect(amiss({ state: 'recovering' })).toEqual(['state warning']);
    expect(amiss({ definitions: { loaded_at: null, errors: ['x'] } })).toEqual(['definitions warning']);
    expect(amiss({ journal: { ...well.journal, state: 'poisoned', fault: 'x' } })).toEqual(['journal bad']);
    expect(amiss({ journal: { ...well.journal, state: 'disk_low', free_bytes: 5e8 } })).toEqual([
      'journal warning',
      'disk bad',
    ]);
    expect(amiss({ journal: { ...well.journal, free_bytes: 1.5e9 } })).toEqual(['disk warning']);
    expect(amiss({ journal: { ...well.journal, free_bytes: null } })).toEqual(['disk quiet']);
    expect(amiss({ history: { state: 'failing', fault: 'x' } })).toEqual(['history bad']);
    expect(amiss({ audit: { differences: 2, last_difference: 'x', fault: null } })).toEqual(['audit bad']);
    expect(amiss({ memory: { bytes: 95, bytes_max: 100, parts: [] } })).toEqual(['memory warning']);
    expect(amiss({ streams: [{ name: 'a', failed: 1 }] })).toEqual(['streams bad']);
    expect(amiss({ cubes: [{ name: 'a', failed: 1 }] })).toEqual(['streams bad']);
    expect(amiss({ sources: [{ state: 'failing', last_error: 'x' }] })).toEqual(['sources warning']);
    expect(amiss({ channels: [{ error: 'x' }] })).toEqual(['channels warning']);
  });

  it('agree on the worst', () => {
    expect(worst(['good', 'warning', 'bad', 'quiet'])).toBe('bad');
    expect(worst(['good', 'quiet'])).toBe('good');
  });
});
