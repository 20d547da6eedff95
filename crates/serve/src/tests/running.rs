//! Starting, overload, access and stopping.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::stand::{DEADLINE, Stand, problem, until};
use crate::problem::{Problem, Slug};
use crate::{Access, Limits};

const NDJSON: &str = "application/x-ndjson";
const EVENTS: &str = "/v1/streams/payments/events";

fn loopback() -> Access {
    Access::new("127.0.0.1:0".parse().unwrap(), [], []).unwrap()
}

#[tokio::test]
async fn events_are_taken_and_answered() {
    let stand = Stand::start().await;
    let request = stand
        .post(EVENTS, NDJSON, "{}\nbad\n{}")
        .header("idempotency-key", "k-1");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(
        response.text().await.unwrap(),
        r#"{"accepted":2,"duplicates":0,"rejected":1,"rejections":[{"line":2,"reason":"is not JSON"}]}"#
    );
    let taken = stand.lines.taken.lock().unwrap();
    assert_eq!(taken[0].idempotency_key.as_deref(), Some("k-1"));
    assert_eq!(taken[0].content_type.as_deref(), Some(NDJSON));
}

#[tokio::test]
async fn nothing_accepted_has_the_members_of_the_receipt() {
    let stand = Stand::start().await;
    let (_, _, document) = problem(stand.post(EVENTS, NDJSON, "bad").send().await.unwrap()).await;
    assert_eq!(document["accepted"], 0);
    assert_eq!(document["rejected"], 1);
    assert_eq!(
        document["rejections"],
        json!([{"line": 1, "reason": "is not JSON"}])
    );
}

#[tokio::test]
async fn faults_of_the_journal_have_their_status_and_time_to_come_again() {
    let stand = Stand::start().await;
    let faults = [
        (
            Problem::new(Slug::Overloaded, "x").retry_after_s(2),
            429,
            Some("2"),
        ),
        (Problem::new(Slug::JournalPoisoned, "x"), 503, None),
        (Problem::new(Slug::JournalFull, "x"), 507, None),
    ];
    for (fault, status, retry_after) in faults {
        stand.lines.faults.lock().unwrap().push_back(fault);
        let response = stand.post(EVENTS, NDJSON, "{}").send().await.unwrap();
        assert_eq!(response.status(), status);
        let header = response
            .headers()
            .get("retry-after")
            .map(|v| v.to_str().unwrap().to_owned());
        assert_eq!(header.as_deref(), retry_after);
    }
}

