//! Verifying what the running server keeps.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::app::App;
use crate::calls::{json, json_body};
use crate::documents::{LastVerify, VerifyRequest, VerifyStatus};
use crate::problem::{Problem, ProblemDocument, Slug};
use crate::request::params::Params;

/// Begin a verification
///
/// It reads the journal up to where it ends now, the remembered ids and every file of history, compares all
/// checksums, and recomputes buckets of every cube from the raw events, while the server goes on. Ask for its
/// state until that is no longer `running`.
#[utoipa::path(
    post, path = "/v1/verify", tag = "status", request_body = VerifyRequest,
    responses(
        (status = 202, description = "It has begun", body = VerifyStatus),
        (status = 409, description = "Another is running", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn post_verify(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    app.services()?;
    let asked: VerifyRequest = json_body(&app, request, Some(VerifyRequest::default())).await?;
    if asked.all && asked.sample.is_some() {
        return Err(Problem::new(
            Slug::BadParameter,
            "Say `all` or `sample`, not both: all buckets, or so many of each cube.",
        ));
    }
    let Some(verification) = app.inner().verification.get() else {
        return Err(Problem::new(
            Slug::Conflict,
            "This server verifies nothing.",
        ));
    };
    let mut answer = json(&verification.start(&asked)?)?;
    *answer.status_mut() = StatusCode::ACCEPTED;
    Ok(answer)
}

/// The last verification
#[utoipa::path(
    get, path = "/v1/verify", tag = "status",
    responses((status = 200, description = "The last verification since the start of the server", body = LastVerify))
)]
pub(crate) async fn get_verify(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let verification = app.inner().verification.get();
    let verify = verification.and_then(|verification| verification.last());
    json(&LastVerify { verify })
}
