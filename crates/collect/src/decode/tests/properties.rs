use std::borrow::Cow;

use super::*;
use proptest::prelude::*;
use tillwatch_event::guard;

/// A random event, as every format can write it.
#[derive(Debug, Clone)]
struct Event {
    id: String,
    micros: i64,
    cents: i64,
    currency: &'static str,
    psp: Option<String>,
    approved: Option<bool>,
    latency: Option<i64>,
    score: Option<f64>,
    day: Option<i32>,
    issuer: Option<String>,
}

/// Texts of a form that the card guard leaves as they are: `cvv-123` is a verification code.
fn text(form: &'static str) -> impl Strategy<Value = String> {
    form.prop_filter("masked", |text| {
        matches!(guard::mask(text), Cow::Borrowed(_))
    })
}

fn event() -> impl Strategy<Value = Event> {
    let any_text = "[a-zA-Z0-9é€😀\"\\\\ ,;:{}\\[\\]/\n\t'_-]{1,20}[a-z]";
    (
        text("[a-z]{1,12}-[0-9]{1,9}"),
        0_i64..4_000_000_000_000_000,
        -1_000_000_000_000_i64..1_000_000_000_000,
        prop::sample::select(vec!["EUR", "USD", "CNY", "JPY"]),
        prop::option::of(text(any_text)),
        prop::option::of(any::<bool>()),
        prop::option::of(-1_000_000_000_i64..1_000_000_000),
        prop::option::of(-1e9..1e9_f64),
        prop::option::of(0..40_000_i32),
        prop::option::of(text(any_text)),
    )
        .prop_map(
            |(id, micros, cents, currency, psp, approved, latency, score, day, issuer)| Event {
                id,
                micros,
                cents,
                currency,
                psp: psp.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()),
                approved,
                latency,
                score,
                day,
                issuer: issuer
                    .map(|t| t.trim().to_owned())
                    .filter(|t| !t.is_empty()),
            },
        )
}

impl Event {
    fn time(&self) -> String {
        jiff::Timestamp::from_microsecond(self.micros)
            .unwrap()
            .to_string()
    }

    fn day(&self) -> Option<String> {
        let epoch = jiff::civil::date(1970, 1, 1);
        self.day
            .map(|day| (epoch + jiff::Span::new().days(day)).to_string())
    }

    fn amount(&self) -> String {
        tillwatch_event::decimal::format(i128::from(self.cents), 2)
    }

    fn json(&self) -> String {
        let mut object = serde_json::json!({
            "event_id": self.id, "occurred_at": self.time(), "amount": self.amount(),
            "currency": self.currency, "psp": self.psp, "approved": self.approved,
            "latency_ms": self.latency, "score": self.score, "day": self.day(),
        });
        if let Some(issuer) = &self.issuer {
            object["card"] = serde_json::json!({"issuer": issuer});
        }
        object.to_string()
    }

    fn csv(&self) -> Vec<String> {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        vec![
            self.id.clone(),
            self.time(),
            self.amount(),
            self.currency.to_owned(),
            text(&self.psp),
            self.approved.map(|v| v.to_string()).unwrap_or_default(),
            self.latency.map(|v| v.to_string()).unwrap_or_default(),
            self.score
                .map(|v| serde_json::json!(v).to_string())
                .unwrap_or_default(),
            text(&self.day()),
            text(&self.issuer),
        ]
    }
}

fn csv_body(events: &[Event]) -> Vec<u8> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer
        .write_record([
            "event_id",
            "occurred_at",
            "amount",
            "currency",
            "psp",
            "approved",
            "latency_ms",
            "score",
            "day",
            "card.issuer",
        ])
        .unwrap();
    for event in events {
        writer.write_record(event.csv()).unwrap();
    }
    writer.into_inner().unwrap()
}

