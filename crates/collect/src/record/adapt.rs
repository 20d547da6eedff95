//! Columns as written, read by the schema of today.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, TimestampMicrosecondArray,
    new_null_array,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Date32Type, Int64Type, TimeUnit};
use tillwatch_event::{Field, StreamSchema};

use crate::error::CollectError;

/// Brings columns as written to the schema of today: a field declared since is null when it is
/// optional, a required field may have become optional, a field no longer declared is dropped, and
/// a type may have become wider (`int64` → `decimal` with room for it, `int64` → `float64` where
/// no value loses a digit, more digits, `date` → `timestamp`). Columns of the right type are handed
/// on as they are.
///
/// # Errors
/// When a required field was not written or holds nulls, or its type did not become wider. The
/// reason never holds a value.
pub fn adapt(batch: &RecordBatch, schema: &StreamSchema) -> Result<RecordBatch, CollectError> {
    let columns = schema
        .fields
        .iter()
        .map(|field| column(batch, field))
        .collect::<Result<Vec<ArrayRef>, CollectError>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(
        schema.arrow_schema(),
        columns,
        &options,
    )?)
}

fn column(batch: &RecordBatch, field: &Field) -> Result<ArrayRef, CollectError> {
    let declared = field.kind.data_type();
    let Some(written) = batch.column_by_name(&field.name) else {
        if field.optional {
            return Ok(new_null_array(&declared, batch.num_rows()));
        }
        let reason = format!(
            "it is required, but older events do not have it; write `{}?`",
            field.kind
        );
        return Err(fault(field, "nothing", &reason));
    };
    if written.null_count() > 0 && !field.optional {
        let reason = format!(
            "it is required, but older events without a value exist; write `{}?`",
            field.kind
        );
        return Err(fault(field, &written.data_type().to_string(), &reason));
    }
    if *written.data_type() == declared {
        return Ok(Arc::clone(written));
    }
    if !widens(written.data_type(), &declared) {
        let reason = "a type may only become wider";
        return Err(fault(field, &written.data_type().to_string(), reason));
    }
    if let Some(days) = written.as_primitive_opt::<Date32Type>() {
        const MICROS_PER_DAY: i64 = 86_400_000_000;
        let micros: TimestampMicrosecondArray =
            days.unary(|day| i64::from(day).saturating_mul(MICROS_PER_DAY));
        return Ok(Arc::new(micros.with_data_type(declared)));
    }
    if declared == DataType::Float64
        && let Some(numbers) = written.as_primitive_opt::<Int64Type>()
        && numbers.iter().flatten().any(|n| !is_exact_in_float(n))
    {
        let reason =
            "older events have numbers beyond 2^53, which a float64 rounds; write a decimal";
        return Err(fault(field, &written.data_type().to_string(), reason));
    }
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    // What arrow says may quote a value.
    let reason = "a value does not fit";
    cast_with_options(written, &declared, &options)
        .map_err(|_| fault(field, &written.data_type().to_string(), reason))
}

fn is_exact_in_float(number: i64) -> bool {
    const EXACT_MAX: u64 = 1 << 53;
    number.unsigned_abs() <= EXACT_MAX
}

fn fault(field: &Field, written: &str, reason: &str) -> CollectError {
    CollectError::Adapt {
        field: field.name.clone(),
        written: written.to_owned(),
        declared: field.type_text(),
        reason: reason.to_owned(),
    }
}

/// Whether every value of `from` has the same meaning in `to`.
fn widens(from: &DataType, to: &DataType) -> bool {
    let whole = |precision: u8, scale: i8| i16::from(precision) - i16::from(scale);
    match (from, to) {
        (DataType::Decimal128(p1, s1), DataType::Decimal128(p2, s2)) => {
            s2 >= s1 && whole(*p2, *s2) >= whole(*p1, *s1)
        }
        // A 64-bit integer has up to 19 digits.
        (DataType::Int64, DataType::Decimal128(precision, scale)) => {
            whole(*precision, *scale) >= 19
        }
        // Each value is looked at as well.
        (DataType::Int64, DataType::Float64)
        | (DataType::Date32, DataType::Timestamp(TimeUnit::Microsecond, Some(_))) => true,
        _ => false,
    }
}
