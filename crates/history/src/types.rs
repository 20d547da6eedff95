//! Which type of Delta a column is kept in, so that it comes back as it was.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, TimeUnit};
use arrow::error::ArrowError;

/// Greatest precision of a decimal in Delta.
const DECIMAL_PRECISION_MAX: u8 = 38;
/// Enough decimal digits for any `UInt64`.
const UINT64_DIGITS: u8 = 20;

/// The zone in which Delta keeps timestamps.
pub(crate) const UTC: &str = "UTC";

/// The type in which a column of `wanted` is kept, or why none can.
pub(crate) fn kept_as(wanted: &DataType) -> Result<DataType, String> {
    let decimal = |precision: u8, scale: i8| match u8::try_from(scale) {
        Ok(digits) if digits <= precision && precision <= DECIMAL_PRECISION_MAX => {
            Ok(DataType::Decimal128(precision, scale))
        }
        // What has no room in Delta's decimals is kept as its digits.
        Ok(digits) if digits <= precision => Ok(DataType::Utf8),
        _ => Err(format!(
            "tables keep decimals with 0 to all of their digits behind the point, not decimal({precision}, {scale})"
        )),
    };
    Ok(match wanted {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Utf8
        | DataType::Binary
        | DataType::Date32 => wanted.clone(),
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 | DataType::Time32(_) => DataType::Int32,
        DataType::UInt32 | DataType::Time64(_) | DataType::Duration(_) | DataType::Date64 => {
            DataType::Int64
        }
        DataType::UInt64 => DataType::Decimal128(UINT64_DIGITS, 0),
        DataType::Float16 => DataType::Float32,
        // An instant in whole microseconds is one whatever zone it is shown in. Another unit would overflow or be
        // cut, and what has no zone is no instant.
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
            DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
        }
        DataType::Timestamp(_, _) => DataType::Int64,
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => decimal(*precision, *scale)?,
        DataType::Dictionary(_, values) => kept_as(values)?,
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _) => {
            // Delta's name for it, so that other engines find it.
            DataType::List(Arc::new(Field::new(
                "element",
                kept_as(element.data_type())?,
                true,
            )))
        }
        DataType::Struct(fields) => {
            if fields.is_empty() {
                return Err("tables do not keep structs without fields".to_owned());
            }
            let kept = fields.iter().map(|field| {
                kept_as(field.data_type()).map(|kept| Field::new(field.name(), kept, true))
            });
            DataType::Struct(kept.collect::<Result<_, _>>()?)
        }
        other => return Err(format!("tables do not keep the type {other}")),
    })
}

/// Whether files hold one type as they hold the other: views of texts and bytes are written and read without a
/// copy in between.
pub(crate) fn same_in_files(wanted: &DataType, kept: &DataType) -> bool {
    matches!(
        (wanted, kept),
        (DataType::Utf8View, DataType::Utf8) | (DataType::BinaryView, DataType::Binary)
    )
}

/// Converts a column between what is wanted and what is kept, without loss or with an error.
pub(crate) fn convert(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    let exact = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(array, to, &exact)
}
