import type { Metric, Problem } from '../../api/types';
import {
  byCounts,
  controls,
  type Draft,
  ITEMS_MAX,
  type Item,
  itemsOf,
  STEPS_MAX,
  STEPS_MIN,
  sections,
  TEXT_MAX,
  TITLE_MAX,
} from './draft';

/** A fault as it is shown at its control. */
export interface ShownFault {
  message: string;
  suggestion?: string | undefined;
}

/** Faults by the control that they stand at: `board.title`, or `i7.metric` for an item's. */
export type Faults = ReadonlyMap<string, readonly ShownFault[]>;

/** What is wrong with a board that was sent, as the server tells it. */
export interface ServerFault {
  path?: string;
  place?: string;
  message?: string;
  reason?: string;
  suggestion?: string | null;
}

export interface FaultyBoard extends Problem {
  faults?: ServerFault[];
  errors?: ServerFault[];
}

/** Controls of an item that a fault can stand at; what speaks of another key stands at the item itself. */
const fields = new Set([
  'title',
  'metric',
  'by',
  'also',
  'where',
  'width',
  'good',
  'shape',
  'window',
  'top',
  'weeks',
  'objective',
  'from',
  'to',
  'text',
  'steps',
]);

/** The parts of a path, of either form: `panels[2].by[0]` and `boards.payments.panels.2.by.0` name the same place. */
export function partsOf(path: string, name: string): string[] {
  const parts = path
    .replaceAll(/\[(\d+)\]/g, '.$1')
    .split('.')
    .filter((part) => part !== '');
  if (parts[0] === 'boards' && parts[1] === name) return parts.slice(2);
  if (parts[0] === 'board') return parts.slice(1);
  return parts;
}

/** The control that a path of the server's speaks of, in the draft that was sent. */
export function controlOf(path: string, draft: Draft): string {
  const [first = '', place = '', field = '', step = '', stepField = ''] = partsOf(path, draft.name);
  const section = sections.find((one) => one === first);
  if (!section) return first === 'title' || first === 'name' ? `board.${first}` : 'board';
  const item = draft[section][Number(place)];
  if (!item || place === '') return `board.${section}`;
  if (field === 'steps' && item.steps[Number(step)] && step !== '') {
    const key = stepField === 'title' ? 'title' : 'metric';
    return `${item.id}.steps.${item.steps[Number(step)]?.id}.${key}`;
  }
  return fields.has(field) ? `${item.id}.${field}` : item.id;
}

/** All that the server has found, by control. Empty where the problem does not name a place. */
export function serverFaults(problem: FaultyBoard | null, draft: Draft): Faults {
  const found = new Map<string, ShownFault[]>();
  for (const fault of problem?.faults ?? problem?.errors ?? []) {
    const control = controlOf(fault.path ?? fault.place ?? '', draft);
    const message = fault.message ?? fault.reason ?? '';
    found.set(control, [
      ...(found.get(control) ?? []),
      { message, ...(fault.suggestion ? { suggestion: fault.suggestion } : {}) },
    ]);
  }
  return found;
}

export type FaultKey =
  | 'fault.name'
  | 'fault.taken'
  | 'fault.title'
  | 'fault.long'
  | 'fault.many'
  | 'fault.metric'
  | 'fault.unknownMetric'
  | 'fault.by'
  | 'fault.dimension'
  | 'fault.whole'
  | 'fault.number'
  | 'fault.objective'
  | 'fault.ends'
  | 'fault.value'
  | 'fault.text'
  | 'fault.steps'
  | 'fault.funnel';

/** What the form finds by itself. */
export interface OwnFault {
  control: string;
  key: FaultKey;
  values?: Record<string, string | number>;
}

const NAME = /^[a-z_][a-z0-9_]{0,62}$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)$/;

/** Faults that need no server: what is missing, and what cannot be a number. */
export function ownFaults(
  draft: Draft,
  metrics: ReadonlyMap<string, Metric>,
  taken: ReadonlySet<string>,
): OwnFault[] {
  const faults: OwnFault[] = [];
  const name = draft.name.trim();
  if (!NAME.test(name)) faults.push({ control: 'board.name', key: 'fault.name' });
  else if (taken.has(name)) faults.push({ control: 'board.name', key: 'fault.taken', values: { name } });
  if (draft.titleEn.trim() === '' && draft.titleZh.trim() === '')
    faults.push({ control: 'board.title', key: 'fault.title' });
  if (draft.titleEn.length > TITLE_MAX || draft.titleZh.length > TITLE_MAX)
    faults.push({ control: 'board.title', key: 'fault.long', values: { count: TITLE_MAX } });
  if (itemsOf(draft).length > ITEMS_MAX)
    faults.push({ control: 'board', key: 'fault.many', values: { count: ITEMS_MAX } });
  for (const item of itemsOf(draft)) faults.push(...itemFaults(item, metrics));
  return faults;
}

