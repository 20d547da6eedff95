//! What the engine does not count by itself: rows that window functions hold, and made-up rows.
//!
//! Sorts, groupings and joins take what they hold out of the query's memory. Window functions do
//! not: they keep their input and a state per group as they please, and one that looks ahead to the
//! end computes everything in one go, which no deadline interrupts. So a plan gets gates below
//! these steps. A gate passes batches on, takes their share out of the query's memory for as long as
//! the step above it lives, and ends the query at a number of rows.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::window::{
    PlainAggregateWindowExpr, SlidingAggregateWindowExpr, WindowExpr,
};
use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode;
use datafusion::physical_plan::joins::CrossJoinExec;
use datafusion::physical_plan::memory::LazyMemoryExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputOrderMode, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::{Stream, StreamExt};

use crate::error::{AnalyseError, Fault};
use crate::limits::QueryLimits;

/// What a row costs a window function that computes everything in one go: one value of the engine's
/// own, besides what it leaves in the answer.
const ROW_BYTES: usize = 64;

/// What a value in the answer of a window function takes.
const VALUE_BYTES: usize = 16;

/// What a group costs in a window whose groups come mixed. Each row may be the first of its group.
const GROUP_BYTES: usize = 512;

/// Aggregates that a window may ask for anew at every row: what they tell costs the same however
/// many rows they have seen.
const RUNNING: &[&str] = &[
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "first_value",
    "last_value",
    "max",
    "min",
    "nth_value",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "stddev",
    "stddev_pop",
    "sum",
    "var",
    "var_pop",
];

/// The plan with gates where it needs them.
///
/// # Errors
/// When a window function would compute an aggregate anew at every row whose cost grows with the
/// rows.
pub(super) fn watched(
    plan: Arc<dyn ExecutionPlan>,
    limits: &QueryLimits,
) -> Result<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|node| {
        if node.is::<LazyMemoryExec>() {
            let gate = Gate {
                what: "'generate_series' and 'range' make",
                rows_max: limits.generated_rows_max,
                batch_times: 0,
                row_bytes: 0,
            };
            return Ok(Transformed::yes(gate.before(node)));
        }
        let Some(gate) = gate_below(&node, limits)? else {
            return Ok(Transformed::no(node));
        };
        let mut children: Vec<_> = node.children().into_iter().map(Arc::clone).collect();
        // Of a join the left side is the one that is held.
        if let Some(first) = children.first_mut() {
            *first = gate.before(Arc::clone(first));
        }
        let recompute = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        node.replace_children(children, recompute)
            .map(Transformed::yes)
    })
    .map(|transformed| transformed.data)
}

fn gate_below(node: &Arc<dyn ExecutionPlan>, limits: &QueryLimits) -> Result<Option<Gate>> {
    if let Some(window) = node.downcast_ref::<WindowAggExec>() {
        let count = window.window_expr().len();
        check_running(window.window_expr())?;
        return Ok(Some(Gate {
            what: "a window function that looks ahead to the end reads",
            rows_max: limits.window_rows_max / count.max(1),
            // The batches and all of them in one.
            batch_times: 2,
            row_bytes: ROW_BYTES + VALUE_BYTES * count,
        }));
    }
    if let Some(window) = node.downcast_ref::<BoundedWindowAggExec>() {
        check_running(window.window_expr())?;
        let mixed = !matches!(window.input_order_mode, InputOrderMode::Sorted);
        return Ok(Some(Gate {
            what: "a window function reads",
            rows_max: usize::MAX,
            batch_times: 1,
            row_bytes: if mixed {
                GROUP_BYTES * window.window_expr().len()
            } else {
                0
            },
        }));
    }
    if node.is::<CrossJoinExec>() {
        // It counts the batches it holds, and then holds all of them in one as well.
        return Ok(Some(Gate {
            what: "a join reads",
            rows_max: usize::MAX,
            batch_times: 1,
            row_bytes: 0,
        }));
    }
    Ok(None)
}

