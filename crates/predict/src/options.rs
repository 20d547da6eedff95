//! What a caller may choose.

use serde::{Deserialize, Serialize};

use crate::error::ForecastError;

/// Where a metric can lie. Neither forecasts nor intervals leave it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// Smallest possible value.
    pub lower: Option<f64>,
    /// Largest possible value.
    pub upper: Option<f64>,
}

impl Bounds {
    /// Any value.
    pub const NONE: Self = Self {
        lower: None,
        upper: None,
    };
    /// Counts, sums, durations.
    pub const NON_NEGATIVE: Self = Self {
        lower: Some(0.0),
        upper: None,
    };
    /// Rates, as fractions.
    pub const UNIT: Self = Self {
        lower: Some(0.0),
        upper: Some(1.0),
    };

    /// The nearest value inside.
    #[must_use]
    pub fn hold(self, value: f64) -> f64 {
        let raised = self.lower.map_or(value, |lower| value.max(lower));
        self.upper.map_or(raised, |upper| raised.min(upper))
    }

    /// Whether a value may occur.
    #[must_use]
    pub fn contain(self, value: f64) -> bool {
        self.lower.is_none_or(|lower| value >= lower)
            && self.upper.is_none_or(|upper| value <= upper)
    }

    /// Where the sum of so many values can lie.
    pub(crate) fn times(self, count: f64) -> Self {
        Self {
            lower: self.lower.map(|lower| lower * count),
            upper: self.upper.map(|upper| upper * count),
        }
    }

    pub(crate) fn check(self) -> Result<(), ForecastError> {
        let ends = [self.lower, self.upper];
        if ends.iter().flatten().any(|end| !end.is_finite()) {
            return Err(ForecastError::Options("bounds must be finite".into()));
        }
        match (self.lower, self.upper) {
            (Some(lower), Some(upper)) if lower >= upper => Err(ForecastError::Options(format!(
                "the lower bound {lower} is not below the upper bound {upper}"
            ))),
            _ => Ok(()),
        }
    }
}

/// After how long a metric repeats itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Periods {
    /// The day and the week, each where the history holds it twice and the step is shorter.
    #[default]
    Calendar,
    /// These, in steps; at most two. Those that the history does not hold twice are not used.
    Given(Vec<usize>),
}

/// How to forecast. The default suits any metric without bounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// After how long the metric repeats itself.
    pub periods: Periods,
    /// Where the metric can lie.
    pub bounds: Bounds,
    /// How many steps ahead matter: methods are compared and intervals measured up to there.
    /// Forecasts may go further, with intervals that are extrapolated. 0 stands for two of the
    /// shortest periods, or a tenth of a history that has none.
    pub horizon: usize,
}

impl Options {
    pub(crate) fn check(&self) -> Result<(), ForecastError> {
        self.bounds.check()?;
        if self.horizon > HORIZON_MAX {
            return Err(ForecastError::Options(format!(
                "a horizon of {} steps is more than {HORIZON_MAX}",
                self.horizon
            )));
        }
        let Periods::Given(periods) = &self.periods else {
            return Ok(());
        };
        if periods.len() > 2 {
            return Err(ForecastError::Options("more than two periods".into()));
        }
        match periods.iter().find(|period| **period < 2) {
            Some(period) => Err(ForecastError::Options(format!(
                "a period of {period} steps is none"
            ))),
            None => Ok(()),
        }
    }
}

/// Steps of history taken at once. A quarter at one minute, two weeks at ten seconds.
pub const HISTORY_MAX: usize = 131_072;
/// Steps a forecast may go ahead.
pub const HORIZON_MAX: usize = 65_536;
/// Known values needed at least.
pub const KNOWN_MIN: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_held_inside_the_bounds() {
        assert_eq!(Bounds::UNIT.hold(1.2), 1.0);
        assert_eq!(Bounds::UNIT.hold(-0.1), 0.0);
        assert_eq!(Bounds::NON_NEGATIVE.hold(7.0), 7.0);
        assert_eq!(Bounds::NONE.hold(-7.0), -7.0);
        assert!(!Bounds::UNIT.contain(1.5) && Bounds::UNIT.contain(1.0));
    }

    #[test]
    fn options_that_cannot_work_are_refused() {
        let turned = Bounds {
            lower: Some(1.0),
            upper: Some(0.0),
        };
        let endless = Bounds {
            lower: Some(f64::NAN),
            upper: None,
        };
        for bounds in [turned, endless] {
            let options = Options {
                bounds,
                ..Options::default()
            };
            assert!(options.check().is_err());
        }
        for periods in [vec![1], vec![0], vec![2, 3, 4]] {
            let options = Options {
                periods: Periods::Given(periods),
                ..Options::default()
            };
            assert!(options.check().is_err());
        }
        let far = Options {
            horizon: HORIZON_MAX + 1,
            ..Options::default()
        };
        assert!(far.check().is_err());
    }
}
