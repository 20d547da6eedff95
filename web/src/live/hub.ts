import { ApiError, getJson } from '../api/client';
import { livePath, type SeriesQuery, seriesPath } from '../api/paths';
import { getSeries } from '../api/series';
import type { Incident, Problem, SeriesDocument } from '../api/types';
import { Beat } from './beat';
import { observeServerNow } from './clock';
import { type ConnectionState, LiveConnection } from './connection';
import { noteFigures } from './first';
import { capIncidents, mergeIncidents, sortIncidents } from './incidents';
import { mergeUpdate } from './merge';
import type { SseEvent } from './sse';
import { Store } from './store';

/**
 * A browser allows six HTTP/1.1 connections to one host, over all tabs. A board therefore has two streams: one for its
 * incidents, and one that carries a series of each of its cubes. Every other series of a cube follows: it fetches its newest
 * buckets when the streamed one moves, in one call with the others that do.
 */
export const STREAMED_MAX = 32;
/** The server has ended one series of a stream for good; the stream is opened anew after this time, to ask again. */
export const REOPEN_AFTER_MS = 5_000;
/** Followers fetch the whole window this often, so that late events in older buckets show too. */
export const FOLLOWER_FULL_MS = 60_000;
/** Figures follow every beat; a course, of which a beat moves only the last pixels, rests between two fetches. */
export const COURSE_REST_MS = 2_000;
export const COURSE_DELAY_MS = 150;
/** A figure over a longer window moves less: it rests this fraction of its window, 30 ms for 1 h and 5 s for 7 d. */
const FIGURE_REST_PER_WINDOW = 1 / 120_000;
/** A hidden tab gives its connections back after this time. */
export const HIDDEN_GRACE_MS = 30_000;
/** A page that has left everything live is idle after this time; the next one has begun by then. */
export const IDLE_AFTER_MS = 250;
/** Buckets that a follower fetches anew at each beat: the current one and those that stragglers still reach. */
const FOLLOWER_TAIL_STEPS = 3;

export interface LiveSeries {
  document: SeriesDocument | null;
  error: ApiError | null;
  /** When the newest data arrived, on the local clock. */
  receivedAtMs: number | null;
}

export type Health =
  /** Nothing on the page is live, so nothing is said of it. */
  | { kind: 'idle' }
  | { kind: 'connecting' }
  | { kind: 'live' }
  | { kind: 'reconnecting'; sinceMs: number; retryAtMs: number; attempt: number; status: number };

export interface IncidentFeed {
  incidents: Incident[];
  loaded: boolean;
  error: ApiError | null;
}

type StreamName = 'series' | 'incidents';

/**
 * `series` shows a course over time; `total` is one figure over the whole window and is always fetched whole. `pulse` shows
 * nothing: it is streamed where nothing else of its cube is, so that its beat goes, and otherwise asks for nothing.
 */
export type FollowKind = 'series' | 'total' | 'pulse';

interface Entry {
  kind: FollowKind;
  cube: string;
  query: SeriesQuery;
  store: Store<LiveSeries>;
  users: number;
  busy: boolean;
  again: boolean;
  fullAtMs: number;
  restUntilMs: number;
  restTimer: ReturnType<typeof setTimeout> | null;
  stopBeat: (() => void) | null;
}

const nothingYet: LiveSeries = { document: null, error: null, receivedAtMs: null };

/** All that is live on a page: which series are streamed, which follow, the incidents, and how healthy it all is. */
export class LiveHub {
  readonly health = new Store<Health>({ kind: 'idle' });
  /** Per cube that somebody looks at or has looked at: event time up to which it is complete, null before its first event. */
  readonly watermarks = new Store<ReadonlyMap<string, number | null>>(new Map());
  readonly incidents = new Store<IncidentFeed>({ incidents: [], loaded: false, error: null });

