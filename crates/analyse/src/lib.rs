//! Questions over live data and history.
//!
//! Cubes and streams are tables, SQL over them is guarded, metrics are checked formulas over the
//! kept partial aggregates, and a metric's series is one grouping of those.

mod analyst;
mod audit;
mod calendar;
mod encode;
mod engine;
mod error;
mod forecast;
mod friendly;
mod guard;
mod limits;
mod measure;
mod metric;
mod pool;
mod processed;
mod reuse;
mod series;
mod source;
mod suggest;
mod table_docs;
mod tables;
mod windowed;

#[cfg(test)]
mod tests;

pub use analyst::{Analyst, check_metrics, natures};
pub use audit::{AuditLimits, AuditPart, AuditReport, Auditor, Difference};
pub use calendar::{Period, is_zone, nearest_zone};
pub use encode::QueryResult;
pub use error::{AnalyseError, Fault, Position};
pub use forecast::{
    DayTotal, Expected, Forecast, ForecastAnswer, ForecastQuery, Horizon, Outlook, SliceForecast,
    forecast_step_us,
};
pub use limits::{LimitOverride, QueryLimits};
pub use metric::{Metric, MetricDefinition, MetricKind, MetricTitle, Nature, Quantile, Ratio};
pub use reuse::ReuseStatus;
pub use series::{
    OneSeries, PointValue, PointWindow, Series, SeriesQuery, Slice, SliceBucket, Slices,
    SlicesQuery, Span, Windows, Zone,
};
pub use table_docs::{TableDoc, table_docs};
pub use tillwatch_predict::{Footing, Method, MethodKind, Point as ExpectedPoint};
