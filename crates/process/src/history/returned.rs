//! A cube's definition that comes back to a table it left while raw events were removed.
//!
//! The table lacks what came in between, so it is filled anew, as far as raw events go. What it has of the
//! time before them nobody could give back, so that stays.

use std::sync::Arc;

use crate::cube::{StateTable, starting_within};
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
            before.push(starting_within(&states, i64::MIN, from_us)?);
        }
    }
    table.table().replace(&files, &before)?;
    Ok(())
}
