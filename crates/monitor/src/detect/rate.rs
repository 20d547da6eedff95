//! Rates: is the share of successes of the last minutes improbable, given what is normal?
//!
//! Several stretches that end now are tested, each half as long as the one before: a deep fall
//! shows in the shortest one at once, a shallow one only in the longest. Each is a beta-binomial
//! tail, made less for stretches that are tested again and again on the same events (`moving`);
//! the smallest p-value counts, times the number of stretches tested (Bonferroni).
//!
//! The counts are those of complete buckets. Attempts may be looked at freely when choosing which
//! stretches are long enough to test, because under the null hypothesis they say nothing about the
//! share of successes.

use super::baseline::{Baseline, Counts};
use super::beta_binomial::BetaBinomial;
use super::moving::onset;
use crate::definition::Direction;
use crate::incident::Deviation;

/// What counts as anomalous.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateSettings {
    /// Which way is bad.
    pub direction: Direction,
    /// Attempts a stretch needs to be tested.
    pub min_samples: u64,
    /// Smallest change of the rate that matters, as a fraction.
    pub min_change: f64,
    /// P-values above this need not be told exactly: 1 does where it is plain that one is.
    pub exact_upto: f64,
}

/// Within so many standard deviations of what is expected nothing is less probable than [`PLAIN`].
const PLAIN_DEVIATIONS: f64 = 2.0;
/// No tail of a beta-binomial distribution with one peak is less probable than this so near to its mean.
const PLAIN: f64 = 5e-3;

/// The outcome for one slice at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateScore {
    /// Probability that a rate comes to be this far off at a step where nothing is wrong; 1 where the change is too
    /// small to matter.
    pub p_value: f64,
    /// Which way the rate is off.
    pub deviation: Deviation,
    /// Counts of the stretch that is least probable.
    pub counts: Counts,
    /// How many buckets that stretch has.
    pub buckets: usize,
}

/// Lengths of the stretches tested, in buckets: `longest`, its half, and so on down to 1.
#[must_use]
pub fn ladder(longest: usize) -> Vec<usize> {
    std::iter::successors(Some(longest.max(1)), |n| (*n > 1).then_some(n / 2)).collect()
}

/// The same, as they are tested.
#[must_use]
pub fn lengths(longest: usize) -> Vec<Length> {
    ladder(longest).into_iter().map(Length::of).collect()
}

/// A length that stretches are tested with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Length {
    /// How many buckets it has.
    pub buckets: usize,
    /// Nothing that is plain over so many buckets is charged for less than this.
    plain: f64,
}

impl Length {
    /// So many buckets.
    #[must_use]
    pub fn of(buckets: usize) -> Self {
        Self {
            buckets,
            // What is tested again and again is charged for less.
            plain: onset(PLAIN, buckets),
        }
    }
}

/// Scores a slice. `recent(n)` gives the counts of its last `n` buckets. `None` where there are too
/// few attempts even in the longest stretch.
pub fn score(
    recent: impl Fn(usize) -> Counts,
    stretches: &[Length],
    baseline: &Baseline,
    settings: &RateSettings,
) -> Option<RateScore> {
    score_by(|buckets| (recent(buckets), *baseline), stretches, settings)
}

/// The same, where what is normal is another for each stretch.
pub fn score_by(
    recent: impl Fn(usize) -> (Counts, Baseline),
    stretches: &[Length],
    settings: &RateSettings,
) -> Option<RateScore> {
    let mut tested = 0_u32;
    let mut best: Option<RateScore> = None;
    let mut last_attempts = f64::NAN;
    for &length in stretches {
        let (counts, baseline) = recent(length.buckets);
        // A shorter stretch with the same attempts is the same test.
        if counts.attempts < settings.min_samples as f64 || counts.attempts == last_attempts {
            continue;
        }
        last_attempts = counts.attempts;
        tested += 1;
        let found = test(counts, length, &baseline, settings);
        if best.is_none_or(|best| found.p_value < best.p_value) {
            best = Some(found);
        }
    }
    let mut best = best?;
    best.p_value = (best.p_value * f64::from(tested)).min(1.0);
    Some(best)
}

