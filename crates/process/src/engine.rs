//! The piece of DataFusion that definitions are planned with: expressions in, checked physical
//! expressions out, and one-partition execution on the calling thread.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::{FunctionRegistry, SessionState, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, TryCast, Volatility};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::aggregate::{LoweredAggregate, LoweredAggregateBuilder};
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use futures::TryStreamExt;

use crate::functions::{
    Bounds, Rates, bound, checked_arithmetic, exact_or_double, has_open_pattern, is_growing,
    register_functions,
};
use crate::reason::{engine_reason, in_plain_words};
use crate::trial::try_out;

/// Rows a stream of states is cut into; one cut is the aim, since a chunk is one batch.
const BATCH_ROWS: usize = 65_536;

/// Plans and runs; one per processor.
pub(crate) struct Engine {
    state: SessionState,
    task: Arc<TaskContext>,
}

/// A checked scalar expression.
pub(crate) struct Scalar {
    pub(crate) expr: Expr,
    pub(crate) physical: Arc<dyn PhysicalExpr>,
    pub(crate) data_type: DataType,
}

impl Engine {
    pub(crate) fn new(rates: &Arc<Rates>, bounds: Bounds) -> Result<Self> {
        let mut config = SessionConfig::new()
            .with_target_partitions(1)
            .with_batch_size(BATCH_ROWS);
        // A chunk must hold each key once, so a partial run always aggregates, however many
        // groups it finds.
        config
            .options_mut()
            .execution
            .skip_partial_aggregation_probe_ratio_threshold = 1.1;
        config
            .options_mut()
            .execution
            .skip_partial_aggregation_probe_rows_threshold = usize::MAX;
        config.options_mut().sql_parser.parse_float_as_decimal = true;
        let mut state = SessionStateBuilder::new()
            .with_config(config)
            .with_default_features()
            .build();
        register_functions(&mut state, rates)?;
        let growing: Vec<_> = (state.scalar_functions().values())
            .filter(|function| is_growing(function.name()))
            .cloned()
            .collect();
        for function in growing {
            state.register_udf(bound(function, bounds))?;
        }
        let task = state.task_ctx();
        Ok(Self { state, task })
    }

    /// A scalar expression over the columns of `schema`; text results become string views.
    pub(crate) fn scalar(&self, sql: &str, schema: &Schema) -> Result<Scalar, String> {
        let schema = df_schema(schema)?;
        let expr = self.parse(sql, &schema)?;
        if contains_aggregate(&expr) {
            return Err("an aggregate cannot stand here; it belongs into a cube's measures".into());
        }
        let expr = self.simplify(expr, &schema)?;
        let data_type = reason(expr.get_type(&schema))?;
        let (expr, data_type) = match data_type {
            DataType::Utf8 | DataType::LargeUtf8 => (
                reason(expr.cast_to(&DataType::Utf8View, &schema))?,
                DataType::Utf8View,
            ),
            DataType::Null => return Err("the expression is always null".into()),
            other => (expr, other),
        };
        check_zones(&expr)?;
        let physical = self.physical(&expr, &schema)?;
        reason(try_out(&physical, schema.as_arrow()))?;
        Ok(Scalar {
            expr,
            physical,
            data_type,
        })
    }

    /// An expression that was simplified before, ready to be computed over batches of `schema`.
    pub(crate) fn compute(&self, expr: Expr, schema: &Schema) -> Result<Scalar, String> {
        let columns = df_schema(schema)?;
        let physical = self.physical(&expr, &columns)?;
        let data_type = reason(physical.data_type(schema))?;
        Ok(Scalar {
            expr,
            physical,
            data_type,
        })
    }

    fn physical(&self, expr: &Expr, schema: &DFSchema) -> Result<Arc<dyn PhysicalExpr>, String> {
        let physical = reason(create_physical_expr(
            expr,
            schema,
            self.state.execution_props(),
            &PhysicalPlanningContext::default(),
        ))?;
        reason(checked_arithmetic(physical, schema.as_arrow()))
    }

    /// Refuses a part of an aggregate that no row's values could make computable.
    fn try_out(&self, expr: &Expr, schema: &DFSchema) -> Result<(), String> {
        let physical = self.physical(expr, schema)?;
        reason(try_out(&physical, schema.as_arrow()))
    }

    /// One aggregate with an optional filter, checked and simplified.
    pub(crate) fn aggregate(&self, sql: &str, schema: &Schema) -> Result<Expr, String> {
        let columns = df_schema(schema)?;
        let expr = self.parse(sql, &columns)?;
        let Expr::AggregateFunction(_) = &expr else {
            return Err(if contains_aggregate(&expr) {
                "a measure is one aggregate; a formula over aggregates is a metric".into()
            } else {
                "a measure is an aggregate such as count(*) or sum(amount)".into()
            });
        };
        check_filter(&expr, &columns)?;
        let simplifier = self.simplifier(&columns);
        let mut expr = reason(simplifier.coerce(expr, &columns))?;
        if let Expr::AggregateFunction(call) = &mut expr {
            if !call.params.order_by.is_empty() {
                return Err("an ordered aggregate depends on the order of arrival".into());
            }
            for argument in &mut call.params.args {
                *argument = reason(simplifier.simplify(argument.clone()))?;
                self.try_out(argument, &columns)?;
            }
            if let Some(filter) = call.params.filter.take() {
                let filter = reason(simplifier.simplify(*filter))?;
                self.try_out(&filter, &columns)?;
                call.params.filter = Some(Box::new(filter));
            }
        }
        Ok(expr)
    }

