//! The beta-binomial distribution: successes among `n` attempts whose success probability itself
//! varies from stretch to stretch as Beta(α, β).
//!
//! With mean p and concentration m: α = m·p, β = m·(1 − p), variance n·p·(1 − p)·(1 + (n − 1)/(m + 1)).
//! For m → ∞ it becomes the binomial distribution.
//! See N. L. Johnson, A. W. Kemp, S. Kotz, *Univariate Discrete Distributions*, section 6.2.2.

use statrs::function::beta::ln_beta;
use statrs::function::gamma::ln_gamma;

/// A beta-binomial distribution of given mean and concentration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BetaBinomial {
    n: u64,
    alpha: f64,
    beta: f64,
}

/// Keeps the mean away from 0 and 1, where one failure would be impossible rather than rare.
const MEAN_MARGIN: f64 = 1e-6;
/// Keeps α and β positive.
const CONCENTRATION_MIN: f64 = 1e-3;
/// Beyond this the distribution is binomial for any n here, and ln Β would lose digits.
const CONCENTRATION_MAX: f64 = 1e7;
/// α and β from which the distribution is a peak.
const SHAPE_OF_A_PEAK: f64 = 12.0;
/// Terms below this share of the sum no longer change it.
const NEGLIGIBLE: f64 = 1e-18;

impl BetaBinomial {
    /// `n` attempts with mean success probability `mean` and concentration `m`. Means outside
    /// [0, 1] and concentrations that are not positive are brought to the nearest that work.
    #[must_use]
    pub fn new(n: u64, mean: f64, m: f64) -> Self {
        let mean = mean.clamp(MEAN_MARGIN, 1.0 - MEAN_MARGIN);
        let m = m.clamp(CONCENTRATION_MIN, CONCENTRATION_MAX);
        Self {
            n,
            alpha: m * mean,
            beta: m * (1.0 - mean),
        }
    }

    /// ln P(X = x); −∞ for x > n.
    #[must_use]
    pub fn ln_pmf(&self, x: u64) -> f64 {
        if x > self.n {
            return f64::NEG_INFINITY;
        }
        let (n, x) = (self.n as f64, x as f64);
        let ln_choose = ln_gamma(n + 1.0) - ln_gamma(x + 1.0) - ln_gamma(n - x + 1.0);
        ln_choose + ln_beta(x + self.alpha, n - x + self.beta) - ln_beta(self.alpha, self.beta)
    }

    /// P(X ≤ x).
    #[must_use]
    pub fn lower_tail(&self, x: u64) -> f64 {
        if x >= self.n {
            return 1.0;
        }
        // The far side is summed as the complement of the near one: it is shorter, and a small
        // probability is never the difference of two large ones.
        if x as f64 > self.mean() {
            return (1.0 - self.mirrored().near_tail(self.n - x - 1)).max(0.0);
        }
        self.near_tail(x)
    }

    /// P(X ≥ x).
    #[must_use]
    pub fn upper_tail(&self, x: u64) -> f64 {
        if x > self.n {
            return 0.0;
        }
        self.mirrored().lower_tail(self.n - x)
    }

    /// Whether the distribution has one peak, away from both ends, and `x` is within so many standard deviations of its mean.
    #[must_use]
    pub fn is_within(&self, x: u64, deviations: f64) -> bool {
        let (n, m) = (self.n as f64, self.alpha + self.beta);
        let p = self.alpha / m;
        let variance = n * p * (1.0 - p) * (1.0 + (n - 1.0).max(0.0) / (m + 1.0));
        let off = x as f64 - n * p;
        self.alpha.min(self.beta) >= SHAPE_OF_A_PEAK
            && off * off <= deviations * deviations * variance
    }

    fn mean(&self) -> f64 {
        self.n as f64 * self.alpha / (self.alpha + self.beta)
    }

    /// The distribution of n − X.
    fn mirrored(&self) -> Self {
        Self {
            n: self.n,
            alpha: self.beta,
            beta: self.alpha,
        }
    }

