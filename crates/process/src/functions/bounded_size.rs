//! How many bytes a call of a string or list function would produce, before it is made.

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ColumnarValue;

/// Bytes a number, date or other value of fixed width takes as text, at most.
const FIXED_WIDTH_TEXT_BYTES: u64 = 64;

/// What is known about one argument, row by row.
pub(super) enum Argument {
    /// The same in every row: bytes of text, and its value if it is a number.
    Constant { bytes: u64, number: i64 },
    /// One figure per row.
    Rows { bytes: Vec<u64>, numbers: Vec<i64> },
}

impl Argument {
    pub(super) fn read(value: &ColumnarValue) -> Result<Self> {
        match value {
            ColumnarValue::Scalar(scalar) => Ok(Self::Constant {
                bytes: scalar_bytes(scalar),
                number: match scalar.cast_to(&DataType::Int64) {
                    Ok(ScalarValue::Int64(Some(number))) => number,
                    _ => 0,
                },
            }),
            ColumnarValue::Array(array) => Ok(Self::Rows {
                bytes: array_bytes(array.as_ref()),
                numbers: if array.data_type().is_integer() {
                    let numbers = cast(array, &DataType::Int64)?;
                    let numbers = numbers.as_primitive::<Int64Type>();
                    numbers.iter().map(Option::unwrap_or_default).collect()
                } else {
                    Vec::new()
                },
            }),
        }
    }

    fn bytes(&self, row: usize) -> u64 {
        match self {
            Self::Constant { bytes, .. } => *bytes,
            Self::Rows { bytes, .. } => bytes.get(row).copied().unwrap_or(0),
        }
    }

    fn number(&self, row: usize) -> u64 {
        let number = match self {
            Self::Constant { number, .. } => *number,
            Self::Rows { numbers, .. } => numbers.get(row).copied().unwrap_or(0),
        };
        u64::try_from(number).unwrap_or(0)
    }
}

fn scalar_bytes(scalar: &ScalarValue) -> u64 {
    match scalar {
        ScalarValue::Utf8(Some(text))
        | ScalarValue::LargeUtf8(Some(text))
        | ScalarValue::Utf8View(Some(text)) => text.len() as u64,
        other if other.data_type().is_nested() => other.size() as u64,
        _ => FIXED_WIDTH_TEXT_BYTES,
    }
}

fn array_bytes(array: &dyn Array) -> Vec<u64> {
    let length = |text: Option<&str>| text.map_or(0, |text| text.len() as u64);
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().iter().map(length).collect(),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().map(length).collect(),
        DataType::Utf8View => array.as_string_view().iter().map(length).collect(),
        // The whole array's size stands for every row: too much, never too little.
        other if other.is_nested() => vec![array.get_array_memory_size() as u64; array.len()],
        _ => vec![FIXED_WIDTH_TEXT_BYTES; array.len()],
    }
}

/// Bytes of the value that `function` would produce in `row`, at most.
pub(super) fn value_bytes(function: &str, arguments: &[Argument], row: usize) -> u64 {
    let bytes = |at: usize| arguments.get(at).map_or(0, |argument| argument.bytes(row));
    let number = |at: usize| arguments.get(at).map_or(0, |argument| argument.number(row));
    let all = || {
        (0..arguments.len())
            .map(bytes)
            .fold(0_u64, u64::saturating_add)
    };
    match function {
        "repeat" => bytes(0).saturating_mul(number(1)),
        // The length is in characters, of at most four bytes each.
        "lpad" | "rpad" => number(1).saturating_mul(4),
        // Every byte may be a match, and an empty pattern matches between all of them.
        "replace" | "regexp_replace" => {
            let matches = bytes(0).saturating_add(1);
            matches
                .saturating_mul(bytes(2).saturating_add(1))
                .saturating_add(bytes(0))
        }
        "translate" => bytes(0).saturating_mul(4),
        // One letter of a format can become a whole date.
        "to_char" => bytes(1).saturating_mul(32),
        "concat_ws" => {
            let separators = bytes(0).saturating_mul(arguments.len() as u64);
            all().saturating_add(separators)
        }
        _ => all(),
    }
}
