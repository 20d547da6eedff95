import type { Figure, Incident, Severity } from '../api/types';
import { byCause } from '../board/cause';
import { sumFigures } from '../format/decimal';

/** `active` is all that goes on, taken or not; it is what the inbox shows unless told. */
export const STATES = ['active', 'open', 'acknowledged', 'resolved', 'all'] as const;
export type StateFilter = (typeof STATES)[number];

export const SEVERITIES = ['critical', 'warning', 'info'] as const satisfies readonly Severity[];

/** What the inbox shows. */
export interface InboxFilter {
  state: StateFilter;
  /** None chosen means all. */
  severities: readonly Severity[];
  monitor: string | null;
  metric: string | null;
  text: string;
}

/** Reads untrusted URL parameters: what is not understood is dropped, never guessed. */
export function readFilter(search: Readonly<Record<string, string>>): InboxFilter {
  const severities = (search.severity ?? '').split(',');
  return {
    state: STATES.find((state) => state === search.state) ?? 'active',
    severities: SEVERITIES.filter((severity) => severities.includes(severity)),
    monitor: search.monitor || null,
    metric: search.metric || null,
    text: search.q ?? '',
  };
}

/** The shortest address that reads the same. */
export function writeFilter(filter: InboxFilter): Record<string, string> {
  const search: Record<string, string> = {};
  if (filter.state !== 'active') search.state = filter.state;
  if (filter.severities.length > 0) search.severity = filter.severities.join(',');
  if (filter.monitor) search.monitor = filter.monitor;
  if (filter.metric) search.metric = filter.metric;
  if (filter.text.trim()) search.q = filter.text;
  return search;
}

/** Whether something is hidden beyond what the state hides. */
export function isNarrowed({ severities, monitor, metric, text }: InboxFilter): boolean {
  return severities.length > 0 || monitor !== null || metric !== null || text.trim() !== '';
}

/** Says of an incident all that a person might search for. */
export type WordsOf = (incident: Incident) => string;

function isInState(incident: Incident, state: StateFilter): boolean {
  if (state === 'all') return true;
  return state === 'active' ? incident.state !== 'resolved' : incident.state === state;
}

/** Whether an incident is wanted. Every word of the search has to be in it somewhere. */
export function isWanted(incident: Incident, filter: InboxFilter, wordsOf: WordsOf): boolean {
  if (!isInState(incident, filter.state)) return false;
  if (filter.severities.length > 0 && !filter.severities.includes(incident.severity)) return false;
  if (filter.monitor !== null && incident.monitor !== filter.monitor) return false;
  if (filter.metric !== null && incident.metric !== filter.metric) return false;
  const terms = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  if (terms.length === 0) return true;
  const words = wordsOf(incident).toLowerCase();
  return terms.every((term) => words.includes(term));
}

/** Incidents of one cause: the first, and those that are part of it. */
export interface Group {
  leader: Incident;
  parts: readonly Incident[];
}

/**
 * The wanted incidents under what leads them. A leader that is wanted brings all its parts; one that is not stands above
 * those of its parts that are, since without it they would be out of place.
 */
export function groupsOf(incidents: readonly Incident[], filter: InboxFilter, wordsOf: WordsOf): Group[] {
  const { leaders, partsOf } = byCause(incidents);
  return leaders.flatMap((leader) => {
    const parts = partsOf(leader);
    if (isWanted(leader, filter, wordsOf)) return [{ leader, parts }];
    const wanted = parts.filter((part) => isWanted(part, filter, wordsOf));
    return wanted.length > 0 ? [{ leader, parts: wanted }] : [];
  });
}

/**
 * What is at stake in all of them, by unit, the largest first. Parts have the cause of their leader, so their money is
 * in its figure already.
 */
export function atStake(groups: readonly Group[]): { unit: string | null; value: Figure }[] {
  const byUnit = new Map<string | null, Figure[]>();
  for (const { leader } of groups) {
    const { impact } = leader;
    // What passed meanwhile is more than what is at stake, by nobody knows how much.
    if (!impact || impact.value === null || impact.of === 'passed') continue;
    byUnit.set(impact.unit, [...(byUnit.get(impact.unit) ?? []), impact.value]);
  }
  return [...byUnit]
    .map(([unit, values]) => ({ unit, value: sumFigures(values) }))
    .sort((a, b) => Number(b.value) - Number(a.value));
}

/** All names of one kind among incidents, in their order, with the chosen one even if no incident has it. */
export function choices(
  incidents: readonly Incident[],
  key: 'monitor' | 'metric',
  chosen: string | null,
): string[] {
  const names = new Set(incidents.map((incident) => incident[key]));
  if (chosen !== null) names.add(chosen);
  return [...names].sort();
}
