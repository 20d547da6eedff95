import {
  createContext,
  type RefObject,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { type SeriesQuery, seriesPath } from '../api/paths';
import {
  type FollowKind,
  type Health,
  HIDDEN_GRACE_MS,
  type IncidentFeed,
  type LiveHub,
  type LiveSeries,
} from './hub';
import { PacedAnswer, type PacedState } from './paced';
import { tickerOf } from './ticks';

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

const subscribeToNothing = () => () => {};

/**
 * Follows a series, or one figure over the whole window, for as long as the component is mounted. What nobody sees goes on being
 * followed and is not drawn for each of its changes: it has the newest when it is seen again.
 */
export function useLiveSeries(cube: string, query: SeriesQuery, kind: FollowKind, isSeen = true): LiveSeries {
  const hub = useHub();
  const key = seriesPath(query);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key is the query's identity
  const stable = useMemo(() => query, [key]);
  const store = useMemo(() => hub.series(cube, stable, kind), [hub, cube, stable, kind]);
  useEffect(() => hub.follow(cube, stable, kind), [hub, cube, stable, kind]);
  // The first answer is taken anyway: a panel that waits for one is never at rest.
  const isWanted = isSeen || store.get().document === null;
  return useSyncExternalStore(isWanted ? store.subscribe : subscribeToNothing, store.get);
}

/** A question to a cube. */
export interface AskedOf {
  cube: string;
  query: SeriesQuery;
}

/** As `useLiveSeries` for figures over the whole window, of as many questions as there are. */
export function useLiveTotals(asked: readonly AskedOf[]): readonly LiveSeries[] {
  const hub = useHub();
  const key = JSON.stringify(asked.map(({ cube, query }) => [cube, seriesPath(query)]));
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key is the questions' identity
  const stable = useMemo(() => asked, [key]);
  const all = useMemo(() => {
    const stores = stable.map(({ cube, query }) => hub.series(cube, query, 'total'));
    let last: readonly LiveSeries[] = [];
    return {
      subscribe: (listener: () => void) => {
        const ends = stores.map((store) => store.subscribe(listener));
        return () => {
          for (const end of ends) end();
        };
      },
      get: () => {
        const now = stores.map((store) => store.get());
        if (now.length !== last.length || now.some((one, i) => one !== last[i])) last = now;
        return last;
      },
    };
  }, [hub, stable]);
  useEffect(() => {
    const ends = stable.map(({ cube, query }) => hub.follow(cube, query, 'total'));
    return () => {
      for (const end of ends) end();
    };
  }, [hub, stable]);
  return useSyncExternalStore(all.subscribe, all.get);
}

/** Whether an element is on the screen, or nearly; what nobody sees need not be kept fresh. */
export function useSeen<E extends Element>(): { ref: RefObject<E | null>; isSeen: boolean } {
  const ref = useRef<E>(null);
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const observer = new IntersectionObserver(
      (entries) => setSeen(entries.at(-1)?.isIntersecting === true && !document.hidden),
      { rootMargin: '20%' },
    );
    observer.observe(element);
    const onVisibility = () => {
      if (document.hidden) setSeen(false);
      else {
        // Observing anew tells where the element is now.
        observer.unobserve(element);
        observer.observe(element);
      }
    };
    // On paper everything is in sight.
    const onPrint = () => setSeen(true);
    document.addEventListener('visibilitychange', onVisibility);
    window.addEventListener('beforeprint', onPrint);
    window.addEventListener('afterprint', onVisibility);
    return () => {
      observer.disconnect();
      document.removeEventListener('visibilitychange', onVisibility);
      window.removeEventListener('beforeprint', onPrint);
      window.removeEventListener('afterprint', onVisibility);
    };
  }, []);
  return { ref, isSeen };
}

interface Pacing {
  /** The cubes that the answer is made of, each with a cheap question that keeps its beat going. */
  pulses: readonly AskedOf[];
  /** What makes this question another one than the last. */
  key: string;
  /** At least this long between two answers. */
  paceMs: number;
  isSeen: boolean;
}

/** An answer that is too dear to be streamed: asked again at a measured pace, while it is seen and when its cubes have changed. */
export function usePaced<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  { pulses, key, paceMs, isSeen }: Pacing,
): PacedState<T> & { retry: () => void } {
  const hub = useHub();
  const pulseKey = JSON.stringify(pulses.map(({ cube, query }) => [cube, seriesPath(query)]));
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key is the pulses' identity
  const stable = useMemo(() => pulses, [pulseKey]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key is the question's identity
  const answer = useMemo(
    () =>
      new PacedAnswer<T>(ask, {
        paceMs,
        changes: () => stable.reduce((sum, { cube }) => sum + hub.beat(cube).changes, 0),
      }),
    [hub, stable, key, paceMs],
  );
  useEffect(() => {
    const ends = stable.flatMap(({ cube, query }) => [
      hub.follow(cube, query, 'pulse'),
      hub.beat(cube).listen(() => answer.notice()),
    ]);
    return () => {
      for (const end of ends) end();
      answer.see(false);
    };
  }, [hub, stable, answer]);
  useEffect(() => answer.see(isSeen), [answer, isSeen]);
  const state = useSyncExternalStore(answer.store.subscribe, answer.store.get);
  return { ...state, retry: () => answer.retry() };
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

/** The local time, renewed every `intervalMs`, for all that is at the same moment; what nobody sees waits until it is seen. */
export function useTick(intervalMs: number, isSeen = true): number {
  const ticker = tickerOf(intervalMs);
  return useSyncExternalStore(isSeen ? ticker.subscribe : subscribeToNothing, ticker.get);
}
