//! What number of events is normal for a slice at a time: its season, the level of the last hours, and how far counts
//! scatter beyond chance.

use std::sync::Arc;

use super::season::{DAY_US, Observed, Season, WEEK_US};
use crate::definition::Calendar;

/// Events behind a slot at which its own history and its parent's count alike.
const BORROWED_EVENTS: f64 = 20.0;
/// Blocks of history at which a slice's own dispersion and its parent's count alike.
const BORROWED_BLOCKS: f64 = 100.0;
/// Events of a block at which it counts as half a block for the dispersion.
const TELLING_EVENTS: f64 = 10.0;
/// Events that pull the level of the last hours towards that of the parent, whatever they say.
const LEVEL_EVENTS: f64 = 100.0;
/// The level of the last hours is believed within these.
const LEVEL: (f64, f64) = (0.4, 2.5);
/// Least dispersion: no traffic is known better than to 3 %, however little it swung before.
const DISPERSION_MIN: f64 = 0.0009;
/// Most dispersion: beyond it nothing would ever be improbable.
const DISPERSION_MAX: f64 = 4.0;
/// Share of the blocks of history, the oddest, that are left out of the dispersion.
const TRIMMED: f64 = 0.02;
/// Residuals are of the same history that the season was learned from, which makes them smaller.
const IN_SAMPLE: f64 = 1.15;
/// Less history than this says nothing of the time of day.
const HISTORY_US_MIN: i64 = 2 * DAY_US;

/// What is normal for a slice.
#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    /// Events of a slot, by the time of the week.
    season: Season,
    /// How many times that the last hours had.
    level: f64,
    /// 1 ÷ size of the negative binomial distribution: the variance is μ + μ²·dispersion.
    dispersion: f64,
    /// Events in the history.
    events: f64,
    /// Length of the history, in microseconds.
    history_us: i64,
}

impl Volume {
    /// What is normal for a metric as a whole, from blocks of one slot each, ascending, those without
    /// events included. None where the history is shorter than two days or has no events.
    #[must_use]
    pub fn of_whole(blocks: &[Observed], slot_us: i64, calendar: &Arc<Calendar>) -> Option<Self> {
        let history_us = history_us(blocks, slot_us);
        let events: f64 = blocks.iter().map(|block| block.value).sum();
        if history_us < HISTORY_US_MIN || events <= 0.0 {
            return None;
        }
        let season = Season::learn(blocks, slot_us, calendar)?;
        let dispersion = dispersion(blocks, &season);
        Some(Self {
            season,
            level: 1.0,
            dispersion,
            events,
            history_us,
        })
    }

    /// What is normal for a slice, drawn towards its share of its parent the less history it has.
    /// Without any history it is expected to have nothing.
    #[must_use]
    pub fn of_slice(blocks: &[Observed], parent: &Volume) -> Self {
        let slot_us = parent.season.slot_us();
        let history_us = history_us(blocks, slot_us).min(parent.history_us);
        let events: f64 = blocks.iter().map(|block| block.value).sum();
        let above: f64 = blocks.iter().map(|b| parent.season.slot(b.start_us)).sum();
        let share = if above > 0.0 { events / above } else { 0.0 };
        let borrowed = parent.season.scaled(share);
        let weeks = (history_us as f64 / WEEK_US as f64).max(1.0 / 7.0);
        let season = match Season::learn(blocks, slot_us, parent.season.calendar()) {
            Some(own) if history_us >= HISTORY_US_MIN => own.with(&borrowed, |own, borrowed| {
                let behind = weeks * borrowed;
                let weight = behind / (behind + BORROWED_EVENTS);
                weight * own + (1.0 - weight) * borrowed
            }),
            _ => borrowed,
        };
        let own = dispersion(blocks, &season);
        // A block of few events says little of more than chance.
        let telling = |block: &Observed| {
            let mean = season.slot(block.start_us).max(0.0);
            mean / (mean + TELLING_EVENTS)
        };
        let blocks: f64 = blocks.iter().map(telling).sum();
        let dispersion =
            (own * blocks + parent.dispersion * BORROWED_BLOCKS) / (blocks + BORROWED_BLOCKS);
        Self {
            season,
            level: 1.0,
            dispersion,
            events,
            history_us,
        }
    }

