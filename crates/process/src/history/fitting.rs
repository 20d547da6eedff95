//! Events of history in the columns declared today, as far as they fit.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::arrow::error::ArrowError;
use tillwatch_collect::adapt;
use tillwatch_event::StreamSchema;

/// The rows of a batch that fit the fields declared today, in their order, and the others as a number.
pub(crate) struct Fitting {
    pub(crate) batches: Vec<RecordBatch>,
    /// Rows that do not fit.
    pub(crate) unfit: u64,
    /// Why the first of them does not; it holds no value.
    pub(crate) reason: Option<String>,
}

impl Fitting {
    pub(crate) fn of(written: &RecordBatch, schema: &StreamSchema) -> Self {
        let mut found = Self {
            batches: Vec::new(),
            unfit: 0,
            reason: None,
        };
        match with_views(written) {
            Ok(written) => found.add(&written, schema),
            Err(error) => found.leave_out(written, &error.to_string()),
        }
        found
    }

    /// Rows that fit.
    pub(crate) fn rows(&self) -> u64 {
        self.batches.iter().map(|b| b.num_rows() as u64).sum()
    }

    fn add(&mut self, written: &RecordBatch, schema: &StreamSchema) {
        let rows = written.num_rows();
        let error = match adapt(written, schema) {
            Ok(batch) => return self.batches.push(batch),
            Err(error) => error.to_string(),
        };
        // A type that does not fit is no row's fault; a value that is missing or too large is.
        if rows <= 1 || adapt(&written.slice(0, 0), schema).is_err() {
            return self.leave_out(written, &error);
        }
        let half = rows / 2;
        self.add(&written.slice(0, half), schema);
        self.add(&written.slice(half, rows - half), schema);
    }

    fn leave_out(&mut self, written: &RecordBatch, reason: &str) {
        self.unfit += written.num_rows() as u64;
        self.reason.get_or_insert_with(|| reason.to_owned());
    }
}

/// Texts as the journal has them: a table keeps them in another form, which an older table, of which
/// nothing is declared any more, gives as it is.
fn with_views(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    if !(batch.columns().iter()).any(|column| *column.data_type() == DataType::Utf8) {
        return Ok(batch.clone());
    }
    let mut fields = Vec::with_capacity(batch.num_columns());
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if *column.data_type() == DataType::Utf8 {
            let field = field.as_ref().clone().with_data_type(DataType::Utf8View);
            fields.push(Arc::new(field));
            columns.push(cast(column, &DataType::Utf8View)?);
        } else {
            fields.push(Arc::clone(field));
            columns.push(Arc::clone(column));
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use datafusion::arrow::array::{Int64Array, StringArray, TimestampMicrosecondArray};
    use tillwatch_event::{Field, FieldType};

    use super::*;

    fn schema(note: FieldType, optional: bool) -> StreamSchema {
        StreamSchema {
            name: "s".to_owned(),
            id: None,
            time: "at".to_owned(),
            dedup: Duration::from_secs(1),
            fields: vec![
                Field::new("at", FieldType::Timestamp, false),
                Field::new("note", note, optional),
            ],
        }
    }

    fn batch(note: ArrayRef) -> RecordBatch {
        let at = TimestampMicrosecondArray::from_iter_values(0..note.len() as i64);
        RecordBatch::try_from_iter([
            ("at", Arc::new(at.with_timezone("UTC")) as ArrayRef),
            ("note", note),
        ])
        .unwrap()
    }

    #[test]
    fn only_the_rows_at_fault_are_left_out() {
        let notes: StringArray = (0..100).map(|n| (n % 10 != 3).then_some("x")).collect();
        let written = batch(Arc::new(notes));
        let found = Fitting::of(&written, &schema(FieldType::String, false));
        assert_eq!((found.rows(), found.unfit), (90, 10));
        assert!(
            found
                .reason
                .is_some_and(|reason| reason.contains("it is required"))
        );
        let found = Fitting::of(&written, &schema(FieldType::String, true));
        assert_eq!((found.rows(), found.unfit), (100, 0));
    }

    #[test]
    fn a_type_that_does_not_fit_leaves_all_out_at_once() {
        let written = batch(Arc::new(Int64Array::from_iter_values(0..100)));
        let found = Fitting::of(&written, &schema(FieldType::Bool, true));
        assert_eq!((found.rows(), found.unfit), (0, 100));
    }
}
