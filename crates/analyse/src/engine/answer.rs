//! From a text to an answer, or to the reason why there is none.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::buffer::Buffer;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;
use futures::StreamExt;

use super::Engine;
use super::watched::watched;
use tillwatch_event::{MemoryPart, MemoryShare};

use crate::encode::QueryResult;
use crate::error::{AnalyseError, Fault};
use crate::friendly::explain_with;
use crate::limits::QueryLimits;
use crate::tables::take_views;
use crate::{guard, measure};

impl Engine {
    /// Answers one SQL text. Recurses over it: call it on a worker.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        sql: &str,
        limits: &QueryLimits,
    ) -> Result<QueryResult, AnalyseError> {
        let statement = self.checked(sql, limits)?;
        let state = self.session(limits)?;
        let plan = state
            .statement_to_plan(statement)
            .await
            .map_err(|e| self.explain(&e, limits))?;
        let read_only = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        read_only
            .verify_plan(&plan)
            .map_err(|e| self.explain(&e, limits))?;
        let answer = self.collect(&state, &plan, limits).await?;
        self.without_states(answer)
    }

    /// The answer without the partial states of measures, which `*` names and nobody can read.
    fn without_states(&self, answer: QueryResult) -> Result<QueryResult, AnalyseError> {
        let is_state = |name: &str| {
            name.rsplit_once('#').is_some_and(|(measure, part)| {
                part.bytes().all(|byte| byte.is_ascii_digit())
                    && self
                        .known_names
                        .measures
                        .iter()
                        .any(|known| known == measure)
            })
        };
        let fields = answer.schema.fields();
        let kept: Vec<usize> = (0..)
            .zip(fields)
            .filter(|(_, field)| !is_state(field.name()))
            .map(|(at, _)| at)
            .collect();
        if kept.len() == fields.len() {
            return Ok(answer);
        }
        let schema = answer.schema.project(&kept);
        let batches = answer.batches.iter().map(|batch| batch.project(&kept));
        Ok(QueryResult {
            schema: Arc::new(schema.map_err(AnalyseError::internal)?),
            batches: batches
                .collect::<Result<_, _>>()
                .map_err(AnalyseError::internal)?,
            held: answer.held.clone(),
        })
    }

    fn checked(&self, sql: &str, limits: &QueryLimits) -> Result<Statement, AnalyseError> {
        let mut statement = guard::parse(sql)?;
        if let Statement::Statement(inner) = &mut statement
            && let SqlStatement::Query(query) = inner.as_mut()
        {
            guard::check_expressions(query.as_ref(), &self.known_functions, limits)?;
            guard::check_shape(query, limits)?;
            guard::write_exactly(query.as_mut());
            measure::rewrite(query, &self.measure_names)?;
        }
        Ok(statement)
    }

    /// Runs a plan within the limits.
    pub(crate) async fn collect(
        &self,
        state: &SessionState,
        plan: &LogicalPlan,
        limits: &QueryLimits,
    ) -> Result<QueryResult, AnalyseError> {
        let columns = plan.schema().fields().len();
        if columns > limits.columns_max {
            return Err(AnalyseError::TooLarge(Fault::new(format!(
                "the answer has {columns} columns; at most {} are allowed",
                limits.columns_max
            ))));
        }
        let explain = |e: DataFusionError| self.explain(&e, limits);
        let plan = state.optimize(plan).map_err(explain)?;
        take_views(&plan).map_err(explain)?;
        let physical = state
            .query_planner()
            .create_physical_plan(&plan, state)
            .await
            .and_then(|physical| watched(physical, limits))
            .map_err(explain)?;
        let schema = physical.schema();
        let mut stream = execute_stream(physical, state.task_ctx()).map_err(explain)?;
        let mut kept = Kept {
            schema,
            batches: Vec::new(),
            rows: 0,
            bytes: 0,
            share: self.memory.share(MemoryPart::Queries),
        };
        while let Some(batch) = stream.next().await {
            kept.keep(&batch.map_err(explain)?, limits)?;
        }
        Ok(QueryResult {
            schema: kept.schema,
            batches: kept.batches,
            held: Some(Arc::new(kept.share)),
        })
    }

    fn explain(&self, error: &DataFusionError, limits: &QueryLimits) -> AnalyseError {
        explain_with(error, &self.known_names, limits)
    }
}

struct Kept {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
    share: MemoryShare,
}

impl Kept {
    fn keep(&mut self, batch: &RecordBatch, limits: &QueryLimits) -> Result<(), AnalyseError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.rows += batch.num_rows();
        if self.rows > limits.rows_max {
            return Err(AnalyseError::TooManyRows {
                rows_max: limits.rows_max,
            });
        }
        let columns: Vec<ArrayRef> = batch.columns().iter().map(compact).collect();
        let more = columns.iter().map(bytes).sum::<usize>();
        self.bytes += more;
        if self.bytes > limits.result_bytes_max {
            return Err(AnalyseError::AnswerTooLarge {
                bytes_max: limits.result_bytes_max,
            });
        }
        self.share.grow(more).map_err(|_| AnalyseError::Crowded)?;
        let compacted = RecordBatch::try_new(batch.schema(), columns);
        self.batches
            .push(compacted.map_err(AnalyseError::internal)?);
        Ok(())
    }
}

/// A view column may hold on to a whole frame for one short text; what is kept must not.
fn compact(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Utf8View => Arc::new(array.as_string_view().gc()),
        DataType::BinaryView => Arc::new(array.as_binary_view().gc()),
        _ => Arc::clone(array),
    }
}

/// Bytes of one view: a length, and the text itself or where it lies.
const VIEW_BYTES: usize = 16;

fn buffers(buffers: &[Buffer]) -> usize {
    buffers.iter().map(Buffer::len).sum()
}

fn bytes(array: &ArrayRef) -> usize {
    // A slice of a view column counts without its texts; what was compacted owns just these. Its views may
    // be a slice of many more, which its neighbours hold too.
    let texts: usize = match array.data_type() {
        DataType::Utf8View => buffers(array.as_string_view().data_buffers()),
        DataType::BinaryView => buffers(array.as_binary_view().data_buffers()),
        _ => 0,
    };
    if matches!(array.data_type(), DataType::Utf8View | DataType::BinaryView) {
        return texts + array.len() * VIEW_BYTES;
    }
    array
        .to_data()
        .get_slice_memory_size()
        .unwrap_or_else(|_| array.get_array_memory_size())
}
