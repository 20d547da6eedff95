//! A stream as a table: its events, read from history and the journal as the query asks for them.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};

use super::AHEAD;
use super::time_range::{TimeRange, time_range};
use crate::limits::BATCH_ROWS;
use crate::source::{StreamSnapshot, StreamSource};

/// One stream as one query sees it.
#[derive(Debug)]
pub(crate) struct StreamTable {
    source: Arc<dyn StreamSource>,
    /// What the query sees of the stream; every mention of it sees the same.
    view: OnceLock<Arc<dyn StreamSnapshot>>,
}

impl StreamTable {
    pub(crate) fn new(source: Arc<dyn StreamSource>) -> Self {
        Self {
            source,
            view: OnceLock::new(),
        }
    }

    /// Fixes what the query sees of this stream.
    pub(crate) fn take_view(&self) -> Arc<dyn StreamSnapshot> {
        Arc::clone(self.view.get_or_init(|| self.source.view()))
    }
}

#[async_trait]
impl TableProvider for StreamTable {
    fn schema(&self) -> SchemaRef {
        self.source.schema()
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
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.source.schema();
        let partition = Events {
            range: time_range(self.source.time(), filters),
            view: self.take_view(),
            columns: projection
                .cloned()
                .unwrap_or_else(|| (0..schema.fields().len()).collect()),
            schema: Arc::clone(&schema),
        };
        let exec = StreamingTableExec::try_new(
            schema,
            vec![Arc::new(partition)],
            projection,
            None,
            false,
            // Filters are evaluated after us, so a limit may only be taken here without any.
            limit.filter(|_| filters.is_empty()),
        )?;
        Ok(Arc::new(exec))
    }
}

#[derive(Debug)]
struct Events {
    view: Arc<dyn StreamSnapshot>,
    schema: SchemaRef,
    range: TimeRange,
    /// Those whose values are read.
    columns: Vec<usize>,
}

impl PartitionStream for Events {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), AHEAD);
        let sender = builder.tx();
        let view = Arc::clone(&self.view);
        let (range, columns) = (self.range, self.columns.clone());
        // Reading and decoding block; dropping the stream ends it at the next batch.
        builder.spawn_blocking(move || {
            for batch in view.scan(range, &columns) {
                let batch = batch?;
                let mut from = 0;
                while from < batch.num_rows() {
                    let rows = BATCH_ROWS.min(batch.num_rows() - from);
                    if sender.blocking_send(Ok(batch.slice(from, rows))).is_err() {
                        return Ok(());
                    }
                    from += rows;
                }
            }
            Ok(())
        });
        builder.build()
    }
}