fn test(counts: Counts, length: Length, baseline: &Baseline, settings: &RateSettings) -> RateScore {
    let buckets = length.buckets;
    let attempts = counts.attempts.round().max(0.0) as u64;
    let successes = (counts.successes.round().max(0.0) as u64).min(attempts);
    let change = counts.rate().unwrap_or(baseline.mean) - baseline.mean;
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
    if !wanted || change.abs() < settings.min_change {
        return RateScore {
            p_value: 1.0,
            deviation,
            counts,
            buckets,
        };
    }
    let null = BetaBinomial::new(attempts, baseline.mean, baseline.concentration);
    let is_plain = null.is_within(successes, PLAIN_DEVIATIONS);
    if is_plain && settings.exact_upto <= length.plain {
        return RateScore {
            p_value: 1.0,
            deviation,
            counts,
            buckets,
        };
    }
    let tail = match deviation {
        Deviation::Down => null.lower_tail(successes),
        Deviation::Up => null.upper_tail(successes),
    };
    let sides = if settings.direction == Direction::Both {
        2.0
    } else {
        1.0
    };
    RateScore {
        p_value: onset((tail * sides).min(1.0), buckets),
        deviation,
        counts,
        buckets,
    }
}

/// Where the change began: the first of the last buckets that speak for the rate `now` rather than
/// for `expected`, by the greatest likelihood ratio of any stretch that ends now.
///
/// `buckets` are ascending in time. Returns an index into them; 0 where there are none.
#[must_use]
pub fn change_point(buckets: &[Counts], expected: f64, now: f64) -> usize {
    let mut best = (0.0, buckets.len().saturating_sub(1));
    let mut evidence = 0.0;
    for (index, counts) in buckets.iter().enumerate().rev() {
        evidence += log_likelihood_ratio(*counts, expected, now);
        if counts.attempts > 0.0 && evidence > best.0 {
            best = (evidence, index);
        }
    }
    best.1
}

