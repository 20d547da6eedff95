//! What a definition of a table means: its columns, as they are wanted and as they are kept.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake_core::kernel::{Metadata, StructField, StructType};

use crate::types::{UTC, convert, kept_as, same_in_files};
use crate::{HistoryError, TableSpec};

/// The partition column.
pub(crate) const DAY: &str = "_day";
/// What Delta allows in no column's name without mapping it, which only newer readers understand.
const FORBIDDEN_IN_NAMES: &[char] = &[' ', ',', ';', '{', '}', '(', ')', '\n', '\t', '='];
const NAME_BYTES_MAX: usize = 200;

/// A definition, understood.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) spec: TableSpec,
    /// The columns as they are kept, in the definition's order, all of them nullable.
    pub(crate) kept: SchemaRef,
    /// The same as they are handed to the writer of files: views of texts are written as they are.
    pub(crate) written: SchemaRef,
    /// Where the column of time is.
    pub(crate) time: usize,
    /// Where the further columns to sort by are.
    pub(crate) sort: Vec<usize>,
    /// The columns as Delta knows them, the day behind them.
    columns: StructType,
}

impl Shape {
    pub(crate) fn new(spec: TableSpec) -> Result<Self, HistoryError> {
        check_name(&spec.name)?;
        let table = || spec.name.clone();
        let wrong = |column: &str, reason: String| HistoryError::Column {
            table: table(),
            column: column.to_owned(),
            reason,
        };
        let find = |column: &str, what: &str| {
            spec.schema.index_of(column).map_err(|_| {
                wrong(
                    column,
                    format!("the table has no such column, and is to {what} by it"),
                )
            })
        };
        let mut names = HashSet::from([DAY.to_owned()]);
        let mut kept = Vec::new();
        for field in spec.schema.fields() {
            let name = field.name();
            if name.eq_ignore_ascii_case(DAY) {
                return Err(wrong(name, "the name is the partition column's".to_owned()));
            }
            if name.is_empty() || name.contains(FORBIDDEN_IN_NAMES) {
                let reason =
                    format!("a name is not empty and holds none of {FORBIDDEN_IN_NAMES:?}");
                return Err(wrong(name, reason));
            }
            if !names.insert(name.to_lowercase()) {
                let reason = "the name is there twice: upper and lower case are the same in tables";
                return Err(wrong(name, reason.to_owned()));
            }
            let data_type = kept_as(field.data_type()).map_err(|reason| wrong(name, reason))?;
            kept.push(Field::new(name, data_type, true));
        }
        let time = find(&spec.time, "be partitioned")?;
        let data_type = spec.schema.field(time).data_type();
        if !is_time(data_type) {
            let reason = format!(
                "the column of time is a timestamp in microseconds with a zone, or a date, not {data_type}"
            );
            return Err(wrong(&spec.time, reason));
        }
        let sort = spec.sort.iter().map(|column| find(column, "be sorted"));
        let sort = sort.collect::<Result<_, _>>()?;
        let written = spec.schema.fields().iter().zip(&kept);
        let written = written.map(|(wanted, kept)| {
            match same_in_files(wanted.data_type(), kept.data_type()) {
                true => kept.clone().with_data_type(wanted.data_type().clone()),
                false => kept.clone(),
            }
        });
        let written = Arc::new(Schema::new(written.collect::<Vec<_>>()));
        let kept = Arc::new(Schema::new(kept));
        let mut with_day: Vec<FieldRef> = kept.fields().iter().cloned().collect();
        with_day.push(Arc::new(Field::new(DAY, DataType::Date32, true)));
        let columns = (&Schema::new(with_day)).try_into_kernel();
        let columns = columns.map_err(|source: arrow::error::ArrowError| HistoryError::Arrow {
            table: table(),
            source,
        })?;
        Ok(Self {
            spec,
            kept,
            written,
            time,
            sort,
            columns,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.spec.name
    }

    /// The columns of a new table.
    pub(crate) fn columns(&self) -> &StructType {
        &self.columns
    }

    /// The columns that a table of `metadata` is to have from now on; none when they fit as they are.
    pub(crate) fn evolve(&self, metadata: &Metadata) -> Result<Option<StructType>, HistoryError> {
        let foreign = |reason: String| HistoryError::Foreign {
            table: self.spec.name.clone(),
            reason,
        };
        if metadata.partition_columns() != [DAY] {
            return Err(foreign(format!(
                "it is partitioned by {:?}, not by {DAY}",
                metadata.partition_columns()
            )));
        }
        let stored = metadata
            .parse_schema()
            .map_err(|error| foreign(format!("its columns cannot be read: {error}")))?;
        let mut new = Vec::new();
        for wanted in self.columns.fields() {
            let same = |field: &&StructField| field.name().eq_ignore_ascii_case(wanted.name());
            match stored.fields().find(same) {
                Some(field)
                    if field.data_type() == wanted.data_type() && field.name() == wanted.name() => {
                }
                Some(field) => {
                    return Err(HistoryError::TypeConflict {
                        table: self.spec.name.clone(),
                        column: wanted.name().clone(),
                        stored: format!("{} {}", field.name(), field.data_type()),
                        wanted: format!("{} {}", wanted.name(), wanted.data_type()),
                    });
                }
                None => new.push(wanted.clone()),
            }
        }
        if new.is_empty() {
            return Ok(None);
        }
        // The day stays at the end.
        let (day, before): (Vec<_>, Vec<_>) = stored
            .fields()
            .cloned()
            .partition(|field| field.name() == DAY);
        StructType::try_new(before.into_iter().chain(new).chain(day))
            .map(Some)
            .map_err(|error| foreign(format!("columns cannot be added: {error}")))
    }

    /// The columns of a batch in the definition's order, those it does not have as nulls.
    pub(crate) fn arrange(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>, HistoryError> {
        let wrong = |reason: String| HistoryError::Rows {
            table: self.spec.name.clone(),
            reason,
        };
        for field in batch.schema_ref().fields() {
            let Some((_, wanted)) = self.spec.schema.column_with_name(field.name()) else {
                return Err(wrong(format!("the table has no column {}", field.name())));
            };
            if field.data_type() != wanted.data_type() {
                let (is, name) = (field.data_type(), field.name());
                let reason = format!("column {name} is {is}, not {}", wanted.data_type());
                return Err(wrong(reason));
            }
        }
        let columns = self.spec.schema.fields().iter().map(|field| {
            batch.column_by_name(field.name()).map_or_else(
                || new_null_array(field.data_type(), batch.num_rows()),
                Arc::clone,
            )
        });
        Ok(columns.collect())
    }

    /// Columns of the definition as they are written.
    pub(crate) fn keep(&self, columns: &[ArrayRef]) -> Result<RecordBatch, HistoryError> {
        let kept = columns
            .iter()
            .zip(self.written.fields())
            .map(|(column, field)| convert(column, field.data_type()));
        kept.collect::<Result<Vec<_>, _>>()
            .and_then(|columns| RecordBatch::try_new(Arc::clone(&self.written), columns))
            .map_err(|source| HistoryError::Arrow {
                table: self.spec.name.clone(),
                source,
            })
    }
}

pub(crate) fn is_time(data_type: &DataType) -> bool {
    match data_type {
        DataType::Date32 => true,
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => {
            zone.as_ref() == UTC || zone.as_ref() == "+00:00"
        }
        _ => false,
    }
}

/// Whether a table may have this name: it is a path, and those of others are not to be reached by it.
pub(crate) fn check_name(name: &str) -> Result<(), HistoryError> {
    let fits = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    if name.len() <= NAME_BYTES_MAX && name.split('/').all(fits) {
        return Ok(());
    }
    Err(HistoryError::Spec {
        table: name.to_owned(),
        reason: format!(
            "a name is parts of letters, digits, `_`, `-` and `.` with `/` between, each beginning with a letter or a digit, {NAME_BYTES_MAX} bytes in all"
        ),
    })
}
