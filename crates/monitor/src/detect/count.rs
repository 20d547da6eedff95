//! Counts: is the number of events of the last minutes improbable, given what is normal?
//!
//! As with rates, several stretches that end now are tested, each half as long as the one before, by the tail of a
//! negative binomial distribution; the smallest p-value counts, times the number of stretches tested. A slice that has
//! fallen silent is the special case of nothing in the longest stretch since its last event.

use super::moving::onset;
use super::negative_binomial::NegativeBinomial;
use super::volume::Volume;
use crate::definition::Direction;
use crate::incident::Deviation;

/// Evidence that ends an incident: e^4.6 = 100 to 1 for recovery.
const ENOUGH: f64 = 4.605_170_185_988_091;

/// What counts as anomalous.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CountSettings {
    /// Which way is bad.
    pub direction: Direction,
    /// Events that a stretch has, or is expected to have, to be tested.
    pub min_samples: u64,
    /// Smallest change that matters, as a share of what is expected.
    pub min_change: f64,
}

/// A stretch that ends now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// How many steps it has.
    pub steps: usize,
    /// Events in it.
    pub seen: f64,
    /// Events expected in it.
    pub expected: f64,
}

/// The outcome for one slice at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CountScore {
    /// Probability that a count comes to be this far off at a step where nothing is wrong; 1 where the change is too small to matter.
    pub p_value: f64,
    /// Which way the count is off.
    pub deviation: Deviation,
    /// The stretch that is least probable.
    pub stretch: Stretch,
}

/// Scores a slice by stretches that end now. None where too little is expected, and seen, even in the longest.
pub fn score(
    stretches: impl Iterator<Item = Stretch>,
    dispersion: f64,
    settings: &CountSettings,
) -> Option<CountScore> {
    let least = settings.min_samples as f64;
    let mut tested = 0_u32;
    let mut best: Option<CountScore> = None;
    for stretch in stretches {
        if stretch.expected.max(stretch.seen) < least {
            continue;
        }
        tested += 1;
        let found = test(stretch, dispersion, settings);
        if best.is_none_or(|best| found.p_value < best.p_value) {
            best = Some(found);
        }
    }
    let mut best = best?;
    best.p_value = (best.p_value * f64::from(tested)).min(1.0);
    Some(best)
}

fn test(stretch: Stretch, dispersion: f64, settings: &CountSettings) -> CountScore {
    let change = stretch.seen - stretch.expected;
    let deviation = if change < 0.0 {
        Deviation::Down
    } else {
        Deviation::Up
    };
    let wanted = match settings.direction {
        Direction::Both => true,
        Direction::Down => deviation == Deviation::Down,
        Direction::Up => deviation == Deviation::Up,
    };
    let score = |p_value| CountScore {
        p_value,
        deviation,
        stretch,
    };
    if !wanted || change.abs() < settings.min_change * stretch.expected {
        return score(1.0);
    }
    let null = NegativeBinomial::new(stretch.expected, dispersion);
    let seen = stretch.seen.round().max(0.0) as u64;
    let tail = match deviation {
        Deviation::Down => null.lower_tail(seen),
        Deviation::Up => null.upper_tail(seen),
    };
    let sides = if settings.direction == Direction::Both {
        2.0
    } else {
        1.0
    };
    score(onset((tail * sides).min(1.0), stretch.steps))
}

/// The p-value of no event between two times, and how many were expected.
#[must_use]
pub fn silence(volume: &Volume, from_us: i64, to_us: i64) -> (f64, f64) {
    let expected = volume.expected(from_us, to_us);
    let nothing = NegativeBinomial::new(expected, volume.dispersion()).nothing();
    (nothing, expected)
}

/// Where the change began: the first of the last steps that speak for the count being `ratio` times what is expected
/// rather than once, by the greatest likelihood ratio of any stretch that ends now. Steps are ascending in time; gives
/// an index into them, 0 where there are none.
#[must_use]
pub fn change_point(steps: &[Stretch], ratio: f64) -> usize {
    let mut best = (0.0, steps.len().saturating_sub(1));
    let mut evidence = 0.0;
    for (index, step) in steps.iter().enumerate().rev() {
        evidence += log_likelihood_ratio(step.seen, step.expected, 1.0, ratio);
        if evidence > best.0 {
            best = (evidence, index);
        }
    }
    best.1
}

