//! Values against a forecast of them: is a value further from what was forecast than such values ever are?
//!
//! The forecast is one step ahead and learns from every value ([`tillwatch_predict::Band`], exponential smoothing with the day and the
//! week as seasons); how far off it may be is an adaptive conformal band: I. Gibbs, E. Candès (2021), *Adaptive Conformal
//! Inference Under Distribution Shift*, NeurIPS 34. It is fitted to the older part of the history and then walks through
//! the rest as it would have live, knowing at each value only what came before; by how many half-widths of the band the
//! values of that rest were off says how rare the next one is ([`Tail`]).

use std::time::Duration;

use tillwatch_predict::{Band, BandOptions, Bounds, Expectation, Forecaster, Options};

use super::season::{DAY_US, WEEK_US};
use super::seasonal::{SeasonalScore, SeasonalSettings, by_direction};
use super::tail::Tail;
use crate::incident::Deviation;

/// Fewest values that the band must walk through to know what is rare: of more than four hundred some may be missing.
pub const WALKED_MIN: usize = 480;
/// The day must have been seen twice.
pub const FITTED_US_MIN: i64 = 2 * DAY_US;
/// The week is a season once it was seen twice, with room for a day without values at the beginning.
const FITTED_US: i64 = 2 * WEEK_US + DAY_US;
/// Share of the history that must not be nothing.
const VALUES_SHARE_MIN: f64 = 0.5;
/// What is no rarer than this is usual.
const USUAL_P_MIN: f64 = 0.05;
/// A series that never moved may move by this share of what is expected.
const HALF_SHARE_LEAST: f64 = 1e-3;

/// What is forecast of a slice's values.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// After the last value of the history.
    band: Band,
    /// How rare upward scores are, and downward ones.
    up: Tail,
    down: Tail,
}

/// A forecast on its way through the values after its history, step by step.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    forecast: &'a Forecast,
    band: Band,
}

impl Forecast {
    /// Learns from history, one value a step of `step_us`, none where it is not known or is to teach nothing. None where
    /// there is too little to know what is rare.
    #[must_use]
    pub fn learn(history: &[Option<f64>], step_us: i64) -> Option<Self> {
        let first = history.iter().position(Option::is_some)?;
        let history = history.get(first..)?;
        let values = || history.iter().flatten().copied();
        // What is mostly nothing has no size to measure by.
        let something = values().filter(|value| *value != 0.0).count() as f64;
        if something < VALUES_SHARE_MIN * values().count() as f64 {
            return None;
        }
        let wanted = usize::try_from(FITTED_US / step_us.max(1)).ok()?;
        // As many values must be left as tell what is rare, however many steps among them have none.
        let known = history.iter().enumerate().filter(|(_, one)| one.is_some());
        let (most, _) = known.rev().nth(WALKED_MIN - 1)?;
        let fitted = (history.len() / 2).max(wanted).min(most);
        if (fitted as i64).saturating_mul(step_us) < FITTED_US_MIN {
            return None;
        }
        let (fitted, walked) = history.split_at(fitted);
        let is_negative = values().any(|value| value < 0.0);
        let options = Options {
            bounds: if is_negative {
                Bounds::NONE
            } else {
                Bounds::NON_NEGATIVE
            },
            ..Options::default()
        };
        let step = Duration::from_micros(step_us.unsigned_abs());
        let model = Forecaster::new(options).fit(fitted, step).ok()?;
        let mut band = model.band(BandOptions::default()).ok()?;
        let mut scores = Vec::with_capacity(walked.len());
        for value in walked {
            let expectation = band.update(*value).ok()?;
            scores.extend(value.map(|value| score(value, &expectation)));
        }
        let mut downward: Vec<f64> = scores.iter().map(|score| -score).collect();
        Some(Self {
            band,
            up: Tail::learn(&mut scores)?,
            down: Tail::learn(&mut downward)?,
        })
    }

    /// Begins at the step after the history.
    #[must_use]
    pub fn walk(&self) -> Walk<'_> {
        Walk {
            forecast: self,
            band: self.band.clone(),
        }
    }
}

impl Walk<'_> {
    /// Goes past a step, learning its value; none where it is not known or is to teach nothing.
    pub fn pass(&mut self, value: Option<f64>) {
        // A value that is no number teaches nothing either.
        let value = value.filter(|value| value.is_finite());
        let _ = self.band.update(value);
    }

    /// How rare a value of the next step is.
    #[must_use]
    pub fn score(&self, value: f64, settings: &SeasonalSettings) -> SeasonalScore {
        let expectation = self.band.expectation();
        let expected = expectation.expected;
        let score = score(value, &expectation);
        let (up, down) = (
            self.forecast.up.p_value(score),
            self.forecast.down.p_value(-score),
        );
        let (p_value, deviation) = by_direction(settings.direction, up, down);
        let is_small = (value - expected).abs() < settings.min_change * expected.abs();
        SeasonalScore {
            p_value: if is_small { 1.0 } else { p_value },
            deviation,
            expected,
        }
    }

    /// Whether a value of the next step is no further off that way than one in twenty is by chance.
    #[must_use]
    pub fn is_usual(&self, value: f64, deviation: Deviation) -> bool {
        let score = score(value, &self.band.expectation());
        let p_value = match deviation {
            Deviation::Up => self.forecast.up.p_value(score),
            Deviation::Down => self.forecast.down.p_value(-score),
        };
        p_value > USUAL_P_MIN
    }
}

