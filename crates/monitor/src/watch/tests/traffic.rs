//! Simulated figures: counts per slice and bucket, drawn from a seed.

use std::collections::BTreeMap;
use std::sync::Mutex;

use rand::{SeedableRng, rngs::StdRng};

use crate::detect::baseline::Counts;
use crate::detect::simulation::{beta, binomial, poisson};
use crate::figure::{
    Bucket, FigureQuery, FigureSource, MetricFacts, Passed, PassedQuery, PassedValues, Revised,
    Slice, SliceFigures,
};

pub const SECOND: i64 = 1_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
pub const BUCKET: i64 = 10 * SECOND;
/// Where simulated time begins: a Monday, 2026-11-02T00:00:00Z.
pub const BEGIN: i64 = 1_793_577_600 * SECOND;
/// The metric of what attempts are worth, all the same.
pub const WORTH: &str = "worth";
pub const EACH_WORTH: f64 = 25.0;
/// The rate wanders from stretch to stretch of this length.
const STRETCH: i64 = 16 * MINUTE;

/// How long an attempt that is approved takes, and one that is not, in milliseconds.
pub const FAST: f64 = 100.0;
pub const SLOW: f64 = 3_000.0;

/// What a metric says of how long attempts took.
#[derive(Clone, Copy, PartialEq)]
pub enum Latency {
    P95,
    Mean,
}

impl Latency {
    fn of(self, counts: Counts) -> Option<f64> {
        let slow = counts.attempts - counts.successes;
        (counts.attempts > 0.0).then(|| match self {
            Self::P95 if slow > 0.05 * counts.attempts => SLOW,
            Self::P95 => FAST,
            Self::Mean => (slow * SLOW + counts.successes * FAST) / counts.attempts,
        })
    }
}

/// A source of simulated figures.
pub struct Traffic {
    inner: Mutex<Inner>,
}

struct Inner {
    rng: StdRng,
    slices: BTreeMap<Slice, BTreeMap<i64, Counts>>,
    watermark_us: Option<i64>,
    /// Events that came after their bucket was complete: how many, and when the last was received.
    revised: BTreeMap<i64, Revised>,
    lateness_us: i64,
    is_rate: bool,
    tells_samples: bool,
    /// Values are the attempts, and nothing is zero.
    is_count: bool,
    /// Values are made of how long attempts took.
    latency: Option<Latency>,
    /// Latest end that was asked for.
    asked_upto_us: i64,
    failure: Option<String>,
    /// What is asked beyond this fails.
    fails_after_us: i64,
    slices_max: usize,
}

impl Traffic {
    pub fn new(seed: u64) -> Self {
        let inner = Inner {
            rng: StdRng::seed_from_u64(seed),
            slices: BTreeMap::new(),
            watermark_us: None,
            revised: BTreeMap::new(),
            lateness_us: 0,
            is_rate: true,
            tells_samples: true,
            is_count: false,
            latency: None,
            asked_upto_us: i64::MIN,
            failure: None,
            fails_after_us: i64::MAX,
            slices_max: usize::MAX,
        };
        Self {
            inner: Mutex::new(inner),
        }
    }

    /// Adds Poisson traffic of a constant rate.
    pub fn steady(&self, slice: &Slice, from: i64, to: i64, per_minute: f64, rate: f64) {
        self.add(slice, from, to, per_minute, |_, _| rate);
    }

    /// Adds Poisson traffic whose rate wanders as Beta(m·rate, m·(1 − rate)).
    pub fn wandering(&self, slice: &Slice, span: (i64, i64), per_minute: f64, rate: f64, m: f64) {
        let mut current = (i64::MIN, rate);
        self.add(slice, span.0, span.1, per_minute, |rng, at| {
            let stretch = at.div_euclid(STRETCH);
            if current.0 != stretch {
                current = (stretch, beta(rng, m * rate, m * (1.0 - rate)));
            }
            current.1
        });
    }

    /// Adds Poisson traffic that comes and goes with the day: `per_minute` on average, half of it at night and half as
    /// much again at noon.
    pub fn daily(&self, slice: &Slice, from: i64, to: i64, per_minute: f64) {
        self.varying(slice, from, to, |at| {
            let hour = at.rem_euclid(DAY) as f64 / HOUR as f64;
            per_minute * (1.0 - 0.5 * (std::f64::consts::TAU * hour / 24.0).cos())
        });
    }

