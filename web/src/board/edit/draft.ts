import type { Localized } from '../../api/types';
import { isWritten } from '../../i18n/titles';

/** What stands on a board: the figures at its top, its charts, and the panels that follow them. */
export const sections = ['tiles', 'charts', 'panels'] as const;
export type Section = (typeof sections)[number];

export const panelKinds = ['table', 'heatmap', 'funnel', 'sankey', 'gauge', 'map', 'text'] as const;
export type PanelKind = (typeof panelKinds)[number];
export type ItemKind = 'tile' | 'chart' | PanelKind;

export const widths = ['third', 'half', 'full'] as const;
export const shapes = ['lines', 'stacked', 'bars'] as const;
export const goods = ['up', 'down'] as const;

/** The limits of the server, which has the last word on them. */
export const ITEMS_MAX = 60;
export const TITLE_MAX = 200;
export const TEXT_MAX = 4_000;
export const STEPS_MIN = 2;
export const STEPS_MAX = 8;

export interface Step {
  id: string;
  metric: string;
  titleEn: string;
  titleZh: string;
}

/** One dimension that an item is limited to. */
export interface Limit {
  id: string;
  dimension: string;
  value: string;
}

/** One thing on a board while it is written: texts as typed. What is empty is left to what the server does unless told. */
export interface Item {
  /** Holds the item together while it is moved; the server never sees it. */
  id: string;
  kind: ItemKind;
  titleEn: string;
  titleZh: string;
  metric: string;
  by: string[];
  also: string[];
  where: Limit[];
  width: string;
  good: string;
  shape: string;
  window: string;
  top: string;
  weeks: string;
  objective: string;
  from: string;
  to: string;
  textEn: string;
  textZh: string;
  steps: Step[];
}

export interface Draft {
  name: string;
  titleEn: string;
  titleZh: string;
  incidents: boolean;
  tiles: Item[];
  charts: Item[];
  panels: Item[];
}

/** A board as it is written: what a PUT takes, and what a GET answers beside its name and where it is from. */
export interface WrittenBoard {
  title: Localized;
  tiles?: WrittenItem[];
  charts?: WrittenItem[];
  incidents?: boolean;
  panels?: WrittenItem[];
}

export interface WrittenItem {
  kind?: string;
  title?: Localized | null;
  metric?: string;
  by?: string | string[] | null;
  also?: string[];
  where?: Record<string, string>;
  width?: string | null;
  good?: string | null;
  shape?: string | null;
  window?: string | null;
  top?: number | null;
  weeks?: number | null;
  objective?: string | number | null;
  from?: string | number | null;
  to?: string | number | null;
  text?: Localized | null;
  steps?: { metric: string; title?: Localized | null }[];
}

/** How many dimensions a kind is split by: the fewest and the most. */
export const byCounts: Record<ItemKind, readonly [number, number]> = {
  tile: [0, 0],
  chart: [0, 1],
  table: [1, 3],
  heatmap: [0, 0],
  funnel: [0, 0],
  sankey: [2, 4],
  gauge: [0, 0],
  map: [1, 1],
  text: [0, 0],
};

/** Which controls a kind has beside title, width and filter. */
export type Control = 'metric' | 'by' | 'also' | 'good' | 'shape' | 'window' | 'top' | 'weeks' | 'scale';

export const controls: Record<ItemKind, readonly Control[]> = {
  tile: ['metric', 'good'],
  chart: ['metric', 'by', 'shape', 'window'],
  table: ['metric', 'by', 'also', 'top'],
  heatmap: ['metric', 'weeks'],
  funnel: [],
  sankey: ['metric', 'by', 'top'],
  gauge: ['metric', 'scale', 'good'],
  map: ['metric', 'by'],
  text: [],
};

let lastId = 0;

export function newId(): string {
  lastId += 1;
  return `i${lastId}`;
}

export function sectionOf(kind: ItemKind): Section {
  return kind === 'tile' ? 'tiles' : kind === 'chart' ? 'charts' : 'panels';
}

export function emptyStep(): Step {
  return { id: newId(), metric: '', titleEn: '', titleZh: '' };
}

export function emptyItem(kind: ItemKind): Item {
  return {
    id: newId(),
    kind,
    titleEn: '',
    titleZh: '',
    metric: '',
    by: [],
    also: [],
    where: [],
    width: '',
    good: '',
    shape: '',
    window: '',
    top: '',
    weeks: '',
    objective: '',
    from: '',
    to: '',
    textEn: '',
    textZh: '',
    steps: kind === 'funnel' ? [emptyStep(), emptyStep()] : [],
  };
}

export function emptyDraft(): Draft {
  return { name: '', titleEn: '', titleZh: '', incidents: true, tiles: [], charts: [], panels: [] };
}

export function itemsOf(draft: Draft): Item[] {
  return [...draft.tiles, ...draft.charts, ...draft.panels];
}

function isKind(kind: string | undefined): kind is PanelKind {
  return (panelKinds as readonly string[]).includes(kind ?? '');
}

function textOf(value: string | number | null | undefined): string {
  return value === null || value === undefined ? '' : String(value);
}

/** The server calls what has no title by its metric, `Payment volume`; nobody has written that. */
function titleOf(title: Localized | null | undefined, metric: string): { titleEn: string; titleZh: string } {
  return isWritten(title, metric)
    ? { titleEn: title.en, titleZh: title.zh ?? '' }
    : { titleEn: '', titleZh: '' };
}

