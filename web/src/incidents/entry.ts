import type { Incident, TimelineEntry } from '../api/types';

/** An entry of a timeline, taken apart where the server's words are known. */
export interface ReadEntry {
  kind: string;
  by: string | null;
  note: string | null;
  verdict: 'real' | 'false_alarm' | null;
  silencedUntil: string | null;
  /** What is left to be shown as it was written. */
  text: string;
}

/** What people do is written as `<what> by <who>: <why>`, of which all but the first may be absent. */
const deeds: [kind: string, what: RegExp][] = [
  ['acknowledged', /^acknowledged$/],
  ['resolved', /^resolved$/],
  ['note', /^noted$/],
  ['feedback', /^called (real|a false alarm)$/],
  ['updated', /^silenced until (\S+)$/],
];

const DEED =
  /^(acknowledged|resolved|noted|called real|called a false alarm|silenced until \S+?)(?: by ([^:]+))?(?:: ([\s\S]*))?$/;

/** Takes an entry apart, so that it can be said in the reader's language; what people wrote stays as it is. */
export function readEntry({ kind, text }: Pick<TimelineEntry, 'kind' | 'text'>): ReadEntry {
  const plain: ReadEntry = { kind, by: null, note: null, verdict: null, silencedUntil: null, text };
  const match = DEED.exec(text);
  const deed = deeds.find(([one]) => one === kind);
  const what = match?.[1] && deed?.[1].exec(match[1]);
  if (!match || !what) return plain;
  const isSilence = kind === 'updated';
  return {
    kind: isSilence ? 'silenced' : kind,
    by: match[2]?.trim() || null,
    note: match[3]?.trim() || null,
    verdict: kind === 'feedback' ? (what[1] === 'real' ? 'real' : 'false_alarm') : null,
    silencedUntil: isSilence ? (what[1] ?? null) : null,
    text: '',
  };
}

/** Whether and until when nothing is announced, as of now. */
export function silencedUntilMs(
  { silenced_until, state }: Pick<Incident, 'silenced_until' | 'state'>,
  nowMs: number,
): number | null {
  const untilMs = silenced_until ? Date.parse(silenced_until) : Number.NaN;
  return state !== 'resolved' && untilMs > nowMs ? untilMs : null;
}
