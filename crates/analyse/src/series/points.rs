//! Points in order, with the gaps filled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::division::Stretch;
use super::figures::{Computed, Figures, Key, figures, number};
use super::query::{Checked, SeriesQuery, SlicesQuery, check, duration};
use super::{Slice, SliceBucket, Slices};
use crate::encode::{Cell, cells, plain};
use crate::engine::Engine;
use crate::error::AnalyseError;
use crate::limits::QueryLimits;
use crate::metric::{Metric, MetricKind};

/// The value of one point, exact.
#[derive(Debug, Clone, PartialEq)]
pub enum PointValue {
    /// No value.
    Null,
    /// A whole number that every JSON reader takes exactly.
    Int(i64),
    /// A float.
    Float(f64),
    /// A decimal, or an integer beyond 2^53, as text.
    Text(String),
}

impl PointValue {
    /// As a float, for drawing and detecting; decimals are rounded.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Null => None,
            #[expect(clippy::cast_precision_loss, reason = "at most 2^53 by construction")]
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Text(text) => text.parse().ok(),
        }
    }

    fn from_cell(cell: Cell) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Text(text) => Self::Text(text),
            Cell::Raw(text) => match (text.parse(), text.parse()) {
                (Ok(int), _) => Self::Int(int),
                (_, Ok(float)) => Self::Float(float),
                _ => Self::Text(text),
            },
        }
    }
}

impl Serialize for PointValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// A metric over time.
///
/// Every series has a point for every step, named by the step's start. Its window ends with the step
/// and is the step itself, unless told otherwise. Between the first and last window in which the cube
/// has rows of any slice, a window without rows of this one is zero for counts and sums and null for
/// everything that cannot be computed from nothing, such as a rate; outside of these it is null.
/// Where `keep` has joined older buckets to wider ones, a window that does not consist of whole ones
/// is null too, and the notes say so.
#[derive(Debug, Clone)]
pub struct Series {
    /// The metric.
    pub metric: Arc<Metric>,
    /// Start of the first step, in microseconds since 1970.
    pub from_us: i64,
    /// End of the last step.
    pub to_us: i64,
    /// Width of a step of a fixed length.
    pub step_us: i64,
    /// The series, the heaviest first: by denominator for ratios, by size for counts and amounts,
    /// by number of points otherwise; then by their dimensions' values.
    pub series: Vec<OneSeries>,
    /// Whether there are more series than are answered.
    pub truncated: bool,
    /// The first and last step whose window has a part of the time that the cube has rows of.
    pub known_us: Option<(i64, i64)>,
    /// Of every step its window.
    pub windows: Vec<PointWindow>,
    /// What there is to know about points without a value and events without a zone, in sentences.
    pub notes: Vec<String>,
    /// The value of a step without rows: zero for counts and sums, null for rates.
    pub empty: PointValue,
    /// The cube's version these points show.
    pub version: u64,
    /// Of the cube's buckets, the starts that were read: `from ≤ t < to`.
    pub(crate) read_us: (i64, i64),
}

/// What of time a point stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointWindow {
    /// Start of the step, which names the point, in microseconds since 1970.
    pub at_us: i64,
    /// Start of the window. Where zones differ, no zone's window begins before.
    pub from_us: i64,
    /// End of the window. Where zones differ, no zone's window ends after.
    pub to_us: i64,
}

/// One series.
#[derive(Debug, Clone, PartialEq)]
pub struct OneSeries {
    /// The slice's dimensions and their values, in the order asked for.
    pub by: Vec<(String, Option<String>)>,
    /// (start of the step in microseconds since 1970, value)
    pub points: Vec<(i64, PointValue)>,
}

/// Answers a question for series. Call it on a worker.
pub(crate) async fn series(
    engine: &Engine,
    query: &SeriesQuery,
    limits: &QueryLimits,
) -> Result<Series, AnalyseError> {
    let checked = check(engine, query, &[])?;
    let figures = figures(engine, &checked, limits).await?;
    let (keys, truncated) = heaviest(&checked, &figures);
    let value = plain(&figures.rows.value)?;
    let values = cells(&value)?;
    let empty_value = plain(&figures.empty.value)?;
    let empty = PointValue::from_cell(cells(&empty_value)?(0));
    let none = BTreeMap::new();
    let mut is_any_cut = false;
    let series = keys
        .into_iter()
        .map(|key| {
            let rows = figures.groups.get(&key).unwrap_or(&none);
            let is_without_zone = figures.is_without_zone(&key);
            let points = checked.course.steps.iter().enumerate().map(|(at, step)| {
                let value = match rows.get(&at) {
                    _ if !figures.is_whole(&key, at) => {
                        is_any_cut = true;
                        PointValue::Null
                    }
                    Some(row) => PointValue::from_cell(values(*row)),
                    None if figures.is_known(at) && !is_without_zone => empty.clone(),
                    None => PointValue::Null,
                };
                (step.from_us, value)
            });
            OneSeries {
                points: points.collect(),
                by: named(&checked, key),
            }
        })
        .collect();
    Ok(Series {
        from_us: checked.from_us,
        to_us: checked.to_us,
        step_us: checked.step_us,
        series,
        truncated,
        known_us: known_us(&checked, &figures),
        windows: point_windows(&checked),
        notes: notes(&checked, &figures, is_any_cut),
        empty,
        version: figures.version,
        read_us: (checked.course.read.from_us, checked.course.read.to_us),
        metric: checked.metric,
    })
}

