//! The plan behind a series: one grouping of a cube's partial states. Built, never written as text,
//! so no name or value from outside can become SQL.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};

use super::division::{Divisions, PerZone};
use super::pane::pane_of;
use super::query::Checked;
use super::states::kept_states;
use crate::error::AnalyseError;
use crate::friendly::type_name;
use crate::measure::state_column;
use crate::tables::{BUCKET, CubeTable};

/// The column of a pane's or a point's number.
pub(super) const STEP: &str = "step#";

/// The column of the zone that a pane is one of, where each zone has its own.
pub(super) const ZONE: &str = "zone#";

/// What is told of the measures of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// The finished value.
    Values,
    /// The merged state, as a struct.
    States,
}

/// Rows of (pane, dimensions, measures), in no order: whoever reads them keeps them in maps, and
/// a sort would take several times the memory of the groups.
pub(super) fn plan(
    query: &Checked<'_>,
    table: &Arc<CubeTable>,
    told: Told,
) -> Result<LogicalPlan, AnalyseError> {
    let schema = table.schema();
    let mut conditions = vec![
        column(BUCKET).gt_eq(instant(query.course.read.from_us)),
        column(BUCKET).lt(instant(query.course.read.to_us)),
    ];
    conditions.extend(filters(query, &schema)?);
    let source = provider_as_source(Arc::clone(table) as _);
    let name = query.cube.source.name();
    let grouped = || {
        let mut builder = LogicalPlanBuilder::scan(name, source, None)?;
        for condition in conditions {
            builder = builder.filter(condition)?;
        }
        let mut keys = vec![pane(query).alias(STEP)];
        keys.extend(query.by.iter().map(|name| column(name)));
        if let Divisions::PerZone(zones) = query.course.divisions.as_ref() {
            keys.push(zone(zones).alias(ZONE));
        }
        builder
            .aggregate(
                keys,
                merges(query, &schema, told, |_, measure, part| {
                    state_column(measure, part)
                })?,
            )?
            .build()
    };
    grouped().map_err(AnalyseError::internal)
}

/// What `plan` groups by, in the rows of panes or of what was merged of them.
pub(super) fn regrouped(
    query: &Checked<'_>,
    rows: Arc<dyn TableProvider>,
    told: Told,
    has_zones: bool,
) -> Result<LogicalPlan> {
    let schema = rows.schema();
    let mut keys = vec![column(STEP)];
    keys.extend(query.by.iter().map(|name| column(name)));
    if has_zones {
        keys.push(column(ZONE));
    }
    LogicalPlanBuilder::scan("panes#", provider_as_source(rows), None)?
        .aggregate(
            keys,
            merges(query, &schema, told, |at, _, part| part_column(at, part))?,
        )?
        .build()
}

fn pane(query: &Checked<'_>) -> Expr {
    if query.windows.is_plain() {
        // In whole numbers: the range begins at `from_us`, and no bucket before it gets here.
        return (cast(column(BUCKET), DataType::Int64) - lit(query.from_us)) / lit(query.step_us);
    }
    let mut arguments = vec![column(BUCKET)];
    if let Divisions::PerZone(zones) = query.course.divisions.as_ref() {
        arguments.push(zone(zones));
    }
    pane_of(&query.course.divisions).call(arguments)
}

fn zone(zones: &PerZone) -> Expr {
    cast(column(&zones.dimension), DataType::Utf8View)
}

fn merges(
    query: &Checked<'_>,
    schema: &SchemaRef,
    told: Told,
    part_name: impl Fn(usize, &str, usize) -> String,
) -> Result<Vec<Expr>> {
    let measures = query
        .measures
        .iter()
        .filter_map(|index| query.cube.measures.get(*index));
    let merged = measures.enumerate().map(|(at, measure)| {
        let names: Vec<String> = (0..measure.state_columns.len())
            .map(|part| part_name(at, &measure.name, part))
            .collect();
        let parts = names.iter().map(|name| column(name)).collect();
        let merged = match told {
            Told::Values => measure.merge.call(parts),
            Told::States => {
                let fields = names
                    .iter()
                    .enumerate()
                    .map(|(part, name)| {
                        let field = schema.field_with_name(name)?;
                        let kind = field.data_type().clone();
                        Ok(Field::new(part_column(at, part), kind, true))
                    })
                    .collect::<Result<Fields>>()?;
                kept_states(&measure.merge, fields).call(parts)
            }
        };
        Ok(merged.alias(measure_column(at)))
    });
    merged.collect()
}

/// The name of the measure's column in the plan's rows.
pub(super) fn measure_column(at: usize) -> String {
    format!("measure#{at}")
}

/// The name of the column of a part of the measure's state, in rows of panes.
pub(super) fn part_column(at: usize, part: usize) -> String {
    format!("measure#{at}#{part}")
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
