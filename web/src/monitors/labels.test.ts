// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import type { Incident } from '../api/types';
import { medianDelay, rowsOf, weeksOf } from './compare';
import {
  type Label,
  labelled,
  labelRows,
  missedBy,
  scoreOf,
  storedLabels,
  storeLabels,
  touch,
  verdictOf,
} from './labels';
import type { BacktestAnswer, BacktestIncident, BacktestRun, Slice, Verdict } from './types';

const at = (hours: number) => new Date(Date.UTC(2026, 10, 1) + hours * 3_600_000).toISOString();

function found(
  id: string,
  fromH: number,
  toH: number | null,
  slice: Slice,
  verdict: Verdict | null = null,
): BacktestIncident {
  const incident = {
    id,
    slice,
    started_at: at(fromH),
    opened_at: at(fromH),
    resolved_at: toH === null ? null : at(toH),
  } as unknown as Incident;
  return { incident, delay_s: fromH, live: null, label: null, verdict };
}

function run(incidents: BacktestIncident[], missed: BacktestRun['missed'] = []): BacktestRun {
  return {
    metric: 'm',
    by: ['psp'],
    detect: {},
    direction: 'down',
    steps: 1,
    resolution: [],
    learning_hours: 0,
    per_week: 1,
    counts: { found: incidents.length, real: 0, false_alarms: 0, unlabelled: 0, missed: 0 },
    incidents,
    truncated: false,
    missed,
  };
}

function answer(more: Partial<BacktestAnswer>): BacktestAnswer {
  const base = {
    monitor: 'm',
    from: at(0),
    to: at(24 * 17),
    took_s: 1,
    existing: null,
    proposed: null,
    comparison: null,
  };
  return { ...base, ...more };
}

const real = (fromH: number, toH: number, where: Slice): Label => ({
  from: at(fromH),
  to: at(toH),
  where,
  verdict: 'real',
});
const nothing: Label = { from: at(0), to: at(24 * 17), where: {}, verdict: 'false_alarm' };

describe('verdicts', () => {
  const adyen = found('a', 10, 11, { psp: 'adyen' });

  it('go by what a label covers in time and slice', () => {
    expect(touch({}, { psp: 'adyen' })).toBe(true);
    expect(touch({ psp: 'adyen', issuer: 'x' }, { psp: 'adyen' })).toBe(true);
    expect(touch({ psp: 'stripe' }, { psp: 'adyen' })).toBe(false);
    expect(touch({ issuer: 'x' }, { psp: 'adyen' })).toBe(false);
    expect(verdictOf(adyen, [real(10.5, 12, {})])).toBe('real');
    expect(verdictOf(adyen, [real(11, 12, {})])).toBeNull();
    expect(verdictOf(adyen, [real(10, 12, { psp: 'stripe' })])).toBeNull();
  });

  it('prefer what was real to what a person said, and that to what says that nothing was', () => {
    const said = found('a', 10, 11, { psp: 'adyen' }, 'real');
    const denied = found('a', 10, 11, { psp: 'adyen' }, 'false_alarm');
    expect(verdictOf(adyen, [nothing])).toBe('false_alarm');
    expect(verdictOf(said, [nothing])).toBe('real');
    expect(verdictOf(denied, [real(10.5, 12, {}), nothing])).toBe('real');
  });

  it('believe first what is said of the incident itself, and take it back when it is said twice', () => {
    const once = labelled([real(9, 12, {})], adyen.incident, 'false_alarm', at(400));
    expect(verdictOf(adyen, once)).toBe('false_alarm');
    const other = labelled(once, adyen.incident, 'real', at(400));
    expect(other).toHaveLength(2);
    expect(verdictOf(adyen, other)).toBe('real');
    expect(labelled(other, adyen.incident, 'real', at(400))).toEqual([real(9, 12, {})]);
  });

  it('cover an incident that goes on up to the end of the test', () => {
    const open = found('o', 10, null, { psp: 'adyen' });
    expect(labelled([], open.incident, 'real', at(400))).toEqual([real(10, 400, { psp: 'adyen' })]);
    expect(verdictOf(open, [real(300, 301, {})])).toBe('real');
  });
});

