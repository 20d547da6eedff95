//! The OpenAPI document, made from the calls themselves.

use std::sync::OnceLock;

use utoipa::OpenApi;

use crate::calls::{
    access, annotations, backtests, backup, boards, definitions, events, forecast, incidents,
    maintain, metrics, probes, sql, status, verify,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tillwatch",
        description = "Real-time analytics and monitoring for commerce and payments. Errors are problem documents (RFC 9457).",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        events::post_events, events::get_quarantine, events::post_replay,
        sql::post_sql,
        metrics::list_metrics, metrics::get_series, metrics::get_several_series,
        metrics::live_series, metrics::live_combined, forecast::get_forecast,
        incidents::list_incidents, incidents::get_incident, incidents::live_incidents,
        incidents::act_on_incident, incidents::list_silences, incidents::end_silence,
        incidents::list_monitors, backtests::post_backtest,
        annotations::list_annotations, annotations::post_annotation, annotations::delete_annotation,
        boards::list_boards, boards::get_board, boards::put_board, boards::delete_board,
        definitions::list_definitions, definitions::get_file, definitions::put_file, definitions::delete_file,
        definitions::get_pack_file, definitions::get_item, definitions::put_item, definitions::delete_item,
        definitions::list_calendars, definitions::post_propose,
        access::get_access, status::get_status, backup::post_backup, backup::get_backup,
        verify::post_verify, verify::get_verify, maintain::post_maintain, maintain::get_maintain,
        probes::healthz, probes::readyz, probes::prometheus, probes::openapi_document,
    ),
    tags(
        (name = "events", description = "Bringing events"),
        (name = "metrics", description = "Figures over time"),
        (name = "sql", description = "Questions in SQL"),
        (name = "incidents", description = "What monitors have found"),
        (name = "annotations", description = "What may be why a figure moved"),
        (name = "boards", description = "Pages of tiles, charts and panels"),
        (name = "definitions", description = "The definitions folder, and definitions for a file"),
        (name = "status", description = "The state of the server"),
    ),
)]
struct Document;

/// The document as JSON text.
pub(crate) fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let mut document = Document::openapi();
        document.info.version = env!("CARGO_PKG_VERSION").to_owned();
        // The document consists of texts and lists, which always have a JSON form.
        document.to_json().unwrap_or_default()
    })
}
