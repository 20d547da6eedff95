import type { IncidentActionName } from '../api/paths';
import type { Incident, TimelineEntry } from '../api/types';

/** How long an incident can be silenced from the page, as the API writes it. */
export const SILENCES = ['30m', '1h', '4h', '8h', '1d', '3d', '7d'] as const;
export type SilenceLength = (typeof SILENCES)[number];

/** Something that a person does about an incident. */
export interface Act {
  action: IncidentActionName;
  by: string;
  note: string;
  verdict?: 'real' | 'false_alarm';
  silence?: SilenceLength;
}

/** What is sent; nothing is said of what was left empty. */
export function bodyOf({ by, note, verdict, silence }: Act): Record<string, string> {
  return {
    ...(by.trim() ? { by: by.trim() } : {}),
    ...(note.trim() ? { note: note.trim() } : {}),
    ...(verdict ? { verdict } : {}),
    ...(silence ? { for: silence } : {}),
  };
}

const unitMs: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

export function silenceMs(length: SilenceLength): number {
  return Number(length.slice(0, -1)) * (unitMs[length.slice(-1)] ?? 0);
}

/**
 * The incident as it will be if the server agrees. Nothing of it is kept: the page shows it while the call is under way,
 * marked as such, and then what the server says.
 */
export function withAct(incident: Incident, act: Act, nowMs: number): Incident {
  const at = new Date(nowMs).toISOString();
  const entry = (kind: string, what: string): TimelineEntry => {
    const by = act.by.trim() ? ` by ${act.by.trim()}` : '';
    const note = act.note.trim() ? `: ${act.note.trim()}` : '';
    return { at, kind, text: `${what}${by}${note}` };
  };
  const also = (added: TimelineEntry) => ({ timeline: [...incident.timeline, added] });
  switch (act.action) {
    case 'acknowledge':
      return { ...incident, state: 'acknowledged', ...also(entry('acknowledged', 'acknowledged')) };
    case 'resolve':
      return { ...incident, state: 'resolved', resolved_at: at, ...also(entry('resolved', 'resolved')) };
    case 'silence': {
      const until = new Date(nowMs + silenceMs(act.silence ?? '1h')).toISOString();
      return { ...incident, silenced_until: until, ...also(entry('updated', `silenced until ${until}`)) };
    }
    case 'feedback': {
      const what = act.verdict === 'real' ? 'called real' : 'called a false alarm';
      return { ...incident, verdict: act.verdict ?? null, ...also(entry('feedback', what)) };
    }
    case 'note':
      return { ...incident, ...also(entry('note', 'noted')) };
  }
}

/** Of two states of one incident the newer. Notes and verdicts do not count as changes, but the timeline tells them. */
export function newerOf(a: Incident | undefined, b: Incident | undefined): Incident | undefined {
  if (!a || !b) return a ?? b;
  const [atA, atB] = [Date.parse(a.updated_at), Date.parse(b.updated_at)];
  if (atA !== atB) return atA > atB ? a : b;
  return b.timeline.length > a.timeline.length ? b : a;
}