    /// Sum of the pmf from `x` down to 0, each term from the one before by the ratio
    /// P(k−1)/P(k) = k·(n−k+β) / ((n−k+1)·(k−1+α)).
    fn near_tail(&self, x: u64) -> f64 {
        let n = self.n as f64;
        // Below the mean the terms fall towards 0 only where α ≥ 1; else they may rise again.
        let falling = self.alpha >= 1.0;
        let mut relative = 1.0_f64;
        let mut sum = 1.0_f64;
        let mut k = x as f64;
        while k >= 1.0 {
            let ratio = k * (n - k + self.beta) / ((n - k + 1.0) * (k - 1.0 + self.alpha));
            relative *= ratio;
            sum += relative;
            // Once terms shrink they shrink ever faster, so the rest is below
            // relative·ratio/(1 − ratio).
            if falling && ratio < 1.0 && relative * ratio < NEGLIGIBLE * sum * (1.0 - ratio) {
                break;
            }
            k -= 1.0;
        }
        (self.ln_pmf(x) + sum.ln()).exp().min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pmf by its definition as a product, without logarithms or gamma functions.
    fn naive_pmf(n: u64, x: u64, alpha: f64, beta: f64) -> f64 {
        let mut p = 1.0;
        for i in 0..x {
            p *= (n - i) as f64 / (i + 1) as f64 * (alpha + i as f64) / (alpha + beta + i as f64);
        }
        for j in 0..(n - x) {
            p *= (beta + j as f64) / (alpha + beta + x as f64 + j as f64);
        }
        p
    }

    fn close(found: f64, exact: f64, relative: f64) -> bool {
        (found - exact).abs() <= relative * exact.abs().max(1e-300)
    }

    #[test]
    fn tails_equal_the_naive_sum_of_products_for_every_x() {
        for (n, mean, m) in [
            (1, 0.5, 2.0),
            (7, 0.88, 30.0),
            (40, 0.88, 200.0),
            (60, 0.02, 500.0),
            (120, 0.97, 8.0),
            (200, 0.5, 0.7),
            (150, 0.999, 3.0),
            (150, 0.004, 3.0),
            (300, 0.9, 5000.0),
        ] {
            let distribution = BetaBinomial::new(n, mean, m);
            let pmf: Vec<f64> = (0..=n)
                .map(|x| naive_pmf(n, x, m * mean, m * (1.0 - mean)))
                .collect();
            for x in 0..=n {
                let lower: f64 = pmf.iter().take(x as usize + 1).sum();
                let upper: f64 = pmf.iter().skip(x as usize).sum();
                let (l, u) = (distribution.lower_tail(x), distribution.upper_tail(x));
                assert!(
                    close(l, lower, 1e-9),
                    "n={n} p={mean} m={m} P(X<={x}) {l} != {lower}"
                );
                assert!(
                    close(u, upper, 1e-9),
                    "n={n} p={mean} m={m} P(X>={x}) {u} != {upper}"
                );
            }
        }
    }

    #[test]
    fn with_a_huge_concentration_it_is_the_binomial_distribution() {
        // P(X <= 15) for Binomial(20, 0.88), summed exactly.
        let binomial: f64 = (0..=15).map(|k| naive_binomial(20, k, 0.88)).sum();
        let found = BetaBinomial::new(20, 0.88, 1e12).lower_tail(15);
        assert!(close(found, binomial, 1e-5), "{found} != {binomial}");
    }

    fn naive_binomial(n: i32, k: i32, p: f64) -> f64 {
        let choose: f64 = (0..k)
            .map(|i| f64::from(n - i) / f64::from(i + 1))
            .product();
        choose * p.powi(k) * (1.0 - p).powi(n - k)
    }

    #[test]
    fn tails_stay_probabilities_and_monotone_for_ten_million_attempts() {
        let n = 10_000_000;
        let distribution = BetaBinomial::new(n, 0.88, 2000.0);
        let mut last = 0.0;
        for x in [0, 4_100_000, 8_000_000, 8_700_000, 8_800_000, 8_900_000, n] {
            let p = distribution.lower_tail(x);
            assert!((last..=1.0).contains(&p), "P(X<={x}) = {p} after {last}");
            last = p;
        }
        // 8.8 million is the mean, and the skew is small: about half lies below.
        let half = distribution.lower_tail(8_800_000);
        assert!((0.48..0.52).contains(&half), "{half}");
        let sum = distribution.lower_tail(8_750_000) + distribution.upper_tail(8_750_001);
        assert!(close(sum, 1.0, 1e-6), "{sum}");
    }

    #[test]
    fn impossible_means_and_concentrations_give_probabilities_still() {
        for mean in [-1.0, 0.0, 1.0, 2.0] {
            for m in [-5.0, 0.0, 1e15] {
                for x in [0, 5, 10, 11] {
                    let d = BetaBinomial::new(10, mean, m);
                    assert!((0.0..=1.0).contains(&d.lower_tail(x)), "{mean} {m} {x}");
                    assert!((0.0..=1.0).contains(&d.upper_tail(x)), "{mean} {m} {x}");
                }
            }
        }
    }
}