/// How many half-widths of the band a value lies above what was expected; negative below.
fn score(value: f64, expectation: &Expectation) -> f64 {
    let Expectation {
        expected,
        low,
        high,
        ..
    } = *expectation;
    // What cannot be negative has its band cut off at nothing; the other half is as wide as it should be.
    let half = (high - expected).max(expected - low);
    let least = (HALF_SHARE_LEAST * expected.abs()).max(f64::MIN_POSITIVE);
    (value - expected) / half.max(least)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;
    use crate::definition::Direction;

    const STEP_US: i64 = 15 * 60 * 1_000_000;
    const DAY: usize = 96;
    const SETTINGS: SeasonalSettings = SeasonalSettings {
        direction: Direction::Both,
        min_change: 0.1,
        is_change: false,
    };

    fn noise(rng: &mut StdRng) -> f64 {
        // The sum of twelve uniform numbers is as good as normal.
        (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
    }

    /// A daily wave of 100 to 300 with a quiet Sunday, straying by a twentieth.
    fn wave(rng: &mut StdRng, steps: std::ops::Range<usize>) -> Vec<Option<f64>> {
        let value = |step: usize| {
            let hour = (step % DAY) as f64 / 4.0;
            let mean = 200.0 - 100.0 * (std::f64::consts::TAU * hour / 24.0).cos();
            let sunday = if step / DAY % 7 == 6 { 0.5 } else { 1.0 };
            Some(mean * sunday * (1.0 + 0.05 * noise(rng)))
        };
        steps.map(value).collect()
    }

    #[test]
    fn an_ordinary_day_is_ordinary_and_a_sunday_too() {
        let mut rng = StdRng::seed_from_u64(11);
        let forecast = Forecast::learn(&wave(&mut rng, 0..28 * DAY), STEP_US).unwrap();
        let mut walk = forecast.walk();
        let mut p_values = Vec::new();
        for value in wave(&mut rng, 28 * DAY..35 * DAY) {
            p_values.push(walk.score(value.unwrap(), &SETTINGS).p_value);
            walk.pass(value);
        }
        let rare = p_values.iter().filter(|p| **p < 1.5e-4).count();
        assert!(rare <= 1, "{rare} of {} with seed 11", p_values.len());
        let odd = p_values.iter().filter(|p| **p < 0.05).count();
        assert!(odd < p_values.len() / 8, "{odd} of {}", p_values.len());
    }

    #[test]
    fn half_and_one_and_a_half_of_what_was_forecast_are_rare() {
        let mut rng = StdRng::seed_from_u64(12);
        let forecast = Forecast::learn(&wave(&mut rng, 0..28 * DAY), STEP_US).unwrap();
        let walk = forecast.walk();
        let expected = walk.score(0.0, &SETTINGS).expected;
        assert!((80.0..120.0).contains(&expected), "{expected}");
        for (factor, deviation) in [(0.5, Deviation::Down), (1.5, Deviation::Up)] {
            let score = walk.score(factor * expected, &SETTINGS);
            assert!(score.p_value < 1e-4, "{score:?}");
            assert_eq!(score.deviation, deviation);
            assert!(!walk.is_usual(factor * expected, deviation));
        }
        assert!(walk.is_usual(expected, Deviation::Down));
        // The other way is not asked for, and what is too small does not matter.
        let up = SeasonalSettings {
            direction: Direction::Up,
            ..SETTINGS
        };
        assert!(walk.score(0.5 * expected, &up).p_value > 0.05);
        let large = SeasonalSettings {
            min_change: 0.6,
            ..SETTINGS
        };
        assert_eq!(walk.score(0.5 * expected, &large).p_value, 1.0);
    }

    #[test]
    fn steps_that_teach_nothing_leave_the_forecast_as_it_was() {
        let mut rng = StdRng::seed_from_u64(13);
        let forecast = Forecast::learn(&wave(&mut rng, 0..28 * DAY), STEP_US).unwrap();
        let (mut skipping, mut learning) = (forecast.walk(), forecast.walk());
        for value in wave(&mut rng, 28 * DAY..28 * DAY + 40) {
            skipping.pass(None);
            learning.pass(value.map(|value| 0.3 * value));
        }
        let normal = wave(&mut rng, 28 * DAY + 40..28 * DAY + 41)[0].unwrap();
        assert!(skipping.is_usual(normal, Deviation::Down));
        let expected = |walk: &Walk<'_>| walk.score(normal, &SETTINGS).expected;
        assert!(expected(&learning) < 0.9 * expected(&skipping));
        skipping.pass(Some(f64::NAN));
    }

    #[test]
    fn too_little_history_and_hopeless_values_are_not_learned_from() {
        let mut rng = StdRng::seed_from_u64(14);
        assert_eq!(Forecast::learn(&[], STEP_US), None);
        assert_eq!(Forecast::learn(&wave(&mut rng, 0..400), STEP_US), None);
        assert_eq!(Forecast::learn(&[None; 3000], STEP_US), None);
        let mut sparse = wave(&mut rng, 0..28 * DAY);
        for (step, value) in sparse.iter_mut().enumerate() {
            if step % 3 > 0 {
                *value = Some(0.0);
            }
        }
        assert_eq!(Forecast::learn(&sparse, STEP_US), None);
        let constant = [Some(7.0); 28 * DAY];
        let constant = Forecast::learn(&constant, STEP_US).unwrap();
        let score = |value| constant.walk().score(value, &SETTINGS).p_value;
        assert!(score(7.0) > 0.05 && score(9.0) < 1e-4);
    }
}
