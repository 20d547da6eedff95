//! The web, boards, headers and the OpenAPI document.

use std::io::Read;
use std::sync::Arc;

use serde_json::json;

use super::definitions::Drawer;
use super::stand::{Stand, problem};
use crate::Assets;

#[tokio::test]
async fn every_answer_has_strict_headers() {
    let stand = Stand::start().await;
    for path in [
        "/",
        "/board/payments",
        "/assets/main-1a2b3c.js",
        "/v1/status",
        "/v1/nothing",
        "/healthz",
        "/openapi.json",
        "/metrics",
    ] {
        let response = stand.get(path).await;
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
    }
}

#[tokio::test]
async fn pages_of_the_web_are_all_the_index_and_files_are_files() {
    let stand = Stand::start().await;
    for path in [
        "/",
        "/index.html",
        "/boards/payments",
        "/incidents/inc_1?tab=1",
    ] {
        let response = stand.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(
            response.headers()["content-type"],
            "text/html; charset=utf-8",
            "{path}"
        );
        assert_eq!(response.headers()["cache-control"], "no-cache", "{path}");
    }
    let script = stand.get("/assets/main-1a2b3c.js").await;
    assert_eq!(
        script.headers()["content-type"],
        "text/javascript; charset=utf-8"
    );
    assert_eq!(
        script.headers()["cache-control"],
        "public, max-age=31536000, immutable"
    );
    assert_eq!(
        stand.get("/favicon.svg").await.headers()["content-type"],
        "image/svg+xml"
    );
    assert_eq!(
        problem(stand.get("/assets/../Cargo.toml").await).await.0,
        404
    );
    assert_eq!(
        problem(stand.get("/..%2f..%2fetc/passwd.txt").await)
            .await
            .0,
        404
    );
    let head = stand.client.head(stand.url("/")).send().await.unwrap();
    assert_eq!(head.status(), 200);
}

