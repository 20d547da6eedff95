//! Values with a season: amounts, latencies, averages. Is the value of now far from what such a time of the week has,
//! given how far values stray?
//!
//! Values are looked at on a scale that is a logarithm for large ones and straight about zero, so that a doubling counts
//! as much as a halving. What is left after the season and the level of the last hours is divided by how much such hours
//! stray; how rare the result is, history itself says ([`Tail`]). `change` asks the same of the sum of what is left, by
//! E. S. Page (1954), *Continuous Inspection Schemes*, Biometrika 41 (CUSUM), so that a small shift shows that no single
//! value would.

use std::sync::Arc;

use super::season::{Observed, Season};
use super::tail::Tail;
use crate::definition::{Calendar, Direction};
use crate::incident::Deviation;

/// Length of a slot of the week, in microseconds.
const SLOT_US: i64 = 3600 * 1_000_000;
/// Values whose median is the level of now.
pub const LEVEL_VALUES: usize = 24;
/// Fewest values of those by which a level is believed.
const LEVEL_VALUES_MIN: usize = 6;
/// Share of the history that must not be nothing.
const VALUES_SHARE_MIN: f64 = 0.5;
/// How much of the level is believed.
const LEVEL_SHARE: f64 = 0.8;
/// The scale is straight below this share of the median.
const STRAIGHT: f64 = 0.1;
/// The mean distance of a normal variable is this many standard deviations (√(2 ÷ π)).
const MEAN_DISTANCE: f64 = 0.797_884_560_802_865_4;
/// Least spread of an hour, as a share of that of all hours.
const SPREAD_MIN: f64 = 0.4;
/// Least spread at all: values are not told apart below 0.1 %.
const SPREAD_LEAST: f64 = 1e-3;
/// What a value must exceed to add to the sum of a change, in standard deviations.
const ALLOWANCE: f64 = 0.75;
/// Values whose mean must be normal again after a change.
const CHANGE_VALUES: usize = 12;
/// Fewer standard deviations off than this is normal: one in twenty is further off by chance.
const BACK: f64 = 1.645;
/// Values summed up at most.
pub const SUMMED_VALUES: usize = 48;

/// What is normal for a slice.
#[derive(Clone, Debug, PartialEq)]
pub struct Normal {
    /// Below this values are on a straight scale, above on a logarithmic one.
    straight: f64,
    centre: Season,
    spread: Season,
    /// How rare upward scores are, and downward ones.
    up: Tail,
    down: Tail,
    /// The same of their sums.
    sum_up: Tail,
    sum_down: Tail,
}

/// The outcome for one slice at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeasonalScore {
    /// Probability of a value this far off where nothing is wrong; 1 where the change is too small to matter.
    pub p_value: f64,
    /// Which way the value is off.
    pub deviation: Deviation,
    /// What is normal now.
    pub expected: f64,
}

/// What counts as anomalous.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeasonalSettings {
    /// Which way is bad.
    pub direction: Direction,
    /// Smallest change that matters, as a share of what is normal.
    pub min_change: f64,
    /// Whether the sum of the last values is judged rather than the last one.
    pub is_change: bool,
}

/// A value and what is normal for it.
#[derive(Clone, Copy)]
struct Judged {
    /// Standard deviations from what is normal.
    score: f64,
    /// What is normal, on the scale.
    normal: f64,
}

