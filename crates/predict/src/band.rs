//! A band for the next value of a running series, for monitors.
//!
//! Adaptive conformal inference (Gibbs and Candès, 2021): the band is a quantile of the last scores
//! |value − expected| ÷ usual error, at level 1 − α; after each value α ← α + γ·(α* − outside), so
//! that the share of values outside tends to α* however the series changes. Memory is constant.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::cycle::Cycles;
use crate::error::ForecastError;
use crate::expert::Track;
use crate::expert::smoothing::Smoothing;
use crate::numbers::{at, mean, quantile};
use crate::options::Bounds;
use crate::scale::Scale;

/// Scores kept.
const SCORES_MAX: usize = 512;
/// The usual error learns of a value outside no more than this many half-widths: an outage does not
/// widen the band for long, while what lasts is learned step by step.
const LESSON_HALVES: f64 = 2.0;
/// The score of a value outside counts as no more than this many times the band's factor before the
/// run of values outside began: that they are outside moves the quantile, how far they are does not.
const SCORE_FACTORS: f64 = 1.3;
/// The expectation follows a value outside by this many half-widths at most.
const FOLLOW_HALVES: f64 = 1.0;
/// Share of a new error in the usual error of its time of day.
const USUAL_GAIN: f64 = 0.1;
/// A time of day whose values hardly differ is held to no less than this share of what is usual.
const QUIET_SHARE: f64 = 0.2;
/// α stays between this share of α* and one half, where it still means something.
const ALPHA_LEAST_SHARE: f64 = 0.2;

/// How a band behaves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BandOptions {
    /// Share of values that the band shall hold: 1 − α*.
    pub coverage: f64,
    /// How fast the band answers to values outside: γ ÷ α*.
    pub rate: f64,
}

impl Default for BandOptions {
    fn default() -> Self {
        Self {
            coverage: 0.99,
            rate: 0.1,
        }
    }
}

/// What was expected of a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// Expected value.
    pub expected: f64,
    /// Lower end of the band.
    pub low: f64,
    /// Upper end of the band.
    pub high: f64,
    /// Whether the value lies outside; `false` where there is none.
    pub outside: bool,
}

/// The state of a band between values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    options: BandOptions,
    bounds: Bounds,
    cycles: Cycles,
    scale: Scale,
    state: Smoothing,
    /// Number of the next step.
    next: usize,
    alpha: f64,
    /// Mean absolute error at each position of the short period.
    usual: Vec<f64>,
    /// Mean absolute error at any time.
    overall: f64,
    /// How many usual errors the band reached when a value was last inside.
    calm: f64,
    /// The last scores, oldest first.
    recent: VecDeque<f64>,
    /// The same, ascending.
    sorted: Vec<f64>,
}

impl Band {
    /// A band that has seen a track: `begin` is the method's state before it.
    pub(crate) fn after(begin: &Smoothing, track: &Track, scale: Scale, bounds: Bounds) -> Self {
        let mut state = begin.clone();
        let cycles = track.cycles;
        let steps = track.values.iter().zip(&track.known).enumerate();
        let errors: Vec<(usize, f64)> = steps
            .filter_map(|(t, (value, known))| {
                let (p, q) = (cycles.short.position(t), cycles.long.position(t));
                let expected = scale.back(state.ahead(1, p, q));
                state.observe(known.then_some(*value), p, q);
                known.then(|| (p, (scale.back(*value) - bounds.hold(expected)).abs()))
            })
            .collect();
        // The beginning shaped the seasons it is compared with; the later part is honest.
        let later = errors.get(errors.len() / 2..).unwrap_or(&[]);
        let overall = mean(later.iter().map(|(_, error)| *error));
        let mut sums = vec![(overall, 1.0); cycles.short.positions()];
        for (position, error) in later {
            if let Some(cell) = sums.get_mut(*position) {
                cell.0 += error;
                cell.1 += 1.0;
            }
        }
        let mut band = Self {
            options: BandOptions::default(),
            bounds,
            cycles,
            scale,
            state,
            next: track.values.len(),
            alpha: 1.0 - BandOptions::default().coverage,
            usual: sums.into_iter().map(|(sum, count)| sum / count).collect(),
            overall,
            calm: 0.0,
            recent: VecDeque::with_capacity(SCORES_MAX),
            sorted: Vec::with_capacity(SCORES_MAX),
        };
        for (position, error) in later {
            let usual = band.usual_at(*position);
            band.remember(if usual > 0.0 { error / usual } else { 0.0 });
        }
        band.calm = band.factor();
        band
    }

