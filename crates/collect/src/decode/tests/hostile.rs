use super::*;

/// Decodes one line that must be rejected and gives `field: reason`.
pub(super) fn reason(format: &Format, body: &[u8]) -> String {
    let decoded = decoder().decode(format, body).unwrap();
    assert_eq!(
        decoded.batch.num_rows(),
        0,
        "accepted: {:?}",
        cells(&decoded.batch)
    );
    let [rejection] = decoded.rejections.as_slice() else {
        panic!("one rejection, not {:?}", decoded.rejections)
    };
    match &rejection.field {
        Some(field) => format!("{field}: {}", rejection.reason),
        None => rejection.reason.clone(),
    }
}

#[test]
fn each_bad_line_is_rejected_with_its_exact_reason() {
    let with = |more: &str| line(more);
    let cases: Vec<(String, &str)> = vec![
        ("{}".into(), "event_id: is required, but missing"),
        (
            r#"{"event_id":"e1"}"#.into(),
            "occurred_at: is required, but missing",
        ),
        (
            r#"{"event_id":null}"#.into(),
            "event_id: is required, but null",
        ),
        (
            r#"{"event_id":42}"#.into(),
            "event_id: expected text in quotes, found a number: 42",
        ),
        (
            r#"{"event_id":""}"#.into(),
            "event_id: is required, but empty",
        ),
        (
            r#"{"event_id":" \t"}"#.into(),
            "event_id: is required, but empty",
        ),
        (
            r#"{"event_id":true}"#.into(),
            "event_id: expected text in quotes, found a bool: true",
        ),
        (
            r#"{"event_id":["a"]}"#.into(),
            r#"event_id: expected text in quotes, found an object or array: ["a"]"#,
        ),
        (
            with(r#","psp":{"a":1}"#),
            r#"psp: expected text in quotes, found an object or array: {"a":1}"#,
        ),
        (
            with(r#","latency_ms":"fast""#),
            "latency_ms: expected a whole number, found text: fast",
        ),
        (
            with(r#","latency_ms":1.5"#),
            "latency_ms: 1.5 is not a whole number",
        ),
        (
            with(r#","latency_ms":9223372036854775808"#),
            "latency_ms: 9223372036854775808 is outside of int64",
        ),
        (
            with(r#","latency_ms":1e400"#),
            "latency_ms: 1e400 is outside of int64",
        ),
        (
            with(r#","score":1e999"#),
            "score: 1e999 is not a finite number",
        ),
        (
            with(r#","score":"fast""#),
            "score: expected a number or its text, found text: fast",
        ),
        (
            with(r#","score":"1e999""#),
            "score: 1e999 is not a finite number",
        ),
        (
            with(r#","score":"NaN""#),
            "score: NaN is not a finite number",
        ),
        (
            with(r#","approved":1"#),
            "approved: expected true or false, found a number: 1",
        ),
        (
            with(r#","approved":"true""#),
            "approved: expected true or false, found text: true",
        ),
        (
            with(r#","day":"2026-02-30""#),
            "day: '2026-02-30' is not a day and time that exists",
        ),
        (
            with(r#","day":"22.11.2026""#),
            "day: '22.11.2026' is not a date: write YYYY-MM-DD or declare a `format`",
        ),
        (
            with(r#","day":20261122"#),
            "day: expected a date's text, found a number: 20261122",
        ),
        (
            with(r#","card":"x""#),
            "'card' must be an object with 'issuer'",
        ),
        (with(r#","psp":"a","psp":"b""#), "psp: is given twice"),
        (
            with(r#","card":{},"card":{}"#),
            "the key 'card' is given twice",
        ),
        (
            with(r#","psp":"\ud800x""#),
            "psp: has a \\u escape that is half of a character",
        ),
        (
            r#"{"event_id":"e1","occurred_at":"yesterday","amount":1,"currency":"EUR"}"#.into(),
            "occurred_at: 'yesterday' is not a time: write RFC 3339 (2026-11-22T14:03:00Z) or epoch seconds, milliseconds or microseconds, or declare a `format`",
        ),
        (
            r#"{"event_id":"e1","occurred_at":1e9,"amount":1,"currency":"EUR"}"#.into(),
            "occurred_at: '1e9' is not a time: write RFC 3339 (2026-11-22T14:03:00Z) or epoch seconds, milliseconds or microseconds, or declare a `format`",
        ),
        (
            r#"{"event_id":"e1","occurred_at":1795356180123456789,"amount":1,"currency":"EUR"}"#
                .into(),
            "occurred_at: '1795356180123456789' is too large for epoch microseconds; nanoseconds are not taken",
        ),
        (
            r#"{"event_id":"e1","occurred_at":0,"amount":12.505,"currency":"EUR"}"#.into(),
            "amount: 12.505 has more than 2 digits after the point, and nothing is rounded",
        ),
        (
            r#"{"event_id":"e1","occurred_at":0,"amount":1e17,"currency":"EUR"}"#.into(),
            "amount: 1e17 is too large for decimal(18, 2)",
        ),
        (
            r#"{"event_id":"e1","occurred_at":0,"amount":"12,50","currency":"EUR"}"#.into(),
            "amount: 12,50 is not a decimal number (digits, an optional sign, point and exponent)",
        ),
        (
            r#"{"event_id":"e1","occurred_at":0,"amount":1,"currency":"eur"}"#.into(),
            "currency: 'eur' is not an ISO 4217 currency code; write 'EUR'",
        ),
        (
            r#"{"event_id":"e1","occurred_at":0,"amount":1,"currency":"XYZ"}"#.into(),
            "currency: 'XYZ' is not an ISO 4217 currency code",
        ),
        ("42".into(), "expected one JSON object per line"),
        ("\"text\"".into(), "expected one JSON object per line"),
        ("null".into(), "expected one JSON object per line"),
        ("hello".into(), "expected one JSON object per line"),
        (
            "[{}]".into(),
            "expected one object per line, found an array; send arrays as application/json",
        ),
        ("{".into(), "is not JSON at byte 1: it ends too early"),
        (
            r#"{"event_id""#.into(),
            "is not JSON at byte 11: it ends too early",
        ),
        (
            r#"{"event_id":"e1"#.into(),
            "is not JSON at byte 15: it ends too early",
        ),
        (
            r#"{"event_id" "e1"}"#.into(),
            "is not JSON at byte 12: expected ':'",
        ),
        (
            r#"{"event_id":"e1" "a":1}"#.into(),
            "is not JSON at byte 17: expected ',' or '}'",
        ),
        (
            r#"{"event_id":"e1",}"#.into(),
            "is not JSON at byte 17: expected a string",
        ),
        (
            r#"{event_id:"e1"}"#.into(),
            "is not JSON at byte 1: expected a string",
        ),
        (
            r#"{'event_id':"e1"}"#.into(),
            "is not JSON at byte 1: expected a string",
        ),
        (
            r#"{"event_id":'e1'}"#.into(),
            "is not JSON at byte 12: text needs double quotes",
        ),
        (
            r#"{"event_id":"e1","x":NaN}"#.into(),
            "is not JSON at byte 21: NaN and Infinity are not numbers in JSON; use null",
        ),
        (
            r#"{"event_id":"e1","score":-Infinity}"#.into(),
            "is not JSON at byte 26: NaN and Infinity are not numbers in JSON; use null",
        ),
        (
            r#"{"event_id":"e1","x":01}"#.into(),
            "is not JSON at byte 22: a number must not start with 0",
        ),
        (
            r#"{"event_id":"e1","x":+1}"#.into(),
            "is not JSON at byte 21: expected a value",
        ),
        (
            r#"{"event_id":"e1","x":1.}"#.into(),
            "is not JSON at byte 23: expected a digit",
        ),
        (
            r#"{"event_id":"e1","x":.5}"#.into(),
            "is not JSON at byte 21: expected a value",
        ),
        (
            r#"{"event_id":"e1","x":"\x"}"#.into(),
            "is not JSON at byte 22: unknown escape",
        ),
        (
            r#"{"event_id":"e1","x":"\u12g4"}"#.into(),
            "is not JSON at byte 22: \\u needs four hexadecimal digits",
        ),
        (
            "{\"event_id\":\"e\t1\"}".into(),
            "is not JSON at byte 14: a control character must be escaped",
        ),
        (
            r#"{"event_id":"e1","x":[1,}"#.into(),
            "is not JSON at byte 24: expected a value",
        ),
        (
            r#"{"event_id":"e1","x":[1}"#.into(),
            "is not JSON at byte 23: expected ',' or ']'",
        ),
        (
            format!("{} x", line("")),
            "something follows the object at byte 89; send one object per line",
        ),
        (
            format!("{}{}", line(""), line("")),
            "something follows the object at byte 88; send one object per line",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(reason(&Format::Ndjson, body.as_bytes()), expected, "{body}");
    }
}

#[test]
fn each_bad_row_of_csv_is_rejected_with_its_exact_reason() {
    let header = "event_id,occurred_at,amount,currency,approved,score,extra";
    for (row, expected) in [
        (",0,1,EUR,,,", "event_id: is required, but empty"),
        ("e1,0,1", "has 3 cells where 7 are expected"),
        ("e1,0,1,EUR,,,,,", "has 9 cells where 7 are expected"),
        (
            "e1,0,\"1,000\",EUR,,,",
            "amount: 1,000 is not a decimal number (digits, an optional sign, point and exponent)",
        ),
        (
            "e1,0,$5,EUR,,,",
            "amount: $5 is not a decimal number (digits, an optional sign, point and exponent)",
        ),
        (
            "e1,0,1,EUR,maybe,,",
            "approved: expected true or false, found text: maybe",
        ),
        ("e1,0,1,EUR,,NaN,", "score: NaN is not a finite number"),
        ("e1,0,1,EUR,,inf,", "score: inf is not a finite number"),
        (
            "e1,0,1,EUR,,,{a}",
            "extra: is not JSON at byte 1: expected a string",
        ),
        (
            "e1,0,1,EUR,,,1 2",
            "extra: is not JSON at byte 1: something follows the value",
        ),
        (
            "\"e1,0,1,EUR,,,",
            "a quote that is opened here is never closed",
        ),
    ] {
        let body = format!("{header}\n{row}");
        assert_eq!(
            reason(&Format::Csv(CsvOptions::default()), body.as_bytes()),
            expected,
            "{row}"
        );
    }
}

#[test]
fn open_quotes_cost_their_lines_and_a_few_steps_a_byte() {
    use crate::decode::quotes::STEPS;
    let header = "event_id,occurred_at,amount,currency,psp\n";
    let limits = DecodeLimits {
        line_bytes_max: 100_000,
        ..DecodeLimits::default()
    };
    let decoder = decoder_of(payments(), limits);
    let good = "e1,0,1,EUR,a\n";
    // The second kind of line opens a quote whether or not one is open before it.
    for (line, taken) in [(good, 20_000), ("a\"b,\"c\n", 0)] {
        let body = format!("{header}{good}e2,0,1,EUR,\"a\n{}", line.repeat(20_000));
        STEPS.with(|steps| steps.set(0));
        let format = Format::Csv(CsvOptions::default());
        let decoded = decoder.decode(&format, body.as_bytes()).unwrap();
        assert_eq!(decoded.batch.num_rows(), taken + 1, "{line}");
        assert_eq!(decoded.rejected as usize, 20_001 - taken, "{line}");
        let rejection = &decoded.rejections[0];
        assert_eq!((rejection.line, &*rejection.raw), (3, "e2,0,1,EUR,\"a"));
        assert_eq!(
            rejection.reason,
            "a quote that is opened here is not closed within 100000 bytes (limit line_bytes_max)"
        );
        let steps = STEPS.with(std::cell::Cell::get);
        assert!(steps <= 5 * body.len(), "{line}: {steps}");
    }
}

#[test]
fn a_body_that_cannot_be_taken_as_a_whole_is_an_error_with_its_reason() {
    let csv = || Format::Csv(CsvOptions::default());
    for (format, body, expected) in [
        (
            Format::Json,
            "",
            "the body is not a JSON array or object of events: it is empty (at byte 0)",
        ),
        (
            Format::Json,
            "42",
            "the body is not a JSON array or object of events: expected '[' or '{'; send one object per line as application/x-ndjson (at byte 0)",
        ),
        (
            Format::Json,
            "[{}",
            "the body is not a JSON array or object of events: it ends too early (at byte 3)",
        ),
        (
            Format::Json,
            "[{},]",
            "the body is not a JSON array or object of events: expected a value (at byte 4)",
        ),
        (
            Format::Json,
            "[{}}",
            "the body is not a JSON array or object of events: expected ',' or ']' (at byte 3)",
        ),
        (
            Format::Json,
            "{}{}",
            "the body is not a JSON array or object of events: something follows it; send one object per line as application/x-ndjson (at byte 2)",
        ),
        (
            Format::Json,
            "[] x",
            "the body is not a JSON array or object of events: something follows it; send one object per line as application/x-ndjson (at byte 3)",
        ),
        (
            csv(),
            "event_id,occured_at,amount,currency\n",
            "the CSV header cannot be used: these columns are missing: 'occurred_at' (did you mean 'occured_at'? set `from`)",
        ),
        (
            csv(),
            "event_id,event_id,occurred_at,amount,currency\n",
            "the CSV header cannot be used: the column 'event_id' is there twice",
        ),
    ] {
        let error = decoder().decode(&format, body.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{body}");
    }
    let not_utf8 = decoder().decode(&Format::Json, b"[\"\xff\"]").unwrap_err();
    assert_eq!(not_utf8, DecodeError::Utf8 { at: 2 });
    for format in [Format::Parquet, Format::ArrowStream] {
        for body in [b"".as_slice(), b"PAR1", b"PAR1xxxxxxxxPAR1", &[0xff; 64]] {
            assert!(
                matches!(
                    decoder().decode(&format, body),
                    Err(DecodeError::Columnar { .. })
                ),
                "{format:?} {body:?}"
            );
        }
    }
}

#[test]
fn a_bad_line_never_harms_the_others() {
    let mut body = Vec::new();
    let bad: [&[u8]; 6] = [
        b"{",
        b"\xff\xfe",
        b"[1]",
        b"{\"event_id\":\"\xc3\"}",
        b"nonsense",
        b"{}",
    ];
    for raw in bad {
        body.extend_from_slice(line("").as_bytes());
        body.push(b'\n');
        body.extend_from_slice(raw);
        body.push(b'\n');
    }
    let decoded = decoder().decode(&Format::Ndjson, &body).unwrap();
    assert_eq!(
        (decoded.batch.num_rows(), decoded.rejected, decoded.lines),
        (6, 6, 12)
    );
    let lines: Vec<u64> = decoded.rejections.iter().map(|r| r.line).collect();
    assert_eq!(lines, [2, 4, 6, 8, 10, 12]);
    assert_eq!(decoded.rejections[1].reason, "the line is not UTF-8");
}

#[test]
fn a_bad_element_never_harms_the_others() {
    let deep = format!("{}1{}", "[".repeat(50), "]".repeat(50));
    let body = format!(
        "[{ok}, 5, {{\"event_id\":3,\"x\":[{{}}]}}, \"}}]\", null, [1,2], {{\"x\":{deep}}}, {ok}]",
        ok = line("")
    );
    let decoded = decoder().decode(&Format::Json, body.as_bytes()).unwrap();
    assert_eq!(
        (decoded.batch.num_rows(), decoded.rejected, decoded.lines),
        (2, 6, 8)
    );
    let raws: Vec<&str> = decoded.rejections.iter().map(|r| r.raw.as_str()).collect();
    assert_eq!(
        raws[..5],
        [
            "5",
            r#"{"event_id":3,"x":[{}]}"#,
            r#""}]""#,
            "null",
            "[1,2]"
        ]
    );
    assert_eq!(decoded.rejections[5].line, 7);
}

#[test]
fn a_rejected_row_leaves_nothing_behind_in_the_columns() {
    let bad = line(r#","psp":"this text is longer than a view holds","latency_ms":"x""#);
    let good = line(r#","psp":"this text is the only one in its column""#);
    let decoded = decoder()
        .decode(&Format::Ndjson, format!("{bad}\n{good}\n{bad}").as_bytes())
        .unwrap();
    assert_eq!(decoded.batch.num_rows(), 1);
    assert_eq!(
        cells(&decoded.batch)[0][4],
        "this text is the only one in its column"
    );
}

#[test]
fn no_card_number_gets_into_columns_reasons_or_raw_lines() {
    let pan = "4111111111111111";
    let spaced = "4111 1111 1111 1111";
    let accepted = line(&format!(
        r#","psp":"paid {spaced}","extra":{{"n":{pan},"cvv":"123"}},"card":{{"issuer":"\u0034111111111111111"}}"#
    ));
    let rejected = [
        line(&format!(r#","latency_ms":{pan}"#)),
        line(&format!(r#","latency_ms":"{pan}""#)),
        line(&format!(r#","score":{pan}"#)),
        line(&format!(r#","day":"{spaced}""#)),
        line(&format!(r#","approved":"{pan}""#)),
        line(&format!(r#","psp":[{pan}]"#)),
        format!(r#"{{"event_id":"{pan}","occurred_at":0,"amount":1,"currency":"EUR"}}"#),
        format!(r#"{{"event_id":"e","occurred_at":{pan},"amount":1,"currency":"EUR"}}"#),
        format!(r#"{{"event_id":"e","occurred_at":0,"amount":{pan},"currency":"EUR"}}"#),
        format!(r#"{{"event_id":"e","occurred_at":0,"amount":1,"currency":"{pan}"}}"#),
        format!(r#"{{"event_id":"e","card":"{pan}"#),
        pan.to_owned(),
        r#"{"security_code":"987","event_id":5}"#.to_owned(),
    ];
    let body = format!("{accepted}\n{}", rejected.join("\n"));
    let decoded = decoder().decode(&Format::Ndjson, body.as_bytes()).unwrap();
    assert_eq!((decoded.batch.num_rows(), decoded.rejected), (1, 13));
    let row = cells(&decoded.batch).remove(0);
    assert_eq!(row[4], "paid 4111 11** **** 1111");
    assert_eq!(row[9], r#"{"n":"411111******1111","cvv":null}"#);
    assert_eq!(row[10], "411111******1111");
    let shown = format!("{:?} {:?}", decoded.rejections, row);
    for secret in [pan, spaced, "987", "u0034", "\"123\""] {
        assert!(!shown.contains(secret), "{secret} is in {shown}");
    }
}

#[test]
fn csv_cells_of_forbidden_columns_are_not_kept_with_a_rejected_row() {
    let body = "event_id,occurred_at,amount,currency,cvv\ne1,0,bad,EUR,987\n";
    let decoded = decoder()
        .decode(&Format::Csv(CsvOptions::default()), body.as_bytes())
        .unwrap();
    assert_eq!(decoded.rejections[0].raw, "e1,0,bad,EUR,***");
}
