/** The JSON shapes of the HTTP API, as the server writes them. */

/** A figure: decimals and integers beyond 2^53 come as strings and must stay exact. */
export type Figure = number | string;

export interface Localized {
  en: string;
  zh?: string;
}

export type MetricKind = 'rate' | 'count' | 'amount' | 'other';

export interface Metric {
  name: string;
  /** `percent` (a fraction), an ISO 4217 code, `ms`, `count`, or another unit's name. */
  unit: string | null;
  description?: string | null;
  formula?: string | null;
  /** What people call it. */
  title?: Localized;
  /** The cube it is computed from. */
  of: string;
  dimensions: string[];
  bucket_ms: number;
  kind: MetricKind;
}

export type Point = [epochMs: number, value: Figure | null];

export interface Series {
  by: Record<string, string | null>;
  points: Point[];
}

export interface SeriesDocument {
  metric: string;
  unit: string | null;
  /** Epoch milliseconds. */
  from: number;
  to: number;
  step_ms: number;
  by: string[];
  /** Event time up to which buckets are complete enough to judge, in epoch milliseconds. */
  watermark: number | null;
  series: Series[];
  /** Why points have no value, in sentences. */
  notes?: string[];
  truncated: boolean;
}

export interface ForecastPoint {
  /** Start of the step, in epoch milliseconds. */
  start: number;
  value: number;
  lower_80: number;
  upper_80: number;
  lower_95: number;
  upper_95: number;
}

/** What a day is expected to come to; an estimate, hence a number also of amounts. */
export interface DayForecast {
  from: number;
  to: number;
  value: number;
  lower_80: number;
  upper_80: number;
}

export interface SliceForecast {
  by: Record<string, string | null>;
  status: 'ready' | 'learning';
  /** Whether a day and a week have been seen twice. */
  footing?: 'cold_start' | 'partial' | 'full';
  points: ForecastPoint[];
  /** Null for what does not add up. */
  day: DayForecast | null;
}

export interface ForecastDocument {
  metric: string;
  unit: string | null;
  step_ms: number;
  forecasts: SliceForecast[];
}

export interface BoardSummary {
  name: string;
  title: Localized;
  /** Whether it is one of the definitions folder or was made in the browser; older servers know the first only. */
  from?: 'folder' | 'catalogue';
  /** RFC 3339; of boards of the catalogue. */
  changed_at?: string | null;
  /** The name of the token it was saved with; of boards of the catalogue. */
  by?: string | null;
}

export interface TileDefinition {
  metric: string;
  title: Localized;
  where?: Record<string, string>;
  /** The direction that is good news; without it a change has no colour. */
  good?: 'up' | 'down' | null;
}

export type ChartShape = 'lines' | 'stacked' | 'bars';
/** How much of a row a panel takes where there is room for several; half when nothing is said. */
export type PanelWidth = 'third' | 'half' | 'full';

export interface ChartDefinition {
  metric: string;
  by?: string | null;
  title: Localized;
  window?: string | null;
  /** Without it the metric decides: split sums are stacked, everything else is lines. */
  shape?: ChartShape | null;
  where?: Record<string, string> | null;
  width?: PanelWidth | null;
}

/** What every panel may have. */
interface PanelShared {
  title?: Localized | null;
  where?: Record<string, string> | null;
  width?: PanelWidth | null;
}

/** The slices of a metric by one to three dimensions, the largest first. */
export interface TableDefinition extends PanelShared {
  kind: 'table';
  metric: string;
  by: string[];
  /** Further metrics shown as columns. */
  also?: string[] | null;
  top?: number | null;
}

/** Hours by weekdays over some weeks. */
export interface HeatmapDefinition extends PanelShared {
  kind: 'heatmap';
  metric: string;
  weeks?: number | null;
}

export interface FunnelStep {
  metric: string;
  title?: Localized | null;
}

export interface FunnelDefinition extends PanelShared {
  kind: 'funnel';
  steps: FunnelStep[];
}

/** How a sum flows through dimensions in order. */
export interface SankeyDefinition extends PanelShared {
  kind: 'sankey';
  metric: string;
  by: string[];
  /** Values kept per dimension. */
  top?: number | null;
}

/** A figure against its objective. */
export interface GaugeDefinition extends PanelShared {
  kind: 'gauge';
  metric: string;
  objective: Figure;
  from?: Figure | null;
  to?: Figure | null;
  good?: 'up' | 'down' | null;
}

