//! The figures behind series and slices: grouped rows, the metric computed on each.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, RecordBatch, new_null_array,
};
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::compute::{cast, concat_batches, is_null};
use datafusion::arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema};
use datafusion::common::ScalarValue;
use datafusion::physical_expr::PhysicalExpr;
use tillwatch_process::compute;
use tillwatch_process::functions::QuantileSketch;

use super::division::{Divisions, Stretch};
use super::panes::{Asides, seen, windows};
use super::plan::{STEP, Told, measure_column, plan};
use super::query::{Checked, is_border};
use crate::encode::{Cell, cells, plain};
use crate::engine::Engine;
use crate::error::AnalyseError;
use crate::limits::QueryLimits;
use crate::metric::{EmptyValue, MeasureInfo, Metric};
use crate::source::CubeSnapshot;
use crate::tables::{CubeTable, TimeRange};

/// The values of a dimension combination, as texts.
pub(super) type Key = Vec<Option<String>>;

/// Everything a series or slice is made from.
pub(super) struct Figures {
    /// Per combination: point → row of `rows`.
    pub(super) groups: BTreeMap<Key, BTreeMap<usize, usize>>,
    /// What was computed on every row.
    pub(super) rows: Computed,
    /// The same on one row that stands for "nothing happened".
    pub(super) empty: Computed,
    /// The points whose windows are within the time that has rows of any combination, whatever the
    /// conditions.
    pub(super) known: Range<usize>,
    /// The points whose windows begin or end within an older, wider bucket.
    cut: Vec<bool>,
    /// What is to be told where each zone has its own windows.
    pub(super) asides: Asides,
    /// The cube's version shown.
    pub(super) version: u64,
}

/// The metric, its parts and the further measures as columns.
pub(super) struct Computed {
    pub(super) value: ArrayRef,
    pub(super) numbers: ArrayRef,
    pub(super) numerator: Option<ArrayRef>,
    pub(super) denominator: Option<ArrayRef>,
    pub(super) further: Vec<ArrayRef>,
    /// For each bound asked for, how many values of the metric's sketch are above it.
    pub(super) above: Vec<ArrayRef>,
}

/// Runs the grouping and computes the metric. Call it on a worker.
pub(super) async fn figures(
    engine: &Engine,
    query: &Checked<'_>,
    limits: &QueryLimits,
) -> Result<Figures, AnalyseError> {
    // The version is read before the view, so that a change in between is shown twice, not never.
    let version = query.cube.source.version();
    let table = Arc::new(CubeTable::new(Arc::clone(&query.cube.source)));
    let state = engine.session_for_built(limits)?;
    let told = if query.is_one_pass() {
        Told::Values
    } else {
        Told::States
    };
    // Windows have two ends each, and no pane is without one.
    let rows_max = limits.points_max.saturating_mul(2);
    let pane_limits = QueryLimits {
        rows_max: if query.is_one_pass() {
            limits.points_max
        } else {
            rows_max
        },
        ..limits.clone()
    };
    let first = plan(query, &table, told)?;
    let first = engine.collect(&state, &first, &pane_limits).await;
    let first = first.map_err(|error| many_points(error, limits))?;
    // Read after the view: buckets only ever grow wider, so no joined one passes for narrow.
    let widths_us = query.cube.source.widths_us();
    let (answer, asides) = if query.is_one_pass() {
        (first, Asides::default())
    } else {
        let all = windows(engine, &state, query, &pane_limits, first, &widths_us).await;
        all.map_err(|error| many_points(error, limits))?
    };
    let view = table.take_view(TimeRange {
        from_us: Some(query.course.read.from_us),
        to_us: Some(query.course.read.to_us),
    });
    let rows = concat_batches(&answer.schema, &answer.batches).map_err(AnalyseError::internal)?;
    Ok(Figures {
        groups: groups(query, &rows)?,
        known: known(query, view.as_ref(), &rows)?,
        rows: computed(query, &measures(query, &rows)?)?,
        empty: computed(query, &nothing(query)?)?,
        cut: cut(query, &widths_us),
        asides,
        version,
    })
}

fn many_points(error: AnalyseError, limits: &QueryLimits) -> AnalyseError {
    if !matches!(error, AnalyseError::TooManyRows { .. }) {
        return error;
    }
    let message = format!("the series have more than {} points", limits.points_max);
    AnalyseError::invalid(format!(
        "{message}; split by fewer dimensions or use a wider step"
    ))
}

/// Of every point whether its window is cut. Where older buckets were joined to wider ones, a window
/// that begins or ends within one would hold events of its neighbours, or miss some of its own.
/// Where each zone has its own windows, the rows tell.
fn cut(query: &Checked<'_>, widths_us: &[(i64, i64)]) -> Vec<bool> {
    let Divisions::One(division) = query.course.divisions.as_ref() else {
        return Vec::new();
    };
    let is_cut = |window: &Stretch| {
        !is_border(widths_us, window.from_us) || !is_border(widths_us, window.to_us)
    };
    division.windows().iter().map(is_cut).collect()
}

