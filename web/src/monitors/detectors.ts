import type { MetricKind } from '../api/types';
import { durationMs } from './duration';
import type { DetectorName } from './types';

export type SettingKey =
  | 'above'
  | 'below'
  | 'sensitivity'
  | 'min_samples'
  | 'min_change'
  | 'window'
  | 'history'
  | 'resolve_margin';

export type SettingKind = 'number' | 'whole' | 'duration' | 'sensitivity';

export interface Setting {
  key: SettingKey;
  kind: SettingKind;
  /** What it is unless told, as one would write it; empty where there is no such value. */
  unlessTold: string;
}

export const sensitivities = ['low', 'normal', 'high'] as const;

const sensitivity: Setting = { key: 'sensitivity', kind: 'sensitivity', unlessTold: 'normal' };
const samples = (unlessTold: string): Setting => ({ key: 'min_samples', kind: 'whole', unlessTold });
const change = (unlessTold: string): Setting => ({ key: 'min_change', kind: 'number', unlessTold });
const window = (unlessTold: string): Setting => ({ key: 'window', kind: 'duration', unlessTold });
const history = (unlessTold: string): Setting => ({ key: 'history', kind: 'duration', unlessTold });

/** What each detector can be told, in the order in which one thinks about it. */
export const settingsOf: Record<DetectorName, readonly Setting[]> = {
  auto: [sensitivity],
  threshold: [
    { key: 'above', kind: 'number', unlessTold: '' },
    { key: 'below', kind: 'number', unlessTold: '' },
    samples('0'),
    window('1m'),
    { key: 'resolve_margin', kind: 'number', unlessTold: '0.05' },
  ],
  rate: [sensitivity, samples('10'), change('0.02'), window('16m'), history('7d')],
  count: [sensitivity, samples('10'), change('0.2'), window('1h'), history('28d')],
  silence: [sensitivity, window('6h'), history('28d')],
  seasonal: [sensitivity, change('0.1'), window('5m'), history('28d')],
  change: [sensitivity, change('0.1'), window('5m'), history('28d')],
  forecast: [sensitivity, change('0.1'), window('15m'), history('28d')],
};

/** `over` judges the last so much time at every bucket; the others judge windows of their own or stretches of any length. */
export function takesOver(detector: DetectorName): boolean {
  return detector === 'threshold' || detector === 'rate' || detector === 'count' || detector === 'silence';
}

/** Whether a detector looks at times of the week, and so at a calendar. */
export function looksAtCalendar(detector: DetectorName): boolean {
  return detector !== 'threshold' && detector !== 'rate';
}

/** What `auto` chooses. The kind of a metric is a hint: the server knows whether a share is one of two counts. */
export function chosenByAuto(kind: MetricKind): DetectorName {
  return kind === 'rate' ? 'rate' : kind === 'count' ? 'count' : 'seasonal';
}

/** Whether a detector can judge such a metric; the server has the last word. */
export function suits(detector: DetectorName, kind: MetricKind): boolean {
  if (detector === 'rate') return kind === 'rate';
  if (detector === 'count' || detector === 'silence') return kind === 'count';
  return true;
}

/** How long a detector learns before it judges; 0 for one that need not. */
export function learnsMs(detector: DetectorName, windowText: string): number {
  const day = 86_400_000;
  const windowMs = durationMs(windowText) ?? 0;
  switch (detector) {
    case 'threshold':
      return 0;
    case 'count':
    case 'silence':
      return 2 * day;
    case 'seasonal':
    case 'change':
      return 400 * windowMs;
    case 'forecast':
      return 2 * day + 480 * windowMs;
    default:
      return 4 * windowMs;
  }
}
