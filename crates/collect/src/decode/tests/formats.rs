use super::*;
use arrow::array::{
    Array, ArrayRef, Decimal128Array, DictionaryArray, Float64Array, Int32Array, StringArray,
    TimestampNanosecondArray,
};
use arrow::datatypes::Int32Type;
use arrow::ipc::writer::StreamWriter;
use parquet::arrow::ArrowWriter;

#[test]
fn every_type_is_read_from_a_line() {
    let body = line(
        r#", "psp":"ad\"yen\u00e9\ud83d\ude00", "approved":true,"latency_ms":-42, "score":1.5e1,"day":"2026-11-22","extra": {"a" : [1,null]} ,"card":{"issuer":"bank_17","x":{}},"unknown":[{}],"more":1"#,
    );
    let decoded = decoder().decode(&Format::Ndjson, body.as_bytes()).unwrap();
    assert_eq!(decoded.rejections, []);
    assert_eq!(
        cells(&decoded.batch),
        [[
            "e1",
            "2026-11-22T14:03:00Z",
            "12.50",
            "EUR",
            "ad\"yené😀",
            "true",
            "-42",
            "15.0",
            "2026-11-22",
            r#"{"a" : [1,null]}"#,
            "bank_17"
        ]]
    );
    assert_eq!(decoded.unknown_fields, 3);
}

#[test]
fn optional_fields_may_be_absent_null_or_a_declared_text() {
    for more in [
        "",
        r#","psp":null,"card":null"#,
        r#","card":{"issuer":null}"#,
        r#","card":{"issuer":"N/A"}"#,
    ] {
        let decoded = decoder()
            .decode(&Format::Ndjson, line(more).as_bytes())
            .unwrap();
        assert_eq!(cells(&decoded.batch)[0][4..], ["-"; 7], "{more}");
    }
}

