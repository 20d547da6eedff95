//! One value: from its text to what its column keeps.

use std::borrow::Cow;

use tillwatch_event::{DecimalError, FieldType, currency, decimal, guard, time};

use super::fault::{Fault, show};
use super::json::unescape;
use super::plan::ColumnPlan;

const CARD_NUMBER: &str =
    "looks like a card number, which a number field cannot hold masked; send no card numbers";
const CARD_NUMBER_ID: &str =
    "looks like a card number, and an id cannot be masked; use an id that is no card number";

const EMPTY: &str = "is required, but empty";
/// What may stand around a value without being part of it.
const BLANKS: [char; 2] = [' ', '\t'];

/// A value of one row, ready for its column. Texts are places in the row's source or scratch, so
/// that a row can be checked whole before any of it reaches a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    Absent,
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Decimal(i128),
    Time(i64),
    Day(i32),
    Source { start: usize, end: usize },
    Scratch { start: usize, end: usize },
}

/// A value as it was found.
#[derive(Debug, Clone, Copy)]
pub(super) enum Input<'a> {
    Null,
    Bool(bool),
    /// A JSON number's text.
    Number(&'a str),
    /// The inside of a JSON string, and where it starts in the source.
    Text {
        text: &'a str,
        at: usize,
        escaped: bool,
    },
    /// A JSON value's text, and where it starts in the source.
    Json {
        text: &'a str,
        at: usize,
    },
    /// A cell of CSV or of a text column, and where it starts in the source.
    Plain {
        text: &'a str,
        at: usize,
    },
}

/// One row in the making: a cell for each column, and room for texts that are not in the source as
/// they are kept.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    pub(super) scratch: String,
}

