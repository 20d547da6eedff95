//! Bad requests and their exact answers.

use serde_json::Value;

use super::stand::{DEADLINE, Stand, problem};
use crate::Limits;

const NDJSON: &str = "application/x-ndjson";
const JSON: &str = "application/json";
const EVENTS: &str = "/v1/streams/payments/events";

struct Case {
    method: &'static str,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    status: u16,
    slug: &'static str,
    /// The document has this member with this value, or the detail contains the text.
    says: (&'static str, &'static str),
}

const fn get(
    path: &'static str,
    status: u16,
    slug: &'static str,
    says: (&'static str, &'static str),
) -> Case {
    Case {
        method: "GET",
        path,
        headers: &[],
        body: "",
        status,
        slug,
        says,
    }
}

const fn post(
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    status: u16,
    slug: &'static str,
    says: (&'static str, &'static str),
) -> Case {
    Case {
        method: "POST",
        path,
        headers,
        body,
        status,
        slug,
        says,
    }
}

const fn put(
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    status: u16,
    slug: &'static str,
    says: (&'static str, &'static str),
) -> Case {
    Case {
        method: "PUT",
        ..post(path, headers, body, status, slug, says)
    }
}

const CT_NDJSON: &[(&str, &str)] = &[("content-type", NDJSON)];
const CT_JSON: &[(&str, &str)] = &[("content-type", JSON)];

