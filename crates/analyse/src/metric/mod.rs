//! Metrics: named formulas over the measures of one cube, checked before anything runs.

mod compile;
mod currency;
mod divide;
mod function;
mod measure_kind;

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;
use datafusion::physical_expr::PhysicalExpr;

pub(crate) use compile::Compiler;
pub(crate) use measure_kind::{EmptyValue, MeasureInfo};

/// What people call a metric, in the languages of the web.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetricTitle {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh: Option<String>,
}

/// A metric as written in the definitions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetricDefinition {
    /// Its name, unique over all cubes.
    pub name: String,
    /// The cube whose measures it is computed from.
    pub of: String,
    /// SQL over the names of those measures.
    pub expr: String,
    /// `percent`, a currency code, `ms`, `count`, …
    pub unit: Option<String>,
    /// One sentence for the reader of a chart.
    pub description: Option<String>,
    /// The formula in the field's notation.
    pub formula: Option<String>,
    /// What people call it; its name in words where there is none.
    pub title: Option<MetricTitle>,
}

/// What a metric's value is, which decides how it is drawn and how gaps are filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// A share or another quotient.
    Rate,
    /// A whole number of things, which adds up over slices and stretches of time.
    Count,
    /// Money that adds up likewise.
    Amount,
    /// What does not add up: a latency, an average, a number of different things.
    Other,
}

impl MetricKind {
    /// The word used in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Count => "count",
            Self::Amount => "amount",
            Self::Other => "other",
        }
    }
}

/// What a metric is to those who judge it by the number of events behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// A count divided by a count.
    Ratio,
    /// A count of events.
    Count,
    /// A sum, or anything else that adds up over slices and is no count of events.
    Sum,
    /// Anything else.
    Value,
}

/// Numerator and denominator of a metric that divides counts by counts.
///
/// Each is a count itself or a sum or difference of counts, so that the rate detector may treat
/// them as successes and trials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ratio {
    /// The numerator as SQL over measures.
    pub numerator: String,
    /// The denominator as SQL over measures.
    pub denominator: String,
}

/// A metric that is a quantile of a sketch, and nothing but that.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantile {
    /// The measure that keeps the sketch.
    pub measure: String,
    /// Which quantile, from 0 to 1.
    pub q: f64,
}

/// A metric whose expression was checked against its cube.
#[derive(Debug, Clone)]
pub struct Metric {
    pub(crate) definition: MetricDefinition,
    pub(crate) kind: MetricKind,
    pub(crate) ratio: Option<Ratio>,
    pub(crate) is_count: bool,
    pub(crate) quantile: Option<Quantile>,
    /// The measures its function takes, in the order of its arguments.
    pub(crate) measures: Vec<MeasureInfo>,
    pub(crate) result_type: DataType,
    pub(crate) function: Arc<ScalarUDF>,
    /// Computes the value from a batch of the measures' columns.
    pub(crate) value: Arc<dyn PhysicalExpr>,
    /// The same for numerator and denominator.
    pub(crate) parts: Option<(Arc<dyn PhysicalExpr>, Arc<dyn PhysicalExpr>)>,
}

impl Metric {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    /// How it was written.
    #[must_use]
    pub fn definition(&self) -> &MetricDefinition {
        &self.definition
    }

    /// What its value is.
    #[must_use]
    pub fn kind(&self) -> MetricKind {
        self.kind
    }

    /// Numerator and denominator, when it divides counts by counts.
    #[must_use]
    pub fn ratio(&self) -> Option<&Ratio> {
        self.ratio.as_ref()
    }

    /// Whether it counts events: a count, or a sum or difference of counts.
    #[must_use]
    pub fn is_count(&self) -> bool {
        self.is_count
    }

    /// The sketch and the quantile of it, where that is all it is.
    #[must_use]
    pub fn quantile(&self) -> Option<&Quantile> {
        self.quantile.as_ref()
    }

    /// Whether its figures of slices, or of shorter stretches of time, add up to that of the whole: counts and sums.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.is_count || matches!(self.kind, MetricKind::Count | MetricKind::Amount)
    }

    /// What a monitor can judge it as.
    #[must_use]
    pub fn nature(&self) -> Nature {
        if self.ratio.is_some() {
            Nature::Ratio
        } else if self.is_count {
            Nature::Count
        } else if self.adds_up() {
            Nature::Sum
        } else {
            Nature::Value
        }
    }

    /// The type of its value.
    #[must_use]
    pub fn result_type(&self) -> &DataType {
        &self.result_type
    }

    /// The names of the measures it is computed from.
    pub fn measures(&self) -> impl Iterator<Item = &str> {
        self.measures.iter().map(|measure| measure.name.as_str())
    }
}
