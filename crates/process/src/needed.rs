//! Which of a stream's columns its cubes and derived columns read: only those wait to be aggregated.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::datatypes::{DataType, SchemaRef};

use crate::cube::CubePlan;
use crate::derive::Derive;
use crate::error::ProcessError;
use crate::writer::BATCH_ROWS_MAX;

/// The declared columns that are needed, and what stands for the others.
#[derive(Debug)]
pub(crate) struct Needed {
    /// The places of the needed ones, in order.
    places: Vec<usize>,
    /// The place of the event time among the needed ones.
    time: usize,
    /// Nulls for each declared column that is not needed. Arrays of one type share their memory, a mebibyte at
    /// most, of which nothing is read.
    nulls: Vec<Option<ArrayRef>>,
    /// All declared columns, each of which may be null.
    declared: SchemaRef,
}

impl Needed {
    /// Of a stream whose event time is in column `time`.
    pub(crate) fn of<'a>(
        derive: &Derive,
        time: usize,
        cubes: impl Iterator<Item = &'a CubePlan>,
    ) -> Self {
        let declared = Arc::clone(derive.declared());
        // Every derived column is computed, also one that no cube reads: where it fails is counted.
        let derived = declared.fields().len()..derive.schema().fields().len();
        let mut wanted: Vec<usize> = derived.chain([time]).collect();
        wanted.extend(cubes.flat_map(CubePlan::stream_columns));
        let needed = derive.needed(&wanted);
        let marks = needed.iter().take(declared.fields().len());
        let places: Vec<usize> = (marks.enumerate())
            .filter_map(|(place, needed)| needed.then_some(place))
            .collect();
        let mut made: Vec<(DataType, ArrayRef)> = Vec::new();
        let mut nulls_of = |data_type: &DataType| {
            if let Some((_, array)) = made.iter().find(|(made, _)| made == data_type) {
                return Arc::clone(array);
            }
            let array = new_null_array(data_type, BATCH_ROWS_MAX);
            made.push((data_type.clone(), Arc::clone(&array)));
            array
        };
        let fields = declared.fields().iter().zip(&needed);
        let nulls = fields.map(|(field, needed)| (!needed).then(|| nulls_of(field.data_type())));
        Self {
            time: places
                .iter()
                .position(|place| *place == time)
                .unwrap_or_default(),
            nulls: nulls.collect(),
            places,
            declared,
        }
    }

    /// The needed columns of a batch with all declared ones.
    pub(crate) fn narrow(&self, batch: &RecordBatch) -> Result<RecordBatch, ProcessError> {
        Ok(batch.project(&self.places)?)
    }

    /// The place of the event time in what [`Self::narrow`] gives.
    pub(crate) fn time(&self) -> usize {
        self.time
    }

    /// A batch with the needed columns as one with all declared columns, the others null.
    pub(crate) fn widen(&self, batch: &RecordBatch) -> Result<RecordBatch, ProcessError> {
        let rows = batch.num_rows();
        let mut needed = batch.columns().iter();
        let columns = self.nulls.iter().map(|nulls| match nulls {
            None => needed.next().cloned(),
            Some(nulls) if rows <= nulls.len() => Some(nulls.slice(0, rows)),
            // A single record may have more rows than are aggregated at once otherwise.
            Some(nulls) => Some(new_null_array(nulls.data_type(), rows)),
        });
        let columns: Option<Vec<ArrayRef>> = columns.collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.declared),
            columns.unwrap_or_default(),
            &options,
        )?)
    }
}
