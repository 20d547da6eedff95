import type { Incident, Severity } from '../api/types';

const severityRank: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

/** Adds or replaces incidents by id. An older state of an incident never replaces a newer one. */
export function mergeIncidents(
  known: ReadonlyMap<string, Incident>,
  incoming: readonly Incident[],
): Map<string, Incident> {
  const merged = new Map(known);
  for (const incident of incoming) {
    const old = merged.get(incident.id);
    if (old && Date.parse(old.updated_at) > Date.parse(incident.updated_at)) continue;
    merged.set(incident.id, incident);
  }
  return merged;
}

/** Unresolved first, then by severity, then the newest first. */
export function sortIncidents(incidents: Iterable<Incident>): Incident[] {
  return [...incidents].sort(
    (a, b) =>
      Number(a.state === 'resolved') - Number(b.state === 'resolved') ||
      (a.state === 'resolved' ? 0 : severityRank[a.severity] - severityRank[b.severity]) ||
      Date.parse(b.started_at) - Date.parse(a.started_at) ||
      (a.id < b.id ? -1 : 1),
  );
}

/** The page keeps at most this many incidents; the oldest resolved ones go first. */
export const INCIDENTS_HELD_MAX = 500;

export function capIncidents(incidents: Map<string, Incident>): Map<string, Incident> {
  if (incidents.size <= INCIDENTS_HELD_MAX) return incidents;
  return new Map(
    sortIncidents(incidents.values())
      .slice(0, INCIDENTS_HELD_MAX)
      .map((incident) => [incident.id, incident]),
  );
}
