use super::*;
use crate::clock::SystemClock;
use crate::decode::DecodeLimits;
use crate::intake::{Applied, Downstream, IntakeLimits};
use crate::record::{JournalRecord, RecordKind};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Instant;
use tillwatch_event::{Field, FieldType, StreamSchema};
use tillwatch_journal::{DiskStorage, Journal, JournalOptions};

/// A server that answers what it is told and remembers what it was asked.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    answers: VecDeque<Response>,
    asked: Vec<(Instant, HeaderMap)>,
}

impl Server {
    async fn start() -> (Self, String) {
        let server = Self::default();
        let router = Router::new()
            .route("/events", get(answer))
            .with_state(server.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/events?key=secret",
            listener.local_addr().unwrap()
        );
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (server, url)
    }

    fn push(&self, answer: impl IntoResponse) {
        self.0
            .lock()
            .unwrap()
            .answers
            .push_back(answer.into_response());
    }

    fn asked(&self) -> Vec<(Instant, HeaderMap)> {
        self.0.lock().unwrap().asked.clone()
    }
}

async fn answer(State(server): State<Server>, headers: HeaderMap) -> Response {
    let mut script = server.0.lock().unwrap();
    script.asked.push((Instant::now(), headers));
    script
        .answers
        .pop_front()
        .unwrap_or_else(|| StatusCode::NOT_MODIFIED.into_response())
}

struct Taken(Mutex<Vec<JournalRecord>>);

impl Downstream for Taken {
    fn apply(&self, records: &[JournalRecord]) -> Vec<Applied> {
        self.0.lock().unwrap().extend_from_slice(records);
        let rows = |r: &JournalRecord| match r.kind {
            RecordKind::Events => r.batch.num_rows() as u64,
            RecordKind::Rejects => 0,
        };
        records
            .iter()
            .map(|r| Applied {
                accepted: rows(r),
                ..Applied::default()
            })
            .collect()
    }
}

struct Bench {
    handle: PollHandle,
    taken: Arc<Taken>,
    _folder: tempfile::TempDir,
}

fn options(url: &str) -> PollOptions {
    PollOptions {
        name: "shop".into(),
        url: url.into(),
        every: Duration::from_secs(1),
        events: Some("$.data[*]".into()),
        headers: vec![("x-api-key".into(), "s3cret".into())],
        allow_private: true,
        limits: PollLimits::default(),
    }
}

fn start(options: PollOptions) -> Result<Bench, SourceError> {
    let folder = tempfile::tempdir().unwrap();
    let storage = Arc::new(DiskStorage::open(folder.path().join("journal")).unwrap());
    let (journal, _) = Journal::open(storage, JournalOptions::default()).unwrap();
    let taken = Arc::new(Taken(Mutex::new(Vec::new())));
    let downstream = Arc::clone(&taken) as Arc<dyn Downstream>;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let intake = Intake::start(
        journal,
        downstream,
        IntakeLimits::default(),
        Arc::clone(&clock),
    )
    .unwrap();
    let schema = StreamSchema {
        name: "orders".into(),
        id: Some("id".into()),
        time: "at".into(),
        dedup: Duration::from_secs(60),
        fields: vec![
            Field::new("id", FieldType::String, false),
            Field::new("at", FieldType::Timestamp, false),
        ],
    };
    let decoder = Arc::new(Decoder::new(Arc::new(schema), DecodeLimits::default()).unwrap());
    let handle = PollHandle::start(options, decoder, Arc::new(intake), clock)?;
    Ok(Bench {
        handle,
        taken,
        _folder: folder,
    })
}

async fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn events(ids: &[&str]) -> String {
    let items: Vec<String> = ids
        .iter()
        .map(|id| format!(r#"{{"id":"{id}","at":"2026-11-22T14:03:00Z"}}"#))
        .collect();
    format!(r#"{{"data":[{}]}}"#, items.join(","))
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_taken_once_and_an_unchanged_answer_is_asked_for_conditionally() {
    let (server, url) = Server::start().await;
    server.push((
        [
            ("etag", "\"v1\""),
            ("last-modified", "Sun, 22 Nov 2026 14:00:00 GMT"),
        ],
        events(&["a", "b"]),
    ));
    server.push(StatusCode::NOT_MODIFIED);
    server.push(([("etag", "\"v2\"")], events(&["a", "b"])));
    let bench = start(options(&url)).unwrap();
    wait_until("three answers", || bench.handle.state().answers >= 3).await;
    let state = bench.handle.state();
    assert_eq!(
        (state.events, state.unchanged, state.state),
        (2, 2, SourceStateKind::Ok)
    );
    assert!(state.last_ok_at_us.is_some() && state.last_error.is_none());
    let asked = server.asked();
    assert_eq!(asked[0].1.get("x-api-key").unwrap(), "s3cret");
    assert!(!asked[0].1.contains_key("if-none-match"));
    assert_eq!(asked[1].1.get("if-none-match").unwrap(), "\"v1\"");
    assert_eq!(
        asked[1].1.get("if-modified-since").unwrap(),
        "Sun, 22 Nov 2026 14:00:00 GMT"
    );
    assert!(
        asked[1].0 - asked[0].0 >= Duration::from_millis(900),
        "the interval is kept"
    );
    bench.handle.stop().await;
    let records = bench.taken.0.lock().unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].source.as_deref(), Some("shop"));
    assert!(
        records[0]
            .idempotency_key
            .as_deref()
            .unwrap()
            .starts_with("shop:")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failure_the_source_waits_as_asked_and_then_recovers() {
    let (server, url) = Server::start().await;
    server.push((
        StatusCode::SERVICE_UNAVAILABLE,
        [("retry-after", "2")],
        "later",
    ));
    server.push(events(&["a"]));
    let bench = start(options(&url)).unwrap();
    wait_until("a failure", || {
        bench.handle.state().state == SourceStateKind::Failing
    })
    .await;
    let failed = bench.handle.state();
    assert_eq!(
        failed.last_error.as_deref(),
        Some("the server answered 503 Service Unavailable")
    );
    wait_until("events", || bench.handle.state().events == 1).await;
    let asked = server.asked();
    assert!(asked[1].0 - asked[0].0 >= Duration::from_millis(1_990));
    let well = bench.handle.state();
    assert_eq!((well.state, well.failures), (SourceStateKind::Ok, 0));
    // What it was stays, with its time, which is before it was well again.
    assert_eq!(well.last_error, failed.last_error);
    assert_eq!(well.last_error_at_us, failed.last_error_at_us);
    assert!(well.last_error_at_us.unwrap() < well.last_ok_at_us.unwrap());
    bench.handle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_body_means_no_events() {
    const NDJSON: [(&str, &str); 1] = [("content-type", "application/x-ndjson")];
    const ENCODED: [(&str, &str); 2] = [("content-encoding", "gzip"), ("etag", "\"none\"")];
    let answers: [fn() -> Response; 4] = [
        || StatusCode::NO_CONTENT.into_response(),
        || (StatusCode::NO_CONTENT, ENCODED).into_response(),
        || (NDJSON, "").into_response(),
        || "\n".into_response(),
    ];
    for (answer, path) in answers
        .iter()
        .flat_map(|a| [(a, None), (a, Some("$.data[*]"))])
    {
        let (server, url) = Server::start().await;
        server.push(answer());
        let bench = start(PollOptions {
            events: path.map(str::to_owned),
            ..options(&url)
        })
        .unwrap();
        wait_until("an answer", || {
            bench.handle.state().state != SourceStateKind::Starting
        })
        .await;
        let state = bench.handle.state();
        assert_eq!(
            (state.state, state.answers, state.events),
            (SourceStateKind::Ok, 1, 0),
            "{:?}",
            state.last_error
        );
        bench.handle.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_cannot_be_used_are_failures_with_their_reason() {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&vec![b' '; 1 << 20]).unwrap();
    let bomb = gzip.finish().unwrap();
    for (answer, reason) in [
        (
            (
                StatusCode::FOUND,
                [("location", "http://169.254.169.254/")],
                "x",
            )
                .into_response(),
            "the server answered 302 Found; redirects are not followed, use the URL they lead to",
        ),
        (
            "<html>".into_response(),
            "the response is not JSON: expected a value (at byte 0)",
        ),
        (
            "{}".into_response(),
            "the response has nothing at '$.data[*]': there is no 'data'",
        ),
        (
            "x".repeat(200_000).into_response(),
            "the answer has more than 100000 bytes (limit response_bytes_max)",
        ),
        (
            ([("content-encoding", "gzip")], bomb.clone()).into_response(),
            "the body has more than 100000 bytes after decompression (limit body_bytes_max)",
        ),
        (
            ([("content-encoding", "br")], "x").into_response(),
            "unknown Content-Encoding 'br'; use gzip, zstd or none",
        ),
    ] {
        let (server, url) = Server::start().await;
        server.push(answer);
        let limits = PollLimits {
            response_bytes_max: 100_000,
            ..PollLimits::default()
        };
        let bench = start(PollOptions {
            limits,
            ..options(&url)
        })
        .unwrap();
        wait_until("a failure", || bench.handle.state().last_error.is_some()).await;
        assert_eq!(bench.handle.state().last_error.as_deref(), Some(reason));
        bench.handle.stop().await;
        assert!(bench.taken.0.lock().unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_a_failure_that_does_not_show_the_url() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/?key=secret", listener.local_addr().unwrap());
    drop(listener);
    let bench = start(options(&url)).unwrap();
    wait_until("a failure", || bench.handle.state().last_error.is_some()).await;
    let reason = bench.handle.state().last_error.unwrap();
    assert!(
        reason.contains("refused") && !reason.contains("secret"),
        "{reason}"
    );
    bench.handle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_is_given_up_on() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let limits = PollLimits {
        timeout_ms: 200,
        ..PollLimits::default()
    };
    let bench = start(PollOptions {
        limits,
        ..options(&url)
    })
    .unwrap();
    wait_until("a failure", || bench.handle.state().last_error.is_some()).await;
    let reason = bench.handle.state().last_error.unwrap();
    assert!(reason.contains("timed out"), "{reason}");
    bench.handle.stop().await;
    drop(listener);
}

#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_are_refused_unless_allowed() {
    let (server, url) = Server::start().await;
    let refused = start(PollOptions {
        allow_private: false,
        ..options(&url)
    })
    .err()
    .unwrap();
    assert_eq!(
        refused.to_string(),
        "source 'shop': the URL cannot be used: '127.0.0.1' leads to a loopback, link-local or private address; set allow_private to reach it"
    );
    // A name is refused when it is resolved, whatever it leads to at that time.
    let by_name = url.replace("127.0.0.1", "localhost");
    let bench = start(PollOptions {
        allow_private: false,
        ..options(&by_name)
    })
    .unwrap();
    wait_until("a failure", || bench.handle.state().last_error.is_some()).await;
    let reason = bench.handle.state().last_error.unwrap();
    assert!(
        reason.contains("'localhost' leads to a loopback"),
        "{reason}"
    );
    bench.handle.stop().await;
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_definition_that_cannot_work_is_refused_at_start() {
    let good = options("http://example.com/");
    for (bad, message) in [
        (
            PollOptions {
                every: Duration::from_millis(999),
                ..good.clone()
            },
            "source 'shop': `every` must be at least 1s",
        ),
        (
            PollOptions {
                url: "ftp://example.com".into(),
                ..good.clone()
            },
            "source 'shop': the URL cannot be used: its scheme is ftp, use http or https",
        ),
        (
            PollOptions {
                url: "example.com".into(),
                ..good.clone()
            },
            "source 'shop': the URL cannot be used: relative URL without a base",
        ),
        (
            PollOptions {
                url: "http://u:p@example.com".into(),
                ..good.clone()
            },
            "source 'shop': the URL cannot be used: it has a user or password, use `headers` with env:",
        ),
        (
            PollOptions {
                events: Some("data".into()),
                ..good.clone()
            },
            "source 'shop': the path 'data' cannot be read at character 0: use $, .name, ['name'], [0] and [*]",
        ),
        (
            PollOptions {
                headers: vec![("authorization".into(), "env:TILLWATCH_TEST_UNSET".into())],
                ..good.clone()
            },
            "source 'shop': the header 'authorization' needs the environment variable TILLWATCH_TEST_UNSET, which is not set",
        ),
        (
            PollOptions {
                headers: vec![("a b".into(), "x".into())],
                ..good.clone()
            },
            "source 'shop': the header 'a b' is not a header's name",
        ),
        (
            PollOptions {
                headers: vec![("a".into(), "x\ny".into())],
                ..good.clone()
            },
            "source 'shop': the header 'a' has a value that cannot be sent",
        ),
    ] {
        assert_eq!(start(bad).err().unwrap().to_string(), message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_path_the_content_type_says_how_to_read_and_bad_events_are_counted() {
    let (server, url) = Server::start().await;
    let body = "{\"id\":\"a\",\"at\":0}\n{\"id\":5}\n";
    server.push(([("content-type", "application/x-ndjson")], body));
    let bench = start(PollOptions {
        events: None,
        ..options(&url)
    })
    .unwrap();
    wait_until("an answer", || bench.handle.state().answers == 1).await;
    let state = bench.handle.state();
    assert_eq!((state.events, state.rejected), (1, 1));
    bench.handle.stop().await;
}
