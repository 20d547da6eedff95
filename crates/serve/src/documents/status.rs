//! The state of the server and of all that runs in it.

use serde::Serialize;
use utoipa::ToSchema;

/// Whether the server answers questions yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServerState {
    /// It replays its journal.
    Recovering,
    /// It answers everything.
    Ready,
}

/// The definitions in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct DefinitionsStatus {
    /// When they were loaded, RFC 3339.
    pub loaded_at: Option<String>,
    /// The faults of a newer version that was not taken for them.
    pub errors: Vec<String>,
}

/// The journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct JournalStatus {
    /// `opening`, `writable`, `disk_low` or `poisoned`.
    pub state: String,
    /// Why it is poisoned.
    pub fault: Option<String>,
    /// Which journal it is, 32 hexadecimal digits: another one in its place has others.
    pub instance: Option<String>,
    /// Bytes on disk.
    pub bytes: u64,
    /// Segment files.
    pub segments: u64,
    /// Up to where it is safe on disk, `segment:position`.
    pub durable_to: Option<String>,
    /// Batches that wait to be written.
    pub queued_batches: u64,
    /// Bytes that wait to be written.
    pub queued_bytes: u64,
    /// The most bytes that ever waited at once since the start.
    pub queued_bytes_high: u64,
    /// Bytes free on its disk; none where that is not known.
    pub free_bytes: Option<u64>,
    /// With fewer free bytes no events are taken.
    pub free_bytes_min: u64,
    /// Requests answered with 507 since the start.
    pub refused_full: u64,
}

/// Memory that the parts of the process share.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemoryStatus {
    /// What they may hold together.
    pub bytes_max: u64,
    /// What they hold.
    pub bytes: u64,
    /// Each part.
    pub parts: Vec<MemoryPartStatus>,
}

/// Memory of one part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemoryPartStatus {
    /// `ingest`, `queries`, `caches`, `cubes`, `dedup`, `index` or `other`.
    pub part: String,
    /// Bytes it holds.
    pub bytes: u64,
    /// How often it was refused more since the start.
    pub refused: u64,
}

/// The history tables, into which events and states are flushed from the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct HistoryStatus {
    /// `opening`, `ok` or `failing`.
    pub state: String,
    /// Why the last try to write failed; what was not written is in the journal.
    pub fault: Option<String>,
    /// The last frame of the journal that history holds, `segment:position`: the next start replays
    /// what comes after it.
    pub flushed_to: Option<String>,
    /// When that was, RFC 3339; none since the start of the process.
    pub flushed_at: Option<String>,
    /// Events that are only in the journal so far.
    pub unflushed_events: u64,
    /// Commits since the start that laid files together.
    pub compactions: u64,
    /// Commits since the start that made states coarser or removed those past their age.
    pub roll_ups: u64,
    /// Files since the start that are in no table any more, because their day of raw events or rejected
    /// lines has come of age.
    pub files_expired: u64,
    /// Files deleted since the start.
    pub files_deleted: u64,
}

/// The continuous audit: kept figures of cubes compared with the raw events, a little all the time. All
/// numbers count since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditStatus {
    /// When it last compared something, RFC 3339.
    pub last_at: Option<String>,
    /// Buckets compared.
    pub buckets: u64,
    /// Combinations of dimension values compared, in a bucket each.
    pub keys: u64,
    /// Figures compared.
    pub figures: u64,
    /// Events read for it.
    pub events: u64,
    /// Figures that are not what the events say. There is an incident then.
    pub differences: u64,
    /// Such figures of cubes that are known to lack events which could not be aggregated.
    pub unsure: u64,
    /// Ranges that could not be compared, because they have too many events for its budget or one that
    /// cannot be aggregated.
    pub skipped: u64,
    /// The last difference, in words.
    pub last_difference: Option<String>,
    /// Why the last try failed.
    pub fault: Option<String>,
}

/// Events that were behind by more than the bucket before says and by no more than this one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct LagBucket {
    /// The most by which they were behind, in milliseconds; null for all that were behind by more.
    pub upto_ms: Option<i64>,
    /// How many there were.
    pub events: u64,
}

/// Events by how far they were behind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct LagHistogram {
    /// Ascending; each event is in one.
    pub buckets: Vec<LagBucket>,
    /// How far all events were behind together, in seconds.
    pub sum_s: f64,
}

/// How far the event time of a stream has come in one of its sources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct StreamSource {
    /// The source's name; `http` for what is pushed, `quarantine` for lines that were tried again,
    /// `__other__` for all sources beyond 64.
    pub name: String,
    /// Events of it that were counted.
    pub events: u64,
    /// Those of them that came late.
    pub late: u64,
    /// Latest event time, RFC 3339, of events not too far ahead of their receipt.
    pub last_event_at: Option<String>,
    /// When it last brought an event, RFC 3339.
    pub last_received_at: String,
    /// How far its latest event time is behind the stream's, in milliseconds.
    pub lag_ms: Option<i64>,
    /// Whether it has brought nothing for so long that the watermark does not wait for it.
    pub idle: bool,
}

