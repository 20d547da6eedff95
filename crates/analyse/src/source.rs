//! What this crate needs of a cube and of a stream, so that everything above is tested without them.

use std::fmt::Debug;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::Result;
use datafusion::logical_expr::AggregateUDF;
use tillwatch_process::FigureCurrency;

use crate::tables::TimeRange;

/// One measure of a cube.
#[derive(Debug, Clone)]
pub(crate) struct SourceMeasure {
    pub(crate) name: String,
    /// The aggregate as written.
    pub(crate) sql: String,
    /// The columns of its partial state in the cube's snapshots, in the order `merge` takes them.
    pub(crate) state_columns: Vec<String>,
    /// Merges partial states and finishes them.
    pub(crate) merge: Arc<AggregateUDF>,
    /// The type of the finished value.
    pub(crate) data_type: DataType,
    /// The currency of its figures.
    pub(crate) currency: FigureCurrency,
}

/// What tells whether an answer still holds.
pub(crate) trait Changing: Send + Sync {
    /// Grows with every change. It does so before whoever brought the change hears that it was taken.
    fn version(&self) -> u64;
    /// The buckets, first and last, that changed since a version; none when nothing did.
    fn changed_since(&self, version: u64) -> Option<(i64, i64)>;
    /// How often older buckets may have been joined or removed, and the start before which all of these started.
    fn reshaped(&self) -> (u64, i64);
}

/// A cube: kept partial aggregates.
pub(crate) trait CubeSource: Changing + Debug {
    /// Its name, which is its table's.
    fn name(&self) -> &str;
    /// Width of a bucket, in microseconds.
    fn bucket_us(&self) -> i64;
    /// Names of the dimensions.
    fn dimensions(&self) -> Vec<String>;
    /// Its measures.
    fn measures(&self) -> Vec<SourceMeasure>;
    /// Columns of a snapshot: `bucket`, dimensions, partial states.
    fn schema(&self) -> SchemaRef;
    /// Has events aggregated that were taken and wait. It may block.
    fn settle(&self);
    /// The partial states of a range of buckets as they are now, with those events.
    fn view(&self, range: TimeRange) -> Arc<dyn CubeSnapshot>;
    /// The widths of older buckets as (start of the first such bucket, width), newest first; empty
    /// when all have the cube's own.
    fn widths_us(&self) -> Vec<(i64, i64)>;
    /// Event time up to which buckets are complete at a time; none before the first event.
    fn complete_us(&self, now_us: i64) -> Option<i64>;
}

/// What one question sees of a cube.
pub(crate) trait CubeSnapshot: Debug + Send + Sync {
    /// All states, when they are in memory.
    fn in_memory(&self) -> Option<&[RecordBatch]>;
    /// The states, of their columns those at these places; several rows per key are possible, and rows outside
    /// the range too. Reading them may block.
    fn batches(
        &self,
        columns: Vec<usize>,
    ) -> Box<dyn Iterator<Item = Result<RecordBatch>> + Send + '_>;
    /// The first and the last bucket start within `from_us ≤ t < to_us`. Reading may block.
    fn extent(&self, from_us: i64, to_us: i64) -> Result<Option<(i64, i64)>>;
}

/// Batches of a stream's events, read one by one.
pub(crate) type Scan = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// A stream: raw events.
pub(crate) trait StreamSource: Debug + Send + Sync {
    /// Its name, which is its table's.
    fn name(&self) -> &str;
    /// The column of event time.
    fn time(&self) -> &str;
    /// Declared and derived columns.
    fn schema(&self) -> SchemaRef;
    /// What there is by now; what comes later is not in it.
    fn view(&self) -> Arc<dyn StreamSnapshot>;
}

/// What one question sees of a stream.
pub(crate) trait StreamSnapshot: Debug + Send + Sync {
    /// The events of a range of event time, each once; events outside the range are possible. Of other
    /// `columns` than these the values are not needed, and may be null.
    fn scan(&self, range: TimeRange, columns: &[usize]) -> Scan;
}
