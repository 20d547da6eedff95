//! Fixed limits: is the value above or below?

use super::hysteresis::Verdict;
use crate::definition::ThresholdDetect;
use crate::figure::Bucket;
use crate::incident::Deviation;

/// The outcome for one window of one slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThresholdScore {
    /// Beyond the limit, back behind it by the margin, or in between.
    pub verdict: Verdict,
    /// Which limit is the nearer one, as a deviation.
    pub deviation: Deviation,
    /// That limit.
    pub limit: f64,
    /// The window's value, where it was judged.
    pub value: Option<f64>,
}

/// Judges a window. A window without a value, or with fewer samples than are asked for, is
/// `Between`: it neither fires nor resolves. `None` where the threshold has no limit at all.
#[must_use]
pub fn score(window: &Bucket, threshold: &ThresholdDetect) -> Option<ThresholdScore> {
    let above = threshold.above.map(|limit| (limit, Deviation::Up));
    let below = threshold.below.map(|limit| (limit, Deviation::Down));
    let enough = threshold.min_samples == 0
        || window
            .denominator
            .is_some_and(|n| n >= threshold.min_samples as f64);
    let value = window.value.filter(|value| value.is_finite() && enough);
    let (limit, deviation) = nearer(above, below, value)?;
    let Some(value) = value else {
        return Some(ThresholdScore {
            verdict: Verdict::Between,
            deviation,
            limit,
            value: None,
        });
    };
    let beyond = match deviation {
        Deviation::Up => value - limit,
        Deviation::Down => limit - value,
    };
    let verdict = if beyond > 0.0 {
        Verdict::Anomalous
    } else if -beyond >= limit.abs() * threshold.resolve_margin {
        Verdict::Normal
    } else {
        Verdict::Between
    };
    Some(ThresholdScore {
        verdict,
        deviation,
        limit,
        value: Some(value),
    })
}

type Limit = (f64, Deviation);

fn nearer(above: Option<Limit>, below: Option<Limit>, value: Option<f64>) -> Option<Limit> {
    match (above, below, value) {
        (Some(above), Some(below), Some(value)) => Some(if above.0 - value <= value - below.0 {
            above
        } else {
            below
        }),
        (above, below, _) => above.or(below),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(threshold: &ThresholdDetect, value: Option<f64>, samples: Option<f64>) -> Verdict {
        let window = Bucket {
            start_us: 0,
            value,
            numerator: None,
            denominator: samples,
        };
        score(&window, threshold).unwrap().verdict
    }

    fn limits(above: Option<f64>, below: Option<f64>, min_samples: u64) -> ThresholdDetect {
        ThresholdDetect {
            above,
            below,
            min_samples,
            ..Default::default()
        }
    }

    #[test]
    fn a_value_fires_beyond_the_limit_and_resolves_only_behind_the_margin() {
        let above = limits(Some(100.0), None, 0);
        for (value, expected) in [
            (101.0, Verdict::Anomalous),
            (100.0, Verdict::Between),
            (96.0, Verdict::Between),
            (95.0, Verdict::Normal),
        ] {
            assert_eq!(verdict(&above, Some(value), None), expected, "{value}");
        }
        let below = limits(None, Some(0.8), 0);
        for (value, expected) in [
            (0.79, Verdict::Anomalous),
            (0.82, Verdict::Between),
            (0.85, Verdict::Normal),
        ] {
            assert_eq!(verdict(&below, Some(value), None), expected, "{value}");
        }
    }

    #[test]
    fn with_two_limits_the_value_must_be_between_them() {
        let both = limits(Some(10.0), Some(-10.0), 0);
        for (value, expected, deviation) in [
            (11.0, Verdict::Anomalous, Deviation::Up),
            (-11.0, Verdict::Anomalous, Deviation::Down),
            (1.0, Verdict::Normal, Deviation::Up),
        ] {
            let window = Bucket {
                start_us: 0,
                value: Some(value),
                numerator: None,
                denominator: None,
            };
            let found = score(&window, &both).unwrap();
            assert_eq!(
                (found.verdict, found.deviation),
                (expected, deviation),
                "{value}"
            );
        }
    }

    #[test]
    fn too_few_samples_or_no_value_neither_fire_nor_resolve() {
        let threshold = limits(Some(100.0), None, 20);
        assert_eq!(
            verdict(&threshold, Some(500.0), Some(19.0)),
            Verdict::Between
        );
        assert_eq!(verdict(&threshold, Some(500.0), None), Verdict::Between);
        assert_eq!(
            verdict(&threshold, Some(500.0), Some(20.0)),
            Verdict::Anomalous
        );
        assert_eq!(verdict(&threshold, None, Some(50.0)), Verdict::Between);
        assert_eq!(
            verdict(&limits(Some(1.0), None, 0), Some(f64::NAN), None),
            Verdict::Between
        );
    }
}
