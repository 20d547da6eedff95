//! Request ids, log lines, counters, and what becomes of a panic.

use std::any::Any;
use std::borrow::Cow;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tillwatch_event::guard::mask;
use tracing::Instrument;

use crate::app::App;
use crate::problem::{Problem, Slug};

/// The header that carries the id of a request, in and out.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A longer id than this is replaced by our own.
const REQUEST_ID_CHARS_MAX: usize = 64;

/// Gives the request an id (or keeps a harmless one it brought), logs it, and counts it.
///
/// The address is logged without its query, whose values come from outside and may be long.
pub(crate) async fn trace(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|v| v.to_str().ok())
        .filter(|id| is_harmless(id))
        .map_or_else(|| format!("{:032x}", rand::random::<u128>()), str::to_owned);
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "web".to_owned(), |path| path.as_str().to_owned());
    let method = request.method().clone();
    // Of the highest level, so that the id stands beside every line that is logged at all.
    let span = tracing::error_span!("request", id, method = %mask(method.as_str()), route);
    let began = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = began.elapsed();
    let status = response.status();
    span.in_scope(|| {
        let took_ms = took.as_millis();
        if status.is_server_error() {
            tracing::warn!(status = status.as_u16(), took_ms, "answered");
        } else {
            tracing::debug!(status = status.as_u16(), took_ms, "answered");
        }
    });
    app.inner()
        .exposition
        .answered(&method, &route, status, took);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Short, of letters, digits and a few signs, and without a card number, as it is logged and sent back.
fn is_harmless(id: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    (1..=REQUEST_ID_CHARS_MAX).contains(&id.len())
        && id.bytes().all(legal)
        && matches!(mask(id), Cow::Borrowed(_))
}

/// A panic in a call is a fault of ours; it ends that call and nothing else.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature is the catching layer's"
)]
pub(crate) fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let text = cause
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| cause.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown");
    tracing::error!(cause = %mask(text), "a call panicked");
    Problem::new(
        Slug::Internal,
        "The cause is in the server's log under this request's id.",
    )
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_from_outside_are_kept_only_when_harmless() {
        assert!(is_harmless("0af7651916cd43dd8448eb211c80319c"));
        assert!(is_harmless("a-b_c.9"));
        for id in [
            "",
            "a b",
            "a\"b",
            "é",
            &"x".repeat(65),
            "4111111111111111",
            "req-4111-1111-1111-1111",
        ] {
            assert!(!is_harmless(id), "{id:?}");
        }
    }
}
