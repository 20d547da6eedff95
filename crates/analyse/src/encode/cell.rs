//! One value as text, the same for JSON, CSV and the points of a series.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type,
    Decimal128Type, Decimal256Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt64Type,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::error::AnalyseError;

/// The largest integer every JSON reader takes exactly.
const EXACT_MAX: u64 = 1 << 53;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// No value, or one without a text form.
    Null,
    /// JSON as it stands: a number, `true`, a list.
    Raw(String),
    /// Text that JSON puts in quotes.
    Text(String),
}

type Writer<'a> = Box<dyn Fn(usize) -> Cell + 'a>;

/// A function from row to value for one column. Dictionary columns must be cast first.
pub(crate) fn cells(array: &ArrayRef) -> Result<Writer<'_>, AnalyseError> {
    let values = writer(array)?;
    Ok(Box::new(move |row| {
        if array.is_null(row) {
            Cell::Null
        } else {
            values(row)
        }
    }))
}

fn writer(array: &ArrayRef) -> Result<Writer<'_>, AnalyseError> {
    Ok(match array.data_type() {
        DataType::Null
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => Box::new(|_| Cell::Null),
        DataType::Boolean => {
            let values = array.as_boolean();
            Box::new(|row| Cell::Raw(values.value(row).to_string()))
        }
        DataType::Utf8 => {
            let values = array.as_string::<i32>();
            Box::new(|row| Cell::Text(values.value(row).to_owned()))
        }
        DataType::LargeUtf8 => {
            let values = array.as_string::<i64>();
            Box::new(|row| Cell::Text(values.value(row).to_owned()))
        }
        DataType::Utf8View => {
            let values = array.as_string_view();
            Box::new(|row| Cell::Text(values.value(row).to_owned()))
        }
        DataType::Decimal32(_, _) => {
            let values = array.as_primitive::<Decimal32Type>();
            Box::new(|row| Cell::Text(values.value_as_string(row)))
        }
        DataType::Decimal64(_, _) => {
            let values = array.as_primitive::<Decimal64Type>();
            Box::new(|row| Cell::Text(values.value_as_string(row)))
        }
        DataType::Decimal128(_, _) => {
            let values = array.as_primitive::<Decimal128Type>();
            Box::new(|row| Cell::Text(values.value_as_string(row)))
        }
        DataType::Decimal256(_, _) => {
            let values = array.as_primitive::<Decimal256Type>();
            Box::new(|row| Cell::Text(values.value_as_string(row)))
        }
        kind if kind.is_signed_integer() => converted::<Int64Type>(array, |value| {
            exact(value.unsigned_abs(), value.to_string())
        })?,
        kind if kind.is_unsigned_integer() => {
            converted::<UInt64Type>(array, |value| exact(value, value.to_string()))?
        }
        kind if kind.is_floating() => converted::<Float64Type>(array, float)?,
        DataType::Timestamp(unit, _) => timestamps(array, *unit),
        DataType::Date32 => {
            let values = array.as_primitive::<Date32Type>();
            Box::new(|row| date(i64::from(values.value(row))))
        }
        DataType::Date64 => {
            let values = array.as_primitive::<Date64Type>();
            Box::new(|row| date(values.value(row).div_euclid(86_400_000)))
        }
        DataType::List(_) => lists(array, |array, row| array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => lists(array, |array, row| array.as_list::<i64>().value(row)),
        DataType::Dictionary(_, _) => {
            return Err(AnalyseError::internal(
                "a dictionary column was not unpacked",
            ));
        }
        _ => displayed(array)?,
    })
}

fn converted<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    text: impl Fn(T::Native) -> Cell + 'static,
) -> Result<Writer<'_>, AnalyseError> {
    let values = cast(array, &T::DATA_TYPE).map_err(AnalyseError::internal)?;
    Ok(Box::new(move |row| {
        text(values.as_primitive::<T>().value(row))
    }))
}

fn exact(magnitude: u64, text: String) -> Cell {
    if magnitude > EXACT_MAX {
        Cell::Text(text)
    } else {
        Cell::Raw(text)
    }
}

fn float(value: f64) -> Cell {
    match serde_json::Number::from_f64(value) {
        Some(number) => Cell::Raw(number.to_string()),
        None => Cell::Null,
    }
}

fn timestamps(array: &ArrayRef, unit: TimeUnit) -> Writer<'_> {
    match unit {
        TimeUnit::Second => {
            let values = array.as_primitive::<TimestampSecondType>();
            Box::new(|row| instant(values.value(row).checked_mul(1_000_000)))
        }
        TimeUnit::Millisecond => {
            let values = array.as_primitive::<TimestampMillisecondType>();
            Box::new(|row| instant(values.value(row).checked_mul(1_000)))
        }
        TimeUnit::Microsecond => {
            let values = array.as_primitive::<TimestampMicrosecondType>();
            Box::new(|row| instant(Some(values.value(row))))
        }
        TimeUnit::Nanosecond => {
            let values = array.as_primitive::<TimestampNanosecondType>();
            // Nanoseconds in 64 bits end with the year 2262.
            Box::new(|row| {
                jiff::Timestamp::from_nanosecond(values.value(row).into())
                    .map_or(Cell::Null, |time| Cell::Text(time.to_string()))
            })
        }
    }
}

/// RFC 3339 in UTC of microseconds since 1970; an instant outside of the years 1 to 9999, which no
/// event has, has no text.
fn instant(at_us: Option<i64>) -> Cell {
    at_us
        .and_then(tillwatch_event::time::rfc3339)
        .map_or(Cell::Null, Cell::Text)
}

fn date(days: i64) -> Cell {
    let epoch = jiff::civil::date(1970, 1, 1);
    jiff::Span::new()
        .try_days(days)
        .and_then(|span| epoch.checked_add(span))
        .map_or(Cell::Null, |date| Cell::Text(date.to_string()))
}

fn lists(array: &ArrayRef, item: fn(&ArrayRef, usize) -> ArrayRef) -> Writer<'_> {
    Box::new(move |row| {
        let items = item(array, row);
        let Ok(cells) = cells(&items) else {
            return Cell::Null;
        };
        let texts: Vec<String> = (0..items.len()).map(|at| json_text(&cells(at))).collect();
        Cell::Raw(format!("[{}]", texts.join(",")))
    })
}

/// Times of day, intervals and structs in the engine's own notation.
fn displayed(array: &ArrayRef) -> Result<Writer<'_>, AnalyseError> {
    let options = FormatOptions::new().with_display_error(true);
    let formatter =
        ArrayFormatter::try_new(array.as_ref(), &options).map_err(AnalyseError::internal)?;
    Ok(Box::new(move |row| {
        Cell::Text(formatter.value(row).to_string())
    }))
}

/// The value as JSON.
pub(super) fn json_text(cell: &Cell) -> String {
    match cell {
        Cell::Null => "null".to_owned(),
        Cell::Raw(text) => text.clone(),
        Cell::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
    }
}

/// Columns that [`cells`] takes: dictionaries become their values.
pub(crate) fn plain(array: &ArrayRef) -> Result<ArrayRef, AnalyseError> {
    match array.data_type() {
        DataType::Dictionary(_, value) => cast(array, value).map_err(AnalyseError::internal),
        _ => Ok(std::sync::Arc::clone(array)),
    }
}
