//! What is noted of one target says nothing of another.

use axum::Router;
use axum::extract::Path as UrlPath;
use axum::http::HeaderMap;
use axum::routing::{get, post};

use super::over_http::{Seen, taken};
use super::*;

#[tokio::test]
async fn what_was_loaded_into_one_target_is_not_taken_for_loaded_into_another() {
    let bench = Bench::numbered(20);
    let (staging, production) = (Shop::named("staging"), Shop::named("production"));
    bench.load(&staging).await.unwrap();
    let outcome = bench.load(&production).await.unwrap();
    assert!(!outcome.done_before);
    assert_eq!(outcome.resumed_from, None);
    assert_eq!(outcome.progress.accepted, 20);
    assert_eq!(production.numbers(), staging.numbers());
    assert!(bench.load(&staging).await.unwrap().done_before);
    assert!(bench.load(&production).await.unwrap().done_before);
}

#[tokio::test]
async fn a_target_that_does_not_say_what_it_is_yet_is_asked_again() {
    let bench = Bench::numbered(5);
    let shop = Shop::new();
    *shop.faults_of_target.lock().unwrap() = vec![
        SinkError::Unavailable("recovering".to_owned()),
        SinkError::Unavailable("not there".to_owned()),
    ];
    assert_eq!(bench.load(&shop).await.unwrap().progress.accepted, 5);
    let refused = SinkError::Refused("no token".to_owned());
    *shop.faults_of_target.lock().unwrap() = vec![refused];
    let error = bench.load(&shop).await.unwrap_err();
    assert_eq!(error.to_string(), "nothing was sent: no token");
}

async fn load(bench: &Bench, port: u16) -> Outcome {
    let to = HttpSinkOptions::new(format!("http://127.0.0.1:{port}").parse().unwrap());
    let sink = Arc::new(HttpSink::new("notes", &to).unwrap());
    let options = bench.options();
    ingest(&bench.path, "notes", sink, &options, Arc::new(|_| {}))
        .await
        .unwrap()
}

/// A server that tells which journal it writes to, at an address that others may have had before it.
async fn serve_journal(instance: Option<&str>, at: Option<u16>) -> (u16, Server, Seen) {
    let seen = Seen::default();
    let noted = Arc::clone(&seen);
    let status = match instance {
        Some(id) => format!("{{\"version\":\"1\",\"journal\":{{\"instance\":\"{id}\"}}}}"),
        None => "{\"version\":\"1\",\"journal\":{}}".to_owned(),
    };
    let take = |UrlPath(stream): UrlPath<String>, headers: HeaderMap, body: String| async move {
        let lines = body.lines().count() as u64;
        noted.lock().unwrap().push((stream, headers, body));
        taken(lines)
    };
    let app = Router::new()
        .route("/v1/streams/{stream}/events", post(take))
        .route("/v1/status", get(|| async move { status }));
    let address = format!("127.0.0.1:{}", at.unwrap_or(0));
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        axum::serve(listener, app).await.unwrap();
    });
    (port, Server(task), seen)
}

struct Server(JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[tokio::test]
async fn what_one_server_has_another_gets_too() {
    let bench = Bench::new("1 2026-01-01 a\n2 2026-01-02 b\n");
    let load = |port| load(&bench, port);
    let (first, first_server, _) = serve_journal(Some("a1"), None).await;
    let (second, _second_server, seen) = serve_journal(Some("b2"), None).await;
    assert_eq!(load(first).await.progress.accepted, 2);
    assert!(load(first).await.done_before);
    let outcome = load(second).await;
    assert!(!outcome.done_before);
    assert_eq!(
        (outcome.progress.accepted, seen.lock().unwrap().len()),
        (2, 1)
    );
    // The first one's data is removed; at the same address there is another journal now.
    drop(first_server);
    let (emptied, _emptied_server, seen) = restarted(first, Some("c3")).await;
    assert_eq!(emptied, first);
    let outcome = load(first).await;
    assert!(!outcome.done_before);
    assert_eq!(seen.lock().unwrap().len(), 1);
    assert!(load(second).await.done_before);
}

/// As [`serve_journal`] where another server was just now.
async fn restarted(port: u16, instance: Option<&str>) -> (u16, Server, Seen) {
    for _ in 0..100 {
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    serve_journal(instance, Some(port)).await
}

#[tokio::test]
async fn a_server_that_does_not_tell_its_journal_is_told_by_its_address() {
    let bench = Bench::new("1 2026-01-01 a\n");
    let load = |port| load(&bench, port);
    let (first, _first_server, _) = serve_journal(None, None).await;
    let (second, _second_server, _) = serve_journal(None, None).await;
    assert!(!load(first).await.done_before);
    assert!(load(first).await.done_before);
    assert!(!load(second).await.done_before);
}
