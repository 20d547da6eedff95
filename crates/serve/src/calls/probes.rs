//! Probes for those who run the server, and its OpenAPI document.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::app::App;
use crate::calls::content;
use crate::exposition::{self, Readings};
use crate::openapi;
use crate::problem::{Problem, ProblemDocument};

/// Whether the process is alive
#[utoipa::path(
    get, path = "/healthz", tag = "status",
    responses((status = 200, description = "It is", body = String, content_type = "text/plain"))
)]
pub(crate) async fn healthz() -> Response {
    content("text/plain; charset=utf-8", "ok\n")
}

/// Whether all calls are answered
#[utoipa::path(
    get, path = "/readyz", tag = "status",
    responses(
        (status = 200, description = "They are", body = String, content_type = "application/json"),
        (status = 503, description = "Recovering, with `progress`, or the journal cannot be written", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn readyz(State(app): State<App>) -> Response {
    if let Err(recovering) = app.services() {
        return recovering.into_response();
    }
    if app.inner().health.journal().state == "poisoned" {
        return Problem::new(
            crate::problem::Slug::JournalPoisoned,
            "The journal failed to reach the disk; the server must be started anew.",
        )
        .into_response();
    }
    content("application/json", json!({"state": "ready"}).to_string())
}

/// The server's own health for Prometheus
#[utoipa::path(
    get, path = "/metrics", tag = "status",
    responses((status = 200, description = "OpenMetrics text", body = String, content_type = "application/openmetrics-text"))
)]
pub(crate) async fn prometheus(State(app): State<App>) -> Result<Response, Problem> {
    let inner = app.inner();
    let health = &inner.health;
    let ready = app.is_open();
    let readings = Readings {
        ready,
        progress: if ready {
            1.0
        } else {
            health.progress().fraction
        },
        uptime_s: jiff::Timestamp::now()
            .duration_since(inner.started_at)
            .as_secs_f64(),
        live_clients: app.live_clients(),
        live_queries: inner.hub.topics() as u64,
        live_computations: inner.hub.computed(),
        series: app
            .services()
            .map(|services| services.figures.reuse())
            .unwrap_or_default(),
        bodies_bytes: inner.bodies.used_bytes() as u64,
        journal: health.journal(),
        history: health.history(),
        audit: health.audit(),
        memory: health.memory(),
        streams: health.streams(),
        cubes: health.cubes(),
        sources: health.sources(),
    };
    let text = inner
        .exposition
        .encode(&readings)
        .map_err(|cause| Problem::internal(&cause))?;
    Ok(content(exposition::CONTENT_TYPE, text))
}

/// This document
#[utoipa::path(
    get, path = "/openapi.json", tag = "status",
    responses((status = 200, description = "The OpenAPI document", body = String, content_type = "application/json"))
)]
pub(crate) async fn openapi_document() -> Response {
    content("application/json", openapi::text())
}
