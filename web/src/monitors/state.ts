import { learnsMs, settingsOf } from './detectors';
import { durationMs } from './duration';
import { type DetectorName, detectorNames, type Monitor } from './types';

/** What a monitor is doing, the most pressing first. */
export const states = ['failing', 'firing', 'learning', 'waiting', 'idle', 'watching'] as const;
export type MonitorState = (typeof states)[number];

/** Judgements come at least this often, unless windows are longer. */
const QUIET_MS = 30 * 60_000;

export function detectorOf(monitor: Pick<Monitor, 'detect'>): DetectorName {
  return detectorNames.find((name) => monitor.detect[name] !== undefined) ?? 'auto';
}

/** A setting of the detector as the server tells it, or what it is unless told. */
export function settingOf(monitor: Pick<Monitor, 'detect'>, key: string): string {
  const detector = detectorOf(monitor);
  const told = monitor.detect[detector]?.[key];
  if (told !== null && told !== undefined) return String(told);
  return settingsOf[detector].find((setting) => setting.key === key)?.unlessTold ?? '';
}

export function stateOf(monitor: Monitor, nowMs: number): MonitorState {
  if (monitor.error !== null) return 'failing';
  if (monitor.firing > 0) return 'firing';
  if (monitor.learning) return 'learning';
  if (monitor.last_judged_at === null) return 'waiting';
  const windowMs = durationMs(settingOf(monitor, 'over') || settingOf(monitor, 'window')) ?? 0;
  const judgedMs = Date.parse(monitor.last_judged_at);
  return nowMs - judgedMs > Math.max(QUIET_MS, 3 * windowMs) ? 'idle' : 'watching';
}

export type Advice =
  | 'advice.samples'
  | 'advice.share'
  | 'advice.buckets'
  | 'advice.slices'
  | 'advice.deadline'
  | 'advice.error'
  | 'advice.learning'
  | 'advice.waiting'
  | 'advice.idle';

/** What to do about a state that is none to rest in; null where all is well. */
export function adviceOf(monitor: Monitor, state: MonitorState): Advice | null {
  if (state === 'learning') return 'advice.learning';
  if (state === 'waiting') return 'advice.waiting';
  if (state === 'idle') return 'advice.idle';
  if (state !== 'failing') return null;
  const error = monitor.error ?? '';
  if (/min_samples/.test(error)) return 'advice.samples';
  if (/no share of a count/.test(error)) return 'advice.share';
  if (/no part of a day/.test(error)) return 'advice.buckets';
  if (/slices|series_max|points_max|more than/.test(error)) return 'advice.slices';
  if (/too long|deadline|timed out/.test(error)) return 'advice.deadline';
  return 'advice.error';
}

/** How much history a monitor needs before it judges, in milliseconds. */
export function learningMs(monitor: Pick<Monitor, 'detect'>): number {
  return learnsMs(detectorOf(monitor), settingOf(monitor, 'window'));
}

/** Of the incidents that people judged, the share that was real; null before anybody did. */
export function precisionOf({ real, false_alarms }: { real: number; false_alarms: number }): number | null {
  const judged = real + false_alarms;
  return judged === 0 ? null : real / judged;
}
