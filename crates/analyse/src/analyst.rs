//! The one who answers: SQL, series and slices over the cubes and streams of a processor.

use std::collections::HashMap;
use std::sync::Arc;

use tillwatch_event::MemoryBudget;
use tillwatch_journal::JournalReader;
use tillwatch_process::Processor;
use tokio::time::timeout;

use crate::encode::QueryResult;
use crate::engine::{self, Engine, EngineParts, metric_faults};
use crate::error::AnalyseError;
use crate::forecast::{self, ForecastAnswer, ForecastQuery};
use crate::guard::check_text;
use crate::limits::{LimitOverride, QueryLimits};
use crate::metric::{Metric, MetricDefinition, Nature};
use crate::pool::{WorkerPool, with_large_stack};
use crate::processed::parts;
use crate::reuse::{Reuse, ReuseStatus};
use crate::series::{Series, SeriesQuery, Slices, SlicesQuery, aligned, series, slices};

/// Answers questions about cubes and streams.
///
/// All calls need a tokio runtime with time; the work itself runs on threads of its own. Dropping a
/// call's future cancels its query.
#[derive(Debug)]
pub struct Analyst {
    engine: Arc<Engine>,
    /// For SQL from outside.
    sql: WorkerPool,
    /// For series and slices, so that a flood of SQL stops neither boards nor monitors.
    figures: WorkerPool,
    /// Answers of series, each computed for all who ask for it.
    answers: Reuse<SeriesQuery, Series>,
}

impl Analyst {
    /// An analyst over a processor's cubes and streams.
    ///
    /// # Errors
    /// [`AnalyseError::Metric`] for the first metric that cannot work; [`check_metrics`] tells all.
    pub fn new(
        processor: &Arc<Processor>,
        reader: &JournalReader,
        metrics: Vec<MetricDefinition>,
        limits: QueryLimits,
    ) -> Result<Self, AnalyseError> {
        Self::over(parts(processor, Some(reader), metrics, limits))
    }