impl Normal {
    /// Learns from the values of history, ascending by time, each of one step. None where there are too few to know
    /// what is rare.
    #[must_use]
    pub fn learn(history: &[Observed], calendar: &Arc<Calendar>) -> Option<Self> {
        // What is mostly nothing has no size to measure by: there, whatever comes would be without example.
        let sizes = history.iter().map(|one| one.value.abs());
        let mut sizes: Vec<f64> = sizes.filter(|size| *size > 0.0).collect();
        if (sizes.len() as f64) < VALUES_SHARE_MIN * history.len() as f64 {
            return None;
        }
        let median = median(&mut sizes)?;
        let straight = (median * STRAIGHT).max(f64::MIN_POSITIVE);
        let scaled: Vec<Observed> = history
            .iter()
            .map(|one| Observed {
                value: (one.value / straight).asinh(),
                ..*one
            })
            .collect();
        let centre = Season::learn(&scaled, SLOT_US, calendar)?;
        let distances: Vec<Observed> = scaled
            .iter()
            .map(|one| Observed {
                value: (one.value - centre.at(one.start_us)).abs(),
                ..*one
            })
            .collect();
        let spread = Season::learn(&distances, SLOT_US, calendar)?.scaled(1.0 / MEAN_DISTANCE);
        let least = (spread.mean() * SPREAD_MIN).max(SPREAD_LEAST);
        let spread = spread.with(&spread, |own, _| own.max(least));
        let unknown = Tail::learn(&mut (0..1_000).map(f64::from).collect())?;
        let mut found = Self {
            straight,
            centre,
            spread,
            up: unknown.clone(),
            down: unknown.clone(),
            sum_up: unknown.clone(),
            sum_down: unknown,
        };
        let left = scaled
            .iter()
            .map(|one| one.value - found.centre.at(one.start_us));
        let judged = found.judged_by(history, &left.collect::<Vec<f64>>());
        let mut scores: Vec<f64> = judged.iter().map(|one| one.score).collect();
        let mut sums_up = sums(&scores, 1.0);
        let mut sums_down = sums(&scores, -1.0);
        found.up = Tail::learn(&mut scores)?;
        // Sorted as they are now, the others are in order already.
        let mut downward: Vec<f64> = scores.iter().rev().map(|score| -score).collect();
        found.down = Tail::learn(&mut downward)?;
        found.sum_up = Tail::learn(&mut sums_up)?;
        found.sum_down = Tail::learn(&mut sums_down)?;
        Some(found)
    }

    /// Scores the last of these values, which are those of the last steps, ascending by time. None where there is none.
    #[must_use]
    pub fn score(&self, recent: &[Observed], settings: &SeasonalSettings) -> Option<SeasonalScore> {
        let judged = self.judged(recent);
        let last = judged.last()?;
        let value = recent.last()?.value;
        let expected = last.normal.sinh() * self.straight;
        if !last.score.is_finite() {
            return None;
        }
        let scores: Vec<f64> = judged.iter().map(|one| one.score).collect();
        let (up, down) = if settings.is_change {
            (
                self.sum_up.p_value(sums(&scores, 1.0).last().copied()?),
                self.sum_down.p_value(sums(&scores, -1.0).last().copied()?),
            )
        } else {
            (self.up.p_value(last.score), self.down.p_value(-last.score))
        };
        let (p_value, deviation) = by_direction(settings.direction, up, down);
        let change = (value - expected).abs();
        let is_small = !settings.is_change && change < settings.min_change * expected.abs();
        Some(SeasonalScore {
            p_value: if is_small { 1.0 } else { p_value },
            deviation,
            expected,
        })
    }

    /// How far the values of these last steps lie from the season, on the scale: the level that an incident is judged
    /// by which begins after them. 0 where there are too few.
    #[must_use]
    pub fn level(&self, before: &[Observed]) -> f64 {
        let from = before.len().saturating_sub(LEVEL_VALUES);
        let mut left: Vec<f64> = before.iter().skip(from).map(|one| self.left(one)).collect();
        if left.len() < LEVEL_VALUES_MIN {
            return 0.0;
        }
        LEVEL_SHARE * median(&mut left).unwrap_or(0.0)
    }

    /// Whether the last of these values are what the season has at such a level: the level of an incident's own time
    /// would soon call normal what lasts. Of a change the mean of several must be.
    #[must_use]
    pub fn is_back(&self, recent: &[Observed], level: f64, down: bool, is_change: bool) -> bool {
        let count = if is_change { CHANGE_VALUES } else { 1 };
        let scores: Vec<f64> = recent
            .iter()
            .rev()
            .take(count)
            .map(|one| (self.left(one) - level) / self.spread.at(one.start_us))
            .collect();
        if scores.len() < count {
            return false;
        }
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        let off = if down { -mean } else { mean };
        // What adds nothing to the sum of a change is none.
        off < if is_change { ALLOWANCE } else { BACK }
    }

    fn left(&self, one: &Observed) -> f64 {
        (one.value / self.straight).asinh() - self.centre.at(one.start_us)
    }

    /// Each value against the season and the level of those before it.
    fn judged(&self, values: &[Observed]) -> Vec<Judged> {
        let left: Vec<f64> = values.iter().map(|one| self.left(one)).collect();
        self.judged_by(values, &left)
    }