    pub(crate) fn with(mut self, options: BandOptions) -> Result<Self, ForecastError> {
        let BandOptions { coverage, rate } = options;
        if !(0.5..1.0).contains(&coverage) {
            return Err(ForecastError::Options(format!(
                "a coverage of {coverage} is not between 0.5 and 1"
            )));
        }
        if !(0.0..=1.0).contains(&rate) {
            return Err(ForecastError::Options(format!(
                "a rate of {rate} is not between 0 and 1"
            )));
        }
        self.options = options;
        self.alpha = 1.0 - coverage;
        self.calm = self.factor();
        Ok(self)
    }

    /// What is expected of the next step.
    #[must_use]
    pub fn expectation(&self) -> Expectation {
        let (p, q) = self.positions();
        let expected = self.bounds.hold(self.scale.back(self.state.ahead(1, p, q)));
        let half = self.half(p);
        Expectation {
            expected,
            low: self.bounds.hold(expected - half),
            high: self.bounds.hold(expected + half),
            outside: false,
        }
    }

    /// Judges the next value by what was expected of it, and learns it. `None` is a step without a
    /// value, which teaches nothing.
    ///
    /// # Errors
    /// [`ForecastError::NotFinite`], with the number of the step; the band stays as it was.
    pub fn update(&mut self, value: Option<f64>) -> Result<Expectation, ForecastError> {
        if value.is_some_and(|value| !value.is_finite()) {
            return Err(ForecastError::NotFinite { index: self.next });
        }
        let mut answer = self.expectation();
        let (p, q) = self.positions();
        self.next += 1;
        let Some(value) = value else {
            self.state.observe(None, p, q);
            return Ok(answer);
        };
        let half = self.half(p);
        answer.outside = value < answer.low || value > answer.high;
        let target = 1.0 - self.options.coverage;
        let outside = if answer.outside { 1.0 } else { 0.0 };
        self.alpha += self.options.rate * target * (target - outside);
        self.alpha = self.alpha.clamp(ALPHA_LEAST_SHARE * target, 0.5);

        let usual = self.usual_at(p);
        let most = LESSON_HALVES * half.max(usual);
        // A series that never moved has no idea how far it may move: it takes the first step whole.
        let lesson = if most > 0.0 {
            (value - answer.expected).clamp(-most, most)
        } else {
            value - answer.expected
        };
        if usual > 0.0 {
            let score = lesson.abs() / usual;
            let most = SCORE_FACTORS * self.calm;
            self.remember(if most > 0.0 { score.min(most) } else { score });
        }
        if !answer.outside {
            self.calm = self.factor();
        }
        self.overall += USUAL_GAIN / 10.0 * (lesson.abs() - self.overall);
        if let Some(cell) = self.usual.get_mut(p) {
            *cell += USUAL_GAIN * (lesson.abs() - *cell);
        }
        let follow = if half > 0.0 {
            lesson.clamp(-FOLLOW_HALVES * half, FOLLOW_HALVES * half)
        } else {
            lesson
        };
        let learned = self.scale.there(self.bounds.hold(answer.expected + follow));
        // A logarithm of less than its offset is no number; such a value teaches nothing.
        self.state
            .observe(learned.is_finite().then_some(learned), p, q);
        Ok(answer)
    }

    fn positions(&self) -> (usize, usize) {
        (
            self.cycles.short.position(self.next),
            self.cycles.long.position(self.next),
        )
    }

    fn usual_at(&self, position: usize) -> f64 {
        at(&self.usual, position).max(QUIET_SHARE * self.overall)
    }

    fn half(&self, position: usize) -> f64 {
        self.factor() * self.usual_at(position)
    }

    /// How many usual errors the band reaches.
    fn factor(&self) -> f64 {
        let count = self.sorted.len() as f64;
        // The quantile of n scores at (1 − α)·(n + 1) ÷ n, as conformal prediction has it.
        let level = (1.0 - self.alpha) * (count + 1.0) / count.max(1.0);
        let mut factor = quantile(&self.sorted, level.min(1.0));
        if level > 1.0 {
            // More is asked for than the scores can tell: in proportion wider than all of them.
            factor *= 1.0 + (level - 1.0) * count;
        }
        factor
    }

    fn remember(&mut self, score: f64) {
        if self.recent.len() >= SCORES_MAX
            && let Some(oldest) = self.recent.pop_front()
        {
            let place = self.sorted.partition_point(|known| *known < oldest);
            if place < self.sorted.len() {
                self.sorted.remove(place);
            }
        }
        let place = self.sorted.partition_point(|known| *known < score);
        self.sorted.insert(place, score);
        self.recent.push_back(score);
    }
}
