//! From a p-value to the probability that an anomaly is real.

/// Slope of the logistic score over −log₁₀ p.
const SLOPE: f64 = 2.298;
/// Intercept of the logistic score.
const INTERCEPT: f64 = -9.19;
/// Smallest p-value that is told apart from others.
const P_MIN: f64 = 1e-300;

/// The probability that an anomaly of p-value `p` is real: 1 / (1 + e^−(a·x + b)) with x = −log₁₀ p.
///
/// a and b are set so that p = 10⁻² scores 0.01 and p = 10⁻⁶ scores 0.99, which stands in for
/// feedback until there is some to fit them to.
#[must_use]
pub fn of_p_value(p: f64) -> f64 {
    let x = -p.clamp(P_MIN, 1.0).log10();
    1.0 / (1.0 + (-(SLOPE * x + INTERCEPT)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_anchors_score_one_and_ninety_nine_percent() {
        assert!((of_p_value(1e-2) - 0.01).abs() < 1e-3);
        assert!((of_p_value(1e-6) - 0.99).abs() < 1e-3);
    }

    #[test]
    fn smaller_p_values_are_never_less_probable() {
        let mut last = 0.0;
        for exponent in 0..400 {
            let probability = of_p_value(10_f64.powi(-exponent));
            assert!(probability >= last && probability <= 1.0);
            last = probability;
        }
    }
}
