//! One value of a column as text.

use std::fmt::Write as _;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::render::RenderError;

/// Integers up to this are exact in every JSON reader.
const INTEGER_MAX: u64 = 1 << 53;

/// Writes a value as JSON.
pub(super) fn json(out: &mut String, column: &ArrayRef, row: usize) -> Result<(), RenderError> {
    if column.is_null(row) || matches!(column.data_type(), DataType::Null) {
        out.push_str("null");
        return Ok(());
    }
    match column.data_type() {
        DataType::Boolean => push(out, column.as_boolean().value(row)),
        DataType::Float64 => float(out, column.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 => {
            // By way of its own text, so that 0.1 stays 0.1 and does not become 0.10000000149.
            let value = column.as_primitive::<Float32Type>().value(row);
            if value.is_finite() { push(out, value) } else { out.push_str("null") }
        }
        DataType::Float16 => float(out, column.as_primitive::<Float16Type>().value(row).to_f64()),
        DataType::Int64 => {
            let value = column.as_primitive::<Int64Type>().value(row);
            integer(out, value, value.unsigned_abs() <= INTEGER_MAX);
        }
        DataType::UInt64 => {
            let value = column.as_primitive::<UInt64Type>().value(row);
            integer(out, value, value <= INTEGER_MAX);
        }
        DataType::Int8 => push(out, column.as_primitive::<Int8Type>().value(row)),
        DataType::Int16 => push(out, column.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => push(out, column.as_primitive::<Int32Type>().value(row)),
        DataType::UInt8 => push(out, column.as_primitive::<UInt8Type>().value(row)),
        DataType::UInt16 => push(out, column.as_primitive::<UInt16Type>().value(row)),
        DataType::UInt32 => push(out, column.as_primitive::<UInt32Type>().value(row)),
        DataType::Utf8 => text(out, column.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => text(out, column.as_string::<i64>().value(row)),
        DataType::Utf8View => text(out, column.as_string_view().value(row)),
        DataType::Dictionary(..) => {
            let dictionary = column.as_any_dictionary();
            let key = dictionary.normalized_keys().get(row).copied().unwrap_or_default();
            json(out, dictionary.values(), key)?;
        }
        DataType::List(_) => list(out, &column.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => list(out, &column.as_list::<i64>().value(row))?,
        DataType::FixedSizeList(..) => list(out, &column.as_fixed_size_list().value(row))?,
        DataType::Struct(fields) => {
            let columns = column.as_struct().columns();
            for (i, (field, values)) in fields.iter().zip(columns).enumerate() {
                out.push(if i == 0 { '{' } else { ',' });
                text(out, field.name());
                out.push(':');
                json(out, values, row)?;
            }
            out.push_str(if fields.is_empty() { "{}" } else { "}" });
        }
        _ => {
            let mut written = String::new();
            plain(&mut written, column, row)?;
            text(out, &written);
        }
    }
    Ok(())
}

/// Writes a value as it stands in a CSV cell; null is nothing.
pub(super) fn plain(out: &mut String, column: &ArrayRef, row: usize) -> Result<(), RenderError> {
    if column.is_null(row) {
        return Ok(());
    }
    match column.data_type() {
        DataType::Null => {}
        DataType::Utf8 => out.push_str(column.as_string::<i32>().value(row)),
        DataType::Utf8View => out.push_str(column.as_string_view().value(row)),
        DataType::Timestamp(unit, _) => timestamp(out, column, row, *unit),
        DataType::List(_) | DataType::LargeList(_) | DataType::Struct(_) => {
            json(out, column, row)?;
        }
        _ => {
            let options = FormatOptions::default();
            let formatter = ArrayFormatter::try_new(column.as_ref(), &options)?;
            write!(out, "{}", formatter.value(row))
                .map_err(|_| ArrowError::CastError("a value has no text".into()))?;
        }
    }
    Ok(())
}

/// Writes a text as JSON.
pub(super) fn text(out: &mut String, value: &str) {
    // Quoting a text into a String cannot fail.
    let quoted = serde_json::to_string(value).unwrap_or_else(|_| "\"\"".to_owned());
    out.push_str(&quoted);
}

fn push(out: &mut String, value: impl std::fmt::Display) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{value}");
}

fn float(out: &mut String, value: f64) {
    // JSON has neither NaN nor the infinities.
    if value.is_finite() { push(out, value) } else { out.push_str("null") }
}

fn integer(out: &mut String, value: impl std::fmt::Display, short: bool) {
    if short { push(out, value) } else { push(out, format_args!("\"{value}\"")) }
}

fn list(out: &mut String, items: &ArrayRef) -> Result<(), RenderError> {
    out.push('[');
    for row in 0..items.len() {
        if row > 0 {
            out.push(',');
        }
        json(out, items, row)?;
    }
    out.push(']');
    Ok(())
}

/// RFC 3339 in UTC; a number beyond what calendars reach.
fn timestamp(out: &mut String, column: &ArrayRef, row: usize, unit: TimeUnit) {
    let (value, read) = match unit {
        TimeUnit::Second => {
            let value = column.as_primitive::<TimestampSecondType>().value(row);
            (value, jiff::Timestamp::from_second(value))
        }
        TimeUnit::Millisecond => {
            let value = column.as_primitive::<TimestampMillisecondType>().value(row);
            (value, jiff::Timestamp::from_millisecond(value))
        }
        TimeUnit::Microsecond => {
            let value = column.as_primitive::<TimestampMicrosecondType>().value(row);
            (value, jiff::Timestamp::from_microsecond(value))
        }
        TimeUnit::Nanosecond => {
            let value = column.as_primitive::<TimestampNanosecondType>().value(row);
            (value, jiff::Timestamp::from_nanosecond(i128::from(value)))
        }
    };
    match read {
        Ok(stamp) => push(out, stamp),
        Err(_) => push(out, value),
    }
}
