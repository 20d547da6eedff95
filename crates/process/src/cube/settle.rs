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
/// No more settled rows are merged at a time with late ones.
const MERGE_SETTLED_ROWS_MAX: usize = 131_072;
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

/// Settles what is recent and not of the two newest buckets, to which more is likely to come, where it is worth it:
/// what is behind everything settled, which is merged with nothing and so merged once on its way, and late states
/// once they are a quarter of the settled chunk of their time. The others stay until there are more of them.
///
/// Settled chunks are merged one by one, and only some at a time, so that neither memory nor whoever waits for the
/// states pays for a merge of everything.
pub(super) fn settle(
    engine: &Engine,
    plan: &CubePlan,
    chunks: &mut Chunks,
) -> Result<(), ProcessError> {
    let rows: usize = chunks.recent.iter().map(|c| c.rows()).sum();
    if rows < SETTLE_ROWS_MIN {
        return Ok(());
    }
    let newest = chunks.recent.iter().map(|c| c.max_us).max();
    let open_from = newest.unwrap_or(i64::MIN).saturating_sub(plan.bucket_us());
    let mut places = Places::of(&chunks.settled);
    let recent = chunks.recent.iter().filter_map(|c| starts(&c.states));
    for start in recent.flatten().filter(|start| **start < open_from) {
        places.count(*start);
    }
    if places.choose(&chunks.settled) < rows / 2 {
        return Ok(());
    }
    let settles = |start: i64| start < open_from && places.chosen(start);
    let (mut due, mut left) = (Vec::new(), Vec::new());
    for chunk in &chunks.recent {
        let (settling, staying) = parted(&chunk.states, settles)?;
        due.extend(settling);
        left.extend(staying.and_then(Chunk::new));
    }
    let due = sorted_by_bucket(&plan.reduce(engine, &due)?)?;
    // What stays of a chunk holds on to the texts of all of it, and a few rows stay of each.
    if left.len() >= FAN_IN {
        let whole = plan.reduce(engine, &states_of(&left))?;
        left = Chunk::new(whole).into_iter().collect();
    }
    let mut settled = Vec::with_capacity(chunks.settled.len() + 1);
    let mut at = 0;
    for chunk in &chunks.settled {
        let end = starts(&due).map_or(at, |starts| starts.partition_point(|s| *s <= chunk.max_us));
        if end > at {
            let late = due.slice(at, end - at);
            let merged = plan.reduce(engine, &[chunk.states.clone(), late])?;
            settled.extend(cut(&sorted_by_bucket(&merged)?)?);
        } else {
            settled.push(Arc::clone(chunk));
        }
        at = end.max(at);
    }
    settled.extend(cut(&due.slice(at, due.num_rows().saturating_sub(at)))?);
    chunks.settled = settled;
    chunks.recent = left;
    Ok(())
}

/// Where recent rows would settle: with which settled chunk, each of which has the time from the end of the one
/// before to its own end, or behind them all.
struct Places {
    ends: Vec<i64>,
    counts: Vec<usize>,
    chosen: Vec<bool>,
}

impl Places {
    fn of(settled: &[Arc<Chunk>]) -> Self {
        Self {
            ends: settled.iter().map(|c| c.max_us).collect(),
            counts: vec![0; settled.len() + 1],
            chosen: vec![false; settled.len() + 1],
        }
    }

    fn at(&self, start: i64) -> usize {
        self.ends.partition_point(|end| *end < start)
    }

    fn count(&mut self, start: i64) {
        let at = self.at(start);
        if let Some(count) = self.counts.get_mut(at) {
            *count += 1;
        }
    }

    /// Chooses where rows settle, newest first, and says how many might without the limit on what is merged at a time.
    fn choose(&mut self, settled: &[Arc<Chunk>]) -> usize {
        let (mut worth, mut merged) = (0, 0);
        let there = settled.iter().map(|c| c.rows()).chain([0]);
        let places: Vec<_> = there.zip(&self.counts).zip(&mut self.chosen).collect();
        for ((rows, count), chosen) in places.into_iter().rev() {
            if *count == 0 || *count < rows / 4 {
                continue;
            }
            worth += count;
            if merged <= MERGE_SETTLED_ROWS_MAX {
                *chosen = true;
                merged += rows;
            }
        }
        worth
    }

    fn chosen(&self, start: i64) -> bool {
        self.chosen.get(self.at(start)).copied().unwrap_or(false)
    }
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
