use super::*;
use crate::decode::{Again, CsvOptions, Delimiter, Format, Rejection};
use crate::error::CollectError;
use arrow::array::{AsArray, Date32Array, Decimal128Array, Int64Array, StringViewArray};
use arrow::datatypes::{
    DataType, Decimal128Type, Field as ArrowField, Float64Type, Schema, TimestampMicrosecondType,
};
use proptest::prelude::*;
use std::time::Duration;
use tillwatch_event::{Field, FieldType, StreamSchema};

fn batch(ids: &[&str], amounts: &[i128]) -> RecordBatch {
    let schema = Schema::new(vec![
        ArrowField::new("id", DataType::Utf8View, false),
        ArrowField::new("amount", DataType::Decimal128(18, 2), false),
    ]);
    let amounts = Decimal128Array::from(amounts.to_vec())
        .with_precision_and_scale(18, 2)
        .unwrap();
    RecordBatch::try_new(
        Arc::new(schema),
        vec![
            Arc::new(StringViewArray::from_iter_values(ids)),
            Arc::new(amounts),
        ],
    )
    .unwrap()
}

fn head() -> RecordHead<'static> {
    RecordHead {
        kind: RecordKind::Events,
        stream: "payments",
        received_at_us: 1_795_356_180_000_000,
        idempotency_key: Some("key-1"),
        source: None,
        first_row: 7,
    }
}

#[test]
fn a_record_reads_as_it_was_written() {
    let written = batch(&["a", "a longer id than a view holds inline"], &[1250, -3]);
    let payload = encode_record(&head(), &written).unwrap();
    let at = Offset::new(3, 64);
    for record in [
        decode_record(at, &payload).unwrap(),
        decode_owned_record(at, payload.clone()).unwrap(),
    ] {
        assert_eq!(record.offset, at);
        assert_eq!(record.kind, RecordKind::Events);
        assert_eq!(&*record.stream, "payments");
        assert_eq!(record.received_at_us, 1_795_356_180_000_000);
        assert_eq!(record.idempotency_key.as_deref(), Some("key-1"));
        assert_eq!(record.source, None);
        assert_eq!(record.first_row, 7);
        assert_eq!(record.batch, written);
    }
}

#[test]
fn the_time_of_receipt_can_be_set_afterwards() {
    let mut payload = encode_record(&head(), &batch(&["a"], &[1])).unwrap();
    set_received_at(&mut payload, 42);
    assert_eq!(
        decode_record(Offset::START, &payload)
            .unwrap()
            .received_at_us,
        42
    );
}

#[test]
fn an_empty_key_is_told_from_no_key() {
    let empty = RecordHead {
        idempotency_key: Some(""),
        source: Some("shop"),
        ..head()
    };
    let payload = encode_record(&empty, &batch(&[], &[])).unwrap();
    let record = decode_record(Offset::START, &payload).unwrap();
    assert_eq!(record.idempotency_key.as_deref(), Some(""));
    assert_eq!(record.source.as_deref(), Some("shop"));
    assert_eq!(record.batch.num_rows(), 0);
}

#[test]
fn every_cut_payload_is_an_error_and_never_a_panic() {
    let payload = encode_record(&head(), &batch(&["a", "b"], &[1, 2])).unwrap();
    for length in 0..payload.len() {
        assert!(
            decode_record(Offset::START, &payload[..length]).is_err(),
            "{length}"
        );
    }
    let mut longer = payload.clone();
    longer.push(0);
    assert!(decode_record(Offset::START, &longer).is_err());
}

#[test]
fn another_version_is_named() {
    let mut payload = encode_record(&head(), &batch(&["a"], &[1])).unwrap();
    payload[3] = 9;
    let error = decode_record(Offset::new(1, 2), &payload)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "the journal record at 1:2 cannot be read: it has version 9, and this program reads version 1"
    );
}

#[test]
fn a_key_too_long_is_refused() {
    let key = "k".repeat(70_000);
    let long = RecordHead {
        idempotency_key: Some(&key),
        ..head()
    };
    assert!(matches!(
        encode_record(&long, &batch(&[], &[])),
        Err(CollectError::HeaderTooLong { bytes: 70_000, .. })
    ));
}

#[test]
fn rejections_survive_the_journal() {
    let rejections = vec![
        Rejection {
            line: 3,
            field: Some("amount".into()),
            reason: "is missing".into(),
            raw: "{}".into(),
        },
        Rejection {
            line: 9,
            field: None,
            reason: "is no JSON".into(),
            raw: "订单".into(),
        },
    ];
    let columns = rejects_batch(&rejections).unwrap();
    let rejects = RecordHead {
        kind: RecordKind::Rejects,
        ..head()
    };
    let payload = encode_record(&rejects, &columns).unwrap();
    let record = decode_owned_record(Offset::START, payload).unwrap();
    assert_eq!(record.kind, RecordKind::Rejects);
    assert_eq!(rejections_of(&record.batch), rejections);
}

