/** What the server says of itself, and of what goes in: the documents of the calls that this page makes. */

export interface LagHistogram {
  /** Ascending; each event is in one. `upto_ms` is null for all that were behind by more. */
  buckets: { upto_ms: number | null; events: number }[];
  /** How far all events were behind together, in seconds. */
  sum_s: number;
}

/** How far a stream has come in one of its sources. Times are RFC 3339. */
export interface StreamSource {
  name: string;
  events: number;
  late: number;
  last_event_at: string | null;
  last_received_at: string;
  lag_ms: number | null;
  /** It has been silent for so long that nothing waits for it. */
  idle: boolean;
}

export interface StreamDocument {
  name: string;
  events: number;
  duplicates: number;
  rejected: number;
  overloaded: number;
  late: number;
  lateness: LagHistogram;
  delay: LagHistogram;
  sources: StreamSource[];
  failed: number;
  derive_failed: number;
  measure_failed: number;
  unconverted: number;
  stored_events: number;
  stored_bytes: number;
  stored_files: number;
  events_kept_from: string | null;
  rejects_kept_from: string | null;
  dedup_ids: number;
  dedup_bytes: number;
  last_event_at: string | null;
  watermark: string | null;
  /** Over the last ten seconds, as the server counts. */
  rate_per_s: number;
}

export interface CubeDocument {
  name: string;
  rows: number;
  bytes: number;
  chunks: number;
  stored_rows: number;
  stored_bytes: number;
  stored_files: number;
  combinations: number;
  other_rows: number;
  failed: number;
  revised_buckets: number;
  revised_events: number;
  revised_known_from: string | null;
  covers_from: string | null;
}

/** A source that the server asks by itself. */
export interface SourceDocument {
  name: string;
  kind: string;
  state: string;
  last_ok_at: string | null;
  last_error: string | null;
  last_error_at: string | null;
  failures: number;
  next_at: string | null;
  unchanged: number;
  events: number;
  duplicates: number;
  rejected: number;
}

export interface ChannelDocument {
  name: string;
  kind: string;
  pending: number;
  last_delivered_at: string | null;
  last_failed_at: string | null;
  error: string | null;
}

export interface JournalDocument {
  state: string;
  fault: string | null;
  instance: string | null;
  bytes: number;
  segments: number;
  durable_to: string | null;
  queued_batches: number;
  queued_bytes: number;
  queued_bytes_high: number;
  free_bytes: number | null;
  free_bytes_min: number;
  refused_full: number;
}

export interface HistoryDocument {
  state: string;
  fault: string | null;
  flushed_to: string | null;
  flushed_at: string | null;
  unflushed_events: number;
  compactions: number;
  roll_ups: number;
  files_expired: number;
  files_deleted: number;
}

export interface AuditDocument {
  last_at: string | null;
  buckets: number;
  keys: number;
  figures: number;
  events: number;
  differences: number;
  unsure: number;
  skipped: number;
  last_difference: string | null;
  fault: string | null;
}

export interface MemoryDocument {
  bytes_max: number;
  bytes: number;
  parts: { part: string; bytes: number; refused: number }[];
}

export interface StatusDocument {
  version: string;
  started_at: string;
  state: 'recovering' | 'ready';
  progress: number;
  definitions: { loaded_at: string | null; errors: string[] };
  journal: JournalDocument;
  history: HistoryDocument;
  audit: AuditDocument;
  memory: MemoryDocument;
  streams: StreamDocument[];
  cubes: CubeDocument[];
  sources: SourceDocument[];
  channels: ChannelDocument[];
  live_clients: number;
}

export interface RejectedLine {
  line: number;
  field?: string;
  reason: string;
}

export interface Receipt {
  accepted: number;
  duplicates: number;
  rejected: number;
  rejections: RejectedLine[];
}

export interface ReplayReceipt extends Receipt {
  replayed: number;
}

export interface QuarantinedLine extends RejectedLine {
  received_at: string;
  /** As the server shows it: card numbers masked, long lines cut. */
  raw: string;
  source?: string;
}

export interface QuarantineList {
  stream: string;
  /** Latest first. */
  lines: QuarantinedLine[];
  truncated: boolean;
}

/** What every work has that the server does when it is asked to. */
export interface Work {
  state: 'running' | 'done' | 'failed';
  started_at: string;
  ended_at: string | null;
  fault: string | null;
}

export interface BackupWork extends Work {
  name: string;
  path: string;
  files: number;
  bytes: number;
}

export interface MaintainWork extends Work {
  flushed_events: number;
  journal_segments: number;
  compactions: number;
  roll_ups: number;
  files_replaced: number;
  files_expired: number;
  files_deleted: number;
  deletion_deferred: boolean;
  took_s: number;
}

export interface VerifyWork extends Work {
  progress: {
    place: string | null;
    bytes: number;
    total_bytes: number;
    cube: string | null;
    buckets: number;
  } | null;
  report: VerifyReport | null;
}

export interface VerifyReport {
  ok: boolean;
  seed: number;
  places: {
    place: string;
    files: number;
    entries: number;
    bytes: number;
    faults: { path: string; reason: string }[];
  }[];
  cubes: CubeReport[];
}

export interface CubeReport {
  cube: string;
  buckets: number;
  keys: number;
  figures: number;
  events: number;
  differences: number;
  unsure: number;
  skipped: number;
  described: {
    cube: string;
    bucket: string;
    key: Record<string, string | null>;
    measure: string | null;
    kept: string | null;
    recounted: string | null;
  }[];
  fault: string | null;
}
