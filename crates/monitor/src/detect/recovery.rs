//! When a rate that fell has come back: a sequential test of new events only.
//!
//! The stretches of [`super::rate`] still hold the bad time after it is over, so they cannot say
//! when it ended. Instead evidence is summed for the expected rate and against one half-way to the
//! bad one: S = max(0, S + ln P(new | expected) − ln P(new | half-way)), a CUSUM. It needs few
//! events after a deep fall and more after a shallow one, and one number of memory.

use super::baseline::Counts;
use super::rate::log_likelihood_ratio;

/// Evidence that ends an incident: e^4.6 = 100 to 1 for recovery.
const ENOUGH: f64 = 4.605_170_185_988_091;
/// Evidence is not hoarded beyond this, so that a relapse is noticed soon.
const EVIDENCE_MAX: f64 = 2.0 * ENOUGH;

/// Adds the new events' evidence to `evidence`. `expected` is the rate before the incident, `bad`
/// the one that made it fire.
pub fn advance(evidence: &mut f64, new: Counts, expected: f64, bad: f64) {
    let half_way = (expected + bad) / 2.0;
    let gained = log_likelihood_ratio(new, half_way, expected);
    *evidence = (*evidence + gained).clamp(0.0, EVIDENCE_MAX);
}

/// Whether the evidence is enough to call the rate normal.
#[must_use]
pub fn is_normal(evidence: f64) -> bool {
    evidence >= ENOUGH
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes_until_normal(rate: f64, expected: f64, bad: f64, limit: usize) -> Option<usize> {
        let mut evidence = 0.0;
        (1..=limit).find(|_| {
            let new = Counts {
                successes: 20.0 * rate,
                attempts: 20.0,
            };
            advance(&mut evidence, new, expected, bad);
            is_normal(evidence)
        })
    }

    #[test]
    fn a_deep_fall_is_over_after_a_few_good_minutes_and_a_shallow_one_later() {
        assert_eq!(minutes_until_normal(0.88, 0.88, 0.41, 100), Some(2));
        let shallow = minutes_until_normal(0.88, 0.88, 0.78, 100).unwrap();
        assert!((10..60).contains(&shallow), "{shallow}");
    }

    #[test]
    fn a_rate_that_stays_bad_or_comes_back_only_in_part_is_not_normal() {
        assert_eq!(minutes_until_normal(0.41, 0.88, 0.41, 10_000), None);
        assert_eq!(minutes_until_normal(0.60, 0.88, 0.41, 10_000), None);
        assert_eq!(minutes_until_normal(0.95, 0.12, 0.95, 10_000), None);
    }

    #[test]
    fn a_rise_recovers_as_a_fall_does() {
        assert!(minutes_until_normal(0.05, 0.05, 0.30, 10).is_some());
    }

    #[test]
    fn a_relapse_after_a_long_good_time_is_noticed_soon() {
        let mut evidence = 0.0;
        for _ in 0..1000 {
            advance(
                &mut evidence,
                Counts {
                    successes: 18.0,
                    attempts: 20.0,
                },
                0.88,
                0.41,
            );
        }
        advance(
            &mut evidence,
            Counts {
                successes: 8.0,
                attempts: 20.0,
            },
            0.88,
            0.41,
        );
        advance(
            &mut evidence,
            Counts {
                successes: 8.0,
                attempts: 20.0,
            },
            0.88,
            0.41,
        );
        assert!(!is_normal(evidence));
    }

    #[test]
    fn without_events_nothing_is_learned() {
        let mut evidence = 3.0;
        advance(&mut evidence, Counts::default(), 0.88, 0.41);
        assert!((evidence - 3.0).abs() < 1e-12);
    }
}
