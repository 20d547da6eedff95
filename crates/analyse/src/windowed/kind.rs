//! Which windows a bucket is in.

use jiff::tz::TimeZone;

use crate::calendar::{Calendar, Period};
use crate::error::{AnalyseError, Fault};

/// A kind of windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Windows of `size_us` that begin at every multiple of `step_us`, which divides it.
    Hop { step_us: i64, size_us: i64 },
    /// A calendar's periods.
    Calendar(Period),
    /// Windows that begin with a period and end at every multiple of `step_us` in it, and with it.
    Cumulate { step_us: i64, period: Period },
}

impl Kind {
    /// No window is longer.
    pub(super) fn longest_us(self) -> i64 {
        match self {
            Self::Hop { size_us, .. } => size_us,
            Self::Calendar(period) | Self::Cumulate { period, .. } => period.longest_us(),
        }
    }

    /// The most windows that a bucket can be in.
    pub(super) fn windows_max(self) -> i64 {
        match self {
            Self::Hop { step_us, size_us } => size_us / step_us,
            Self::Calendar(_) => 1,
            Self::Cumulate { step_us, period } => period.longest_us() / step_us + 1,
        }
    }

    /// Whether a time zone makes a difference.
    pub(super) fn has_calendar(self) -> bool {
        !matches!(self, Self::Hop { .. })
    }
}

/// The windows of one zone's buckets. Buckets come mostly in order, so the last period is kept.
#[derive(Debug)]
pub(super) struct Windows {
    kind: Kind,
    calendar: Option<Calendar>,
    /// The start and end of the period that was needed last.
    period_us: (i64, i64),
}

impl Windows {
    pub(super) fn new(kind: Kind, zone: TimeZone) -> Self {
        let calendar = match kind {
            Kind::Hop { .. } => None,
            Kind::Calendar(period) | Kind::Cumulate { period, .. } => {
                Some(Calendar::new(period, zone))
            }
        };
        Self {
            kind,
            calendar,
            period_us: (0, 0),
        }
    }

    /// The windows that hold a bucket, as starts and ends; none of a time that calendars do not have.
    ///
    /// # Errors
    /// A window would begin or end within the bucket: it would hold more or less than its events.
    pub(super) fn of(&mut self, at_us: i64, width_us: i64) -> Result<Found, AnalyseError> {
        let end_us = at_us.saturating_add(width_us);
        match self.kind {
            Kind::Hop { step_us, size_us } => {
                let first_us = next(at_us, step_us);
                check(first_us, end_us, width_us)?;
                let last_us = at_us.saturating_add(size_us).div_euclid(step_us) * step_us;
                Ok(Found {
                    starts: Starts::Before(size_us),
                    next_us: Some(first_us),
                    step_us,
                    last_us: last_us.max(first_us),
                })
            }
            Kind::Calendar(_) => {
                let Some((from_us, to_us)) = self.period(at_us) else {
                    return Ok(Found::none());
                };
                check(to_us, end_us, width_us)?;
                Ok(Found {
                    starts: Starts::At(from_us),
                    next_us: Some(to_us),
                    step_us: 1,
                    last_us: to_us,
                })
            }
            Kind::Cumulate { step_us, .. } => {
                let Some((from_us, to_us)) = self.period(at_us) else {
                    return Ok(Found::none());
                };
                let first_us = next(at_us, step_us).min(to_us);
                check(first_us, end_us, width_us)?;
                Ok(Found {
                    starts: Starts::At(from_us),
                    next_us: Some(first_us),
                    step_us,
                    last_us: to_us,
                })
            }
        }
    }

    fn period(&mut self, at_us: i64) -> Option<(i64, i64)> {
        let (from_us, to_us) = self.period_us;
        if !(from_us..to_us).contains(&at_us) {
            let calendar = self.calendar.as_ref()?;
            self.period_us = (calendar.start_us(at_us)?, calendar.next_us(at_us)?);
        }
        Some(self.period_us)
    }
}

/// The first multiple of a step after an instant.
fn next(at_us: i64, step_us: i64) -> i64 {
    let step = at_us.div_euclid(step_us).saturating_add(1);
    step.saturating_mul(step_us)
}

fn check(border_us: i64, end_us: i64, width_us: i64) -> Result<(), AnalyseError> {
    if border_us >= end_us {
        return Ok(());
    }
    let width = std::time::Duration::from_micros(width_us.unsigned_abs());
    let fault = Fault::new(format!(
        "a window begins or ends within a bucket, which is {width:?} wide where it is that old"
    ));
    let advice = "ask for wider windows, or for newer buckets with where bucket >= …";
    Err(AnalyseError::Invalid(
        fault.suggest(Some(advice.to_owned())),
    ))
}

