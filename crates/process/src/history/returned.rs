//! A cube's definition that comes back to a table it left while raw events were removed.
//!
//! The table lacks what came in between, so it is filled anew, as far as raw events go. What it has of the
//! time before them nobody could give back, so that stays.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::TimestampMicrosecondType;

use crate::cube::StateTable;
use crate::error::ProcessError;

/// Removes the states of a table whose buckets start at `from_us` or later. The transaction stays, so that
/// the table is still behind: cut off, all of this happens once more.
pub(super) fn keep_before(table: &StateTable, from_us: i64) -> Result<(), ProcessError> {
    let files: Vec<_> = (table.view().files.iter())
        .filter(|file| file.max_us >= from_us)
        .map(Arc::clone)
        .collect();
    let mut before = Vec::new();
    for file in files.iter().filter(|file| file.min_us < from_us) {
        for states in table.states_of(std::slice::from_ref(file))? {
            before.push(filtered(&states, |start| start < from_us)?);
        }
    }
    table.table().replace(&files, &before)?;
    Ok(())
}

/// The states whose buckets start at `from_us` or later.
pub(super) fn starting_from(
    states: &RecordBatch,
    from_us: i64,
) -> Result<RecordBatch, ProcessError> {
    filtered(states, |start| start >= from_us)
}

fn filtered(
    states: &RecordBatch,
    wanted: impl Fn(i64) -> bool,
) -> Result<RecordBatch, ProcessError> {
    let starts = states.columns().first();
    let starts = starts.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    let Some(starts) = starts else {
        return Ok(states.clone());
    };
    let wanted: BooleanArray = (starts.values().iter())
        .map(|start| Some(wanted(*start)))
        .collect();
    Ok(filter_record_batch(states, &wanted)?)
}
