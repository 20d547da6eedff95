import type { Severity } from '../api/types';
import { detectorOf, type MonitorState, stateOf, states } from './state';
import { type DetectorName, detectorNames, type Monitor, severities } from './types';

export const orders = ['urgency', 'name', 'judged'] as const;
export type Order = (typeof orders)[number];

/** What the address of the list says. */
export interface ListSearch {
  q?: string;
  state?: MonitorState;
  severity?: Severity;
  detect?: DetectorName;
  order?: Order;
}

function oneOf<T extends string>(all: readonly T[], value: string | undefined): T | undefined {
  return all.find((one) => one === value);
}

/** Reads an untrusted address: what is not understood is dropped. */
export function readList(raw: Readonly<Record<string, string>>): ListSearch {
  const search: ListSearch = {};
  if (raw.q) search.q = raw.q.slice(0, 200);
  const state = oneOf(states, raw.state);
  const severity = oneOf(severities, raw.severity);
  const detect = oneOf(detectorNames, raw.detect);
  const order = oneOf(orders, raw.order);
  if (state) search.state = state;
  if (severity) search.severity = severity;
  if (detect) search.detect = detect;
  if (order && order !== 'urgency') search.order = order;
  return search;
}

export function writeList(search: ListSearch): Record<string, string> {
  return Object.fromEntries(
    Object.entries(search).filter(
      (entry): entry is [string, string] => Boolean(entry[1]) && entry[1] !== ('urgency' satisfies Order),
    ),
  );
}

export interface Listed {
  monitor: Monitor;
  state: MonitorState;
}

/** Every word has to stand in the name, the metric, a dimension, a channel or the detector. */
export function matches(monitor: Monitor, q: string): boolean {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const parts = [monitor.name, monitor.metric, ...monitor.by, ...monitor.notify, detectorOf(monitor)];
  const text = parts.join(' ').toLowerCase();
  return words.every((word) => text.includes(word) || text.replaceAll('_', ' ').includes(word));
}

const severityRank: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

/** The monitors that an address asks for, in its order, and how many of each state all other filters leave. */
export function listed(
  monitors: readonly Monitor[],
  search: ListSearch,
  nowMs: number,
): { rows: Listed[]; counts: Record<MonitorState, number>; total: number } {
  const counts = Object.fromEntries(states.map((state) => [state, 0])) as Record<MonitorState, number>;
  const left: Listed[] = [];
  for (const monitor of monitors) {
    const state = stateOf(monitor, nowMs);
    if (search.severity && monitor.severity !== search.severity) continue;
    if (search.detect && detectorOf(monitor) !== search.detect) continue;
    if (search.q && !matches(monitor, search.q)) continue;
    counts[state] += 1;
    left.push({ monitor, state });
  }
  const rows = left.filter(({ state }) => !search.state || state === search.state);
  rows.sort((a, b) => compare(a, b, search.order ?? 'urgency'));
  return { rows, counts, total: left.length };
}

function compare(a: Listed, b: Listed, order: Order): number {
  const byName = a.monitor.name < b.monitor.name ? -1 : a.monitor.name > b.monitor.name ? 1 : 0;
  if (order === 'name') return byName;
  if (order === 'judged') {
    const judged = ({ monitor }: Listed) => Date.parse(monitor.last_judged_at ?? '') || 0;
    return judged(b) - judged(a) || byName;
  }
  return (
    states.indexOf(a.state) - states.indexOf(b.state) ||
    severityRank[a.monitor.severity] - severityRank[b.monitor.severity] ||
    byName
  );
}