function itemOf(section: Section, written: WrittenItem): Item | null {
  const kind = section === 'tiles' ? 'tile' : section === 'charts' ? 'chart' : written.kind;
  if (kind !== 'tile' && kind !== 'chart' && !isKind(kind)) return null;
  const by = typeof written.by === 'string' ? [written.by] : (written.by ?? []);
  return {
    ...emptyItem(kind),
    ...titleOf(written.title, written.metric ?? ''),
    metric: written.metric ?? '',
    by: [...by],
    also: [...(written.also ?? [])],
    where: Object.entries(written.where ?? {}).map(([dimension, value]) => ({
      id: newId(),
      dimension,
      value,
    })),
    width: textOf(written.width),
    good: textOf(written.good),
    shape: textOf(written.shape),
    window: textOf(written.window),
    top: textOf(written.top),
    weeks: textOf(written.weeks),
    objective: textOf(written.objective),
    from: textOf(written.from),
    to: textOf(written.to),
    textEn: written.text?.en ?? '',
    textZh: written.text?.zh ?? '',
    steps: (written.steps ?? []).map(({ metric, title }) => ({
      id: newId(),
      metric,
      ...titleOf(title, metric),
    })),
  };
}

/** A draft of a board as the server tells it. */
export function draftOf(name: string, board: WrittenBoard): Draft {
  const all = (section: Section) =>
    (board[section] ?? []).flatMap((written) => itemOf(section, written) ?? []);
  return {
    name,
    titleEn: board.title.en,
    titleZh: board.title.zh ?? '',
    incidents: board.incidents ?? true,
    tiles: all('tiles'),
    charts: all('charts'),
    panels: all('panels'),
  };
}

/** A text in both languages; what is written in one alone is shown in both. */
function localizedOf(en: string, zh: string): Localized | undefined {
  const [english, chinese] = [en.trim(), zh.trim()];
  if (english === '' && chinese === '') return undefined;
  return { en: english || chinese, ...(chinese === '' ? {} : { zh: chinese }) };
}

const WHOLE = /^\d{1,9}$/;

/** A count as a number; what is none is found before anything is sent. */
function countOf(text: string): number | undefined {
  const trimmed = text.trim();
  return WHOLE.test(trimmed) ? Number(trimmed) : undefined;
}

/** An item as the server takes it, key by key in the order in which people read them. */
export function writtenItem(item: Item): WrittenItem {
  const written: WrittenItem = {};
  const has = (control: Control) => controls[item.kind].includes(control);
  if (sectionOf(item.kind) === 'panels') written.kind = item.kind;
  const title = localizedOf(item.titleEn, item.titleZh);
  if (title) written.title = title;
  if (has('metric')) written.metric = item.metric;
  const [first] = item.by;
  if (has('by') && first !== undefined) written.by = byCounts[item.kind][1] === 1 ? first : item.by;
  if (has('also') && item.also.length > 0) written.also = item.also;
  if (has('shape') && item.shape !== '') written.shape = item.shape;
  if (has('window') && item.window !== '') written.window = item.window;
  for (const field of ['top', 'weeks'] as const) {
    const count = has(field) ? countOf(item[field]) : undefined;
    if (count !== undefined) written[field] = count;
  }
  if (has('scale')) {
    // Decimals stay texts, so that not a digit is lost on the way; the ends of the scale are only drawn.
    if (item.objective.trim() !== '') written.objective = item.objective.trim();
    if (item.from.trim() !== '') written.from = Number(item.from);
    if (item.to.trim() !== '') written.to = Number(item.to);
  }
  if (has('good') && item.good !== '') written.good = item.good;
  if (item.kind === 'text') written.text = localizedOf(item.textEn, item.textZh) ?? { en: '' };
  if (item.kind === 'funnel')
    written.steps = item.steps.map(({ metric, titleEn, titleZh }) => {
      const stepTitle = localizedOf(titleEn, titleZh);
      return { metric, ...(stepTitle ? { title: stepTitle } : {}) };
    });
  const where = item.where.filter(({ dimension }) => dimension !== '');
  if (where.length > 0 && item.kind !== 'text')
    written.where = Object.fromEntries(where.map(({ dimension, value }) => [dimension, value]));
  if (item.kind !== 'tile' && item.width !== '') written.width = item.width;
  return written;
}

/** The board as the server takes it. */
export function boardOf(draft: Draft): WrittenBoard {
  return {
    title: localizedOf(draft.titleEn, draft.titleZh) ?? { en: '' },
    tiles: draft.tiles.map(writtenItem),
    charts: draft.charts.map(writtenItem),
    incidents: draft.incidents,
    panels: draft.panels.map(writtenItem),
  };
}

/** Whether two drafts would be saved as the same board. */
export function isSameBoard(a: Draft, b: Draft): boolean {
  return a.name === b.name && JSON.stringify(boardOf(a)) === JSON.stringify(boardOf(b));
}

/** A name for a title: `Payments, Europe` → `payments_europe`. Empty where a title has no letter that a name can have. */
export function nameFor(title: string, taken: ReadonlySet<string> = new Set()): string {
  const plain = title.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const words = plain
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[_0-9]+|_+$/g, '')
    .slice(0, 55);
  if (words === '') return '';
  if (!taken.has(words)) return words;
  let n = 2;
  while (taken.has(`${words}_${n}`)) n += 1;
  return `${words}_${n}`;
}

/** A copy under another name, of which every item is one of its own. */
export function copyOf(draft: Draft, name: string): Draft {
  const fresh = (items: Item[]) =>
    items.map((item) => ({
      ...item,
      id: newId(),
      where: item.where.map((one) => ({ ...one, id: newId() })),
      steps: item.steps.map((one) => ({ ...one, id: newId() })),
    }));
  return {
    ...draft,
    name,
    tiles: fresh(draft.tiles),
    charts: fresh(draft.charts),
    panels: fresh(draft.panels),
  };
}