/// One stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct StreamStatus {
    /// Its name.
    pub name: String,
    /// Events counted.
    pub events: u64,
    /// Events that came again.
    pub duplicates: u64,
    /// Lines in quarantine.
    pub rejected: u64,
    /// Requests answered with 429 since the start.
    pub overloaded: u64,
    /// Events that came after their time was taken to be complete.
    pub late: u64,
    /// Events by how far their time was behind the newest event time before them.
    pub lateness: LagHistogram,
    /// Events by how long after their time they were received.
    pub delay: LagHistogram,
    /// How far each source has come.
    pub sources: Vec<StreamSource>,
    /// Events in the journal that are not counted, because they do not fit the definition or could
    /// not be processed.
    pub failed: u64,
    /// Derived values that could not be computed and are null.
    pub derive_failed: u64,
    /// Values of dimensions, measures and their filters that could not be computed and are null;
    /// their events count in every other measure.
    pub measure_failed: u64,
    /// Amounts that `convert` left out of account, because no rate is known.
    pub unconverted: u64,
    /// Events in the stream's history table.
    pub stored_events: u64,
    /// Bytes of its files.
    pub stored_bytes: u64,
    /// Its files.
    pub stored_files: u64,
    /// Raw events are whole from here on, RFC 3339: of earlier days some have come of age and were removed;
    /// null when all are there.
    pub events_kept_from: Option<String>,
    /// As that, of rejected lines by their receipt.
    pub rejects_kept_from: Option<String>,
    /// Ids remembered to tell repeated events.
    pub dedup_ids: u64,
    /// Bytes of memory they take.
    pub dedup_bytes: u64,
    /// Latest event time, RFC 3339.
    pub last_event_at: Option<String>,
    /// Event time up to which buckets are complete, RFC 3339.
    pub watermark: Option<String>,
    /// Events per second over the last ten seconds.
    pub rate_per_s: f64,
}

/// One cube.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct CubeStatus {
    /// Its name.
    pub name: String,
    /// Rows of partial states held in memory.
    pub rows: u64,
    /// Bytes of memory held.
    pub bytes: u64,
    /// Pieces they are held in.
    pub chunks: u64,
    /// Rows of partial states in the cube's history table.
    pub stored_rows: u64,
    /// Bytes of its files.
    pub stored_bytes: u64,
    /// Its files.
    pub stored_files: u64,
    /// Distinct combinations of dimensions.
    pub combinations: u64,
    /// Rows folded into `__other__` because there were too many combinations.
    pub other_rows: u64,
    /// Events that are missing from it, because they could not be aggregated.
    pub failed: u64,
    /// Buckets that are known to have changed after they were complete.
    pub revised_buckets: u64,
    /// Events that came after their bucket was complete.
    pub revised_events: u64,
    /// Of buckets before this, RFC 3339, it may not be known that they changed; null when all are known.
    pub revised_known_from: Option<String>,
    /// Buckets that start before this, RFC 3339, may lack events: the cube was filled from raw events when
    /// those of that time had been removed. Null when it covers all.
    pub covers_from: Option<String>,
}

/// One source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct SourceStatus {
    /// Its name.
    pub name: String,
    /// Its kind, such as `http_poll`.
    pub kind: String,
    /// `ok`, `failing` or `stopped`.
    pub state: String,
    /// When it last succeeded, RFC 3339.
    pub last_ok_at: Option<String>,
    /// Why it last failed; it stays when the source is well again.
    pub last_error: Option<String>,
    /// When that was, RFC 3339.
    pub last_error_at: Option<String>,
    /// Failures since it last succeeded.
    pub failures: u64,
    /// When it tries next, RFC 3339.
    pub next_at: Option<String>,
    /// Answers since the start that had not changed.
    pub unchanged: u64,
    /// Events it has brought since the start.
    pub events: u64,
    /// Events since the start that were known already.
    pub duplicates: u64,
    /// Events since the start that were rejected.
    pub rejected: u64,
}

/// A channel, and what became of its messages of the last week.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChannelStatus {
    /// Its name.
    pub name: String,
    /// `webhook`, `slack`, `email`, `pagerduty`, `alertmanager`, `feishu` or `dingtalk`.
    pub kind: String,
    /// Messages that wait to be delivered.
    pub pending: u64,
    /// When the last message was delivered, RFC 3339.
    pub last_delivered_at: Option<String>,
    /// When the last message was given up, RFC 3339.
    pub last_failed_at: Option<String>,
    /// Why the newest of those could not be delivered that wait or were given up.
    pub error: Option<String>,
}

/// Everything about the running server.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StatusDocument {
    /// The version of Tillwatch.
    pub version: String,
    /// When this process started, RFC 3339.
    pub started_at: String,
    /// Whether it answers questions yet.
    pub state: ServerState,
    /// How far recovery has come, 0 to 1.
    pub progress: f64,
    /// The definitions in force.
    pub definitions: DefinitionsStatus,
    /// The journal.
    pub journal: JournalStatus,
    /// The history tables.
    pub history: HistoryStatus,
    /// The continuous audit.
    pub audit: AuditStatus,
    /// The memory of the process.
    pub memory: MemoryStatus,
    /// All streams.
    pub streams: Vec<StreamStatus>,
    /// All cubes.
    pub cubes: Vec<CubeStatus>,
    /// All sources.
    pub sources: Vec<SourceStatus>,
    /// All active channels.
    pub channels: Vec<ChannelStatus>,
    /// Open live streams.
    pub live_clients: u64,
}
