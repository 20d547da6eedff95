//! Taking events, and the quarantine of lines that were not taken.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::app::App;
use crate::calls::json;
use crate::documents::{QuarantineList, Receipt, ReplayReceipt};
use crate::ports::Envelope;
use crate::problem::{Problem, ProblemDocument, Slug};
use crate::request::body::{discard, receive};
use crate::request::named::Named;
use crate::request::params::Params;

/// An `Idempotency-Key` may have this many characters.
pub(crate) const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

/// Lines of quarantine shown when the caller names no limit.
const QUARANTINE_DEFAULT: usize = 100;

/// Take events
///
/// Answers after the events are safe on disk. Lines that cannot be taken do not stop the others: they go to
/// quarantine and are told with reasons.
#[utoipa::path(
    post, path = "/v1/streams/{stream}/events", tag = "events",
    params(
        ("stream" = String, Path, description = "Name of the stream"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes sending the same body again harmless, for streams without ids"),
    ),
    request_body(description = "Events, plain or compressed with gzip or zstd", content(
        (String = "application/x-ndjson"), (String = "application/json"), (String = "text/csv"),
    )),
    responses(
        (status = 200, description = "At least one event was taken, now or before, or there was none", body = Receipt),
        (status = 400, description = "The body as a whole cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "No such stream", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "Content type or encoding is not supported", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "No event was taken; the document also has the receipt's members", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "Too much at once; see Retry-After", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "Recovering, stopping, or the journal cannot be written", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 507, description = "The disk is full, or nearly so", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn post_events(
    State(app): State<App>,
    Named(stream): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    let collector = app.services()?.collector;
    Params::read(request.uri().query(), &[])?;
    let (parts, body) = request.into_parts();
    let mut envelope = Envelope {
        stream,
        content_type: one_header(&parts.headers, &header::CONTENT_TYPE)?,
        content_encoding: one_header(&parts.headers, &header::CONTENT_ENCODING)?,
        idempotency_key: idempotency_key(&parts.headers)?,
        body: Bytes::new(),
    };
    // What is wrong with the head is told before a large body is sent for nothing.
    if let Err(problem) = collector.check(&envelope) {
        discard(body.into_data_stream()).await;
        return Err(problem);
    }
    let inner = app.inner();
    let limits = &inner.limits;
    let again = |problem: Problem| match problem.slug() {
        Slug::Overloaded => {
            let wait = collector.refused(&envelope.stream);
            problem.retry_after(wait)
        }
        _ => problem,
    };
    let Some(place) = inner.ingest.take(&envelope.stream) else {
        let problem = again(Problem::new(
            Slug::Overloaded,
            format!(
                "As many calls bring events of stream '{}' as may at once; send this again shortly.",
                envelope.stream
            ),
        ));
        discard(body.into_data_stream()).await;
        return Err(problem);
    };
    let received = receive(
        &envelope.stream,
        &parts.headers,
        body,
        limits.body_bytes_max,
        limits.body_timeout(),
        &inner.bodies,
    )
    .await
    .map_err(again)?;
    envelope.body = received.bytes.clone();
    // A client that hangs up does not undo what is on its way to the disk: the work goes on by itself.
    let taken = tokio::spawn(async move {
        let outcome = collector.take(envelope).await;
        drop((received, place));
        outcome
    });
    let receipt = taken.await.map_err(|cause| Problem::internal(&cause))??;
    answer(&receipt)
}

/// 200 when something was taken or there was nothing to take; 422 when every line was rejected.
fn answer(receipt: &Receipt) -> Result<Response, Problem> {
    if receipt.rejected == 0 || receipt.accepted + receipt.duplicates > 0 {
        return json(receipt);
    }
    let first = receipt.rejections.first().map_or_else(String::new, |r| {
        let field = r
            .field
            .as_ref()
            .map_or_else(String::new, |f| format!(", field '{f}'"));
        format!(" The first, line {}{field}: {}.", r.line, r.reason)
    });
    let rejections =
        serde_json::to_value(&receipt.rejections).map_err(|cause| Problem::internal(&cause))?;
    let problem = Problem::new(
        Slug::NothingAccepted,
        format!("All {} lines were rejected.{first}", receipt.rejected),
    )
    .with("accepted", 0)
    .with("duplicates", 0)
    .with("rejected", receipt.rejected)
    .with("rejections", rejections);
    Ok(problem.into_response())
}

fn one_header(headers: &HeaderMap, name: &header::HeaderName) -> Result<Option<String>, Problem> {
    let bad = |detail: String| Problem::new(Slug::BadHeader, detail).with("header", name.as_str());
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(bad(format!("The header '{name}' was sent more than once.")));
    }
    let text = value
        .to_str()
        .map_err(|_| bad(format!("The header '{name}' is not plain text.")))?;
    Ok(Some(text.to_owned()))
}

/// The header that makes sending the same again harmless.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    const NAME: header::HeaderName = header::HeaderName::from_static("idempotency-key");
    let key = one_header(headers, &NAME)?;
    match &key {
        Some(key) if key.trim().is_empty() || key.len() > IDEMPOTENCY_KEY_CHARS_MAX => {
            Err(Problem::new(
                Slug::BadHeader,
                format!("An Idempotency-Key has 1 to {IDEMPOTENCY_KEY_CHARS_MAX} characters."),
            )
            .with("header", NAME.as_str()))
        }
        _ => Ok(key),
    }
}

/// Lines in quarantine
///
/// The latest lines of a stream that were not taken, with reasons; card numbers are masked.
#[utoipa::path(
    get, path = "/v1/streams/{stream}/quarantine", tag = "events",
    params(
        ("stream" = String, Path, description = "Name of the stream"),
        ("limit" = Option<usize>, Query, description = "At most so many lines, 100 unless told"),
    ),
    responses(
        (status = 200, description = "The lines, latest first", body = QuarantineList),
        (status = 404, description = "No such stream", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn get_quarantine(
    State(app): State<App>,
    Named(stream): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    let limit = quarantine_limit(&app, &request)?;
    json(&app.services()?.collector.quarantine(stream, limit).await?)
}

/// Try the lines in quarantine again
///
/// After the definitions have been mended. Lines that were cut or masked cannot be taken again as they were.
#[utoipa::path(
    post, path = "/v1/streams/{stream}/quarantine/replay", tag = "events",
    params(
        ("stream" = String, Path, description = "Name of the stream"),
        ("limit" = Option<usize>, Query, description = "At most so many lines, 100 unless told"),
    ),
    responses(
        (status = 200, description = "What became of them", body = ReplayReceipt),
        (status = 404, description = "No such stream", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn post_replay(
    State(app): State<App>,
    Named(stream): Named<String>,
    request: Request,
) -> Result<Response, Problem> {
    let limit = quarantine_limit(&app, &request)?;
    json(&app.services()?.collector.replay(stream, limit).await?)
}

fn quarantine_limit(app: &App, request: &Request) -> Result<usize, Problem> {
    let params = Params::read(request.uri().query(), &["limit"])?;
    params.count(
        "limit",
        QUARANTINE_DEFAULT,
        app.inner().limits.list_rows_max,
    )
}
