//! Rejected lines as columns.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};

use crate::decode::Rejection;
use crate::error::CollectError;

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        Field::new("line", DataType::Int64, false),
        Field::new("field", DataType::Utf8View, true),
        Field::new("reason", DataType::Utf8View, false),
        Field::new("raw", DataType::Utf8View, false),
    ]))
});

/// The columns of a record of kind `Rejects`: `line`, `field?`, `reason`, `raw`.
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
