//! Days, weeks, months, quarters and years in a time zone.
//!
//! A period is the time from its own start to the start of the next one, so periods leave no gap and
//! never overlap, whatever clocks do in between: a day has 23 or 25 hours where summer time begins or
//! ends, and begins at one o'clock where midnight is skipped.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// A calendar's stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday, as ISO 8601 counts.
    Week,
    /// From the first of a month.
    Month,
    /// From the first of January, April, July or October.
    Quarter,
    /// From the first of January.
    Year,
}

impl Period {
    /// All, the shortest first.
    pub const ALL: [Self; 5] = [
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Year,
    ];

    /// Its name in questions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// The period of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.name() == name)
    }

    /// A length that no such period exceeds, in microseconds.
    #[must_use]
    pub fn longest_us(self) -> i64 {
        let days = match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 31,
            Self::Quarter => 92,
            Self::Year => 366,
        };
        // Where a zone has moved to another offset within it.
        days * DAY_US + OFFSET_MAX_US
    }

    /// The first date of the period that a date lies in.
    fn first(self, date: Date) -> Option<Date> {
        match self {
            Self::Day => Some(date),
            Self::Week => {
                let after_monday = date.weekday().to_monday_zero_offset();
                let span = jiff::Span::new().try_days(i64::from(after_monday)).ok()?;
                date.checked_sub(span).ok()
            }
            Self::Month => Some(date.first_of_month()),
            Self::Quarter => {
                let month = (date.month() - 1) / 3 * 3 + 1;
                Date::new(date.year(), month, 1).ok()
            }
            Self::Year => Some(date.first_of_year()),
        }
    }

    /// The first date of the period after the one that begins with `first`.
    fn after(self, first: Date) -> Option<Date> {
        let span = jiff::Span::new();
        let span = match self {
            Self::Day => span.try_days(1),
            Self::Week => span.try_days(7),
            Self::Month => span.try_months(1),
            Self::Quarter => span.try_months(3),
            Self::Year => span.try_years(1),
        };
        first.checked_add(span.ok()?).ok()
    }
}

const DAY_US: i64 = 86_400_000_000;

/// No zone's clock differs more from UTC than this.
pub(crate) const OFFSET_MAX_US: i64 = 26 * 3_600_000_000;

/// The database that comes with the program: the same answers on every machine, and no name from
/// outside leads to a file.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Longer names are none.
const NAME_BYTES_MAX: usize = 64;

/// The zone of an IANA name such as `Europe/Berlin`.
#[must_use]
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    let is_name = name.len() <= NAME_BYTES_MAX && name.is_ascii();
    is_name.then(|| ZONES.get(name).ok()).flatten()
}

/// The known zone whose name is most like this one.
#[must_use]
pub fn nearest_zone(name: &str) -> Option<String> {
    let names: Vec<String> = ZONES.available().map(|zone| zone.to_string()).collect();
    tillwatch_event::suggest::closest(name, names.iter().map(String::as_str)).map(str::to_owned)
}

/// Whether a time zone of that name is known.
#[must_use]
pub fn is_zone(name: &str) -> bool {
    zone(name).is_some()
}

/// The periods of a zone. What lies outside of the years that calendars have is in none.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    period: Period,
    zone: TimeZone,
}

impl Calendar {
    pub(crate) fn new(period: Period, zone: TimeZone) -> Self {
        Self { period, zone }
    }

    /// The start of the period that an instant lies in, in microseconds since 1970.
    pub(crate) fn start_us(&self, at_us: i64) -> Option<i64> {
        let (first, next) = self.around(at_us)?;
        let next_us = self.instant_us(next);
        // Where clocks go back over midnight a date comes twice; the second time belongs to the next.
        if let Some(next_us) = next_us.filter(|next_us| *next_us <= at_us) {
            return Some(next_us);
        }
        self.instant_us(first)
    }

    /// The start of the period after the one that an instant lies in.
    pub(crate) fn next_us(&self, at_us: i64) -> Option<i64> {
        let (_, mut next) = self.around(at_us)?;
        // A day that a zone left out is no period.
        for _ in 0..3 {
            let next_us = self.instant_us(next)?;
            if next_us > at_us {
                return Some(next_us);
            }
            next = self.period.after(next)?;
        }
        None
    }

    /// The first dates of the period of an instant's date, and of the one after.
    fn around(&self, at_us: i64) -> Option<(Date, Date)> {
        let at = Timestamp::from_microsecond(at_us).ok()?;
        let first = self.period.first(self.zone.to_datetime(at).date())?;
        Some((first, self.period.after(first)?))
    }

