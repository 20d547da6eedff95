//! A cube as a table: `bucket`, the dimensions, and the measures' partial states.
//!
//! Several rows per bucket and dimensions are possible, because states are kept as they came and
//! merged when read; `measure(name)` does that. State columns have names no query writes.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};

use super::AHEAD;
use super::time_range::{TimeRange, time_range};
use crate::limits::BATCH_ROWS;
use crate::measure::state_column;
use crate::source::{CubeSnapshot, CubeSource};

/// The column of a cube's time buckets.
pub(crate) const BUCKET: &str = "bucket";

/// One cube as one query sees it.
#[derive(Debug)]
pub(crate) struct CubeTable {
    source: Arc<dyn CubeSource>,
    schema: SchemaRef,
    /// What the query reads; taken once, so that every mention of the cube sees the same.
    view: Mutex<Option<Arc<dyn CubeSnapshot>>>,
}

impl CubeTable {
    pub(crate) fn new(source: Arc<dyn CubeSource>) -> Self {
        let schema = public_schema(source.as_ref());
        Self {
            source,
            schema,
            view: Mutex::new(None),
        }
    }

    /// Width of a bucket, in microseconds.
    pub(crate) fn bucket_us(&self) -> i64 {
        self.source.bucket_us()
    }

    /// The widths of older buckets, newest first.
    pub(crate) fn widths_us(&self) -> Vec<(i64, i64)> {
        self.source.widths_us()
    }

    /// Names of the dimensions.
    pub(crate) fn dimensions(&self) -> Vec<String> {
        self.source.dimensions()
    }

    /// Takes the view for all that the query reads of this cube.
    pub(crate) fn take_view(&self, range: TimeRange) -> Arc<dyn CubeSnapshot> {
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(view.get_or_insert_with(|| self.source.view(range)))
    }
}

/// A batch of states under the names of the table, cut to what a query works on at once.
fn pieces(schema: &SchemaRef, states: &RecordBatch) -> Result<Vec<RecordBatch>> {
    let rows = RecordBatchOptions::new().with_row_count(Some(states.num_rows()));
    let columns = states.columns().to_vec();
    let named = RecordBatch::try_new_with_options(Arc::clone(schema), columns, &rows)?;
    let mut pieces = Vec::with_capacity(named.num_rows() / BATCH_ROWS + 1);
    let mut from = 0;
    while from < named.num_rows() {
        let rows = BATCH_ROWS.min(named.num_rows() - from);
        pieces.push(named.slice(from, rows));
        from += rows;
    }
    Ok(pieces)
}

/// States that are read from history as the query asks for them.
#[derive(Debug)]
struct Stored {
    view: Arc<dyn CubeSnapshot>,
    /// The columns that are read.
    columns: Vec<usize>,
    schema: SchemaRef,
}

impl PartitionStream for Stored {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), AHEAD);
        let sender = builder.tx();
        let (view, schema) = (Arc::clone(&self.view), Arc::clone(&self.schema));
        let columns = self.columns.clone();
        // Reading and decoding block; dropping the stream ends it at the next batch.
        builder.spawn_blocking(move || {
            for states in view.batches(columns) {
                for piece in pieces(&schema, &states?)? {
                    if sender.blocking_send(Ok(piece)).is_err() {
                        return Ok(());
                    }
                }
            }
            Ok(())
        });
        builder.build()
    }
}

fn public_schema(source: &dyn CubeSource) -> SchemaRef {
    let schema = source.schema();
    let measures = source.measures();
    let public = |field: &Arc<Field>| {
        for measure in &measures {
            let part = measure
                .state_columns
                .iter()
                .position(|column| column == field.name());
            if let Some(part) = part {
                let name = state_column(&measure.name, part);
                return Arc::new(field.as_ref().clone().with_name(name));
            }
        }
        Arc::clone(field)
    };
    Arc::new(Schema::new(
        schema.fields().iter().map(public).collect::<Vec<_>>(),
    ))
}

#[async_trait]
impl TableProvider for CubeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let view = self.take_view(time_range(BUCKET, filters));
        let schema = Arc::clone(&self.schema);
        if let Some(states) = view.in_memory() {
            let mut batches = Vec::with_capacity(states.len());
            for states in states {
                batches.extend(pieces(&schema, states)?);
            }
            let exec = MemorySourceConfig::try_new_exec(&[batches], schema, projection.cloned())?;
            return Ok(exec);
        }
        let columns = match projection {
            Some(columns) => columns.clone(),
            None => (0..schema.fields().len()).collect(),
        };
        let schema = Arc::new(schema.project(&columns)?);
        let stored = Stored {
            view,
            columns,
            schema: Arc::clone(&schema),
        };
        let exec =
            StreamingTableExec::try_new(schema, vec![Arc::new(stored)], None, None, false, None)?;
        Ok(Arc::new(exec))
    }
}
