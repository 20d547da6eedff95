//! Backups.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::app::App;
use crate::calls::{json, json_body};
use crate::documents::{BackupRequest, BackupStatus, LastBackup};
use crate::problem::{Problem, ProblemDocument, Slug};
use crate::request::params::Params;

/// Begin a backup
///
/// It goes into the folder that the server was started with (`--backups`), and holds at least what was
/// acknowledged before the call. Ask for its state until that is no longer `running`.
#[utoipa::path(
    post, path = "/v1/backup", tag = "status", request_body = BackupRequest,
    responses(
        (status = 202, description = "It has begun", body = BackupStatus),
        (status = 409, description = "There is no folder for backups, one of that name, or another is being made", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn post_backup(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    app.services()?;
    let asked: BackupRequest = json_body(&app, request, Some(BackupRequest::default())).await?;
    let Some(backup) = app.inner().backup.get() else {
        return Err(Problem::new(
            Slug::Conflict,
            "This server makes no backups.",
        ));
    };
    let mut answer = json(&backup.start(asked.name)?)?;
    *answer.status_mut() = StatusCode::ACCEPTED;
    Ok(answer)
}

/// The last backup
#[utoipa::path(
    get, path = "/v1/backup", tag = "status",
    responses((status = 200, description = "The last backup since the start of the server", body = LastBackup))
)]
pub(crate) async fn get_backup(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    let backup = app.inner().backup.get().and_then(|backup| backup.last());
    json(&LastBackup { backup })
}
