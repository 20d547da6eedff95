import { queryOptions } from '@tanstack/react-query';
import { ApiError, getJson } from '../api/client';
import type { ServerStatus } from '../api/types';
import type { Monitor, Silence } from './types';

/** Windows are judged every few seconds to minutes; the list follows without a stream of its own. */
const MONITORS_INTERVAL_MS = 10_000;
const HEAL_INTERVAL_MS = 3_000;
const CHANNELS_STALE_MS = 60_000;

export const monitorsQuery = queryOptions({
  queryKey: ['monitors'],
  queryFn: async ({ signal }) => (await getJson<{ monitors: Monitor[] }>('/v1/monitors', signal)).monitors,
  refetchInterval: ({ state: { error } }) =>
    error instanceof ApiError && error.isTransient ? HEAL_INTERVAL_MS : MONITORS_INTERVAL_MS,
  retry: false,
});

/** What is not announced for a while: those that end first before the others. */
export const silencesQuery = queryOptions({
  queryKey: ['silences'],
  queryFn: async ({ signal }) => (await getJson<{ silences: Silence[] }>('/v1/silences', signal)).silences,
  refetchInterval: MONITORS_INTERVAL_MS,
  retry: false,
});

interface StatusOfMonitors extends ServerStatus {
  channels?: { name: string; kind: string }[];
}

/** What the status says that a form can offer: the channels that are active, and how far events have come. */
export const surroundingsQuery = queryOptions({
  queryKey: ['monitors', 'surroundings'],
  queryFn: async ({ signal }) => {
    const status = await getJson<StatusOfMonitors>('/v1/status', signal);
    const marks = status.streams.map(({ watermark }) => Date.parse(watermark ?? '')).filter(Number.isFinite);
    return {
      channels: (status.channels ?? []).map(({ name, kind }) => ({ name, kind })),
      watermarkMs: marks.length > 0 ? Math.max(...marks) : null,
    };
  },
  staleTime: CHANNELS_STALE_MS,
  refetchInterval: ({ state: { error } }) =>
    error instanceof ApiError && error.isTransient ? HEAL_INTERVAL_MS : false,
  retry: false,
});
