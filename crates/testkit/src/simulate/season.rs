//! How busy an hour is: a daily curve times a weekly one, in the local time of a country.

use super::config::SeasonFloor;

/// Microseconds in a minute.
pub(crate) const MINUTE_US: i64 = 60_000_000;
/// Microseconds in an hour.
pub(crate) const HOUR_US: i64 = 60 * MINUTE_US;
/// Microseconds in a day.
pub(crate) const DAY_US: i64 = 24 * HOUR_US;

/// A weekly pattern with mean 1.
#[derive(Debug, Clone)]
pub(crate) struct Season {
    hours: [f64; 24],
    days: [f64; 7],
    peak: f64,
    floor: Option<SeasonFloor>,
}

/// People shopping from home: little at night, most in the evening and on Sundays.
pub(crate) fn shop() -> Season {
    Season::new(
        [
            22., 13., 9., 7., 8., 13., 25., 42., 58., 70., 78., 82., 84., 80., 78., 80., 85., 94.,
            106., 122., 131., 116., 78., 43.,
        ],
        [103., 96., 94., 97., 99., 102., 118.],
    )
}

/// People in stores: opening hours, most on Saturdays.
pub(crate) fn store() -> Season {
    Season::new(
        [
            4., 3., 3., 3., 4., 8., 18., 38., 66., 90., 104., 112., 118., 108., 100., 104., 116.,
            128., 118., 84., 46., 24., 13., 7.,
        ],
        [92., 90., 94., 100., 118., 138., 58.],
    )
}

/// Subscriptions, charged by the merchant round the clock with a morning run.
pub(crate) fn subscription() -> Season {
    Season::new(
        [
            92., 88., 90., 96., 108., 124., 130., 126., 116., 108., 104., 102., 100., 98., 98.,
            97., 96., 96., 95., 94., 94., 93., 92., 92.,
        ],
        [104., 102., 101., 100., 100., 96., 97.],
    )
}

impl Season {
    fn new(hours: [f64; 24], days: [f64; 7]) -> Self {
        let mean = |values: &[f64], count: f64| values.iter().sum::<f64>() / count;
        let (hour_mean, day_mean) = (mean(&hours, 24.0), mean(&days, 7.0));
        let hours = hours.map(|h| h / hour_mean);
        let days = days.map(|d| d / day_mean);
        let peak =
            hours.iter().copied().fold(0.0, f64::max) * days.iter().copied().fold(0.0, f64::max);
        Self {
            hours,
            days,
            peak,
            floor: None,
        }
    }

    /// The same season with a floor.
    pub(crate) fn with_floor(self, floor: Option<SeasonFloor>) -> Self {
        Self { floor, ..self }
    }

    fn floor_at(&self, time_us: i64) -> f64 {
        self.floor
            .filter(|f| time_us.div_euclid(MINUTE_US) >= f.from_us.div_euclid(MINUTE_US))
            .map_or(0.0, |f| f.level)
    }

    /// The highest value [`Self::at`] can take in the minute of this instant.
    pub(crate) fn peak_at(&self, time_us: i64) -> f64 {
        self.peak.max(self.floor_at(time_us))
    }

    /// How busy this instant is against the average, at an offset from UTC. Offsets are fixed: daylight saving would
    /// tie the result to a zone database that changes.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        clippy::cast_possible_truncation,
        reason = "values are below a day, and not negative after rem_euclid"
    )]
    pub(crate) fn at(&self, time_us: i64, offset_minutes: i64) -> f64 {
        let local_us = time_us + offset_minutes * MINUTE_US;
        let day = (local_us.div_euclid(DAY_US) + 3).rem_euclid(7) as usize; // 1970-01-01 was a Thursday
        let within_us = local_us.rem_euclid(DAY_US);
        let hour = (within_us / HOUR_US) as usize;
        let part = (within_us % HOUR_US) as f64 / HOUR_US as f64;
        let value = |h: usize| self.hours.get(h % 24).copied().unwrap_or(1.0);
        let of_day = value(hour) * (1.0 - part) + value(hour + 1) * part;
        (of_day * self.days.get(day).copied().unwrap_or(1.0)).max(self.floor_at(time_us))
    }
}
