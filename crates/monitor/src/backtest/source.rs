//! The figures of the past, as they were known at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::MonitorError;
use crate::definition::{Detect, MonitorDefinition};
use crate::figure::{
    Bucket, FigureQuery, FigureSource, MetricFacts, Revised, Slice, SliceFigures, all_figures,
};

/// Steps that are read at once, so that no answer is larger than it may be.
const STEPS_AT_ONCE: i64 = 336;

/// Counts of one step: above the line and below it, or events and nothing.
type Counts = (f64, f64);

/// A source that knows nothing after a time.
///
/// Of a metric that adds up, which counts and ratios of counts do, all figures are read once, and every question is
/// answered from memory; of others each question goes to the source behind it.
pub(super) struct Past {
    behind: Arc<dyn FigureSource>,
    metric: String,
    facts: MetricFacts,
    by: Vec<String>,
    now_us: AtomicI64,
    kept: Option<BTreeMap<Slice, BTreeMap<i64, Counts>>>,
}

impl Past {
    /// The past of a monitor's metric for a test over `span`, and its history before.
    pub fn new(
        behind: Arc<dyn FigureSource>,
        monitor: &MonitorDefinition,
        span: (i64, i64),
    ) -> Result<Self, MonitorError> {
        let fault = MonitorError::Backtest;
        let facts = behind.facts(&monitor.metric).map_err(fault)?;
        let detect = (monitor.detect)
            .for_metric(&monitor.metric, facts.is_rate, facts.is_count)
            .map_err(fault)?;
        let history = match &detect {
            Detect::Rate(detect) => Some((detect.history, detect.window)),
            Detect::Count(detect) => Some((detect.history, detect.window)),
            Detect::Silence(detect) => Some((detect.history, detect.window)),
            _ => None,
        };
        let us = |time: std::time::Duration| i64::try_from(time.as_micros()).unwrap_or(0);
        let from_us = history.map_or(span.0, |(history, window)| {
            span.0 - us(history) - 2 * us(window)
        });
        // Old buckets may have been joined: no step can be shorter than the longest of them.
        let bucket_us = behind
            .width_us(&monitor.metric, from_us)
            .map_err(fault)?
            .max(facts.bucket_us);
        let facts = MetricFacts { bucket_us, ..facts };
        let kept = history.is_some().then(|| {
            let from_us = from_us.div_euclid(bucket_us) * bucket_us;
            read(behind.as_ref(), monitor, &facts, (from_us, span.1))
        });
        Ok(Self {
            behind,
            metric: monitor.metric.clone(),
            facts,
            by: monitor.by.clone(),
            now_us: AtomicI64::new(span.0),
            kept: kept.transpose().map_err(fault)?,
        })
    }

    /// From now on figures up to this time are known.
    pub fn is_now(&self, at_us: i64) {
        self.now_us.store(at_us, Ordering::SeqCst);
    }

    fn known_upto_us(&self) -> i64 {
        let now_us = self.now_us.load(Ordering::SeqCst);
        now_us.div_euclid(self.facts.bucket_us) * self.facts.bucket_us
    }
}

/// All figures, a stretch at a time.
fn read(
    source: &dyn FigureSource,
    monitor: &MonitorDefinition,
    facts: &MetricFacts,
    (from_us, to_us): (i64, i64),
) -> Result<BTreeMap<Slice, BTreeMap<i64, Counts>>, String> {
    let mut kept: BTreeMap<Slice, BTreeMap<i64, Counts>> = BTreeMap::new();
    let to_us = (to_us.div_euclid(facts.bucket_us)) * facts.bucket_us;
    let mut at_us = from_us;
    while at_us < to_us {
        let end_us = to_us.min(at_us + STEPS_AT_ONCE * facts.bucket_us);
        let query = FigureQuery {
            metric: monitor.metric.clone(),
            by: monitor.by.clone(),
            within: Slice::whole(),
            from_us: at_us,
            to_us: end_us,
            step_us: facts.bucket_us,
            over_us: None,
        };
        for figures in all_figures(source, &query)? {
            let known = kept.entry(figures.slice).or_default();
            for bucket in figures.buckets {
                let counts = if facts.is_rate {
                    (
                        bucket.numerator.unwrap_or(0.0),
                        bucket.denominator.unwrap_or(0.0),
                    )
                } else {
                    (bucket.value.unwrap_or(0.0), 0.0)
                };
                if counts != (0.0, 0.0) {
                    known.insert(bucket.start_us, counts);
                }
            }
        }
        at_us = end_us;
    }
    Ok(kept)
}