describe('the score', () => {
  it('has precision of what was judged, and what was missed', () => {
    const both = run([
      found('a', 10, 11, { psp: 'adyen' }),
      found('b', 20, 21, { psp: 'stripe' }),
      found('c', 30, 31, {}),
    ]);
    expect(scoreOf(both, [], at(0), at(100))).toMatchObject({
      found: 3,
      precision: null,
      unjudged: 3,
      missed: 0,
    });
    const labels = [real(10, 11, { psp: 'adyen' }), real(50, 51, { psp: 'adyen' }), real(200, 201, {})];
    expect(scoreOf(both, labels, at(0), at(100))).toMatchObject({
      real: 1,
      unjudged: 2,
      missed: 1,
      precision: 1,
    });
    expect(scoreOf(both, [...labels, nothing], at(0), at(100))).toMatchObject({
      real: 1,
      falseAlarms: 2,
      precision: 1 / 3,
    });
  });

  it('counts once what a label and a person called real', () => {
    const missed = [
      { started_at: at(50), slice: { psp: 'adyen' }, live: 'inc_1', label: null, summary: 's' },
    ];
    expect(missedBy(run([], missed), [real(49, 52, { psp: 'adyen' })], at(0), at(100))).toHaveLength(1);
    expect(missedBy(run([], missed), [real(60, 62, { psp: 'adyen' })], at(0), at(100))).toHaveLength(2);
  });
});

describe('two versions', () => {
  const compared = answer({
    existing: run([found('e1', 10, 11, { psp: 'a' }), found('e2', 30, 31, { psp: 'b' })]),
    proposed: run([found('p1', 9, 11, { psp: 'a' }), found('p3', 390, null, {})]),
    comparison: {
      both: [{ existing: 'e1', proposed: 'p1', later_s: -60 }],
      only_existing: ['e2', 'beyond the list'],
      only_proposed: ['p3'],
    },
  });

  it('are one list, the newest first, as the proposed one saw it', () => {
    expect(rowsOf(compared).map(({ key, group, laterS }) => [key, group, laterS])).toEqual([
      ['/p3', 'proposed', null],
      ['e2/', 'existing', null],
      ['e1/p1', 'both', -60],
    ]);
    expect(rowsOf(compared)[2]?.startMs).toBe(Date.parse(at(9)));
    expect(rowsOf(compared)[0]?.endMs).toBe(Date.parse(compared.to));
  });

  it('stand alone where there is only one', () => {
    expect(rowsOf(answer({ proposed: run([found('p', 1, 2, {})]) })).map(({ group }) => group)).toEqual([
      'proposed',
    ]);
    expect(rowsOf(answer({}))).toEqual([]);
  });

  it('are counted by weeks back from the end', () => {
    const weeks = weeksOf(compared);
    expect(weeks.map(({ existing, proposed, isWhole }) => [existing, proposed, isWhole])).toEqual([
      [2, 1, false],
      [0, 0, true],
      [0, 1, true],
    ]);
    expect(weeks.at(-1)?.toMs).toBe(Date.parse(compared.to));
    expect(weeks[0]?.fromMs).toBe(Date.parse(compared.from));
  });

  it('have no week of a few hours', () => {
    const hours = (more: number) => weeksOf(answer({ to: at(24 * 14 + more) }));
    expect(hours(5)).toHaveLength(2);
    expect(hours(5).every(({ isWhole }) => isWhole)).toBe(true);
    expect(hours(5)[0]?.fromMs).toBe(Date.parse(at(0)));
    expect(hours(0)).toHaveLength(2);
    expect(hours(25).map(({ isWhole }) => isWhole)).toEqual([false, true, true]);
    expect(hours(-24 * 13)).toHaveLength(1);
  });

  it('have a median delay', () => {
    expect(medianDelay([])).toBeNull();
    expect(medianDelay([found('a', 3, 4, {}), found('b', 1, 4, {}), found('c', 8, 9, {})])).toBe(3);
    expect(medianDelay([found('a', 3, 4, {}), found('b', 1, 4, {})])).toBe(2);
  });
});

describe('labels', () => {
  it('are kept by metric, and what is no label is dropped', () => {
    const label = real(1, 2, { psp: null });
    storeLabels('m', [label]);
    expect(storedLabels('m')).toEqual([label]);
    expect(storedLabels('other')).toEqual([]);
    localStorage.setItem('tillwatch.labels.m', JSON.stringify([label, { from: 'x' }, null, 7]));
    expect(storedLabels('m')).toEqual([label]);
    localStorage.setItem('tillwatch.labels.m', '{');
    expect(storedLabels('m')).toEqual([]);
    storeLabels('m', []);
    expect(localStorage.getItem('tillwatch.labels.m')).toBeNull();
  });

  it('become rows of a file', () => {
    expect(labelRows([real(1, 2, {}), real(1, 2, { psp: null })])).toEqual([
      { from: at(1), to: at(2), verdict: 'real' },
      { from: at(1), to: at(2), where: { psp: null }, verdict: 'real' },
    ]);
  });
});
