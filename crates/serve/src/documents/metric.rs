//! Metrics and their series.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeTuple, Serializer};
use utoipa::ToSchema;

use super::Localized;
use crate::problem::ProblemDocument;

/// What sort of figure a metric is, which decides how it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// A share of something, between 0 and 1.
    Rate,
    /// A number of things that adds up over slices and stretches of time.
    Count,
    /// An amount of money that adds up likewise.
    Amount,
    /// What does not add up: a latency, an average, a number of different things.
    Other,
}

/// A metric that can be asked for.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// What people call it; its name in words where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Localized>,
    /// `percent` (values are fractions), a currency, `ms`, `count` or another unit.
    pub unit: Option<String>,
    /// One sentence that says what it tells.
    pub description: Option<String>,
    /// The formula in words.
    pub formula: Option<String>,
    /// The cube it is computed from.
    pub of: String,
    /// What it can be split and filtered by.
    pub dimensions: Vec<String>,
    /// Length of the cube's bucket, the smallest step, in milliseconds.
    pub bucket_ms: i64,
    /// What sort of figure it is.
    pub kind: MetricKind,
}

/// All metrics.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MetricList {
    /// In the order of their definition.
    pub metrics: Vec<Metric>,
}

/// One figure. Decimals, and integers beyond 2^53, are texts, so that no reader rounds them.
#[derive(Debug, Clone, PartialEq)]
pub enum Figure {
    /// A floating-point number; always finite.
    Number(f64),
    /// An integer of at most 53 bits.
    Integer(i64),
    /// A decimal or a long integer, exactly.
    Exact(String),
}

/// Integers up to this are exact in every JSON reader.
const INTEGER_MAX: u64 = 1 << 53;

impl Figure {
    /// A floating-point figure, written without a point when it is whole; `None` for what JSON cannot say: NaN and the infinities.
    #[must_use]
    pub fn number(value: f64) -> Option<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked to be a whole number of 53 bits"
        )]
        if value.fract() == 0.0 && value.abs() <= INTEGER_MAX as f64 {
            return Some(Self::Integer(value as i64));
        }
        value.is_finite().then_some(Self::Number(value))
    }

    /// An integer figure, as a text when it is beyond 2^53.
    #[must_use]
    pub fn integer(value: i64) -> Self {
        if value.unsigned_abs() <= INTEGER_MAX {
            Self::Integer(value)
        } else {
            Self::Exact(value.to_string())
        }
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(value) => serializer.serialize_f64(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Exact(text) => serializer.serialize_str(text),
        }
    }
}

/// The value of one bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Begin of the bucket in milliseconds since the epoch.
    pub at_ms: i64,
    /// The value; `None` where there is none, such as a rate of nothing.
    pub value: Option<Figure>,
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pair = serializer.serialize_tuple(2)?;
        pair.serialize_element(&self.at_ms)?;
        pair.serialize_element(&self.value)?;
        pair.end()
    }
}

/// The series of one slice.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SliceSeries {
    /// The slice: a value for each dimension of `by`; null where events have none.
    pub by: BTreeMap<String, Option<String>>,
    /// Pairs of bucket begin (epoch milliseconds) and value, ascending.
    #[schema(value_type = Vec<Vec<Object>>, example = json!([[1_700_000_000_000_i64, 0.88], [1_700_000_010_000_i64, null]]))]
    pub points: Vec<Point>,
}

/// A point whose buckets changed after they were complete, so that monitors and readers may have seen another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct RevisedPoint {
    /// Begin of the point in milliseconds since the epoch.
    pub at: i64,
    /// When the last event was received that changed it, in milliseconds since the epoch.
    pub revised_at: i64,
    /// How many events came late, of all slices of the cube.
    pub events: u64,
}

/// A metric over time, by slice.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SeriesDocument {
    /// The metric's name.
    pub metric: String,
    /// Its unit.
    pub unit: Option<String>,
    /// Begin of the range in milliseconds since the epoch. The first bucket may begin earlier.
    pub from: i64,
    /// End of the range, exclusive, in milliseconds since the epoch.
    pub to: i64,
    /// Distance of the points in milliseconds; null where it differs, as of months.
    pub step_ms: Option<i64>,
    /// What the points are steps of, where that is a calendar's: `day`, `week`, `month`, `quarter` or `year`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Length of the window that ends with each point's step, in milliseconds, where it is longer than the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<i64>,
    /// The period since whose start each point counts, up to the end of its step, where it does: `day`, `week`, `month`,
    /// `quarter` or `year`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Whose midnight begins a period: the name of a zone, or `dim:` and the dimension that names each event's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The dimensions it is split by.
    pub by: Vec<String>,
    /// Event time up to which buckets are complete, in milliseconds since the epoch.
    pub watermark: Option<i64>,
    /// One series per slice.
    pub series: Vec<SliceSeries>,
    /// The points within the range whose buckets changed after they were complete, ascending; left out when there are none.
    /// In an `update` only those that are new or changed again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revised: Vec<RevisedPoint>,
    /// Why points have no value and which events are in no window, in sentences; left out when there is nothing to say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Whether slices were left out because of `limit`.
    pub truncated: bool,
}

/// The answer to one of several questions.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum SeriesOrProblem {
    /// The series.
    Series(Box<SeriesDocument>),
    /// Why this one has none; it has the members of [`ProblemDocument`] and those of its kind.
    #[schema(value_type = ProblemDocument)]
    Problem(serde_json::Value),
}

/// Several metrics over time.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeriesList {
    /// One for each question, in their order.
    pub answers: Vec<SeriesOrProblem>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_lose_nothing_in_json() {
        let json = |f: Figure| serde_json::to_string(&f).unwrap();
        assert_eq!(
            json(Figure::integer(9_007_199_254_740_992)),
            "9007199254740992"
        );
        assert_eq!(
            json(Figure::integer(9_007_199_254_740_993)),
            "\"9007199254740993\""
        );
        assert_eq!(json(Figure::integer(i64::MIN)), "\"-9223372036854775808\"");
        assert_eq!(json(Figure::Exact("18400.10".into())), "\"18400.10\"");
        assert_eq!(json(Figure::number(-0.0).unwrap()), "0");
        assert_eq!(json(Figure::number(128.0).unwrap()), "128");
        assert_eq!(json(Figure::number(0.25).unwrap()), "0.25");
        assert_eq!(Figure::number(f64::NAN), None);
        assert_eq!(Figure::number(f64::INFINITY), None);
    }

    #[test]
    fn a_point_is_a_pair() {
        let points = [
            Point {
                at_ms: 1,
                value: Figure::number(0.5),
            },
            Point {
                at_ms: 2,
                value: None,
            },
        ];
        assert_eq!(
            serde_json::to_string(&points).unwrap(),
            "[[1,0.5],[2,null]]"
        );
    }
}
