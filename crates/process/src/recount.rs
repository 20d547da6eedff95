//! A cube's figures computed once more from the raw events, beside the kept ones.
//!
//! Both sides see one moment: their views are taken together while no events are being applied. From
//! there on they share nothing but the definition. The kept side merges and finishes the states as every
//! question does; the other reads the events as a question to the stream does, and aggregates them in
//! one go, without partial states, combinations, tables or tiers.
//!
//! What could not be computed is alike on both sides. A derived column, dimension, argument or filter that
//! fails on a row is null there, in the cube as here, by the same code (`derive_failed`,
//! `measure_failed`). An event that no definition could take (`failed`) is in neither. Only an event
//! that an aggregate itself refuses (`failed_rows` of the cube) is missing from the cube alone; then
//! aggregating it here fails too, which is [`Recount::Unfit`] and no difference.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use tillwatch_journal::JournalReader;

use crate::cube::{Cube, CubeView, bucket_starts, event_times};
use crate::error::ProcessError;
use crate::processor::Processor;
use crate::stream::Scan;

/// What to recount.
#[derive(Clone)]
pub struct RecountRange {
    /// Start of the first bucket, µs since 1970, a multiple of the width.
    pub from_us: i64,
    /// End of the last bucket, µs, a multiple of the width.
    pub to_us: i64,
    /// The width of a bucket, µs: the one that `keep` gives the range.
    pub width_us: i64,
    /// Events, and rows of kept states, that may be read.
    pub rows_max: u64,
    /// Whether to go on; asked between two batches.
    pub go_on: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl fmt::Debug for RecountRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecountRange")
            .field("from_us", &self.from_us)
            .field("to_us", &self.to_us)
            .field("width_us", &self.width_us)
            .field("rows_max", &self.rows_max)
            .finish_non_exhaustive()
    }
}

/// The figures of a range, both ways. The columns are `bucket`, the dimensions, and every measure's
/// finished value; each key is there once, in any order.
#[derive(Debug, Clone)]
pub struct Figures {
    /// From the kept states.
    pub kept: RecordBatch,
    /// From the events.
    pub recounted: RecordBatch,
    /// How many columns are the key: the dimensions are not among them once the cube folded
    /// combinations into `__other__`.
    pub key_columns: usize,
    /// Events read.
    pub events: u64,
    /// Events that are missing from the cube since ever, because they could not be aggregated.
    pub failed_rows: u64,
}

/// What came of recounting.
#[derive(Debug, Clone)]
pub enum Recount {
    /// Both sides.
    Done(Box<Figures>),
    /// There is more to read than allowed.
    TooMany,
    /// It was told not to go on.
    Stopped,
    /// The range's buckets are no longer, or not all, of that width, or are past their age, or raw events
    /// of theirs are.
    Moved,
    /// An event of the range cannot be aggregated, so it is in no cube either.
    Unfit(String),
}

/// Why a side ended before its end.
#[derive(Debug)]
enum End {
    TooMany,
    Stopped,
    Failed(ProcessError),
}

type Ended = Arc<Mutex<Option<End>>>;

impl Processor {
    /// Computes the figures of a range of a cube's buckets from the kept states and from the events.
    /// Blocks as long as reading takes; events go on being applied.
    ///
    /// # Errors
    /// There is no such cube, or history or the journal cannot be read.
    pub fn recount(
        &self,
        cube: &str,
        journal: &JournalReader,
        range: &RecountRange,
    ) -> Result<Recount, ProcessError> {
        let gone = || ProcessError::Kept(format!("there is no cube '{cube}'"));
        let cube = self.cube(cube).ok_or_else(gone)?;
        let log = self.stream(&cube.definition().from).ok_or_else(gone)?;
        let (from, to) = (Some(range.from_us), Some(range.to_us));
        // Between two groups of events; within one, events are in the stream before they are in its cubes.
        let (kept, events, status, has_width) = {
            let _alone = self.writers();
            (
                cube.view(from, to),
                Arc::new(log.view()),
                cube.status(),
                has_width(&cube, range),
            )
        };
        if !has_width {
            return Ok(Recount::Moved);
        }
        let Some(states) = states(&cube, &kept, range)? else {
            return Ok(Recount::TooMany);
        };
        let scan = log.scan_view(events, journal, from, to);
        // Asked after the files were looked at: it moves before files are removed.
        let comparable_from_us = self.comparable_from_us(&cube);
        if comparable_from_us.is_some_and(|from_us| range.from_us < from_us) {
            return Ok(Recount::Moved);
        }
        let ended = Ended::default();
        let read = Arc::new(Mutex::new(0));
        let inputs = Inputs {
            cube: Arc::clone(&cube),
            scan,
            time: log.time_column(),
            range: range.clone(),
            read: Arc::clone(&read),
            ended: Arc::clone(&ended),
        };
        let by_dimensions = status.other_rows == 0;
        let plan = cube.plan();
        let from_states = plan.finish_states(self.engine(), states, by_dimensions);
        let recounted = AssertUnwindSafe(|| {
            plan.aggregate_whole(self.engine(), Box::new(inputs), by_dimensions)
        });
        let recounted = catch_unwind(recounted);
        if let Some(end) = ended.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return match end {
                End::TooMany => Ok(Recount::TooMany),
                End::Stopped => Ok(Recount::Stopped),
                End::Failed(error) => Err(error),
            };
        }
        let recounted = match recounted {
            Ok(Ok(recounted)) => recounted,
            Ok(Err(error)) => return Ok(Recount::Unfit(error.to_string())),
            Err(_) => return Ok(Recount::Unfit("an aggregate panicked".to_owned())),
        };
        let events = *read.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Recount::Done(Box::new(Figures {
            kept: from_states?,
            recounted,
            key_columns: if by_dimensions {
                1 + cube.definition().dimensions.len()
            } else {
                1
            },
            events,
            failed_rows: status.failed_rows,
        })))
    }
}

