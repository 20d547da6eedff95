//! A cube as a table: `bucket`, the dimensions, and the measures' partial states.
//!
//! Several rows per bucket and dimensions are possible, because states are kept as they came and
//! merged when read; `measure(name)` does that. State columns have names no query writes.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::time_range::{TimeRange, time_range};
use crate::limits::BATCH_ROWS;
use crate::measure::state_column;
use crate::source::CubeSource;

/// The column of a cube's time buckets.
pub(crate) const BUCKET: &str = "bucket";

/// One cube as one query sees it.
#[derive(Debug)]
pub(crate) struct CubeTable {
    source: Arc<dyn CubeSource>,
    schema: SchemaRef,
    /// What the query reads; taken once, so that every mention of the cube sees the same.
    view: Mutex<Option<Arc<Vec<RecordBatch>>>>,
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

    /// Takes the view for all that the query reads of this cube.
    pub(crate) fn take_view(&self, range: TimeRange) -> Result<Arc<Vec<RecordBatch>>> {
        let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = view.as_ref() {
            return Ok(Arc::clone(taken));
        }
        let mut batches = Vec::new();
        for batch in self.source.snapshot(range) {
            let named = RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())?;
            let mut from = 0;
            while from < named.num_rows() {
                let rows = BATCH_ROWS.min(named.num_rows() - from);
                batches.push(named.slice(from, rows));
                from += rows;
            }
        }
        let taken = Arc::new(batches);
        *view = Some(Arc::clone(&taken));
        Ok(taken)
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
        let batches = self.take_view(time_range(BUCKET, filters))?;
        let schema = Arc::clone(&self.schema);
        let exec = MemorySourceConfig::try_new_exec(
            &[batches.as_ref().clone()],
            schema,
            projection.cloned(),
        )?;
        Ok(exec)
    }
}
