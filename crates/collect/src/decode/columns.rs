//! The columns in the making.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder,
    RecordBatch, RecordBatchOptions, StringViewBuilder, TimestampMicrosecondBuilder,
};
use tillwatch_event::{FieldType, StreamSchema};

use super::DecodeError;
use super::cell::{Cell, Row};

/// Texts up to this many bytes are kept within their view.
const INLINE_BYTES_MAX: usize = 12;

enum Builder {
    Text(StringViewBuilder),
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Decimal(Decimal128Builder),
    Time(TimestampMicrosecondBuilder),
    Day(Date32Builder),
}

/// The columns of one body.
pub(super) struct Columns {
    builders: Vec<Builder>,
    rows: usize,
    bytes: usize,
    row_bytes: usize,
    bytes_max: usize,
}

impl Columns {
    /// Columns with room for about `rows` rows, so that they need not grow by copying, but for no more than
    /// `room_bytes` take: `rows` is a guess, and the sender's bytes decide what it is.
    pub(super) fn new(
        schema: &StreamSchema,
        bytes_max: usize,
        rows: usize,
        room_bytes: usize,
    ) -> Self {
        let row_bytes: usize = schema.fields.iter().map(|field| width(&field.kind)).sum();
        let rows = rows.min(room_bytes / row_bytes.max(1));
        let builders = schema.fields.iter();
        Self {
            builders: builders.map(|field| builder(&field.kind, rows)).collect(),
            rows: 0,
            bytes: 0,
            row_bytes,
            bytes_max,
        }
    }

    /// Adds a row that is complete; texts lie in `source` or the row's scratch.
    #[inline]
    pub(super) fn push(&mut self, source: &str, row: &Row) -> Result<(), DecodeError> {
        self.bytes += self.row_bytes;
        for (builder, cell) in self.builders.iter_mut().zip(&row.cells) {
            match (builder, *cell) {
                (Builder::Text(b), Cell::Source { start, end }) => {
                    self.bytes += text(b, source, start, end);
                }
                (Builder::Text(b), Cell::Scratch { start, end }) => {
                    self.bytes += text(b, &row.scratch, start, end);
                }
                (Builder::Decimal(b), Cell::Decimal(value)) => b.append_value(value),
                (Builder::Int(b), Cell::Int(value)) => b.append_value(value),
                (Builder::Time(b), Cell::Time(value)) => b.append_value(value),
                (Builder::Bool(b), Cell::Bool(value)) => b.append_value(value),
                (Builder::Float(b), Cell::Float(value)) => b.append_value(value),
                (Builder::Day(b), Cell::Day(value)) => b.append_value(value),
                // Only null is left: a cell is made by its column's plan, so its type is the column's.
                (Builder::Text(b), _) => b.append_null(),
                (Builder::Decimal(b), _) => b.append_null(),
                (Builder::Int(b), _) => b.append_null(),
                (Builder::Time(b), _) => b.append_null(),
                (Builder::Bool(b), _) => b.append_null(),
                (Builder::Float(b), _) => b.append_null(),
                (Builder::Day(b), _) => b.append_null(),
            }
        }
        self.rows += 1;
        if self.bytes > self.bytes_max {
            return Err(DecodeError::ColumnsTooLarge {
                bytes_max: self.bytes_max,
            });
        }
        Ok(())
    }

    pub(super) fn finish(self, schema: &StreamSchema) -> Result<RecordBatch, DecodeError> {
        let arrow = schema.arrow_schema();
        let arrays: Vec<ArrayRef> = self
            .builders
            .into_iter()
            .zip(arrow.fields())
            .map(|(builder, field)| -> ArrayRef {
                match builder {
                    Builder::Text(mut b) => Arc::new(b.finish()),
                    Builder::Bool(mut b) => Arc::new(b.finish()),
                    Builder::Int(mut b) => Arc::new(b.finish()),
                    Builder::Float(mut b) => Arc::new(b.finish()),
                    Builder::Day(mut b) => Arc::new(b.finish()),
                    Builder::Decimal(mut b) => {
                        Arc::new(b.finish().with_data_type(field.data_type().clone()))
                    }
                    Builder::Time(mut b) => {
                        Arc::new(b.finish().with_data_type(field.data_type().clone()))
                    }
                }
            })
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        RecordBatch::try_new_with_options(arrow, arrays, &options).map_err(|e| {
            DecodeError::Columnar {
                format: "a batch of this stream",
                reason: e.to_string(),
            }
        })
    }
}

#[inline]
fn text(builder: &mut StringViewBuilder, source: &str, start: usize, end: usize) -> usize {
    let value = source.get(start..end).unwrap_or_default();
    builder.append_value(value);
    if value.len() > INLINE_BYTES_MAX {
        value.len()
    } else {
        0
    }
}

/// The bytes a field takes for each row, without texts that do not fit into their view.
fn width(kind: &FieldType) -> usize {
    match kind {
        FieldType::String | FieldType::Currency | FieldType::Json | FieldType::Decimal { .. } => 16,
        FieldType::Int64 | FieldType::Float64 | FieldType::Timestamp => 8,
        FieldType::Date => 4,
        FieldType::Bool => 1,
    }
}

/// A builder with room for `rows` rows.
fn builder(kind: &FieldType, rows: usize) -> Builder {
    match kind {
        FieldType::String | FieldType::Currency | FieldType::Json => {
            Builder::Text(StringViewBuilder::with_capacity(rows))
        }
        FieldType::Bool => Builder::Bool(BooleanBuilder::with_capacity(rows)),
        FieldType::Int64 => Builder::Int(Int64Builder::with_capacity(rows)),
        FieldType::Float64 => Builder::Float(Float64Builder::with_capacity(rows)),
        FieldType::Decimal { .. } => Builder::Decimal(Decimal128Builder::with_capacity(rows)),
        FieldType::Timestamp => Builder::Time(TimestampMicrosecondBuilder::with_capacity(rows)),
        FieldType::Date => Builder::Day(Date32Builder::with_capacity(rows)),
    }
}
