//! The figures a monitor judges, and where they come from.
//!
//! This crate does not know how cubes are kept. The binary implements [`FigureSource`] on top of
//! the analysing part; tests implement it on top of a simulation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Values of some dimensions, which pick a part of a metric. Empty means the whole metric.
/// A dimension without a value (SQL null) is `None` and `null` in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slice(BTreeMap<String, Option<String>>);

impl Slice {
    /// The whole metric.
    #[must_use]
    pub fn whole() -> Self {
        Self::default()
    }

    /// The value of `dimension`, where this slice fixes it.
    #[must_use]
    pub fn value(&self, dimension: &str) -> Option<&Option<String>> {
        self.0.get(dimension)
    }

    /// Dimensions and values, by name of the dimension.
    pub fn pairs(&self) -> impl ExactSizeIterator<Item = (&str, Option<&str>)> {
        self.0
            .iter()
            .map(|(dimension, value)| (dimension.as_str(), value.as_deref()))
    }

    /// How many dimensions are fixed.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.0.len()
    }

    /// Whether every event of `other` is also one of `self`.
    #[must_use]
    pub fn covers(&self, other: &Slice) -> bool {
        self.0
            .iter()
            .all(|(dimension, value)| other.0.get(dimension) == Some(value))
    }

    /// This slice with only the dimensions that `keep` accepts.
    #[must_use]
    pub fn project(&self, mut keep: impl FnMut(&str) -> bool) -> Slice {
        let kept = self.0.iter().filter(|(dimension, _)| keep(dimension));
        Self(
            kept.map(|(dimension, value)| (dimension.clone(), value.clone()))
                .collect(),
        )
    }
}

impl<D: Into<String>, V: Into<String>> FromIterator<(D, Option<V>)> for Slice {
    fn from_iter<I: IntoIterator<Item = (D, Option<V>)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(d, v)| (d.into(), v.map(Into::into)))
                .collect(),
        )
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Slice {
    fn from(pairs: [(&str, &str); N]) -> Self {
        pairs
            .into_iter()
            .map(|(dimension, value)| (dimension, Some(value)))
            .collect()
    }
}

impl std::fmt::Display for Slice {
    /// `psp=adyen, issuer=bank_17`; the whole metric is `all`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str("all");
        }
        for (i, (dimension, value)) in self.0.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(
                f,
                "{comma}{dimension}={}",
                value.as_deref().unwrap_or("(none)")
            )?;
        }
        Ok(())
    }
}

/// What a monitor must know of a metric before it asks for figures.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricFacts {
    /// Length of the cube's bucket, in microseconds.
    pub bucket_us: i64,
    /// The metric's unit, e.g. `percent`.
    pub unit: Option<String>,
    /// Whether the metric is a ratio of two counts, so that buckets carry numerator and denominator.
    pub is_rate: bool,
    /// Whether the metric counts events, so that its values are whole numbers and those of slices add up.
    pub is_count: bool,
    /// Whether the values of slices add up to that of the whole: counts and sums.
    pub adds_up: bool,
    /// The dimensions that it can be split by.
    pub dimensions: Vec<String>,
    /// Event time up to which buckets are complete enough to judge, in microseconds since the
    /// epoch: the newest event's less the lateness. `None` while there are no events.
    pub watermark_us: Option<i64>,
    /// The metric's value where nothing happened: zero of counts and sums, `None` where nothing has no
    /// value, as of a rate or a mean.
    pub empty_value: Option<f64>,
    /// How long after its time an event is waited for, in microseconds.
    pub lateness_us: i64,
    /// Events so far that came after their bucket was complete. It changes whenever figures that may
    /// have been judged have changed.
    pub revised_events: u64,
}

/// What has changed of buckets after they were complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revised {
    /// Events that came late, of whatever slice.
    pub events: u64,
    /// When the last of them was received, in microseconds since the epoch.
    pub at_us: i64,
}

/// A question for figures: the metric split by `by`, in steps, over a stretch of event time.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureQuery {
    /// Name of the metric.
    pub metric: String,
    /// Dimensions to split by.
    pub by: Vec<String>,
    /// Only events of this slice; its dimensions need not be among `by`.
    pub within: Slice,
    /// First bucket, in microseconds since the epoch; a multiple of the bucket.
    pub from_us: i64,
    /// End, exclusive; a multiple of the bucket.
    pub to_us: i64,
    /// Length of a step; a multiple of the bucket. Steps begin at multiples of it since the epoch.
    /// Only buckets between `from_us` and `to_us` count, so the outer steps may be partial.
    pub step_us: i64,
    /// Each step's figure is that of the last so much time up to the step's end, a multiple of the step;
    /// unless told, that of the step.
    pub over_us: Option<i64>,
}

