//! From a p-value to the probability that an anomaly is real, and how people's verdicts improve it.
//!
//! The probability is 1 ÷ (1 + e^−(a·x + b)) of the evidence x = −log₁₀ p. a and b begin where p = 10⁻² is 0.01 and
//! p = 10⁻⁶ is 0.99, and are fitted to what people said of incidents, drawn towards that beginning the less they said:
//! J. Platt (1999), *Probabilistic Outputs for Support Vector Machines*, in Advances in Large Margin Classifiers, with a
//! normal prior for his regularised targets.

/// Slope of the logistic score over the evidence.
const SLOPE: f64 = 2.298;
/// Intercept of the logistic score.
const INTERCEPT: f64 = -9.19;
/// Smallest p-value that is told apart from others.
const P_MIN: f64 = 1e-300;
/// Verdicts on anomalies that are surer than this say nothing of how much surer.
const EVIDENCE_MAX: f64 = 12.0;
/// Evidence about which the slope turns, so that slope and height are known apart.
const PIVOT: f64 = 4.0;
/// Standard deviations of the slope and of the height before anybody said anything.
const PRIOR: (f64, f64) = (0.5, 1.2);
/// More evidence never makes an anomaly less probable.
const SLOPE_MIN: f64 = 0.05;
/// Newton's method is done in a handful of steps.
const STEPS_MAX: usize = 50;

/// What a person said of an anomaly of so much evidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// −log₁₀ of its p-value.
    pub evidence: f64,
    /// Whether it was real.
    pub is_real: bool,
}

/// The logistic score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    slope: f64,
    /// The score at the pivot.
    height: f64,
}

impl Default for Calibration {
    fn default() -> Self {
        Self {
            slope: SLOPE,
            height: SLOPE * PIVOT + INTERCEPT,
        }
    }
}

/// −log₁₀ p.
#[must_use]
pub fn evidence(p: f64) -> f64 {
    -p.clamp(P_MIN, 1.0).log10()
}

impl Calibration {
    /// The probability that an anomaly of p-value `p` is real.
    #[must_use]
    pub fn of_p_value(&self, p: f64) -> f64 {
        self.of(evidence(p))
    }

    fn of(&self, evidence: f64) -> f64 {
        logistic(self.height + self.slope * (evidence - PIVOT))
    }

    /// The score that fits the verdicts best, drawn towards this one the fewer there are.
    #[must_use]
    pub fn fitted(self, verdicts: &[Verdict]) -> Self {
        self.weighed(verdicts, 1.0)
    }

    /// The same, each verdict counting as so many.
    #[must_use]
    pub fn weighed(self, verdicts: &[Verdict], each: f64) -> Self {
        let (mut slope, mut height) = (self.slope, self.height);
        let (slope_weight, height_weight) = (PRIOR.0.powi(-2), PRIOR.1.powi(-2));
        for _ in 0..STEPS_MAX {
            // Gradient and curvature of −ln P(verdicts) − ln P(slope, height).
            let mut gradient = (
                slope_weight * (slope - self.slope),
                height_weight * (height - self.height),
            );
            let mut curvature = (slope_weight, 0.0, height_weight);
            for verdict in verdicts.iter().filter(|v| v.evidence.is_finite()) {
                let x = verdict.evidence.clamp(0.0, EVIDENCE_MAX) - PIVOT;
                let p = logistic(height + slope * x);
                let off = each * (p - f64::from(u8::from(verdict.is_real)));
                gradient.0 += off * x;
                gradient.1 += off;
                let weight = each * p * (1.0 - p);
                curvature.0 += weight * x * x;
                curvature.1 += weight * x;
                curvature.2 += weight;
            }
            let (a, b, c) = curvature;
            let determinant = a * c - b * b;
            if determinant <= 0.0 {
                break;
            }
            let step = (
                (c * gradient.0 - b * gradient.1) / determinant,
                (a * gradient.1 - b * gradient.0) / determinant,
            );
            // Far from the answer a whole step may overshoot.
            let size = step.0.abs().max(step.1.abs());
            let share = if size > 1.0 { size.recip() } else { 1.0 };
            slope = (slope - share * step.0).max(SLOPE_MIN);
            height -= share * step.1;
            if size < 1e-9 {
                break;
            }
        }
        Self { slope, height }
    }

