import type { Incident, Problem, Severity } from '../api/types';

/** The shapes of `/v1/monitors` and of a back-test, as the server writes them. */

export const detectorNames = [
  'auto',
  'threshold',
  'rate',
  'count',
  'silence',
  'seasonal',
  'change',
  'forecast',
] as const;
export type DetectorName = (typeof detectorNames)[number];

export const directions = ['up', 'down', 'both'] as const;
export type Direction = (typeof directions)[number];

export const severities = ['critical', 'warning', 'info'] as const;

/** A detector with its settings. Durations are texts in seconds, such as `960s`. */
export type Detect = Partial<Record<DetectorName, Record<string, unknown>>>;

export interface Monitor {
  name: string;
  metric: string;
  by: string[];
  detect: Detect;
  severity: Severity;
  notify: string[];
  /** RFC 3339; null before the first judgement. */
  last_judged_at: string | null;
  slices: number;
  firing: number;
  learning: boolean;
  /** Why it could not judge the last time, or what it had to leave out. */
  error: string | null;
  feedback: { real: number; false_alarms: number; brier: number | null };
  // What a server may not tell of a definition yet; where it does, a form starts from it.
  description?: string | null;
  direction?: Direction | null;
  for?: string | null;
  resolve_after?: string | null;
  /** Whether buckets are looked at before they are complete. A server that tells this tells all. */
  early?: boolean;
  impact?: string | null;
  owner?: string | null;
  calendar?: string | null;
}

export type Slice = Record<string, string | null>;
export type Verdict = 'real' | 'false_alarm';

/** What is not announced for a while: the incidents of a monitor of a slice or within it; of all when it is empty. */
export interface Silence {
  id: number;
  monitor: string;
  slice: Slice;
  /** RFC 3339. */
  until: string;
  incident?: string;
  by?: string;
  note?: string;
  created_at?: string;
}

/** An incident, and until when nothing is announced about it. */
export type SilencedIncident = Incident & { silenced_until?: string | null };

export interface BacktestIncident {
  incident: Incident;
  /** From the first bad bucket to when it would have opened. */
  delay_s: number;
  /** The incident that did open on the same events. */
  live: string | null;
  label: number | null;
  verdict: Verdict | null;
}

export interface BacktestMissed {
  started_at: string;
  slice: Slice;
  live: string | null;
  label: number | null;
  summary: string | null;
}

export interface BacktestCounts {
  found: number;
  real: number;
  false_alarms: number;
  unlabelled: number;
  missed: number;
}

export interface BacktestRun {
  metric: string;
  by: string[];
  detect: Detect;
  direction: Direction;
  steps: number;
  resolution: { from: string; step_s: number }[];
  learning_hours: number;
  per_week: number;
  counts: BacktestCounts;
  incidents: BacktestIncident[];
  truncated: boolean;
  missed: BacktestMissed[];
}

export interface BacktestAnswer {
  monitor: string;
  from: string;
  to: string;
  took_s: number;
  existing: BacktestRun | null;
  proposed: BacktestRun | null;
  comparison: {
    both: { existing: string; proposed: string; later_s: number }[];
    only_existing: string[];
    only_proposed: string[];
  } | null;
}

/** One thing wrong with a definition that was sent. */
export interface DefinitionFault {
  path: string;
  message: string;
  suggestion?: string;
}

export interface BacktestProblem extends Problem {
  faults?: DefinitionFault[];
}
