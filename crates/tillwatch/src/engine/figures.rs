//! What monitors see: the figures of metrics, from `analyse`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tillwatch_analyse::{Analyst, Metric, SeriesQuery, SlicesQuery, Span, Windows};
use tillwatch_collect::{Clock, SystemClock};
use tillwatch_monitor::figure::{
    Bucket, FigureQuery, FigureSource, MetricFacts, Passed, PassedQuery, PassedValues, Revised,
    Slice, SliceFigures,
};
use tillwatch_process::{Processor, Revision};
use tokio::runtime::Handle;

use super::events_sql::Events;

/// Slices a monitor is shown at most; the heaviest come first.
const SLICES_MAX: usize = 10_000;

/// Figures of one set of definitions.
pub struct Figures {
    analyst: Arc<Analyst>,
    processor: Arc<Processor>,
    runtime: Handle,
    empty_values: Mutex<HashMap<String, Option<f64>>>,
}

impl Figures {
    /// Figures by an analyst; questions run on `runtime` and must come from a thread of their own.
    pub fn new(analyst: Arc<Analyst>, processor: Arc<Processor>, runtime: Handle) -> Self {
        Self {
            analyst,
            processor,
            runtime,
            empty_values: Mutex::default(),
        }
    }

    fn metric(&self, name: &str) -> Result<&Arc<Metric>, String> {
        self.analyst
            .metric(name)
            .ok_or_else(|| format!("there is no metric '{name}'"))
    }

    /// The metric's value where nothing happened. It is asked once: definitions never change.
    fn empty_value(&self, name: &str) -> Result<Option<f64>, String> {
        let known = || {
            self.empty_values
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(value) = known().get(name) {
            return Ok(*value);
        }
        let bucket_us = self.analyst.bucket_us(self.metric(name)?);
        let nothing = SeriesQuery {
            metric: name.to_owned(),
            from_us: 0,
            to_us: bucket_us,
            step_us: bucket_us,
            ..SeriesQuery::default()
        };
        let answer = self.runtime.block_on(self.analyst.series(&nothing));
        let value = answer.map_err(|error| error.to_string())?.empty.as_f64();
        known().insert(name.to_owned(), value);
        Ok(value)
    }
}

/// Which events are of a slice. The empty value stands for "no value".
fn filters(slice: &Slice) -> Vec<(String, String)> {
    let pairs = slice.pairs();
    pairs
        .map(|(dimension, value)| (dimension.to_owned(), value.unwrap_or_default().to_owned()))
        .collect()
}

/// Whether a measure counts every event.
fn counts_all(sql: &str) -> bool {
    let plain = sql.chars().filter(|c| !c.is_whitespace());
    let plain: String = plain.flat_map(char::to_lowercase).collect();
    matches!(plain.as_str(), "count(*)" | "count(1)")
}

impl FigureSource for Figures {
    fn facts(&self, name: &str) -> Result<MetricFacts, String> {
        let metric = self.metric(name)?;
        let cube = self.processor.cube(&metric.definition().of);
        let revised_events =
            (cube.as_ref()).map_or(0, |cube| cube.revisions(|revisions| revisions.events()));
        let stream = cube.and_then(|cube| self.processor.stream(&cube.definition().from));
        let options = self.processor.options();
        // A source that has fallen silent is no longer waited for, though nothing else came since.
        let now_us = SystemClock.now_us();
        Ok(MetricFacts {
            bucket_us: self.analyst.bucket_us(metric),
            unit: metric.definition().unit.clone(),
            is_rate: metric.ratio().is_some(),
            is_count: metric.is_count(),
            adds_up: metric.adds_up(),
            dimensions: self.analyst.dimensions(metric).to_vec(),
            watermark_us: stream.and_then(|stream| stream.watermark_at(now_us, options)),
            empty_value: self.empty_value(name)?,
            lateness_us: options.lateness_us,
            revised_events,
        })
    }

    fn width_us(&self, name: &str, from_us: i64) -> Result<i64, String> {
        let metric = self.metric(name)?;
        let own_us = self.analyst.bucket_us(metric);
        let Some(cube) = self.processor.cube(&metric.definition().of) else {
            return Ok(own_us);
        };
        // Newest first, each from a time on.
        let widths = cube.widths_us();
        let there = widths.iter().find(|(start_us, _)| *start_us <= from_us);
        Ok(there
            .or(widths.last())
            .map_or(own_us, |(_, width_us)| *width_us))
    }

    fn widths_us(&self, name: &str) -> Result<Vec<(i64, i64)>, String> {
        let metric = self.metric(name)?;
        let own_us = self.analyst.bucket_us(metric);
        let cube = self.processor.cube(&metric.definition().of);
        let widths = cube.map(|cube| cube.widths_us()).unwrap_or_default();
        Ok(if widths.is_empty() {
            vec![(i64::MIN, own_us)]
        } else {
            widths
        })
    }

    fn slices_max(&self, steps: i64) -> usize {
        let limits = self.analyst.limits();
        let steps = usize::try_from(steps).unwrap_or(usize::MAX).max(1);
        let most = (limits.points_max / steps).min(limits.series_max);
        most.clamp(1, SLICES_MAX)
    }