    /// An aggregate under its name, ready for a plan over batches of `schema`.
    pub(crate) fn lower(
        &self,
        expr: &Expr,
        name: &str,
        schema: &Schema,
    ) -> Result<LoweredAggregate, String> {
        let columns = df_schema(schema)?;
        reason(
            LoweredAggregateBuilder::new(
                expr,
                &columns,
                schema,
                self.state.execution_props(),
                &PhysicalPlanningContext::default(),
            )
            .with_name(name)
            .build(),
        )
    }

    /// Runs a plan of one partition to its end on this thread.
    pub(crate) fn run(&self, plan: &dyn ExecutionPlan) -> Result<Vec<RecordBatch>> {
        let stream = plan.execute(0, Arc::clone(&self.task))?;
        // DataFusion's streams yield when tokio's budget is used up. Inside an async task that
        // budget is only renewed when the task itself yields, which this thread does not.
        futures::executor::block_on(tokio::task::unconstrained(stream.try_collect()))
    }

    /// An expression over the columns of `schema` as it was written, for those who only look at it.
    pub(crate) fn parse_over(&self, sql: &str, schema: &Schema) -> Result<Expr, String> {
        self.parse(sql, &df_schema(schema)?)
    }

    fn parse(&self, sql: &str, schema: &DFSchema) -> Result<Expr, String> {
        let dialect = self.state.config_options().sql_parser.dialect;
        let parsed = reason(self.state.sql_to_expr_with_alias(sql, &dialect))?;
        if let Some(alias) = &parsed.alias {
            return Err(format!(
                "'as {alias}' has no place here; the name stands before the colon"
            ));
        }
        let expr = reason(self.state.create_logical_expr_from_sql_expr(parsed, schema))?;
        // The planner itself names some calls, count(*) for one.
        let expr = expr.unalias();
        check_pure(&expr)?;
        reason(exact_or_double(expr, schema))
    }

    fn simplifier(&self, schema: &DFSchema) -> ExprSimplifier {
        ExprSimplifier::new(
            SimplifyContext::builder()
                .with_schema(Arc::new(schema.clone()))
                .with_config_options(Arc::clone(self.state.config_options()))
                .build(),
        )
    }

    fn simplify(&self, expr: Expr, schema: &DFSchema) -> Result<Expr, String> {
        let simplifier = self.simplifier(schema);
        let expr = reason(simplifier.coerce(expr, schema))?;
        reason(simplifier.simplify(expr))
    }
}

/// A zone that does not exist would be taken for UTC silently.
fn check_zones(expr: &Expr) -> Result<(), String> {
    let mut unknown = None;
    let walked = expr.apply(|part| {
        let (Expr::Cast(Cast { field, .. }) | Expr::TryCast(TryCast { field, .. })) = part else {
            return Ok(TreeNodeRecursion::Continue);
        };
        if let DataType::Timestamp(_, Some(zone)) = field.data_type()
            && zone.parse::<Tz>().is_err()
        {
            unknown = Some(format!("there is no time zone '{zone}'"));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    reason(walked)?;
    unknown.map_or(Ok(()), Err)
}

/// A filter of another type would be cast to a bool silently, which no author means.
fn check_filter(expr: &Expr, schema: &DFSchema) -> Result<(), String> {
    let Expr::AggregateFunction(call) = expr else {
        return Ok(());
    };
    match call
        .params
        .filter
        .as_ref()
        .map(|filter| filter.get_type(schema))
    {
        Some(Ok(data_type)) if data_type != DataType::Boolean => Err(in_plain_words(&format!(
            "the filter must be true or false, not {data_type}"
        ))),
        _ => Ok(()),
    }
}

fn reason<T>(result: Result<T>) -> Result<T, String> {
    result.map_err(|e| engine_reason(&e))
}

fn df_schema(schema: &Schema) -> Result<DFSchema, String> {
    reason(DFSchema::try_from(schema.clone()))
}

fn contains_aggregate(expr: &Expr) -> bool {
    expr.exists(|e| Ok(matches!(e, Expr::AggregateFunction(_))))
        .unwrap_or(true)
}

/// Refuses what would make replay differ from the live run, needs more than one row, or lets an
/// event choose a pattern.
fn check_pure(expr: &Expr) -> Result<(), String> {
    let mut fault = None;
    let walked = expr.apply(|e| {
        fault = match e {
            Expr::ScalarFunction(call)
                if call.func.signature().volatility != Volatility::Immutable =>
            {
                Some(format!(
                    "{}() gives another result on replay; use the event's own fields",
                    call.func.name()
                ))
            }
            open if has_open_pattern(open) => {
                Some("a pattern must be a text in quotes; to compare with a field, use =, starts_with, ends_with or strpos".to_owned())
            }
            Expr::WindowFunction(_) => Some("a window function has no place here".to_owned()),
            Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) => {
                Some("a subquery has no place here".to_owned())
            }
            _ => None,
        };
        Ok(if fault.is_some() {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    });
    match fault {
        Some(fault) => Err(fault),
        None => reason(walked.map(|_| ())),
    }
}

/// The schema all batches of a stream have inside processing: every column may be null, because a
/// derived value may fail and an older frame may lack a column.
pub(crate) fn nullable(schema: &Schema) -> SchemaRef {
    let fields: Vec<_> = schema
        .fields()
        .iter()
        .map(|f| f.as_ref().clone().with_nullable(true))
        .collect();
    Arc::new(Schema::new(fields))
}
