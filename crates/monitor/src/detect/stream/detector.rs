//! The detector of one series: statistics, how rare each is, and what is news of it.

use serde::{Deserialize, Serialize};

use super::episode::Episode;
use super::statistics::{Kind, STATISTICS, Statistics};
use super::tail::Tail;
use crate::detect::probability::Calibration;

/// What the value of one bucket looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    /// How often so unusual an episode starts, per five minutes whatever the bucket's length, as far
    /// as the series' own history tells; 1 for what is not news.
    pub p_value: f64,
    /// Probability that it is a real anomaly.
    pub probability: f64,
    /// What was expected, in the series' own unit; `None` before anything is known.
    pub expected: Option<f64>,
    /// What is unusual, where something is.
    pub kind: Option<Kind>,
}

const DAY_US: i64 = 86_400_000_000;
/// Buckets that p-values are stated per, in a day: five minutes.
const RATE_PER_DAY: f64 = 288.0;
/// Values looked at before any is judged: half a day's, within these bounds.
const FIRST: (usize, usize) = (48, 144);
/// Bounds of the buckets that count as a day for what is remembered.
const PER_DAY: (f64, f64) = (24.0, 1440.0);
/// Values, in days and at least, that the means settle on before tails are kept and anything is judged.
const SETTLING_DAYS: f64 = 0.5;
const SETTLING_MIN: f64 = 48.0;
/// Days between two peaks that are taken for independent.
const APART_DAYS: f64 = 0.25;
/// Days that the tails remember.
const MEMORY_DAYS: f64 = 14.0;
/// Standardised values are told apart up to here.
const STANDARDISED_MAX: f64 = 1e12;
/// Smallest p-value that is told apart from others.
const P_MIN: f64 = 1e-30;

/// Both tails of one statistic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Tails {
    upper: Tail,
    lower: Tail,
}

impl Tails {
    /// The p-value of a signed statistic, which is then learned.
    fn judge(&mut self, statistic: f64, apart: u32, memory: f32) -> f64 {
        let (this, other) = if statistic < 0.0 {
            (&mut self.lower, &mut self.upper)
        } else {
            (&mut self.upper, &mut self.lower)
        };
        let size = statistic.abs();
        let p = if size > 0.0 { this.p_value(size) } else { 1.0 };
        this.learn(size, apart, memory);
        other.learn(0.0, apart, memory);
        p
    }
}

/// Detector of one series: constant memory, no clock, no look-ahead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamDetector {
    per_day: f64,
    first_max: usize,
    /// The first values, until there are enough to tell the series' centre and spread.
    first: Vec<(i64, f64)>,
    center: f64,
    /// 0 until it is known.
    spread: f64,
    statistics: Statistics,
    tails: Vec<Tails>,
    episode: Episode,
    /// Values still to come before tails are kept.
    settling: u32,
}

impl StreamDetector {
    /// A detector for one value every `step_us`.
    #[must_use]
    pub fn new(step_us: i64) -> Self {
        let step_us = step_us.clamp(1, 7 * DAY_US);
        let buckets = DAY_US as f64 / step_us as f64;
        let per_day = buckets.clamp(PER_DAY.0, PER_DAY.1);
        Self {
            per_day,
            first_max: ((buckets / 2.0) as usize).clamp(FIRST.0, FIRST.1),
            first: Vec::new(),
            center: 0.0,
            spread: 0.0,
            statistics: Statistics::new(step_us, per_day),
            tails: vec![Tails::default(); STATISTICS.len()],
            episode: Episode::default(),
            settling: (SETTLING_DAYS * per_day).max(SETTLING_MIN) as u32,
        }
    }

    /// Judges the value of the bucket at `time_us` by those before it, and learns it. A missing
    /// value, and one that is no finite number, is not judged.
    pub fn update(&mut self, time_us: i64, value: Option<f64>) -> Judgement {
        let Some(value) = value.filter(|value| value.is_finite()) else {
            return unjudged(self.expected(time_us));
        };
        if self.spread > 0.0 {
            return self.judge(time_us, value);
        }
        self.first.push((time_us, value));
        if self.first.len() >= self.first_max {
            self.standardise();
        }
        unjudged(None)
    }

    fn expected(&self, time_us: i64) -> Option<f64> {
        let value = self.center + self.spread * self.statistics.expected(time_us).sinh();
        (self.spread > 0.0 && value.is_finite()).then_some(value)
    }

    /// Takes centre and spread from the first values, and learns these. Both stay as they are:
    /// everything after them adapts by itself.
    fn standardise(&mut self) {
        let first = std::mem::take(&mut self.first);
        let mut sorted: Vec<f64> = first.iter().map(|(_, value)| *value).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let count = sorted.len() as f64;
        let quantile = |share: f64| {
            let at = ((count - 1.0) * share) as usize;
            sorted.get(at).copied().unwrap_or(0.0)
        };
        self.center = quantile(0.5);
        // A normal distribution has 2.56 standard deviations between these; divided first, because
        // the difference of two numbers may be none.
        let between = quantile(0.9) / 2.56 - quantile(0.1) / 2.56;
        let distance: f64 = sorted
            .iter()
            .map(|value| (value / count - self.center / count).abs())
            .sum();
        self.spread = between
            .max(0.1 * distance)
            .max(1e-3 * self.center.abs())
            .clamp(1e-9, 1e300);
        for (time_us, value) in first {
            self.judge(time_us, value);
        }
    }

    fn judge(&mut self, time_us: i64, value: f64) -> Judgement {
        let expected = self.expected(time_us);
        let standardised =
            ((value - self.center) / self.spread).clamp(-STANDARDISED_MAX, STANDARDISED_MAX);
        let values = self.statistics.observe(time_us, standardised);
        if self.settling > 0 {
            self.settling -= 1;
            return unjudged(expected);
        }
        let apart = (APART_DAYS * self.per_day) as u32;
        let memory = (MEMORY_DAYS * self.per_day) as f32;
        // The weighted harmonic mean of p-values, valid under dependence (Wilson 2019); the Cauchy
        // combination is the same where anything is small.
        let (mut evidence, mut weights, mut loudest) = (0.0, 0.0, (0.0, None));
        for ((statistic, (kind, weight)), tails) in
            values.iter().zip(STATISTICS).zip(&mut self.tails)
        {
            let Some(statistic) = *statistic else {
                continue;
            };
            let own = weight / tails.judge(statistic, apart, memory).max(P_MIN);
            evidence += own;
            weights += weight;
            if own > loudest.0 {
                loudest = (own, Some(kind));
            }
        }
        let per_rate = weights / evidence * self.per_day / RATE_PER_DAY;
        let surprise = -per_rate.clamp(P_MIN, 1.0).log10();
        let p_value = 10_f64.powf(-self.episode.news(surprise, self.per_day));
        let kind = loudest.1.filter(|_| p_value < 1.0);
        Judgement {
            p_value,
            probability: Calibration::default().of_p_value(p_value),
            expected,
            kind,
        }
    }
}

/// No judgement, at most an expectation.
fn unjudged(expected: Option<f64>) -> Judgement {
    Judgement {
        p_value: 1.0,
        probability: 0.0,
        expected,
        kind: None,
    }
}
