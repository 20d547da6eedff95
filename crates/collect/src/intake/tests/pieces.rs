//! How a request becomes records: what they hold, and the memory they take.

use super::*;
use crate::decode::{DecodeLimits, Decoder, Format};
use crate::intake::split::split;
use crate::record::{RecordHead, batch_bytes, encode_record};
use arrow::array::{
    Array, BooleanArray, Decimal128Array, RecordBatch, TimestampMicrosecondArray, UInt64Array,
};
use proptest::prelude::*;
use tillwatch_event::{Field as StreamField, FieldType, StreamSchema};

fn readings() -> Decoder {
    let schema = StreamSchema {
        name: "readings".into(),
        id: None,
        time: "at".into(),
        dedup: Duration::from_secs(60),
        fields: vec![
            StreamField::new("at", FieldType::Timestamp, false),
            StreamField::new("sensor", FieldType::String, true),
            StreamField::new("value", FieldType::Float64, true),
        ],
    };
    Decoder::new(Arc::new(schema), DecodeLimits::default()).unwrap()
}

fn prepared(body: &str, record_bytes_max: usize) -> Prepared {
    let decoded = readings().decode(&Format::Ndjson, body.as_bytes()).unwrap();
    let meta = SubmitMeta {
        idempotency_key: Some("k".into()),
        source: None,
    };
    Prepared::new("readings", decoded, meta, record_bytes_max).unwrap()
}

/// Bytes that are reserved for a request's payloads, and those in use.
fn payloads(prepared: &Prepared) -> (usize, usize) {
    let payloads = || prepared.records.iter().map(|record| &record.payload);
    (
        payloads().map(Vec::capacity).sum(),
        payloads().map(Vec::len).sum(),
    )
}

#[test]
fn many_short_lines_become_few_records_of_about_their_size() {
    let body = "{\"at\":1795356180,\"sensor\":\"b\"}\n".repeat(200_000);
    let prepared = prepared(&body, 1 << 20);
    // 33 bytes a row and a bit, in pieces of a mebibyte.
    assert!((6..=8).contains(&prepared.records.len()));
    let (reserved, used) = payloads(&prepared);
    assert!(used < 10 << 20, "{used}");
    assert!(reserved < used + used / 50, "{reserved} for {used}");
    assert!(prepared.bytes() < 20 << 20, "{}", prepared.bytes());
}

#[test]
fn a_short_first_line_does_not_count_for_all() {
    let line = format!(
        "{{\"at\":1795356180,\"sensor\":\"{}\"}}\n",
        "sensor".repeat(70)
    );
    let body = format!("{{}}\n{}", line.repeat(2_000));
    let prepared = prepared(&body, 16 << 20);
    assert_eq!(prepared.rejected, 1);
    assert_eq!(prepared.records.len(), 2, "the events, and the rejected");
    let (reserved, used) = payloads(&prepared);
    assert!(reserved < used + used / 50, "{reserved} for {used}");
    assert!(prepared.bytes() < body.len() * 3, "{}", prepared.bytes());
}

#[test]
fn room_for_rows_is_bounded_by_the_body_whatever_its_lines_promise() {
    let body = format!("{}{{\"at\":1795356180}}", "\n".repeat(100_000));
    let decoded = readings().decode(&Format::Ndjson, body.as_bytes()).unwrap();
    assert_eq!(decoded.batch.num_rows(), 1);
    let room = decoded.batch.get_array_memory_size();
    assert!(room < body.len() * 3, "{room} for {}", body.len());
}

fn batch(rows: &[(i64, Option<String>, Option<bool>)]) -> RecordBatch {
    let schema = Schema::new(vec![
        Field::new("n", DataType::Int64, false),
        Field::new("text", DataType::Utf8View, true),
        Field::new("flag", DataType::Boolean, true),
        Field::new("amount", DataType::Decimal128(38, 10), true),
        Field::new(
            "at",
            DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None),
            false,
        ),
        Field::new("place", DataType::UInt64, false),
    ]);
    let numbers = rows.iter().map(|row| row.0);
    let columns: Vec<Arc<dyn Array>> = vec![
        Arc::new(Int64Array::from_iter_values(numbers.clone())),
        Arc::new(StringViewArray::from_iter(
            rows.iter().map(|row| row.1.as_deref()),
        )),
        Arc::new(BooleanArray::from_iter(rows.iter().map(|row| row.2))),
        Arc::new(Decimal128Array::from_iter(
            rows.iter().map(|row| row.2.map(|_| i128::from(row.0))),
        )),
        Arc::new(TimestampMicrosecondArray::from_iter_values(numbers)),
        Arc::new(UInt64Array::from_iter_values(0..rows.len() as u64)),
    ];
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

fn rows() -> impl Strategy<Value = Vec<(i64, Option<String>, Option<bool>)>> {
    let text = prop_oneof![
        4 => "[a-z]{0,40}".prop_map(Some),
        1 => "[a-z]{2000,3000}".prop_map(Some),
        1 => Just(None),
    ];
    proptest::collection::vec((any::<i64>(), text, any::<Option<bool>>()), 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pieces_are_the_rows_in_order_and_none_is_too_large(
        rows in rows(),
        bytes_max in 1_usize..6_000,
    ) {
        let whole = batch(&rows);
        let total = batch_bytes(&whole);
        let pieces = split(whole.clone(), bytes_max).unwrap();
        prop_assert!(pieces.len() <= 2 * total.div_ceil(bytes_max).max(1));
        let mut next = 0;
        for (first, piece) in &pieces {
            prop_assert_eq!(*first, next as u64);
            prop_assert_eq!(piece, &whole.slice(next, piece.num_rows()));
            next += piece.num_rows();
            let bytes = batch_bytes(piece);
            prop_assert!(bytes <= bytes_max || piece.num_rows() == 1, "{bytes} bytes");
            let head = RecordHead {
                kind: RecordKind::Events,
                stream: "numbers",
                received_at_us: 0,
                idempotency_key: None,
                source: None,
                first_row: *first,
            };
            let payload = encode_record(&head, piece).unwrap();
            // Reserved once and not too much: what is written about columns is not their content.
            prop_assert!(payload.len() >= bytes);
            prop_assert!(payload.capacity() <= bytes + 4_000, "{}", payload.capacity());
            // A piece holds nothing of the others.
            if pieces.len() > 1 {
                let held = piece.get_array_memory_size();
                prop_assert!(held <= bytes + bytes / 2 + 3_000, "{held} for {bytes}");
            }
        }
        prop_assert_eq!(next, whole.num_rows());
    }
}