#[rustfmt::skip]
const CASES: &[Case] = &[
    // Addresses and methods.
    get("/v1", 404, "not-found", ("detail", "/openapi.json")),
    get("/v1/nothing", 404, "not-found", ("detail", "'/v1/nothing'")),
    get("/v1/streams/payments/events", 405, "method-not-allowed", ("detail", "GET")),
    get("/v1/sql", 405, "method-not-allowed", ("detail", "GET")),
    post("/v1/metrics", CT_JSON, "{}", 405, "method-not-allowed", ("detail", "POST")),
    post("/", CT_JSON, "{}", 405, "method-not-allowed", ("detail", "only be read")),
    get("/assets/missing.js", 404, "not-found", ("detail", "file")),
    get("/missing.png", 404, "not-found", ("detail", "file")),
    // Names that cannot be decoded.
    get("/v1/metrics/%FF", 400, "bad-parameter", ("parameter", "metric")),
    get("/v1/metrics/%FF/live", 400, "bad-parameter", ("detail", "not UTF-8")),
    get("/v1/incidents/%C3%28", 400, "bad-parameter", ("parameter", "id")),
    get("/v1/boards/%FF", 400, "bad-parameter", ("parameter", "name")),
    get("/v1/streams/%FF/quarantine", 400, "bad-parameter", ("parameter", "stream")),
    post("/v1/streams/%FF/events", CT_NDJSON, "{}", 400, "bad-parameter", ("parameter", "stream")),
    post("/v1/streams/%FF/quarantine/replay", CT_JSON, "{}", 400, "bad-parameter", ("parameter", "stream")),
    post("/v1/incidents/inc_1/%FF", &[], "", 400, "bad-parameter", ("parameter", "action")),
    // Events.
    post("/v1/streams/paymets/events", CT_NDJSON, "{}", 404, "unknown-stream", ("suggestion", "payments")),
    post(EVENTS, &[], "{}", 415, "unsupported-content-type", ("detail", "NDJSON")),
    post(EVENTS, &[("content-type", "text/plain")], "{}", 415, "unsupported-content-type", ("detail", "NDJSON")),
    post(EVENTS, &[("content-type", NDJSON), ("idempotency-key", " ")], "{}", 400, "bad-header", ("header", "idempotency-key")),
    post(EVENTS, &[("content-type", NDJSON), ("idempotency-key", "a"), ("idempotency-key", "b")], "{}", 400, "bad-header", ("detail", "more than once")),
    post(EVENTS, &[("content-type", NDJSON), ("content-type", JSON)], "{}", 400, "bad-header", ("header", "content-type")),
    post(EVENTS, CT_NDJSON, "bad\nbad", 422, "nothing-accepted", ("detail", "All 2 lines were rejected. The first, line 1: is not JSON.")),
    post("/v1/streams/payments/events?dry=1", CT_NDJSON, "{}", 400, "bad-parameter", ("parameter", "dry")),
    get("/v1/streams/payments/quarantine?limit=0", 400, "bad-parameter", ("parameter", "limit")),
    get("/v1/streams/payments/quarantine?limit=1001", 400, "bad-parameter", ("parameter", "limit")),
    get("/v1/streams/payments/quarantine?lmit=1", 400, "bad-parameter", ("suggestion", "limit")),
    // Metrics.
    get("/v1/metrics?x=1", 400, "bad-parameter", ("detail", "this call has none")),
    get("/v1/metrics/paymens", 404, "unknown-metric", ("suggestion", "payments")),
    get("/v1/metrics/paymens/live", 404, "unknown-metric", ("suggestion", "payments")),
    get("/v1/metrics/payments?form=-1h", 400, "bad-parameter", ("suggestion", "from")),
    get("/v1/metrics/payments?from=yesterday", 400, "bad-parameter", ("detail", "'yesterday' is no time")),
    get("/v1/metrics/payments?from=-1h&from=-2h", 400, "bad-parameter", ("detail", "only once")),
    get("/v1/metrics/payments?from=now&to=-1h", 400, "bad-parameter", ("parameter", "from")),
    get("/v1/metrics/payments?step=1500ms", 400, "bad-parameter", ("detail", "no multiple")),
    get("/v1/metrics/payments?step=0s", 400, "bad-parameter", ("parameter", "step")),
    get("/v1/metrics/payments?from=-30d&step=1s", 400, "bad-parameter", ("detail", "2592000 points")),
    get("/v1/metrics/payments?by=pps", 400, "bad-parameter", ("suggestion", "psp")),
    get("/v1/metrics/payments?by=psp&by=psp", 400, "bad-parameter", ("detail", "twice")),
    get("/v1/metrics/payments?where=psp", 400, "bad-parameter", ("detail", "dimension:value")),
    get("/v1/metrics/payments?where=method:card", 400, "bad-parameter", ("parameter", "where")),
    get("/v1/metrics/payments?limit=many", 400, "bad-parameter", ("parameter", "limit")),
    get("/v1/metrics/payments/live?by=pps", 400, "bad-parameter", ("suggestion", "psp")),
    get("/v1/metrics/paymens/forecast", 404, "unknown-metric", ("suggestion", "payments")),
    get("/v1/metrics/%FF/forecast", 400, "bad-parameter", ("parameter", "metric")),
    get("/v1/metrics/payments/forecast?from=-1h", 400, "bad-parameter", ("detail", "known are horizon, step, zone, at, by, where, limit")),
    get("/v1/metrics/payments/forecast?horizon=soon", 400, "bad-parameter", ("detail", "'soon' is no duration")),
    get("/v1/metrics/payments/forecast?horizon=dya", 400, "bad-parameter", ("suggestion", "day")),
    get("/v1/metrics/payments/forecast?horizon=90d", 400, "bad-parameter", ("detail", "2160 steps; at most 2000 are forecast")),
    get("/v1/metrics/payments/forecast?step=1500ms", 400, "bad-parameter", ("detail", "no multiple")),
    get("/v1/metrics/payments/forecast?step=day", 400, "bad-parameter", ("parameter", "step")),
    get("/v1/metrics/payments/forecast?zone=Europe/Berln", 400, "bad-parameter", ("suggestion", "Europe/Berlin")),
    get("/v1/metrics/payments/forecast?at=%2B1h", 400, "bad-parameter", ("detail", "must not be in the future")),
    get("/v1/metrics/payments/forecast?by=pps", 400, "bad-parameter", ("suggestion", "psp")),
    get("/v1/metrics/payments/forecast?limit=51", 400, "bad-parameter", ("parameter", "limit")),
    post("/v1/metrics/payments/forecast", CT_JSON, "{}", 405, "method-not-allowed", ("detail", "POST")),
    get("/v1/live", 400, "bad-parameter", ("parameter", "q")),
    get("/v1/live?q=nothing", 404, "unknown-metric", ("detail", "'nothing'")),
    get("/v1/live?q=payments%3Fby%3Dpps", 400, "bad-parameter", ("parameter", "by")),
    get("/v1/series", 400, "bad-parameter", ("parameter", "q")),
    get("/v1/series?q=payments&by=psp", 400, "bad-parameter", ("parameter", "by")),
    get("/v1/series?metric=payments", 400, "bad-parameter", ("detail", "known are q")),
    post("/v1/series", CT_JSON, "{}", 405, "method-not-allowed", ("detail", "POST")),
    // SQL.
    post("/v1/sql", &[], r#"{"sql":"select 1"}"#, 415, "unsupported-content-type", ("detail", "application/json")),
    post("/v1/sql", CT_JSON, "", 400, "body-unreadable", ("detail", "EOF")),
    post("/v1/sql", CT_JSON, "{", 400, "body-unreadable", ("detail", "line 1")),
    post("/v1/sql", CT_JSON, r#"{"query":"select 1"}"#, 400, "body-unreadable", ("detail", "unknown field `query`")),
    post("/v1/sql", CT_JSON, r#"{"sql":1}"#, 400, "body-unreadable", ("detail", "expected a string")),
    post("/v1/sql", CT_JSON, r#"{"sql":"a","sql":"b"}"#, 400, "body-unreadable", ("detail", "duplicate field")),
    post("/v1/sql", &[("content-type", JSON), ("content-encoding", "gzip")], "x", 415, "unsupported-content-encoding", ("detail", "not compressed")),
    post("/v1/sql", &[("content-type", JSON), ("accept", "text/html")], r#"{"sql":"a"}"#, 406, "not-acceptable", ("detail", "text/csv")),
    post("/v1/sql", CT_JSON, r#"{"sql":"wrong"}"#, 400, "bad-query", ("detail", "there is no table")),
    post("/v1/sql", CT_JSON, r#"{"sql":"panic"}"#, 500, "internal", ("detail", "log")),
    // Incidents and boards.
    get("/v1/incidents?state=opn", 400, "bad-parameter", ("suggestion", "open")),
    get("/v1/incidents?limit=1001", 400, "bad-parameter", ("parameter", "limit")),
    get("/v1/incidents/inc_none", 404, "unknown-incident", ("detail", "'inc_none'")),
    post("/v1/incidents/inc_none/resolve", &[], "", 404, "unknown-incident", ("detail", "'inc_none'")),
    post("/v1/incidents/inc_1/aknowledge", &[], "", 404, "not-found", ("suggestion", "acknowledge")),
    post("/v1/incidents/inc_1/silence", CT_JSON, r#"{"for":"soon"}"#, 400, "body-unreadable", ("detail", "'soon' is no duration")),
    post("/v1/incidents/inc_1/silence", CT_JSON, r#"{"for":"31d"}"#, 400, "body-unreadable", ("detail", "30 days")),
    post("/v1/incidents/inc_1/note", CT_JSON, r#"{"by":"ada","note":" "}"#, 400, "body-unreadable", ("detail", "A note needs")),
    post("/v1/incidents/inc_1/resolve", CT_JSON, r#"{"nota":"x"}"#, 400, "body-unreadable", ("detail", "unknown field")),
    get("/v1/boards/paymets", 404, "unknown-board", ("suggestion", "payments")),
    get("/v1/boards/payments?from=foldr", 400, "bad-parameter", ("suggestion", "folder")),
    get("/v1/silences?limit=0", 400, "bad-parameter", ("parameter", "limit")),
    Case { method: "GET", path: "/v1/boards/payments", headers: &[("accept", "text/html")], body: "", status: 406, slug: "not-acceptable", says: ("detail", "application/yaml") },
    put("/v1/boards/b", &[], "{}", 415, "unsupported-content-type", ("detail", "application/yaml")),
    put("/v1/boards/b", &[("content-type", JSON), ("content-encoding", "gzip")], "{}", 415, "unsupported-content-encoding", ("detail", "not compressed")),
    put("/v1/boards/b", CT_JSON, "[]", 400, "body-unreadable", ("detail", "a map")),
    put("/v1/boards/b", CT_JSON, "{", 400, "body-unreadable", ("detail", "line 1")),
    put("/v1/boards/b?dry=1", CT_JSON, "{}", 400, "bad-parameter", ("parameter", "dry")),
    put("/v1/boards/b", &[("content-type", JSON), ("if-match", "7")], "{}", 400, "bad-header", ("header", "if-match")),
    put("/v1/boards/b", &[("content-type", JSON), ("if-none-match", "\"7\"")], "{}", 400, "bad-header", ("header", "if-none-match")),
    put("/v1/boards/b", &[("content-type", JSON), ("origin", "https://evil.example")], r#"{"title":{"en":"B"}}"#, 403, "cross-origin", ("detail", "another origin")),
    put("/v1/boards/%FF", CT_JSON, "{}", 400, "bad-parameter", ("parameter", "name")),
    Case { method: "DELETE", path: "/v1/boards/paymets", headers: &[], body: "", status: 404, slug: "unknown-board", says: ("suggestion", "payments") },
    Case { method: "DELETE", path: "/v1/boards/payments", headers: &[], body: "", status: 409, slug: "conflict", says: ("detail", "definitions folder") },
    Case { method: "DELETE", path: "/v1/boards/payments", headers: &[("sec-fetch-site", "cross-site")], body: "", status: 403, slug: "cross-origin", says: ("detail", "another origin") },
    get("/v1/status?verbose", 400, "bad-parameter", ("parameter", "verbose")),
    // Where a call comes from.
    Case { method: "GET", path: "/v1/status", headers: &[("host", "evil.example")], body: "", status: 403, slug: "host-not-allowed", says: ("detail", "localhost") },
    Case { method: "GET", path: "/", headers: &[("host", "evil.example:7878")], body: "", status: 403, slug: "host-not-allowed", says: ("detail", "localhost") },
    post(EVENTS, &[("content-type", NDJSON), ("origin", "https://evil.example")], "{}", 403, "cross-origin", ("detail", "another origin")),
    post(EVENTS, &[("content-type", NDJSON), ("sec-fetch-site", "cross-site")], "{}", 403, "cross-origin", ("detail", "another origin")),
];

#[tokio::test]
async fn bad_requests_get_their_exact_answers() {
    let stand = Stand::start().await;
    stand.cases.open("inc_1");
    for case in CASES {
        let method = case.method.parse().unwrap();
        let mut request = stand.client.request(method, stand.url(case.path));
        for (name, value) in case.headers {
            request = request.header(*name, *value);
        }
        let response = request.body(case.body).send().await.unwrap();
        let label = format!("{} {} {:?}", case.method, case.path, case.headers);
        assert!(response.headers().contains_key("x-request-id"), "{label}");
        assert!(
            response.headers().contains_key("content-security-policy"),
            "{label}"
        );
        let (status, slug, document) = problem(response).await;
        assert_eq!(
            (status, slug.as_str()),
            (case.status, case.slug),
            "{label}: {document}"
        );
        let (member, text) = case.says;
        let said = document[member].as_str().unwrap_or_default();
        let fits = if member == "detail" {
            said.contains(text)
        } else {
            said == text
        };
        assert!(
            fits,
            "{label}: '{member}' does not say '{text}': {document}"
        );
    }
    assert!(
        stand
            .lines
            .taken
            .lock()
            .unwrap()
            .iter()
            .all(|e| e.body == "bad\nbad"),
        "none was taken"
    );
    assert_eq!(
        stand.get("/v1/status").await.status(),
        200,
        "and the server still answers"
    );
}

#[tokio::test]
async fn a_405_names_the_methods_that_are_allowed() {
    let stand = Stand::start().await;
    let response = stand.get("/v1/sql").await;
    assert_eq!(response.headers()["allow"], "POST");
    let response = stand
        .client
        .delete(stand.url("/v1/metrics"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["allow"], "GET,HEAD");
    assert_eq!(problem(response).await.1, "method-not-allowed");
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_413_with_and_without_a_length() {
    let stand = Stand::with(Limits {
        body_bytes_max: 100,
        ..Limits::default()
    })
    .await;
    let body = "x".repeat(101);
    let (status, slug, document) =
        problem(stand.post(EVENTS, NDJSON, &body).send().await.unwrap()).await;
    assert_eq!((status, slug.as_str()), (413, "body-too-large"));
    assert_eq!(document["bytes_max"], 100);
    let parts: Vec<Result<String, std::io::Error>> = vec![Ok(body.clone()), Ok(body)];
    let unsized_body = reqwest::Body::wrap_stream(futures::stream::iter(parts));
    let request = stand
        .client
        .post(stand.url(EVENTS))
        .header("content-type", NDJSON);
    let response = request.body(unsized_body).send().await.unwrap();
    assert_eq!(problem(response).await.0, 413);
    assert!(stand.lines.taken.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_large_json_body_is_a_413() {
    let stand = Stand::with(Limits {
        json_body_bytes_max: 20,
        ..Limits::default()
    })
    .await;
    let response = stand
        .post("/v1/sql", JSON, r#"{"sql":"select 1 + 1"}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(problem(response).await.0, 413);
}

/// Sends bytes as they are and returns all that comes back until the server closes.
async fn raw(stand: &Stand, bytes: &[u8]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(stand.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    // A reset by the server ends the answer, too.
    let _ = tokio::time::timeout(DEADLINE, read)
        .await
        .expect("the connection stays open");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn what_is_not_http_ends_the_connection_and_nothing_else() {
    let stand = Stand::start().await;
    assert!(
        raw(&stand, b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 400")
    );
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(100));
    assert!(
        raw(&stand, many.as_bytes())
            .await
            .starts_with("HTTP/1.1 431")
    );
    let long = format!("GET / HTTP/1.1\r\na: {}\r\n\r\n", "x".repeat(100_000));
    assert!(
        raw(&stand, long.as_bytes())
            .await
            .starts_with("HTTP/1.1 431")
    );
    assert_eq!(stand.get("/healthz").await.status(), 200);
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let stand = Stand::with(Limits {
        head_timeout_ms: 50,
        ..Limits::default()
    })
    .await;
    raw(&stand, b"GET / HTTP/1.1\r\nhost: localhost\r\nx: ").await;
    assert_eq!(stand.get("/healthz").await.status(), 200);
}

#[tokio::test]
async fn a_body_that_never_ends_is_a_408() {
    let stand = Stand::with(Limits {
        body_timeout_ms: 50,
        ..Limits::default()
    })
    .await;
    let head = format!(
        "POST {EVENTS} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {NDJSON}\r\ncontent-length: 10\r\nconnection: close\r\n\r\nabc"
    );
    let answer = raw(&stand, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let body = answer.split("\r\n\r\n").nth(1).unwrap();
    let document: Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        document["type"],
        "https://tillwatch.dev/problems/body-timeout"
    );
}

/// A card number in any part of a request: none comes back with it, whatever the answer.
#[tokio::test]
async fn no_part_of_a_request_comes_back_with_a_card_number() {
    const CARD: &str = "4111111111111111";
    let stand = Stand::start().await;
    let till = "/v1/streams/payments/events";
    let gets = [
        format!("/v1/metrics/{CARD}"),
        format!("/v1/metrics/{CARD}/live"),
        format!("/v1/metrics/payments?from={CARD}"),
        format!("/v1/metrics/payments?step={CARD}"),
        format!("/v1/metrics/payments?by={CARD}"),
        format!("/v1/metrics/payments?where={CARD}"),
        format!("/v1/metrics/payments?where={CARD}:x"),
        format!("/v1/metrics/payments?{CARD}=1"),
        format!("/v1/incidents/{CARD}"),
        format!("/v1/incidents?state={CARD}"),
        format!("/v1/incidents?limit={CARD}"),
        format!("/v1/boards/{CARD}"),
        format!("/v1/{CARD}"),
        format!("/{CARD}.png"),
        format!("/v1/streams/payments/quarantine?limit={CARD}"),
    ];
    let mut asked: Vec<reqwest::RequestBuilder> = gets
        .iter()
        .map(|path| stand.client.get(stand.url(path)))
        .collect();
    asked.push(stand.post(&format!("/v1/streams/{CARD}/events"), NDJSON, "{}"));
    asked.push(stand.post(till, CARD, "{}"));
    asked.push(stand.post(till, &format!("text/csv; delimiter={CARD}"), "a"));
    asked.push(
        stand
            .post(till, NDJSON, "{}")
            .header("content-encoding", CARD),
    );
    asked.push(stand.post(till, NDJSON, "{}").header("accept", CARD));
    asked.push(stand.post("/v1/sql", JSON, &format!("{{\"{CARD}\":1}}")));
    asked.push(stand.post("/v1/sql", JSON, &format!("{{\"sql\":{CARD}}}")));
    asked.push(stand.post(&format!("/v1/incidents/inc_1/{CARD}"), JSON, "{}"));
    let board = format!("/v1/boards/{CARD}");
    asked.push(stand.put(&board, JSON, &format!("{{\"{CARD}\":1}}")));
    asked.push(stand.put(&board, JSON, CARD));
    asked.push(stand.put(&board, CARD, "{}"));
    asked.push(stand.put(&board, JSON, "{}").header("if-match", CARD));
    asked.push(stand.client.delete(stand.url(&board)));
    asked.push(
        stand
            .client
            .delete(stand.url(&format!("/v1/silences/{CARD}"))),
    );
    asked.push(
        stand
            .client
            .get(stand.url(&format!("/v1/boards/payments?from={CARD}"))),
    );
    for request in asked {
        let request = request.header("x-request-id", CARD).build().unwrap();
        let what = format!("{} {}", request.method(), request.url());
        let response = stand.client.execute(request).await.unwrap();
        for (name, value) in response.headers() {
            assert!(
                !format!("{value:?}").contains(CARD),
                "{what}: {name}: {value:?}"
            );
        }
        let text = response.text().await.unwrap();
        assert!(!text.contains(CARD), "{what}: {text}");
    }
}

#[tokio::test]
async fn a_query_that_may_have_no_row_or_no_time_is_refused() {
    let stand = Stand::start().await;
    for body in [
        r#"{"sql":"select 1","rows_max":0}"#,
        r#"{"sql":"select 1","timeout_ms":0}"#,
    ] {
        let response = stand.post("/v1/sql", JSON, body).send().await.unwrap();
        let (status, slug, document) = problem(response).await;
        assert_eq!(
            (status, slug.as_str()),
            (422, "query-too-large"),
            "{document}"
        );
    }
}