impl Figures {
    /// Whether nothing in a window means that nothing happened: outside of what the cube has rows of,
    /// nobody knows.
    pub(super) fn is_known(&self, point: usize) -> bool {
        self.known.contains(&point)
    }

    /// Whether a point's window consists of whole buckets.
    pub(super) fn is_whole(&self, key: &Key, point: usize) -> bool {
        let is_cut = self.cut.get(point).is_some_and(|is_cut| *is_cut);
        // Most questions have none, and then there is no key to compare.
        let is_cut_in_zone =
            !self.asides.cut.is_empty() && self.asides.cut.contains(&(key.clone(), point));
        !is_cut && !is_cut_in_zone
    }

    /// Whether there are only events of a combination whose zone does not exist.
    pub(super) fn is_without_zone(&self, key: &Key) -> bool {
        self.asides.without_zone.contains(key)
            && self.groups.get(key).is_none_or(BTreeMap::is_empty)
    }
}

fn groups(
    query: &Checked<'_>,
    rows: &RecordBatch,
) -> Result<BTreeMap<Key, BTreeMap<usize, usize>>, AnalyseError> {
    let points = named(rows, STEP)?;
    let points = points.as_primitive::<Int64Type>();
    let mut groups: BTreeMap<Key, BTreeMap<usize, usize>> = BTreeMap::new();
    for (row, key) in keys(query, rows)?.into_iter().enumerate() {
        // A bucket far ahead of all windows is in none.
        if let Ok(point) = usize::try_from(points.value(row)) {
            groups.entry(key).or_default().insert(point, row);
        }
    }
    Ok(groups)
}

/// The combination of every row.
pub(super) fn keys(query: &Checked<'_>, rows: &RecordBatch) -> Result<Vec<Key>, AnalyseError> {
    let dimensions = query
        .by
        .iter()
        .map(|name| named(rows, name).and_then(|array| plain(&array)))
        .collect::<Result<Vec<_>, _>>()?;
    let writers = dimensions
        .iter()
        .map(cells)
        .collect::<Result<Vec<_>, _>>()?;
    let key = |row| {
        let values = writers.iter().map(|cell| match cell(row) {
            Cell::Null => None,
            Cell::Raw(text) | Cell::Text(text) => Some(text),
        });
        values.collect()
    };
    Ok((0..rows.num_rows()).map(key).collect())
}

pub(super) fn named(rows: &RecordBatch, name: &str) -> Result<ArrayRef, AnalyseError> {
    rows.column_by_name(name)
        .map(Arc::clone)
        .ok_or_else(|| AnalyseError::internal(format!("no column '{name}' in the figures")))
}

fn info<'a>(query: &'a Checked<'_>, at: usize) -> Result<&'a MeasureInfo, AnalyseError> {
    let index = query.measures.get(at).ok_or(AnalyseError::Internal)?;
    query.cube.infos.get(*index).ok_or(AnalyseError::Internal)
}

/// The finished measures of every row, sums of nothing as zero.
fn measures(query: &Checked<'_>, rows: &RecordBatch) -> Result<Vec<ArrayRef>, AnalyseError> {
    (0..query.measures.len())
        .map(|at| {
            let info = info(query, at)?;
            let array = named(rows, &measure_column(at))?;
            let array = cast(&array, &info.data_type).map_err(AnalyseError::internal)?;
            if info.empty == EmptyValue::SumZero {
                zero_for_null(&array)
            } else {
                Ok(array)
            }
        })
        .collect()
}

fn zero_for_null(array: &ArrayRef) -> Result<ArrayRef, AnalyseError> {
    if array.null_count() == 0 {
        return Ok(Arc::clone(array));
    }
    let zero = ScalarValue::new_zero(array.data_type())
        .and_then(|zero| zero.to_scalar())
        .map_err(AnalyseError::internal)?;
    let nulls = is_null(array).map_err(AnalyseError::internal)?;
    zip(&nulls, &zero, array).map_err(AnalyseError::internal)
}

/// The measures of a step without rows: counts and sums are zero, everything else has no value.
fn nothing(query: &Checked<'_>) -> Result<Vec<ArrayRef>, AnalyseError> {
    (0..query.measures.len())
        .map(|at| {
            let info = info(query, at)?;
            match info.empty {
                EmptyValue::Null => Ok(new_null_array(&info.data_type, 1)),
                EmptyValue::Zero | EmptyValue::SumZero => ScalarValue::new_zero(&info.data_type)
                    .and_then(|zero| zero.to_array())
                    .map_err(AnalyseError::internal),
            }
        })
        .collect()
}