impl Row {
    pub(super) fn new(columns: usize) -> Self {
        Self {
            cells: vec![Cell::Absent; columns],
            scratch: String::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.cells.fill(Cell::Absent);
        self.scratch.clear();
    }

    pub(super) fn set(&mut self, index: usize, cell: Cell) {
        if let Some(slot) = self.cells.get_mut(index) {
            *slot = cell;
        }
    }

    /// Absent optional values become null; absent required ones are the row's fault.
    pub(super) fn complete(&mut self, columns: &[ColumnPlan]) -> Result<(), Fault> {
        for (cell, column) in self.cells.iter_mut().zip(columns) {
            if *cell == Cell::Absent {
                if !column.optional {
                    return Err(Fault::missing(&column.name, &column.source));
                }
                *cell = Cell::Null;
            }
        }
        Ok(())
    }
}

/// Checks a value and brings it to its column's type.
#[inline]
pub(super) fn convert(
    column: &ColumnPlan,
    input: Input<'_>,
    scratch: &mut String,
) -> Result<Cell, Fault> {
    match input {
        Input::Null if column.optional => Ok(Cell::Null),
        Input::Null => Err(Fault::field(&column.name, "is required, but null")),
        Input::Bool(value) => match column.kind {
            FieldType::Bool => Ok(Cell::Bool(value)),
            _ => Err(wrong(column, &format!("{value}"), "a bool")),
        },
        Input::Number(text) => number(column, text),
        Input::Text {
            text,
            at,
            escaped: false,
        } => text_cell(column, text, Some(at), scratch),
        Input::Text {
            text,
            escaped: true,
            ..
        } => {
            let start = scratch.len();
            unescape::push(text, scratch).map_err(|reason| Fault::field(&column.name, reason))?;
            // A copy, as the scratch may grow below; texts with escapes are few.
            let plain = scratch.get(start..).unwrap_or_default().to_owned();
            scratch.truncate(start);
            text_cell(column, &plain, None, scratch)
        }
        Input::Json { text, at } => match column.kind {
            FieldType::Json => Ok(keep(guard::mask_json(text), Some(at), scratch)),
            _ => Err(wrong(column, text, "an object or array")),
        },
        Input::Plain { text, at } => plain_cell(column, text, at, scratch),
    }
}

/// A text that is kept: in the source where it lies, or in the scratch when it was masked.
#[inline]
fn keep(masked: Cow<'_, str>, at: Option<usize>, scratch: &mut String) -> Cell {
    match (&masked, at) {
        (Cow::Borrowed(text), Some(at)) => Cell::Source {
            start: at,
            end: at + text.len(),
        },
        (text, _) => {
            let start = scratch.len();
            scratch.push_str(text);
            Cell::Scratch {
                start,
                end: scratch.len(),
            }
        }
    }
}

fn text_cell(
    column: &ColumnPlan,
    text: &str,
    at: Option<usize>,
    scratch: &mut String,
) -> Result<Cell, Fault> {
    if !column.nulls.is_empty() && column.nulls.iter().any(|null| null == text) {
        return Ok(Cell::Null);
    }
    match column.kind {
        FieldType::String => {
            // An empty text is a value, but not one that tells an event from another: all of them would
            // count as one. The same as in CSV, whose empty cells are no values.
            if column.is_id && text.trim_matches(BLANKS).is_empty() {
                return Err(Fault::field(&column.name, EMPTY));
            }
            let masked = guard::mask(text);
            if column.is_id && matches!(masked, Cow::Owned(_)) {
                return Err(Fault::field(&column.name, CARD_NUMBER_ID));
            }
            Ok(keep(masked, at, scratch))
        }
        FieldType::Currency => currency_cell(column, text, at, scratch),
        FieldType::Timestamp => time_cell(column, text),
        FieldType::Date => date_cell(column, text),
        // JavaScript and many APIs send exact numbers as text.
        FieldType::Decimal { precision, scale } => decimal_cell(column, text, precision, scale),
        FieldType::Int64 => int_cell(column, text),
        FieldType::Float64 => float_cell(column, text),
        FieldType::Bool | FieldType::Json => Err(wrong(column, text, "text")),
    }
}

fn number(column: &ColumnPlan, text: &str) -> Result<Cell, Fault> {
    match column.kind {
        FieldType::Int64 => int_cell(column, text),
        FieldType::Float64 => float_cell(column, text),
        FieldType::Decimal { precision, scale } => decimal_cell(column, text, precision, scale),
        FieldType::Timestamp => time_cell(column, text),
        FieldType::Date if column.has_pattern => date_cell(column, text),
        _ => Err(wrong(column, text, "a number")),
    }
}

/// A cell of CSV: its type is not marked, so it is read as what the field is.
fn plain_cell(
    column: &ColumnPlan,
    text: &str,
    at: usize,
    scratch: &mut String,
) -> Result<Cell, Fault> {
    let trimmed = text.trim_matches(BLANKS);
    let is_null = trimmed.is_empty() || column.nulls.iter().any(|null| null == trimmed);
    if is_null {
        if column.optional {
            return Ok(Cell::Null);
        }
        return Err(Fault::field(&column.name, EMPTY));
    }
    match column.kind {
        FieldType::Bool => bool_cell(column, trimmed),
        FieldType::Json => {
            super::json::check_value(trimmed)
                .map_err(|reason| Fault::field(&column.name, reason))?;
            let lead = text.len() - text.trim_start_matches(BLANKS).len();
            Ok(keep(guard::mask_json(trimmed), Some(at + lead), scratch))
        }
        FieldType::String => text_cell(column, text, Some(at), scratch),
        _ => {
            let lead = text.len() - text.trim_start_matches(BLANKS).len();
            text_cell(column, trimmed, Some(at + lead), scratch)
        }
    }
}

fn bool_cell(column: &ColumnPlan, text: &str) -> Result<Cell, Fault> {
    const TRUE: [&str; 5] = ["true", "t", "yes", "y", "1"];
    const FALSE: [&str; 5] = ["false", "f", "no", "n", "0"];
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(&TRUE) {
        return Ok(Cell::Bool(true));
    }
    if is(&FALSE) {
        return Ok(Cell::Bool(false));
    }
    Err(wrong(column, text, "text"))
}

#[inline]
fn int_cell(column: &ColumnPlan, text: &str) -> Result<Cell, Fault> {
    let value = match text.parse::<i64>() {
        Ok(value) => value,
        // `1.0` and `1e3` are whole numbers too; what is left is a fault with its own reason.
        Err(_) => match decimal::parse(text.as_bytes(), 38, 0) {
            Ok(value) => i64::try_from(value).map_err(|_| {
                let reason = format!("{} is outside of int64", show(text));
                Fault::field(&column.name, reason)
            })?,
            Err(DecimalError::Syntax) => return Err(wrong(column, text, "text")),
            Err(DecimalError::Overflow { .. }) => {
                let reason = format!("{} is outside of int64", show(text));
                return Err(Fault::field(&column.name, reason));
            }
            Err(_) => {
                let reason = format!("{} is not a whole number", show(text));
                return Err(Fault::field(&column.name, reason));
            }
        },
    };
    if guard::integer_is_card_number(value) {
        let reason = if column.is_id {
            CARD_NUMBER_ID
        } else {
            CARD_NUMBER
        };
        return Err(Fault::field(&column.name, reason));
    }
    Ok(Cell::Int(value))
}

fn float_cell(column: &ColumnPlan, text: &str) -> Result<Cell, Fault> {
    if guard::number_has_card_number(text.as_bytes()) {
        return Err(Fault::field(&column.name, CARD_NUMBER));
    }
    match text.parse::<f64>() {
        // What is kept may be a card number where its text, of more digits, is none.
        Ok(value) if float_is_card_number(value) => Err(Fault::field(&column.name, CARD_NUMBER)),
        Ok(value) if value.is_finite() => Ok(Cell::Float(value)),
        Ok(_) => {
            let reason = format!("{} is not a finite number", show(text));
            Err(Fault::field(&column.name, reason))
        }
        Err(_) => Err(wrong(column, text, "text")),
    }
}

fn float_is_card_number(value: f64) -> bool {
    // The numbers with as many digits as card numbers have.
    (1e12..1e19).contains(&value.abs()) && guard::whole_is_card_number(value.abs() as u64)
}

/// Whether the whole part of a decimal, given as the unscaled integer, is a card number.
#[inline]
fn decimal_is_card_number(value: i128, scale: i8) -> bool {
    // With fewer digits it is none, wherever the point stands: almost all amounts end here.
    if value.unsigned_abs() < 1_000_000_000_000 {
        return false;
    }
    u32::try_from(scale)
        .ok()
        .and_then(decimal::power_of_ten)
        .and_then(|one| u64::try_from((value / one).unsigned_abs()).ok())
        .is_some_and(guard::whole_is_card_number)
}

#[inline]
fn decimal_cell(column: &ColumnPlan, text: &str, precision: u8, scale: i8) -> Result<Cell, Fault> {
    match decimal::parse(text.as_bytes(), precision, scale) {
        Ok(value) => {
            if decimal_is_card_number(value, scale) {
                return Err(Fault::field(&column.name, CARD_NUMBER));
            }
            Ok(Cell::Decimal(value))
        }
        Err(error) => Err(Fault::field(
            &column.name,
            format!("{} {error}", show(text)),
        )),
    }
}

#[inline]
fn time_cell(column: &ColumnPlan, text: &str) -> Result<Cell, Fault> {
    match column.time.timestamp(text) {
        Ok(value) => {
            // Only digits could be a card number.
            let has_year = matches!(text.as_bytes(), [a, b, c, d, b'-', ..]
                if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()));
            if !has_year && text.len() >= 13 && guard::number_has_card_number(text.as_bytes()) {
                return Err(Fault::field(&column.name, CARD_NUMBER));
            }
            Ok(Cell::Time(value))
        }
        Err(error) => Err(Fault::field(
            &column.name,
            format!("'{}' {error}", show(text)),
        )),
    }
}