    /// The mean squared difference of probability and verdict: 0 is perfect, 0.25 knows nothing (G. W. Brier, 1950,
    /// *Verification of Forecasts Expressed in Terms of Probability*). None without verdicts.
    #[must_use]
    pub fn brier(&self, verdicts: &[Verdict]) -> Option<f64> {
        if verdicts.is_empty() {
            return None;
        }
        let squares = verdicts.iter().map(|verdict| {
            let truth = f64::from(u8::from(verdict.is_real));
            (self.of(verdict.evidence) - truth).powi(2)
        });
        Some(squares.sum::<f64>() / verdicts.len() as f64)
    }
}

fn logistic(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(of: &[(f64, bool)], times: usize) -> Vec<Verdict> {
        let all = of.iter().map(|(evidence, is_real)| Verdict {
            evidence: *evidence,
            is_real: *is_real,
        });
        let all: Vec<Verdict> = all.collect();
        all.repeat(times)
    }

    #[test]
    fn the_two_anchors_score_one_and_ninety_nine_percent() {
        let start = Calibration::default();
        assert!((start.of_p_value(1e-2) - 0.01).abs() < 1e-3);
        assert!((start.of_p_value(1e-6) - 0.99).abs() < 1e-3);
    }

    #[test]
    fn smaller_p_values_are_never_less_probable() {
        let hostile = verdicts(&[(11.0, false), (2.0, true)], 500);
        for calibration in [
            Calibration::default(),
            Calibration::default().fitted(&hostile),
        ] {
            let mut last = 0.0;
            for exponent in 0..400 {
                let probability = calibration.of_p_value(10_f64.powi(-exponent));
                assert!(probability >= last && probability <= 1.0);
                last = probability;
            }
        }
    }

    #[test]
    fn many_false_alarms_make_the_next_one_of_their_kind_less_probable_and_few_hardly() {
        let start = Calibration::default();
        let before = start.of_p_value(1e-6);
        let one = start.fitted(&verdicts(&[(6.0, false)], 1));
        assert!((0.5..before).contains(&one.of_p_value(1e-6)));
        let many = start.fitted(&verdicts(&[(6.0, false), (10.0, true)], 50));
        assert!(many.of_p_value(1e-6) < 0.1, "{many:?}");
        assert!(many.of_p_value(1e-10) > 0.9, "{many:?}");
    }

    #[test]
    fn what_is_learned_is_what_the_verdicts_say() {
        // Of a hundred at each: 10 % real at 3, 50 % at 6, 90 % at 9.
        let mut said = Vec::new();
        for (evidence, real) in [(3.0, 10), (6.0, 50), (9.0, 90)] {
            said.extend(verdicts(&[(evidence, true)], real));
            said.extend(verdicts(&[(evidence, false)], 100 - real));
        }
        let fitted = Calibration::default().fitted(&said);
        for (p, expected) in [(1e-3, 0.1), (1e-6, 0.5), (1e-9, 0.9)] {
            assert!(
                (fitted.of_p_value(p) - expected).abs() < 0.05,
                "{p}: {fitted:?}"
            );
        }
        let before = Calibration::default().brier(&said).unwrap();
        let after = fitted.brier(&said).unwrap();
        assert!(after < before && after < 0.16, "{before} {after}");
        assert_eq!(fitted.brier(&[]), None);
    }

    #[test]
    fn nothing_said_changes_nothing_and_hopeless_evidence_is_left_out() {
        let start = Calibration::default();
        assert_eq!(start.fitted(&[]), start);
        assert_eq!(start.fitted(&verdicts(&[(f64::NAN, true)], 9)), start);
        let sure = start.fitted(&verdicts(&[(300.0, true)], 1_000));
        assert!(sure.of_p_value(1e-300) > 0.99 && sure.of_p_value(0.5) < 0.5);
    }
}