    /// As [`Self::new`], taking the memory of queries and their answers out of what the process shares.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn sharing(
        processor: &Arc<Processor>,
        reader: &JournalReader,
        metrics: Vec<MetricDefinition>,
        limits: QueryLimits,
        memory: MemoryBudget,
    ) -> Result<Self, AnalyseError> {
        Self::over(EngineParts {
            memory,
            ..parts(processor, Some(reader), metrics, limits)
        })
    }

    pub(crate) fn over(parts: EngineParts) -> Result<Self, AnalyseError> {
        let limits = parts.limits.clone();
        let answers = Reuse::new(limits.series_cache_bytes_max, &parts.memory);
        let pool =
            |name| WorkerPool::start(name, limits.workers, limits.running_max, limits.waiting_max);
        Ok(Self {
            engine: Arc::new(with_large_stack(|| Engine::new(parts))??),
            sql: pool("tillwatch-sql")?,
            figures: pool("tillwatch-figures")?,
            answers,
        })
    }

    /// Answers one read-only SQL statement over the tables of cubes and streams.
    ///
    /// # Errors
    /// Why there is no answer, in words for the one who asked.
    pub async fn sql(&self, text: &str, by: LimitOverride) -> Result<QueryResult, AnalyseError> {
        let limits = self.engine.limits.narrowed(by);
        check_text(text, &limits)?;
        let engine = Arc::clone(&self.engine);
        let text = text.to_owned();
        let deadline = limits.deadline;
        self.sql
            .run(deadline, async move { engine.answer(&text, &limits).await })
            .await
    }

    /// A metric's series, with every event that was acknowledged before this call.
    ///
    /// Who asks the same at the same time gets the same answer, which is computed once and given again while
    /// nothing it reads has changed.
    ///
    /// # Errors
    /// Unknown names, a step that is no multiple of the bucket, too many points, or a limit.
    pub async fn series(&self, query: &SeriesQuery) -> Result<Arc<Series>, AnalyseError> {
        let Some((query, cube)) = aligned(&self.engine, query) else {
            return self.compute(query).await.map(Arc::new);
        };
        let deadline = self.engine.limits.deadline;
        let answer = self
            .answers
            .answer(&query, &*cube.source, || self.compute(&query));
        // The time of those who wait for another's computation is bounded as well.
        timeout(deadline, answer)
            .await
            .unwrap_or_else(|_| Err(AnalyseError::late(deadline)))
    }

    async fn compute(&self, query: &SeriesQuery) -> Result<Series, AnalyseError> {
        let engine = Arc::clone(&self.engine);
        let query = query.clone();
        let work = async move { series(&engine, &query, &engine.limits).await };
        self.figures.run(self.engine.limits.deadline, work).await
    }

    /// A metric's forecast, and for one that adds up the expected total of the day.
    ///
    /// A forecast is computed once and given again until another step is complete; what the day has come to so
    /// far is always as it is now.
    ///
    /// # Errors
    /// As [`Self::series`]; a zone that does not exist, and a horizon of too many steps.
    pub async fn forecast(&self, query: &ForecastQuery) -> Result<ForecastAnswer, AnalyseError> {
        let plan = forecast::plan(&self.engine, query)?;
        let forecast = forecast::forecast(&self.engine, &plan).await?;
        let so_far = match plan.so_far() {
            Some(query) => Some(self.series(&query).await?),
            None => None,
        };
        Ok(forecast::answer(&plan, forecast, so_far.as_deref()))
    }

    /// How often forecasts were computed, and how often that was not needed.
    #[must_use]
    pub fn forecasts(&self) -> ReuseStatus {
        self.engine.forecasts.status()
    }

    /// How often series were computed, and how often that was not needed.
    #[must_use]
    pub fn reuse(&self) -> ReuseStatus {
        self.answers.status()
    }

    /// What a detector needs: values, numerators and denominators per slice and step.
    ///
    /// # Errors
    /// As [`Self::series`].
    pub async fn slices(&self, query: &SlicesQuery) -> Result<Slices, AnalyseError> {
        let engine = Arc::clone(&self.engine);
        let query = query.clone();
        let work = async move { slices(&engine, &query, &engine.limits).await };
        self.figures.run(self.engine.limits.deadline, work).await
    }

    /// All metrics, by name.
    pub fn metrics(&self) -> impl Iterator<Item = &Arc<Metric>> {
        self.engine.metrics.values()
    }

    /// The metric of that name.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&Arc<Metric>> {
        self.engine.metrics.get(name)
    }

    /// The names of a metric's dimensions.
    #[must_use]
    pub fn dimensions(&self, metric: &Metric) -> &[String] {
        self.engine
            .cubes
            .get(&metric.definition.of)
            .map_or(&[], |cube| &cube.dimensions)
    }

    /// The bucket of a metric's cube, in microseconds.
    #[must_use]
    pub fn bucket_us(&self, metric: &Metric) -> i64 {
        self.engine
            .cubes
            .get(&metric.definition.of)
            .map_or(1, |cube| cube.source.bucket_us())
    }

    /// The present version of a metric's cube; it grows with every change.
    #[must_use]
    pub fn version(&self, metric: &Metric) -> u64 {
        self.engine
            .cubes
            .get(&metric.definition.of)
            .map_or(0, |cube| cube.source.version())
    }

    /// The first and last bucket of a metric's cube that changed since a version.
    #[must_use]
    pub fn changed_since(&self, metric: &Metric, version: u64) -> Option<(i64, i64)> {
        self.engine
            .cubes
            .get(&metric.definition.of)?
            .source
            .changed_since(version)
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> &QueryLimits {
        &self.engine.limits
    }
}

/// Every fault of every metric over a processor's cubes.
#[must_use]
pub fn check_metrics(
    processor: &Arc<Processor>,
    metrics: Vec<MetricDefinition>,
) -> Vec<AnalyseError> {
    let parts = parts(processor, None, metrics, QueryLimits::default());
    with_large_stack(|| metric_faults(&parts)).unwrap_or_else(|fault| vec![fault])
}

/// What the metrics are to those who judge them, by name; metrics at fault are not among them.
#[must_use]
pub fn natures(
    processor: &Arc<Processor>,
    metrics: Vec<MetricDefinition>,
) -> HashMap<String, Nature> {
    let parts = parts(processor, None, metrics, QueryLimits::default());
    with_large_stack(|| engine::natures(&parts)).unwrap_or_default()
}
