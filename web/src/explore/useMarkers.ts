import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { getJson } from '../api/client';
import { healing } from '../api/queries';
import type { Incident } from '../api/types';
import { type Marker, markersFor } from '../charts/markers';
import { useIncidents } from '../live/hooks';
import { concerns } from './anomalies';

/** The live list begins with so many of the latest; what is older is fetched where it is looked at. */
const LATEST = 200;
const ALL_MAX = 1_000;
const STALE_MS = 60_000;

const olderQuery = {
  queryKey: ['incidents', 'older'],
  queryFn: async ({ signal }: { signal: AbortSignal }) =>
    (await getJson<{ incidents: Incident[] }>(`/v1/incidents?limit=${ALL_MAX}`, signal)).incidents,
  staleTime: STALE_MS,
  refetchInterval: (query: Parameters<typeof healing>[0]) => healing(query) || STALE_MS,
  retry: false,
} as const;

/** The incidents of a metric and a slice within a stretch of time. */
export function useMarkers(
  metric: string,
  where: Readonly<Record<string, readonly string[]>>,
  only: readonly Readonly<Record<string, string | null>>[],
  fromMs: number,
  toMs: number,
): Marker[] {
  const { incidents } = useIncidents();
  const oldestMs = useMemo(
    () => Math.min(...incidents.map(({ started_at }) => Date.parse(started_at))),
    [incidents],
  );
  const older = useQuery({ ...olderQuery, enabled: incidents.length >= LATEST && fromMs < oldestMs });
  return useMemo(() => {
    const known = new Map([...(older.data ?? []), ...incidents].map((incident) => [incident.id, incident]));
    const found = [...known.values()].filter((incident) => concerns(incident, metric, where, only));
    return markersFor(found, metric, fromMs, toMs);
  }, [incidents, older.data, metric, where, only, fromMs, toMs]);
}
