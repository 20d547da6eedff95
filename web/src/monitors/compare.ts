import type { BacktestAnswer, BacktestIncident } from './types';

/** Which version would have found it. */
export type Group = 'both' | 'existing' | 'proposed';

/** One thing that happened, and what each version made of it. */
export interface Row {
  key: string;
  group: Group;
  /** As the proposed version saw it, or the one that did. */
  shown: BacktestIncident;
  existing: BacktestIncident | null;
  proposed: BacktestIncident | null;
  /** By how much later the proposed version would have opened it, in seconds; negative when earlier. */
  laterS: number | null;
  startMs: number;
  endMs: number;
}

/** What both versions, or the only one, would have found; the newest first. */
export function rowsOf(answer: BacktestAnswer): Row[] {
  const toMs = Date.parse(answer.to);
  const make = (
    group: Group,
    existing: BacktestIncident | null,
    proposed: BacktestIncident | null,
    laterS: number | null = null,
  ): Row[] => {
    const shown = proposed ?? existing;
    if (!shown) return [];
    const { incident } = shown;
    return [
      {
        key: `${existing?.incident.id ?? ''}/${proposed?.incident.id ?? ''}`,
        group,
        shown,
        existing,
        proposed,
        laterS,
        startMs: Date.parse(incident.started_at),
        endMs: incident.resolved_at === null ? toMs : Date.parse(incident.resolved_at),
      },
    ];
  };
  const { existing, proposed, comparison } = answer;
  let rows: Row[];
  if (existing && proposed && comparison) {
    const byId = (incidents: readonly BacktestIncident[]) =>
      new Map(incidents.map((one) => [one.incident.id, one]));
    const [a, b] = [byId(existing.incidents), byId(proposed.incidents)];
    rows = [
      ...comparison.both.flatMap((pair) => {
        const [first, second] = [a.get(pair.existing), b.get(pair.proposed)];
        return first && second ? make('both', first, second, pair.later_s) : [];
      }),
      ...comparison.only_existing.flatMap((id) => make('existing', a.get(id) ?? null, null)),
      ...comparison.only_proposed.flatMap((id) => make('proposed', null, b.get(id) ?? null)),
    ];
  } else {
    rows = [
      ...(existing?.incidents ?? []).flatMap((one) => make('existing', one, null)),
      ...(proposed?.incidents ?? []).flatMap((one) => make('proposed', null, one)),
    ];
  }
  return rows.sort((x, y) => y.startMs - x.startMs || (x.key < y.key ? -1 : 1));
}

export interface Week {
  fromMs: number;
  toMs: number;
  existing: number;
  proposed: number;
  /** Whether the test covers all seven days. */
  isWhole: boolean;
}

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

/** Incidents by the seven days in which they would have opened, counted back from the end of the test; the oldest first. */
export function weeksOf(answer: BacktestAnswer): Week[] {
  const [fromMs, toMs] = [Date.parse(answer.from), Date.parse(answer.to)];
  const weeks: Week[] = [];
  for (let end = toMs; end > fromMs; ) {
    // A test begins at a whole hour: what is left over of that makes no week of its own.
    const isOldest = end - WEEK_MS - fromMs < DAY_MS;
    const begin = isOldest ? fromMs : end - WEEK_MS;
    weeks.unshift({ fromMs: begin, toMs: end, existing: 0, proposed: 0, isWhole: end - begin >= WEEK_MS });
    end = begin;
  }
  for (const version of ['existing', 'proposed'] as const) {
    for (const { incident } of answer[version]?.incidents ?? []) {
      const at = Math.min(Math.max(Date.parse(incident.opened_at), fromMs), toMs - 1);
      const week = weeks.find((one) => at >= one.fromMs && at < one.toMs);
      if (week) week[version] += 1;
    }
  }
  return weeks;
}

/** The middle one of the delays, in seconds; null where nothing was found. */
export function medianDelay(incidents: readonly BacktestIncident[]): number | null {
  const delays = incidents.map(({ delay_s }) => delay_s).sort((a, b) => a - b);
  const middle = Math.floor(delays.length / 2);
  const upper = delays[middle];
  if (upper === undefined) return null;
  return delays.length % 2 === 1 ? upper : (upper + (delays[middle - 1] ?? upper)) / 2;
}