fn computed(query: &Checked<'_>, measures: &[ArrayRef]) -> Result<Computed, AnalyseError> {
    let metric = query.metric.as_ref();
    let own = metric.measures.len();
    let batch = metric_batch(metric, measures)?;
    let value = evaluate(&metric.value, &batch)?;
    let part = |expr: &Arc<dyn PhysicalExpr>| evaluate(expr, &batch).and_then(|a| floats(&a));
    let (numerator, denominator) = match &metric.parts {
        Some((numerator, denominator)) => (Some(part(numerator)?), Some(part(denominator)?)),
        None => (None, None),
    };
    Ok(Computed {
        numbers: floats(&value)?,
        value,
        numerator,
        denominator,
        further: measures
            .iter()
            .skip(own)
            .map(floats)
            .collect::<Result<_, _>>()?,
        above: above(query, measures)?,
    })
}

/// How many values of the metric's sketch are above each bound asked for; none of a metric that is no quantile.
fn above(query: &Checked<'_>, measures: &[ArrayRef]) -> Result<Vec<ArrayRef>, AnalyseError> {
    let metric = query.metric.as_ref();
    let sketch = metric.quantile().and_then(|quantile| {
        let own = |measure: &MeasureInfo| measure.name == quantile.measure;
        measures.get(metric.measures.iter().position(own)?)
    });
    let Some(sketch) = sketch.filter(|_| !query.above.is_empty()) else {
        return Ok(Vec::new());
    };
    let sketch = cast(sketch, &DataType::Binary).map_err(AnalyseError::internal)?;
    let decode = |bytes: Option<&[u8]>| bytes.map(QuantileSketch::decode).transpose();
    let sketches = sketch.as_binary::<i32>().iter().map(decode);
    let sketches: Vec<Option<QuantileSketch>> =
        (sketches.collect::<Result<_, _>>()).map_err(AnalyseError::internal)?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "a count beyond 2^53 is within the sketch's error"
    )]
    let count = |sketch: &QuantileSketch, bound: f64| sketch.count_above(bound) as f64;
    let column = |bound: &f64| -> ArrayRef {
        let counts = sketches.iter();
        let counts = counts.map(|sketch| sketch.as_ref().map(|sketch| count(sketch, *bound)));
        Arc::new(counts.collect::<Float64Array>())
    };
    Ok(query.above.iter().map(column).collect())
}

fn metric_batch(metric: &Metric, measures: &[ArrayRef]) -> Result<RecordBatch, AnalyseError> {
    let fields: Vec<Field> = metric
        .measures
        .iter()
        .map(|measure| Field::new(&measure.name, measure.data_type.clone(), true))
        .collect();
    let columns = measures.iter().take(fields.len()).cloned().collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(AnalyseError::internal)
}

fn evaluate(expr: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<ArrayRef, AnalyseError> {
    // A slice whose figure has no room is unknown; the others are as they are.
    let kind = expr
        .data_type(&batch.schema())
        .map_err(AnalyseError::internal)?;
    let (values, _) = compute(expr, batch, &kind).map_err(AnalyseError::internal)?;
    Ok(values)
}

fn floats(array: &ArrayRef) -> Result<ArrayRef, AnalyseError> {
    if array.data_type().is_numeric() {
        return cast(array, &DataType::Float64).map_err(AnalyseError::internal);
    }
    Ok(new_null_array(&DataType::Float64, array.len()))
}

/// The number in a row of a column of floats, if there is one and it is finite.
pub(super) fn number(array: &ArrayRef, row: usize) -> Option<f64> {
    let values = array.as_primitive::<Float64Type>();
    (row < values.len() && values.is_valid(row))
        .then(|| values.value(row))
        .filter(|value| value.is_finite())
}

/// The points of which something is known: those whose windows have a part of the time that the cube
/// has rows of, and those with rows.
fn known(
    query: &Checked<'_>,
    view: &dyn CubeSnapshot,
    rows: &RecordBatch,
) -> Result<Range<usize>, AnalyseError> {
    let course = &query.course;
    let has_rows = view
        .extent(course.read.from_us, course.read.to_us)
        .map_err(AnalyseError::internal)?;
    // Local dates lie beside those of UTC by less than a step; their rows tell the rest.
    let spans = match (course.divisions.as_ref(), query.windows.step) {
        (Divisions::PerZone(_), Some(_)) => &course.steps,
        _ => &course.windows,
    };
    let known = has_rows.map_or(0..0, |(first_us, last_us)| {
        let first = spans.partition_point(|span| span.to_us <= first_us);
        first
            ..spans
                .partition_point(|span| span.from_us <= last_us)
                .max(first)
    });
    let seen = seen(rows, course.steps.len())?;
    Ok(match seen {
        Some(seen) if known.is_empty() => seen,
        Some(seen) => known.start.min(seen.start)..known.end.max(seen.end),
        None => known,
    })
}