impl FigureSource for Past {
    fn facts(&self, metric: &str) -> Result<MetricFacts, String> {
        let facts = if metric == self.metric {
            self.facts.clone()
        } else {
            self.behind.facts(metric)?
        };
        Ok(MetricFacts {
            watermark_us: Some(self.known_upto_us()),
            // What came late is where it belongs by now, and was not waited for.
            lateness_us: 0,
            revised_events: 0,
            ..facts
        })
    }

    fn width_us(&self, metric: &str, from_us: i64) -> Result<i64, String> {
        self.behind.width_us(metric, from_us)
    }

    fn figures(&self, query: &FigureQuery) -> Result<Vec<SliceFigures>, String> {
        let query = FigureQuery {
            to_us: query.to_us.min(self.known_upto_us()),
            ..query.clone()
        };
        if query.to_us <= query.from_us {
            return Ok(Vec::new());
        }
        let is_own = query.metric == self.metric;
        let answerable = |kept| {
            let fixed = query.within.pairs();
            let mut named = query
                .by
                .iter()
                .map(String::as_str)
                .chain(fixed.map(|(d, _)| d));
            let is_known = named.all(|d| self.by.iter().any(|by| by == d));
            (is_own && is_known && query.over_us.is_none()).then_some(kept)
        };
        let Some(kept) = self.kept.as_ref().and_then(answerable) else {
            return self.behind.figures(&query);
        };
        let mut found: BTreeMap<Slice, BTreeMap<i64, Counts>> = BTreeMap::new();
        for (slice, buckets) in kept.iter().filter(|(s, _)| query.within.covers(s)) {
            let mut range = buckets.range(query.from_us..query.to_us).peekable();
            if range.peek().is_none() {
                continue;
            }
            let key = slice.project(|d| query.by.iter().any(|by| by == d));
            let steps = found.entry(key).or_default();
            for (at_us, counts) in range {
                let step_us = at_us.div_euclid(query.step_us) * query.step_us;
                let sum = steps.entry(step_us).or_default();
                *sum = (sum.0 + counts.0, sum.1 + counts.1);
            }
        }
        let bucket = |(start_us, (above, below)): (i64, Counts)| {
            if self.facts.is_rate {
                Bucket {
                    start_us,
                    value: (below > 0.0).then(|| above / below),
                    numerator: Some(above),
                    denominator: Some(below),
                }
            } else {
                Bucket {
                    start_us,
                    value: Some(above),
                    numerator: None,
                    denominator: None,
                }
            }
        };
        let figures = found.into_iter().map(|(slice, steps)| SliceFigures {
            slice,
            buckets: steps.into_iter().map(bucket).collect(),
        });
        Ok(figures.collect())
    }

    fn slices_max(&self, steps: i64) -> usize {
        self.behind.slices_max(steps)
    }

    fn stream(&self, metric: &str) -> Option<String> {
        self.behind.stream(metric)
    }

    fn events_sql(
        &self,
        metric: &str,
        slices: &[Slice],
        from_us: i64,
        to_us: i64,
    ) -> Option<String> {
        self.behind.events_sql(metric, slices, from_us, to_us)
    }

    fn revised(&self, _: &str, _: i64, _: i64) -> Result<Option<Revised>, String> {
        Ok(None)
    }
}