#[test]
fn numbers_may_come_as_text_and_text_of_any_json_stays_text() {
    let more = r#","latency_ms":"9007199254740993","score":"-1.5e1","psp":"","extra":"just text""#;
    let body = line(more);
    let decoded = decoder().decode(&Format::Ndjson, body.as_bytes()).unwrap();
    assert_eq!(cells(&decoded.batch)[0][6], "9007199254740993");
    assert_eq!(cells(&decoded.batch)[0][7], "-15.0");
    assert_eq!(cells(&decoded.batch)[0][9], "\"just text\"");
    // An empty text is a value where nothing is told by it.
    assert_eq!(cells(&decoded.batch)[0][4], "");
    let whole = decoder()
        .decode(&Format::Ndjson, line(r#","latency_ms":1.20e2"#).as_bytes())
        .unwrap();
    assert_eq!(cells(&whole.batch)[0][6], "120");
}

#[test]
fn lines_may_end_in_any_way_and_be_blank() {
    let one = line("");
    for body in [
        one.clone(),
        format!("{one}\n"),
        format!("\u{feff}{one}\r\n\r\n"),
        format!("\n\n  \n{one}\n\n"),
        format!("  {one}\t\r"),
    ] {
        let decoded = decoder().decode(&Format::Ndjson, body.as_bytes()).unwrap();
        assert_eq!(
            (decoded.batch.num_rows(), decoded.rejected, decoded.lines),
            (1, 0, 1),
            "{body:?}"
        );
    }
    let decoded = decoder().decode(&Format::Ndjson, b"").unwrap();
    assert_eq!((decoded.batch.num_rows(), decoded.lines), (0, 0));
}

#[test]
fn an_array_an_object_and_an_empty_array_are_documents() {
    let one = line("");
    for (body, rows) in [
        (one.clone(), 1),
        (format!(" [ {one} , {one}\n] "), 2),
        ("[]".to_owned(), 0),
        (format!("\u{feff}[{one}]"), 1),
    ] {
        let decoded = decoder().decode(&Format::Json, body.as_bytes()).unwrap();
        assert_eq!(decoded.batch.num_rows(), rows, "{body}");
    }
}

#[test]
fn a_key_written_with_escapes_is_the_same_key() {
    let body = line(r#","\u0070sp":"adyen""#);
    let decoded = decoder().decode(&Format::Ndjson, body.as_bytes()).unwrap();
    assert_eq!(cells(&decoded.batch)[0][4], "adyen");
}

#[test]
fn two_fields_may_be_read_from_one_key_and_a_key_may_be_kept_whole_and_in_part() {
    let mut schema = payments();
    schema.fields.push(Field {
        from: Some("card".into()),
        ..Field::new("card", FieldType::Json, true)
    });
    schema.fields.push(Field {
        from: Some("card.issuer".into()),
        ..Field::new("bank", FieldType::String, true)
    });
    let body = line(r#","card":{"issuer":"b","n":1}"#);
    let decoded = decoder_of(schema, DecodeLimits::default())
        .decode(&Format::Ndjson, body.as_bytes())
        .unwrap();
    assert_eq!(
        cells(&decoded.batch)[0][10..],
        ["b", r#"{"issuer":"b","n":1}"#, "b"]
    );
}

#[test]
fn many_fields_are_found_in_any_order() {
    let mut schema = payments();
    for n in 0..60 {
        schema
            .fields
            .push(Field::new(format!("f{n}"), FieldType::Int64, true));
    }
    let more: String = (0..60).rev().map(|n| format!(",\"f{n}\":{n}")).collect();
    let decoded = decoder_of(schema, DecodeLimits::default())
        .decode(&Format::Ndjson, line(&more).as_bytes())
        .unwrap();
    let expected: Vec<String> = (0..60).map(|n| n.to_string()).collect();
    assert_eq!(cells(&decoded.batch)[0][11..], expected);
}

#[test]
fn csv_is_read_by_its_header_with_quotes_and_empty_cells() {
    let body = "\u{feff}currency, amount ,event_id,occurred_at,psp,card.issuer,unknown\r\n\
        EUR, 12.5 ,e1,2026-11-22T14:03:00Z,\"a, \"\"b\"\"\nc\",N/A,x\r\n\r\n\
        USD,-3,e2,1795356180,,bank,\n";
    let decoded = decoder()
        .decode(&Format::Csv(CsvOptions::default()), body.as_bytes())
        .unwrap();
    assert_eq!(decoded.rejections, []);
    let rows = cells(&decoded.batch);
    assert_eq!(
        rows[0][..5],
        ["e1", "2026-11-22T14:03:00Z", "12.50", "EUR", "a, \"b\"\nc"]
    );
    assert_eq!(rows[0][10], "-");
    assert_eq!(
        rows[1][..5],
        ["e2", "2026-11-22T14:03:00Z", "-3.00", "USD", "-"]
    );
    assert_eq!(rows[1][10], "bank");
    assert_eq!(decoded.unknown_fields, 2);
}

#[test]
fn csv_lines_are_counted_with_their_header_and_their_line_breaks() {
    let body = "event_id,occurred_at,amount,currency\ne1,0,1,EUR\n\"e\n2\",0,1,EUR\nbad,0,x,EUR\n";
    let decoded = decoder()
        .decode(&Format::Csv(CsvOptions::default()), body.as_bytes())
        .unwrap();
    assert_eq!(decoded.batch.num_rows(), 2);
    assert_eq!(decoded.rejections[0].line, 5);
    assert_eq!(decoded.rejections[0].raw, "bad,0,x,EUR");
}

#[test]
fn csv_without_a_header_takes_declared_columns_and_any_delimiter() {
    let options = CsvOptions {
        header: false,
        columns: Some(vec![
            "amount".into(),
            "event_id".into(),
            "occurred_at".into(),
            "currency".into(),
        ]),
        delimiter: Delimiter::Byte(b';'),
        ..CsvOptions::default()
    };
    let decoded = decoder()
        .decode(&Format::Csv(options), b"1.5;e1;0;EUR\n")
        .unwrap();
    assert_eq!(
        cells(&decoded.batch)[0][..4],
        ["e1", "1970-01-01T00:00:00Z", "1.50", "EUR"]
    );
}

fn purchases() -> StreamSchema {
    let packed = TimeFormat {
        pattern: Some("%Y%m%d".into()),
        zone: None,
    };
    StreamSchema {
        name: "purchases".into(),
        id: None,
        time: "day".into(),
        dedup: Duration::ZERO,
        fields: vec![
            Field::new("customer", FieldType::String, false),
            Field {
                format: Some(packed),
                ..Field::new("day", FieldType::Date, false)
            },
            Field::new("quantity", FieldType::Int64, false),
            Field::new(
                "amount",
                FieldType::Decimal {
                    precision: 12,
                    scale: 2,
                },
                false,
            ),
        ],
    }
}

#[test]
fn fixed_width_text_is_read_as_columns_between_spaces() {
    let options = CsvOptions {
        header: false,
        columns: None,
        delimiter: Delimiter::Whitespace,
        ..CsvOptions::default()
    };
    let body = " 00001 20210101  1   11.77\r\n 00002 20210112 12   12.00\n\n 00002 20210112  5\n";
    let decoder = decoder_of(purchases(), DecodeLimits::default());
    let decoded = decoder
        .decode(&Format::Csv(options), body.as_bytes())
        .unwrap();
    assert_eq!(
        cells(&decoded.batch),
        [
            ["00001", "2021-01-01", "1", "11.77"],
            ["00002", "2021-01-12", "12", "12.00"]
        ]
    );
    assert_eq!(decoded.rejections[0].line, 4);
    assert_eq!(
        decoded.rejections[0].reason,
        "has 3 cells where 4 are expected"
    );
}

fn columnar() -> RecordBatch {
    let dictionary: DictionaryArray<Int32Type> = vec!["EUR", "EUR", "usd"].into_iter().collect();
    RecordBatch::try_from_iter([
        (
            "event_id",
            Arc::new(StringArray::from(vec![
                "e1",
                "a text longer than a view",
                "e3",
            ])) as ArrayRef,
        ),
        (
            "occurred_at",
            Arc::new(TimestampNanosecondArray::from(vec![
                1_000_000_000,
                2_000,
                3,
            ])) as ArrayRef,
        ),
        (
            "amount",
            Arc::new(Float64Array::from(vec![12.5, 0.07, 1.0])) as ArrayRef,
        ),
        ("currency", Arc::new(dictionary) as ArrayRef),
        (
            "psp",
            Arc::new(StringArray::from(vec![
                Some("card 4111111111111111"),
                None,
                Some("x"),
            ])) as ArrayRef,
        ),
        (
            "latency_ms",
            Arc::new(Int32Array::from(vec![Some(5), None, Some(7)])) as ArrayRef,
        ),
        (
            "other",
            Arc::new(Decimal128Array::from(vec![1, 2, 3])) as ArrayRef,
        ),
    ])
    .unwrap()
}

#[test]
fn parquet_and_arrow_streams_become_the_same_events() {
    let batch = columnar();
    let mut parquet = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut parquet, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let mut ipc = Vec::new();
    let mut writer = StreamWriter::try_new(&mut ipc, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    for (format, body) in [(Format::Parquet, parquet), (Format::ArrowStream, ipc)] {
        let decoded = decoder().decode(&format, &body).unwrap();
        let rows = cells(&decoded.batch);
        assert_eq!(
            rows[0][..7],
            [
                "e1",
                "1970-01-01T00:00:01Z",
                "12.50",
                "EUR",
                "card 411111******1111",
                "-",
                "5"
            ]
        );
        assert_eq!(
            rows[1][..4],
            [
                "a text longer than a view",
                "1970-01-01T00:00:00.000002Z",
                "0.07",
                "EUR"
            ]
        );
        assert_eq!(rows.len(), 2);
        assert_eq!(decoded.rejected, 1);
        let rejection = &decoded.rejections[0];
        assert_eq!(
            (rejection.line, rejection.field.as_deref()),
            (3, Some("currency"))
        );
        assert!(
            rejection.raw.starts_with("{\"event_id\":\"e3\","),
            "{}",
            rejection.raw
        );
        assert_eq!(decoded.unknown_fields, 2);
    }
}

#[test]
fn a_columnar_file_without_a_required_column_is_refused() {
    let batch = columnar().project(&[0, 1, 2]).unwrap();
    let mut parquet = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut parquet, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let error = decoder().decode(&Format::Parquet, &parquet).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the column 'currency' cannot be read as the field 'currency': it is missing"
    );
    assert_eq!(batch.column(0).len(), 3);
}

#[test]
fn content_types_and_file_names_are_known() {
    let csv = |header, delimiter| {
        Format::Csv(CsvOptions {
            header,
            delimiter,
            ..CsvOptions::default()
        })
    };
    for (text, format) in [
        ("application/x-ndjson", Format::Ndjson),
        ("Application/NDJSON; charset=utf-8", Format::Ndjson),
        ("application/json", Format::Json),
        ("text/csv", csv(true, Delimiter::Byte(b','))),
        (
            "text/csv; header=absent; delimiter=\";\"",
            csv(false, Delimiter::Byte(b';')),
        ),
        (
            "text/csv; delimiter=\"\\;\";Charset=\"UTF-8\"; header=absent",
            csv(false, Delimiter::Byte(b';')),
        ),
        (
            "text/csv; header=absent; delimiter=semicolon",
            csv(false, Delimiter::Byte(b';')),
        ),
        (
            "text/csv; delimiter=comma",
            csv(true, Delimiter::Byte(b',')),
        ),
        ("text/csv; delimiter=tab", csv(true, Delimiter::Byte(b'\t'))),
        (
            "text/csv; header=absent; delimiter=whitespace",
            csv(false, Delimiter::Whitespace),
        ),
        (
            "text/tab-separated-values",
            csv(true, Delimiter::Byte(b'\t')),
        ),
        ("application/vnd.apache.parquet", Format::Parquet),
        ("application/vnd.apache.arrow.stream", Format::ArrowStream),
    ] {
        assert_eq!(
            Format::from_content_type(text, &CsvOptions::default()),
            Ok(format),
            "{text}"
        );
    }
    for text in [
        "",
        "text/html",
        "multipart/form-data",
        "text/csv; delimiter=ab",
        "text/csv; header=maybe",
        "text/csv; delimiter=\";",
        "application/json; charset=utf-16",
        "application/x-ndjson;charset=\"ISO-8859-1\"",
        "text/csv; header=present; charset=windows-1252",
    ] {
        assert!(
            Format::from_content_type(text, &CsvOptions::default()).is_err(),
            "{text}"
        );
    }
    assert_eq!(
        Format::from_content_type("application/json; charset=utf-16", &CsvOptions::default()),
        Err(DecodeError::UnknownCharset("utf-16".into()))
    );
    assert_eq!(
        Format::of_answer("application/json; charset=utf-16", &CsvOptions::default()),
        Some(Format::Json),
        "what is not UTF-8 is told when it is read"
    );
    assert_eq!(
        Format::from_file_name("a/b.CSV.gz"),
        Some(csv(true, Delimiter::Byte(b',')))
    );
    assert_eq!(Format::from_file_name("x.parquet"), Some(Format::Parquet));
    assert_eq!(Format::from_file_name("x.jsonl.zst"), Some(Format::Ndjson));
    assert_eq!(Format::from_file_name("x.doc"), None);
    assert_eq!(Encoding::from_file_name("x.jsonl.zst"), Encoding::Zstd);
    assert_eq!(Encoding::from_header("GZIP"), Ok(Encoding::Gzip));
    assert!(Encoding::from_header("br").is_err());
}

#[test]
fn a_rejected_line_says_how_it_is_read_again_and_whether_it_is_whole() {
    let whole = |decoded: &Decoded| decoded.again.clone().map(|again| again.whole);
    let long = "x".repeat(DecodeLimits::default().raw_bytes_max);
    let body = format!("  {{\"a\":1}}\n{{\"a\":\"4111111111111111\"}}\n{{\"a\":\"{long}\"}}\n");
    let decoded = decoder().decode(&Format::Ndjson, body.as_bytes()).unwrap();
    assert_eq!(decoded.rejected, 3);
    assert_eq!(whole(&decoded), Some(vec![true, false, false]));
    assert_eq!(decoded.again.unwrap().format, Format::Ndjson);
    let decoded = decoder().decode(&Format::Json, b"[{\n\"a\":1}]").unwrap();
    assert_eq!(whole(&decoded), Some(vec![true]));
}
