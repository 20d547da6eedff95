//! The JSON documents of the API, as types: what is served and what the OpenAPI document describes.

mod access;
mod annotation;
mod backtest;
mod backup;
mod board;
mod definitions;
mod explanation;
mod forecast;
mod incident;
mod ingest;
mod maintain;
mod metric;
mod sql;
mod status;
mod verify;

pub use access::AccessDocument;
pub use annotation::{Annotation, AnnotationKind, AnnotationList, WrittenAnnotation};
pub use backtest::{
    BacktestAnswer, BacktestComparison, BacktestCounts, BacktestIncident, BacktestLabel,
    BacktestMissed, BacktestPair, BacktestRequest, BacktestResolution, BacktestRun,
};
pub use backup::{BackupRequest, BackupStatus, LastBackup};
pub use board::{
    Board, BoardList, BoardPlace, BoardSummary, Chart, ChartShape, FunnelPanel, FunnelStep,
    GaugePanel, GoodDirection, HeatmapPanel, Localized, MapPanel, Panel, PanelWidth, SankeyPanel,
    TablePanel, TextPanel, Tile, WrittenBoard,
};
pub use definitions::{
    CalendarDay, CalendarDocument, CalendarList, DefinitionChanged, DefinitionFault,
    DefinitionFile, DefinitionItem, DefinitionList, DefinitionPack, Holdings, MaintenanceDocument,
    ProposalDocument, ProposedBoard, ProposedField,
};
pub use explanation::{
    ExplainedAlternative, ExplainedMix, ExplainedPart, ExplainedSpan, IncidentExplanation,
};
pub(crate) use forecast::LEVELS;
pub use forecast::{
    DayForecast, ForecastDocument, ForecastFooting, ForecastMethod, ForecastPoint, ForecastStatus,
    SliceForecast,
};
pub use incident::{
    ActionRequest, Incident, IncidentImpact, IncidentList, IncidentRevision, IncidentState,
    Monitor, MonitorFeedback, MonitorList, RevisedFigures, Silence, SilenceList, TimelineEntry,
    Verdict,
};
pub use ingest::{QuarantineList, QuarantinedLine, Receipt, RejectedLine, ReplayReceipt};
pub use maintain::{LastMaintain, MaintainStatus};
pub use metric::{
    Figure, Metric, MetricKind, MetricList, Point, RevisedPoint, SeriesDocument, SeriesList,
    SeriesOrProblem, SliceSeries,
};
pub use sql::{SqlAnswer, SqlColumn, SqlRequest};
pub use status::{
    AuditStatus, ChannelStatus, CubeStatus, DefinitionsStatus, HistoryStatus, JournalStatus,
    LagBucket, LagHistogram, MemoryPartStatus, MemoryStatus, ServerState, SourceStatus,
    StatusDocument, StreamSource, StreamStatus,
};
pub use verify::{
    CubeReport, FigureDifference, FileFault, LastVerify, PlaceReport, VerifyProgress, VerifyReport,
    VerifyRequest, VerifyStatus,
};
