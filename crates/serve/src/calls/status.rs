//! The state of the whole.

use axum::extract::{Request, State};
use axum::response::Response;

use crate::app::App;
use crate::calls::json;
use crate::documents::{ServerState, StatusDocument};
use crate::problem::Problem;
use crate::request::params::Params;

/// The state of the server and of all that runs in it
///
/// It is answered while recovering, too.
#[utoipa::path(
    get, path = "/v1/status", tag = "status",
    responses((status = 200, description = "The state", body = StatusDocument))
)]
pub(crate) async fn get_status(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Problem> {
    Params::read(request.uri().query(), &[])?;
    json(&document(&app))
}

pub(crate) fn document(app: &App) -> StatusDocument {
    let inner = app.inner();
    let health = &inner.health;
    let ready = app.is_open();
    let mut streams = health.streams();
    app.fill_rates(&mut streams);
    StatusDocument {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: inner.started_at.to_string(),
        state: if ready {
            ServerState::Ready
        } else {
            ServerState::Recovering
        },
        progress: if ready {
            1.0
        } else {
            health.progress().fraction.clamp(0.0, 1.0)
        },
        definitions: health.definitions(),
        journal: health.journal(),
        history: health.history(),
        audit: health.audit(),
        memory: health.memory(),
        streams,
        cubes: health.cubes(),
        sources: health.sources(),
        channels: health.channels(),
        live_clients: app.live_clients(),
    }
}
