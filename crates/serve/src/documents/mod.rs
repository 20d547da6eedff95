//! The JSON documents of the API, as types: what is served and what the OpenAPI document describes.

mod board;
mod incident;
mod ingest;
mod metric;
mod sql;
mod status;

pub use board::{Board, BoardList, BoardSummary, Chart, Localized, Tile};
pub use incident::{
    ActionRequest, Incident, IncidentList, IncidentState, Monitor, MonitorList, TimelineEntry,
};
pub use ingest::{QuarantineList, QuarantinedLine, Receipt, RejectedLine, ReplayReceipt};
pub use metric::{Figure, Metric, MetricKind, MetricList, Point, SeriesDocument, SliceSeries};
pub use sql::{SqlAnswer, SqlColumn, SqlRequest};
pub use status::{
    CubeStatus, DefinitionsStatus, JournalStatus, ServerState, SourceStatus, StatusDocument,
    StreamStatus,
};