/// Where windows begin.
#[derive(Debug, Clone, Copy)]
enum Starts {
    /// All at one time.
    At(i64),
    /// So long before they end.
    Before(i64),
}

/// The windows found, as (start, end).
#[derive(Debug)]
pub(super) struct Found {
    starts: Starts,
    /// The end of the next, if there is one.
    next_us: Option<i64>,
    step_us: i64,
    /// The end of the last.
    last_us: i64,
}

impl Found {
    fn none() -> Self {
        Self {
            starts: Starts::At(0),
            next_us: None,
            step_us: 1,
            last_us: 0,
        }
    }
}

impl Iterator for Found {
    type Item = (i64, i64);

    fn next(&mut self) -> Option<(i64, i64)> {
        let end_us = self.next_us?;
        // The last ends with its period, whether or not that is a multiple of the step.
        self.next_us =
            (end_us < self.last_us).then(|| end_us.saturating_add(self.step_us).min(self.last_us));
        let start_us = match self.starts {
            Starts::At(start_us) => start_us,
            Starts::Before(size_us) => end_us.saturating_sub(size_us),
        };
        Some((start_us, end_us))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_US: i64 = 3_600_000_000;
    const DAY_US: i64 = 24 * HOUR_US;

    fn of(kind: Kind, at_us: i64, width_us: i64) -> Vec<(i64, i64)> {
        let mut windows = Windows::new(kind, TimeZone::UTC);
        windows.of(at_us, width_us).unwrap().collect()
    }

    #[test]
    fn a_bucket_is_in_every_window_that_holds_all_of_it() {
        let hop = Kind::Hop {
            step_us: 10,
            size_us: 30,
        };
        assert_eq!(of(hop, 40, 10), [(20, 50), (30, 60), (40, 70)]);
        assert_eq!(of(hop, 45, 5), [(20, 50), (30, 60), (40, 70)]);
        assert_eq!(of(hop, -10, 10), [(-30, 0), (-20, 10), (-10, 20)]);
        assert_eq!(hop.windows_max(), 3);
        assert_eq!(
            of(Kind::Calendar(Period::Day), 5 * HOUR_US, HOUR_US),
            [(0, DAY_US)]
        );
        let cumulate = Kind::Cumulate {
            step_us: 10 * HOUR_US,
            period: Period::Day,
        };
        let ends = [20, 24].map(|hour| (0, hour * HOUR_US));
        assert_eq!(of(cumulate, 10 * HOUR_US, HOUR_US), ends);
        assert_eq!(of(cumulate, 23 * HOUR_US, HOUR_US), ends[1..]);
        // The next day's begin at its own midnight.
        assert_eq!(
            of(cumulate, 24 * HOUR_US, HOUR_US),
            [30, 40, 48].map(|hour| (DAY_US, hour * HOUR_US))
        );
    }

    #[test]
    fn a_bucket_that_a_window_would_cut_is_refused() {
        let hop = Kind::Hop {
            step_us: HOUR_US / 4,
            size_us: HOUR_US,
        };
        let mut windows = Windows::new(hop, TimeZone::UTC);
        assert_eq!(
            windows.of(0, HOUR_US).unwrap_err().to_string(),
            "a window begins or ends within a bucket, which is 3600s wide where it is that old; ask for \
             wider windows, or for newer buckets with where bucket >= …"
        );
        let nepal = crate::calendar::zone("Asia/Kathmandu").unwrap();
        let mut windows = Windows::new(Kind::Calendar(Period::Day), nepal);
        assert!(windows.of(18 * HOUR_US, HOUR_US).is_err());
        assert!(windows.of(17 * HOUR_US, HOUR_US).is_ok());
    }

    #[test]
    fn times_beyond_all_calendars_are_in_no_window_and_nothing_overflows() {
        for at_us in [i64::MIN, i64::MAX] {
            for kind in [
                Kind::Calendar(Period::Year),
                Kind::Hop {
                    step_us: i64::MAX / 2,
                    size_us: i64::MAX / 2,
                },
                Kind::Cumulate {
                    step_us: HOUR_US,
                    period: Period::Day,
                },
            ] {
                let mut windows = Windows::new(kind, TimeZone::UTC);
                let count = windows.of(at_us, 10).map_or(0, Iterator::count);
                assert!(count <= 2, "{kind:?}");
            }
        }
    }
}
