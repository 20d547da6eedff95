import { queryOptions, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { type SeriesQuery, seriesPath } from '../api/paths';
import { healing } from '../api/queries';
import { getSeries } from '../api/series';
import type { SeriesDocument } from '../api/types';
import { useHub } from '../live/hooks';
import type { FollowKind, LiveSeries } from '../live/hub';

/** What ended long ago is changed by nothing but very late events. */
const STILL_MS = 60_000;

export interface Answer {
  document: SeriesDocument | null;
  error: Error | null;
}

const nothing: LiveSeries = { document: null, error: null, receivedAtMs: null };
const listenToNothing = () => () => {};
const getNothing = () => nothing;

export function stillQuery(query: SeriesQuery) {
  return queryOptions({
    queryKey: ['still', seriesPath(query)],
    queryFn: ({ signal }) => getSeries(query, 'present', signal),
    staleTime: STILL_MS,
    refetchInterval: (query) => healing(query) || STILL_MS,
    retry: false,
  });
}

/** A series that moves with the stream, or one of a time that is over. Null asks for nothing. */
export function useAnswer(
  cube: string,
  query: SeriesQuery | null,
  kind: FollowKind,
  isLive: boolean,
): Answer {
  const hub = useHub();
  const key = query ? seriesPath(query) : '';
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key is the query's identity
  const stable = useMemo(() => query, [key]);
  const followed = isLive ? stable : null;
  const store = useMemo(
    () => (followed ? hub.series(cube, followed, kind) : null),
    [hub, cube, followed, kind],
  );
  useEffect(() => (followed ? hub.follow(cube, followed, kind) : undefined), [hub, cube, followed, kind]);
  const live = useSyncExternalStore(store?.subscribe ?? listenToNothing, store?.get ?? getNothing);
  const isStill = !isLive && stable !== null;
  const still = useQuery({ ...stillQuery(stable ?? NO_QUERY), enabled: isStill });
  return isStill ? { document: still.data ?? null, error: still.error } : live;
}

/** What a disabled query is given; it is never asked. */
const NO_QUERY: SeriesQuery = { metric: '', from: '', to: '', step: '', by: [], where: {} };

/** The last document until the next one of the same kind has come, so that a click does not empty the page. */
export function useHeld(document: SeriesDocument | null, kind: string): SeriesDocument | null {
  const held = useRef<{ kind: string; document: SeriesDocument } | null>(null);
  useEffect(() => {
    if (document) held.current = { kind, document };
  }, [document, kind]);
  return document ?? (held.current?.kind === kind ? held.current.document : null);
}