    /// The same, given what is left of each without the season.
    fn judged_by(&self, values: &[Observed], left: &[f64]) -> Vec<Judged> {
        // The values before, in order: from one to the next only one comes and one goes.
        let mut sorted: Vec<f64> = Vec::with_capacity(LEVEL_VALUES + 1);
        let place = |sorted: &[f64], value: f64| {
            sorted.partition_point(|one| one.total_cmp(&value).is_lt())
        };
        let judge = |(i, one): (usize, &Observed)| {
            let middle = sorted.get(sorted.len() / 2).copied();
            let level = if sorted.len() < LEVEL_VALUES_MIN {
                0.0
            } else {
                LEVEL_SHARE * middle.unwrap_or(0.0)
            };
            let own = left.get(i).copied().unwrap_or(0.0);
            sorted.insert(place(&sorted, own), own);
            if let Some(oldest) = i.checked_sub(LEVEL_VALUES).and_then(|i| left.get(i)) {
                let at = place(&sorted, *oldest);
                sorted.drain(at..(at + 1).min(sorted.len()));
            }
            Judged {
                score: (own - level) / self.spread.at(one.start_us),
                normal: self.centre.at(one.start_us) + level,
            }
        };
        values.iter().enumerate().map(judge).collect()
    }
}

/// The p-value that counts of those of a value as high and as low, with the way it is off. Both ways are two tests, so
/// the smaller counts twice.
pub(super) fn by_direction(direction: Direction, up: f64, down: f64) -> (f64, Deviation) {
    match direction {
        Direction::Up => (up, Deviation::Up),
        Direction::Down => (down, Deviation::Down),
        Direction::Both if up <= down => ((2.0 * up).min(1.0), Deviation::Up),
        Direction::Both => ((2.0 * down).min(1.0), Deviation::Down),
    }
}

/// S = max(0, S + score − allowance) after each score, of those of one sign, over no more than so many.
fn sums(scores: &[f64], sign: f64) -> Vec<f64> {
    let mut sum = 0.0_f64;
    let mut summed = 0;
    scores
        .iter()
        .map(|score| {
            // One value alone is not a change.
            sum = (sum + (sign * score).min(4.0) - ALLOWANCE).max(0.0);
            summed = if sum > 0.0 { summed + 1 } else { 0 };
            if summed > SUMMED_VALUES {
                (sum, summed) = (0.0, 0);
            }
            sum
        })
        .collect()
}

