//! From a metric's text to something that computes it, or to the reason why it cannot.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DataFusionError, ScalarValue};
use datafusion::config::Dialect;
use datafusion::execution::SessionState;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, ScalarUDF, Volatility};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::sql::sqlparser::ast::ExprWithAlias;
use tillwatch_process::functions::checked_arithmetic;
use tillwatch_process::try_out;

use super::function::MetricFunction;
use super::{MeasureInfo, Metric, MetricDefinition, MetricKind, Quantile, Ratio, currency, divide};
use crate::error::{AnalyseError, Fault};
use crate::guard::{check_expressions, check_text, write_exactly};
use crate::limits::QueryLimits;
use crate::measure::metric_function;
use crate::{friendly, suggest};

/// Checks and compiles metrics with the functions that queries may call.
pub(crate) struct Compiler<'a> {
    pub(crate) state: &'a SessionState,
    pub(crate) known: &'a HashSet<String>,
    pub(crate) limits: &'a QueryLimits,
}

impl Compiler<'_> {
    /// The compiled metric.
    pub(crate) fn compile(
        &self,
        definition: &MetricDefinition,
        cube: &[MeasureInfo],
    ) -> Result<Metric, AnalyseError> {
        self.compiled(definition, cube)
            .map_err(|fault| AnalyseError::Metric {
                metric: definition.name.clone(),
                expression: definition.expr.clone(),
                fault,
            })
    }

    fn compiled(
        &self,
        definition: &MetricDefinition,
        cube: &[MeasureInfo],
    ) -> Result<Metric, Fault> {
        let expr = self.parse(&definition.expr, cube)?;
        let measures = used(&expr, cube)?;
        currency::check(&expr, &measures)?;
        let expr = without_money(expr, &measures).map_err(|e| fault(&e))?;
        let schema = schema_of(&measures);
        let dfschema = DFSchema::try_from(Arc::clone(&schema)).map_err(|e| fault(&e))?;
        let ratio = ratio(&expr, &measures);
        let is_additive = adds_up(&expr, &measures);
        let is_count = counts(&expr, &measures);
        let quantile = quantile(&expr);
        let parts = match &ratio {
            Some((numerator, denominator)) => Some((
                self.physical(numerator.clone(), &dfschema)?,
                self.physical(denominator.clone(), &dfschema)?,
            )),
            None => None,
        };
        let value = divide::rewrite(expr.clone(), &dfschema)
            .map_err(|e| fault(&e))
            .and_then(|divided| self.physical(divided, &dfschema))?;
        let result_type = value.data_type(&schema).map_err(|e| fault(&e))?;
        check_result(&result_type, &expr)?;
        try_out(&value, &schema).map_err(|e| fault(&e))?;
        let ratio = ratio.map(|(numerator, denominator)| Ratio {
            numerator: text(&numerator),
            denominator: text(&denominator),
        });
        let function = ScalarUDF::from(MetricFunction::new(
            metric_function(&definition.name),
            schema,
            result_type.clone(),
            Arc::clone(&value),
        ));
        Ok(Metric {
            kind: kind(definition, &result_type, ratio.is_some(), is_additive),
            definition: definition.clone(),
            ratio,
            is_count,
            quantile,
            measures,
            result_type,
            function: Arc::new(function),
            value,
            parts,
        })
    }

    fn parse(&self, sql: &str, cube: &[MeasureInfo]) -> Result<Expr, Fault> {
        check_text(sql, self.limits).map_err(inner_fault)?;
        let mut parsed = self
            .state
            .sql_to_expr(sql, &Dialect::Generic)
            .map_err(|e| fault(&e))?;
        check_expressions(&parsed, self.known, self.limits).map_err(inner_fault)?;
        let schema = DFSchema::try_from(schema_of(cube)).map_err(|e| fault(&e))?;
        write_exactly(&mut parsed);
        let parsed = ExprWithAlias {
            expr: parsed,
            alias: None,
        };
        let expr = self
            .state
            .create_logical_expr_from_sql_expr(parsed, &schema)
            .map_err(|e| fault(&e))?;
        check_pure(&expr)?;
        Ok(expr.unalias())
    }

    fn physical(&self, expr: Expr, schema: &DFSchema) -> Result<Arc<dyn PhysicalExpr>, Fault> {
        let context = SimplifyContext::builder()
            .with_schema(Arc::new(schema.clone()))
            .with_config_options(Arc::clone(self.state.config_options()))
            .build();
        // Some functions, coalesce for one, are only computed as what they are simplified to.
        let simplifier = ExprSimplifier::new(context);
        simplifier
            .coerce(expr, schema)
            .and_then(|expr| simplifier.simplify(expr))
            .and_then(|expr| self.state.create_physical_expr(expr, schema))
            .and_then(|expr| checked_arithmetic(expr, schema.as_arrow()))
            .map_err(|e| fault(&e))
    }
}