    fn figures(&self, query: &FigureQuery) -> Result<Vec<SliceFigures>, String> {
        let question = SlicesQuery {
            series: SeriesQuery {
                metric: query.metric.clone(),
                from_us: query.from_us,
                to_us: query.to_us,
                step_us: query.step_us,
                windows: Windows {
                    span: query.over_us.map_or(Span::Step, Span::Trailing),
                    ..Windows::default()
                },
                by: query.by.clone(),
                filters: filters(&query.within),
                limit_series: Some(SLICES_MAX),
            },
            ..SlicesQuery::default()
        };
        let answer = self
            .runtime
            .block_on(self.analyst.slices(&question))
            .map_err(|error| error.to_string())?;
        Ok(answer
            .slices
            .into_iter()
            .map(|slice| SliceFigures {
                slice: slice.by.into_iter().collect::<Slice>(),
                buckets: slice
                    .buckets
                    .into_iter()
                    .map(|bucket| Bucket {
                        start_us: bucket.start_us,
                        value: bucket.value,
                        numerator: bucket.numerator,
                        denominator: bucket.denominator,
                    })
                    .collect(),
            })
            .collect())
    }

    fn passed(&self, query: &PassedQuery) -> Result<Passed, String> {
        let metric = self.metric(&query.metric)?;
        let cube = self.processor.cube(&metric.definition().of);
        let events = cube.and_then(|cube| {
            let measures = cube.definition().measures.iter();
            let mut all = measures.filter(|(_, sql)| counts_all(sql));
            all.next().map(|(name, _)| name.clone())
        });
        let quantile = metric.quantile();
        if events.is_none() && quantile.is_none() {
            return Ok(Passed::default());
        }
        let bound = query.above.unwrap_or(f64::INFINITY);
        let question = SlicesQuery {
            series: SeriesQuery {
                metric: query.metric.clone(),
                from_us: query.from_us,
                to_us: query.to_us,
                step_us: query.to_us - query.from_us,
                filters: filters(&query.slice),
                ..SeriesQuery::default()
            },
            measures: events.into_iter().collect(),
            // All of the values are above the first.
            above: vec![f64::NEG_INFINITY, bound],
        };
        let answer = self.runtime.block_on(self.analyst.slices(&question));
        let answer = answer.map_err(|error| error.to_string())?;
        let buckets = answer.slices.first().map(|slice| slice.buckets.as_slice());
        // One bucket that is not known, as where old ones were joined, leaves the whole unknown.
        let Some([bucket]) = buckets else {
            return Ok(Passed::default());
        };
        let count = bucket.above.first().copied().flatten();
        Ok(Passed {
            events: bucket.measures.first().copied().flatten(),
            values: quantile.zip(count).map(|(quantile, count)| PassedValues {
                quantile: quantile.q,
                count,
                above: bucket
                    .above
                    .get(1)
                    .copied()
                    .flatten()
                    .filter(|_| query.above.is_some()),
            }),
        })
    }

    fn stream(&self, metric: &str) -> Option<String> {
        let metric = self.metric(metric).ok()?;
        let cube = self.processor.cube(&metric.definition().of)?;
        Some(cube.definition().from.clone())
    }

    fn events_sql(
        &self,
        metric: &str,
        slices: &[Slice],
        from_us: i64,
        to_us: i64,
    ) -> Option<String> {
        let metric = self.metric(metric).ok()?;
        let cube = self.processor.cube(&metric.definition().of)?;
        let stream = self.processor.stream(&cube.definition().from)?;
        let schema = stream.schema();
        let events = Events {
            stream: stream.name(),
            time: schema.field(stream.time_column()).name(),
            dimensions: &cube.definition().dimensions,
        };
        let is_text = |column: &str| {
            let field = schema.field_with_name(column);
            field.is_ok_and(|field| field.data_type().is_string())
        };
        events.sql(is_text, slices, (from_us, to_us))
    }

    fn revised(&self, name: &str, from_us: i64, to_us: i64) -> Result<Option<Revised>, String> {
        let metric = self.metric(name)?;
        let Some(cube) = self.processor.cube(&metric.definition().of) else {
            return Ok(None);
        };
        // Where `keep` has joined buckets, those of the range have neighbours' events in them.
        let own_width_from_us = (cube.widths_us().first()).map_or(i64::MIN, |(start, _)| *start);
        if from_us < own_width_from_us {
            return Ok(None);
        }
        let all = cube.revisions(|revisions| {
            let within = revisions.within(from_us, to_us);
            within.map(|(_, revision)| revision).reduce(Revision::plus)
        });
        Ok(all.map(|revision| Revised {
            events: revision.events,
            at_us: revision.revised_at_us,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_count_without_a_condition_counts_every_event() {
        for all in ["count(*)", "COUNT( * )", " count (1) "] {
            assert!(counts_all(all), "{all}");
        }
        for other in [
            "count(x)",
            "count(*) filter (where ok)",
            "sum(n)",
            "count(distinct x)",
        ] {
            assert!(!counts_all(other), "{other}");
        }
    }
}