export function itemFaults(item: Item, metrics: ReadonlyMap<string, Metric>): OwnFault[] {
  const faults: OwnFault[] = [];
  const put = (field: string, key: FaultKey, values?: OwnFault['values']) =>
    faults.push({ control: `${item.id}.${field}`, key, ...(values ? { values } : {}) });
  const has = (control: (typeof controls)[Item['kind']][number]) => controls[item.kind].includes(control);
  const metric = metrics.get(item.metric);
  if (has('metric')) {
    if (item.metric === '') put('metric', 'fault.metric');
    else if (!metric) put('metric', 'fault.unknownMetric', { metric: item.metric });
  }
  const [least, most] = byCounts[item.kind];
  if (item.by.length < least || (most > 0 && item.by.length > most)) put('by', 'fault.by', { least, most });
  for (const dimension of item.by)
    if (metric && !metric.dimensions.includes(dimension)) put('by', 'fault.dimension', { dimension });
  for (const { dimension, value } of item.where) {
    if (dimension === '' || value.trim() === '') put('where', 'fault.value');
    else if (metric && !metric.dimensions.includes(dimension)) put('where', 'fault.dimension', { dimension });
  }
  const whole = (field: 'top' | 'weeks', from: number, to: number) => {
    const text = item[field].trim();
    if (text !== '' && !(/^\d+$/.test(text) && Number(text) >= from && Number(text) <= to))
      put(field, 'fault.whole', { from, to });
  };
  if (has('top') && item.kind === 'sankey') whole('top', 2, 20);
  else if (has('top')) whole('top', 1, 100);
  if (has('weeks')) whole('weeks', 1, 12);
  if (has('scale')) {
    if (item.objective.trim() === '') put('objective', 'fault.objective');
    for (const field of ['objective', 'from', 'to'] as const)
      if (item[field].trim() !== '' && !NUMBER.test(item[field].trim())) put(field, 'fault.number');
    const [from, to] = [item.from.trim(), item.to.trim()];
    if (NUMBER.test(from) && NUMBER.test(to) && Number(from) >= Number(to)) put('to', 'fault.ends');
  }
  if (item.kind === 'text') {
    if (item.textEn.trim() === '' && item.textZh.trim() === '') put('text', 'fault.text');
    if (item.textEn.length > TEXT_MAX || item.textZh.length > TEXT_MAX)
      put('text', 'fault.long', { count: TEXT_MAX });
  }
  if (item.kind === 'funnel') {
    if (item.titleEn.trim() === '' && item.titleZh.trim() === '') put('title', 'fault.funnel');
    if (item.steps.length < STEPS_MIN || item.steps.length > STEPS_MAX)
      put('steps', 'fault.steps', { least: STEPS_MIN, most: STEPS_MAX });
    for (const step of item.steps) {
      if (step.metric === '') put(`steps.${step.id}.metric`, 'fault.metric');
      else if (!metrics.has(step.metric))
        put(`steps.${step.id}.metric`, 'fault.unknownMetric', { metric: step.metric });
    }
  }
  if (item.titleEn.length > TITLE_MAX || item.titleZh.length > TITLE_MAX)
    put('title', 'fault.long', { count: TITLE_MAX });
  return faults;
}

/** How many faults stand at an item and its controls. */
export function faultCount(faults: Faults, id: string): number {
  let count = 0;
  for (const [control, found] of faults)
    if (control === id || control.startsWith(`${id}.`)) count += found.length;
  return count;
}

/** The faults without those of controls that have been changed since: nobody knows of these any more. */
export function withoutChanged(faults: Faults, controls: readonly string[]): Faults {
  const isChanged = (control: string) =>
    controls.some((changed) => control === changed || control.startsWith(`${changed}.`));
  if (![...faults.keys()].some(isChanged)) return faults;
  return new Map([...faults].filter(([control]) => !isChanged(control)));
}
