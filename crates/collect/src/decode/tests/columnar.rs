//! Times of columnar bodies: zones and ranges.

use super::*;
use arrow::array::{
    ArrayRef, Date32Array, Date64Array, Int32Array, StringArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
};
use arrow::datatypes::DataType;
use arrow::ipc::writer::StreamWriter;

fn times(kind: FieldType, zone: Option<&str>) -> Decoder {
    let at = Field {
        format: zone.map(|zone| TimeFormat {
            pattern: None,
            zone: Some(zone.to_owned()),
        }),
        ..Field::new("at", kind, true)
    };
    let schema = StreamSchema {
        name: "readings".into(),
        id: None,
        time: "at".into(),
        dedup: Duration::from_secs(60),
        fields: vec![at],
    };
    decoder_of(schema, DecodeLimits::default())
}

fn decode(decoder: &Decoder, column: ArrayRef) -> Decoded {
    let batch = RecordBatch::try_from_iter([("at", column)]).unwrap();
    let mut body = Vec::new();
    let mut writer = StreamWriter::try_new(&mut body, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    decoder.decode(&Format::ArrowStream, &body).unwrap()
}

/// 2026-07-22T16:03:00, as a clock shows it.
const SHOWN_S: i64 = 1_784_736_180;

#[test]
fn a_time_without_a_zone_is_taken_in_the_zone_of_the_field_as_text_is() {
    let berlin = times(FieldType::Timestamp, Some("Europe/Berlin"));
    let utc = times(FieldType::Timestamp, None);
    let text = decode(
        &berlin,
        Arc::new(StringArray::from(vec!["2026-07-22T16:03:00"])),
    );
    let csv = Format::Csv(CsvOptions::default());
    let csv = berlin.decode(&csv, b"at\n2026-07-22T16:03:00\n").unwrap();
    assert_eq!(cells(&csv.batch), [["2026-07-22T14:03:00Z"]]);
    assert_eq!(cells(&text.batch), cells(&csv.batch));
    let columns: [ArrayRef; 4] = [
        Arc::new(TimestampSecondArray::from(vec![SHOWN_S])),
        Arc::new(TimestampMillisecondArray::from(vec![SHOWN_S * 1_000])),
        Arc::new(TimestampMicrosecondArray::from(vec![SHOWN_S * 1_000_000])),
        Arc::new(TimestampNanosecondArray::from(vec![
            SHOWN_S * 1_000_000_000,
        ])),
    ];
    for column in columns {
        let found = decode(&berlin, Arc::clone(&column));
        assert_eq!(cells(&found.batch), [["2026-07-22T14:03:00Z"]]);
        let found = decode(&utc, column);
        assert_eq!(cells(&found.batch), [["2026-07-22T16:03:00Z"]]);
    }
    let instant = TimestampSecondArray::from(vec![SHOWN_S]).with_timezone("America/New_York");
    let found = decode(&berlin, Arc::new(instant));
    assert_eq!(cells(&found.batch), [["2026-07-22T16:03:00Z"]]);
}

#[test]
fn a_day_begins_in_the_zone_of_the_field() {
    let berlin = times(FieldType::Timestamp, Some("Europe/Berlin"));
    let days: [ArrayRef; 2] = [
        Arc::new(Date32Array::from(vec![Some(20_656), None])),
        Arc::new(Date64Array::from(vec![Some(20_656 * 86_400_000), None])),
    ];
    for column in days {
        let found = decode(&berlin, Arc::clone(&column));
        assert_eq!(cells(&found.batch), [["2026-07-21T22:00:00Z"], ["-"]]);
        let found = decode(&times(FieldType::Date, None), column);
        assert_eq!(cells(&found.batch), [["2026-07-22"], ["-"]]);
    }
}

#[test]
fn a_time_or_day_outside_of_the_years_costs_its_own_row() {
    let out = "lies outside of the years 1 to 9999";
    let max = i64::MAX;
    let cases: [(ArrayRef, String); 7] = [
        (
            Arc::new(TimestampSecondArray::from(vec![0, max])),
            format!("the number {max} {out}"),
        ),
        (
            Arc::new(TimestampMillisecondArray::from(vec![0, i64::MIN])),
            format!("the number {} {out}", i64::MIN),
        ),
        (
            Arc::new(TimestampMicrosecondArray::from(vec![0, max])),
            format!("the number {max} {out}"),
        ),
        (
            Arc::new(TimestampSecondArray::from(vec![0, max]).with_timezone("UTC")),
            format!("the number {max} {out}"),
        ),
        (
            Arc::new(Date32Array::from(vec![0, i32::MAX])),
            format!("the day {}, counted from 1970, {out}", i32::MAX),
        ),
        (
            Arc::new(Date32Array::from(vec![0, -719_163])),
            format!("the day -719163, counted from 1970, {out}"),
        ),
        (
            Arc::new(Date64Array::from(vec![0, max])),
            format!("the day 106751991167, counted from 1970, {out}"),
        ),
    ];
    for (column, reason) in cases {
        let is_day = matches!(column.data_type(), DataType::Date32 | DataType::Date64);
        for (kind, zone) in [
            (FieldType::Timestamp, None),
            (FieldType::Timestamp, Some("Europe/Berlin")),
            (FieldType::Date, None),
        ] {
            if kind == FieldType::Date && !is_day {
                continue;
            }
            let found = decode(&times(kind, zone), Arc::clone(&column));
            assert_eq!(found.batch.num_rows(), 1, "{reason}");
            assert_eq!(found.rejections[0].reason, reason);
            assert_eq!(found.rejections[0].line, 2);
        }
    }
    // A number is no day, wherever it lies.
    let number: ArrayRef = Arc::new(Int32Array::from(vec![20_656]));
    assert_eq!(decode(&times(FieldType::Date, None), number).rejected, 1);
}
