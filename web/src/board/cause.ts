import type { ExplainedPart, Figure, Incident } from '../api/types';
import { toNumber } from '../format/figure';
import { numberFormat } from '../format/units';

/** The slices that explain an incident, where they say more than its own slice does. */
export function partsBeyond(incident: Pick<Incident, 'slice' | 'explanation'>): ExplainedPart[] {
  const parts = incident.explanation?.parts ?? [];
  const [only] = parts;
  if (only === undefined) return [];
  const isItsOwn = Object.entries(only.slice).every(
    ([dimension, value]) => incident.slice[dimension] === value,
  );
  return parts.length === 1 && isItsOwn ? [] : parts;
}

/**
 * Incidents that stand by themselves, in their order, and those that are part of each. One whose leader is not at hand, or
 * is over before it, stands by itself.
 */
export function byCause(incidents: readonly Incident[]): {
  leaders: Incident[];
  partsOf: (leader: Incident) => readonly Incident[];
} {
  const known = new Map(incidents.map((incident) => [incident.id, incident]));
  const isLed = (incident: Incident, leader: Incident) =>
    leader.state !== 'resolved' || incident.state === 'resolved';
  /** Up to where nothing leads; an incident that leads back to itself stands by itself. */
  const rootOf = (incident: Incident): Incident => {
    let at = incident;
    for (let steps = 0; steps < incidents.length; steps += 1) {
      const leader = at.part_of ? known.get(at.part_of) : undefined;
      if (!leader || !isLed(at, leader)) return at;
      if (leader.id === incident.id) return incident;
      at = leader;
    }
    return incident;
  };
  const parts = new Map<string, Incident[]>();
  const leaders: Incident[] = [];
  for (const incident of incidents) {
    const root = rootOf(incident);
    if (root.id === incident.id) leaders.push(incident);
    else parts.set(root.id, [...(parts.get(root.id) ?? []), incident]);
  }
  return { leaders, partsOf: (leader) => parts.get(leader.id) ?? [] };
}

/** A share of the whole change, in whole percent; never above the whole, though other slices may have gone the other way. */
export function shareText(share: Figure | null, locale: string): string {
  const part = Math.min(Math.max(toNumber(share) ?? 0, 0), 1);
  return numberFormat(locale, { style: 'percent', maximumFractionDigits: 0 }).format(part);
}
