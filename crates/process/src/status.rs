//! Figures about processing itself.

use crate::watermark::EventClock;
use serde::{Deserialize, Serialize};

/// What a stream has taken in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StreamStatus {
    /// The stream's name.
    pub name: String,
    /// Events taken, duplicates not among them.
    pub events: u64,
    /// Rows whose id was seen before within the horizon.
    pub duplicates: u64,
    /// Duplicates per source, for at most 64 sources.
    pub duplicates_by_source: Vec<(String, u64)>,
    /// Lines in quarantine.
    pub rejected: u64,
    /// Events that came after their time was complete, by the watermark and by the clock, less the
    /// allowed lateness; they are counted, not dropped.
    pub late: u64,
    /// Events that could not be taken: those of older frames that no longer fit the schema, and
    /// those whose processing failed. They are in the journal only.
    pub failed: u64,
    /// Why the first of them could not; it holds no value of an event.
    pub failed_reason: Option<String>,
    /// Derived values that could not be computed and are null.
    pub derive_failed: u64,
    /// Values of dimensions, measures and their filters that could not be computed and are null.
    /// Their events count in every other measure.
    pub measure_failed: u64,
    /// Amounts that `convert` made null though amount and currencies were there: no rate is known,
    /// or the result has no room. They are missing from sums over it.
    pub unconverted: u64,
    /// The newest event time, µs.
    pub last_event_us: Option<i64>,
    /// Event time up to which buckets are taken to be complete, µs.
    pub watermark_us: Option<i64>,
    /// The event time of each source, and how late events come.
    pub clock: EventClock,
    /// The receipt time of the newest record, µs.
    pub last_received_us: Option<i64>,
    /// Raw events are whole from here on, µs; of earlier days some were removed from history because of
    /// their age. None when all are there. It never moves back.
    pub events_kept_from_us: Option<i64>,
    /// As that, of rejected lines by their receipt, µs.
    pub rejects_kept_from_us: Option<i64>,
    /// Journal frames in the index: those whose events are not in history yet.
    pub frames: u64,
    /// Events in the stream's history table.
    pub stored_events: u64,
    /// Bytes of the table's files.
    pub stored_bytes: u64,
    /// The table's files.
    pub stored_files: u64,
    /// Bytes of the index.
    pub index_bytes: u64,
    /// Ids remembered.
    pub dedup_ids: u64,
    /// Bytes of memory for the remembered ids.
    pub dedup_bytes: u64,
    /// Remembered ids that have no room in memory and are looked up in files.
    pub dedup_spilled_ids: u64,
    /// Bytes of the files with remembered ids.
    pub dedup_disk_bytes: u64,
}

/// What a cube holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CubeStatus {
    /// The cube's name.
    pub name: String,
    /// State rows in memory; a key may have several until they are merged.
    pub rows: u64,
    /// Bytes of the states in memory.
    pub bytes: u64,
    /// Chunks the states are in.
    pub chunks: u64,
    /// State rows in the cube's history table.
    pub stored_rows: u64,
    /// Bytes of the table's files.
    pub stored_bytes: u64,
    /// The table's files.
    pub stored_files: u64,
    /// Changes since start.
    pub version: u64,
    /// Distinct dimension combinations.
    pub combinations: u64,
    /// State rows folded into `__other__` because the cube had its maximum of combinations.
    pub other_rows: u64,
    /// Events that could not be aggregated and are missing from this cube.
    pub failed_rows: u64,
    /// Buckets that are known to have changed after they were complete.
    pub revised_buckets: u64,
    /// Events that came after their bucket was complete.
    pub revised_events: u64,
    /// Revisions of buckets that start before this, µs, may be missing; none when all are known.
    pub revised_complete_from_us: Option<i64>,
    /// Buckets that start before this, µs, may lack events: when the cube was filled, raw events of that
    /// time had been removed. None when it covers all.
    pub covers_from_us: Option<i64>,
}

/// Everything at one moment, for `/v1/status` and the metrics of our own health.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProcessStatus {
    /// One entry per stream, by name.
    pub streams: Vec<StreamStatus>,
    /// One entry per cube, by name.
    pub cubes: Vec<CubeStatus>,
    /// Records of streams that are not defined; they stay in the journal.
    pub unknown_records: u64,
}
