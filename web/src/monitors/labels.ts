import type { Incident } from '../api/types';
import type { Written } from './draft';
import type { BacktestIncident, BacktestMissed, BacktestRun, Slice, Verdict } from './types';

/** What is known of a stretch of time, as the server and `tillwatch backtest --labels` take it. */
export interface Label {
  /** RFC 3339; the end is exclusive. */
  from: string;
  to: string;
  where: Slice;
  verdict: Verdict;
}

type Found = Pick<Incident, 'started_at' | 'resolved_at' | 'slice'>;

function overlap(aFrom: string, aTo: string | null, bFrom: string, bTo: string | null): boolean {
  const ms = (text: string | null) => (text === null ? Number.POSITIVE_INFINITY : Date.parse(text));
  return ms(aFrom) < ms(bTo) && ms(bFrom) < ms(aTo);
}

/** Whether one slice holds the other: all that the wider one names is the same in the narrower. */
export function touch(a: Slice, b: Slice): boolean {
  const holds = (wide: Slice, narrow: Slice) =>
    Object.entries(wide).every(
      ([dimension, value]) => Object.hasOwn(narrow, dimension) && narrow[dimension] === value,
    );
  return holds(a, b) || holds(b, a);
}

function isOf(label: Label, incident: Found): boolean {
  return (
    overlap(label.from, label.to, incident.started_at, incident.resolved_at) &&
    touch(label.where, incident.slice)
  );
}

function isSameSlice(a: Slice, b: Slice): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && a[name] === b[name])
  );
}

/** The label that says what this very incident was. */
function isOwn(label: Label, incident: Found): boolean {
  return label.from === incident.started_at && isSameSlice(label.where, incident.slice);
}

/**
 * What an incident was: what was said of itself; else a label of something real that it overlaps in time and slice; else
 * what a person said of the live one; else a label of a false alarm, which may cover all the time.
 */
export function verdictOf(found: BacktestIncident, labels: readonly Label[]): Verdict | null {
  const { incident } = found;
  const own = labels.find((label) => isOwn(label, incident));
  if (own) return own.verdict;
  const of = (verdict: Verdict) => labels.some((label) => label.verdict === verdict && isOf(label, incident));
  if (of('real')) return 'real';
  return found.verdict ?? (of('false_alarm') ? 'false_alarm' : null);
}

/** Says of an incident what it was; the same said twice is taken back. */
export function labelled(
  labels: readonly Label[],
  incident: Found,
  verdict: Verdict,
  testedTo: string,
): Label[] {
  const before = labels.find((label) => isOwn(label, incident));
  const others = labels.filter((label) => label !== before);
  if (before?.verdict === verdict) return others;
  return [
    ...others,
    {
      from: incident.started_at,
      to: incident.resolved_at ?? testedTo,
      where: { ...incident.slice },
      verdict,
    },
  ];
}

export interface Score {
  found: number;
  real: number;
  falseAlarms: number;
  unjudged: number;
  missed: number;
  /** Of those that are judged, the share that was real; null when none is. */
  precision: number | null;
}

/** What a version missed: what the server says by what people said of live incidents, and what labels say. */
export function missedBy(
  run: BacktestRun,
  labels: readonly Label[],
  from: string,
  to: string,
): BacktestMissed[] {
  const missed = [...run.missed];
  for (const [at, label] of labels.entries()) {
    if (label.verdict !== 'real' || !overlap(from, to, label.from, label.to)) continue;
    if (run.incidents.some(({ incident }) => isOf(label, incident))) continue;
    const isTold = run.missed.some(
      ({ started_at, slice }) =>
        overlap(label.from, label.to, started_at, plus(started_at)) && touch(label.where, slice),
    );
    if (!isTold)
      missed.push({ started_at: label.from, slice: label.where, live: null, label: at, summary: null });
  }
  return missed.sort((a, b) => Date.parse(a.started_at) - Date.parse(b.started_at));
}

function plus(text: string): string {
  return new Date(Date.parse(text) + 1).toISOString();
}

export function scoreOf(run: BacktestRun, labels: readonly Label[], from: string, to: string): Score {
  const verdicts = run.incidents.map((one) => verdictOf(one, labels));
  const real = verdicts.filter((verdict) => verdict === 'real').length;
  const falseAlarms = verdicts.filter((verdict) => verdict === 'false_alarm').length;
  return {
    found: run.counts.found,
    real,
    falseAlarms,
    unjudged: run.counts.found - real - falseAlarms,
    missed: missedBy(run, labels, from, to).length,
    precision: real + falseAlarms === 0 ? null : real / (real + falseAlarms),
  };
}

/** As the rows of a file for `tillwatch backtest --labels`. */
export function labelRows(labels: readonly Label[]): { [key: string]: Written }[] {
  return labels.map(({ from, to, where, verdict }) => ({
    from,
    to,
    ...(Object.keys(where).length > 0 ? { where } : {}),
    verdict,
  }));
}

const LABELS_MAX = 500;

function key(metric: string): string {
  return `tillwatch.labels.${metric}`;
}

/** What was said of a metric's past stays in this browser, so that the next change is measured by it too. */
export function storedLabels(metric: string): Label[] {
  try {
    const read: unknown = JSON.parse(localStorage.getItem(key(metric)) ?? '[]');
    return Array.isArray(read) ? read.filter(isLabel) : [];
  } catch {
    return [];
  }
}

export function storeLabels(metric: string, labels: readonly Label[]): void {
  try {
    if (labels.length === 0) localStorage.removeItem(key(metric));
    else localStorage.setItem(key(metric), JSON.stringify(labels.slice(-LABELS_MAX)));
  } catch {
    // A browser that forbids storage forgets them with the page.
  }
}

function isLabel(value: unknown): value is Label {
  if (typeof value !== 'object' || value === null) return false;
  const { from, to, where, verdict } = value as Partial<Record<keyof Label, unknown>>;
  const isTime = (text: unknown) => typeof text === 'string' && Number.isFinite(Date.parse(text));
  const isSlice =
    typeof where === 'object' &&
    where !== null &&
    Object.values(where).every((one) => one === null || typeof one === 'string');
  return isTime(from) && isTime(to) && isSlice && (verdict === 'real' || verdict === 'false_alarm');
}