fn check_running(windows: &[Arc<dyn WindowExpr>]) -> Result<()> {
    for window in windows {
        let any = window.as_any();
        let aggregate = any
            .downcast_ref::<PlainAggregateWindowExpr>()
            .map(PlainAggregateWindowExpr::get_aggregate_expr)
            .or_else(|| {
                any.downcast_ref::<SlidingAggregateWindowExpr>()
                    .map(SlidingAggregateWindowExpr::get_aggregate_expr)
            });
        let Some(aggregate) = aggregate else {
            continue;
        };
        let frame = window.get_window_frame();
        if frame.start_bound.is_unbounded() && frame.end_bound.is_unbounded() {
            continue;
        }
        let name = aggregate.fun().name();
        let distinct = aggregate.is_distinct() && !matches!(name, "count" | "min" | "max");
        if distinct || !RUNNING.contains(&name) {
            let distinct = if distinct { " distinct" } else { "" };
            let fault = Fault::new(format!(
                "'{name}'{distinct} cannot run along a window: each row would cost as much as all before it"
            ))
            .suggest(Some(
                "leave 'order by' out of the window, or group in a subquery".into(),
            ));
            return Err(ours(AnalyseError::Invalid(fault)));
        }
    }
    Ok(())
}

fn ours(error: AnalyseError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// What passes a gate, and what it costs.
#[derive(Debug, Clone, Copy)]
struct Gate {
    /// Who makes or takes the rows, for the refusal.
    what: &'static str,
    rows_max: usize,
    /// How many times the step above holds what passes.
    batch_times: usize,
    /// What each row costs the step above besides.
    row_bytes: usize,
}

impl Gate {
    fn before(self, input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        Arc::new(GateExec { gate: self, input })
    }
}

/// A gate as a step of a plan.
#[derive(Debug, Clone)]
struct GateExec {
    gate: Gate,
    input: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for GateExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GateExec")
    }
}

impl ExecutionPlan for GateExec {
    fn name(&self) -> &'static str {
        "GateExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next();
        let input = input.unwrap_or_else(|| Arc::clone(&self.input));
        Ok(self.gate.before(input))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next();
        let input = input.unwrap_or_else(|| Arc::clone(&self.input));
        Ok(self.gate.before(input))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let held = MemoryConsumer::new("GateExec").register(context.memory_pool());
        Ok(Box::pin(Passing {
            gate: self.gate,
            rows: 0,
            held,
            input: self.input.execute(partition, context)?,
        }))
    }
}

struct Passing {
    gate: Gate,
    rows: usize,
    held: MemoryReservation,
    input: SendableRecordBatchStream,
}

impl Passing {
    fn pass(&mut self, batch: RecordBatch) -> Result<RecordBatch> {
        let Gate {
            what,
            rows_max,
            batch_times,
            row_bytes,
        } = self.gate;
        self.rows = self.rows.saturating_add(batch.num_rows());
        if self.rows > rows_max {
            let fault = Fault::new(format!(
                "{what} more than {rows_max} rows; no more are allowed"
            ));
            return Err(ours(AnalyseError::TooLarge(fault)));
        }
        let batches = batch_times.saturating_mul(batch_bytes(&batch));
        let rows = row_bytes.saturating_mul(batch.num_rows());
        self.held.try_grow(batches.saturating_add(rows))?;
        Ok(batch)
    }
}

/// What the rows of a batch take: of a slice its part, since the others count theirs.
fn batch_bytes(batch: &RecordBatch) -> usize {
    let bytes = |array: &ArrayRef| {
        let texts = match array.data_type() {
            DataType::Utf8View => array.as_string_view().total_buffer_bytes_used(),
            DataType::BinaryView => array.as_binary_view().total_buffer_bytes_used(),
            _ => 0,
        };
        let rows = array.to_data().get_slice_memory_size();
        rows.unwrap_or_else(|_| array.get_array_memory_size()) + texts
    };
    batch.columns().iter().map(bytes).sum()
}

impl Stream for Passing {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = std::task::ready!(self.input.poll_next_unpin(cx));
        Poll::Ready(next.map(|batch| batch.and_then(|batch| self.pass(batch))))
    }
}

impl RecordBatchStream for Passing {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}