/// The median; puts the values into another order.
fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let (_, median, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    Some(*median)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    const STEP_US: i64 = 5 * 60 * 1_000_000;
    /// By the clock of UTC.
    fn learn(history: &[Observed]) -> Option<Normal> {
        Normal::learn(history, &Arc::default())
    }

    const DAY_US: i64 = super::super::season::DAY_US;
    /// A Monday, 2026-11-02T00:00:00Z.
    const BEGIN: i64 = 1_793_577_600 * 1_000_000;
    const SETTINGS: SeasonalSettings = SeasonalSettings {
        direction: Direction::Both,
        min_change: 0.0,
        is_change: false,
    };

    fn noise(rng: &mut StdRng) -> f64 {
        // The sum of twelve uniform numbers is as good as normal.
        (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
    }

    /// Days of values about a daily wave of 100 to 300, straying by a twentieth.
    fn wave(rng: &mut StdRng, from_day: i64, days: i64) -> Vec<Observed> {
        let steps = from_day * DAY_US / STEP_US..(from_day + days) * DAY_US / STEP_US;
        let value = |step: i64| {
            let start_us = BEGIN + step * STEP_US;
            let hour = start_us.rem_euclid(DAY_US) as f64 / 3.6e9;
            let mean = 200.0 - 100.0 * (std::f64::consts::TAU * hour / 24.0).cos();
            Observed {
                start_us,
                value: mean * (1.0 + 0.05 * noise(rng)),
            }
        };
        steps.map(value).collect()
    }

    fn last_scores(
        seed: u64,
        settings: &SeasonalSettings,
        alter: impl Fn(usize, f64) -> f64,
    ) -> Vec<SeasonalScore> {
        let mut rng = StdRng::seed_from_u64(seed);
        let normal = learn(&wave(&mut rng, 0, 14)).unwrap();
        let mut day = wave(&mut rng, 15, 1);
        for (i, one) in day.iter_mut().enumerate() {
            one.value = alter(i, one.value);
        }
        let window = LEVEL_VALUES + SUMMED_VALUES;
        (window..day.len())
            .filter_map(|i| normal.score(day.get(i - window..=i)?, settings))
            .collect()
    }

    #[test]
    fn an_ordinary_day_is_ordinary() {
        let scores = last_scores(1, &SETTINGS, |_, value| value);
        assert!(scores.len() > 200);
        let rare = scores.iter().filter(|score| score.p_value < 1e-4).count();
        assert_eq!(rare, 0, "seed 1");
        let odd = scores.iter().filter(|score| score.p_value < 0.05).count();
        assert!(odd < scores.len() / 8, "{odd} of {}", scores.len());
    }

    #[test]
    fn a_value_that_belongs_to_another_hour_is_rare() {
        // 300 at noon is ordinary, at midnight it is not.
        let scores = last_scores(
            2,
            &SETTINGS,
            |i, value| if i == 280 { 300.0 } else { value },
        );
        let odd = scores[280 - LEVEL_VALUES - SUMMED_VALUES];
        assert!(odd.p_value < 1e-6, "{odd:?}");
        assert_eq!(odd.deviation, Deviation::Up);
        assert!((90.0..140.0).contains(&odd.expected), "{odd:?}");
    }

    #[test]
    fn a_small_shift_shows_in_the_sum_and_in_no_single_value() {
        let shift = |i: usize, value: f64| if i >= 200 { value * 1.09 } else { value };
        let single = last_scores(3, &SETTINGS, shift);
        let change = SeasonalSettings {
            is_change: true,
            ..SETTINGS
        };
        let summed = last_scores(3, &change, shift);
        let at = 200 - LEVEL_VALUES - SUMMED_VALUES;
        let least = |scores: &[SeasonalScore]| {
            let after = scores[at..at + 12].iter().map(|score| score.p_value);
            after.fold(1.0, f64::min)
        };
        assert!(least(&summed) < 1e-4, "{}", least(&summed));
        assert!(least(&summed) < least(&single) / 10.0);
        let before = summed[..at].iter().map(|score| score.p_value);
        assert!(before.fold(1.0, f64::min) > 1e-4, "seed 3");
    }

    #[test]
    fn changes_too_small_to_matter_and_of_the_good_side_are_none() {
        let settings = SeasonalSettings {
            direction: Direction::Down,
            min_change: 0.5,
            is_change: false,
        };
        let scores = last_scores(
            4,
            &settings,
            |i, value| if i == 280 { value * 1.4 } else { value },
        );
        assert_eq!(scores[280 - LEVEL_VALUES - SUMMED_VALUES].p_value, 1.0);
        let drop = last_scores(4, &settings, |i, value| if i == 280 { 0.0 } else { value });
        assert!(drop[280 - LEVEL_VALUES - SUMMED_VALUES].p_value < 1e-6);
    }

    #[test]
    fn what_lasts_is_not_back_and_what_came_back_is() {
        let mut rng = StdRng::seed_from_u64(6);
        let normal = learn(&wave(&mut rng, 0, 14)).unwrap();
        let mut day = wave(&mut rng, 15, 1);
        for one in day.iter_mut().skip(100).take(100) {
            one.value *= 0.5;
        }
        let level = normal.level(&day[..100]);
        assert!(level.abs() < 0.1, "{level}");
        for is_change in [false, true] {
            let back = |upto: usize| normal.is_back(&day[..upto], level, true, is_change);
            assert!(
                (112..200).all(|upto| !back(upto)),
                "it lasts for eight hours"
            );
            let after = (212..280).filter(|upto| back(*upto)).count();
            assert!(after > 50, "{after} of 68");
        }
        assert!(!normal.is_back(&[], level, true, false));
        assert_eq!(normal.level(&day[..3]), 0.0);
    }

    #[test]
    fn too_little_history_and_hopeless_values_are_not_learned_from() {
        let mut rng = StdRng::seed_from_u64(5);
        assert_eq!(learn(&[]), None);
        assert_eq!(learn(&wave(&mut rng, 0, 1)), None);
        let zeros: Vec<Observed> = wave(&mut rng, 0, 14)
            .into_iter()
            .map(|one| Observed { value: 0.0, ..one })
            .collect();
        assert_eq!(learn(&zeros), None);
        // One sale in three windows: mostly nothing, so that no sale can be called rare.
        let sparse: Vec<Observed> = zeros
            .iter()
            .enumerate()
            .map(|(i, one)| Observed {
                value: if i % 3 == 0 { 50.0 } else { 0.0 },
                ..*one
            })
            .collect();
        assert_eq!(learn(&sparse), None);
    }
}
