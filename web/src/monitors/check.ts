import type { Metric } from '../api/types';
import { type SettingKey, settingsOf } from './detectors';
import type { Draft } from './draft';
import { durationMs } from './duration';
import type { DefinitionFault } from './types';

/** A control of the form that a fault can stand at; `general` for what is none's. */
export type Field =
  | 'name'
  | 'description'
  | 'metric'
  | 'by'
  | 'detect'
  | 'over'
  | 'direction'
  | 'severity'
  | 'for'
  | 'resolve_after'
  | 'early'
  | 'impact'
  | 'owner'
  | 'calendar'
  | 'notify'
  | 'general'
  | `settings.${SettingKey}`;

/** What the form finds by itself, before the server is asked: a key of the page's texts, with its values. */
export interface DraftFault {
  field: Field;
  key:
    | 'fault.name'
    | 'fault.taken'
    | 'fault.metric'
    | 'fault.number'
    | 'fault.whole'
    | 'fault.duration'
    | 'fault.bound';
}

const NAME = /^[a-z_][a-z0-9_]{0,62}$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

export function isName(text: string): boolean {
  return NAME.test(text);
}

/** Faults that need no server. While there are any but the name's, asking it would only repeat them. */
export function draftFaults(
  draft: Draft,
  metrics: ReadonlyMap<string, Metric> | null,
  taken: ReadonlySet<string>,
): DraftFault[] {
  const faults: DraftFault[] = [];
  if (!isName(draft.name.trim())) faults.push({ field: 'name', key: 'fault.name' });
  else if (taken.has(draft.name.trim())) faults.push({ field: 'name', key: 'fault.taken' });
  if (draft.metric === '' || (metrics && !metrics.has(draft.metric)))
    faults.push({ field: 'metric', key: 'fault.metric' });
  for (const { key, kind } of settingsOf[draft.detector]) {
    const text = draft.settings[key]?.trim() ?? '';
    const field: Field = `settings.${key}`;
    if (text === '') continue;
    if (kind === 'duration' && durationMs(text) === null) faults.push({ field, key: 'fault.duration' });
    if (kind === 'number' && !NUMBER.test(text)) faults.push({ field, key: 'fault.number' });
    if (kind === 'whole' && !/^\d+$/.test(text)) faults.push({ field, key: 'fault.whole' });
  }
  const { above = '', below = '' } = draft.settings;
  if (draft.detector === 'threshold' && above.trim() === '' && below.trim() === '')
    faults.push({ field: 'settings.above', key: 'fault.bound' });
  for (const field of ['over', 'for', 'resolve_after'] as const) {
    const text = draft[field].trim();
    if (text !== '' && durationMs(text) === null) faults.push({ field, key: 'fault.duration' });
  }
  return faults;
}

/** Whether the draft can be sent: how it is to be called does not matter to what it finds. */
export function isTestable(faults: readonly DraftFault[]): boolean {
  return faults.every(({ field }) => field === 'name');
}

const plain = new Set<string>([
  'description',
  'metric',
  'by',
  'over',
  'direction',
  'severity',
  'for',
  'resolve_after',
  'early',
  'impact',
  'owner',
  'calendar',
  'notify',
]);

/** The control that a path of the server's speaks of, such as `monitor.detect.rate.window` or `monitor.by.1`. */
export function fieldOf(path: string, draft: Draft): Field {
  const [root, first = '', , third] = path.split('.');
  if (root !== 'monitor') return 'general';
  if (first === 'detect') {
    const setting = settingsOf[draft.detector].find(({ key }) => key === third);
    return setting ? `settings.${setting.key}` : 'detect';
  }
  return plain.has(first) ? (first as Field) : 'general';
}

/** The server's faults by the control that each stands at. */
export function faultsByField(
  faults: readonly DefinitionFault[],
  draft: Draft,
): ReadonlyMap<Field, DefinitionFault[]> {
  const byField = new Map<Field, DefinitionFault[]>();
  for (const fault of faults) {
    const field = fieldOf(fault.path, draft);
    byField.set(field, [...(byField.get(field) ?? []), fault]);
  }
  return byField;
}

/** The name that a suggestion means: of “did you mean 'window'?” it is `window`. */
export function meantBy(suggestion: string | undefined): string | null {
  return /^did you mean '([^']+)'\?$/.exec(suggestion ?? '')?.[1] ?? null;
}