    /// When a date begins: at the first midnight where there are two, at the end of the gap where
    /// there is none.
    fn instant_us(&self, date: Date) -> Option<i64> {
        let midnight = date.at(0, 0, 0, 0);
        let at = self.zone.to_timestamp(midnight).ok()?;
        Some(at.as_microsecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_US: i64 = 3_600_000_000;

    fn us(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    fn calendar(period: Period, name: &str) -> Calendar {
        Calendar::new(period, zone(name).unwrap())
    }

    /// The start and the length in hours of the period that holds an instant.
    fn at(period: Period, name: &str, text: &str) -> (i64, i64) {
        let calendar = calendar(period, name);
        let start = calendar.start_us(us(text)).unwrap();
        let next = calendar.next_us(us(text)).unwrap();
        assert_eq!(calendar.start_us(start), Some(start), "{text}");
        assert_eq!(calendar.start_us(next - 1), Some(start), "{text}");
        assert_eq!(calendar.start_us(next), Some(next), "{text}");
        assert_eq!(calendar.next_us(start), Some(next), "{text}");
        (start, (next - start) / HOUR_US)
    }

    #[test]
    fn a_day_is_as_long_as_the_zones_clock_says() {
        let day = Period::Day;
        for (zone, text, start, hours) in [
            ("UTC", "2026-03-29T12:00:00Z", "2026-03-29T00:00:00Z", 24),
            (
                "Europe/Berlin",
                "2026-03-29T12:00:00Z",
                "2026-03-28T23:00:00Z",
                23,
            ),
            (
                "Europe/Berlin",
                "2026-10-25T12:00:00Z",
                "2026-10-24T22:00:00Z",
                25,
            ),
            (
                "Asia/Kolkata",
                "2026-03-29T18:29:00Z",
                "2026-03-28T18:30:00Z",
                24,
            ),
            (
                "Asia/Kathmandu",
                "2026-03-29T18:14:00Z",
                "2026-03-28T18:15:00Z",
                24,
            ),
            // Midnight was skipped, and an hour before midnight came twice.
            (
                "America/Sao_Paulo",
                "2018-11-04T12:00:00Z",
                "2018-11-04T03:00:00Z",
                23,
            ),
            (
                "America/Sao_Paulo",
                "2018-02-18T01:30:00Z",
                "2018-02-17T02:00:00Z",
                25,
            ),
            // A day of 24 hours and a half, in whole hours.
            (
                "Australia/Lord_Howe",
                "2026-04-05T00:00:00Z",
                "2026-04-04T13:00:00Z",
                24,
            ),
        ] {
            assert_eq!(at(day, zone, text), (us(start), hours), "{zone} {text}");
        }
        // A date that Samoa left out when it moved to the other side of the date line.
        assert_eq!(at(day, "Pacific/Apia", "2011-12-30T09:00:00Z").1, 24);
        // Clocks went back from one minute past midnight: that day's start stays the first midnight.
        at(day, "America/St_Johns", "2010-11-07T02:45:00Z");
    }

    #[test]
    fn longer_periods_begin_on_their_first_day() {
        let text = "2026-08-13T12:00:00Z";
        for (period, start, hours) in [
            (Period::Week, "2026-08-09T22:00:00Z", 7 * 24),
            (Period::Month, "2026-07-31T22:00:00Z", 31 * 24),
            (Period::Quarter, "2026-06-30T22:00:00Z", 92 * 24),
            (Period::Year, "2025-12-31T23:00:00Z", 365 * 24),
        ] {
            assert_eq!(
                at(period, "Europe/Berlin", text),
                (us(start), hours),
                "{period:?}"
            );
            assert!(hours * HOUR_US <= period.longest_us());
        }
    }

    #[test]
    fn odd_names_and_far_times_are_none_and_no_panic() {
        for name in [
            "",
            "Mars/Base",
            "../../etc/passwd",
            "Europe/Berlin\0",
            "ü",
            "/",
            "+05:45",
            &"a".repeat(10_000),
        ] {
            assert!(!is_zone(name), "{name:?}");
        }
        assert!(is_zone("europe/berlin"), "names are read in any case");
        assert_eq!(
            nearest_zone("Europe/Berlim").as_deref(),
            Some("Europe/Berlin")
        );
        for at_us in [
            i64::MIN,
            i64::MAX,
            us("9999-12-30T21:00:00Z"),
            us("-009999-01-03T00:00:00Z"),
        ] {
            for period in Period::ALL {
                let calendar = calendar(period, "Asia/Kathmandu");
                let _ = (calendar.start_us(at_us), calendar.next_us(at_us));
            }
        }
    }
}
