//! A metric over time: by slice, filled where nothing happened, in a fixed order.

mod division;
mod figures;
mod pane;
mod panes;
mod plan;
mod points;
mod query;
mod spread;
mod states;
mod weight;
mod window;

use std::sync::Arc;

pub use points::{OneSeries, PointValue, PointWindow, Series};
pub use query::{SeriesQuery, SlicesQuery};
pub use window::{Span, Windows, Zone};

pub(crate) use pane::PANE;
pub(crate) use points::{series, slices};
pub(crate) use query::{aligned, check_step, duration, metric_of, zone_of};

use crate::metric::Metric;

/// One slice of a metric with what a detector needs of every step.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// The slice's dimensions and their values, in the order asked for.
    pub by: Vec<(String, Option<String>)>,
    /// One entry per step of the range.
    pub buckets: Vec<SliceBucket>,
}

/// One step of a slice.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceBucket {
    /// Its start, in microseconds since 1970.
    pub start_us: i64,
    /// The metric's value; none where there is none.
    pub value: Option<f64>,
    /// The numerator of a ratio of counts.
    pub numerator: Option<f64>,
    /// The denominator of a ratio of counts.
    pub denominator: Option<f64>,
    /// The further measures asked for, in that order.
    pub measures: Vec<Option<f64>>,
    /// For each bound asked for, how many values are above it.
    pub above: Vec<Option<f64>>,
}

/// Slices of a metric.
#[derive(Debug, Clone)]
pub struct Slices {
    /// The metric.
    pub metric: Arc<Metric>,
    /// The slices, the heaviest first.
    pub slices: Vec<Slice>,
    /// Whether there are more slices than asked for.
    pub truncated: bool,
    /// The first and last bucket, in microseconds since 1970, in which the cube has rows of any
    /// slice within the range; outside of these nothing is known.
    pub known_us: Option<(i64, i64)>,
    /// The cube's version these figures show.
    pub version: u64,
}
