import type { Metric } from '../api/types';
import { readList, writeList } from '../state/lists';
import { apiDuration, isRange, type Range } from '../state/range';
import { type Filters, readFilters, writeFilters } from '../state/where';

/** How long ago the time is that the present is compared with. */
export const comparisons = ['previous', 'week'] as const;
export type Comparison = (typeof comparisons)[number];

export const drawings = ['lines', 'stacked', 'bars'] as const;
export type Drawing = (typeof drawings)[number];

export const sortKeys = ['name', 'value', 'last', 'change'] as const;
export type SortKey = (typeof sortKeys)[number];

/** Which time is looked at: a stretch that ends now and moves, or one that stays. */
export type Span = { kind: 'last'; range: Range } | { kind: 'fixed'; fromMs: number; toMs: number };

/** All that an address of this page says. */
export interface ExploreState {
  metric: string | null;
  span: Span;
  /** The step that was chosen; null for the one that fits. */
  stepMs: number | null;
  by: string[];
  where: Filters;
  compare: Comparison | null;
  forecast: boolean;
  /** The way to draw that was chosen; null for the metric's own. */
  drawing: Drawing | null;
  /** The slices that alone are drawn, each as the values of `by`; empty for the largest. */
  only: (string | null)[][];
  sort: { key: SortKey; isDown: boolean };
  /** Whether the table shows every digit. */
  exact: boolean;
}

export const BY_MAX = 2;
export const SPAN_DEFAULT: Span = { kind: 'last', range: '1h' };
const SORT_DEFAULT: ExploreState['sort'] = { key: 'value', isDown: true };
/** An address that names more slices than a chart could hold was not made here. */
const ONLY_MAX = 50;

/** Reads the parameters of an address. What is not understood is dropped, never guessed. */
export function readState(raw: Record<string, unknown>): ExploreState {
  const texts = new Map(
    Object.entries(raw).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
  const by = unique(splitNames(texts.get('by'))).slice(0, BY_MAX);
  const sort = texts.get('sort') ?? '';
  const sortKey = sort.replace(/^-/, '');
  return {
    metric: texts.get('metric') || null,
    span: readSpan(texts),
    stepMs: readDuration(texts.get('step')),
    by,
    where: readFilters(texts),
    compare: oneOf(comparisons, texts.get('compare')),
    forecast: texts.get('forecast') === 'on',
    drawing: oneOf(drawings, texts.get('chart')),
    only: by.length > 0 && texts.has('only') ? chunks(readList(texts.get('only') ?? ''), by.length) : [],
    sort: isOneOf(sortKeys, sortKey) ? { key: sortKey, isDown: sort.startsWith('-') } : SORT_DEFAULT,
    exact: texts.get('exact') === 'on',
  };
}

/** The parameters that say a state, without those that say what holds anyway. */
export function writeState(state: ExploreState): Record<string, string> {
  const texts: Record<string, string> = {};
  if (state.metric) texts.metric = state.metric;
  if (state.span.kind === 'fixed') {
    texts.from = instantText(state.span.fromMs);
    texts.to = instantText(state.span.toMs);
  } else if (SPAN_DEFAULT.kind === 'last' && state.span.range !== SPAN_DEFAULT.range)
    texts.range = state.span.range;
  if (state.stepMs !== null) texts.step = apiDuration(state.stepMs);
  if (state.by.length > 0) texts.by = state.by.join(',');
  Object.assign(texts, writeFilters(state.where));
  if (state.compare) texts.compare = state.compare;
  if (state.forecast) texts.forecast = 'on';
  if (state.drawing) texts.chart = state.drawing;
  if (state.only.length > 0) texts.only = writeList(state.only.flat());
  const { key, isDown } = state.sort;
  if (key !== SORT_DEFAULT.key || isDown !== SORT_DEFAULT.isDown) texts.sort = `${isDown ? '-' : ''}${key}`;
  if (state.exact) texts.exact = 'on';
  return texts;
}

/** What of a state a metric can answer: it has dimensions of its own, and its buckets bound the step. */
export function stateFor(state: ExploreState, metric: Metric): ExploreState {
  const isKnown = (dimension: string) => metric.dimensions.includes(dimension);
  const by = state.by.filter(isKnown);
  return {
    ...state,
    by,
    where: Object.fromEntries(Object.entries(state.where).filter(([dimension]) => isKnown(dimension))),
    only: by.length === state.by.length ? state.only : [],
    stepMs: state.stepMs !== null && state.stepMs % metric.bucket_ms === 0 ? state.stepMs : null,
  };
}

function readSpan(texts: ReadonlyMap<string, string>): Span {
  const fromMs = readInstant(texts.get('from'));
  const toMs = readInstant(texts.get('to'));
  if (fromMs !== null && toMs !== null && fromMs < toMs) return { kind: 'fixed', fromMs, toMs };
  const range = texts.get('range');
  return isRange(range) ? { kind: 'last', range } : SPAN_DEFAULT;
}

/** No clock of an event is before this, and a date beyond it cannot be told in four digits. */
const INSTANT_MAX = Date.UTC(9999, 0);

function readInstant(text: string | undefined): number | null {
  if (text === undefined) return null;
  const ms = /^\d{1,15}$/.test(text)
    ? Number(text)
    : /^\d{4}-\d\d-\d\dT.*Z$/.test(text)
      ? Date.parse(text)
      : Number.NaN;
  return ms >= 0 && ms < INSTANT_MAX ? ms : null;
}

/** RFC 3339 in UTC, without milliseconds that are none. */
export function instantText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function readDuration(text: string | undefined): number | null {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text ?? '') ?? [];
  const ms = Number(count) * (UNITS[unit ?? ''] ?? Number.NaN);
  return ms > 0 ? ms : null;
}

function splitNames(text: string | undefined): string[] {
  return (text ?? '').split(',').filter((name) => name !== '');
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

function chunks<T>(values: readonly T[], size: number): T[][] {
  if (values.length % size !== 0) return [];
  const all = Array.from({ length: values.length / size }, (_, i) => values.slice(i * size, (i + 1) * size));
  return all.slice(0, ONLY_MAX);
}

function isOneOf<T extends string>(known: readonly T[], text: string): text is T {
  return (known as readonly string[]).includes(text);
}

function oneOf<T extends string>(known: readonly T[], text: string | undefined): T | null {
  return text !== undefined && isOneOf(known, text) ? text : null;
}
