//! A forecast as a table: a row per step.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, Float64Array, RecordBatch, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use tillwatch_predict::Point;

use super::desk::forecast;
use super::question::plan;
use super::{Forecast, ForecastQuery, Outlook};
use crate::engine::Engine;
use crate::error::AnalyseError;

/// The zone that columns of time are in.
const UTC: &str = "UTC";

/// A figure of a point.
type Part = fn(&Point) -> f64;

/// The columns after `start`, and what they hold of a point.
const COLUMNS: [(&str, Part); 5] = [
    ("value", |point| point.mean),
    ("lower_80", |point| point.low80),
    ("upper_80", |point| point.high80),
    ("lower_95", |point| point.low95),
    ("upper_95", |point| point.high95),
];

/// One metric's forecast. It has no rows where history is too short.
#[derive(Debug)]
pub(super) struct ForecastTable {
    engine: Arc<Engine>,
    query: ForecastQuery,
    schema: SchemaRef,
}

impl ForecastTable {
    pub(super) fn new(engine: Arc<Engine>, query: ForecastQuery) -> Self {
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()));
        let figures = COLUMNS.map(|(name, _)| Field::new(name, DataType::Float64, false));
        let fields: Vec<Field> = std::iter::once(Field::new("start", time, false))
            .chain(figures)
            .collect();
        Self {
            engine,
            query,
            schema: Arc::new(Schema::new(fields)),
        }
    }

    fn rows(&self, forecast: &Forecast) -> Result<RecordBatch> {
        let points = match forecast.slices.first().map(|slice| &slice.outlook) {
            Some(Outlook::Ready(expected)) => expected.points.as_slice(),
            _ => &[],
        };
        let starts = (forecast.from_us..)
            .step_by(usize::try_from(forecast.step_us).unwrap_or(usize::MAX))
            .take(points.len());
        let starts = TimestampMicrosecondArray::from_iter_values(starts).with_timezone(UTC);
        let figures = COLUMNS.map(|(_, figure)| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(points.iter().map(figure)))
        });
        let columns = std::iter::once(Arc::new(starts) as ArrayRef).chain(figures);
        Ok(RecordBatch::try_new(
            Arc::clone(&self.schema),
            columns.collect(),
        )?)
    }
}

#[async_trait]
impl TableProvider for ForecastTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let external = |fault: AnalyseError| DataFusionError::External(Box::new(fault));
        let plan = plan(&self.engine, &self.query).map_err(external)?;
        let forecast = forecast(&self.engine, &plan).await.map_err(external)?;
        let rows = self.rows(&forecast)?;
        let exec = MemorySourceConfig::try_new_exec(
            &[vec![rows]],
            Arc::clone(&self.schema),
            projection.cloned(),
        )?;
        Ok(exec)
    }
}
