//! Rejected lines as columns.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, AsArray, BooleanArray, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};

use crate::decode::{Again, Format, Rejection};
use crate::error::CollectError;

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        Field::new("line", DataType::Int64, false),
        Field::new("field", DataType::Utf8View, true),
        Field::new("reason", DataType::Utf8View, false),
        Field::new("raw", DataType::Utf8View, false),
    ]))
});

/// Where the schema of a record says how its lines are read once more.
const AGAIN: &str = "again";
/// The column that says of each line whether it is as it came.
const WHOLE: &str = "whole";

/// The columns of a record of kind `Rejects`: `line`, `field?`, `reason`, `raw`. A record whose lines
/// can be read once more has `whole` as well.
#[must_use]
pub fn rejects_schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}

/// Rejections as columns.
///
/// # Errors
/// Never in practice; Arrow checks the columns against the schema.
pub fn rejects_batch(rejections: &[Rejection]) -> Result<RecordBatch, CollectError> {
    let lines: Int64Array = rejections
        .iter()
        .map(|r| Some(i64::try_from(r.line).unwrap_or(i64::MAX)))
        .collect();
    let fields: StringViewArray = rejections.iter().map(|r| r.field.as_deref()).collect();
    let reasons: StringViewArray = rejections.iter().map(|r| Some(r.reason.as_str())).collect();
    let raws: StringViewArray = rejections.iter().map(|r| Some(r.raw.as_str())).collect();
    Ok(RecordBatch::try_new(
        rejects_schema(),
        vec![
            Arc::new(lines),
            Arc::new(fields),
            Arc::new(reasons),
            Arc::new(raws),
        ],
    )?)
}

/// Rejections as columns, with how they are read once more.
///
/// # Errors
/// Never in practice; Arrow checks the columns against the schema.
pub fn rejects_batch_again(
    rejections: &[Rejection],
    again: &Again,
) -> Result<RecordBatch, CollectError> {
    let batch = rejects_batch(rejections)?;
    let Some(form) = again.format.kept() else {
        return Ok(batch);
    };
    let whole = (0..rejections.len()).map(|row| again.whole.get(row).copied().unwrap_or(false));
    let whole = BooleanArray::from(whole.collect::<Vec<_>>());
    let mut fields = batch.schema_ref().fields().to_vec();
    fields.push(Arc::new(Field::new(WHOLE, DataType::Boolean, false)));
    let metadata = HashMap::from([(AGAIN.to_owned(), form)]);
    let mut columns = batch.columns().to_vec();
    columns.push(Arc::new(whole));
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    Ok(RecordBatch::try_new(schema, columns)?)
}

/// How the lines of a record of kind `Rejects` are read once more; `None` for records written before
/// that was kept, and for lines that were not kept as they came.
#[must_use]
pub fn again_of(batch: &RecordBatch) -> Option<Again> {
    let format = Format::of_kept(batch.schema_ref().metadata().get(AGAIN)?)?;
    let whole = batch.column_by_name(WHOLE)?.as_boolean_opt()?;
    let whole = (0..whole.len()).map(|row| whole.is_valid(row) && whole.value(row));
    Some(Again {
        format,
        whole: whole.collect(),
    })
}

/// The rejections in the columns of a record of kind `Rejects`; empty for other columns.
#[must_use]
pub fn rejections_of(batch: &RecordBatch) -> Vec<Rejection> {
    let text = |name: &str| {
        batch
            .column_by_name(name)
            .and_then(|c| c.as_string_view_opt())
    };
    let lines = batch
        .column_by_name("line")
        .and_then(|c| c.as_primitive_opt::<Int64Type>());
    let (Some(lines), Some(fields), Some(reasons), Some(raws)) =
        (lines, text("field"), text("reason"), text("raw"))
    else {
        return Vec::new();
    };
    (0..batch.num_rows())
        .map(|row| Rejection {
            line: u64::try_from(lines.value(row)).unwrap_or(0),
            field: fields.is_valid(row).then(|| fields.value(row).to_owned()),
            reason: reasons.value(row).to_owned(),
            raw: raws.value(row).to_owned(),
        })
        .collect()
}
