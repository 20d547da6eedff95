//! Bodies that are columns already: Parquet files and Arrow IPC streams.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::buffer::Buffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type, TimeUnit};
use arrow::ipc::reader::StreamDecoder;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use tillwatch_event::{FieldType, TimeError, decimal, time};

use super::cell::{Cell, Input, Row, convert, epoch_cell, wrong};
use super::fault::{Fault, show};
use super::plan::ColumnPlan;
use super::row_json;
use super::{DecodeError, Run};

const PARQUET: &str = "Parquet";
const ARROW: &str = "Arrow IPC";
/// Rows of a Parquet file that are brought to columns at once.
const BATCH_ROWS: usize = 8192;

/// Decodes a Parquet file.
pub(super) fn decode_parquet(run: &mut Run<'_>, body: &[u8]) -> Result<(), DecodeError> {
    // The reader is not written for hostile files: a panic in it must not be ours.
    let body = Bytes::copy_from_slice(body);
    guarded(PARQUET, || parquet_rows(run, body))
}

fn parquet_rows(run: &mut Run<'_>, body: Bytes) -> Result<(), DecodeError> {
    let fault = |reason: String| DecodeError::Columnar {
        format: PARQUET,
        reason,
    };
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(false);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(body, options)
        .map_err(|e| fault(e.to_string()))?;
    let roots: Vec<usize> = builder
        .schema()
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| run.plan.columns.iter().any(|c| *c.source == **field.name()))
        .map(|(at, _)| at)
        .collect();
    let unknown = (builder.schema().fields().len() - roots.len()) as u64;
    let bytes: i64 = builder
        .metadata()
        .row_groups()
        .iter()
        .map(|g| g.total_byte_size())
        .sum();
    if usize::try_from(bytes).unwrap_or(usize::MAX) > run.limits.columns_bytes_max {
        return Err(DecodeError::ColumnsTooLarge {
            bytes_max: run.limits.columns_bytes_max,
        });
    }
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let reader = builder
        .with_projection(mask)
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(|e| fault(e.to_string()))?;
    let mut first_row = 1;
    for batch in reader {
        let batch = batch.map_err(|e| fault(e.to_string()))?;
        take_batch(run, &batch, first_row, unknown)?;
        first_row += batch.num_rows() as u64;
    }
    Ok(())
}

/// Decodes an Arrow IPC stream.
pub(super) fn decode_arrow_stream(run: &mut Run<'_>, body: &[u8]) -> Result<(), DecodeError> {
    guarded(ARROW, || {
        let fault = |reason: String| DecodeError::Columnar {
            format: ARROW,
            reason,
        };
        // The decoder takes memory only for bytes that are there, whatever lengths the body names.
        let mut rest = Buffer::from_slice_ref(body);
        let mut decoder = StreamDecoder::new();
        let mut first_row = 1;
        while let Some(batch) = decoder
            .decode(&mut rest)
            .map_err(|e| fault(e.to_string()))?
        {
            let read = |name: &str| run.plan.columns.iter().any(|c| *c.source == *name);
            let unknown = batch
                .schema_ref()
                .fields()
                .iter()
                .filter(|f| !read(f.name()))
                .count() as u64;
            take_batch(run, &batch, first_row, unknown)?;
            first_row += batch.num_rows() as u64;
        }
        if decoder.schema().is_none() {
            return Err(fault("it has no schema".to_owned()));
        }
        decoder.finish().map_err(|e| fault(e.to_string()))
    })
}

fn guarded(
    format: &'static str,
    work: impl FnOnce() -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(DecodeError::Columnar {
            format,
            reason: "its parts contradict each other".to_owned(),
        })
    })
}

/// A column of the body, in one of the few types that cells are made of.
enum Source {
    Absent,
    Text(ArrayRef),
    Bool(ArrayRef),
    Int(ArrayRef),
    Float(ArrayRef),
    Decimal(ArrayRef, i8),
    /// Numbers of time units: since 1970, or on the clock of a zone that is not told.
    Time {
        numbers: ArrayRef,
        unit: TimeUnit,
        is_local: bool,
    },
    /// Numbers of days since 1970, times `per_day`.
    Day {
        numbers: ArrayRef,
        per_day: i64,
    },
    /// Nested values, read as JSON.
    Json(ArrayRef),
    /// What is taken as the text it is shown as: a time of day, a UUID.
    Shown(ArrayRef),
}

