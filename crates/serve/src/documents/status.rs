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
    /// `opening`, `writable` or `poisoned`.
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
    /// Events that came after their bucket was judged complete.
    pub late: u64,
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
    /// Rows of partial states held.
    pub rows: u64,
    /// Bytes of memory held.
    pub bytes: u64,
    /// Pieces they are held in.
    pub chunks: u64,
    /// Distinct combinations of dimensions.
    pub combinations: u64,
    /// Rows folded into `__other__` because there were too many combinations.
    pub other_rows: u64,
    /// Events that are missing from it, because they could not be aggregated.
    pub failed: u64,
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
    /// All streams.
    pub streams: Vec<StreamStatus>,
    /// All cubes.
    pub cubes: Vec<CubeStatus>,
    /// All sources.
    pub sources: Vec<SourceStatus>,
    /// Open live streams.
    pub live_clients: u64,
}