/// ln P(counts | rate `alternative`) − ln P(counts | rate `null`), binomial.
#[must_use]
pub fn log_likelihood_ratio(counts: Counts, null: f64, alternative: f64) -> f64 {
    let [null, alternative] = [null, alternative].map(|p| p.clamp(1e-4, 1.0 - 1e-4));
    let failures = (counts.attempts - counts.successes).max(0.0);
    counts.successes * (alternative / null).ln()
        + failures * ((1.0 - alternative) / (1.0 - null)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASELINE: Baseline = Baseline {
        mean: 0.88,
        concentration: 500.0,
        correlation: 0.002,
    };
    const SETTINGS: RateSettings = RateSettings {
        direction: Direction::Down,
        min_samples: 30,
        min_change: 0.02,
        exact_upto: 1.0,
    };

    fn score_of(buckets: &[(f64, f64)], settings: &RateSettings) -> Option<RateScore> {
        let recent = |n: usize| {
            let from = buckets.len().saturating_sub(n);
            buckets[from..]
                .iter()
                .fold(Counts::default(), |sum, (x, n)| {
                    sum.plus(Counts {
                        successes: *x,
                        attempts: *n,
                    })
                })
        };
        score(recent, &lengths(buckets.len()), &BASELINE, settings)
    }

    #[test]
    fn the_ladder_halves_down_to_one_bucket() {
        assert_eq!(ladder(96), [96, 48, 24, 12, 6, 3, 1]);
        assert_eq!(ladder(1), [1]);
        assert_eq!(ladder(0), [1]);
    }

    /// Counts of all kinds, near to what is expected and far from it, with that.
    fn near_and_far() -> Vec<(Counts, Baseline)> {
        let mut found = Vec::new();
        for attempts in [1_u64, 2, 5, 10, 30, 100, 400, 3_000, 100_000] {
            for mean in [0.001, 0.02, 0.3, 0.5, 0.9, 0.98, 0.999] {
                for concentration in [1.0, 20.0, 300.0, 420.0, 700.0, 5e3, 1e4, 1e5] {
                    let baseline = Baseline {
                        mean,
                        concentration,
                        ..BASELINE
                    };
                    let few = 40.min(attempts);
                    let evenly = (0..=few).map(|part| part * attempts / few);
                    // And what is rare among few that are expected, or among many.
                    let share =
                        |of: f64, part: u64| (of * attempts as f64 * part as f64 / 40.0) as u64;
                    let below = (0..40).map(|part| share(mean, part));
                    let above = (0..40).map(|part| attempts - share(1.0 - mean, part));
                    for successes in evenly.chain(below).chain(above) {
                        let counts = Counts {
                            successes: successes as f64,
                            attempts: attempts as f64,
                        };
                        found.push((counts, baseline));
                    }
                }
            }
        }
        found
    }

    #[test]
    fn what_is_told_as_plain_is_no_less_probable_than_is_said() {
        let (mut plain, mut least) = (0, 1.0_f64);
        let of = [Direction::Both, Direction::Down, Direction::Up];
        for (direction, buckets, exact_upto) in
            (of.map(|of| (of, 1, 1e-5)).into_iter()).chain(of.map(|of| (of, 96, 2e-3)))
        {
            let near = RateSettings {
                exact_upto,
                direction,
                min_change: 0.0,
                ..SETTINGS
            };
            for (counts, baseline) in near_and_far() {
                let found = test(counts, Length::of(buckets), &baseline, &near);
                let exact = RateSettings {
                    exact_upto: 1.0,
                    ..near
                };
                let exact = test(counts, Length::of(buckets), &baseline, &exact);
                if found != exact {
                    assert_eq!(found.p_value, 1.0);
                    assert!(exact.p_value > exact_upto, "{baseline:?}: {exact:?}");
                    let is_one = buckets == 1;
                    (plain, least) = (
                        plain + 1,
                        least.min(if is_one { exact.p_value } else { 1.0 }),
                    );
                }
            }
        }
        println!("{plain} told as plain, the least probable at {least}");
        assert!(plain > 300 && least > PLAIN, "{plain}, {least}");
    }

    #[test]
    fn too_few_attempts_are_not_judged() {
        assert_eq!(score_of(&[(0.0, 14.0), (0.0, 15.0)], &SETTINGS), None);
        assert!(score_of(&[(0.0, 14.0), (0.0, 16.0)], &SETTINGS).is_some());
    }

    #[test]
    fn a_deep_fall_of_the_last_bucket_shows_in_the_shortest_stretch() {
        let mut buckets = vec![(88.0, 100.0); 15];
        buckets.push((41.0, 100.0));
        let found = score_of(&buckets, &SETTINGS).unwrap();
        assert_eq!((found.buckets, found.deviation), (1, Deviation::Down));
        // All stretches were tested, and the p-value pays for each of them.
        let single = BetaBinomial::new(100, 0.88, 500.0).lower_tail(41);
        assert!(
            (found.p_value / single - ladder(16).len() as f64).abs() < 1e-9,
            "{}",
            found.p_value / single
        );
    }

    #[test]
    fn a_shallow_fall_shows_in_the_longest_stretch() {
        let found = score_of(&[(80.0, 100.0); 16], &SETTINGS).unwrap();
        assert_eq!(found.buckets, 16);
    }

    #[test]
    fn a_significant_change_too_small_to_matter_scores_one() {
        let steady = Baseline {
            concentration: 5000.0,
            ..BASELINE
        };
        let counts = Counts {
            successes: 8_700_000.0,
            attempts: 10_000_000.0,
        };
        let found = score(|_| counts, &lengths(1), &steady, &SETTINGS).unwrap();
        assert_eq!(found.p_value, 1.0);
    }

    #[test]
    fn only_the_wanted_direction_counts() {
        let risen = [(100.0, 100.0); 4];
        assert_eq!(score_of(&risen, &SETTINGS).unwrap().p_value, 1.0);
        let up = RateSettings {
            direction: Direction::Up,
            ..SETTINGS
        };
        let both = RateSettings {
            direction: Direction::Both,
            ..SETTINGS
        };
        let one_sided = score_of(&risen[..1], &up).unwrap();
        let two_sided = score_of(&risen[..1], &both).unwrap();
        assert_eq!(one_sided.deviation, Deviation::Up);
        assert!(one_sided.p_value < 1e-4, "{one_sided:?}");
        assert!((two_sided.p_value / one_sided.p_value - 2.0).abs() < 1e-9);
    }

    #[test]
    fn the_change_point_is_the_first_bad_bucket() {
        let good = Counts {
            successes: 18.0,
            attempts: 20.0,
        };
        let bad = Counts {
            successes: 8.0,
            attempts: 20.0,
        };
        let none = Counts::default();
        assert_eq!(change_point(&[good, good, good, bad, bad], 0.88, 0.41), 3);
        assert_eq!(change_point(&[good, none, bad, none, bad], 0.88, 0.41), 2);
        assert_eq!(change_point(&[bad, bad], 0.88, 0.41), 0);
        assert_eq!(change_point(&[], 0.88, 0.41), 0);
    }
}
