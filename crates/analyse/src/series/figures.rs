//! The figures behind series and slices: grouped rows, the metric computed on each.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, new_null_array};
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::compute::{cast, concat_batches, is_null};
use datafusion::arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema};
use datafusion::common::ScalarValue;
use datafusion::physical_expr::PhysicalExpr;
use tillwatch_process::compute;

use super::plan::{STEP, measure_column, plan};
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
    /// Per combination: step → row of `rows`.
    pub(super) groups: BTreeMap<Key, BTreeMap<i64, usize>>,
    /// What was computed on every row.
    pub(super) rows: Computed,
    /// The same on one row that stands for "nothing happened".
    pub(super) empty: Computed,
    /// The first and last step with rows of any combination, whatever the conditions.
    pub(super) known_us: Option<(i64, i64)>,
    /// The widths of older buckets, newest first.
    pub(super) widths_us: Vec<(i64, i64)>,
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
    let plan = plan(query, &table)?;
    let limits = QueryLimits {
        rows_max: limits.points_max,
        ..limits.clone()
    };
    let answer = match engine.collect(&state, &plan, &limits).await {
        Err(AnalyseError::TooManyRows { rows_max }) => {
            let message = format!("the series have more than {rows_max} points");
            return Err(AnalyseError::invalid(format!(
                "{message}; split by fewer dimensions or use a wider step"
            )));
        }
        other => other?,
    };
    let view = table.take_view(TimeRange {
        from_us: Some(query.from_us),
        to_us: Some(query.to_us),
    });
    let rows = concat_batches(&answer.schema, &answer.batches).map_err(AnalyseError::internal)?;
    Ok(Figures {
        groups: groups(query, &rows)?,
        rows: computed(query, &measures(query, &rows)?)?,
        empty: computed(query, &nothing(query)?)?,
        known_us: known(query, view.as_ref())?,
        // Read after the view: buckets only ever grow wider, so no joined one passes for narrow.
        widths_us: query.cube.source.widths_us(),
        version,
    })
}

impl Figures {
    /// Whether nothing in a step means that nothing happened: outside of what the cube has rows of,
    /// nobody knows.
    pub(super) fn is_known(&self, step: i64) -> bool {
        self.known_us
            .is_some_and(|(first, last)| (first..=last).contains(&step))
    }

    /// Whether a step consists of whole buckets. Where older buckets were joined to wider ones, one
    /// that does not would hold events of its neighbours, or miss some of its own.
    pub(super) fn is_whole(&self, step: i64, step_us: i64) -> bool {
        is_border(&self.widths_us, step) && is_border(&self.widths_us, step.saturating_add(step_us))
    }
}

fn groups(
    query: &Checked<'_>,
    rows: &RecordBatch,
) -> Result<BTreeMap<Key, BTreeMap<i64, usize>>, AnalyseError> {
    let steps = named(rows, STEP)?;
    let steps = steps.as_primitive::<Int64Type>();
    let dimensions = query
        .by
        .iter()
        .map(|name| named(rows, name).and_then(|array| plain(&array)))
        .collect::<Result<Vec<_>, _>>()?;
    let writers = dimensions
        .iter()
        .map(cells)
        .collect::<Result<Vec<_>, _>>()?;
    let mut groups: BTreeMap<Key, BTreeMap<i64, usize>> = BTreeMap::new();
    for row in 0..rows.num_rows() {
        let key = writers.iter().map(|cell| match cell(row) {
            Cell::Null => None,
            Cell::Raw(text) | Cell::Text(text) => Some(text),
        });
        groups
            .entry(key.collect())
            .or_default()
            .insert(steps.value(row), row);
    }
    Ok(groups)
}

fn named(rows: &RecordBatch, name: &str) -> Result<ArrayRef, AnalyseError> {
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
    })
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

fn known(query: &Checked<'_>, view: &dyn CubeSnapshot) -> Result<Option<(i64, i64)>, AnalyseError> {
    let known = view
        .extent(query.from_us, query.to_us)
        .map_err(AnalyseError::internal)?;
    let floor = |us: i64| us - (us - query.from_us).rem_euclid(query.step_us);
    Ok(known.map(|(first, last)| (floor(first), floor(last))))
}