/// Whether all of the range's buckets have the width it asks for.
fn has_width(cube: &Cube, range: &RecountRange) -> bool {
    let widths = cube.widths_us();
    let width_at = |us: i64| match widths.as_slice() {
        [] => Some(cube.bucket_us()),
        widths => (widths.iter().find(|(start, _)| *start <= us)).map(|(_, width)| *width),
    };
    range.from_us < range.to_us
        && range.from_us.rem_euclid(range.width_us.max(1)) == 0
        && range.to_us.rem_euclid(range.width_us.max(1)) == 0
        && width_at(range.from_us) == Some(range.width_us)
        && width_at(range.to_us - 1) == Some(range.width_us)
}

/// The kept states of the range, at its width; none when there are too many.
fn states(
    cube: &Cube,
    view: &CubeView,
    range: &RecountRange,
) -> Result<Option<Vec<RecordBatch>>, ProcessError> {
    let mut all = Vec::new();
    let mut rows = 0;
    for batch in view.batches() {
        let batch = batch?;
        let Some(starts) = (batch.columns().first())
            .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>())
        else {
            continue;
        };
        // Files are rolled up some time after their age asks for it; till then a question does it.
        let (starts, bucket) = bucket_starts(starts.values(), range.width_us);
        let inside: BooleanArray = (starts.iter())
            .map(|start| Some((range.from_us..range.to_us).contains(start)))
            .collect();
        let mut columns = batch.columns().to_vec();
        if let Some(first) = columns.first_mut() {
            *first = bucket;
        }
        let batch = RecordBatch::try_new(cube.state_schema(), columns)?;
        let batch = filter_record_batch(&batch, &inside)?;
        rows += batch.num_rows() as u64;
        if rows > range.rows_max {
            return Ok(None);
        }
        all.push(batch);
    }
    Ok(Some(all))
}

/// The events of the range as the input of the cube's aggregation.
struct Inputs {
    cube: Arc<Cube>,
    scan: Scan,
    time: usize,
    range: RecountRange,
    read: Arc<Mutex<u64>>,
    ended: Ended,
}

impl Inputs {
    fn end(&self, end: End) -> DataFusionError {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
        DataFusionError::Execution("recounting ended".to_owned())
    }

    fn batch(&self, events: &RecordBatch) -> Result<RecordBatch, ProcessError> {
        let times = event_times(events, self.time).unwrap_or_default();
        let (_, bucket): (_, ArrayRef) = bucket_starts(&times, self.range.width_us);
        self.cube.plan().input_of(events, bucket)
    }
}

impl Iterator for Inputs {
    type Item = Result<RecordBatch, DataFusionError>;

    fn next(&mut self) -> Option<Self::Item> {
        if !(self.range.go_on)() {
            return Some(Err(self.end(End::Stopped)));
        }
        let events = match self.scan.next()? {
            Ok(events) => events,
            Err(error) => return Some(Err(self.end(End::Failed(error)))),
        };
        let read = {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            *read += events.num_rows() as u64;
            *read
        };
        if read > self.range.rows_max {
            return Some(Err(self.end(End::TooMany)));
        }
        let input = self.batch(&events);
        Some(input.map_err(|error| self.end(End::Failed(error))))
    }
}

/// Batches that an aggregation takes one after another.
pub(crate) type Input = Box<dyn Iterator<Item = Result<RecordBatch, DataFusionError>> + Send>;

/// Such batches as a source of a plan that is run once.
pub(crate) struct Once {
    schema: SchemaRef,
    input: Mutex<Option<Input>>,
}

impl Once {
    pub(crate) fn new(schema: SchemaRef, input: Input) -> Self {
        Self {
            schema,
            input: Mutex::new(Some(input)),
        }
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut slot = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let input = slot.take().into_iter().flatten();
        let schema = Arc::clone(&self.schema);
        let batches = futures::stream::iter(input);
        Box::pin(RecordBatchStreamAdapter::new(schema, batches))
    }
}