#[test]
fn how_rejected_lines_are_read_again_survives_the_journal() {
    let rejection = |line| Rejection {
        line,
        field: None,
        reason: "is bad".into(),
        raw: "a;b".into(),
    };
    let rejections = [rejection(1), rejection(2)];
    for format in [
        Format::Ndjson,
        Format::Json,
        Format::Csv(CsvOptions {
            header: false,
            columns: Some(vec!["payee".into(), "say \"x\"".into()]),
            delimiter: Delimiter::Byte(b';'),
            ..CsvOptions::default()
        }),
        Format::Csv(CsvOptions {
            header: false,
            columns: Some(Vec::new()),
            delimiter: Delimiter::Whitespace,
            ..CsvOptions::default()
        }),
    ] {
        let again = Again {
            format,
            whole: vec![true, false],
        };
        let columns = rejects_batch_again(&rejections, &again).unwrap();
        let payload = encode_record(&head(), &columns).unwrap();
        let record = decode_owned_record(Offset::START, payload).unwrap();
        assert_eq!(again_of(&record.batch), Some(again));
        assert_eq!(rejections_of(&record.batch), rejections);
    }
    let before = rejects_batch(&rejections).unwrap();
    assert_eq!(again_of(&before), None);
    // Without the names of its columns a row cannot be read again.
    let again = Again {
        format: Format::Csv(CsvOptions::default()),
        whole: vec![true, true],
    };
    let columns = rejects_batch_again(&rejections, &again).unwrap();
    assert_eq!(again_of(&columns), None);
}

fn schema(fields: Vec<Field>) -> StreamSchema {
    StreamSchema {
        name: "payments".into(),
        id: None,
        time: "at".into(),
        dedup: Duration::from_secs(1),
        fields,
    }
}

#[test]
fn a_new_optional_field_is_null_and_an_old_one_is_dropped() {
    let old = batch(&["a", "b"], &[1, 2]);
    let now = schema(vec![
        Field::new("note", FieldType::String, true),
        Field::new(
            "amount",
            FieldType::Decimal {
                precision: 20,
                scale: 4,
            },
            false,
        ),
    ]);
    let adapted = adapt(&old, &now).unwrap();
    assert_eq!(adapted.schema(), now.arrow_schema());
    assert_eq!(adapted.column(0).null_count(), 2);
    assert_eq!(
        adapted.column(1).as_primitive::<Decimal128Type>().values(),
        &[100, 200]
    );
}

#[test]
fn integers_and_dates_widen() {
    let written = RecordBatch::try_from_iter([
        ("n", Arc::new(Int64Array::from(vec![i64::MAX])) as ArrayRef),
        ("day", Arc::new(Date32Array::from(vec![1])) as ArrayRef),
    ])
    .unwrap();
    let now = schema(vec![
        Field::new(
            "n",
            FieldType::Decimal {
                precision: 21,
                scale: 2,
            },
            false,
        ),
        Field::new("day", FieldType::Timestamp, false),
    ]);
    let adapted = adapt(&written, &now).unwrap();
    assert_eq!(
        adapted.column(0).as_primitive::<Decimal128Type>().value(0),
        i128::from(i64::MAX) * 100
    );
    assert_eq!(
        adapted
            .column(1)
            .as_primitive::<TimestampMicrosecondType>()
            .value(0),
        86_400_000_000
    );
}

#[test]
fn integers_become_floats_only_where_no_digit_is_lost() {
    let written = |n: i64| {
        RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(vec![7, n])) as ArrayRef)])
            .unwrap()
    };
    let now = schema(vec![Field::new("n", FieldType::Float64, true)]);
    let adapted = adapt(&written(-(1 << 53)), &now).unwrap();
    assert_eq!(
        adapted.column(0).as_primitive::<Float64Type>().values(),
        &[7.0, -9_007_199_254_740_992.0]
    );
    assert_eq!(
        adapt(&written((1 << 53) + 1), &now)
            .unwrap_err()
            .to_string(),
        "the field 'n' was written as Int64 and cannot be read as float64?: older events have numbers beyond 2^53, which a float64 rounds; write a decimal"
    );
}

#[test]
fn a_required_field_may_become_optional_but_not_the_other_way_while_nulls_exist() {
    let some = RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(vec![1])) as ArrayRef)])
        .unwrap();
    let none = RecordBatch::try_from_iter([(
        "n",
        Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef,
    )])
    .unwrap();
    let optional = schema(vec![Field::new("n", FieldType::Int64, true)]);
    let required = schema(vec![Field::new("n", FieldType::Int64, false)]);
    assert_eq!(adapt(&some, &optional).unwrap().num_rows(), 1);
    assert_eq!(adapt(&some, &required).unwrap().num_rows(), 1);
    assert_eq!(
        adapt(&none, &required).unwrap_err().to_string(),
        "the field 'n' was written as Int64 and cannot be read as int64: it is required, but older events without a value exist; write `int64?`"
    );
}

#[test]
fn a_type_that_became_narrower_or_other_is_an_error_that_names_both() {
    let old = batch(&["a"], &[1]);
    for (field, message) in [
        (
            Field::new(
                "amount",
                FieldType::Decimal {
                    precision: 18,
                    scale: 1,
                },
                false,
            ),
            "the field 'amount' was written as Decimal128(18, 2) and cannot be read as decimal(18, 1): a type may only become wider",
        ),
        (
            Field::new("id", FieldType::Int64, false),
            "the field 'id' was written as Utf8View and cannot be read as int64: a type may only become wider",
        ),
        (
            Field::new("new", FieldType::Int64, false),
            "the field 'new' was written as nothing and cannot be read as int64: it is required, but older events do not have it; write `int64?`",
        ),
    ] {
        assert_eq!(
            adapt(&old, &schema(vec![field])).unwrap_err().to_string(),
            message
        );
    }
}

proptest! {
    #[test]
    fn damaged_payloads_never_panic(at in 0_usize..1200, byte in any::<u8>()) {
        let mut payload = encode_record(&head(), &batch(&["a", "b"], &[1, 2])).unwrap();
        if let Some(slot) = payload.get_mut(at) {
            *slot = byte;
        }
        let _ = decode_record(Offset::START, &payload);
    }
}
use arrow::array::ArrayRef;
