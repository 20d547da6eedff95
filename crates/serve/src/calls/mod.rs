//! The calls of the API, one file per subject.

pub(crate) mod access;
pub(crate) mod annotations;
pub(crate) mod backtests;
pub(crate) mod backup;
pub(crate) mod boards;
pub(crate) mod definitions;
pub(crate) mod events;
pub(crate) mod forecast;
pub(crate) mod incidents;
pub(crate) mod maintain;
pub(crate) mod metrics;
pub(crate) mod probes;
pub(crate) mod sql;
pub(crate) mod status;
pub(crate) mod verify;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::problem::{Problem, Slug};
use crate::request::body::receive;

/// A JSON answer that is not kept by anybody on the way.
pub(crate) fn json(document: &impl Serialize) -> Result<Response, Problem> {
    let text = serde_json::to_string(document).map_err(|cause| Problem::internal(&cause))?;
    Ok(content("application/json", text))
}

/// An answer of some content type that is not kept by anybody on the way.
pub(crate) fn content(kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = body.into().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Reads a small JSON body. An empty one is `T`'s default when `empty` gives one.
pub(crate) async fn json_body<T: DeserializeOwned>(
    app: &App,
    request: Request,
    empty: Option<T>,
) -> Result<T, Problem> {
    let inner = app.inner();
    let (parts, body) = request.into_parts();
    let limits = &inner.limits;
    let received = receive(
        "",
        &parts.headers,
        body,
        limits.json_body_bytes_max,
        limits.body_timeout(),
        &inner.bodies,
    )
    .await?;
    if let (true, Some(empty)) = (received.bytes.is_empty(), empty) {
        return Ok(empty);
    }
    check_json(&parts.headers)?;
    serde_json::from_slice(&received.bytes).map_err(|fault| {
        Problem::new(
            Slug::BodyUnreadable,
            format!("The body is not the JSON expected: {fault}."),
        )
    })
}

fn check_json(headers: &HeaderMap) -> Result<(), Problem> {
    let sent = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let kind = sent.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(
            Slug::UnsupportedContentType,
            "This call reads JSON: send the header 'Content-Type: application/json'.",
        )
        .with("supported", vec!["application/json"]));
    }
    if headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|encoding| encoding != "identity")
    {
        return Err(Problem::new(
            Slug::UnsupportedContentEncoding,
            "This call reads bodies that are not compressed.",
        ));
    }
    Ok(())
}
