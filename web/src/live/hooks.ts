import { createContext, useContext, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { type SeriesQuery, seriesPath } from '../api/paths';
import {
  type FollowKind,
  type Health,
  HIDDEN_GRACE_MS,
  type IncidentFeed,
  type LiveHub,
  type LiveSeries,
} from './hub';

export const LiveContext = createContext<LiveHub | null>(null);

export function useHub(): LiveHub {
  const hub = useContext(LiveContext);
  if (!hub) throw new Error('no LiveContext above this component');
  return hub;
}

/** Pauses the hub in hidden tabs and wakes it with the network. */
export function useHubLifecycle(hub: LiveHub): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const onVisibility = () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      if (document.hidden) timer = setTimeout(() => hub.pause(), HIDDEN_GRACE_MS);
      else hub.resume();
    };
    const onOnline = () => hub.retryNow();
    document.addEventListener('visibilitychange', onVisibility);
    window.addEventListener('online', onOnline);
    return () => {
      if (timer !== null) clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisibility);
      window.removeEventListener('online', onOnline);
    };
  }, [hub]);
}

/** Follows a series, or one figure over the whole window, for as long as the component is mounted. */
export function useLiveSeries(cube: string, query: SeriesQuery, kind: FollowKind): LiveSeries {
  const hub = useHub();
  const key = seriesPath(query);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key is the query's identity
  const stable = useMemo(() => query, [key]);
  const store = useMemo(() => hub.series(cube, stable, kind), [hub, cube, stable, kind]);
  useEffect(() => hub.follow(cube, stable, kind), [hub, cube, stable, kind]);
  return useSyncExternalStore(store.subscribe, store.get);
}

export function useIncidents(): IncidentFeed {
  const hub = useHub();
  useEffect(() => hub.followIncidents(), [hub]);
  return useSyncExternalStore(hub.incidents.subscribe, hub.incidents.get);
}

export function useHealth(): Health {
  const hub = useHub();
  return useSyncExternalStore(hub.health.subscribe, hub.health.get);
}

/** How far the cubes have come that somebody looks at. */
export function useWatermarks(): ReadonlyMap<string, number | null> {
  const hub = useHub();
  return useSyncExternalStore(hub.watermarks.subscribe, hub.watermarks.get);
}

/** Calls `listener` at each beat of a cube. */
export function useBeat(cube: string, listener: () => void): void {
  const hub = useHub();
  useEffect(() => hub.beat(cube).listen(listener), [hub, cube, listener]);
}

/** The local time, renewed every `intervalMs`. */
export function useTick(intervalMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), intervalMs);
    return () => clearInterval(timer);
  }, [intervalMs]);
  return now;
}