/// Answers a question for slices. Call it on a worker.
pub(crate) async fn slices(
    engine: &Engine,
    query: &SlicesQuery,
    limits: &QueryLimits,
) -> Result<Slices, AnalyseError> {
    let checked = Checked {
        above: &query.above,
        ..check(engine, &query.series, &query.measures)?
    };
    let figures = figures(engine, &checked, limits).await?;
    let (keys, truncated) = heaviest(&checked, &figures);
    let none = BTreeMap::new();
    let has_shares = checked.metric.ratio.is_some() && checked.windows.is_plain();
    let slices = keys
        .into_iter()
        .map(|key| {
            let rows = figures.groups.get(&key).unwrap_or(&none);
            let steps = checked.course.steps.iter().enumerate();
            let buckets = steps.map(|(at, step)| {
                let is_whole = figures.is_whole(&key, at);
                match rows.get(&at) {
                    // A share stays one, whatever stretch its two counts are of: history for a rate.
                    Some(row) if is_whole || has_shares => {
                        bucket(step.from_us, &figures.rows, Some(*row))
                    }
                    None if is_whole && figures.is_known(at) => {
                        bucket(step.from_us, &figures.empty, Some(0))
                    }
                    _ => bucket(step.from_us, &figures.empty, None),
                }
            });
            Slice {
                buckets: buckets.collect(),
                by: named(&checked, key),
            }
        })
        .collect();
    Ok(Slices {
        slices,
        truncated,
        known_us: known_us(&checked, &figures),
        version: figures.version,
        metric: checked.metric,
    })
}

/// The first and the last point of which something is known.
fn known_us(query: &Checked<'_>, figures: &Figures) -> Option<(i64, i64)> {
    let known = query.course.steps.get(figures.known.clone())?;
    Some((known.first()?.from_us, known.last()?.from_us))
}

fn point_windows(query: &Checked<'_>) -> Vec<PointWindow> {
    let windows = query.course.steps.iter().zip(&query.course.windows);
    let point = |(step, window): (&Stretch, &Stretch)| PointWindow {
        at_us: step.from_us,
        from_us: window.from_us,
        to_us: window.to_us,
    };
    windows.map(point).collect()
}

/// What there is to say about an answer.
fn notes(query: &Checked<'_>, figures: &Figures, is_any_cut: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if is_any_cut {
        let widths: BTreeSet<i64> = query
            .cube
            .source
            .widths_us()
            .into_iter()
            .map(|w| w.1)
            .collect();
        let widths: Vec<String> = widths.into_iter().map(duration).collect();
        notes.push(format!(
            "points are null whose window begins or ends within a bucket: buckets are {} wide, the \
             older the wider, as `keep` says",
            widths.join(", ")
        ));
    }
    let unknown = &figures.asides.unknown_zones;
    if !unknown.is_empty() {
        let names = unknown.iter().map(|name| match name {
            Some(name) => format!("'{}'", shown(name)),
            None => "no zone".to_owned(),
        });
        notes.push(format!(
            "events are in no window whose zone is not known: {}",
            names.collect::<Vec<_>>().join(", ")
        ));
    }
    notes
}

/// The start of a name that came with an event.
fn shown(name: &str) -> String {
    const SHOWN: usize = 40;
    let name = tillwatch_event::guard::mask(name);
    match name.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
        None => name.into_owned(),
    }
}

fn bucket(start_us: i64, computed: &Computed, row: Option<usize>) -> SliceBucket {
    let of = |array: &_| row.and_then(|row| number(array, row));
    SliceBucket {
        start_us,
        value: of(&computed.numbers),
        numerator: computed.numerator.as_ref().and_then(of),
        denominator: computed.denominator.as_ref().and_then(of),
        measures: computed.further.iter().map(of).collect(),
        above: computed.above.iter().map(of).collect(),
    }
}

fn named(query: &Checked<'_>, key: Key) -> Vec<(String, Option<String>)> {
    query.by.iter().cloned().zip(key).collect()
}

/// The combinations that are answered, in order, and whether there are more.
fn heaviest(query: &Checked<'_>, figures: &Figures) -> (Vec<Key>, bool) {
    if query.by.is_empty() {
        // Without a split there is one series, also of nothing.
        return (vec![Key::new()], false);
    }
    let weight = |rows: &BTreeMap<usize, usize>| {
        let rows = rows.values();
        rows.map(|row| weight(query, figures, *row)).sum()
    };
    let mut weighed: Vec<(f64, &Key)> = figures
        .groups
        .iter()
        .map(|(key, rows)| (weight(rows), key))
        .collect();
    let without = figures.asides.without_zone.iter();
    let without = without.filter(|key| !figures.groups.contains_key(*key));
    weighed.extend(without.map(|key| (0.0, key)));
    weighed.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let truncated = weighed.len() > query.series_max;
    let keys = weighed
        .into_iter()
        .take(query.series_max)
        .map(|(_, key)| key.clone())
        .collect();
    (keys, truncated)
}

fn weight(query: &Checked<'_>, figures: &Figures, row: usize) -> f64 {
    match (&figures.rows.denominator, query.metric.kind) {
        (Some(denominator), _) => number(denominator, row).unwrap_or(0.0),
        (None, MetricKind::Count | MetricKind::Amount) => {
            number(&figures.rows.numbers, row).unwrap_or(0.0).abs()
        }
        (None, MetricKind::Rate | MetricKind::Other) => 1.0,
    }
}