    /// Takes the level of the last hours into account: `seen` events where `expected` were. The fewer those are, the
    /// more the level is `towards`, that of the parent.
    #[must_use]
    pub fn at_level(mut self, seen: f64, expected: f64, towards: f64) -> Self {
        let level = (seen + LEVEL_EVENTS * towards) / (expected + LEVEL_EVENTS);
        self.level = level.clamp(LEVEL.0, LEVEL.1);
        self
    }

    /// Events expected between two times.
    #[must_use]
    pub fn expected(&self, from_us: i64, to_us: i64) -> f64 {
        let slot_us = self.season.slot_us();
        let (mut sum, mut at_us) = (0.0, from_us);
        while at_us < to_us {
            let end_us = to_us.min((at_us.div_euclid(slot_us) + 1) * slot_us);
            let rate = self.season.at(at_us + (end_us - at_us) / 2) / slot_us as f64;
            sum += rate * (end_us - at_us) as f64;
            at_us = end_us;
        }
        (sum * self.level).max(0.0)
    }

    /// How many times what is normal at such a time the last hours had.
    #[must_use]
    pub fn level(&self) -> f64 {
        self.level
    }

    /// 1 ÷ size of the negative binomial distribution.
    #[must_use]
    pub fn dispersion(&self) -> f64 {
        self.dispersion
    }

    /// Events in the history it was learned from.
    #[must_use]
    pub fn events(&self) -> f64 {
        self.events
    }

    /// Events of a day, on average.
    #[must_use]
    pub fn per_day(&self) -> f64 {
        self.season.mean() * (DAY_US / self.season.slot_us()) as f64 * self.level
    }
}

fn history_us(blocks: &[Observed], slot_us: i64) -> i64 {
    match (blocks.first(), blocks.last()) {
        (Some(first), Some(last)) => last.start_us + slot_us - first.start_us,
        _ => 0,
    }
}

