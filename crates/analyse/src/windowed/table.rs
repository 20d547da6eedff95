//! A cube's windows as a table.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};

use super::kind::Kind;
use super::rows::{Spreading, Zone};
use super::{WINDOW_END, WINDOW_START};
use crate::error::AnalyseError;
use crate::source::CubeSnapshot;
use crate::tables::{AHEAD, BUCKET, CubeTable, TimeRange, time_range};

/// The windows of one cube as one query sees it.
#[derive(Debug)]
pub(crate) struct WindowTable {
    cube: Arc<CubeTable>,
    kind: Kind,
    zone: Zone,
    rows_max: usize,
    schema: SchemaRef,
}

impl WindowTable {
    pub(super) fn new(
        cube: Arc<CubeTable>,
        kind: Kind,
        zone: Zone,
        rows_max: usize,
    ) -> std::result::Result<Self, AnalyseError> {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let mut fields: Vec<Arc<Field>> = cube.schema().fields().iter().cloned().collect();
        for name in [WINDOW_START, WINDOW_END] {
            if fields.iter().any(|field| field.name() == name) {
                return Err(AnalyseError::invalid(format!(
                    "the cube has a dimension '{name}' already, so its windows have no name"
                )));
            }
            fields.push(Arc::new(Field::new(name, time.clone(), true)));
        }
        if let Zone::Dimension(name) = &zone
            && let Ok(field) = cube.schema().field_with_name(name)
            && !field.data_type().is_string()
        {
            return Err(AnalyseError::invalid(format!(
                "the dimension '{name}' is no text, and names no zone"
            )));
        }
        Ok(Self {
            cube,
            kind,
            zone,
            rows_max,
            schema: Arc::new(Schema::new(fields)),
        })
    }

    /// The cube whose windows these are.
    pub(crate) fn cube(&self) -> &Arc<CubeTable> {
        &self.cube
    }

    /// The buckets that conditions leave, those on the windows included.
    pub(crate) fn range<'a>(
        &self,
        filters: impl IntoIterator<Item = &'a Expr> + Clone,
    ) -> TimeRange {
        let longest_us = self.kind.longest_us();
        let starts = time_range(WINDOW_START, filters.clone());
        let ends = time_range(WINDOW_END, filters.clone());
        let windows = TimeRange {
            from_us: starts.from_us,
            to_us: starts.to_us.map(|us| us.saturating_add(longest_us)),
        };
        let ends = TimeRange {
            from_us: ends.from_us.map(|us| us.saturating_sub(longest_us)),
            to_us: ends.to_us,
        };
        time_range(BUCKET, filters).and(windows).and(ends)
    }
}

#[async_trait]
impl TableProvider for WindowTable {
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
        let range = self.range(filters);
        let view = self.cube.take_view(range);
        let spreading = Spreading {
            schema: Arc::clone(&self.schema),
            kind: self.kind,
            zone: self.zone.clone(),
            range,
            // Read after the view: buckets only ever grow wider, so no joined one passes for narrow.
            widths_us: self.cube.widths_us(),
            bucket_us: self.cube.bucket_us(),
            rows_max: self.rows_max,
        };
        let rows = Rows {
            view,
            columns: self.cube.schema().fields().len(),
            spreading: Arc::new(spreading),
        };
        let exec = StreamingTableExec::try_new(
            Arc::clone(&self.schema),
            vec![Arc::new(rows)],
            projection,
            None,
            false,
            None,
        )?;
        Ok(Arc::new(exec))
    }
}

/// Rows that are read and spread as the query asks for them.
#[derive(Debug)]
struct Rows {
    view: Arc<dyn CubeSnapshot>,
    /// How many columns states have.
    columns: usize,
    spreading: Arc<Spreading>,
}

impl PartitionStream for Rows {
    fn schema(&self) -> &SchemaRef {
        &self.spreading.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.spreading.schema);
        let mut builder = RecordBatchReceiverStreamBuilder::new(schema, AHEAD);
        let sender = builder.tx();
        let (view, spreading, columns) = (
            Arc::clone(&self.view),
            Arc::clone(&self.spreading),
            self.columns,
        );
        // Reading and decoding block; dropping the stream ends it at the next piece.
        builder.spawn_blocking(move || {
            let send = |piece| sender.blocking_send(Ok(piece)).is_ok();
            let columns = (0..columns).collect();
            spreading.run(view.batches(columns), send)
        });
        builder.build()
    }
}