    /// Adds Poisson traffic of which all is well.
    pub fn varying(&self, slice: &Slice, from: i64, to: i64, per_minute: impl Fn(i64) -> f64) {
        let inner = &mut *self.inner.lock().unwrap();
        let buckets = inner.slices.entry(slice.clone()).or_default();
        let mut at = from;
        while at < to {
            let mean = per_minute(at) * BUCKET as f64 / MINUTE as f64;
            let n = poisson(&mut inner.rng, mean) as f64;
            if n > 0.0 {
                let cell = buckets.entry(at).or_default();
                *cell = cell.plus(Counts {
                    successes: n,
                    attempts: n,
                });
            }
            at += BUCKET;
        }
    }

    fn add(
        &self,
        slice: &Slice,
        from: i64,
        to: i64,
        per_minute: f64,
        mut rate: impl FnMut(&mut StdRng, i64) -> f64,
    ) {
        let inner = &mut *self.inner.lock().unwrap();
        let buckets = inner.slices.entry(slice.clone()).or_default();
        let mut at = from;
        while at < to {
            let p = rate(&mut inner.rng, at);
            let n = poisson(&mut inner.rng, per_minute * BUCKET as f64 / MINUTE as f64);
            let x = binomial(&mut inner.rng, n, p);
            let cell = buckets.entry(at).or_default();
            *cell = cell.plus(Counts {
                successes: x as f64,
                attempts: n as f64,
            });
            at += BUCKET;
        }
    }

    /// Adds counts to one bucket, possible ones or not.
    pub fn count(&self, slice: &Slice, at: i64, successes: f64, attempts: f64) {
        let inner = &mut *self.inner.lock().unwrap();
        let buckets = inner.slices.entry(slice.clone()).or_default();
        let cell = buckets.entry(at).or_default();
        *cell = cell.plus(Counts {
            successes,
            attempts,
        });
    }

    /// Adds counts to a bucket that was complete already, received at a time.
    pub fn count_late(&self, slice: &Slice, at: i64, counts: (f64, f64), received_us: i64) {
        self.count(slice, at, counts.0, counts.1);
        let revised = &mut self.inner.lock().unwrap().revised;
        let cell = revised.entry(at).or_default();
        cell.events += counts.1 as u64;
        cell.at_us = cell.at_us.max(received_us);
    }

    pub fn complete_upto(&self, watermark_us: i64) {
        self.inner.lock().unwrap().watermark_us = Some(watermark_us);
    }

    /// From now on events are waited for this long by the clock.
    pub fn may_be_late(&self, lateness_us: i64) {
        self.inner.lock().unwrap().lateness_us = lateness_us;
    }

    pub fn is_no_rate(&self) {
        self.inner.lock().unwrap().is_rate = false;
    }

    /// From now on values come without the counts behind them, as those of a mean do.
    pub fn tells_no_samples(&self) {
        let inner = &mut *self.inner.lock().unwrap();
        (inner.is_rate, inner.tells_samples) = (false, false);
    }

    /// From now on the metric counts attempts.
    pub fn is_count(&self) {
        self.tells_no_samples();
        self.inner.lock().unwrap().is_count = true;
    }

    /// From now on the metric tells how long attempts took.
    pub fn is_latency(&self, latency: Latency) {
        self.tells_no_samples();
        self.inner.lock().unwrap().latency = Some(latency);
    }

    /// From now on no answer holds more slices.
    pub fn holds_slices(&self, count: usize) {
        self.inner.lock().unwrap().slices_max = count;
    }

    pub fn fail_with(&self, failure: Option<&str>) {
        self.inner.lock().unwrap().failure = failure.map(str::to_owned);
    }

    /// From now on nothing is told of what comes after a time.
    pub fn fails_after(&self, upto_us: i64) {
        self.inner.lock().unwrap().fails_after_us = upto_us;
    }

    pub fn asked_upto_us(&self) -> i64 {
        self.inner.lock().unwrap().asked_upto_us
    }

    /// Every count of one slice from `from` to `to`.
    pub fn total(&self, slice: &Slice, from: i64, to: i64) -> Counts {
        let inner = self.inner.lock().unwrap();
        let buckets = inner.slices.get(slice).unwrap();
        buckets
            .range(from..to)
            .fold(Counts::default(), |sum, (_, counts)| sum.plus(*counts))
    }
}