fn take_batch(
    run: &mut Run<'_>,
    batch: &RecordBatch,
    first_row: u64,
    unknown: u64,
) -> Result<(), DecodeError> {
    let sources = run
        .plan
        .columns
        .iter()
        .map(|column| Source::new(column, batch))
        .collect::<Result<Vec<_>, DecodeError>>()?;
    let mut row = Row::new(run.plan.columns.len());
    for at in 0..batch.num_rows() {
        run.lines += 1;
        match fill(&mut row, &run.plan.columns, &sources, at) {
            Ok(()) => {
                run.unknown_fields += unknown;
                run.take("", &row)?;
            }
            Err(fault) => {
                let raw = row_json::row(batch, at);
                run.rejections
                    .add(first_row + at as u64, fault, raw.as_bytes());
            }
        }
    }
    Ok(())
}

fn fill(row: &mut Row, columns: &[ColumnPlan], sources: &[Source], at: usize) -> Result<(), Fault> {
    row.clear();
    for (index, (column, source)) in columns.iter().zip(sources).enumerate() {
        let cell = source.cell(column, at, &mut row.scratch)?;
        row.set(index, cell);
    }
    row.complete(columns)
}

impl Source {
    fn new(column: &ColumnPlan, batch: &RecordBatch) -> Result<Self, DecodeError> {
        let fault = |reason: String| DecodeError::Column {
            field: column.name.to_string(),
            column: column.source.to_string(),
            reason,
        };
        let Some(array) = batch.column_by_name(&column.source) else {
            if column.optional {
                return Ok(Self::Absent);
            }
            return Err(fault("it is missing".to_owned()));
        };
        let cast_from = |array: &ArrayRef, to: &DataType| {
            let options = CastOptions {
                safe: false,
                ..CastOptions::default()
            };
            cast_with_options(array, to, &options).map_err(|e| fault(e.to_string()))
        };
        let cast = |to: &DataType| cast_from(array, to);
        // As they were written: a value out of range must cost its own row and not the body.
        let numbers = |plain: &DataType| cast_from(&cast(plain)?, &DataType::Int64);
        let data_type = match array.data_type() {
            DataType::Dictionary(_, values) => values.as_ref(),
            other => other,
        };
        Ok(match data_type {
            DataType::Utf8
            | DataType::LargeUtf8
            | DataType::Utf8View
            | DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView => Self::Text(cast(&DataType::Utf8View)?),
            DataType::Boolean => Self::Bool(Arc::clone(array)),
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32 => Self::Int(cast(&DataType::Int64)?),
            DataType::UInt64 => Self::Decimal(cast(&DataType::Decimal128(20, 0))?, 0),
            DataType::Float16 | DataType::Float32 | DataType::Float64 => {
                Self::Float(cast(&DataType::Float64)?)
            }
            DataType::Decimal32(_, s)
            | DataType::Decimal64(_, s)
            | DataType::Decimal128(_, s)
            | DataType::Decimal256(_, s) => Self::Decimal(cast(&DataType::Decimal128(38, *s))?, *s),
            DataType::Timestamp(unit, zone) => Self::Time {
                numbers: numbers(data_type)?,
                unit: *unit,
                is_local: zone.is_none(),
            },
            DataType::Date32 => Self::Day {
                numbers: numbers(data_type)?,
                per_day: 1,
            },
            DataType::Date64 => Self::Day {
                numbers: numbers(data_type)?,
                per_day: 86_400_000,
            },
            DataType::Null => Self::Absent,
            DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Duration(_)
            | DataType::Interval(_)
            | DataType::FixedSizeBinary(_) => Self::Shown(Arc::clone(array)),
            nested if row_json::is_nested(nested) => {
                if column.kind != FieldType::Json {
                    let reason = "it holds lists or objects, which only a field of type json takes";
                    return Err(fault(reason.to_owned()));
                }
                Self::Json(Arc::clone(array))
            }
            other => return Err(fault(format!("its type {other} is not taken"))),
        })
    }

    fn array(&self) -> Option<&ArrayRef> {
        match self {
            Self::Absent => None,
            Self::Text(array)
            | Self::Bool(array)
            | Self::Int(array)
            | Self::Float(array)
            | Self::Decimal(array, _)
            | Self::Time { numbers: array, .. }
            | Self::Day { numbers: array, .. }
            | Self::Json(array)
            | Self::Shown(array) => Some(array),
        }
    }

