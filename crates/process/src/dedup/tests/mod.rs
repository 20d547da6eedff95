//! Deduplication against a naive oracle, on whole, full, failing and damaged disks.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, helpers included"
)]

mod bounds;
mod crash;
mod damage;
mod disk;
mod horizon;
mod oracle;
mod table;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{ArrayRef, Int64Array};

use super::{Dedup, DedupBudget, DedupCheckpoint};
use crate::error::ProcessError;
use disk::Disk;

const HOUR: i64 = 3_600_000_000;
const HORIZON: Duration = Duration::from_secs(3_600);
const STREAM: &str = "payments";
/// A budget that nothing reaches.
const AMPLE: usize = 1 << 30;

/// Rows that came together.
#[derive(Debug, Clone)]
struct Batch {
    received_at_us: i64,
    ids: Vec<Option<i64>>,
}

/// The naive recomputation: every id ever remembered, with its generation.
#[derive(Debug, Default, Clone)]
struct Oracle {
    now: i64,
    first: HashMap<i64, i64>,
}

impl Oracle {
    fn take(&mut self, batch: &Batch) -> Vec<bool> {
        let width = HOUR / 64 + 1;
        self.now = self.now.max(batch.received_at_us / width);
        let now = self.now;
        let mut repeated = |id: i64| match self.first.get(&id) {
            Some(first) if now - first <= 64 => true,
            _ => {
                self.first.insert(id, now);
                false
            }
        };
        batch
            .ids
            .iter()
            .map(|id| id.is_some_and(&mut repeated))
            .collect()
    }
}

fn create(disk: &Disk, budget: usize) -> Result<Dedup, ProcessError> {
    let budget = DedupBudget::new(budget);
    Dedup::create(HORIZON, &budget, Arc::new(disk.clone()), STREAM)
}

fn load(disk: &Disk, budget: usize, from: &DedupCheckpoint) -> Result<Dedup, ProcessError> {
    let budget = DedupBudget::new(budget);
    Dedup::load(HORIZON, &budget, Arc::new(disk.clone()), STREAM, from)
}

fn give(dedup: &mut Dedup, batch: &Batch) -> Result<Vec<bool>, ProcessError> {
    dedup.advance(batch.received_at_us);
    let ids: ArrayRef = Arc::new(Int64Array::from(batch.ids.clone()));
    let marks = dedup.rows_by_id(&ids)?;
    let none = || vec![false; batch.ids.len()];
    Ok(marks.map_or_else(none, |marks| marks.iter().collect()))
}

fn batch(received_at_us: i64, ids: impl IntoIterator<Item = i64>) -> Batch {
    Batch {
        received_at_us,
        ids: ids.into_iter().map(Some).collect(),
    }
}

/// How many of those ids are new at that time.
fn new(dedup: &mut Dedup, received_at_us: i64, ids: impl IntoIterator<Item = i64>) -> usize {
    let marks = give(dedup, &batch(received_at_us, ids)).unwrap();
    marks.iter().filter(|repeated| !**repeated).count()
}

/// The seeds of a random test: that of the environment, or so many.
fn seeds(count: u64) -> Vec<u64> {
    match std::env::var("TILLWATCH_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..count).collect(),
    }
}