impl FigureSource for Traffic {
    fn facts(&self, metric: &str) -> Result<MetricFacts, String> {
        if metric == "missing" {
            return Err("there is no metric `missing`".to_owned());
        }
        let is_worth = metric == WORTH;
        let inner = self.inner.lock().unwrap();
        Ok(MetricFacts {
            bucket_us: BUCKET,
            unit: Some(if is_worth { "EUR" } else { "percent" }.to_owned()),
            is_rate: inner.is_rate && !is_worth,
            is_count: inner.is_count && !is_worth,
            adds_up: inner.is_count || is_worth,
            dimensions: {
                let slices = inner.slices.keys();
                let names = slices.flat_map(|slice| slice.pairs().map(|(name, _)| name.to_owned()));
                names
                    .collect::<std::collections::BTreeSet<_>>()
                    .into_iter()
                    .collect()
            },
            watermark_us: inner.watermark_us,
            empty_value: inner.is_count.then_some(0.0),
            lateness_us: inner.lateness_us,
            revised_events: inner.revised.values().map(|revised| revised.events).sum(),
        })
    }

    fn passed(&self, query: &PassedQuery) -> Result<Passed, String> {
        let inner = self.inner.lock().unwrap();
        let slices = inner.slices.iter();
        let own = slices.filter(|(slice, _)| query.slice.covers(slice));
        let all = own.flat_map(|(_, buckets)| buckets.range(query.from_us..query.to_us));
        let all = all.fold(Counts::default(), |sum, (_, counts)| sum.plus(*counts));
        let above = |bound: f64| match bound {
            bound if bound < FAST => all.attempts,
            bound if bound < SLOW => all.attempts - all.successes,
            _ => 0.0,
        };
        Ok(Passed {
            events: inner.latency.is_some().then_some(all.attempts),
            values: (inner.latency == Some(Latency::P95)).then(|| PassedValues {
                quantile: 0.95,
                count: all.attempts,
                above: query.above.map(above),
            }),
        })
    }

    fn slices_max(&self, _: i64) -> usize {
        self.inner.lock().unwrap().slices_max
    }

    fn revised(&self, _: &str, from_us: i64, to_us: i64) -> Result<Option<Revised>, String> {
        let inner = self.inner.lock().unwrap();
        let cells = inner.revised.range(from_us..to_us).map(|(_, cell)| *cell);
        Ok(cells.reduce(|a, b| Revised {
            events: a.events + b.events,
            at_us: a.at_us.max(b.at_us),
        }))
    }

    fn figures(&self, query: &FigureQuery) -> Result<Vec<SliceFigures>, String> {
        let mut inner = self.inner.lock().unwrap();
        inner.asked_upto_us = inner.asked_upto_us.max(query.to_us);
        if let Some(failure) = &inner.failure {
            return Err(failure.clone());
        }
        if query.to_us > inner.fails_after_us {
            return Err("nothing is known of that yet".to_owned());
        }
        let mut found: BTreeMap<Slice, BTreeMap<i64, Counts>> = BTreeMap::new();
        for (slice, buckets) in inner.slices.iter().filter(|(s, _)| query.within.covers(s)) {
            let key = slice.project(|d| query.by.iter().any(|by| by == d));
            let steps = found.entry(key).or_default();
            let before_us = query.over_us.map_or(0, |over_us| over_us - query.step_us);
            for (at, counts) in buckets.range(query.from_us - before_us..query.to_us) {
                // A bucket is in the windows of its own step and of those up to `over` later.
                let own = at.div_euclid(query.step_us) * query.step_us;
                let mut step = own.max(query.from_us.div_euclid(query.step_us) * query.step_us);
                while step <= own + before_us && step < query.to_us {
                    let sum = steps.entry(step).or_default();
                    *sum = sum.plus(*counts);
                    step += query.step_us;
                }
            }
        }
        let is_worth = query.metric == WORTH;
        let (told, is_count) = (inner.tells_samples && !is_worth, inner.is_count);
        let latency = inner.latency;
        let bucket = |(start_us, counts): (i64, Counts)| Bucket {
            start_us,
            value: if is_worth {
                Some(counts.attempts * EACH_WORTH)
            } else if let Some(latency) = latency {
                latency.of(counts)
            } else if is_count {
                Some(counts.attempts)
            } else {
                counts.rate()
            },
            numerator: told.then_some(counts.successes),
            denominator: told.then_some(counts.attempts),
        };
        let figures = found.into_iter().map(|(slice, steps)| SliceFigures {
            slice,
            buckets: steps.into_iter().map(bucket).collect(),
        });
        Ok(figures.collect())
    }
}
