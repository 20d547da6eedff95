import { type SettingKey, settingsOf } from './detectors';
import { briefDuration, durationMs } from './duration';
import { directionUnlessTold } from './learned';
import { type Detect, type DetectorName, detectorNames, directions, type Monitor, severities } from './types';

/** A definition while it is written: texts as typed. What is empty is left to what the server does unless told. */
export interface Draft {
  name: string;
  description: string;
  metric: string;
  by: string[];
  detector: DetectorName;
  settings: Partial<Record<SettingKey, string>>;
  over: string;
  direction: string;
  severity: string;
  for: string;
  resolve_after: string;
  /** `false` where it waits for complete buckets. */
  early: string;
  impact: string;
  owner: string;
  calendar: string;
  notify: string[];
}

export const emptyDraft: Draft = {
  name: '',
  description: '',
  metric: '',
  by: [],
  detector: 'auto',
  settings: {},
  over: '',
  direction: '',
  severity: '',
  for: '',
  resolve_after: '',
  early: '',
  impact: '',
  owner: '',
  calendar: '',
  notify: [],
};

const texts = [
  'description',
  'metric',
  'over',
  'direction',
  'severity',
  'for',
  'resolve_after',
  'early',
  'impact',
  'owner',
  'calendar',
] as const;
const lists = ['by', 'notify'] as const;
const settingKeys: readonly SettingKey[] = [
  'above',
  'below',
  'sensitivity',
  'min_samples',
  'min_change',
  'window',
  'history',
  'resolve_margin',
];

/** The settings of `/v1/monitors` as one would write them: without what is so unless told. */
function writtenSettings(detect: Detect): Pick<Draft, 'detector' | 'settings' | 'over'> {
  const detector = detectorNames.find((name) => detect[name] !== undefined) ?? 'auto';
  const told = detect[detector] ?? {};
  const settings: Draft['settings'] = {};
  // `over` takes the place of `window`, of which the server then tells what it is unless told.
  const over = typeof told.over === 'string' ? briefDuration(told.over) : '';
  for (const { key, kind, unlessTold } of settingsOf[detector]) {
    const value = told[key];
    if (value === null || value === undefined || (key === 'window' && over)) continue;
    const text = kind === 'duration' ? briefDuration(String(value)) : String(value);
    if (!isSame(kind, text, unlessTold)) settings[key] = text;
  }
  return { detector, settings, over };
}

function isSame(kind: string, a: string, b: string): boolean {
  if (a === '' || b === '') return a === b;
  if (kind === 'duration') return durationMs(a) === durationMs(b);
  return kind === 'sensitivity' ? a === b : Number(a) === Number(b);
}

/** How long all must be well before an incident resolves, unless told. */
export const RESOLVE_AFTER = '2m';

/** A duration as one would write it: nothing where it is so unless told. */
function writtenDuration(told: string | null | undefined, unlessTold: string): string {
  return told && !isSame('duration', told, unlessTold) ? briefDuration(told) : '';
}

/** A draft of the monitor as it is, as far as the server tells it. */
export function draftOf(monitor: Monitor): Draft {
  return {
    ...emptyDraft,
    name: monitor.name,
    description: monitor.description ?? '',
    metric: monitor.metric,
    by: [...monitor.by],
    ...writtenSettings(monitor.detect),
    direction: monitor.direction === directionUnlessTold(monitor) ? '' : (monitor.direction ?? ''),
    severity: monitor.severity,
    for: writtenDuration(monitor.for, '0s'),
    resolve_after: writtenDuration(monitor.resolve_after, RESOLVE_AFTER),
    early: monitor.early === false ? 'false' : '',
    impact: monitor.impact ?? '',
    owner: monitor.owner ?? '',
    calendar: monitor.calendar ?? '',
    notify: [...monitor.notify],
  };
}

export type Written = null | boolean | string | number | Written[] | { [key: string]: Written };

/** The definition as the server and a file take it, key by key in the order in which people read them. */
export function definitionOf(draft: Draft): { [key: string]: Written } {
  const settings: { [key: string]: Written } = {};
  for (const { key, kind } of settingsOf[draft.detector]) {
    const text = draft.settings[key]?.trim() ?? '';
    if (text === '' || (key === 'window' && draft.over.trim() !== '')) continue;
    const number = Number(text);
    const isNumber = (kind === 'number' || kind === 'whole') && Number.isFinite(number);
    settings[key] = isNumber ? number : text;
  }
  const definition: { [key: string]: Written } = {};
  const put = (key: (typeof texts)[number]) => {
    const text = draft[key].trim();
    if (text !== '') definition[key] = text;
  };
  put('description');
  put('metric');
  if (draft.by.length > 0) definition.by = draft.by;
  const hasSettings = Object.keys(settings).length > 0 || draft.detector === 'threshold';
  definition.detect = hasSettings ? { [draft.detector]: settings } : draft.detector;
  for (const key of ['over', 'direction', 'severity', 'for', 'resolve_after'] as const) put(key);
  if (draft.early === 'false') definition.early = false;
  for (const key of ['impact', 'owner', 'calendar'] as const) put(key);
  if (draft.notify.length > 0) definition.notify = draft.notify;
  return definition;
}

/** The draft as keys of the address. */
export function searchOf(draft: Draft): Record<string, string> {
  const search: Record<string, string> = {};
  if (draft.name.trim() !== '') search.name = draft.name.trim();
  for (const key of texts) if (draft[key].trim() !== '') search[key] = draft[key];
  for (const key of lists) if (draft[key].length > 0) search[key] = draft[key].join(',');
  search.detect = draft.detector;
  for (const key of settingKeys) {
    const text = draft.settings[key];
    if (text !== undefined && text.trim() !== '') search[key] = text;
  }
  return search;
}

/** Longer than anything that is typed by hand; an address that says more is not one of ours. */
const TEXT_MAX = 500;

/** Reads an untrusted address: what is not understood is dropped. Null when it holds no draft. */
export function draftFrom(search: Readonly<Record<string, string>>): Draft | null {
  if (search.detect === undefined && search.metric === undefined) return null;
  const read = (key: string) => (search[key] ?? '').slice(0, TEXT_MAX);
  const draft: Draft = { ...emptyDraft, settings: {}, name: read('name') };
  for (const key of texts) draft[key] = read(key);
  if (!(directions as readonly string[]).includes(draft.direction)) draft.direction = '';
  if (!(severities as readonly string[]).includes(draft.severity)) draft.severity = '';
  if (draft.early !== 'false') draft.early = '';
  for (const key of lists) {
    const names = read(key)
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
    draft[key] = [...new Set(names)];
  }
  draft.detector = detectorNames.find((name) => name === search.detect) ?? 'auto';
  for (const key of settingKeys) {
    const text = read(key);
    if (text !== '') draft.settings[key] = text;
  }
  return draft;
}

/** Whether two drafts make the same definition under the same name. */
export function isSameDraft(a: Draft, b: Draft): boolean {
  const text = (draft: Draft) => JSON.stringify([draft.name.trim(), definitionOf(draft)]);
  return text(a) === text(b);
}
