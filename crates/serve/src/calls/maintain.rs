//! Maintaining the running server by hand.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::app::App;
use crate::calls::json;
use crate::documents::{LastMaintain, MaintainStatus};
use crate::problem::{Problem, ProblemDocument, Slug};
use crate::request::params::Params;

/// Begin maintenance
///
/// Everything that came is flushed to history; then small files are laid together and old states rolled up until
/// nothing is left to do, and files that nobody needs are deleted. The server does the same by itself, within its
/// share of a core; this takes what it needs. Ask for its state until that is no longer `running`.
#[utoipa::path(
    post, path = "/v1/maintain", tag = "status",
    responses(
        (status = 202, description = "It has begun", body = MaintainStatus),
        (status = 409, description = "Another is running", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn post_maintain(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    app.services()?;
    let Some(maintenance) = app.inner().maintenance.get() else {
        return Err(Problem::new(
            Slug::Conflict,
            "This server maintains nothing.",
        ));
    };
    let mut answer = json(&maintenance.start()?)?;
    *answer.status_mut() = StatusCode::ACCEPTED;
    Ok(answer)
}

/// The last maintenance
#[utoipa::path(
    get, path = "/v1/maintain", tag = "status",
    responses((status = 200, description = "The last maintenance that was asked for since the start of the server", body = LastMaintain))
)]
pub(crate) async fn get_maintain(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let maintenance = app.inner().maintenance.get();
    let maintain = maintenance.and_then(|maintenance| maintenance.last());
    json(&LastMaintain { maintain })
}