proptest! {
    #[test]
    fn lines_arrays_and_csv_of_the_same_events_decode_alike(events in prop::collection::vec(event(), 0..30)) {
        let lines: Vec<String> = events.iter().map(Event::json).collect();
        let decoder = decoder();
        let ndjson = decoder.decode(&Format::Ndjson, lines.join("\n").as_bytes()).unwrap();
        let array = decoder.decode(&Format::Json, format!("[{}]", lines.join(",")).as_bytes()).unwrap();
        let csv = decoder.decode(&Format::Csv(CsvOptions::default()), &csv_body(&events)).unwrap();
        prop_assert_eq!(&ndjson.rejections, &vec![]);
        prop_assert_eq!(ndjson.batch.num_rows(), events.len());
        prop_assert_eq!(&ndjson.batch, &array.batch);
        prop_assert_eq!(cells(&ndjson.batch), cells(&csv.batch));
        prop_assert_eq!(&ndjson.batch, &csv.batch);
    }

    #[test]
    fn what_is_decoded_is_what_was_written(event in event()) {
        let decoded = decoder().decode(&Format::Ndjson, event.json().as_bytes()).unwrap();
        let row = cells(&decoded.batch).remove(0);
        let or_null = |value: Option<String>| value.unwrap_or_else(|| "-".into());
        prop_assert_eq!(&row[0], &event.id);
        prop_assert_eq!(&row[2], &event.amount());
        prop_assert_eq!(&row[4], &or_null(event.psp.clone()));
        prop_assert_eq!(&row[6], &or_null(event.latency.map(|v| v.to_string())));
        prop_assert_eq!(&row[8], &or_null(event.day()));
        let score = row[7].parse::<f64>().ok();
        prop_assert_eq!(score, event.score);
        let micros = row[1].parse::<jiff::Timestamp>().unwrap().as_microsecond();
        prop_assert_eq!(micros, event.micros);
    }

    #[test]
    fn a_line_is_taken_exactly_when_it_is_json(value in json_like()) {
        let body = line(&format!(",\"ignored\":{value}"));
        let decoded = decoder().decode(&Format::Ndjson, body.as_bytes()).unwrap();
        // serde_json does not look into lone surrogates of ignored values either.
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&body).is_ok() && !body.contains('\n');
        prop_assert_eq!(decoded.batch.num_rows() == 1, is_json, "{}", body);
    }

    /// Most texts are told to be harmless without asking the guard; what is kept must be what it would leave.
    #[test]
    fn a_text_is_kept_as_the_guard_leaves_it(
        text in "([0-9]|[cvsauCVSAU]|[0-9]{3}|cvv: |csc|cav2=|security code |%B|[\\-_ .^]|[１٣७]|é|4111 ?1111 ?1111 ?1111|[a-z]{1,9}){1,12}"
    ) {
        let json = serde_json::to_string(&text).unwrap();
        let body = line(&format!(r#","psp":{json}"#));
        let decoded = decoder().decode(&Format::Ndjson, body.as_bytes()).unwrap();
        let kept = decoded.batch.column_by_name("psp").unwrap();
        prop_assert_eq!(kept.as_string_view().value(0), guard::mask(&text));
    }

    #[test]
    fn random_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        for format in [Format::Ndjson, Format::Json, Format::Csv(CsvOptions::default()), Format::ArrowStream] {
            let _ = decoder().decode(&format, &body);
        }
        let headless = CsvOptions { header: false, delimiter: Delimiter::Whitespace, ..CsvOptions::default() };
        let _ = decoder().decode(&Format::Csv(headless), &body);
        let _ = decompress(Encoding::Gzip, &body, 1 << 16);
        let _ = decompress(Encoding::Zstd, &body, 1 << 16);
    }

    #[test]
    fn a_damaged_line_never_panics_and_never_harms_the_next(at in 0_usize..90, byte in any::<u8>()) {
        prop_assume!(byte != b'\n');
        let mut body = line("").into_bytes();
        if let Some(slot) = body.get_mut(at) {
            *slot = byte;
        }
        body.push(b'\n');
        body.extend_from_slice(line("").as_bytes());
        let decoded = decoder().decode(&Format::Ndjson, &body).unwrap();
        prop_assert_eq!(decoded.batch.num_rows() as u64 + decoded.rejected, 2);
        prop_assert!(decoded.batch.num_rows() >= 1);
    }
}

/// Texts that are or almost are JSON values.
fn json_like() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "1",
        "-0",
        "0.5",
        "1e5",
        "1E+2",
        "01",
        "1.",
        "-",
        ".5",
        "true",
        "false",
        "null",
        "nul",
        "NaN",
        "\"a\"",
        "\"\\n\"",
        "\"\\u00e9\"",
        "\"\\q\"",
        "\"\\u12\"",
        "\"",
        "{}",
        "[]",
        "[1]",
        "{\"a\":1}",
        "{\"a\"}",
        "[1,]",
        "[,1]",
        "{,}",
        " ",
        "\t",
        ",",
        ":",
        "]",
        "}",
        "é",
        "\"é\u{7f}\"",
        "[ 1 , 2 ]",
    ]);
    prop_oneof![
        token.clone().prop_map(str::to_owned),
        prop::collection::vec(token.clone(), 1..4).prop_map(|tokens| tokens.concat()),
        prop::collection::vec(token, 0..4).prop_map(|tokens| format!("[{}]", tokens.join(","))),
    ]
}
