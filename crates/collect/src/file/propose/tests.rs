use std::io::Write;

use tempfile::TempDir;

use super::*;

mod people;
mod sent;

fn file(name: &str, text: impl AsRef<[u8]>) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn proposed(name: &str, text: impl AsRef<[u8]>) -> Proposal {
    let (_folder, path) = file(name, text);
    propose(&path, &ProposeOptions::default()).unwrap()
}

fn types(proposal: &Proposal) -> Vec<String> {
    let fields = proposal.schema.fields.iter();
    fields
        .map(|field| format!("{} {}", field.name, field.type_text()))
        .collect()
}

/// The difficulties of real delivery files: a mark, names that are no names, texts among dates and
/// numbers, quoted delimiters and line ends, accents.
const SHIPMENTS: &str = "\u{feff}ID,PO / SO #,Country,Sent to Client Date,Scheduled Delivery Date,Delivered to Client Date,Weight (Kilograms),Freight Cost (USD),Vendor\r\n\
1,SCMS-4,Côte d'Ivoire,Pre-PQ Process,02-Jun-06,02-Jun-06,13,780.34,\"A, Ltd.\"\r\n\
3,SCMS-13,Vietnam,14-Nov-06,14-Nov-06,15-Nov-06,358,4521.5,\"B\r\nInc\"\r\n\
4,SCMS-20,Vietnam,27-Aug-06,27-Aug-06,26-Aug-06,See ASN-93 (ID#:1281),Invoiced Separately,\"A, Ltd.\"\r\n\
15,SCMS-78,Côte d'Ivoire,Pre-PQ Process,01-Sep-06,01-Sep-06,171,1653.78,\"A, Ltd.\"\r\n\
16,SCMS-81,Vietnam,11-Aug-06,11-Aug-06,11-Aug-06,1855,16007.06,\"A, Ltd.\"\r\n\
23,SCMS-87,Côte d'Ivoire,Date Not Captured,28-Sep-06,28-Sep-06,7590,45450.08,\"A, Ltd.\"\r\n\
44,SCMS-139,Côte d'Ivoire,08-Jan-07,08-Jan-07,09-Jan-07,941,5920.42,\"B\r\nInc\"";

#[test]
fn a_delivery_file_with_all_its_difficulties_loads_whole() {
    let proposal = proposed("Deliveries 2006.csv", SHIPMENTS);
    assert_eq!(
        (proposal.lines, proposal.rejected, proposal.whole),
        (7, 0, true)
    );
    assert_eq!(
        types(&proposal),
        [
            "id int64",
            "po_so string",
            "country string",
            "sent_to_client_date date?",
            "scheduled_delivery_date date",
            "delivered_to_client_date date",
            "weight_kilograms string",
            "freight_cost_usd decimal(18, 2)?",
            "vendor string",
        ]
    );
    let schema = &proposal.schema;
    assert_eq!(
        (schema.name.as_str(), schema.id.as_deref()),
        ("deliveries_2006", Some("id"))
    );
    assert_eq!(schema.time, "delivered_to_client_date");
    assert_eq!(schema.faults(&tillwatch_event::SchemaLimits::default()), []);
    assert_eq!(
        schema.field("sent_to_client_date").unwrap().null_values,
        ["Pre-PQ Process", "Date Not Captured"]
    );
    for line in [
        "      po_so: {type: string, from: \"PO / SO #\"}",
        "      sent_to_client_date: {type: date?, from: \"Sent to Client Date\", format: \"%d-%b-%y\", nulls: [\"Pre-PQ Process\", \"Date Not Captured\"]}",
        "      freight_cost_usd: {type: \"decimal(18, 2)?\", from: \"Freight Cost (USD)\", nulls: [\"Invoiced Separately\"]}",
        "      on_time: count(*) filter (where delivered_to_client_date <= scheduled_delivery_date)",
        "    bucket: 1d",
        "      - country  # 2 values: Côte d'Ivoire, Vietnam",
        "  deliveries_2006_on_time_share:",
        "    expr: freight_cost_usd_sum / freight_cost_usd_count",
    ] {
        assert!(
            proposal.yaml.lines().any(|l| l == line),
            "{line}\n{}",
            proposal.yaml
        );
    }
}