  readonly #onDoubt: () => void;
  readonly #entries = new Map<string, Entry>();
  readonly #beats = new Map<string, Beat>();
  /** Per cube: the key of the series that stands for it in the stream. */
  readonly #leaders = new Map<string, string>();
  /** The stream of all leaders, and those it was opened for: an event names its series by the place here. */
  #stream: LiveConnection | null = null;
  #streamed: Entry[] = [];
  #connecting: ReturnType<typeof setTimeout> | null = null;
  #reopening: ReturnType<typeof setTimeout> | null = null;
  readonly #states = new Map<StreamName, ConnectionState>();
  readonly #lost = new Set<StreamName>();
  readonly #starting = new Set<Entry>();
  #incidentById = new Map<string, Incident>();
  #incidentUsers = 0;
  #incidentConnection: LiveConnection | null = null;
  #paused = false;
  #hasFigures = false;
  #lostSinceMs: number | null = null;

  /** `onDoubt` is called when the definitions may have changed: a metric is gone, or the server has been away. */
  constructor(onDoubt: () => void = () => {}) {
    this.#onDoubt = onDoubt;
  }

  beat(cube: string): Beat {
    let beat = this.#beats.get(cube);
    if (!beat) {
      beat = new Beat();
      this.#beats.set(cube, beat);
    }
    return beat;
  }

  series(cube: string, query: SeriesQuery, kind: FollowKind): Store<LiveSeries> {
    return this.#entry(cube, query, kind).store;
  }

