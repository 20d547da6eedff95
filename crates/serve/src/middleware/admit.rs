//! Who is let in, how many at once, and for how long.

use axum::extract::{MatchedPath, Request, State};
use axum::http::Uri;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::access::{Access, Need, need};
use crate::app::App;
use crate::problem::{Problem, Slug};

/// Checks the host name and, of calls that change something, where they come from.
pub(crate) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let inner = app.inner();
    let uri: &Uri = request.uri();
    let checked = inner
        .access
        .check_host(request.headers(), uri)
        .and_then(|()| Access::check_origin(request.method(), request.headers()));
    match checked {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Asks for a token, if the server has any, and for a role that may do what the call does. Handlers find the
/// [`Caller`](crate::access::Caller) among the extensions.
pub(crate) async fn token(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let needs = path.and_then(|path| need(request.method(), path.as_str()));
    let caller = app.inner().access.identify(request.headers());
    let checked = caller.and_then(|caller| match needs {
        Some(Need::Token) => Ok(caller),
        Some(Need::Of(right)) => caller.check(right).map(|()| caller),
        // A call that was added and not entered there is open to nobody.
        None => Err(Problem::internal(
            &"this call does not stand in the table of what calls need",
        )),
    });
    match checked {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Bounds how many calls are answered at once and how long each may take.
///
/// Live streams are bounded by their own places, and their answers begin at once, so the time does not matter to them.
pub(crate) async fn limited(State(app): State<App>, request: Request, next: Next) -> Response {
    let inner = app.inner();
    if inner.stop.is_cancelled() {
        return Problem::new(
            Slug::Stopping,
            "The server is stopping; send this again shortly.",
        )
        .retry_after_s(1)
        .into_response();
    }
    let Ok(_permit) = inner.requests.try_acquire() else {
        let max = inner.limits.requests_at_once_max;
        return Problem::new(
            Slug::Overloaded,
            format!("{max} calls are being answered, which is the limit; send this again shortly."),
        )
        .retry_after_s(1)
        .into_response();
    };
    match tokio::time::timeout(inner.limits.request_timeout(), next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            Slug::Timeout,
            format!(
                "There was no answer within {} ms. Events sent with ids or an Idempotency-Key can be sent again without harm.",
                inner.limits.request_timeout_ms
            ),
        )
        .into_response(),
    }
}