/// Moment estimate of the dispersion: E[(y − μ)²] = μ + μ²·dispersion, without the oddest blocks.
fn dispersion(blocks: &[Observed], season: &Season) -> f64 {
    let mut parts: Vec<(f64, f64, f64)> = blocks
        .iter()
        .map(|block| {
            let mean = season.slot(block.start_us).max(0.0);
            let square = (block.value - mean).powi(2);
            // How odd it is, taking a dispersion of a percent for granted.
            let odd = square / (mean + 0.01 * mean * mean + 0.5);
            (odd, square - mean, mean * mean)
        })
        .filter(|(odd, _, _)| odd.is_finite())
        .collect();
    parts.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let kept = parts.len() - (parts.len() as f64 * TRIMMED) as usize;
    let (excess, squares) = parts
        .iter()
        .take(kept)
        .fold((0.0, 0.0), |(a, b), (_, x, y)| (a + x, b + y));
    if squares <= 0.0 {
        return DISPERSION_MAX;
    }
    (IN_SAMPLE * excess / squares).clamp(DISPERSION_MIN, DISPERSION_MAX)
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::detect::simulation::poisson;

    /// By the clock of UTC.
    fn of_whole(blocks: &[Observed], slot_us: i64) -> Option<Volume> {
        Volume::of_whole(blocks, slot_us, &Arc::default())
    }

    const SLOT_US: i64 = 30 * 60 * 1_000_000;
    /// A Monday, 2026-11-02T00:00:00Z.
    const BEGIN: i64 = 1_793_577_600 * 1_000_000;

    fn blocks(seed: u64, days: i64, mean: impl Fn(i64) -> f64) -> Vec<Observed> {
        let mut rng = StdRng::seed_from_u64(seed);
        let slots = 0..days * DAY_US / SLOT_US;
        let block = |slot| {
            let start_us = BEGIN + slot * SLOT_US;
            let mean = mean(start_us);
            // Knuth's method needs small means.
            let parts = (mean / 100.0).ceil().max(1.0);
            let value = (0..parts as u64).map(|_| poisson(&mut rng, mean / parts) as f64);
            Observed {
                start_us,
                value: value.sum(),
            }
        };
        slots.map(block).collect()
    }

    fn daily(at_us: i64) -> f64 {
        let hour = at_us.rem_euclid(DAY_US) as f64 / 3.6e9;
        200.0 + 150.0 * (std::f64::consts::TAU * (hour - 9.0) / 24.0).sin()
    }

    #[test]
    fn what_a_week_had_is_expected_of_the_next() {
        let whole = of_whole(&blocks(1, 21, daily), SLOT_US).unwrap();
        for hour in 0..24 {
            let from = BEGIN + 22 * DAY_US + hour * 2 * SLOT_US;
            let expected = whole.expected(from, from + 2 * SLOT_US);
            let exact = daily(from) + daily(from + SLOT_US);
            let relative = expected / exact;
            assert!((0.93..1.07).contains(&relative), "{hour}: {relative}");
        }
        assert!(whole.dispersion() < 0.01, "{}", whole.dispersion());
        let day = blocks(2, 1, daily).iter().map(|b| b.value).sum::<f64>();
        assert!((whole.per_day() / day - 1.0).abs() < 0.05);
    }

    #[test]
    fn traffic_that_swings_has_a_large_dispersion() {
        let swinging = |at_us: i64| {
            let stretch = at_us.div_euclid(SLOT_US);
            daily(at_us) * (1.0 + 0.3 * f64::from((stretch * 7919 % 5) as i32 - 2) / 2.0)
        };
        let whole = of_whole(&blocks(3, 21, swinging), SLOT_US).unwrap();
        assert!(
            (0.02..0.12).contains(&whole.dispersion()),
            "{}",
            whole.dispersion()
        );
    }

    #[test]
    fn a_small_slice_has_its_parents_day_and_its_own_share() {
        let whole = of_whole(&blocks(4, 14, daily), SLOT_US).unwrap();
        let small = Volume::of_slice(&blocks(5, 14, |at| daily(at) / 400.0), &whole);
        let noon = BEGIN + 16 * DAY_US + 15 * 2 * SLOT_US;
        let night = BEGIN + 16 * DAY_US + 3 * 2 * SLOT_US;
        let ratio = small.expected(noon, noon + SLOT_US) / small.expected(night, night + SLOT_US);
        let exact = daily(noon) / daily(night);
        assert!((ratio / exact - 1.0).abs() < 0.35, "{ratio} {exact}");
        let share = small.per_day() / whole.per_day();
        assert!((share * 400.0 - 1.0).abs() < 0.25, "{share}");
    }

    #[test]
    fn the_level_of_the_last_hours_counts_but_not_without_bounds() {
        let whole = of_whole(&blocks(6, 14, |_| 200.0), SLOT_US).unwrap();
        let before = whole.expected(BEGIN, BEGIN + DAY_US);
        let doubled = whole.clone().at_level(4_000.0, 2_000.0, 1.0);
        let ratio = doubled.expected(BEGIN, BEGIN + DAY_US) / before;
        assert!((1.9..2.0).contains(&ratio), "{ratio}");
        let gone = whole.clone().at_level(0.0, 1e6, 1.0);
        assert!((gone.expected(BEGIN, BEGIN + DAY_US) / before - LEVEL.0).abs() < 1e-9);
        let little = whole.at_level(0.0, 3.0, 1.0);
        assert!(little.expected(BEGIN, BEGIN + DAY_US) / before > 0.95);
    }

    #[test]
    fn too_short_a_history_and_none_at_all_are_told() {
        assert_eq!(of_whole(&[], SLOT_US), None);
        assert_eq!(of_whole(&blocks(7, 1, daily), SLOT_US), None);
        assert_eq!(of_whole(&blocks(8, 7, |_| 0.0), SLOT_US), None);
        let whole = of_whole(&blocks(9, 7, daily), SLOT_US).unwrap();
        let new = Volume::of_slice(&[], &whole);
        assert!(new.expected(BEGIN, BEGIN + DAY_US).abs() < 1e-12);
    }
}
