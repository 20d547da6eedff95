//! Which call is where, and what stands around it.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Uri;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::app::App;
use crate::calls::{
    access, annotations, backtests, backup, boards, definitions, events, forecast, incidents,
    maintain, metrics, probes, sql, status, verify,
};
use crate::middleware;
use crate::problem::{Problem, Slug};
use crate::request::time::shorten;

/// The addresses of the API, without those outside `/v1`.
fn api() -> Router<App> {
    Router::new()
        .route("/v1/streams/{stream}/events", post(events::post_events))
        .route(
            "/v1/streams/{stream}/quarantine",
            get(events::get_quarantine),
        )
        .route(
            "/v1/streams/{stream}/quarantine/replay",
            post(events::post_replay),
        )
        .route("/v1/sql", post(sql::post_sql))
        .route("/v1/metrics", get(metrics::list_metrics))
        .route("/v1/metrics/{metric}", get(metrics::get_series))
        .route("/v1/metrics/{metric}/live", get(metrics::live_series))
        .route("/v1/metrics/{metric}/forecast", get(forecast::get_forecast))
        .route("/v1/series", get(metrics::get_several_series))
        .route("/v1/live", get(metrics::live_combined))
        .route("/v1/incidents", get(incidents::list_incidents))
        .route("/v1/incidents/live", get(incidents::live_incidents))
        .route("/v1/incidents/{id}", get(incidents::get_incident))
        .route(
            "/v1/incidents/{id}/{action}",
            post(incidents::act_on_incident),
        )
        .route("/v1/silences", get(incidents::list_silences))
        .route("/v1/silences/{id}", delete(incidents::end_silence))
        .route("/v1/monitors", get(incidents::list_monitors))
        .route(
            "/v1/monitors/{name}/backtest",
            post(backtests::post_backtest),
        )
        .route(
            "/v1/annotations",
            get(annotations::list_annotations).post(annotations::post_annotation),
        )
        .route(
            "/v1/annotations/{id}",
            delete(annotations::delete_annotation),
        )
        .route("/v1/boards", get(boards::list_boards))
        .route(
            "/v1/boards/{name}",
            get(boards::get_board)
                .put(boards::put_board)
                .delete(boards::delete_board),
        )
        .route("/v1/definitions", get(definitions::list_definitions))
        .route(
            "/v1/definitions/files/{*file}",
            get(definitions::get_file)
                .put(definitions::put_file)
                .delete(definitions::delete_file),
        )
        .route(
            "/v1/definitions/packs/{pack}/{*file}",
            get(definitions::get_pack_file),
        )
        .route(
            "/v1/definitions/{section}/{name}",
            get(definitions::get_item)
                .put(definitions::put_item)
                .delete(definitions::delete_item),
        )
        .route("/v1/calendars", get(definitions::list_calendars))
        .route("/v1/propose", post(definitions::post_propose))
        .route("/v1/access", get(access::get_access))
        .route("/v1/status", get(status::get_status))
        .route(
            "/v1/backup",
            get(backup::get_backup).post(backup::post_backup),
        )
        .route(
            "/v1/verify",
            get(verify::get_verify).post(verify::post_verify),
        )
        .route(
            "/v1/maintain",
            get(maintain::get_maintain).post(maintain::post_maintain),
        )
}

/// The whole server as a service.
///
/// From the outside in: request id and counters, security headers, panics, host and origin; then, for the API, the token
/// and its role, and the limits. Probes stand outside the limits, so that an overloaded server is not taken for a dead one.
pub(crate) fn router(app: App) -> Router {
    let api = api()
        .route("/metrics", get(probes::prometheus))
        .route("/v1", get(unknown_call))
        .route("/v1/", get(unknown_call))
        .route("/v1/{*rest}", axum::routing::any(unknown_call))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(from_fn_with_state(app.clone(), middleware::limited))
        .layer(from_fn_with_state(app.clone(), middleware::token));
    Router::new()
        .merge(api)
        .route("/healthz", get(probes::healthz))
        .route("/readyz", get(probes::readyz))
        .route("/openapi.json", get(probes::openapi_document))
        .fallback(web)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(app.clone(), middleware::admit))
        .layer(CatchPanicLayer::custom(middleware::panicked))
        .layer(from_fn(middleware::secure_headers))
        .layer(from_fn_with_state(app.clone(), middleware::trace))
        .with_state(app)
}

async fn web(State(app): State<App>, request: Request) -> Response {
    app.inner()
        .assets
        .answer(request.method(), request.uri().path(), request.headers())
}

async fn unknown_call(uri: Uri) -> Response {
    Problem::new(
        Slug::NotFound,
        format!(
            "There is no call '{}'; /openapi.json lists those there are.",
            shorten(uri.path())
        ),
    )
    .into_response()
}

async fn wrong_method(request: Request) -> Response {
    Problem::new(
        Slug::MethodNotAllowed,
        format!(
            "{} is not among the methods in the Allow header.",
            request.method()
        ),
    )
    .into_response()
}