#[tokio::test]
async fn files_are_compressed_and_known_ones_are_not_sent_again() {
    let stand = Stand::start().await;
    let plain = stand.get("/assets/main-1a2b3c.js").await;
    assert!(plain.headers().get("content-encoding").is_none());
    let etag = plain.headers()["etag"].clone();
    let plain = plain.bytes().await.unwrap();
    let ask = |name: &'static str, value: reqwest::header::HeaderValue| {
        stand
            .client
            .get(stand.url("/assets/main-1a2b3c.js"))
            .header(name, value)
            .send()
    };
    let packed = ask("accept-encoding", "br, gzip;q=0.8".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert_eq!(packed.headers()["vary"], "accept-encoding");
    let packed = packed.bytes().await.unwrap();
    assert!(packed.len() < plain.len() / 2);
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_end(&mut unpacked)
        .unwrap();
    assert_eq!(unpacked, plain);
    let refused = ask("accept-encoding", "gzip;q=0".parse().unwrap())
        .await
        .unwrap();
    assert!(refused.headers().get("content-encoding").is_none());
    let known = ask("if-none-match", etag).await.unwrap();
    assert_eq!(known.status(), 304);
    assert!(known.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_binary_without_the_web_says_so() {
    let empty = Assets::from_files([]);
    let response = empty.answer(&axum::http::Method::GET, "/", &axum::http::HeaderMap::new());
    assert_eq!(response.status(), 200);
    let body = http_body(response).await;
    assert!(body.contains("built without its web pages") && body.contains("make web"));
    assert!(!body.contains("<script") && !body.contains("style="));
    // The embedded one has a page in any case.
    let embedded = Assets::embedded();
    let page = embedded.answer(&axum::http::Method::GET, "/", &axum::http::HeaderMap::new());
    let page = http_body(page).await.to_ascii_lowercase();
    assert!(page.contains("<!doctype html>"), "{page}");
}

async fn http_body(response: axum::response::Response) -> String {
    use futures::StreamExt;
    let mut text = Vec::new();
    let mut chunks = response.into_body().into_data_stream();
    while let Some(chunk) = chunks.next().await {
        text.extend_from_slice(&chunk.unwrap());
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn boards_and_metrics_have_their_shapes() {
    let stand = Stand::start().await;
    assert_eq!(
        stand.json("/v1/boards").await,
        json!({"boards": [{"name": "payments", "title": {"en": "Payments", "zh": "支付"}, "from": "folder"}]})
    );
    assert_eq!(
        stand.json("/v1/boards/payments").await,
        json!({
            "name": "payments",
            "title": {"en": "Payments", "zh": "支付"},
            "tiles": [{"metric": "payments", "title": {"en": "Payments", "zh": "支付"}, "where": {"psp": "adyen"}, "good": "up"}],
            "charts": [],
            "panels": [],
            "incidents": true,
            "from": "folder",
        })
    );
    assert_eq!(
        stand.json("/v1/metrics").await,
        json!({"metrics": [{
            "name": "payments", "unit": "count", "description": null, "formula": null, "of": "attempts",
            "dimensions": ["psp"], "bucket_ms": 1000, "kind": "count",
        }]})
    );
    stand.counts.add("adyen", 1_700_000_000_000_000);
    stand.counts.add("stripe", 1_700_000_001_000_000);
    let path =
        "/v1/metrics/payments?from=1700000000500&to=2023-11-14T22:13:22Z&by=psp&where=psp:adyen";
    assert_eq!(
        stand.json(path).await,
        json!({
            "metric": "payments", "unit": "count", "from": 1_700_000_000_500_i64, "to": 1_700_000_002_000_i64,
            "step_ms": 1000, "by": ["psp"], "watermark": 1_700_000_001_000_i64,
            "series": [{"by": {"psp": "adyen"}, "points": [[1_700_000_000_000_i64, 1], [1_700_000_001_000_i64, 0]]}],
            "truncated": false,
        })
    );
}

#[tokio::test]
async fn answers_of_the_api_are_compressed_on_request() {
    let stand = Stand::start().await;
    let ask = |path: &str| {
        stand
            .client
            .get(stand.url(path))
            .header("accept-encoding", "gzip")
            .send()
    };
    let response = ask("/v1/metrics/payments?from=-1h").await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let live = stand
        .client
        .get(stand.url("/v1/incidents/live"))
        .header("accept-encoding", "gzip");
    assert!(
        live.send()
            .await
            .unwrap()
            .headers()
            .get("content-encoding")
            .is_none(),
        "streams are not"
    );
}

#[tokio::test]
async fn the_openapi_document_describes_every_call() {
    let stand = Stand::start().await;
    let document = stand.json("/openapi.json").await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let mut calls: Vec<String> = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        calls.extend(
            methods
                .as_object()
                .unwrap()
                .keys()
                .map(|m| format!("{m} {path}")),
        );
    }
    calls.sort();
    assert_eq!(
        calls,
        [
            "delete /v1/annotations/{id}",
            "delete /v1/boards/{name}",
            "delete /v1/definitions/files/{file}",
            "delete /v1/definitions/{section}/{name}",
            "delete /v1/silences/{id}",
            "get /healthz",
            "get /metrics",
            "get /openapi.json",
            "get /readyz",
            "get /v1/access",
            "get /v1/annotations",
            "get /v1/backup",
            "get /v1/boards",
            "get /v1/boards/{name}",
            "get /v1/calendars",
            "get /v1/definitions",
            "get /v1/definitions/files/{file}",
            "get /v1/definitions/packs/{pack}/{file}",
            "get /v1/definitions/{section}/{name}",
            "get /v1/incidents",
            "get /v1/incidents/live",
            "get /v1/incidents/{id}",
            "get /v1/live",
            "get /v1/maintain",
            "get /v1/metrics",
            "get /v1/metrics/{metric}",
            "get /v1/metrics/{metric}/forecast",
            "get /v1/metrics/{metric}/live",
            "get /v1/monitors",
            "get /v1/series",
            "get /v1/silences",
            "get /v1/status",
            "get /v1/streams/{stream}/quarantine",
            "get /v1/verify",
            "post /v1/annotations",
            "post /v1/backup",
            "post /v1/incidents/{id}/{action}",
            "post /v1/maintain",
            "post /v1/monitors/{name}/backtest",
            "post /v1/propose",
            "post /v1/sql",
            "post /v1/streams/{stream}/events",
            "post /v1/streams/{stream}/quarantine/replay",
            "post /v1/verify",
            "put /v1/boards/{name}",
            "put /v1/definitions/files/{file}",
            "put /v1/definitions/{section}/{name}",
        ]
    );
    stand.app.set_definitions(Arc::new(Drawer::default()));
    // Whatever is described is there: no call answers that nothing is at its address.
    for call in &calls {
        let (method, path) = call.split_once(' ').unwrap();
        let filled = path
            .replace("{stream}", "payments")
            .replace("{metric}", "payments")
            .replace("{name}", "payments")
            .replace("{id}", "inc_1")
            .replace("{action}", "resolve");
        let method = method.to_uppercase().parse().unwrap();
        let response = stand
            .client
            .request(method, stand.url(&filled))
            .send()
            .await
            .unwrap();
        assert_ne!(response.status(), 405, "{call}");
        if response.status() == 404 {
            assert_ne!(problem(response).await.1, "not-found", "{call}");
        }
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in [
        "SeriesDocument",
        "ForecastDocument",
        "Receipt",
        "Incident",
        "Board",
        "Panel",
        "WrittenBoard",
        "SilenceList",
        "StatusDocument",
        "ProblemDocument",
        "SqlAnswer",
    ] {
        assert!(schemas.contains_key(name), "{name}");
    }
}