#[tokio::test]
async fn calls_over_the_limit_are_told_to_come_again_and_probes_still_answer() {
    let stand = Stand::with(Limits {
        requests_at_once_max: 1,
        ..Limits::default()
    })
    .await;
    stand.lines.held.store(true, Ordering::SeqCst);
    let first = tokio::spawn(stand.post(EVENTS, NDJSON, "{}").send());
    until("the first waits", || {
        stand.lines.waiting.load(Ordering::SeqCst) > 0
    })
    .await;
    let refused = stand.post(EVENTS, NDJSON, "{}").send().await.unwrap();
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(problem(refused).await.1, "overloaded");
    assert_eq!(stand.get("/healthz").await.status(), 200);
    assert_eq!(stand.get("/readyz").await.status(), 200);
    stand.lines.held.store(false, Ordering::SeqCst);
    stand.lines.released.notify_waiters();
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert_eq!(
        stand
            .post(EVENTS, NDJSON, "{}")
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_a_504() {
    let stand = Stand::with(Limits {
        request_timeout_ms: 50,
        ..Limits::default()
    })
    .await;
    let request = stand.post("/v1/sql", "application/json", r#"{"sql":"slow"}"#);
    let (status, slug, _) = problem(request.send().await.unwrap()).await;
    assert_eq!((status, slug.as_str()), (504, "timeout"));
    until("the query is given up", || {
        !stand.counts.slow_running.load(Ordering::SeqCst)
    })
    .await;
}

#[tokio::test]
async fn a_client_that_hangs_up_cancels_its_query_but_not_its_events() {
    let stand = Stand::start().await;
    let query = tokio::spawn(
        stand
            .post("/v1/sql", "application/json", r#"{"sql":"slow"}"#)
            .send(),
    );
    until("the query runs", || {
        stand.counts.slow_running.load(Ordering::SeqCst)
    })
    .await;
    query.abort();
    until("the query is given up", || {
        !stand.counts.slow_running.load(Ordering::SeqCst)
    })
    .await;
    stand.lines.held.store(true, Ordering::SeqCst);
    let events = tokio::spawn(stand.post(EVENTS, NDJSON, "{}").send());
    until("the events wait", || {
        stand.lines.waiting.load(Ordering::SeqCst) > 0
    })
    .await;
    events.abort();
    // The connection is gone when the abort has been carried out.
    assert!(events.await.unwrap_err().is_cancelled());
    stand.lines.held.store(false, Ordering::SeqCst);
    until("the events are taken", || {
        stand.lines.released.notify_waiters();
        stand.lines.taken.lock().unwrap().len() == 1
    })
    .await;
}

#[tokio::test]
async fn sql_is_answered_in_the_format_asked_for() {
    let stand = Stand::start().await;
    let cases = [
        ("*/*", "application/json", "Json"),
        ("text/csv", "text/csv; charset=utf-8; header=present", "Csv"),
        (
            "application/vnd.apache.arrow.stream",
            "application/vnd.apache.arrow.stream",
            "ArrowStream",
        ),
    ];
    for (accept, kind, format) in cases {
        let body = r#"{"sql":"select","rows_max":5}"#;
        let request = stand
            .post("/v1/sql", "application/json", body)
            .header("accept", accept);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], kind);
        assert_eq!(
            response.text().await.unwrap(),
            format!("select {format} Some(5)")
        );
    }
}

#[tokio::test]
async fn while_recovering_only_probes_status_and_the_web_answer() {
    let stand = Stand::recovering(Limits::default(), loopback()).await;
    for path in [
        "/v1/metrics",
        "/v1/metrics/payments/live",
        "/v1/boards",
        "/v1/incidents",
        "/readyz",
    ] {
        let response = stand.get(path).await;
        assert_eq!(response.headers()["retry-after"], "1", "{path}");
        let (status, slug, document) = problem(response).await;
        assert_eq!((status, slug.as_str()), (503, "recovering"), "{path}");
        assert_eq!(
            document["detail"],
            "The journal is being replayed: 42 % done, 1234 events so far."
        );
        assert_eq!(document["progress"], 0.42);
    }
    let refused = stand.post(EVENTS, NDJSON, "{}").send().await.unwrap();
    assert_eq!(problem(refused).await.1, "recovering");
    assert_eq!(stand.get("/healthz").await.text().await.unwrap(), "ok\n");
    assert_eq!(stand.get("/").await.status(), 200);
    let status = stand.json("/v1/status").await;
    assert_eq!(
        (status["state"].as_str(), status["progress"].as_f64()),
        (Some("recovering"), Some(0.42))
    );
    stand.open(stand.counts.clone());
    assert_eq!(stand.json("/readyz").await, json!({"state": "ready"}));
    let status = stand.json("/v1/status").await;
    assert_eq!(status["state"], "ready");
    assert_eq!(status["progress"], 1.0);
    assert_eq!(
        status["definitions"]["errors"],
        json!(["packs/x.yaml:3:1: no such type"])
    );
    assert_eq!(status["streams"][0]["events"], 7);
    stand.vitals.journal.lock().unwrap().state = "poisoned".into();
    assert_eq!(
        problem(stand.get("/readyz").await).await.1,
        "journal-poisoned"
    );
}

#[tokio::test]
async fn a_server_with_tokens_asks_for_one() {
    let access = Access::new(
        "0.0.0.0:0".parse().unwrap(),
        ["a-token-of-24-characters"],
        [],
    )
    .unwrap();
    let stand = Stand::recovering(Limits::default(), access).await;
    stand.open(stand.counts.clone());
    for path in [
        "/v1/status",
        "/v1/metrics",
        "/v1/metrics/payments/live",
        "/metrics",
        "/v1/nothing",
    ] {
        let refused = stand.get(path).await;
        assert_eq!(
            refused.headers()["www-authenticate"],
            "Bearer realm=\"tillwatch\""
        );
        assert_eq!(problem(refused).await.1, "token-missing", "{path}");
        let wrong = stand
            .client
            .get(stand.url(path))
            .bearer_auth("a-token-of-24-characterz");
        assert_eq!(
            problem(wrong.send().await.unwrap()).await.1,
            "token-wrong",
            "{path}"
        );
    }
    let right = stand
        .client
        .get(stand.url("/v1/status"))
        .bearer_auth("a-token-of-24-characters");
    assert_eq!(right.send().await.unwrap().status(), 200);
    for path in ["/healthz", "/readyz", "/", "/openapi.json"] {
        assert_eq!(stand.get(path).await.status(), 200, "{path} is open");
    }
}

#[tokio::test]
async fn stopping_ends_live_streams_and_lets_calls_finish() {
    let mut stand = Stand::start().await;
    let mut events = stand.events("/v1/metrics/payments/live").await;
    events.told().await;
    stand.lines.held.store(true, Ordering::SeqCst);
    let call = tokio::spawn(stand.post(EVENTS, NDJSON, "{}").send());
    until("the call waits", || {
        stand.lines.waiting.load(Ordering::SeqCst) > 0
    })
    .await;
    stand.app.stop();
    while let Some(event) = events.next().await {
        assert_eq!(event.name, "heartbeat");
    }
    stand.lines.held.store(false, Ordering::SeqCst);
    stand.lines.released.notify_waiters();
    assert_eq!(call.await.unwrap().unwrap().status(), 200);
    let running = stand.running.take().unwrap();
    tokio::time::timeout(DEADLINE, running)
        .await
        .expect("the server stops")
        .unwrap();
    assert!(
        stand
            .client
            .get(stand.url("/healthz"))
            .send()
            .await
            .is_err(),
        "nobody listens"
    );
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let stand = Stand::start().await;
    let again = crate::Server::bind(stand.address, stand.app.clone()).await;
    let fault = again.err().unwrap().to_string();
    assert!(
        fault.starts_with(&format!("cannot listen on {}: ", stand.address)),
        "{fault}"
    );
}

#[tokio::test]
async fn request_ids_are_kept_when_harmless_and_made_otherwise() {
    let stand = Stand::start().await;
    let send = async |id: &str| {
        let request = stand
            .client
            .get(stand.url("/healthz"))
            .header("x-request-id", id);
        let response = request.send().await.unwrap();
        response.headers()["x-request-id"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(send("abc-123").await, "abc-123");
    let made = send("a b\"c").await;
    assert_eq!(made.len(), 32);
    assert_ne!(made, send("a b\"c").await);
}

#[tokio::test]
async fn prometheus_reads_counters_with_bounded_labels() {
    let stand = Stand::start().await;
    for i in 0..5 {
        stand.get(&format!("/v1/boards/random-{i}")).await;
    }
    let response = stand.get("/metrics").await;
    assert!(
        response.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("application/openmetrics-text")
    );
    let text = response.text().await.unwrap();
    let boards = "tillwatch_http_requests_total{method=\"GET\",route=\"/v1/boards/{name}\",status=\"404\"} 5\n";
    for line in [
        boards,
        "tillwatch_ready 1\n",
        "tillwatch_events_total{stream=\"payments\"} 7\n",
        "tillwatch_cube_size_bytes{cube=\"attempts\"} 4096\n",
        "tillwatch_journal_writable 1\n",
        "tillwatch_live_clients 0\n",
        "tillwatch_http_request_duration_seconds_count{route=\"/v1/boards/{name}\"} 5\n",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("random"));
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn quarantine_is_shown_and_replayed() {
    let stand = Stand::start().await;
    let list = stand.json("/v1/streams/payments/quarantine?limit=7").await;
    assert_eq!(list["lines"][0]["reason"], "limit 7");
    let replay = stand
        .client
        .post(stand.url("/v1/streams/payments/quarantine/replay"));
    let text = replay.send().await.unwrap().text().await.unwrap();
    assert_eq!(
        text,
        r#"{"replayed":1,"accepted":1,"duplicates":0,"rejected":0,"rejections":[]}"#
    );
}

#[tokio::test]
async fn a_client_that_stops_reading_loses_its_connection_to_the_next() {
    use tokio::io::AsyncWriteExt;
    let limits = Limits {
        connections_max: 1,
        write_timeout_ms: 100,
        ..Limits::default()
    };
    let stand = Stand::with(limits).await;
    let mut idle = tokio::net::TcpStream::connect(stand.address).await.unwrap();
    let body = r#"{"sql":"big"}"#;
    let head = format!(
        "POST /v1/sql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    idle.write_all(head.as_bytes()).await.unwrap();
    // The first byte of the answer shows that the connection has the only place; no more is read.
    idle.readable().await.unwrap();
    assert_eq!(
        stand.get("/healthz").await.status(),
        200,
        "the place becomes free"
    );
}

#[tokio::test]
async fn calls_that_do_not_finish_are_cut_off_after_the_grace() {
    let limits = Limits {
        shutdown_grace_ms: 50,
        ..Limits::default()
    };
    let mut stand = Stand::with(limits).await;
    let request = stand.post("/v1/sql", "application/json", r#"{"sql":"slow"}"#);
    let call = tokio::spawn(request.send());
    until("the query runs", || {
        stand.counts.slow_running.load(Ordering::SeqCst)
    })
    .await;
    stand.app.stop();
    let running = stand.running.take().unwrap();
    tokio::time::timeout(DEADLINE, running)
        .await
        .expect("the server stops")
        .unwrap();
    assert!(call.await.unwrap().is_err(), "the call was cut off");
    assert!(!stand.counts.slow_running.load(Ordering::SeqCst));
}
