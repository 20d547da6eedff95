//! Values of columns as JSON text: rows that were rejected, and nested values for `json` fields.

use std::fmt::Write as _;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::util::display::array_value_to_string;
use tillwatch_event::guard;

/// Nesting that is written; what lies deeper is left out.
const DEPTH_MAX: usize = 32;

/// A row as a JSON object, without the columns that may not be kept.
pub(crate) fn row(batch: &RecordBatch, row: usize) -> String {
    let mut out = String::new();
    let fields = batch.schema_ref().fields().iter();
    let members = fields.zip(batch.columns());
    object(
        members.map(|(f, c)| (f.name().as_str(), c)),
        row,
        1,
        &mut out,
    );
    out
}

/// Whether values of this type hold others, so that only JSON can show them.
pub(crate) fn is_nested(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_nested(values),
        other => other.is_nested(),
    }
}

/// Appends a value as JSON.
pub(crate) fn value(array: &ArrayRef, row: usize, out: &mut String) {
    nested(array, row, 1, out);
}

fn nested(array: &ArrayRef, row: usize, depth: usize, out: &mut String) {
    if array.is_null(row) || depth > DEPTH_MAX {
        out.push_str("null");
        return;
    }
    match array.data_type() {
        DataType::List(_) => list(&array.as_list::<i32>().value(row), depth, out),
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row), depth, out),
        DataType::FixedSizeList(..) => list(&array.as_fixed_size_list().value(row), depth, out),
        DataType::Struct(_) => {
            let columns = array.as_struct();
            let names = columns.column_names();
            object(names.into_iter().zip(columns.columns()), row, depth, out);
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            out.push('{');
            if let [keys, values] = entries.columns() {
                for at in 0..entries.len() {
                    out.push_str(if at > 0 { "," } else { "" });
                    text(&plain(keys, at), out);
                    out.push(':');
                    nested(values, at, depth + 1, out);
                }
            }
            out.push('}');
        }
        kind if kind.is_numeric() => match plain(array, row) {
            // There is no NaN in JSON.
            number
                if number
                    .bytes()
                    .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) =>
            {
                out.push_str(&number);
            }
            _ => out.push_str("null"),
        },
        DataType::Boolean | DataType::Timestamp(..) => out.push_str(&plain(array, row)),
        _ => text(&plain(array, row), out),
    }
}

fn list(items: &ArrayRef, depth: usize, out: &mut String) {
    out.push('[');
    for at in 0..items.len() {
        out.push_str(if at > 0 { "," } else { "" });
        nested(items, at, depth + 1, out);
    }
    out.push(']');
}

fn object<'a>(
    members: impl Iterator<Item = (&'a str, &'a ArrayRef)>,
    row: usize,
    depth: usize,
    out: &mut String,
) {
    out.push('{');
    let kept = members.filter(|(name, _)| !guard::is_forbidden_name(name));
    for (at, (name, column)) in kept.enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        text(name, out);
        out.push(':');
        nested(column, row, depth + 1, out);
    }
    out.push('}');
}

fn text(text: &str, out: &mut String) {
    // A text always has a JSON form.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// A value that holds no others as text. An instant is shown as its number, as its zone need not be
/// known; 16 bytes are shown as the UUID that they mostly are.
pub(crate) fn plain(array: &ArrayRef, row: usize) -> String {
    let shown = match array.data_type() {
        DataType::Timestamp(..) => cast(&array.slice(row, 1), &DataType::Int64)
            .and_then(|number| array_value_to_string(&number, 0)),
        DataType::FixedSizeBinary(16) => {
            let mut out = String::new();
            for (at, byte) in array.as_fixed_size_binary().value(row).iter().enumerate() {
                let dash = if matches!(at, 4 | 6 | 8 | 10) {
                    "-"
                } else {
                    ""
                };
                // Writing to a string cannot fail.
                let _ = write!(out, "{dash}{byte:02x}");
            }
            Ok(out)
        }
        _ => array_value_to_string(array, row),
    };
    shown.unwrap_or_default()
}
