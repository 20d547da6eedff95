//! Questions over the analyst.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tillwatch_analyse::{Analyst, LimitOverride, PointValue, PointWindow, SeriesQuery};
use tillwatch_process::{Cube, Processor, Revision, Revisions, StreamLog};
use tokio::sync::watch;

use crate::adapters::{faults, forecast};
use crate::documents::{Figure, ForecastDocument, Localized, Metric, MetricKind};
use crate::ports::{
    Figures, ForecastQuery, RevisedStep, SeriesAnswer, SeriesQuestion, SeriesReuse, SqlFormat,
    SqlLimits,
};
use crate::problem::Problem;
use crate::request::time::{MS, now_us};

/// Questions about one processor.
pub struct AnalystFigures {
    analyst: Arc<Analyst>,
    processor: Arc<Processor>,
    metrics: Vec<Metric>,
    /// By name of the metric: where it comes from.
    places: HashMap<String, Place>,
}

/// Where a metric comes from.
struct Place {
    /// Its place in the list of metrics.
    at: usize,
    cube: Option<Arc<Cube>>,
    /// The stream that the cube is made from.
    stream: Option<Arc<StreamLog>>,
}

impl AnalystFigures {
    /// Over an analyst and the processor it asks. `order` are the metrics' names in the order of their definition; those
    /// it does not name come after, by name.
    #[must_use]
    pub fn new(analyst: Arc<Analyst>, processor: Arc<Processor>, order: &[String]) -> Self {
        let mut metrics: Vec<Metric> = analyst.metrics().map(|m| document(&analyst, m)).collect();
        let rank = |name: &str| order.iter().position(|n| n == name).unwrap_or(order.len());
        metrics.sort_by_cached_key(|metric| (rank(&metric.name), metric.name.clone()));
        let places = metrics
            .iter()
            .enumerate()
            .map(|(at, metric)| {
                let cube = processor.cube(&metric.of);
                let stream =
                    (cube.as_ref()).and_then(|cube| processor.stream(&cube.definition().from));
                (metric.name.clone(), Place { at, cube, stream })
            })
            .collect();
        Self {
            analyst,
            processor,
            metrics,
            places,
        }
    }
}

fn document(analyst: &Analyst, metric: &tillwatch_analyse::Metric) -> Metric {
    let definition = metric.definition();
    Metric {
        name: definition.name.clone(),
        title: definition.title.as_ref().map(|title| Localized {
            en: title.en.clone(),
            zh: title.zh.clone(),
        }),
        unit: definition.unit.clone(),
        description: definition.description.clone(),
        formula: definition.formula.clone(),
        of: definition.of.clone(),
        dimensions: analyst.dimensions(metric).to_vec(),
        bucket_ms: analyst.bucket_us(metric) / MS,
        kind: match metric.kind() {
            tillwatch_analyse::MetricKind::Rate => MetricKind::Rate,
            tillwatch_analyse::MetricKind::Count => MetricKind::Count,
            tillwatch_analyse::MetricKind::Amount => MetricKind::Amount,
            tillwatch_analyse::MetricKind::Other => MetricKind::Other,
        },
    }
}

/// The steps with buckets in their windows that changed after they were complete.
fn revised(cube: &Cube, windows: &[PointWindow]) -> BTreeMap<i64, RevisedStep> {
    let (Some(first), Some(last)) = (windows.first(), windows.last()) else {
        return BTreeMap::new();
    };
    let within = |revisions: &Revisions| {
        let within = revisions.within(first.from_us, last.to_us);
        within.collect::<Vec<_>>()
    };
    revised_steps(&cube.revisions(within), windows)
}

/// What changed in windows, both of whose ends ascend. Each bucket comes in once and goes out once, however
/// many windows it is in.
fn revised_steps(
    revised: &[(i64, Revision)],
    windows: &[PointWindow],
) -> BTreeMap<i64, RevisedStep> {
    let mut steps = BTreeMap::new();
    let (mut coming, mut going) = (revised.iter().peekable(), revised.iter().peekable());
    let mut events = 0;
    // Those that may be the last received of a window, the latest first.
    let mut latest: VecDeque<(i64, i64)> = VecDeque::new();
    for window in windows {
        while let Some((start_us, revision)) =
            coming.next_if(|(start_us, _)| *start_us < window.to_us)
        {
            events += revision.events;
            while latest
                .pop_back_if(|(_, at_us)| *at_us <= revision.revised_at_us)
                .is_some()
            {}
            latest.push_back((*start_us, revision.revised_at_us));
        }
        while let Some((_, revision)) =
            going.next_if(|(start_us, _)| *start_us < window.from_us && *start_us < window.to_us)
        {
            events -= revision.events;
        }
        while latest
            .pop_front_if(|(start_us, _)| *start_us < window.from_us)
            .is_some()
        {}
        if let Some((_, revised_at_us)) = latest.front() {
            let step = RevisedStep {
                revised_at_us: *revised_at_us,
                events,
            };
            steps.insert(window.at_us, step);
        }
    }
    steps
}

