//! The cardinality limit of a cube.
//!
//! Field values come from outside, so the number of dimension combinations is someone else's
//! choice. A cube remembers the combinations it has (16 bytes each); once it has its maximum, a
//! new one goes to [`OTHER`] in every text dimension and to null in every other, and is counted.
//! Which combinations are kept depends only on the order of the journal.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringViewBuilder,
};
use datafusion::arrow::compute::nullif;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::row::{RowConverter, SortField};
use hashbrown::HashTable;
use twox_hash::XxHash3_128;

use crate::error::ProcessError;

/// The value of every text dimension of a combination beyond the limit.
pub const OTHER: &str = "__other__";

/// The combinations a cube has.
#[derive(Debug)]
pub(super) struct Combinations {
    converter: Option<RowConverter>,
    dimensions: usize,
    known: HashTable<u128>,
    max: usize,
}

impl Combinations {
    pub(super) fn new(types: &[DataType], max: usize) -> Result<Self, ProcessError> {
        let converter = if types.is_empty() {
            None
        } else {
            Some(RowConverter::new(
                types.iter().cloned().map(SortField::new).collect(),
            )?)
        };
        Ok(Self {
            converter,
            dimensions: types.len(),
            known: HashTable::new(),
            max,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// The combinations known, as hashes, for a checkpoint.
    pub(super) fn known(&self) -> impl Iterator<Item = u128> + '_ {
        self.known.iter().copied()
    }

    /// Takes up what a checkpoint kept. A limit that was lowered since folds new combinations only.
    pub(super) fn restore(&mut self, known: impl IntoIterator<Item = u128>) {
        self.known.clear();
        for hash in known {
            self.known
                .insert_unique((hash >> 64) as u64, hash, |other| (*other >> 64) as u64);
        }
    }

    /// The states with unknown combinations folded when there is no room, and how many rows were.
    pub(super) fn limit(
        &mut self,
        states: &RecordBatch,
    ) -> Result<(RecordBatch, u64), ProcessError> {
        let Some(converter) = &self.converter else {
            return Ok((states.clone(), 0));
        };
        let dimensions = states
            .columns()
            .get(1..=self.dimensions)
            .unwrap_or_default();
        let rows = converter.convert_columns(dimensions)?;
        let mut folded: Option<Vec<bool>> = None;
        for (index, row) in rows.iter().enumerate() {
            let hash = XxHash3_128::oneshot(row.as_ref());
            let short = (hash >> 64) as u64;
            if self.known.find(short, |other| *other == hash).is_some() {
                continue;
            }
            if self.known.len() < self.max {
                self.known
                    .insert_unique(short, hash, |other| (*other >> 64) as u64);
                continue;
            }
            let marks = folded.get_or_insert_with(|| vec![false; states.num_rows()]);
            if let Some(mark) = marks.get_mut(index) {
                *mark = true;
            }
        }
        let Some(marks) = folded else {
            return Ok((states.clone(), 0));
        };
        let count = marks.iter().filter(|m| **m).count() as u64;
        let marks = BooleanArray::from(marks);
        let mut columns = states.columns().to_vec();
        for column in columns.iter_mut().skip(1).take(self.dimensions) {
            *column = fold(column, &marks)?;
        }
        Ok((RecordBatch::try_new(states.schema(), columns)?, count))
    }
}

fn fold(column: &ArrayRef, marks: &BooleanArray) -> Result<ArrayRef, ProcessError> {
    if *column.data_type() != DataType::Utf8View {
        return Ok(nullif(column, marks)?);
    }
    let mut out = StringViewBuilder::with_capacity(column.len());
    for (value, fold) in column.as_string_view().iter().zip(marks.iter()) {
        out.append_option(if fold == Some(true) {
            Some(OTHER)
        } else {
            value
        });
    }
    Ok(Arc::new(out.finish()))
}