fn schema_of(measures: &[MeasureInfo]) -> SchemaRef {
    let fields = measures
        .iter()
        .map(|measure| Field::new(&measure.name, measure.data_type.clone(), true))
        .collect::<Vec<_>>();
    Arc::new(Schema::new(fields))
}

fn fault(error: &DataFusionError) -> Fault {
    inner_fault(friendly::explain(error, None))
}

fn inner_fault(error: AnalyseError) -> Fault {
    match error {
        AnalyseError::TooLarge(fault)
        | AnalyseError::Syntax(fault)
        | AnalyseError::Forbidden(fault)
        | AnalyseError::Unknown(fault)
        | AnalyseError::Invalid(fault) => Fault {
            message: fault.message.replace("no column", "no measure"),
            suggestion: (fault.suggestion)
                .map(|advice| advice.replace("the columns are", "the measures are")),
            ..fault
        },
        other => Fault::new(other.to_string()),
    }
}

/// The expression with numbers as they are meant among its measures: decimals where there is money,
/// floats elsewhere. A rate times 100.0 stays a number and does not become an amount.
fn without_money(expr: Expr, measures: &[MeasureInfo]) -> Result<Expr, DataFusionError> {
    if measures
        .iter()
        .any(|measure| scale(&measure.data_type) > Some(0))
    {
        return Ok(expr);
    }
    expr.transform_up(|part| match part {
        Expr::Literal(value, metadata) if value.data_type().is_decimal() => {
            let float = value.cast_to(&DataType::Float64)?;
            Ok(Transformed::yes(Expr::Literal(float, metadata)))
        }
        other => Ok(Transformed::no(other)),
    })
    .map(|transformed| transformed.data)
}

/// The measures an expression names, in their order in the cube.
fn used(expr: &Expr, cube: &[MeasureInfo]) -> Result<Vec<MeasureInfo>, Fault> {
    let names: BTreeSet<&str> = expr
        .column_refs()
        .into_iter()
        .map(|column| column.name.as_str())
        .collect();
    let known = || cube.iter().map(|measure| measure.name.as_str());
    // Columns that are not in the schema pass the planner here, because no table is planned.
    if let Some(unknown) = names
        .iter()
        .find(|name| !known().any(|known| known == **name))
    {
        let suggestion = suggest::did_you_mean(unknown, known())
            .or_else(|| Some(format!("the measures are {}", suggest::listed(known()))));
        return Err(Fault::new(format!("there is no measure '{unknown}'")).suggest(suggestion));
    }
    if names.is_empty() {
        return Err(Fault::new("it uses no measure").suggest(Some(format!(
            "the measures are {}",
            suggest::listed(known())
        ))));
    }
    Ok(cube
        .iter()
        .filter(|measure| names.contains(measure.name.as_str()))
        .cloned()
        .collect())
}

/// Only functions of single values: measures are aggregated already, and the same data must always
/// give the same figure.
fn check_pure(expr: &Expr) -> Result<(), Fault> {
    let mut refused = None;
    expr.apply(|part| {
        refused = match part {
            Expr::AggregateFunction(call) => Some(
                Fault::new(format!(
                    "'{}' aggregates, but measures are aggregated already",
                    call.func.name()
                ))
                .suggest(Some(
                    "make it a measure of the cube and name that here".into(),
                )),
            ),
            Expr::WindowFunction(_) => {
                Some(Fault::new("window functions cannot stand in a metric"))
            }
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) => {
                Some(Fault::new("subqueries cannot stand in a metric"))
            }
            Expr::Placeholder(_) => Some(Fault::new("placeholders cannot stand in a metric")),
            Expr::ScalarFunction(call)
                if call.func.signature().volatility != Volatility::Immutable =>
            {
                Some(Fault::new(format!(
                    "'{}' gives another value at another time, and a figure must not",
                    call.func.name()
                )))
            }
            _ => None,
        };
        Ok(if refused.is_some() {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    })
    .map_err(|e| fault(&e))?;
    refused.map_or(Ok(()), Err)
}

fn check_result(result: &DataType, expr: &Expr) -> Result<(), Fault> {
    if result.is_numeric() {
        return Ok(());
    }
    if matches!(
        result,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::Struct(_)
    ) {
        return Err(Fault::new("it is a sketch, not a number")
            .suggest(Some(format!("write quantile_at({}, 0.95)", text(expr)))));
    }
    Err(Fault::new(format!(
        "it gives {}, not a number",
        friendly::type_name(result)
    )))
}

/// Both sides of a division of counts.
fn ratio(expr: &Expr, measures: &[MeasureInfo]) -> Option<(Expr, Expr)> {
    match expr {
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Divide,
            right,
        }) if counts(left, measures) && counts(right, measures) => {
            Some((left.as_ref().clone(), right.as_ref().clone()))
        }
        _ => None,
    }
}