pub(super) fn figure(value: &PointValue) -> Option<Figure> {
    match value {
        PointValue::Null => None,
        PointValue::Int(value) => Some(Figure::integer(*value)),
        PointValue::Float(value) => Figure::number(*value),
        PointValue::Text(text) => Some(Figure::Exact(text.clone())),
    }
}

impl Figures for AnalystFigures {
    fn metrics(&self) -> Vec<Metric> {
        self.metrics.clone()
    }

    fn metric(&self, name: &str) -> Option<Metric> {
        let place = self.places.get(name)?;
        self.metrics.get(place.at).cloned()
    }

    fn series(&self, question: SeriesQuestion) -> BoxFuture<'_, Result<SeriesAnswer, Problem>> {
        async move {
            let place = self.places.get(&question.metric);
            let query = SeriesQuery {
                metric: question.metric,
                from_us: question.from_us,
                to_us: question.to_us,
                step_us: question.step_us,
                windows: question.windows,
                by: question.by,
                filters: question.filters,
                limit_series: Some(question.limit),
            };
            let answer = self
                .analyst
                .series(&query)
                .await
                .map_err(|fault| faults::analyse(&fault))?;
            let series = answer.series.iter().map(|one| {
                let key = one.by.iter().map(|(_, value)| value.clone()).collect();
                let points = one.points.iter();
                let points = points.map(|(at, value)| (*at, figure(value)));
                (key, points.collect())
            });
            Ok(SeriesAnswer {
                series: series.collect(),
                known_us: answer.known_us,
                watermark_us: place
                    .and_then(|place| place.stream.as_ref())
                    .and_then(|stream| stream.watermark_at(now_us(), self.processor.options())),
                revised: place
                    .and_then(|place| place.cube.as_ref())
                    .map(|cube| revised(cube, &answer.windows))
                    .unwrap_or_default(),
                notes: answer.notes.clone(),
                truncated: answer.truncated,
            })
        }
        .boxed()
    }

    fn forecast(
        &self,
        question: ForecastQuery,
    ) -> BoxFuture<'_, Result<ForecastDocument, Problem>> {
        async move {
            let answer = self.analyst.forecast(&question).await;
            let answer = answer.map_err(|fault| faults::analyse(&fault))?;
            let unit = answer.forecast.metric.definition().unit.clone();
            Ok(forecast::document(&question, unit, &answer))
        }
        .boxed()
    }

    fn sql(
        &self,
        text: String,
        limits: SqlLimits,
        format: SqlFormat,
    ) -> BoxFuture<'_, Result<Vec<u8>, Problem>> {
        async move {
            let narrowed = LimitOverride {
                deadline: limits.timeout,
                rows_max: limits.rows_max,
            };
            let outcome = self.analyst.sql(&text, narrowed).await;
            let result = outcome.map_err(|fault| faults::analyse(&fault))?;
            // Writing out a hundred thousand rows takes long enough to hold up other calls.
            let written = tokio::task::spawn_blocking(move || match format {
                SqlFormat::Json => result.to_json(),
                SqlFormat::Csv => result.to_csv(),
                SqlFormat::ArrowStream => result.to_arrow_stream(),
            });
            let written = written.await.map_err(|cause| Problem::internal(&cause))?;
            written.map_err(|fault| faults::analyse(&fault))
        }
        .boxed()
    }

    fn reuse(&self) -> SeriesReuse {
        let status = self.analyst.reuse();
        SeriesReuse {
            computed: status.computed,
            reused: status.reused,
            shared: status.shared,
            kept: status.kept,
            kept_bytes: status.kept_bytes,
        }
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.processor.changes()
    }

    fn version(&self, metric: &str) -> u64 {
        self.analyst
            .metric(metric)
            .map_or(0, |metric| self.analyst.version(metric))
    }

    fn changed_since(&self, metric: &str, version: u64) -> Option<(i64, i64)> {
        let metric = self.analyst.metric(metric)?;
        let (first_us, last_us) = self.analyst.changed_since(metric, version)?;
        // The last bucket has changed anywhere within itself.
        Some((
            first_us,
            last_us.saturating_add(self.analyst.bucket_us(metric) - 1),
        ))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_window_tells_what_came_late_into_its_buckets(
            revised in prop::collection::btree_map(0_i64..200, (1_u64..9, 0_i64..50), 0..40),
            starts in prop::collection::vec((0_i64..9, 0_i64..60), 1..40),
        ) {
            let revised: Vec<(i64, Revision)> = revised.into_iter().map(|(start, (events, at))| {
                (start, Revision { events, revised_at_us: at })
            }).collect();
            let (mut from_us, mut to_us) = (0, 0);
            let windows: Vec<PointWindow> = (0..).zip(starts).map(|(at_us, (step, length))| {
                from_us += step;
                to_us = (from_us + length).max(to_us);
                PointWindow { at_us, from_us, to_us }
            }).collect();
            let found = revised_steps(&revised, &windows);
            for window in windows {
                let inside = revised.iter().filter(|(start, _)| (window.from_us..window.to_us).contains(start));
                let expected = inside.map(|(_, revision)| *revision).reduce(Revision::plus);
                let found = found.get(&window.at_us).map(|step| (step.events, step.revised_at_us));
                prop_assert_eq!(found, expected.map(|all| (all.events, all.revised_at_us)));
            }
        }
    }
}