  /** Keeps a series live until the returned function is called. */
  follow(cube: string, query: SeriesQuery, kind: FollowKind): () => void {
    const entry = this.#entry(cube, query, kind);
    const key = entryKey(query, kind);
    entry.users += 1;
    this.#begin();
    if (entry.users === 1) {
      // Figures go first: through the few connections of a browser, twenty courses would hold them up.
      const delayMs = kind === 'series' ? COURSE_DELAY_MS : 0;
      entry.stopBeat = this.beat(cube).listen(() => {
        if (delayMs === 0) this.#refresh(key, entry);
        else setTimeout(() => entry.users > 0 && this.#refresh(key, entry), delayMs);
      });
      this.#startSoon(entry);
    }
    return () => this.#leave(key, entry);
  }

  /** Keeps the incident list live until the returned function is called. */
  followIncidents(): () => void {
    this.#incidentUsers += 1;
    this.#begin();
    if (this.#incidentUsers === 1 && !this.#paused) this.#openIncidents();
    return () => {
      this.#incidentUsers -= 1;
      if (this.#incidentUsers > 0) return;
      this.#incidentConnection?.close();
      this.#incidentConnection = null;
      this.#endSoon();
    };
  }

  /** Somebody looks at something live. */
  #begin(): void {
    if (this.health.get().kind === 'idle') this.health.set({ kind: 'connecting' });
  }

  /** Nobody may look at anything live any more; between two pages that is so for a moment only. */
  #endSoon(): void {
    setTimeout(() => {
      const isWatched = this.#incidentUsers > 0 || [...this.#entries.values()].some(({ users }) => users > 0);
      if (!isWatched) this.health.set({ kind: 'idle' });
    }, IDLE_AFTER_MS);
  }

  /** Takes an incident that another call has returned, such as an acknowledgement. */
  takeIncidents(incidents: Incident[]): void {
    this.#incidentById = capIncidents(mergeIncidents(this.#incidentById, incidents));
    this.incidents.set({ incidents: sortIncidents(this.#incidentById.values()), loaded: true, error: null });
  }

  retryNow(): void {
    this.#stream?.retryNow();
    this.#incidentConnection?.retryNow();
    for (const [key, entry] of this.#entries) if (entry.users > 0) this.#refresh(key, entry);
  }

  /** Closes every connection, keeping what is shown. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#leaders.clear();
    this.#closeStream();
    this.#incidentConnection?.close();
    this.#incidentConnection = null;
  }

  resume(): void {
    if (!this.#paused) {
      this.retryNow();
      return;
    }
    this.#paused = false;
    for (const cube of new Set([...this.#entries.values()].map((entry) => entry.cube)))
      this.#electLeader(cube);
    if (this.#incidentUsers > 0) this.#openIncidents();
    for (const [key, entry] of this.#entries) {
      entry.fullAtMs = 0;
      if (entry.users > 0) this.#refresh(key, entry);
    }
  }

  #entry(cube: string, query: SeriesQuery, kind: FollowKind): Entry {
    const key = entryKey(query, kind);
    let entry = this.#entries.get(key);
    if (!entry) {
      const store = new Store<LiveSeries>(nothingYet);
      entry = {
        kind,
        cube,
        query,
        store,
        users: 0,
        busy: false,
        again: false,
        fullAtMs: 0,
        restUntilMs: 0,
        restTimer: null,
        stopBeat: null,
      };
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #leave(key: string, entry: Entry): void {
    entry.users -= 1;
    if (entry.users > 0) return;
    entry.stopBeat?.();
    entry.stopBeat = null;
    this.#endSoon();
    // React leaves and follows again within one task when it only re-renders; a real leave outlasts it.
    setTimeout(() => {
      if (entry.users > 0) return;
      this.#entries.delete(key);
      if (this.#leaders.get(entry.cube) !== key) return;
      this.#leaders.delete(entry.cube);
      this.#electLeader(entry.cube);
      this.#connectSoon();
    }, 0);
  }

  /** Waits until all panels of a page have said what they follow; only then the best one to stream is known. */
  #startSoon(entry: Entry): void {
    this.#starting.add(entry);
    if (this.#starting.size > 1) return;
    setTimeout(() => {
      const entries = [...this.#starting].filter(({ users }) => users > 0);
      this.#starting.clear();
      for (const { cube } of entries) this.#electLeader(cube);
      for (const one of entries) {
        const key = entryKey(one.query, one.kind);
        if (this.#leaders.get(one.cube) !== key) this.#refresh(key, one);
      }
    }, 0);
  }

  /**
   * Chooses the series of a cube that is streamed, among those that somebody looks at. A split one is preferred: it is
   * a chart, where the eye follows the line.
   */
  #electLeader(cube: string): void {
    if (this.#paused || this.#leaders.has(cube) || this.#leaders.size >= STREAMED_MAX) return;
    const candidates = [...this.#entries.values()].filter(
      (entry) => entry.cube === cube && entry.users > 0 && entry.kind !== 'total',
    );
    const courses = candidates.filter(({ kind }) => kind === 'series');
    const entry = courses.find(({ query }) => query.by.length > 0) ?? courses[0] ?? candidates[0];
    if (!entry) return;
    this.#leaders.set(cube, entryKey(entry.query, entry.kind));
    this.#connectSoon();
  }

  /** Opens the stream of the present leaders, once however many of them change at a time. */
  #connectSoon(): void {
    this.#connecting ??= setTimeout(() => {
      this.#connecting = null;
      if (!this.#paused) this.#connect();
    }, 0);
  }

  #connect(): void {
    const entries = [...this.#leaders.values()].flatMap((key) => this.#entries.get(key) ?? []);
    const isSame =
      entries.length === this.#streamed.length && entries.every((e, i) => e === this.#streamed[i]);
    if (isSame && this.#stream) return;
    this.#closeStream();
    if (entries.length === 0) return;
    this.#streamed = entries;
    this.#stream = new LiveConnection({
      path: livePath(entries.map(({ query }) => query)),
      onEvent: (event) => this.#takeEvent(entries, event),
      onState: (state) => {
        this.#note('series', state);
        // Refused for good or for a while: its series must not stay blank, and their own answers say why.
        if (state.kind === 'waiting') this.#refreshBlank(entries);
      },
    });
    this.#stream.open();
  }

  #refreshBlank(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.users > 0 && entry.store.get().document === null)
        this.#refresh(entryKey(entry.query, entry.kind), entry);
    }
  }

  #closeStream(): void {
    this.#stream?.close();
    this.#stream = null;
    this.#streamed = [];
    for (const timer of [this.#connecting, this.#reopening]) if (timer !== null) clearTimeout(timer);
    this.#connecting = null;
    this.#reopening = null;
  }

  #takeEvent(entries: Entry[], event: SseEvent): void {
    const data = parse<{ query?: number; now?: number }>(event.data);
    if (!data) return;
    if (event.type === 'heartbeat') {
      if (typeof data.now === 'number') observeServerNow(data.now);
      return;
    }
    const entry = entries[data.query ?? -1];
    if (!entry) return;
    if (event.type === 'problem') this.#takeProblem(entry, data as Problem);
    else if (event.type === 'snapshot' || event.type === 'update')
      this.#takeSeries(entry, event.type, data as unknown as SeriesDocument);
  }

  /** One series of the stream fails; the others go on. */
  #takeProblem(entry: Entry, problem: Problem): void {
    const status = problem.status ?? 0;
    const error = new ApiError(status, problem, problem.detail ?? problem.title ?? '');
    entry.store.set({ ...entry.store.get(), error });
    // What may succeed later, the server tries again by itself.
    if (error.isTransient) return;
    this.#onDoubt();
    this.#reopening ??= setTimeout(() => {
      this.#closeStream();
      this.#connect();
    }, REOPEN_AFTER_MS);
  }

  #takeSeries(entry: Entry, type: 'snapshot' | 'update', data: SeriesDocument): void {
    const old = entry.store.get().document;
    const document = type === 'update' && old ? mergeUpdate(old, data) : data;
    this.#take(entry, document);
    if (type === 'snapshot') this.#expire(entry.cube);
    this.beat(entry.cube).changed();
  }

  #take(entry: Entry, document: SeriesDocument): void {
    entry.store.set({ document, error: null, receivedAtMs: Date.now() });
    if (entry.kind === 'total' && !this.#hasFigures) {
      this.#hasFigures = true;
      noteFigures();
    }
    const known = this.watermarks.get().get(entry.cube);
    const { watermark } = document;
    if (known === undefined || (watermark !== null && (known === null || watermark > known)))
      this.watermarks.set(new Map(this.watermarks.get()).set(entry.cube, watermark));
  }

  /** After a reconnection nothing older can be trusted: followers fetch their whole window again. */
  #expire(cube: string): void {
    for (const entry of this.#entries.values()) if (entry.cube === cube) entry.fullAtMs = 0;
  }

  #refresh(key: string, entry: Entry): void {
    const isStreamed = this.#leaders.get(entry.cube) === key && entry.store.get().document !== null;
    if (isStreamed || this.#paused || entry.kind === 'pulse') return;
    if (entry.busy) {
      entry.again = true;
      return;
    }
    const now = performance.now();
    if (now < entry.restUntilMs) {
      entry.restTimer ??= setTimeout(() => {
        entry.restTimer = null;
        if (entry.users > 0) this.#refresh(key, entry);
      }, entry.restUntilMs - now);
      return;
    }
    entry.busy = true;
    void this.#fetch(entry).finally(() => {
      entry.busy = false;
      entry.restUntilMs = performance.now() + restMs(entry);
      if (!entry.again || entry.users === 0) return;
      entry.again = false;
      this.#refresh(key, entry);
    });
  }

  async #fetch(entry: Entry): Promise<void> {
    const { document } = entry.store.get();
    const startedMs = Date.now();
    const isFull = entry.kind === 'total' || document === null || startedMs >= entry.fullAtMs;
    const query = isFull ? entry.query : { ...entry.query, from: tailFrom(document) };
    try {
      const answer = await getSeries(query, 'present');
      const current = entry.store.get().document;
      const merged = isFull || !current ? answer : mergeUpdate(current, answer);
      this.#take(entry, merged);
      if (isFull) entry.fullAtMs = startedMs + FOLLOWER_FULL_MS;
    } catch (cause) {
      const error = cause instanceof ApiError ? cause : new ApiError(0, null, String(cause));
      entry.store.set({ ...entry.store.get(), error });
      if (error.status === 404) this.#onDoubt();
    }
  }

  #openIncidents(): void {
    this.#incidentConnection = new LiveConnection({
      path: '/v1/incidents/live',
      onEvent: (event) => this.#takeIncidentEvent(event),
      onState: (state) => this.#note('incidents', state),
    });
    this.#incidentConnection.open();
    void this.#loadIncidents();
  }

  #takeIncidentEvent(event: SseEvent): void {
    if (event.type === 'incident') {
      const incident = parse<Incident>(event.data);
      if (incident) this.takeIncidents([incident]);
    } else if (event.type === 'snapshot') {
      const snapshot = parse<{ incidents: Incident[] }>(event.data);
      if (snapshot) this.takeIncidents(snapshot.incidents);
      // The snapshot may hold only what is open now; what was resolved while the line was down is fetched.
      void this.#loadIncidents();
    }
  }

  async #loadIncidents(): Promise<void> {
    try {
      const { incidents } = await getJson<{ incidents: Incident[] }>('/v1/incidents?limit=200');
      this.takeIncidents(incidents);
    } catch (cause) {
      const error = cause instanceof ApiError ? cause : new ApiError(0, null, String(cause));
      this.incidents.set({ ...this.incidents.get(), error });
    }
  }

  /** The page is live when every connection is; the first one lost makes it “reconnecting”. */
  #note(name: StreamName, state: ConnectionState): void {
    if (state.kind === 'closed') this.#states.delete(name);
    else if (state.kind !== 'connecting' || !this.#states.has(name) || state.attempt === 0)
      this.#states.set(name, state);
    if (state.kind === 'waiting') {
      this.#lost.add(name);
      // Not one of the series is known any more: the board itself must have changed.
      if (state.status === 404 || state.status === 400) this.#onDoubt();
    } else if (state.kind === 'closed') this.#lost.delete(name);
    else if (state.kind === 'open' && this.#lost.delete(name)) this.#onDoubt();
    const states = [...this.#states.values()];
    const lost = states.find((one) => one.kind === 'waiting');
    if (lost) {
      this.#lostSinceMs ??= Date.now();
      const { retryAtMs, attempt, status } = lost;
      this.health.set({ kind: 'reconnecting', sinceMs: this.#lostSinceMs, retryAtMs, attempt, status });
      return;
    }
    this.#lostSinceMs = null;
    const { kind } = this.health.get();
    if (states.length > 0 && states.every((one) => one.kind === 'open')) {
      if (kind !== 'live') this.health.set({ kind: 'live' });
    } else if (kind === 'reconnecting') {
      // Nobody waits for the lost connection any more.
      this.health.set({ kind: 'connecting' });
    }
  }
}

function restMs({ kind, store }: Entry): number {
  if (kind === 'series') return COURSE_REST_MS;
  const { document } = store.get();
  return document === null ? 0 : (document.to - document.from) * FIGURE_REST_PER_WINDOW;
}

function entryKey(query: SeriesQuery, kind: FollowKind): string {
  return `${kind} ${seriesPath(query)}`;
}

/** `from` of a tail query, as an epoch in milliseconds that lies on a bucket border. */
function tailFrom(document: SeriesDocument): string {
  const newest = document.series.reduce((max, { points }) => Math.max(max, points.at(-1)?.[0] ?? 0), 0);
  const border = newest > 0 ? newest : document.to - (document.to % document.step_ms);
  return String(border - FOLLOWER_TAIL_STEPS * document.step_ms);
}

function parse<T>(text: string): T | null {
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}
