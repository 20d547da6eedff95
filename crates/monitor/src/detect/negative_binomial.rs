//! The negative binomial distribution: counts whose expected number itself varies, as Gamma, from
//! stretch to stretch.
//!
//! With mean μ and size k the variance is μ + μ²/k; for k → ∞ it becomes the Poisson distribution.
//! P(Y ≤ y) = I_{k/(k+μ)}(k, y + 1), the regularised incomplete beta function.
//! See N. L. Johnson, A. W. Kemp, S. Kotz, *Univariate Discrete Distributions*, section 5.6.

use statrs::function::beta::checked_beta_reg;
use statrs::function::gamma::{checked_gamma_lr, checked_gamma_ur};

/// From this size on the distribution is Poisson for any mean here, and the incomplete beta function
/// would lose digits.
const SIZE_MAX: f64 = 1e7;
/// Keeps means and sizes positive.
const LEAST: f64 = 1e-9;

/// A negative binomial distribution of given mean and size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NegativeBinomial {
    mean: f64,
    size: f64,
}

impl NegativeBinomial {
    /// Of mean `mean` and 1 ÷ size `dispersion`, 0 being Poisson. What is not positive or not finite is
    /// brought to the nearest that works.
    #[must_use]
    pub fn new(mean: f64, dispersion: f64) -> Self {
        let mean = if mean.is_finite() {
            mean.max(LEAST)
        } else {
            LEAST
        };
        let size = if dispersion > 0.0 {
            dispersion.recip().clamp(LEAST, SIZE_MAX)
        } else {
            SIZE_MAX
        };
        Self { mean, size }
    }

    fn is_poisson(&self) -> bool {
        self.size >= SIZE_MAX
    }

    /// P(Y ≤ y).
    #[must_use]
    pub fn lower_tail(&self, y: u64) -> f64 {
        let next = y as f64 + 1.0;
        let tail = if self.is_poisson() {
            checked_gamma_ur(next, self.mean).ok()
        } else {
            checked_beta_reg(self.size, next, self.size / (self.size + self.mean)).ok()
        };
        tail.map_or(1.0, |p| p.clamp(0.0, 1.0))
    }

    /// P(Y ≥ y).
    #[must_use]
    pub fn upper_tail(&self, y: u64) -> f64 {
        if y == 0 {
            return 1.0;
        }
        let y = y as f64;
        let tail = if self.is_poisson() {
            checked_gamma_lr(y, self.mean).ok()
        } else {
            checked_beta_reg(y, self.size, self.mean / (self.size + self.mean)).ok()
        };
        tail.map_or(1.0, |p| p.clamp(0.0, 1.0))
    }

    /// P(Y = 0) = (k ÷ (k + μ))^k.
    #[must_use]
    pub fn nothing(&self) -> f64 {
        if self.is_poisson() {
            return (-self.mean).exp();
        }
        (-self.size * (self.mean / self.size).ln_1p()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tails by summing the pmf, each term from the one before: P(y+1)/P(y) = (y+k)/(y+1)·μ/(k+μ).
    fn naive(mean: f64, dispersion: f64, y: u64) -> (f64, f64) {
        let k = 1.0 / dispersion;
        let mut term = (-k * (mean / k).ln_1p()).exp();
        let (mut below, mut above) = (0.0, 0.0);
        for at in 0..20_000_u64 {
            if at <= y {
                below += term;
            }
            if at >= y {
                above += term;
            }
            term *= (at as f64 + k) / (at as f64 + 1.0) * mean / (k + mean);
        }
        (below, above)
    }

    #[test]
    fn tails_are_those_of_the_summed_probabilities() {
        for mean in [0.3, 4.0, 120.0, 900.0] {
            for dispersion in [0.0025, 0.02, 0.4] {
                let found = NegativeBinomial::new(mean, dispersion);
                for share in [0.0, 0.4, 0.8, 1.0, 1.3, 2.0] {
                    let y = (mean * share).round() as u64;
                    let (below, above) = naive(mean, dispersion, y);
                    let near = |a: f64, b: f64| (a - b).abs() <= 1e-7 * b.max(1e-12);
                    assert!(
                        near(found.lower_tail(y), below) && near(found.upper_tail(y), above),
                        "{mean} {dispersion} {y}: {} {below}, {} {above}",
                        found.lower_tail(y),
                        found.upper_tail(y)
                    );
                }
            }
        }
    }

    #[test]
    fn without_dispersion_it_is_poisson_and_nothing_is_its_first_term() {
        let poisson = NegativeBinomial::new(3.0, 0.0);
        assert!((poisson.lower_tail(0) - (-3.0_f64).exp()).abs() < 1e-12);
        assert!((poisson.nothing() - (-3.0_f64).exp()).abs() < 1e-12);
        let wide = NegativeBinomial::new(3.0, 0.5);
        assert!((wide.nothing() - wide.lower_tail(0)).abs() < 1e-12);
        assert!(wide.nothing() > poisson.nothing());
        assert!((poisson.upper_tail(1) + poisson.nothing() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn hopeless_parameters_give_probabilities_all_the_same() {
        for mean in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e12] {
            for dispersion in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e-12, 1e9] {
                let found = NegativeBinomial::new(mean, dispersion);
                for y in [0, 1, 1_000_000] {
                    for p in [found.lower_tail(y), found.upper_tail(y), found.nothing()] {
                        assert!((0.0..=1.0).contains(&p), "{mean} {dispersion} {y}: {p}");
                    }
                }
            }
        }
    }
}
