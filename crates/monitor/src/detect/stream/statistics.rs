//! The statistics that a value is judged by. Each is signed, 0 where nothing is unusual, and needs
//! no scale of its own: how rare it is, its own tail says.

use serde::{Deserialize, Serialize};

use super::context::{Contexts, LENGTH};
use super::mean::{Mean, Median};
use super::season::Season;

/// What a statistic tells of the series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A value far from all others.
    Value,
    /// A step from one value to the next, larger than usual.
    Step,
    /// Steps have become larger or smaller; none at all is a flatline.
    Volatility,
    /// The mean of some time has left that of the days before.
    Level,
    /// A value, or the mean of some, that is not usual at this time of the day or week.
    Season,
    /// A stretch of values in an order not seen before.
    Pattern,
}

/// What each statistic of [`Statistics::observe`] tells, and how much it counts: the immediate ones
/// fully, those that mostly confirm a third of it.
pub const STATISTICS: [(Kind, f64); 11] = [
    (Kind::Value, 1.0),
    (Kind::Step, 1.0),
    (Kind::Step, 0.3),
    (Kind::Volatility, 0.3),
    (Kind::Volatility, 0.3),
    (Kind::Level, 0.3),
    (Kind::Level, 0.3),
    (Kind::Season, 1.0),
    (Kind::Season, 1.0),
    (Kind::Season, 0.3),
    (Kind::Pattern, 0.3),
];

/// Values averaged by the level statistics: a spike shows in the fewest, a creeping change in the most.
const LEVELS: [f64; 2] = [4.0, 16.0];
/// Values averaged by the seasonal statistics, besides single ones.
const SMOOTH: [f64; 2] = [6.0, 36.0];
/// Values averaged by the volatility statistics.
const VOLATILITIES: [f64; 2] = [12.0, 72.0];
/// Days that the reference level, its deviation, and the median remember.
const LEVEL_DAYS: f64 = 1.5;
const DEVIATION_DAYS: f64 = 3.0;
const VOLATILITY_DAYS: f64 = 2.0;
/// Steps are compared across a gap of at most this many buckets.
const GAP_BUCKETS: i64 = 3;
/// Deviations are not believed to be smaller than this share of the series' first spread.
const DEVIATION_LEAST: f64 = 1e-3;
/// One seasonal deviation counts at most so much in an average.
const RESIDUAL_MAX: f64 = 20.0;

/// Running state of all statistics of one series. Values come standardised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    step_us: i64,
    per_day: f64,
    median: Median,
    level: Mean,
    deviation: Mean,
    levels: [Mean; 2],
    volatility: Mean,
    volatilities: [Mean; 2],
    season: Season,
    smooth: [Mean; 2],
    last: Option<(i64, f64)>,
    /// The last values, newest first, and how many of them there are.
    recent: [f32; LENGTH],
    known: usize,
    contexts: Contexts,
}

impl Statistics {
    /// For values every `step_us`, `per_day` of which are a day for the memories.
    #[must_use]
    pub fn new(step_us: i64, per_day: f64) -> Self {
        Self {
            step_us,
            per_day,
            median: Median::default(),
            level: Mean::default(),
            deviation: Mean::default(),
            levels: Default::default(),
            volatility: Mean::default(),
            volatilities: Default::default(),
            season: Season::new(step_us),
            smooth: Default::default(),
            last: None,
            recent: [0.0; LENGTH],
            known: 0,
            contexts: Contexts::default(),
        }
    }

    /// What is usual at a time, compressed.
    #[must_use]
    pub fn expected(&self, time_us: i64) -> f64 {
        let usual = self.season.usual(time_us);
        if usual.known {
            usual.value
        } else {
            self.level.get()
        }
    }

    /// The statistics of a standardised value, which is then learned.
    pub fn observe(&mut self, time_us: i64, value: f64) -> [Option<f64>; STATISTICS.len()] {
        // A logarithm in both directions: a spike of a thousand times the usual still leaves the
        // means usable, and what is small stays linear.
        let compressed = value.asinh();
        let [step, relative, volatile, volatile_long] = self.steps(time_us, value, compressed);
        let [level, level_long] = self.level(compressed);
        let [season, season_long, season_longest] = self.season(time_us, compressed);
        let pattern = self.pattern(compressed);
        let far = value - self.median.get();
        self.median.learn(value, DEVIATION_DAYS * self.per_day);
        [
            Some(far),
            step,
            relative,
            volatile,
            volatile_long,
            Some(level),
            Some(level_long),
            season,
            season_long,
            season_longest,
            pattern,
        ]
    }

    /// The step as it is, the step against those of the last hours, and how volatile those are.
    fn steps(&mut self, time_us: i64, value: f64, compressed: f64) -> [Option<f64>; 4] {
        let last = self.last.replace((time_us, value));
        let gap =
            |then: i64| time_us.saturating_sub(then) <= GAP_BUCKETS.saturating_mul(self.step_us);
        let Some((_, before)) = last.filter(|(then, _)| gap(*then)) else {
            return [None; 4];
        };
        let change = compressed - before.asinh();
        let [_, lately] = &self.volatilities;
        let relative = change / (lately.get() + 0.1 * self.volatility.get() + 1e-6);
        self.volatility
            .learn(change.abs(), VOLATILITY_DAYS * self.per_day);
        let floor = 0.02 * self.volatility.get() + 1e-9;
        let usual = (self.volatility.get() + floor).ln();
        let mut ratios = [0.0; 2];
        for ((mean, memory), ratio) in self
            .volatilities
            .iter_mut()
            .zip(VOLATILITIES)
            .zip(&mut ratios)
        {
            mean.learn(change.abs(), memory);
            *ratio = (mean.get() + floor).ln() - usual;
        }
        let [short, long] = ratios;
        [
            Some(value - before),
            Some(relative),
            Some(short),
            Some(long),
        ]
    }

    fn level(&mut self, compressed: f64) -> [f64; 2] {
        let reference = self.level.get();
        let deviation = self.deviation.get() + DEVIATION_LEAST;
        let mut distances = [0.0; 2];
        for ((mean, memory), distance) in self.levels.iter_mut().zip(LEVELS).zip(&mut distances) {
            mean.learn(compressed, memory);
            *distance = (mean.get() - reference) / deviation;
        }
        self.deviation.learn(
            (compressed - reference).abs(),
            DEVIATION_DAYS * self.per_day,
        );
        self.level.learn(compressed, LEVEL_DAYS * self.per_day);
        distances
    }

    fn season(&mut self, time_us: i64, compressed: f64) -> [Option<f64>; 3] {
        let usual = self.season.usual(time_us);
        self.season.learn(time_us, compressed, 2.0 * self.per_day);
        if !usual.known {
            return [None; 3];
        }
        let residual = (compressed - usual.value) / (usual.deviation + DEVIATION_LEAST);
        let mut smoothed = [0.0; 2];
        for ((mean, memory), smoothed) in self.smooth.iter_mut().zip(SMOOTH).zip(&mut smoothed) {
            mean.learn(residual.clamp(-RESIDUAL_MAX, RESIDUAL_MAX), memory);
            *smoothed = mean.get();
        }
        let [short, long] = smoothed;
        [Some(residual), Some(short), Some(long)]
    }

    fn pattern(&mut self, compressed: f64) -> Option<f64> {
        self.recent.rotate_right(1);
        if let Some(newest) = self.recent.first_mut() {
            *newest = compressed as f32;
        }
        self.known = (self.known + 1).min(LENGTH);
        if self.known < LENGTH {
            return None;
        }
        Some(self.contexts.novelty(&self.recent))
    }
}
