import type { Incident } from '../api/types';
import { isSame } from './levels';

/** Incidents that have to do with one, each told once. */
export interface Related {
  /** What it is part of; the id alone where the incident itself is not at hand. */
  leader: Incident | null;
  leaderId: string | null;
  parts: Incident[];
  /** Parts that are not at hand. */
  partIds: string[];
  sameSlice: Incident[];
  sameMonitor: Incident[];
}

const SHOWN_MAX = 5;

export function relatedTo(incident: Incident, all: readonly Incident[]): Related {
  const told = new Set([incident.id]);
  const take = (found: readonly Incident[], max = Number.POSITIVE_INFINITY) => {
    const fresh = found.filter(({ id }) => !told.has(id)).slice(0, max);
    for (const { id } of fresh) told.add(id);
    return fresh;
  };
  const newest = [...all].sort((a, b) => Date.parse(b.started_at) - Date.parse(a.started_at));
  const leaderId = incident.part_of ?? null;
  const [leader = null] = take(newest.filter(({ id }) => id === leaderId));
  const named = new Set(incident.parts ?? []);
  const parts = take(newest.filter(({ id, part_of }) => part_of === incident.id || named.has(id)));
  const partIds = [...named].filter((id) => !told.has(id));
  // All traffic is no slice that two metrics have in common.
  const isAlike = (other: Incident) =>
    isSame(other.slice, incident.slice) &&
    (other.metric === incident.metric || Object.keys(incident.slice).length > 0);
  const sameSlice = take(newest.filter(isAlike), SHOWN_MAX);
  const sameMonitor = take(
    newest.filter(({ monitor }) => monitor === incident.monitor),
    SHOWN_MAX,
  );
  return { leader, leaderId, parts, partIds, sameSlice, sameMonitor };
}

export function isLonely(related: Related): boolean {
  const { leaderId, parts, partIds, sameSlice, sameMonitor } = related;
  return leaderId === null && [parts, partIds, sameSlice, sameMonitor].every(({ length }) => length === 0);
}
