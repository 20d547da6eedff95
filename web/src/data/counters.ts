import type { DrawnPoint } from '../charts/shape';
import type { StatusDocument, StreamDocument } from './documents';

/** What is remembered of a stream at one poll. */
interface Sample {
  atMs: number;
  events: number;
  duplicates: number;
  rejected: number;
  late: number;
  overloaded: number;
}

export type Counter = Exclude<keyof Sample, 'atMs'>;

/** How far back courses go. */
export const COURSE_MS = 5 * 60_000;
/** A rate looks back this far, so that it moves with the traffic and does not jump with every poll. */
const RATE_SPAN_MS = 12_000;
/** Polls further apart than this have a hole between them: the page was hidden or the server away. */
const HOLE_MS = 20_000;
/** More than there are polls in five minutes; a clock that jumps must not fill memory. */
const SAMPLES_MAX = 160;
/** Streams and sources that are followed; a server with more shows the rates it tells itself. */
const FOLLOWED_MAX = 1_000;

/** The key of what all streams bring together. */
export const ALL = '';

export function sourceKey(stream: string, source: string): string {
  return `${stream}\n${source}`;
}

/** The key of a source that the server polls. */
export function polledKey(source: string): string {
  return `\n${source}`;
}

/** The counters of the last minutes, from which rates and their courses are taken. */
export class CounterHistory {
  readonly #samples = new Map<string, Sample[]>();
  #startedAt = '';

  /** Takes note of a status that arrived at `atMs`. */
  observe(status: StatusDocument, atMs: number): void {
    // A server that has started anew counts anew.
    if (status.started_at !== this.#startedAt) this.#samples.clear();
    this.#startedAt = status.started_at;
    const seen = new Set([ALL]);
    const total: Sample = { atMs, events: 0, duplicates: 0, rejected: 0, late: 0, overloaded: 0 };
    for (const stream of status.streams) {
      const sample = sampleOf(stream, atMs);
      this.#add(stream.name, sample, seen);
      for (const source of stream.sources) {
        const { events, late } = source;
        const ofSource = { ...sample, events, late, duplicates: 0, rejected: 0, overloaded: 0 };
        this.#add(sourceKey(stream.name, source.name), ofSource, seen);
      }
      for (const counter of counters) total[counter] += sample[counter];
    }
    for (const { name, events, duplicates, rejected } of status.sources) {
      this.#add(polledKey(name), { ...total, events, duplicates, rejected, late: 0, overloaded: 0 }, seen);
    }
    this.#add(ALL, total, seen);
    for (const key of this.#samples.keys()) if (!seen.has(key)) this.#samples.delete(key);
  }

  /** Events per second of late; null until there have been two polls. */
  rate(key: string): number | null {
    const samples = this.#samples.get(key);
    const last = samples?.at(-1);
    if (!samples || !last || samples.length < 2) return null;
    let first = samples[samples.length - 2] ?? last;
    for (const sample of samples) {
      if (last.atMs - sample.atMs <= RATE_SPAN_MS && sample.atMs < first.atMs) first = sample;
    }
    return perSecond(first, last);
  }

  /** By how much a counter has grown in the minutes that are remembered. */
  grown(key: string, counter: Counter): number {
    const samples = this.#samples.get(key);
    const first = samples?.[0];
    const last = samples?.at(-1);
    return first && last ? last[counter] - first[counter] : 0;
  }

  /** How long the counters have been watched. */
  watchedMs(key: string): number {
    const samples = this.#samples.get(key);
    return (samples?.at(-1)?.atMs ?? 0) - (samples?.[0]?.atMs ?? 0);
  }

  /** The rate between each poll and the one before it. */
  course(key: string): DrawnPoint[] {
    const points: DrawnPoint[] = [];
    let before: Sample | null = null;
    for (const sample of this.#samples.get(key) ?? []) {
      if (before && sample.atMs - before.atMs > HOLE_MS) points.push([sample.atMs, null]);
      else if (before) points.push([sample.atMs, perSecond(before, sample)]);
      before = sample;
    }
    return points;
  }

  #add(key: string, sample: Sample, seen: Set<string>): void {
    seen.add(key);
    let samples = this.#samples.get(key);
    if (!samples) {
      if (this.#samples.size >= FOLLOWED_MAX && key !== ALL) return;
      samples = [];
      this.#samples.set(key, samples);
    }
    const last = samples.at(-1);
    if (last && sample.atMs <= last.atMs) return;
    // A reload of definitions may count a stream anew; what it had before says nothing about it now.
    if (last && counters.some((counter) => sample[counter] < last[counter])) samples.length = 0;
    samples.push(sample);
    let old = 0;
    while (old < samples.length - 1 && sample.atMs - (samples[old]?.atMs ?? 0) > COURSE_MS) old += 1;
    samples.splice(0, Math.max(old, samples.length - SAMPLES_MAX));
  }
}

const counters = ['events', 'duplicates', 'rejected', 'late', 'overloaded'] as const;

function sampleOf(stream: StreamDocument, atMs: number): Sample {
  const { events, duplicates, rejected, late, overloaded } = stream;
  return { atMs, events, duplicates, rejected, late, overloaded };
}

function perSecond(first: Sample, last: Sample): number {
  const seconds = (last.atMs - first.atMs) / 1_000;
  return seconds > 0 ? Math.max(0, last.events - first.events) / seconds : 0;
}

/** One for the whole page, so that courses are still there when somebody comes back to it. */
export const counterHistory = new CounterHistory();
