//! Leaves of a rate: each is judged by its own attempts and successes.
//!
//! The deviance is that of the binomial distribution, for as many attempts as the leaf's are worth:
//! 1/worth = 1/attempts + 1/concentration + 1/(attempts before), which is the variance of a
//! beta-binomial distribution plus what is not known of the normal rate.

use super::evidence::Model;
use super::leaves::Counts;
use super::{CONCENTRATION, Direction};

/// Effects that are tried on a fall: the share of the successes that is lost.
const EFFECTS_DOWN: &[f64] = &[0.01, 0.025, 0.06, 0.12, 0.22, 0.38, 0.62, 0.9];
/// Effects that are tried on a rise: the share of the failures that is gone.
const EFFECTS_UP: &[f64] = &[0.1, 0.25, 0.4, 0.55, 0.7, 0.82, 0.92, 1.0];
/// Attempts that the rate of all is worth beside a leaf's own.
const PRIOR: f64 = 10.0;
/// Concentration of the rates within one element of a cause. At 2 a Beta distribution is uniform: that
/// a leaf got worse counts, hardly by how much.
const SPREAD: f64 = 2.0;
/// Share of a set's change that each of its elements must add. Rates of other slices drift a little
/// in any minute, which explains nothing of the incident.
const SHARE_MIN: f64 = 0.1;
/// Keeps rates away from 0 and 1, where one failure would be impossible rather than rare.
const RATE_MARGIN: f64 = 1e-4;

#[derive(Clone, Copy, Default)]
struct Leaf {
    attempts: f64,
    /// Failures among the attempts, as a share.
    observed: f64,
    /// The same where nothing is wrong.
    normal: f64,
    /// What the attempts are worth against the normal rate, and against that of a cause.
    worth: f64,
    worth_affected: f64,
    normaliser: f64,
}

/// Leaves with their normal rate and what came.
pub(super) struct Rates {
    leaves: Vec<Leaf>,
}

impl Rates {
    /// Finds the normal rate of each leaf: its own, drawn to that of all where there is little.
    pub(super) fn new(expected: &[Counts], actual: &[Counts], concentration: f64) -> Self {
        let concentration = if concentration > 0.0 {
            concentration
        } else {
            CONCENTRATION
        };
        let whole = expected
            .iter()
            .copied()
            .fold(Counts::default(), Counts::plus);
        let overall = 1.0
            - whole
                .rate()
                .or_else(|| {
                    actual
                        .iter()
                        .copied()
                        .fold(Counts::default(), Counts::plus)
                        .rate()
                })
                .unwrap_or(0.5);
        let leaf = |(before, now): (&Counts, &Counts)| {
            let normal = (before.failures() + PRIOR * overall) / (before.attempts + PRIOR);
            let variance =
                1.0 / now.attempts + 1.0 / concentration + 1.0 / (before.attempts + PRIOR);
            let variance_affected = variance.max(1.0 / now.attempts + 1.0 / SPREAD);
            Leaf {
                attempts: now.attempts,
                observed: if now.attempts > 0.0 {
                    now.failures() / now.attempts
                } else {
                    0.0
                },
                normal: normal.clamp(RATE_MARGIN, 1.0 - RATE_MARGIN),
                worth: 1.0 / variance,
                worth_affected: 1.0 / variance_affected,
                normaliser: 0.5 * (variance_affected / variance).ln(),
            }
        };
        Self {
            leaves: expected.iter().zip(actual).map(leaf).collect(),
        }
    }

    fn leaf(&self, leaf: usize) -> Leaf {
        self.leaves.get(leaf).copied().unwrap_or_default()
    }

    /// The failure rate that is normal for a leaf.
    pub(super) fn normal_failures(&self, leaf: usize) -> f64 {
        self.leaf(leaf).normal
    }
}

/// Kullback–Leibler divergence of Bernoulli distributions.
fn divergence(p: f64, q: f64) -> f64 {
    let part = |p: f64, q: f64| if p > 0.0 { p * (p / q).ln() } else { 0.0 };
    part(p, q) + part(1.0 - p, 1.0 - q)
}

impl Model for Rates {
    fn effects(&self, direction: Direction) -> &'static [f64] {
        match direction {
            Direction::Down => EFFECTS_DOWN,
            Direction::Up => EFFECTS_UP,
        }
    }

    fn is_informative(&self, leaf: usize) -> bool {
        self.leaf(leaf).attempts > 0.0
    }

    fn normal(&self, leaf: usize) -> f64 {
        let leaf = self.leaf(leaf);
        leaf.worth * divergence(leaf.observed, leaf.normal)
    }

    fn affected(&self, leaf: usize, direction: Direction, effect: f64) -> f64 {
        let leaf = self.leaf(leaf);
        let rate = match direction {
            Direction::Down => leaf.normal + (1.0 - leaf.normal) * effect,
            Direction::Up => leaf.normal * (1.0 - effect),
        };
        let rate = rate.clamp(RATE_MARGIN, 1.0 - RATE_MARGIN);
        leaf.worth_affected * divergence(leaf.observed, rate) + leaf.normaliser
    }

    fn change(&self) -> (f64, f64) {
        let parts = self.leaves.iter().filter(|leaf| leaf.attempts > 0.0);
        let (change, variance) = parts.fold((0.0, 0.0), |(change, variance), leaf| {
            let scale = leaf.attempts * leaf.attempts / leaf.worth;
            (
                change + leaf.attempts * (leaf.normal - leaf.observed),
                variance + scale * leaf.normal * (1.0 - leaf.normal),
            )
        });
        (change, f64::sqrt(variance))
    }

    fn share_min(&self) -> f64 {
        SHARE_MIN
    }

    fn change_of(&self, leaf: usize) -> f64 {
        let leaf = self.leaf(leaf);
        leaf.attempts * (leaf.normal - leaf.observed)
    }
}
