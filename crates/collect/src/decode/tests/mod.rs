//! Tests of decoding: hostile input by table, and properties.

mod bounds;
mod columnar;
mod formats;
mod hostile;
mod properties;

use std::sync::Arc;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;
use arrow::util::display::array_value_to_string;
use tillwatch_event::{Field, FieldType, StreamSchema, TimeFormat};

use super::*;

fn payments() -> StreamSchema {
    let decimal = FieldType::Decimal {
        precision: 18,
        scale: 2,
    };
    StreamSchema {
        name: "payments".into(),
        id: Some("event_id".into()),
        time: "occurred_at".into(),
        dedup: Duration::from_secs(86_400),
        fields: vec![
            Field::new("event_id", FieldType::String, false),
            Field::new("occurred_at", FieldType::Timestamp, false),
            Field::new("amount", decimal, false),
            Field::new("currency", FieldType::Currency, false),
            Field::new("psp", FieldType::String, true),
            Field::new("approved", FieldType::Bool, true),
            Field::new("latency_ms", FieldType::Int64, true),
            Field::new("score", FieldType::Float64, true),
            Field::new("day", FieldType::Date, true),
            Field::new("extra", FieldType::Json, true),
            Field {
                from: Some("card.issuer".into()),
                null_values: vec!["N/A".into()],
                ..Field::new("issuer", FieldType::String, true)
            },
        ],
    }
}

fn decoder_of(schema: StreamSchema, limits: DecodeLimits) -> Decoder {
    Decoder::new(Arc::new(schema), limits).unwrap()
}

fn decoder() -> Decoder {
    decoder_of(payments(), DecodeLimits::default())
}

/// The cells of a batch as text, `-` for null.
fn cells(batch: &RecordBatch) -> Vec<Vec<String>> {
    (0..batch.num_rows())
        .map(|row| {
            batch
                .columns()
                .iter()
                .map(|column| match column.is_null(row) {
                    true => "-".to_owned(),
                    false => match column.as_primitive_opt::<TimestampMicrosecondType>() {
                        Some(times) => jiff::Timestamp::from_microsecond(times.value(row))
                            .unwrap()
                            .to_string(),
                        None => array_value_to_string(column, row).unwrap(),
                    },
                })
                .collect()
        })
        .collect()
}

/// A line with the required fields and `more` after them.
fn line(more: &str) -> String {
    format!(
        r#"{{"event_id":"e1","occurred_at":"2026-11-22T14:03:00Z","amount":"12.50","currency":"EUR"{more}}}"#
    )
}