export interface MapDefinition extends PanelShared {
  kind: 'map';
  metric: string;
  /** The dimension that holds ISO 3166 alpha-2 codes; `country` when nothing is said. */
  by?: string | null;
}

/** Plain text; blank lines make paragraphs. */
export interface TextDefinition extends PanelShared {
  kind: 'text';
  text: Localized;
}

export type PanelDefinition =
  | TableDefinition
  | HeatmapDefinition
  | FunnelDefinition
  | SankeyDefinition
  | GaugeDefinition
  | MapDefinition
  | TextDefinition;

export interface Board extends BoardSummary {
  tiles: TileDefinition[];
  charts: ChartDefinition[];
  /** Older servers have none. */
  panels?: PanelDefinition[];
  incidents: boolean;
  /** Of boards of the catalogue: the number that guards against lost updates. */
  version?: number | null;
}

export type Severity = 'critical' | 'warning' | 'info';
export type IncidentState = 'open' | 'acknowledged' | 'resolved';

export interface TimelineEntry {
  at: string;
  kind: string;
  text: string;
}

export interface Incident {
  id: string;
  monitor: string;
  metric: string;
  unit: string | null;
  severity: Severity;
  state: IncidentState;
  slice: Record<string, string>;
  /** RFC 3339. */
  opened_at: string;
  started_at: string;
  updated_at: string;
  resolved_at: string | null;
  value: Figure | null;
  expected: Figure | null;
  /** The bound that is crossed, where a monitor has one; there is nothing expected then. */
  bound?: Figure | null;
  numerator?: Figure | null;
  denominator?: Figure | null;
  /** How many events the incident has hit beyond what was expected. */
  affected?: Figure | null;
  /** Where nobody can tell how many it has hit: how many events there were meanwhile, good ones and bad ones. */
  passed?: Figure | null;
  probability?: number | null;
  direction?: 'up' | 'down' | null;
  summary: string;
  timeline: TimelineEntry[];
  /** What a person said of it. */
  verdict?: 'real' | 'false_alarm' | null;
  explanation?: IncidentExplanation | null;
  /** What it has cost so far, or put at risk: an estimate. */
  impact?: {
    metric: string;
    value: Figure | null;
    unit: string | null;
    /** The worth of the events that were hit, or of all that there were meanwhile, where nobody can tell which were. */
    of?: 'affected' | 'passed';
  } | null;
  owner?: string | null;
  /** The incident of another monitor that has the same cause and came first. */
  part_of?: string | null;
  /** The ids of incidents that are part of this one. */
  parts?: string[];
  /** RFC 3339: until when nothing is announced about it. */
  silenced_until?: string | null;
  /** RFC 3339: when the last event was received that changed what it was judged by. */
  revised_at?: string | null;
  revision?: { then: RevisedFigures; now: RevisedFigures } | null;
}

/** Those figures of an incident that late events can change. */
export interface RevisedFigures {
  value: Figure | null;
  numerator: Figure | null;
  denominator: Figure | null;
  affected: Figure | null;
}

/** A slice that changed in its own way. */
export interface ExplainedPart {
  slice: Record<string, string | null>;
  expected: Figure | null;
  value: Figure | null;
  /** Of the whole change; above 1 where other slices went the other way. */
  share: Figure | null;
  affected: Figure | null;
  denominator: Figure | null;
}

/** Why the metric of an incident changed. Times are RFC 3339. */
export interface IncidentExplanation {
  slice: Record<string, string | null>;
  from: string;
  to: string;
  compared_with: { from: string; to: string }[];
  expected: Figure | null;
  value: Figure | null;
  parts: ExplainedPart[];
  alternatives: { slices: Record<string, string | null>[]; score: Figure | null }[];
  mix: {
    slice: Record<string, string | null>;
    traffic_before: Figure | null;
    traffic: Figure | null;
    shift: Figure | null;
  } | null;
  dimensions: string[];
  dimensions_left_out: string[];
  events_sql: string | null;
}

export interface StreamStatus {
  name: string;
  /** RFC 3339: the newest event time, and up to where buckets are complete. */
  last_event_at: string | null;
  watermark: string | null;
}

export interface ServerStatus {
  version: string;
  started_at: string;
  state: 'recovering' | 'ready';
  /** 0 to 1 while recovering. */
  progress: number;
  streams: StreamStatus[];
}

/** RFC 9457. */
export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  suggestion?: string;
}
