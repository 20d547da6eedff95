import { queryOptions, useQueries, useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { ApiError, getJson } from '../api/client';
import { incidentPath, type SeriesQuery, seriesPath } from '../api/paths';
import { boardQuery, boardsQuery } from '../api/queries';
import { getSeries } from '../api/series';
import type { Incident, Localized, SeriesDocument } from '../api/types';
import { hasFigure } from '../charts/total';
import { useSpeech } from '../i18n/hooks';
import { apiDuration } from '../state/range';
import { type Around, coarserSteps, widened } from './around';

const HEAL_INTERVAL_MS = 3_000;
/** The stream tells changes; this is for an incident that is too old to be in its snapshots. */
const INCIDENT_INTERVAL_MS = 60_000;
const WATCH_INTERVAL_MS = 30_000;
/** As many incidents as the server lists at once, unless its limits say less. */
export const LISTED_MAX = 1_000;

function interval(ms: number) {
  return ({ state }: { state: { error: Error | null } }) =>
    state.error instanceof ApiError && state.error.isTransient ? HEAL_INTERVAL_MS : ms;
}

export function incidentQuery(id: string) {
  return queryOptions({
    queryKey: ['incident', id],
    queryFn: ({ signal }) => getJson<Incident>(incidentPath(id), signal),
    staleTime: 0,
    refetchInterval: interval(INCIDENT_INTERVAL_MS),
    retry: false,
  });
}

/** Incidents beyond those that the live list begins with. */
export const olderQuery = queryOptions({
  queryKey: ['incidents', 'older'],
  queryFn: async ({ signal }) =>
    (await getJson<{ incidents: Incident[] }>(`/v1/incidents?limit=${LISTED_MAX}`, signal)).incidents,
  staleTime: INCIDENT_INTERVAL_MS,
  refetchInterval: interval(INCIDENT_INTERVAL_MS),
  retry: false,
});

/** All that goes on, however old: the live list begins with the newest, of any state. */
export const ongoingQuery = queryOptions({
  queryKey: ['incidents', 'ongoing'],
  queryFn: async ({ signal }) => {
    const ask = (state: string) =>
      getJson<{ incidents: Incident[] }>(`/v1/incidents?state=${state}&limit=${LISTED_MAX}`, signal);
    const lists = await Promise.all([ask('open'), ask('acknowledged')]);
    return lists.flatMap(({ incidents }) => incidents);
  },
  staleTime: INCIDENT_INTERVAL_MS,
  refetchInterval: interval(INCIDENT_INTERVAL_MS),
  retry: false,
});

/** What this page asks of a monitor. */
export interface WatchingMonitor {
  name: string;
  detect: unknown;
  last_judged_at: string | null;
  slices: number;
  learning: boolean;
  error: string | null;
}

export const watchQuery = queryOptions({
  queryKey: ['incidents', 'watch'],
  queryFn: async ({ signal }) =>
    (await getJson<{ monitors: WatchingMonitor[] }>('/v1/monitors', signal)).monitors,
  staleTime: WATCH_INTERVAL_MS,
  refetchInterval: interval(WATCH_INTERVAL_MS),
  retry: false,
});

/** A course of the past, in the finest step that there is anything in. */
export function pastQuery(metric: string, where: Record<string, string>, window: Around & { toMs: number }) {
  const ask = (one: Around & { toMs: number }) => courseQuestion(metric, where, one);
  return queryOptions({
    queryKey: ['incident-course', seriesPath(ask(window))],
    queryFn: async ({ signal }): Promise<SeriesDocument> => {
      const first = await getSeries(ask(window), 'present', signal);
      if (hasFigure(first)) return first;
      for (const stepMs of coarserSteps(window.stepMs)) {
        const document = await getSeries(ask(widened(window, stepMs)), 'present', signal);
        if (hasFigure(document)) return document;
      }
      return first;
    },
    staleTime: INCIDENT_INTERVAL_MS,
    refetchInterval: interval(INCIDENT_INTERVAL_MS),
    retry: false,
  });
}

export function courseQuestion(metric: string, where: Record<string, string>, window: Around): SeriesQuery {
  const { fromMs, toMs, stepMs } = window;
  const to = toMs === null ? 'now' : String(toMs);
  return { metric, from: String(fromMs), to, step: apiDuration(stepMs), by: [], where };
}

/** The figures of all slices by some dimensions over one stretch of time. */
export function besideQuery(metric: string, by: string[], fromMs: number, toMs: number) {
  const step = apiDuration(Math.max(1_000, toMs - fromMs));
  const question = { metric, from: String(fromMs), to: String(toMs), step, by, where: {}, limit: 60 };
  return queryOptions({
    queryKey: ['incident-beside', seriesPath(question)],
    queryFn: ({ signal }) => getSeries(question, 'past', signal),
    staleTime: INCIDENT_INTERVAL_MS,
    refetchInterval: interval(INCIDENT_INTERVAL_MS),
    retry: false,
  });
}

/** What a metric is called in the reader's language, where need be by a board. */
export function useMetricTitle(): (metric: string) => string {
  const speech = useSpeech();
  const boards = useQuery(boardsQuery);
  const found = useQueries({
    queries: (boards.data ?? []).map(({ name }) => boardQuery(name)),
    combine: combineTitles,
  });
  const titles = useMemo(() => new Map(found), [found]);
  return useCallback((metric) => speech.metric(metric, titles.get(metric)), [titles, speech]);
}

/** Titles of charts and of tiles that show all of a metric; that of a tile with a filter names a part of it. */
function combineTitles(results: { data?: BoardPanels | undefined }[]): [string, Localized][] {
  const titles = new Map<string, Localized>();
  for (const { data } of results) {
    if (!data) continue;
    const whole = data.tiles.filter(({ where }) => Object.keys(where ?? {}).length === 0);
    for (const { metric, title } of [...whole, ...data.charts]) {
      if (!titles.has(metric)) titles.set(metric, title);
    }
  }
  return [...titles];
}

interface BoardPanels {
  tiles: { metric: string; title: Localized; where?: Record<string, string> }[];
  charts: { metric: string; title: Localized }[];
}