/// ln P(seen | `alternative` times the expected) − ln P(seen | `null` times the expected), Poisson.
#[must_use]
pub fn log_likelihood_ratio(seen: f64, expected: f64, null: f64, alternative: f64) -> f64 {
    let [null, alternative] = [null, alternative].map(|ratio| ratio.clamp(1e-3, 1e3));
    seen * (alternative / null).ln() - expected * (alternative - null)
}

/// Adds a new step's evidence that a count that was `ratio` times the expected has come back. The evidence of swinging
/// traffic weighs less.
pub fn recover(evidence: &mut f64, new: Stretch, ratio: f64, dispersion: f64) {
    let half_way = (1.0 + ratio) / 2.0;
    let gained = log_likelihood_ratio(new.seen, new.expected, half_way, 1.0)
        / (1.0 + new.expected * dispersion);
    *evidence = (*evidence + gained).clamp(0.0, 2.0 * ENOUGH);
}

/// Whether the evidence is enough to call the count normal.
#[must_use]
pub fn is_normal(evidence: f64) -> bool {
    evidence >= ENOUGH
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: CountSettings = CountSettings {
        direction: Direction::Down,
        min_samples: 20,
        min_change: 0.2,
    };

    fn stretch(steps: usize, seen: f64, expected: f64) -> Stretch {
        Stretch {
            steps,
            seen,
            expected,
        }
    }

    fn score_of(stretches: &[Stretch], settings: &CountSettings) -> Option<CountScore> {
        score(stretches.iter().copied(), 0.01, settings)
    }

    #[test]
    fn the_least_probable_stretch_counts_and_pays_for_the_others() {
        let found = score_of(
            &[
                stretch(8, 700.0, 800.0),
                stretch(4, 300.0, 400.0),
                stretch(1, 10.0, 100.0),
            ],
            &SETTINGS,
        )
        .unwrap();
        assert_eq!((found.stretch.steps, found.deviation), (1, Deviation::Down));
        let single = NegativeBinomial::new(100.0, 0.01).lower_tail(10);
        assert!((found.p_value / single - 3.0).abs() < 1e-9);
    }

    #[test]
    fn too_little_traffic_is_not_judged_and_a_rush_out_of_nothing_is() {
        assert_eq!(score_of(&[stretch(4, 3.0, 15.0)], &SETTINGS), None);
        let up = CountSettings {
            direction: Direction::Up,
            ..SETTINGS
        };
        let rush = score_of(&[stretch(4, 90.0, 3.0)], &up).unwrap();
        assert!(rush.p_value < 1e-20 && rush.deviation == Deviation::Up);
    }

    #[test]
    fn the_good_side_and_small_changes_score_one() {
        let rise = score_of(&[stretch(1, 400.0, 100.0)], &SETTINGS).unwrap();
        assert_eq!(rise.p_value, 1.0);
        let small = score_of(&[stretch(1, 85_000.0, 100_000.0)], &SETTINGS).unwrap();
        assert_eq!(small.p_value, 1.0);
    }

    #[test]
    fn the_change_began_where_the_likelihood_ratio_says() {
        let mut steps = vec![stretch(1, 100.0, 100.0); 10];
        steps.extend([stretch(1, 40.0, 100.0); 6]);
        assert_eq!(change_point(&steps, 0.4), 10);
        assert_eq!(change_point(&[], 0.4), 0);
    }

    #[test]
    fn a_count_that_came_back_is_normal_soon_and_one_that_did_not_never() {
        let steps_until_normal = |ratio_now: f64| {
            let mut evidence = 0.0;
            (1..500).find(|_| {
                recover(&mut evidence, stretch(1, 50.0 * ratio_now, 50.0), 0.2, 0.01);
                is_normal(evidence)
            })
        };
        assert!(steps_until_normal(1.0).unwrap() <= 3);
        assert_eq!(steps_until_normal(0.2), None);
        assert_eq!(steps_until_normal(0.5), None);
    }
}
