//! What a metric is expected to do: forecasts with intervals, and the expected total of the day.
//!
//! A forecast is made of the metric's own series, in steps that are all complete: a step that is still
//! filling would be taken for a bad one. It begins with the first step that is not complete, is
//! computed on a thread of its own, one at a time, and is kept until another step is complete.

mod call;
mod day;
mod desk;
mod learn;
mod question;
mod table;
mod weight;

use std::sync::Arc;

use tillwatch_predict::{Footing, Method, Point, Rest};

use crate::calendar::Period;
use crate::metric::Metric;
use crate::series::PointValue;

pub use day::DayTotal;
pub use question::forecast_step_us;

pub(crate) use call::function;
pub(crate) use day::answer;
pub(crate) use desk::{Forecasts, forecast};
pub(crate) use question::plan;

/// The name of the function that makes forecasts a table in SQL.
pub(crate) const FORECAST: &str = "forecast";

/// A question for a metric's forecast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForecastQuery {
    /// The metric's name.
    pub metric: String,
    /// When it is asked, in microseconds since 1970: only what is complete by then is history.
    pub at_us: i64,
    /// Width of one point, a multiple of the cube's bucket; [`forecast_step_us`] when none is told.
    pub step_us: Option<i64>,
    /// How far it goes ahead.
    pub horizon: Horizon,
    /// Whose midnight begins a day, by its IANA name; UTC when none is told.
    pub zone: Option<String>,
    /// Dimensions to split by.
    pub by: Vec<String>,
    /// Conditions on dimensions, as for a series.
    pub filters: Vec<(String, String)>,
    /// Number of slices wanted at most, below the configured limit.
    pub limit_series: Option<usize>,
}

/// How far a forecast goes ahead of the time it is asked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Horizon {
    /// So many microseconds, rounded up to whole steps, from the start of the step that the time lies in.
    For(i64),
    /// To the end of the calendar's period that the time lies in, with the step that it lies in.
    Until(Period),
}

/// A metric's forecast. All times are in microseconds since 1970.
#[derive(Debug)]
pub struct Forecast {
    /// The metric.
    pub metric: Arc<Metric>,
    /// Width of a step.
    pub step_us: i64,
    /// Start of the first step that was read.
    pub history_from_us: i64,
    /// Start of the first step that is forecast: the first that was not complete.
    pub from_us: i64,
    /// End of the last step that is forecast.
    pub to_us: i64,
    /// The slices, the heaviest first.
    pub slices: Vec<SliceForecast>,
    /// Whether there are more slices than are answered.
    pub truncated: bool,
    /// What there is to know about history, in sentences.
    pub notes: Vec<String>,
    /// The value of a step in which nothing happened: zero for sums.
    pub(crate) empty: PointValue,
    /// The cube's version that was read.
    pub(crate) version: u64,
    /// Of the cube's buckets, the starts that were read: `from ≤ t < to`.
    pub(crate) read_us: (i64, i64),
}

/// What is expected of one slice.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceForecast {
    /// The slice's dimensions and their values, in the order asked for.
    pub by: Vec<(String, Option<String>)>,
    /// Steps of history with a value.
    pub known: usize,
    /// The forecast, or how much is missing for one.
    pub outlook: Outlook,
}

/// A forecast, or why there is none yet.
#[derive(Debug, Clone, PartialEq)]
pub enum Outlook {
    /// History is too short.
    Learning {
        /// Steps with a value that are needed at least.
        needed: usize,
    },
    /// There is a forecast.
    Ready(Expected),
}

/// A forecast of one slice.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// What it is founded on.
    pub footing: Footing,
    /// The periods after which the metric repeats itself, as far as history has them twice.
    pub periods_us: Vec<i64>,
    /// What it was made by.
    pub methods: Vec<Method>,
    /// One per step.
    pub points: Vec<Point>,
    /// What the steps to come bring until the end of the day; none for what does not add up.
    pub(crate) rest: Option<Rest>,
}

/// A metric's forecast, and the day's expected total as it is now.
#[derive(Debug)]
pub struct ForecastAnswer {
    /// The forecast.
    pub forecast: Arc<Forecast>,
    /// Event time up to which everything is counted in the day's totals, in microseconds since 1970.
    pub complete_us: i64,
    /// The day that the time of the question lies in, for metrics that add up over it.
    pub day_us: Option<(i64, i64)>,
    /// One per slice of the forecast; none where there is no forecast or the day cannot be told.
    pub days: Vec<Option<DayTotal>>,
    /// What there is to know, in sentences.
    pub notes: Vec<String>,
}