    fn cell(&self, column: &ColumnPlan, row: usize, scratch: &mut String) -> Result<Cell, Fault> {
        if self.array().is_none_or(|array| array.is_null(row)) {
            return match self {
                Self::Absent => Ok(Cell::Absent),
                _ => convert(column, Input::Null, scratch),
            };
        }
        match self {
            Self::Absent => Ok(Cell::Absent),
            Self::Text(array) => text_cell(column, array.as_string_view().value(row), scratch),
            Self::Bool(array) => {
                convert(column, Input::Bool(array.as_boolean().value(row)), scratch)
            }
            Self::Int(array) => {
                let text = array.as_primitive::<Int64Type>().value(row).to_string();
                convert(column, Input::Number(&text), scratch)
            }
            Self::Float(array) => {
                let value = array.as_primitive::<Float64Type>().value(row);
                float_cell(column, value, scratch)
            }
            Self::Decimal(array, scale) => {
                let value = array.as_primitive::<Decimal128Type>().value(row);
                convert(
                    column,
                    Input::Number(&decimal::format(value, *scale)),
                    scratch,
                )
            }
            Self::Time {
                numbers,
                unit,
                is_local,
            } => {
                let value = numbers.as_primitive::<Int64Type>().value(row);
                time_cell(column, value, *unit, *is_local)
            }
            Self::Day { numbers, per_day } => {
                let value = numbers.as_primitive::<Int64Type>().value(row);
                day_cell(column, value.div_euclid(*per_day))
            }
            Self::Json(array) => {
                let mut text = String::new();
                row_json::value(array, row, &mut text);
                text_cell(column, &text, scratch)
            }
            Self::Shown(array) => text_cell(column, &row_json::plain(array, row), scratch),
        }
    }
}

/// A text column's value: read as a CSV cell is, but empty text is text. What is kept must lie in
/// the scratch, as the row has no source.
fn text_cell(column: &ColumnPlan, text: &str, scratch: &mut String) -> Result<Cell, Fault> {
    let input = match column.kind {
        FieldType::String => Input::Text {
            text,
            at: 0,
            escaped: false,
        },
        _ => Input::Plain { text, at: 0 },
    };
    match convert(column, input, scratch)? {
        Cell::Source { start, end } => {
            let from = scratch.len();
            scratch.push_str(text.get(start..end).unwrap_or_default());
            Ok(Cell::Scratch {
                start: from,
                end: scratch.len(),
            })
        }
        cell => Ok(cell),
    }
}

/// A float column's value. For a decimal field its shortest text counts, which is what was meant
/// when the file was written from `12.5`; a float that needs more digits is rejected.
fn float_cell(column: &ColumnPlan, value: f64, scratch: &mut String) -> Result<Cell, Fault> {
    if !value.is_finite() {
        return Err(Fault::field(
            &column.name,
            format!("{value} is not a finite number"),
        ));
    }
    match column.kind {
        FieldType::Timestamp => epoch_cell(column, &format!("{value}")),
        _ => convert(column, Input::Number(&format!("{value}")), scratch),
    }
}

/// A time column's value. One without a zone is what a clock showed, and which clock the field says.
fn time_cell(
    column: &ColumnPlan,
    value: i64,
    unit: TimeUnit,
    is_local: bool,
) -> Result<Cell, Fault> {
    if column.kind != FieldType::Timestamp {
        return Err(wrong(column, &value.to_string(), "a timestamp"));
    }
    let micros = match unit {
        TimeUnit::Second => value.checked_mul(1_000_000),
        TimeUnit::Millisecond => value.checked_mul(1_000),
        TimeUnit::Microsecond => Some(value),
        TimeUnit::Nanosecond => Some(value.div_euclid(1_000)),
    };
    let instant = micros.ok_or(TimeError::YearRange).and_then(|micros| {
        if is_local {
            column.time.instant_of_local(micros)
        } else {
            time::check_instant(micros)
        }
    });
    let fault = |error| {
        Fault::field(
            &column.name,
            format!("the number {} {error}", show(&value.to_string())),
        )
    };
    instant.map(Cell::Time).map_err(fault)
}

fn day_cell(column: &ColumnPlan, day: i64) -> Result<Cell, Fault> {
    let cell = match column.kind {
        FieldType::Date => time::check_day(day).map(Cell::Day),
        FieldType::Timestamp => column.time.start_of_day(day).map(Cell::Time),
        _ => return Err(wrong(column, &day.to_string(), "a date")),
    };
    cell.map_err(|error| {
        Fault::field(
            &column.name,
            format!("the day {day}, counted from 1970, {error}"),
        )
    })
}
