//! A stream as a table: its events, read from the journal as the query asks for them.

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

use super::time_range::{TimeRange, time_range};
use crate::limits::BATCH_ROWS;
use crate::source::StreamSource;

/// Batches read ahead of the query. More would only hold memory.
const AHEAD: usize = 2;

/// One stream as one query sees it.
#[derive(Debug)]
pub(crate) struct StreamTable {
    source: Arc<dyn StreamSource>,
    /// How much of the journal the query sees; every mention of the stream sees as much.
    frames: OnceLock<usize>,
}

impl StreamTable {
    pub(crate) fn new(source: Arc<dyn StreamSource>) -> Self {
        Self {
            source,
            frames: OnceLock::new(),
        }
    }

    /// Fixes what the query sees of this stream.
    pub(crate) fn take_view(&self) -> usize {
        *self.frames.get_or_init(|| self.source.frames())
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
            frames: self.take_view(),
            source: Arc::clone(&self.source),
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
    source: Arc<dyn StreamSource>,
    schema: SchemaRef,
    range: TimeRange,
    frames: usize,
}

impl PartitionStream for Events {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), AHEAD);
        let sender = builder.tx();
        let source = Arc::clone(&self.source);
        let (range, frames) = (self.range, self.frames);
        // Reading and decoding block; dropping the stream ends it at the next batch.
        builder.spawn_blocking(move || {
            for batch in source.scan(range, frames) {
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
