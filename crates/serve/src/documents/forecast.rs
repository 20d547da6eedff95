//! Forecasts of metrics.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::documents::Figure;

/// The shares of values that the intervals shall hold, as the members `…_80` and `…_95` are named.
pub(crate) const LEVELS: [f64; 2] = [0.8, 0.95];

/// What a metric is expected to do, by slice.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ForecastDocument {
    /// The metric's name.
    pub metric: String,
    /// Its unit.
    pub unit: Option<String>,
    /// The time it is made for, in milliseconds since the epoch: what is complete by then is history.
    pub at: i64,
    /// Start of the first step that is forecast, in milliseconds since the epoch: the first that was not complete.
    pub from: i64,
    /// End of the last step that is forecast, in milliseconds since the epoch.
    pub to: i64,
    /// Length of a step in milliseconds.
    pub step_ms: i64,
    /// Start of the first step of history that was read, in milliseconds since the epoch.
    pub history_from: i64,
    /// Whose midnight begins a day.
    pub zone: String,
    /// The dimensions it is split by.
    pub by: Vec<String>,
    /// The shares of values that the intervals shall hold.
    pub levels: [f64; 2],
    /// One forecast per slice, the heaviest first.
    pub forecasts: Vec<SliceForecast>,
    /// What there is to know about history and the day's total, in sentences; left out when there is nothing to say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Whether slices were left out because of `limit`.
    pub truncated: bool,
}

/// Whether there is a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForecastStatus {
    /// There is.
    Ready,
    /// History is too short yet.
    Learning,
}

/// What a forecast is founded on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForecastFooting {
    /// Neither a day nor a week has been seen twice: intervals are at least as wide as the values lie apart.
    ColdStart,
    /// The day has been seen twice, the week not yet.
    Partial,
    /// Both have been seen twice.
    Full,
}

/// What is expected of one slice.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SliceForecast {
    /// The slice: a value for each dimension of `by`; null where events have none.
    pub by: BTreeMap<String, Option<String>>,
    /// Whether there is a forecast.
    pub status: ForecastStatus,
    /// Steps of history that have a value.
    pub known_steps: u64,
    /// Steps with a value that are needed at least, while there is no forecast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed_steps: Option<u64>,
    /// Why there is no forecast, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the forecast is founded on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footing: Option<ForecastFooting>,
    /// After how long the metric repeats itself, as far as history has it twice: a day, a week.
    pub periods_ms: Vec<i64>,
    /// The methods that are combined, the one that counts most first.
    pub methods: Vec<ForecastMethod>,
    /// The steps to come, ascending; empty while there is no forecast.
    pub points: Vec<ForecastPoint>,
    /// The expected total of the day that `at` lies in; null for metrics that do not add up, and where it cannot be told.
    pub day: Option<DayForecast>,
}

/// A kind of method in a forecast.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ForecastMethod {
    /// `smoothing` or `autoregression`.
    pub method: &'static str,
    /// Whether it works on the logarithm of the values.
    pub logarithmic: bool,
    /// How much it counts, from 0 to 1; those of all methods add up to 1.
    pub weight: f64,
}

/// What is expected of one step. These are estimates and hence floating-point numbers, also of amounts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct ForecastPoint {
    /// Start of the step in milliseconds since the epoch.
    pub start: i64,
    /// Expected value.
    pub value: f64,
    /// Lower end of the interval that holds 80 of 100 values.
    pub lower_80: f64,
    /// Its upper end.
    pub upper_80: f64,
    /// Lower end of the interval that holds 95 of 100 values.
    pub lower_95: f64,
    /// Its upper end.
    pub upper_95: f64,
}

/// What a day is expected to come to.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DayForecast {
    /// Midnight, in milliseconds since the epoch.
    pub from: i64,
    /// The next midnight.
    pub to: i64,
    /// Up to when events are counted in `so_far`, in milliseconds since the epoch.
    pub complete_to: i64,
    /// What the day has come to so far, exactly.
    #[schema(value_type = Option<f64>)]
    pub so_far: Option<Figure>,
    /// What it is expected to come to at its end: what has come so far and what is expected of the rest.
    pub value: f64,
    /// Lower end of the interval that holds 80 of 100 totals.
    pub lower_80: f64,
    /// Its upper end.
    pub upper_80: f64,
    /// Lower end of the interval that holds 95 of 100 totals.
    pub lower_95: f64,
    /// Its upper end.
    pub upper_95: f64,
}