fn date_cell(column: &ColumnPlan, text: &str) -> Result<Cell, Fault> {
    match column.time.date(text) {
        Ok(value) => Ok(Cell::Day(value)),
        Err(error) => Err(Fault::field(
            &column.name,
            format!("'{}' {error}", show(text)),
        )),
    }
}

#[inline]
fn currency_cell(
    column: &ColumnPlan,
    text: &str,
    at: Option<usize>,
    scratch: &mut String,
) -> Result<Cell, Fault> {
    if currency::is_code(text.as_bytes()) {
        return Ok(keep(Cow::Borrowed(text), at, scratch));
    }
    let hint = currency::suggestion(text)
        .map(|code| format!("; write '{code}'"))
        .unwrap_or_default();
    let reason = format!("'{}' is not an ISO 4217 currency code{hint}", show(text));
    Err(Fault::field(&column.name, reason))
}

/// A value of the wrong type, told with what would be right.
#[cold]
pub(super) fn wrong(column: &ColumnPlan, value: &str, found: &str) -> Fault {
    let expected = match &column.kind {
        FieldType::String => "text in quotes".to_owned(),
        FieldType::Bool => "true or false".to_owned(),
        FieldType::Int64 => "a whole number".to_owned(),
        FieldType::Float64 => "a number or its text".to_owned(),
        FieldType::Decimal { .. } => format!("a number or its text for {}", column.kind),
        FieldType::Timestamp => "RFC 3339 text or an epoch number".to_owned(),
        FieldType::Date => "a date's text".to_owned(),
        FieldType::Currency => "an ISO 4217 code in quotes".to_owned(),
        FieldType::Json => "JSON".to_owned(),
    };
    Fault::field(
        &column.name,
        format!("expected {expected}, found {found}: {}", show(value)),
    )
}

/// Epoch numbers of columnar files.
pub(super) fn epoch_cell(column: &ColumnPlan, text: &str) -> Result<Cell, Fault> {
    match time::epoch_text(text.as_bytes()) {
        Ok(value) => Ok(Cell::Time(value)),
        Err(error) => Err(Fault::field(
            &column.name,
            format!("'{}' {error}", show(text)),
        )),
    }
}