#[test]
fn a_fixed_width_file_without_a_header_loads_whole() {
    let text =
        " 00001 20210101  1   11.77\n 00002 20210112  1   12.00\n 00002 20210112  5   77.00\n";
    let proposal = proposed("purchases.txt", text);
    assert_eq!((proposal.lines, proposal.rejected), (3, 0));
    assert_eq!(
        types(&proposal),
        [
            "column_1 string",
            "day date",
            "column_3 int64",
            "column_4 decimal(18, 2)"
        ]
    );
    assert_eq!(proposal.schema.time, "day");
    assert!(
        proposal
            .yaml
            .contains("    csv: {delimiter: whitespace, header: false}\n")
    );
    assert!(
        proposal
            .yaml
            .contains("      day: {type: date, format: \"%Y%m%d\"}\n")
    );
    assert!(proposal.yaml.contains("column_4_sum: sum(column_4)"));
    assert!(
        proposal
            .yaml
            .contains("No id: no column tells every line apart.")
    );
}

#[test]
fn nested_json_is_taken_apart_and_what_has_no_type_is_left_out() {
    let text = r#"{"event_id":"a","created_at":"2026-01-01T00:00:00Z","money":{"amount":"12.50","currency":"EUR"},"tags":["x"],"n":1,"mixed":1}
{"event_id":"b","created_at":"2026-01-01T05:00:00Z","money":{"amount":3,"currency":"USD"},"n":null,"mixed":"x","note":""}
{"event_id":"c","created_at":"2026-01-02T00:00:00Z","money":{"amount":4.25,"currency":"EUR"},"n":7,"mixed":true,"note":"y"}
"#;
    let proposal = proposed("events.ndjson", text);
    assert_eq!((proposal.lines, proposal.rejected), (3, 0));
    assert_eq!(
        types(&proposal),
        [
            "event_id string",
            "created_at timestamp",
            "money_amount decimal(18, 2)",
            "money_currency currency",
            "tags json?",
            "n int64?",
            "note string?",
        ]
    );
    assert!(
        proposal
            .yaml
            .contains("      # Left out: mixed, because its values are of several JSON types.")
    );
    assert!(proposal.yaml.contains("from: \"money.amount\""));
    let one_currency = "case when currency_first = currency_last then money_amount_sum end";
    assert!(proposal.yaml.contains(one_currency), "{}", proposal.yaml);
    // Also when the file holds but one currency: a later one may hold another.
    let euros = proposed("events.ndjson", text.replace("USD", "EUR"));
    assert!(euros.yaml.contains(one_currency), "{}", euros.yaml);
    for guard in [
        "currency_first: min(money_currency)",
        "currency_last: max(money_currency)",
    ] {
        assert!(euros.yaml.contains(guard), "{}", euros.yaml);
    }
}

#[test]
fn a_json_array_over_many_lines_and_a_compressed_one_are_read() {
    let text = "[\n  {\n    \"id\": 1,\n    \"time\": 1700000000\n  },\n  {\"id\": 2, \"time\": 1700003600}\n]\n";
    let proposal = proposed("data.json", text);
    assert_eq!(types(&proposal), ["id int64", "time timestamp"]);
    assert_eq!((proposal.lines, proposal.rejected), (2, 0));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let packed = proposed("data.json.gz", gzip.finish().unwrap());
    assert_eq!(packed.schema, proposal.schema);
    let packed = proposed(
        "data.json.zst",
        zstd::encode_all(text.as_bytes(), 1).unwrap(),
    );
    assert_eq!(packed.schema, proposal.schema);
}

