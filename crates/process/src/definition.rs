//! What a stream and a cube are, as the definitions folder hands them over.

use std::sync::Arc;
use std::time::Duration;

use tillwatch_event::StreamSchema;

use crate::functions::Bounds;

/// A stream: its schema and the columns computed from it.
#[derive(Debug, Clone)]
pub struct StreamDefinition {
    /// The declared fields.
    pub schema: Arc<StreamSchema>,
    /// Derived columns as (name, SQL expression), each may use the ones before it.
    pub derive: Vec<(String, String)>,
    /// How long raw events are kept in history, in event time counted from the stream's newest events;
    /// none for ever. Whole days are removed.
    pub keep: Option<Duration>,
    /// How long rejected lines are kept in history, counted from the stream's last receipt; likewise.
    pub quarantine_keep: Option<Duration>,
}

/// A cube: time buckets × dimensions → measures over one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CubeDefinition {
    /// The cube's name, also its table name in SQL.
    pub name: String,
    /// The stream it rolls up.
    pub from: String,
    /// The width of a time bucket, 1 s to 1 d, aligned to 1970-01-01T00:00:00Z.
    pub bucket: Duration,
    /// Dimensions as (name, SQL expression).
    pub dimensions: Vec<(String, String)>,
    /// Measures as (name, SQL aggregate with an optional `filter (where …)`).
    pub measures: Vec<(String, String)>,
    /// Retention as (bucket width, age): states older than the age are rolled up into the next
    /// width, and removed after the last. Empty keeps everything at the cube's own width.
    pub keep: Vec<(Duration, Duration)>,
}

/// The limits and waits of processing. Times are event time unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessOptions {
    /// How far the watermark stays behind the newest event time, in microseconds. Default 60 s.
    pub lateness_us: i64,
    /// How far behind the watermark an event may be before it counts as late, in microseconds. Default 0.
    pub allowed_lateness_us: i64,
    /// An event time further than this ahead of its receipt does not move the watermark, in
    /// microseconds. Default 1 h: a client with a wrong clock must not make everyone else late.
    pub future_max_us: i64,
    /// A source that has brought no event for so long, or whose newest event is so far behind the
    /// stream's newest, does not hold the watermark back, in microseconds. Default 60 s.
    pub source_idle_us: i64,
    /// Buckets of a cube that are known to have changed after they were complete; of more only the
    /// newest are told by name. Default 10 000.
    pub revised_buckets_max: usize,
    /// Distinct dimension combinations a cube keeps before new ones go to `__other__`. Default 100 000.
    pub combinations_max: usize,
    /// Bytes of new events of all streams that wait to be aggregated, so that fewer and larger batches are;
    /// whoever asks for figures has them aggregated first. Default 32 MiB.
    pub backlog_bytes_max: usize,
    /// Newest quarantine frames a stream keeps in its index. Default 10 000.
    pub reject_frames_max: usize,
    /// Bytes of decoded states of cubes' tables that are kept in memory for questions. Default 128 MiB.
    pub state_cache_bytes_max: u64,
    /// Rows of events that one commit of a flush writes, and so holds in memory. Default 250 000.
    pub flush_rows_max: usize,
    /// And their bytes in memory. Default 128 MiB.
    pub flush_bytes_max: usize,
    /// Rows of the files that one step of maintenance lays together, and so holds in memory. Default 250 000.
    pub maintain_rows_max: u64,
    /// And the bytes of these files. Default 32 MiB.
    pub maintain_bytes_max: u64,
    /// Bytes of one value that an expression of a definition produces. Default 1 MiB, a line's limit.
    pub value_bytes_max: usize,
    /// Bytes one call of a function in a definition may produce for one batch of rows, which is
    /// tried in halves when it would be more. Default 64 MiB.
    pub function_bytes_max: usize,
    /// Bytes of memory for the remembered ids of all streams; past it they are looked up in files. Default
    /// 256 MiB, some ten million ids.
    pub dedup_memory_bytes_max: usize,
}

impl ProcessOptions {
    /// What one call of a function may produce.
    pub(crate) fn function_bounds(&self) -> Bounds {
        Bounds {
            value_bytes_max: self.value_bytes_max as u64,
            batch_bytes_max: self.function_bytes_max as u64,
        }
    }
}

impl Default for ProcessOptions {
    fn default() -> Self {
        Self {
            lateness_us: 60_000_000,
            allowed_lateness_us: 0,
            future_max_us: 3_600_000_000,
            source_idle_us: 60_000_000,
            revised_buckets_max: 10_000,
            combinations_max: 100_000,
            backlog_bytes_max: 32 << 20,
            reject_frames_max: 10_000,
            state_cache_bytes_max: 128 << 20,
            flush_rows_max: 250_000,
            flush_bytes_max: 128 << 20,
            maintain_rows_max: 250_000,
            maintain_bytes_max: 32 << 20,
            value_bytes_max: 1 << 20,
            function_bytes_max: 64 << 20,
            dedup_memory_bytes_max: 256 << 20,
        }
    }
}
