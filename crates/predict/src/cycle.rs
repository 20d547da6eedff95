//! Positions in a day and in a week, in steps.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::options::Periods;

const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// A period, which need not be a whole number of steps: a day has 205.7 steps of 7 minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cycle {
    period_us: u64,
    step_us: u64,
}

impl Cycle {
    /// One position only: stands for a period that there is not.
    pub(crate) const NONE: Self = Self {
        period_us: 1,
        step_us: 1,
    };

    fn of(period: Duration, step: Duration) -> Option<Self> {
        let [period_us, step_us] =
            [period, step].map(|d| u64::try_from(d.as_micros()).unwrap_or(u64::MAX));
        (step_us > 0 && step_us.saturating_mul(2) <= period_us)
            .then_some(Self { period_us, step_us })
    }

    fn of_steps(steps: usize) -> Self {
        Self {
            period_us: steps as u64,
            step_us: 1,
        }
    }

    /// How many positions there are.
    pub(crate) fn positions(self) -> usize {
        usize::try_from(self.period_us.div_ceil(self.step_us)).unwrap_or(usize::MAX)
    }

    /// The period in steps, rounded.
    pub(crate) fn lag(self) -> usize {
        let rounded = (self.period_us + self.step_us / 2) / self.step_us;
        usize::try_from(rounded).unwrap_or(usize::MAX)
    }

    /// Position of step `t`.
    pub(crate) fn position(self, t: usize) -> usize {
        let into_us = (t as u128 * u128::from(self.step_us)) % u128::from(self.period_us);
        (into_us / u128::from(self.step_us)) as usize
    }

    /// Whether it is a period at all.
    pub(crate) fn is_some(self) -> bool {
        self != Self::NONE
    }
}

/// The periods in use: a short one, and a long one that is longer. Without a long one it is
/// [`Cycle::NONE`], without any both are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cycles {
    pub(crate) short: Cycle,
    pub(crate) long: Cycle,
}

impl Cycles {
    /// Those periods that a history of `steps` holds at least twice.
    pub(crate) fn choose(periods: &Periods, step: Duration, steps: usize) -> Self {
        let wanted: Vec<Cycle> = match periods {
            Periods::Calendar => [DAY, WEEK]
                .into_iter()
                .filter_map(|period| Cycle::of(period, step))
                .collect(),
            Periods::Given(periods) => {
                let mut sorted = periods.clone();
                sorted.sort_unstable();
                sorted.dedup();
                sorted.into_iter().map(Cycle::of_steps).collect()
            }
        };
        let mut held = wanted
            .into_iter()
            .filter(|cycle| cycle.lag().saturating_mul(2) <= steps);
        Self {
            short: held.next().unwrap_or(Cycle::NONE),
            long: held.next().unwrap_or(Cycle::NONE),
        }
    }

    /// The longest period in steps; 1 where there is none.
    pub(crate) fn longest(self) -> usize {
        self.short.lag().max(self.long.lag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lags(step_s: u64, steps: usize) -> (usize, usize) {
        let cycles = Cycles::choose(&Periods::Calendar, Duration::from_secs(step_s), steps);
        (cycles.short.lag(), cycles.long.lag())
    }

    #[test]
    fn day_and_week_are_found_where_history_holds_them_twice() {
        assert_eq!(lags(3600, 336), (24, 168));
        assert_eq!(lags(3600, 335), (24, 1));
        assert_eq!(lags(3600, 47), (1, 1));
        assert_eq!(lags(86_400, 60), (7, 1));
        assert_eq!(lags(60, 20_160), (1440, 10_080));
        assert_eq!(lags(10, 130_000), (8640, 60_480));
        assert_eq!(lags(604_800, 500), (1, 1));
    }

    #[test]
    fn a_step_that_does_not_divide_the_day_keeps_its_phase() {
        let cycles = Cycles::choose(&Periods::Calendar, Duration::from_secs(420), 10_000);
        assert_eq!((cycles.short.positions(), cycles.short.lag()), (206, 206));
        // Thirty-five days later the same step of the day comes at the same position.
        let later = 35 * 86_400 / 420;
        assert_eq!(cycles.short.position(later + 17), cycles.short.position(17));
        assert!((0..10_000).all(|t| cycles.short.position(t) < 206));
    }
}
