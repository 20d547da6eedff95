//! Lines in quarantine over the real parts: shown, tried again, done.

use std::sync::Arc;

use serde_json::{Value, json};
use tillwatch_collect::{CsvOptions, DecodeLimits, Decoder, Format, SubmitMeta};

use super::real::{AT, Till, event, schema};
use super::stand::problem;

const QUARANTINE: &str = "/v1/streams/payments/quarantine";

async fn replay(till: &Till) -> Value {
    let response = till
        .client
        .post(till.url("/v1/streams/payments/quarantine/replay"))
        .send()
        .await
        .unwrap();
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_in_quarantine_are_shown_masked_and_replayed_once() {
    let till = Till::start().await;
    let good = event(1, AT, "adyen", "approved", "1.00");
    let bad =
        r#"{"event_id":"e2","occurred_at":"yesterday","psp":"4111 1111 1111 1111","status":"x"}"#;
    let receipt = till.send(&format!("{good}{bad}\n")).await;
    assert_eq!(receipt["rejected"], 1);
    assert_eq!(receipt["rejections"][0]["field"], "occurred_at");
    let list = till.json("/v1/streams/payments/quarantine").await;
    assert_eq!(list["lines"].as_array().unwrap().len(), 1);
    assert_eq!(list["lines"][0]["line"], 2);
    assert!(!list.to_string().contains("4111 1111 1111 1111"), "{list}");
    let replay = replay(&till).await;
    assert_eq!(
        (&replay["replayed"], &replay["rejected"]),
        (&json!(1), &json!(1))
    );
    let list = till.json("/v1/streams/payments/quarantine").await;
    assert_eq!(
        list["lines"].as_array().unwrap().len(),
        1,
        "a failed replay adds nothing"
    );
    let response = till
        .client
        .get(till.url("/v1/streams/paymets/quarantine"))
        .send()
        .await
        .unwrap();
    let (status, slug, document) = problem(response).await;
    assert_eq!(
        (status, slug.as_str(), &document["suggestion"]),
        (404, "unknown-stream", &json!("payments"))
    );
}

/// Sends a body under definitions of yesterday, when the amount was not optional.
async fn send_yesterday(till: &Till, format: &Format, body: &str) {
    send(till, format, body, true).await;
}

/// The same; without `again` as it was before the form of rejected lines was kept.
async fn send(till: &Till, format: &Format, body: &str, again: bool) {
    let mut strict = (*schema()).clone();
    for field in &mut strict.fields {
        field.optional = false;
    }
    let decoder = Decoder::new(Arc::new(strict), DecodeLimits::default()).unwrap();
    let mut decoded = decoder.decode(format, body.as_bytes()).unwrap();
    if !again {
        decoded.again = None;
    }
    let meta = SubmitMeta::default();
    till.intake.submit("payments", decoded, meta).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_was_replayed_is_neither_listed_nor_tried_again() {
    let till = Till::start().await;
    let line = |id: u32| {
        format!(r#"{{"event_id":"e{id}","occurred_at":"{AT}","psp":"adyen","status":"approved"}}"#)
            + "\n"
    };
    let bad = r#"{"event_id":"e9","occurred_at":"yesterday","psp":"adyen","status":"x"}"#;
    send_yesterday(
        &till,
        &Format::Ndjson,
        &format!("{}{}{bad}\n", line(1), line(2)),
    )
    .await;
    let lines = |list: &Value| list["lines"].as_array().unwrap().len();
    assert_eq!(lines(&till.json(QUARANTINE).await), 3);
    let first = replay(&till).await;
    assert_eq!(
        (&first["replayed"], &first["accepted"], &first["rejected"]),
        (&json!(3), &json!(2), &json!(1))
    );
    let list = till.json(QUARANTINE).await;
    assert_eq!(lines(&list), 1, "{list}");
    assert_eq!(list["lines"][0]["line"], 3);
    let second = replay(&till).await;
    assert_eq!(
        (
            &second["replayed"],
            &second["accepted"],
            &second["duplicates"]
        ),
        (&json!(1), &json!(0), &json!(0))
    );
    assert_eq!(till.json("/v1/status").await["streams"][0]["events"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_csv_is_tried_again_below_the_header_it_came_with() {
    let till = Till::start().await;
    // As the names stand and as they are cut is the body's own affair, whatever the stream declares.
    let semicolons = CsvOptions {
        delimiter: tillwatch_collect::Delimiter::Byte(b';'),
        ..CsvOptions::default()
    };
    let body = format!("status;psp;amount;occurred_at;event_id\nadyen;approved;;{AT};e1\n");
    send_yesterday(&till, &Format::Csv(semicolons), &body).await;
    let receipt = replay(&till).await;
    assert_eq!(
        (&receipt["accepted"], &receipt["rejected"]),
        (&json!(1), &json!(0))
    );
    let response = till
        .client
        .post(till.url("/v1/sql"))
        .json(&json!({"sql": "select event_id, status, psp from payments"}))
        .send()
        .await
        .unwrap();
    let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(answer["rows"], json!([["e1", "adyen", "approved"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_masked_line_is_kept_but_never_tried_again() {
    let till = Till::start().await;
    let line = |id: &str| {
        format!(r#"  {{"event_id":"{id}","occurred_at":"{AT}","psp":"adyen","status":"approved"}}"#)
            + "\n"
    };
    let body = line("op2-4111111111111111") + &line("op3");
    send_yesterday(&till, &Format::Ndjson, &body).await;
    let receipt = replay(&till).await;
    // What stands behind blanks is JSON all the same.
    assert_eq!(
        (&receipt["accepted"], &receipt["rejected"]),
        (&json!(1), &json!(1))
    );
    let reason = receipt["rejections"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("not kept as it came"), "{reason}");
    let list = till.json(QUARANTINE).await;
    assert_eq!(list["lines"].as_array().unwrap().len(), 1);
    assert!(list.to_string().contains("op2-411111******1111"), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_csv_from_before_its_header_was_kept_says_so() {
    let till = Till::start().await;
    let body = format!("event_id,occurred_at,psp,status,amount\ne1,{AT},adyen,approved,\n");
    send(&till, &Format::Csv(CsvOptions::default()), &body, false).await;
    let receipt = replay(&till).await;
    assert_eq!(receipt["rejected"], 1);
    let reason = receipt["rejections"][0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("columns of this line are not known"),
        "{reason}"
    );
    assert_eq!(
        till.json(QUARANTINE).await["lines"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