#[test]
fn a_parquet_file_keeps_the_types_it_declares() {
    use arrow::array::{
        ArrayRef, Decimal128Array, Int32Array, RecordBatch, StringArray, TimestampMillisecondArray,
    };
    let amounts = Decimal128Array::from(vec![Some(1250), None, Some(300)])
        .with_precision_and_scale(10, 2)
        .unwrap();
    let times =
        TimestampMillisecondArray::from(vec![1_700_000_000_000_i64; 3]).with_timezone("UTC");
    let columns: [(&str, ArrayRef); 4] = [
        ("OrderId", Arc::new(Int32Array::from(vec![1, 2, 3]))),
        ("at", Arc::new(times)),
        ("amount", Arc::new(amounts)),
        ("kind", Arc::new(StringArray::from(vec!["a", "b", "a"]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let proposal = proposed("orders.parquet", bytes);
    assert_eq!((proposal.lines, proposal.rejected), (3, 0));
    assert_eq!(
        types(&proposal),
        [
            "order_id int64",
            "at timestamp",
            "amount decimal(10, 2)?",
            "kind string"
        ]
    );
    assert_eq!(proposal.schema.id.as_deref(), Some("order_id"));
}

#[test]
fn card_numbers_and_card_secrets_are_never_written() {
    let text = "at,card,cvv,note\n\
                2026-01-01,4111 1111 1111 1111,123,x\n\
                2026-01-02,4111-1111-1111-1111,456,x\n\
                2026-01-03,4111 1111 1111 1111,789,4012888888881881\n";
    let proposal = proposed("cards.csv", text);
    for secret in [
        "4111 1111 1111",
        "411111111111",
        "4111-1111-1111",
        "401288888888",
        "123",
        "789",
    ] {
        assert!(
            !proposal.yaml.contains(secret),
            "{secret}\n{}",
            proposal.yaml
        );
    }
    assert!(
        proposal
            .yaml
            .contains("# Left out: cvv, because card verification data must not be kept.")
    );
    let text = "{\"at\":\"2026-01-01\",\"4111111111111111\":1}\n";
    let proposal = proposed("cards.ndjson", text);
    assert!(!proposal.yaml.contains("41111111"), "{}", proposal.yaml);
    assert_eq!(types(&proposal), ["at date"]);
}

#[test]
fn a_file_that_no_stream_can_be_made_of_says_why() {
    for (text, expected) in [
        ("", "holds no records"),
        ("id,at\n", "holds no records, only the names of columns"),
        (
            "# exported today\nid,at,n\n1,2026-01-01,5\n2,2026-01-02,6\n",
            "x.csv has 1 column, but most others have 3; take away what stands before the column names",
        ),
        (
            "sep=;\nid;at;n\n1;2026-01-01;5\n",
            "whose first line is `sep=`",
        ),
        (
            "id,at\n1,1767225600000000000\n2,1767225601000000000\n",
            "; at looks like nanoseconds since 1970: write microseconds, or RFC 3339",
        ),
        (
            "id,at\n1,5 Uhr am ersten\n2,6 Uhr am zweiten\n",
            "; at is named like one, but its values are in no single form that is known: 5 Uhr am ersten, 6 Uhr am zweiten",
        ),
        (
            r#"{"data":[{"id":1,"at":"2026-01-01"},{"id":2,"at":"2026-01-02"}],"n":2}"#,
            "is one object, and its events seem to be in `data`; write them one a line, for instance with `jq -c '.data[]'`",
        ),
        (
            r#"{"a'; touch x; '":[{"id":1,"at":"2026-01-01"},{"id":2,"at":"2026-01-02"}]}"#,
            "has no column with a date or time in every line, which a stream needs",
        ),
        (
            "id,name\n1,a\n",
            "has no column with a date or time in every line, which a stream needs",
        ),
        (
            "id,at\n1,2026-01-01\n2,\n3,\n",
            "which a stream needs; the nearest, at, has one in 33.3 % of the lines",
        ),
    ] {
        let (_folder, path) = file("x.csv", text);
        let error = propose(&path, &ProposeOptions::default()).unwrap_err();
        assert!(error.to_string().contains(expected), "{text:?}: {error}");
    }
}

#[test]
fn a_line_without_a_time_is_rejected_visibly_when_almost_all_have_one() {
    let mut text = "id,at\n".to_owned();
    for n in 0..40 {
        text.push_str(&format!("{n},2026-01-{:02}\n", n % 28 + 1));
    }
    text.push_str("40,\n");
    let proposal = proposed("x.csv", &text);
    assert_eq!((proposal.lines, proposal.rejected), (41, 1));
    assert!(
        proposal
            .yaml
            .contains("# Tried on all 41 lines: 1 is rejected, such as\n#   line 42: at")
    );
    assert!(
        proposal
            .yaml
            .contains("# 1 line has no at and is rejected.")
    );
}

#[test]
fn a_ragged_or_broken_line_is_rejected_and_does_not_change_the_types() {
    let text = "id,at,n\n1,2026-01-01,5\n2,2026-01-02\nrubbish\n3,2026-01-03,7\n";
    let proposal = proposed("x.csv", text);
    assert_eq!((proposal.lines, proposal.rejected), (4, 2));
    assert_eq!(types(&proposal), ["id int64", "at date", "n int64"]);
}

#[test]
fn the_first_part_of_a_large_file_is_enough() {
    let mut text = "id,at\n".to_owned();
    for n in 0..1000 {
        text.push_str(&format!("{n},2026-01-01\n"));
    }
    let (_folder, path) = file("x.csv", &text);
    let read = ReadOptions {
        chunk_bytes: 1000,
        ..ReadOptions::default()
    };
    let options = ProposeOptions {
        bytes_max: Some(3000),
        read,
        ..ProposeOptions::default()
    };
    let proposal = propose(&path, &options).unwrap();
    assert!(!proposal.whole && proposal.lines < 1000);
    assert!(proposal.yaml.contains("# Tried on the first "));
}

#[test]
fn numbers_that_look_like_times_are_the_time_when_nothing_else_is() {
    let proposal = proposed("x.csv", "min,cnt\n1596700000,5\n1596700060,7\n");
    assert_eq!(types(&proposal), ["min timestamp", "cnt int64"]);
    assert!(
        proposal
            .yaml
            .contains("      min: timestamp  # its numbers look like epoch times")
    );
}

#[test]
fn a_column_of_dates_in_several_forms_stays_text_and_says_so() {
    let text = "at,sent date\n2026-01-01,1/2/26\n2026-01-02,2026-01-03\n2026-01-02,Not Captured\n";
    let proposal = proposed("x.csv", text);
    assert_eq!(types(&proposal), ["at date", "sent_date string"]);
    assert!(
        proposal
            .yaml
            .contains("# no single form of dates or times fits all values")
    );
}

#[test]
fn json_keys_with_a_dot_are_left_out() {
    let proposal = proposed(
        "x.ndjson",
        "{\"at\":\"2026-01-01\",\"a.b\":1,\"c\":{\"d.e\":2,\"f\":3}}\n",
    );
    assert_eq!(types(&proposal), ["at date", "c_f int64"]);
    assert_eq!(proposal.rejected, 0);
    assert!(
        proposal
            .yaml
            .contains("# Left out: a.b, because a dot in a key")
    );
}

#[test]
fn a_column_of_currency_codes_is_a_currency_however_it_is_named_and_sums_ask_for_one() {
    let csv = "at,amount,cur\n2026-01-01,1.50,USD\n2026-01-02,2.50,EUR\n2026-01-03,3.50,N/A\n";
    let json = "{\"at\":\"2026-01-01\",\"data\":{\"amount\":1.5,\"cur\":\"EUR\"}}\n{\"at\":\"2026-01-02\",\"data\":{\"amount\":2.5,\"cur\":\"EUR\"}}\n";
    for (name, text, currency, amount) in [
        ("x.csv", csv, "cur currency?", "amount"),
        ("x.ndjson", json, "data_cur currency", "data_amount"),
    ] {
        let proposal = proposed(name, text);
        assert_eq!(proposal.rejected, 0, "{}", proposal.yaml);
        let found = types(&proposal);
        assert!(found.contains(&currency.to_owned()), "{found:?}");
        let guarded =
            format!("expr: case when currency_first = currency_last then {amount}_sum end");
        assert!(proposal.yaml.contains(&guarded), "{}", proposal.yaml);
    }
    // Of two currencies each amount has its own.
    let csv = "at,pay_amount,pay_cur,fee,fee_cur\n2026-01-01,1.50,USD,0.10,EUR\n2026-01-02,2.50,EUR,0.20,EUR\n";
    let yaml = proposed("x.csv", csv).yaml;
    for line in [
        "expr: case when pay_cur_first = pay_cur_last then pay_amount_sum end",
        "expr: case when fee_cur_first = fee_cur_last then fee_sum end",
    ] {
        assert!(yaml.contains(line), "{yaml}");
    }
}

#[test]
fn json_and_csv_of_the_same_figures_become_the_same_types() {
    let figures = [
        "0.1",
        "12345678901234567.89",
        "9223372036854775807",
        "-3.50",
    ];
    let mut csv = "at,amount\n".to_owned();
    let mut json = String::new();
    for figure in figures {
        csv.push_str(&format!("2026-01-01,{figure}\n"));
        json.push_str(&format!("{{\"at\":\"2026-01-01\",\"amount\":{figure}}}\n"));
    }
    let (csv, json) = (proposed("x.csv", csv), proposed("x.ndjson", json));
    assert_eq!(types(&csv), types(&json));
    assert_eq!(types(&json), ["at date", "amount decimal(25, 2)"]);
    assert_eq!((csv.rejected, json.rejected), (0, 0));
}

#[test]
fn lists_times_of_day_and_uuids_of_parquet_are_taken_and_rejected_rows_shown_as_json() {
    use arrow::array::{
        ArrayRef, Date32Array, FixedSizeBinaryArray, Int32Array, ListArray, StructArray,
        Time32SecondArray,
    };
    use arrow::datatypes::{DataType, Field, Int32Type};
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1), None]),
        None,
        Some(vec![]),
    ]);
    let inner: ArrayRef = Arc::new(Int32Array::from(vec![7, 8, 9]));
    let of = Arc::new(Field::new("a", DataType::Int32, false));
    let object = StructArray::from(vec![(of, inner)]);
    let uuid = FixedSizeBinaryArray::try_from_iter((0..3_u8).map(|n| [n; 16])).unwrap();
    let columns: [(&str, ArrayRef); 5] = [
        (
            "at",
            Arc::new(Date32Array::from(vec![Some(20_000), Some(20_001), None])),
        ),
        ("l", Arc::new(list)),
        ("o", Arc::new(object)),
        (
            "clock",
            Arc::new(Time32SecondArray::from(vec![1, 2, 36_000])),
        ),
        ("u", Arc::new(uuid)),
    ];
    let batch = arrow::array::RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let schema = tillwatch_event::StreamSchema {
        name: "x".to_owned(),
        id: None,
        time: "at".to_owned(),
        dedup: std::time::Duration::from_secs(60),
        fields: vec![
            tillwatch_event::Field::new("at", FieldType::Date, false),
            tillwatch_event::Field::new("l", FieldType::Json, true),
            tillwatch_event::Field::new("o", FieldType::Json, false),
            tillwatch_event::Field::new("clock", FieldType::String, false),
            tillwatch_event::Field::new("u", FieldType::String, false),
        ],
    };
    let decoder = Decoder::new(Arc::new(schema), DecodeLimits::default()).unwrap();
    let decoded = decoder
        .decode(&crate::decode::Format::Parquet, &bytes)
        .unwrap();
    let shown = |column: usize| {
        arrow::util::display::array_value_to_string(decoded.batch.column(column), 0).unwrap()
    };
    assert_eq!(
        [shown(1), shown(2), shown(3), shown(4)],
        [
            "[1,null]",
            "{\"a\":7}",
            "00:00:01",
            "00000000-0000-0000-0000-000000000000"
        ]
    );
    let row = r#"{"at":null,"l":[],"o":{"a":9},"clock":"10:00:00","u":"02020202-0202-0202-0202-020202020202"}"#;
    assert_eq!(decoded.rejections[0].raw, row);
    let body = bytes::Bytes::from(bytes.clone());
    let again = crate::file::table::rows_as_json(&body, &[3]);
    assert_eq!(again.get(&3).map(String::as_str), Some(row));
    // And the proposal has those types.
    let (_folder, path) = file("x.parquet", &bytes);
    let survey = Survey::of(&Input::file(&path), ReadOptions::default(), 1 << 20).unwrap();
    let names = survey.columns.iter().map(|c| {
        let verdict = c.verdict(column::Hints::default()).unwrap();
        verdict.kind.to_string()
    });
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["date", "json", "json", "string", "string"]
    );
}

#[test]
fn a_wide_table_is_proposed_as_far_as_a_stream_goes() {
    let names: Vec<String> = (0..700).map(|n| format!("c{n}")).collect();
    let row = vec!["5"; 700].join(",");
    let text = format!(
        "{},at\n{row},2026-01-01\n{row},2026-01-02\n",
        names.join(",")
    );
    let proposal = proposed("x.csv", &text);
    let limits = tillwatch_event::SchemaLimits::default();
    assert_eq!(proposal.schema.fields.len(), limits.fields_max);
    assert_eq!(proposal.schema.faults(&limits), []);
    assert_eq!(proposal.rejected, 0);
    let left_out = "# Left out: 189 columns from c511 on, because a stream has at most 512 fields.";
    assert!(proposal.yaml.contains(left_out), "{}", proposal.yaml);
    let text = format!("{row},2026-01-01\n{row},2026-01-02\n");
    let (_folder, path) = file("x.csv", &text);
    let error = propose(&path, &ProposeOptions::default()).unwrap_err();
    let expected = "a table without column names that has more columns than a stream has fields; put a line with names on top";
    assert!(error.to_string().ends_with(expected), "{error}");
}
