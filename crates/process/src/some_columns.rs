//! A scan that needs only some columns: what of them is read from history, and what stands for the rest.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use tillwatch_event::StreamSchema;
use tillwatch_history::{DataFile, Rows, Table};

use crate::error::ProcessError;
use crate::stream::StreamLog;

/// Rows of the arrays that stand for columns nobody needs: a batch of history has fewer, and one of the
/// journal that has more is worked on as a whole.
const NULL_ROWS: usize = 16_384;

/// The columns that a scan reads.
pub(crate) struct SomeColumns {
    /// A mark for each declared and derived column.
    pub(crate) needed: Vec<bool>,
    /// What stands for each column that is not needed.
    pub(crate) nulls: Vec<ArrayRef>,
    /// The names of the declared ones.
    names: Vec<String>,
    /// Declared columns without which a row does not fit, needed or not.
    required: Vec<String>,
    /// The columns of the file being read; none when all are.
    pub(crate) reading: Option<Arc<StreamSchema>>,
}

impl SomeColumns {
    /// Plans the reading of `columns`; none when all of them have to be read.
    pub(crate) fn of(log: &StreamLog, columns: &[usize]) -> Option<Self> {
        let schema = log.schema();
        let mut wanted = columns.to_vec();
        // It says which rows are in the range.
        wanted.push(log.time_column());
        let needed = log.derive().needed(&wanted);
        if needed.iter().all(|needed| *needed) {
            return None;
        }
        let fields = log.declared().fields.iter();
        let names = fields.clone().zip(&needed).filter(|(_, needed)| **needed);
        let nulls = schema.fields().iter();
        Some(Self {
            names: names.map(|(field, _)| field.name.clone()).collect(),
            required: fields
                .filter(|field| !field.optional)
                .map(|field| field.name.clone())
                .collect(),
            nulls: nulls
                .map(|field| new_null_array(field.data_type(), NULL_ROWS))
                .collect(),
            needed,
            reading: None,
        })
    }

    /// Most rows of a batch for which the nulls last.
    pub(crate) fn rows(&self) -> usize {
        NULL_ROWS
    }

    /// Begins to read a file. Of a table from before a type became wider all columns are read.
    pub(crate) fn open(
        &mut self,
        log: &StreamLog,
        table: &Arc<Table>,
        file: &DataFile,
        range: Option<(i64, i64)>,
    ) -> Result<Rows, ProcessError> {
        let is_current = log
            .tables()
            .is_some_and(|tables| Arc::ptr_eq(&tables.events, table));
        if !is_current {
            self.reading = None;
            return Ok(table.read(file, None, range)?);
        }
        let rows = table.read_required(file, Some(&self.names), &self.required, range)?;
        let declared = log.declared();
        let is_read = |name: &String| self.names.contains(name) || rows.unproven().contains(name);
        self.reading = Some(Arc::new(StreamSchema {
            fields: (declared.fields.iter())
                .filter(|field| is_read(&field.name))
                .cloned()
                .collect(),
            ..StreamSchema::clone(declared)
        }));
        Ok(rows)
    }

    /// Rows of the columns being read as rows of all declared ones.
    pub(crate) fn widen(
        &self,
        batch: &RecordBatch,
        log: &StreamLog,
    ) -> Result<RecordBatch, ProcessError> {
        let declared = log.declared();
        let rows = batch.num_rows();
        let columns = declared.fields.iter().zip(&self.nulls);
        let columns = columns.map(|(field, nulls)| {
            let read = batch.column_by_name(&field.name).cloned();
            read.unwrap_or_else(|| match rows <= nulls.len() {
                true => nulls.slice(0, rows),
                false => new_null_array(nulls.data_type(), rows),
            })
        });
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = crate::engine::nullable(&declared.arrow_schema());
        Ok(RecordBatch::try_new_with_options(
            schema,
            columns.collect(),
            &options,
        )?)
    }
}