/// The figures of one step of one slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Begin of the step, in microseconds since the epoch.
    pub start_us: i64,
    /// The metric's value; `None` where it has none (no samples, division by zero).
    pub value: Option<f64>,
    /// Of a rate: the count above the line.
    pub numerator: Option<f64>,
    /// Of a rate: the count below the line. Of other metrics: the samples behind the value, where
    /// the source knows them.
    pub denominator: Option<f64>,
}

/// The steps of one slice, by time. Steps without events may be left out.
#[derive(Clone, Debug, PartialEq)]
pub struct SliceFigures {
    /// Which slice: a value for every dimension of the query's `by`.
    pub slice: Slice,
    /// Its steps, ascending by `start_us`.
    pub buckets: Vec<Bucket>,
}

/// A question for the events behind a metric that does not tell by itself how many there were.
#[derive(Clone, Debug, PartialEq)]
pub struct PassedQuery {
    /// Name of the metric.
    pub metric: String,
    /// Only events of this slice.
    pub slice: Slice,
    /// First bucket, in microseconds since the epoch; a multiple of the bucket.
    pub from_us: i64,
    /// End, exclusive; a multiple of the bucket.
    pub to_us: i64,
    /// Of a metric that is a quantile: how many of its values are above this.
    pub above: Option<f64>,
}

/// The events behind a metric, as far as the source can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Passed {
    /// All events of the slice, whatever the metric makes of them.
    pub events: Option<f64>,
    /// Of a metric that is a quantile: its values.
    pub values: Option<PassedValues>,
}

/// The values that a quantile is one of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PassedValues {
    /// Which quantile the metric is, from 0 to 1.
    pub quantile: f64,
    /// How many values there were.
    pub count: f64,
    /// How many were above the bound of the question.
    pub above: Option<f64>,
}

/// The figures of all slices, for those who must know that none is missing.
///
/// # Errors
/// Those of the source, and that there may be more slices than an answer holds.
pub(crate) fn all_figures(
    source: &dyn FigureSource,
    query: &FigureQuery,
) -> Result<Vec<SliceFigures>, String> {
    let steps = (query.to_us - query.from_us) / query.step_us.max(1);
    let most = source.slices_max(steps);
    let found = source.figures(query)?;
    if found.len() >= most {
        return Err(format!(
            "metric `{}` has {most} slices or more, and no more can be judged against what is normal; split it by fewer dimensions",
            query.metric
        ));
    }
    Ok(found)
}

/// Where figures come from. Calls may take time and are never made from an async thread.
pub trait FigureSource: Send + Sync {
    /// What is known of a metric.
    ///
    /// # Errors
    /// A sentence for the status page, e.g. that there is no such metric.
    fn facts(&self, metric: &str) -> Result<MetricFacts, String>;

    /// How long the buckets are that begin at `from_us` or later, at most, in microseconds: those of long ago may have
    /// been joined.
    ///
    /// # Errors
    /// A sentence for the status page.
    fn width_us(&self, metric: &str, _from_us: i64) -> Result<i64, String> {
        Ok(self.facts(metric)?.bucket_us)
    }

    /// How long buckets are by when they begin, in microseconds: pairs of a time and the length of those from then on,
    /// the newest first.
    ///
    /// # Errors
    /// A sentence for the status page.
    fn widths_us(&self, metric: &str) -> Result<Vec<(i64, i64)>, String> {
        Ok(vec![(i64::MIN, self.facts(metric)?.bucket_us)])
    }

    /// How many slices an answer of so many steps holds at most; one that holds as many may lack some.
    fn slices_max(&self, _steps: i64) -> usize {
        usize::MAX
    }

    /// The figures asked for. Slices without events may be left out.
    ///
    /// # Errors
    /// A sentence for the status page.
    fn figures(&self, query: &FigureQuery) -> Result<Vec<SliceFigures>, String>;

    /// The events behind a metric. What the source cannot tell is `None`.
    ///
    /// # Errors
    /// A sentence for the status page.
    fn passed(&self, _query: &PassedQuery) -> Result<Passed, String> {
        Ok(Passed::default())
    }

    /// The stream whose events a metric is made of, where the source tells.
    fn stream(&self, _metric: &str) -> Option<String> {
        None
    }

    /// SQL that shows the raw events of some slices from `from_us` to `to_us`, exclusive, the newest first. `None` where that
    /// cannot be said in SQL.
    fn events_sql(
        &self,
        _metric: &str,
        _slices: &[Slice],
        _from_us: i64,
        _to_us: i64,
    ) -> Option<String> {
        None
    }

    /// What came late into buckets from `from_us` to `to_us`, exclusive. `None` where nothing did,
    /// and where the figures of just these buckets can no longer be asked for.
    ///
    /// # Errors
    /// A sentence for the status page.
    fn revised(&self, metric: &str, from_us: i64, to_us: i64) -> Result<Option<Revised>, String>;
}
