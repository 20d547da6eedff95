//! The plan behind a series: one grouping of a cube's partial states. Built, never written as text,
//! so no name or value from outside can become SQL.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};

use super::query::Checked;
use crate::error::AnalyseError;
use crate::friendly::type_name;
use crate::measure::state_column;
use crate::source::SourceMeasure;
use crate::tables::{BUCKET, CubeTable};

/// The column of a step's start, in microseconds.
pub(super) const STEP: &str = "step#";

/// Rows of (step, dimensions, finished measures), in no order: whoever reads them keeps them in maps, and
/// a sort would take several times the memory of the groups.
pub(super) fn plan(
    query: &Checked<'_>,
    table: &Arc<CubeTable>,
) -> Result<LogicalPlan, AnalyseError> {
    use datafusion::catalog::TableProvider;
    let schema = table.schema();
    let mut conditions = vec![
        column(BUCKET).gt_eq(instant(query.from_us)),
        column(BUCKET).lt(instant(query.to_us)),
    ];
    conditions.extend(filters(query, &schema)?);
    grouped(query, table, conditions).map_err(AnalyseError::internal)
}

fn grouped(
    query: &Checked<'_>,
    table: &Arc<CubeTable>,
    conditions: Vec<Expr>,
) -> Result<LogicalPlan> {
    let source = provider_as_source(Arc::clone(table) as _);
    let mut builder = LogicalPlanBuilder::scan(query.cube.source.name(), source, None)?;
    for condition in conditions {
        builder = builder.filter(condition)?;
    }
    // In whole numbers: the range begins at `from_us`, and no bucket before it gets here.
    let at = || cast(column(BUCKET), DataType::Int64);
    let step = at() - (at() - lit(query.from_us)) % lit(query.step_us);
    let mut keys = vec![step.alias(STEP)];
    keys.extend(query.by.iter().map(|name| column(name)));
    let merges: Vec<Expr> = query
        .measures
        .iter()
        .enumerate()
        .filter_map(|(at, index)| Some((at, query.cube.measures.get(*index)?)))
        .map(|(at, measure)| merged(measure).alias(measure_column(at)))
        .collect();
    builder.aggregate(keys, merges)?.build()
}

/// The name of the measure's column in the plan's rows.
pub(super) fn measure_column(at: usize) -> String {
    format!("measure#{at}")
}

fn merged(measure: &SourceMeasure) -> Expr {
    let parts = (0..measure.state_columns.len())
        .map(|part| column(&state_column(&measure.name, part)))
        .collect();
    measure.merge.call(parts)
}

fn filters(query: &Checked<'_>, schema: &SchemaRef) -> Result<Vec<Expr>, AnalyseError> {
    let mut alternatives: BTreeMap<&str, Expr> = BTreeMap::new();
    for (name, value) in query.filters {
        let field = schema
            .field_with_name(name)
            .map_err(AnalyseError::internal)?;
        let condition = condition(name, value, field.data_type())?;
        let either = match alternatives.remove(name.as_str()) {
            Some(other) => other.or(condition),
            None => condition,
        };
        alternatives.insert(name, either);
    }
    Ok(alternatives.into_values().collect())
}

fn condition(name: &str, value: &str, kind: &DataType) -> Result<Expr, AnalyseError> {
    if value.is_empty() && !kind.is_string() {
        return Ok(column(name).is_null());
    }
    let literal = ScalarValue::from(value).cast_to(kind).map_err(|_| {
        let kind = type_name(kind);
        AnalyseError::invalid(format!(
            "'{value}' is no {kind}, which the dimension '{name}' is"
        ))
    })?;
    let equal = column(name).eq(lit(literal));
    Ok(if value.is_empty() {
        equal.or(column(name).is_null())
    } else {
        equal
    })
}

/// A column by its exact name, whatever signs are in it.
fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

fn instant(us: i64) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(
        Some(us),
        Some(Arc::from("UTC")),
    ))
}
