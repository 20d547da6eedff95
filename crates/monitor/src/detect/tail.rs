//! How rarely a score as large as this comes: from the scores of history, beyond them by a fitted tail.
//!
//! Below a high quantile the share of history is the answer. Beyond it scores are taken to exceed the quantile as a
//! generalised Pareto distribution, fitted by probability-weighted moments, which need no iteration:
//! J. R. M. Hosking, J. R. Wallis (1987), *Parameter and Quantile Estimation for the Generalized Pareto Distribution*,
//! Technometrics 29; that excesses are so distributed: J. Pickands (1975), *Statistical Inference Using Extreme Order
//! Statistics*, Ann. Statist. 3.

/// Share of history beyond which the tail is fitted.
const TAIL_SHARE: f64 = 0.05;
/// Fewest scores in the tail to fit it by.
const TAIL_MIN: usize = 20;
/// Shapes that are believed: a bounded tail would call what was never seen impossible, and one heavier than this has no
/// variance.
const SHAPE: (f64, f64) = (0.0, 0.5);
/// Shape that is assumed, with so many scores' weight.
const SHAPE_PRIOR: (f64, f64) = (0.1, 40.0);
/// Quantiles that are kept of history.
const QUANTILES: usize = 20;

/// The distribution of scores where nothing is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Tail {
    /// Quantiles below the threshold, ascending, at equal steps of probability.
    quantiles: Vec<f64>,
    threshold: f64,
    /// Share of history beyond the threshold.
    share: f64,
    scale: f64,
    shape: f64,
}

impl Tail {
    /// Learns from scores of history, sorting them. None where there are fewer than four hundred, of which twenty are in
    /// the tail.
    #[must_use]
    pub fn learn(scores: &mut Vec<f64>) -> Option<Self> {
        scores.retain(|score| score.is_finite());
        scores.sort_unstable_by(f64::total_cmp);
        let count = scores.len();
        let beyond = (count as f64 * TAIL_SHARE) as usize;
        if beyond < TAIL_MIN {
            return None;
        }
        let (below, tail) = scores.split_at(count - beyond);
        let threshold = below.last().copied()?;
        let excesses: Vec<f64> = tail.iter().map(|score| score - threshold).collect();
        let (scale, shape) = pareto(&excesses);
        let step = below.len() as f64 / QUANTILES as f64;
        let quantiles =
            (0..QUANTILES).filter_map(|i| below.get((i as f64 * step) as usize).copied());
        Some(Self {
            quantiles: quantiles.collect(),
            threshold,
            share: beyond as f64 / count as f64,
            scale,
            shape,
        })
    }

    /// The share of scores that are at least this large where nothing is wrong. Never zero, never more than one.
    #[must_use]
    pub fn p_value(&self, score: f64) -> f64 {
        if score.is_nan() {
            return 1.0;
        }
        let excess = score - self.threshold;
        if excess <= 0.0 {
            let below = self.quantiles.iter().filter(|q| **q < score).count();
            let share = below as f64 / self.quantiles.len().max(1) as f64;
            return (1.0 - share * (1.0 - self.share)).clamp(self.share, 1.0);
        }
        let ln_survival = if self.shape < 1e-6 {
            -excess / self.scale
        } else {
            -(self.shape * excess / self.scale).ln_1p() / self.shape
        };
        (self.share * ln_survival.exp()).max(f64::MIN_POSITIVE)
    }
}

/// Scale and shape of excesses, ascending.
fn pareto(excesses: &[f64]) -> (f64, f64) {
    let count = excesses.len() as f64;
    let mean = excesses.iter().sum::<f64>() / count;
    if mean <= 0.0 {
        // All the same: whatever is larger is rare, but how rare nobody knows.
        return (1e-9, SHAPE_PRIOR.0);
    }
    // α₁ = E[X·(1 − F(X))], by the plotting position of each.
    let weighed = excesses.iter().enumerate();
    let second = weighed
        .map(|(i, x)| x * (1.0 - (i as f64 + 0.65) / count))
        .sum::<f64>()
        / count;
    // Hosking and Wallis write the shape as −k, and k = α₀ ÷ (α₀ − 2·α₁) − 2.
    let own = 2.0 - mean / (mean - 2.0 * second).max(1e-12 * mean);
    let own = own.clamp(-0.5, 1.0);
    let shape = (own * count + SHAPE_PRIOR.0 * SHAPE_PRIOR.1) / (count + SHAPE_PRIOR.1);
    let shape = shape.clamp(SHAPE.0, SHAPE.1);
    // The mean excess is scale ÷ (1 − shape).
    (mean * (1.0 - shape), shape)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    fn learned(seed: u64, count: usize, draw: impl Fn(f64) -> f64) -> Tail {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut scores: Vec<f64> = (0..count).map(|_| draw(rng.random())).collect();
        Tail::learn(&mut scores).unwrap()
    }

    #[test]
    fn rare_scores_are_as_rare_as_their_distribution_says() {
        // Exponential: P(X ≥ x) = e^−x, far beyond what two thousand draws hold.
        let tail = learned(1, 2_000, |u| -(1.0 - u).ln());
        for x in [0.5_f64, 2.0, 4.0, 7.0, 10.0] {
            let off = (tail.p_value(x).ln() + x).abs();
            assert!(off < 0.12 * x + 0.25, "{x}: {}", tail.p_value(x));
        }
        // Heavier: P(X ≥ x) = (1 + x)^−4.
        let tail = learned(2, 4_000, |u| (1.0 - u).powf(-0.25) - 1.0);
        for x in [0.5_f64, 2.0, 5.0] {
            let off = (tail.p_value(x).ln() + 4.0 * x.ln_1p()).abs();
            assert!(off < 1.0, "{x}: {}", tail.p_value(x));
        }
    }

    #[test]
    fn larger_scores_are_never_less_rare_and_nothing_is_impossible() {
        let tail = learned(3, 1_000, |u| u);
        let mut last = 1.0;
        for i in 0..400 {
            let p = tail.p_value(f64::from(i) * 0.01);
            assert!(p <= last && p > 0.0, "{i}");
            last = p;
        }
        assert!(tail.p_value(f64::INFINITY) > 0.0);
        assert_eq!(tail.p_value(f64::NAN), 1.0);
        assert_eq!(tail.p_value(f64::NEG_INFINITY), 1.0);
    }

    #[test]
    fn too_few_and_hopeless_scores_are_no_distribution() {
        assert_eq!(Tail::learn(&mut vec![1.0; 399]), None);
        assert_eq!(Tail::learn(&mut vec![f64::NAN; 2_000]), None);
        let same = Tail::learn(&mut vec![1.0; 2_000]).unwrap();
        assert!(same.p_value(1.0) >= 0.05 && same.p_value(2.0) < 1e-6);
    }
}
