//! Merging chunks of states, so that their number stays small and a range is found in few of them.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::{sort_to_indices, take};
use datafusion::arrow::datatypes::{DataType, TimestampMicrosecondType};

use super::plan::CubePlan;
use super::states::{parted, starts};
use super::store::{Chunk, Chunks, FAN_IN};
use crate::engine::Engine;
use crate::error::ProcessError;

/// Fewer recent rows than this are not worth settling: readers merge what they read anyway, and mostly a flush
/// comes first.
const SETTLE_ROWS_MIN: usize = 262_144;
/// No more rows are merged before they settle. Merging is for the many small chunks that come with frequent
/// questions; one of large ones saves little and costs as much as making them.
const MERGE_ROWS_MAX: usize = 65_536;
/// A settled chunk has about this many rows: the grain of time pruning.
const SETTLED_ROWS: usize = 8_192;

/// Merges the newest chunks while eight of them are of one size or smaller.
pub(super) fn merge_recent(
    engine: &Engine,
    plan: &CubePlan,
    chunks: &mut Chunks,
) -> Result<(), ProcessError> {
    loop {
        let Some(newest) = chunks.recent.last() else {
            return Ok(());
        };
        let tier = newest.tier();
        let mut rows = 0;
        let run = chunks
            .recent
            .iter()
            .rev()
            .take_while(|c| {
                rows += c.rows();
                c.tier() <= tier && rows <= MERGE_ROWS_MAX
            })
            .count();
        if run < FAN_IN {
            return Ok(());
        }
        let at = chunks.recent.len() - run;
        let Some(due) = chunks.recent.get(at..) else {
            return Ok(());
        };
        let merged = plan.reduce(engine, &states_of(due))?;
        chunks.recent.truncate(at);
        chunks.recent.extend(Chunk::new(merged));
    }
}

/// Merges all recent chunks into the settled ones when there is enough to be worth it.
pub(super) fn settle(
    engine: &Engine,
    plan: &CubePlan,
    chunks: &mut Chunks,
) -> Result<(), ProcessError> {
    let rows: usize = chunks.recent.iter().map(|c| c.rows()).sum();
    if rows < SETTLE_ROWS_MIN {
        return Ok(());
    }
    if settle_newer(engine, plan, chunks, rows)? {
        return Ok(());
    }
    let min = chunks
        .recent
        .iter()
        .map(|c| c.min_us)
        .min()
        .unwrap_or(i64::MAX);
    let max = chunks
        .recent
        .iter()
        .map(|c| c.max_us)
        .max()
        .unwrap_or(i64::MIN);
    let (touched, rest): (Vec<_>, Vec<_>) = chunks
        .settled
        .iter()
        .cloned()
        .partition(|c| c.max_us >= min && c.min_us <= max);
    let touched_rows: usize = touched.iter().map(|c| c.rows()).sum();
    if rows < touched_rows / 4 {
        return Ok(());
    }
    let mut due = states_of(&touched);
    due.extend(states_of(&chunks.recent));
    let merged = sorted_by_bucket(&plan.reduce(engine, &due)?)?;
    let mut settled = rest;
    settled.extend(cut(&merged)?);
    settled.sort_by_key(|c| c.min_us);
    chunks.settled = settled;
    chunks.recent.clear();
    Ok(())
}

/// Settles what is behind everything settled and not of the two newest buckets, to which more is likely to come,
/// when that is most of what is recent. It is merged with nothing that is settled, so a state is merged once on
/// its way; late ones stay until there are enough of them. Says whether it did: never again once a bucket far in the
/// future has settled, and then all is merged with what it overlaps.
fn settle_newer(
    engine: &Engine,
    plan: &CubePlan,
    chunks: &mut Chunks,
    rows: usize,
) -> Result<bool, ProcessError> {
    let behind = chunks.settled.last().map(|c| c.max_us);
    let newest = chunks.recent.iter().map(|c| c.max_us).max();
    let open_from = newest.unwrap_or(i64::MIN).saturating_sub(plan.bucket_us());
    let settles = |start: i64| behind.is_none_or(|behind| start > behind) && start < open_from;
    let recent = chunks.recent.iter().filter_map(|c| starts(&c.states));
    let due_rows = recent.flatten().filter(|start| settles(**start)).count();
    if due_rows < rows / 2 {
        return Ok(false);
    }
    let (mut due, mut left) = (Vec::new(), Vec::new());
    for chunk in &chunks.recent {
        let (settling, staying) = parted(&chunk.states, settles)?;
        due.extend(settling);
        left.extend(staying.and_then(Chunk::new));
    }
    let merged = sorted_by_bucket(&plan.reduce(engine, &due)?)?;
    // What stays of a chunk holds on to the texts of all of it, and a few rows stay of each.
    if left.len() >= FAN_IN {
        let whole = plan.reduce(engine, &states_of(&left))?;
        left = Chunk::new(whole).into_iter().collect();
    }
    chunks.settled.extend(cut(&merged)?);
    chunks.recent = left;
    Ok(true)
}

pub(super) fn states_of(chunks: &[Arc<Chunk>]) -> Vec<RecordBatch> {
    chunks.iter().map(|c| c.states.clone()).collect()
}

fn sorted_by_bucket(states: &RecordBatch) -> Result<RecordBatch, ProcessError> {
    let Some(buckets) = states.columns().first() else {
        return Ok(states.clone());
    };
    let order = sort_to_indices(buckets, None, None)?;
    let columns = states
        .columns()
        .iter()
        .map(|c| take(c, &order, None))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(RecordBatch::try_new(states.schema(), columns)?)
}

/// Cuts sorted states at bucket borders into chunks that own their memory.
fn cut(states: &RecordBatch) -> Result<Vec<Arc<Chunk>>, ProcessError> {
    let Some(buckets) = states
        .columns()
        .first()
        .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>())
    else {
        return Ok(Vec::new());
    };
    let values = buckets.values();
    let mut out = Vec::new();
    let mut start = 0;
    while start < values.len() {
        let wanted = (start + SETTLED_ROWS).min(values.len());
        let border = values.get(wanted - 1).copied().unwrap_or(i64::MAX);
        let end = values.partition_point(|b| *b <= border);
        let piece = states.slice(start, end - start);
        let columns = piece
            .columns()
            .iter()
            .map(owned)
            .collect::<Result<Vec<_>, _>>()?;
        out.extend(Chunk::new(RecordBatch::try_new(states.schema(), columns)?));
        start = end;
    }
    Ok(out)
}

/// A copy without the rest of a larger array's memory.
fn owned(column: &ArrayRef) -> Result<ArrayRef, ProcessError> {
    if *column.data_type() == DataType::Utf8View {
        return Ok(Arc::new(column.as_string_view().gc()));
    }
    let data: &dyn Array = column.as_ref();
    Ok(datafusion::arrow::compute::concat(&[data])?)
}
