//! What one question sees of a cube: fixed when it is taken, read as the question asks for it.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use tillwatch_history::DataFile;

use super::states::{bounds, within};
use super::table::StateTable;
use crate::error::ProcessError;

/// The states of a range of buckets at one moment. A key may occur in several rows, which merge to its
/// value. Memory is shared, and files are read one by one.
#[derive(Debug)]
pub struct CubeView {
    pub(super) from_us: i64,
    pub(super) to_us: i64,
    pub(super) bucket_us: i64,
    pub(super) table: Option<StateTable>,
    pub(super) files: Vec<Arc<DataFile>>,
    pub(super) memory: Vec<RecordBatch>,
    /// How many columns states have.
    pub(super) columns: usize,
}

impl CubeView {
    /// All states, when none of them has to be read from a file.
    #[must_use]
    pub fn in_memory(&self) -> Option<&[RecordBatch]> {
        self.files.is_empty().then_some(self.memory.as_slice())
    }

    /// The states, those in files first. Where `keep` has rolled buckets up, the range starts at the
    /// coarser bucket's start.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn batches(&self) -> impl Iterator<Item = Result<RecordBatch, ProcessError>> + Send + '_ {
        self.batches_of((0..self.columns).collect())
    }

    /// The same, of the states' columns only those at these places, in this order.
    ///
    /// # Errors
    /// As [`Self::batches`].
    pub fn batches_of(
        &self,
        columns: Vec<usize>,
    ) -> impl Iterator<Item = Result<RecordBatch, ProcessError>> + Send + '_ {
        let columns: Arc<[usize]> = Arc::from(columns);
        let wanted = Arc::clone(&columns);
        let stored = self
            .files
            .iter()
            .flat_map(move |file| match self.stored(file, &wanted) {
                Ok(states) => states.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            });
        let memory = self.memory.iter();
        stored.chain(memory.map(move |states| Ok(states.project(&columns)?)))
    }

    /// The first and the last bucket start within `from_us ≤ t < to_us`; none when there is none.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn extent(&self, from_us: i64, to_us: i64) -> Result<Option<(i64, i64)>, ProcessError> {
        let mut extent: Option<(i64, i64)> = None;
        let mut add = |first: i64, last: i64| {
            extent = Some(extent.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
        };
        let mut add_batch = |states: &RecordBatch| {
            // A batch may reach over the range's ends; then its own buckets say which lie inside.
            let inside = within(
                states,
                from_us,
                to_us,
                1,
                bounds(states).unwrap_or_default(),
            );
            if let Some((first, last)) = bounds(&inside) {
                add(first, last);
            }
        };
        self.memory.iter().for_each(&mut add_batch);
        let mut whole = Vec::new();
        for file in &self.files {
            if file.min_us >= from_us && file.max_us < to_us {
                whole.push((file.min_us, file.max_us));
                continue;
            }
            self.stored(file, &[0])?.iter().for_each(&mut add_batch);
        }
        for (first, last) in whole {
            add(first, last);
        }
        Ok(extent)
    }

    fn stored(&self, file: &DataFile, columns: &[usize]) -> Result<Vec<RecordBatch>, ProcessError> {
        let Some(table) = &self.table else {
            return Ok(Vec::new());
        };
        let first = self
            .from_us
            .saturating_sub(self.bucket_us)
            .saturating_add(1);
        // The bucket tells which rows are in the range, so it is read first, also when nobody wants it.
        let others = columns.iter().copied().filter(|at| *at != 0);
        let read: Vec<usize> = std::iter::once(0).chain(others).collect();
        let wanted = columns
            .iter()
            .filter_map(|at| read.iter().position(|r| r == at));
        let wanted: Vec<usize> = wanted.collect();
        let states = table.states(file, (first, self.to_us), &read)?;
        let cut = |states: &RecordBatch| {
            let range = bounds(states).unwrap_or((i64::MIN, i64::MAX));
            within(states, self.from_us, self.to_us, self.bucket_us, range)
        };
        let cut = states
            .iter()
            .map(cut)
            .filter(|states| states.num_rows() > 0);
        cut.map(|states| Ok(states.project(&wanted)?)).collect()
    }
}
