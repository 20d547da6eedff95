import type { Incident } from '../api/types';

/** An incident as a chart shows it: when it began, and how long it lasted or has lasted. */
export interface Marker {
  incident: Incident;
  startMs: number;
  endMs: number;
}

/** A chart with more markers than this would show nothing else. */
export const MARKERS_MAX = 12;

/** Incidents of a metric that overlap a window, newest first. */
export function markersFor(
  incidents: readonly Incident[],
  metric: string,
  fromMs: number,
  toMs: number,
): Marker[] {
  return incidents
    .filter((incident) => incident.metric === metric)
    .map((incident) => ({
      incident,
      startMs: Date.parse(incident.started_at),
      endMs: incident.resolved_at === null ? toMs : Date.parse(incident.resolved_at),
    }))
    .filter(({ startMs, endMs }) => startMs <= toMs && endMs >= fromMs)
    .sort((a, b) => b.startMs - a.startMs)
    .slice(0, MARKERS_MAX);
}