/// The sketch and the quantile of an expression that is nothing else.
fn quantile(expr: &Expr) -> Option<Quantile> {
    let Expr::ScalarFunction(call) = expr else {
        return None;
    };
    let [Expr::Column(sketch), Expr::Literal(q, _)] = call.args.as_slice() else {
        return None;
    };
    let ScalarValue::Float64(Some(q)) = q.cast_to(&DataType::Float64).ok()? else {
        return None;
    };
    (call.func.name() == "quantile_at").then(|| Quantile {
        measure: sketch.name.clone(),
        q,
    })
}

fn counts(expr: &Expr, measures: &[MeasureInfo]) -> bool {
    match expr {
        Expr::Column(column) => measures
            .iter()
            .any(|measure| measure.name == column.name && measure.is_count),
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Plus | Operator::Minus,
            right,
        }) => counts(left, measures) && counts(right, measures),
        _ => false,
    }
}

/// An expression over measures as it would be written.
fn text(expr: &Expr) -> String {
    match expr {
        Expr::Column(column) => column.name.clone(),
        other => other.human_display().to_string(),
    }
}

/// Whether an expression's figures of slices add up to that of the whole: sums and counts, their sums
/// and differences, multiples by a number, and such under a condition, as that of a single currency.
fn adds_up(expr: &Expr, measures: &[MeasureInfo]) -> bool {
    let both = |left: &Expr, right: &Expr| adds_up(left, measures) && adds_up(right, measures);
    let is_number = |side: &Expr| matches!(side, Expr::Literal(..));
    let is_zero = |side: &Expr| match side {
        Expr::Literal(value, _) => {
            ScalarValue::new_zero(&value.data_type()).is_ok_and(|zero| *value == zero)
        }
        _ => false,
    };
    match expr {
        Expr::Column(column) => measures
            .iter()
            .any(|measure| measure.name == column.name && measure.is_additive),
        Expr::Negative(inner) => adds_up(inner, measures),
        Expr::Cast(cast) => adds_up(&cast.expr, measures),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::Plus | Operator::Minus => both(left, right),
            Operator::Multiply => {
                is_number(left) && adds_up(right, measures)
                    || is_number(right) && adds_up(left, measures)
            }
            Operator::Divide => is_number(right) && adds_up(left, measures),
            _ => false,
        },
        Expr::Case(case) => {
            let otherwise = case.else_expr.as_deref();
            let nothing = |expr: &Expr| matches!(expr, Expr::Literal(value, _) if value.is_null());
            otherwise.is_none_or(|expr| nothing(expr) || adds_up(expr, measures))
                && (case.when_then_expr.iter()).all(|(_, then)| adds_up(then, measures))
        }
        // A sum of nothing taken for zero.
        Expr::ScalarFunction(call) if call.name() == "coalesce" => {
            (call.args.iter()).all(|arg| is_zero(arg) || adds_up(arg, measures))
        }
        _ => false,
    }
}

fn kind(
    definition: &MetricDefinition,
    result: &DataType,
    is_ratio: bool,
    is_additive: bool,
) -> MetricKind {
    let unit = definition.unit.as_deref().unwrap_or_default();
    let is_currency = unit.len() == 3 && unit.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_ratio || unit == "percent" {
        MetricKind::Rate
    } else if !is_additive {
        MetricKind::Other
    } else if is_currency || scale(result) > Some(0) {
        MetricKind::Amount
    } else if result.is_integer() || scale(result) == Some(0) {
        MetricKind::Count
    } else {
        MetricKind::Other
    }
}

/// Digits after the point of a decimal. Sums of integers are decimals without any.
fn scale(kind: &DataType) -> Option<i8> {
    match kind {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(*scale),
        _ => None,
    }
}
