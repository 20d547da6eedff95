use super::*;
use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

type Script = Arc<Mutex<Vec<Response>>>;
pub(super) type Seen = Arc<Mutex<Vec<(String, HeaderMap, String)>>>;

async fn serve(script: Vec<Response>) -> (HttpSinkOptions, Seen) {
    let seen = Seen::default();
    let state = (Arc::new(Mutex::new(script)), Arc::clone(&seen));
    let handler = |UrlPath(stream): UrlPath<String>,
                   State((script, seen)): State<(Script, Seen)>,
                   headers: HeaderMap,
                   body: String| async move {
        seen.lock().unwrap().push((stream, headers, body));
        let mut script = script.lock().unwrap();
        if script.is_empty() {
            taken(1)
        } else {
            script.remove(0)
        }
    };
    let app = Router::new()
        .route("/v1/streams/{stream}/events", post(handler))
        .with_state(state);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (
        HttpSinkOptions::new(format!("http://{address}/").parse().unwrap()),
        seen,
    )
}

pub(super) fn taken(accepted: u64) -> Response {
    axum_json(
        200,
        format!("{{\"accepted\":{accepted},\"duplicates\":0,\"rejected\":0,\"rejections\":[]}}"),
    )
}

fn axum_json(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (
        status,
        [("content-type", "application/json"), ("retry-after", "0")],
        body,
    )
        .into_response()
}

fn problem(status: u16, detail: &str) -> Response {
    axum_json(
        status,
        format!("{{\"title\":\"t\",\"status\":{status},\"detail\":\"{detail}\"}}"),
    )
}

#[tokio::test]
async fn chunks_are_posted_with_their_form_and_key_and_failures_waited_out() {
    let bench = Bench::new("1 2026-01-01 a\n2 2026-01-02 b\n");
    let script = vec![
        problem(429, "queue full"),
        problem(503, "recovering"),
        problem(500, "oops"),
        taken(2),
    ];
    let (mut options, seen) = serve(script).await;
    options.token = Some("secret".to_owned());
    let sink = Arc::new(HttpSink::new("notes", &options).unwrap());
    let outcome = ingest(
        &bench.path,
        "notes",
        sink,
        &bench.options(),
        Arc::new(|_| {}),
    )
    .await
    .unwrap();
    assert_eq!(outcome.progress.accepted, 2);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 4);
    let keys: HashSet<_> = seen
        .iter()
        .map(|(_, headers, _)| headers["idempotency-key"].clone())
        .collect();
    assert_eq!(keys.len(), 1);
    let (stream, headers, body) = &seen[3];
    assert_eq!(
        (stream.as_str(), body.as_str()),
        ("notes", "1 2026-01-01 a\n2 2026-01-02 b\n")
    );
    assert_eq!(headers["content-type"], "text/csv; guess=whitespace");
    assert_eq!(headers["authorization"], "Bearer secret");
}

#[tokio::test]
async fn answers_are_told_apart() {
    let rejected = r#"{"accepted":0,"duplicates":0,"rejected":1,"rejections":[{"line":2,"field":"n","reason":"bad"}]}"#;
    let cases = [
        (axum_json(422, rejected.to_owned()), None),
        (
            problem(404, "unknown stream 'notes'"),
            Some("the server refused: 404 unknown stream 'notes'"),
        ),
        (
            problem(401, "no token"),
            Some("the server refused: 401 no token"),
        ),
        (
            problem(413, "too large"),
            Some("the server refused: 413 too large"),
        ),
        (
            problem(422, "header cannot be used"),
            Some("the server refused: 422 header cannot be used"),
        ),
        (
            axum_json(200, "<html>".to_owned()),
            Some("the server refused: 200 OK"),
        ),
        (
            axum_json(301, String::new()),
            Some("the server refused: 301 Moved Permanently"),
        ),
    ];
    for (response, expected) in cases {
        let bench = Bench::new("n,day,text\nx,2026-01-01,a\n");
        let (options, _) = serve(vec![response]).await;
        let sink = Arc::new(HttpSink::new("notes", &options).unwrap());
        let result = ingest(
            &bench.path,
            "notes",
            sink,
            &bench.options(),
            Arc::new(|_| {}),
        )
        .await;
        match expected {
            None => assert_eq!(result.unwrap().progress.rejected, 1),
            Some(expected) => {
                let error = result.unwrap_err().to_string();
                assert_eq!(error, format!("stopped before line 2: {expected}"));
            }
        }
    }
}

#[tokio::test]
async fn a_verification_code_is_not_written_with_a_row_that_a_server_rejected() {
    let rejected = r#"{"accepted":0,"duplicates":0,"rejected":1,"rejections":[{"line":2,"field":"n","reason":"bad"}]}"#;
    let bench = Bench::new("n,day,cvv\nx,2026-01-01,123\n");
    let (options, _) = serve(vec![axum_json(422, rejected.to_owned())]).await;
    let sink = Arc::new(HttpSink::new("notes", &options).unwrap());
    let told: Listener = Arc::new(|_| {});
    ingest(&bench.path, "notes", sink, &bench.options(), told)
        .await
        .unwrap();
    assert_eq!(bench.rejected()[0]["raw"], "x,2026-01-01,***");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let options = HttpSinkOptions::new(format!("http://127.0.0.1:{port}").parse().unwrap());
    let sink = Arc::new(HttpSink::new("notes", &options).unwrap());
    let bench = Bench::numbered(1);
    let few = IngestOptions {
        failures_max: 2,
        ..bench.options()
    };
    let error = ingest(&bench.path, "notes", sink, &few, Arc::new(|_| {}))
        .await
        .unwrap_err();
    let expected = format!(
        "nothing was sent: the server at 127.0.0.1:{port} cannot be reached: no connection; is it running?; run the same command again"
    );
    assert_eq!(error.to_string(), expected);
}
