import type { CounterHistory } from './counters';
import type { StatusDocument, StreamDocument } from './documents';

export type Tone = 'good' | 'quiet' | 'warning' | 'bad';

/** What a stream does just now, the worst that can be said of it. */
export type StreamState = 'failed' | 'overloaded' | 'rejecting' | 'past' | 'receiving' | 'quiet' | 'empty';

export const streamTones: Record<StreamState, Tone> = {
  failed: 'bad',
  overloaded: 'warning',
  rejecting: 'warning',
  past: 'good',
  receiving: 'good',
  quiet: 'quiet',
  empty: 'quiet',
};

/** Without an event for so long a stream counts as quiet. */
const QUIET_AFTER_MS = 60_000;
/** Events this old that come now are history that somebody loads. */
const PAST_AFTER_MS = 15 * 60_000;

export function streamState(stream: StreamDocument, history: CounterHistory, nowMs: number): StreamState {
  const grown = (counter: 'overloaded' | 'rejected' | 'events') => history.grown(stream.name, counter);
  if (stream.failed > 0) return 'failed';
  if (grown('overloaded') > 0) return 'overloaded';
  if (grown('rejected') > 0) return 'rejecting';
  const received = lastReceivedMs(stream);
  const isComing = (history.rate(stream.name) ?? stream.rate_per_s) > 0;
  if (!isComing && (received === null || nowMs - received > QUIET_AFTER_MS))
    return stream.events === 0 ? 'empty' : 'quiet';
  const newest = Date.parse(stream.last_event_at ?? '');
  return nowMs - newest > PAST_AFTER_MS ? 'past' : 'receiving';
}

/** When any source of a stream brought something last; null before the first event. */
export function lastReceivedMs(stream: StreamDocument): number | null {
  const times = stream.sources.map((source) => Date.parse(source.last_received_at)).filter(Number.isFinite);
  return times.length > 0 ? Math.max(...times) : null;
}

/** How far the time up to which buckets are complete is behind the newest event. */
export function watermarkLagMs(stream: StreamDocument): number | null {
  const lag = Date.parse(stream.last_event_at ?? '') - Date.parse(stream.watermark ?? '');
  return Number.isFinite(lag) ? Math.max(0, lag) : null;
}

/** One thing that the health of the server hangs on. */
export interface Check {
  name:
    | 'state'
    | 'definitions'
    | 'journal'
    | 'disk'
    | 'history'
    | 'audit'
    | 'memory'
    | 'streams'
    | 'sources'
    | 'channels';
  tone: Tone;
  /** What is wrong in the server's words; null when it says nothing. */
  fault: string | null;
  /** How many of them are not well, where it is about several. */
  count: number;
}

/** Above this share of its memory the server begins to refuse. */
const MEMORY_TIGHT = 0.9;
/** With less than so many times the least free space the disk will soon take no events. */
const DISK_TIGHT = 2;

/** All checks, in the order in which a fault would be looked for. */
export function checksOf(status: StatusDocument): Check[] {
  const { journal, history, audit, memory, definitions } = status;
  const check = (name: Check['name'], tone: Tone, fault: string | null = null, count = 0): Check => ({
    name,
    tone,
    fault,
    count,
  });
  const lossy = [...status.streams, ...status.cubes].filter(({ failed }) => failed > 0);
  const failing = status.sources.filter(({ state }) => state !== 'ok');
  const stuck = status.channels.filter(({ error }) => error !== null);
  const isTight = memory.bytes_max > 0 && memory.bytes > memory.bytes_max * MEMORY_TIGHT;
  return [
    check('state', status.state === 'ready' ? 'good' : 'warning'),
    check('definitions', definitions.errors.length > 0 ? 'warning' : 'good', null, definitions.errors.length),
    check('journal', journalTone(journal.state), journal.fault),
    check('disk', diskTone(journal)),
    check(
      'history',
      history.state === 'failing' ? 'bad' : history.state === 'ok' ? 'good' : 'quiet',
      history.fault,
    ),
    check(
      'audit',
      audit.differences > 0 ? 'bad' : audit.fault ? 'warning' : 'good',
      audit.last_difference ?? audit.fault,
      audit.differences,
    ),
    check('memory', isTight ? 'warning' : 'good'),
    check(
      'streams',
      lossy.length > 0 ? 'bad' : 'good',
      lossy.map(({ name }) => name).join(', ') || null,
      lossy.length,
    ),
    check('sources', failing.length > 0 ? 'warning' : 'good', failing[0]?.last_error ?? null, failing.length),
    check('channels', stuck.length > 0 ? 'warning' : 'good', stuck[0]?.error ?? null, stuck.length),
  ];
}

function journalTone(state: string): Tone {
  if (state === 'writable') return 'good';
  return state === 'opening' ? 'quiet' : state === 'disk_low' ? 'warning' : 'bad';
}

function diskTone({ free_bytes, free_bytes_min }: StatusDocument['journal']): Tone {
  if (free_bytes === null) return 'quiet';
  if (free_bytes < free_bytes_min) return 'bad';
  return free_bytes < free_bytes_min * DISK_TIGHT ? 'warning' : 'good';
}

/** The worst of several. */
export function worst(tones: readonly Tone[]): Tone {
  for (const tone of ['bad', 'warning'] as const) if (tones.includes(tone)) return tone;
  return 'good';
}
