//! Instants and days from text and numbers.
//!
//! The common form, RFC 3339, is read by hand without allocation; declared patterns go through
//! jiff's `strptime`. All instants are microseconds since 1970-01-01T00:00:00Z; finer digits are
//! cut off, as they are below what is kept.

use std::ops::RangeInclusive;

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::schema::{SchemaError, TimeFormat};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
const MICROS_PER_DAY: i64 = SECONDS_PER_DAY * MICROS_PER_SECOND;
/// The days from 0001-01-01 to 9999-12-31: what RFC 3339 can write.
const DAYS: RangeInclusive<i64> = -719_162..=2_932_896;
/// Epoch numbers below this are seconds (to the year 5138).
const SECONDS_BOUND: u64 = 100_000_000_000;
/// Epoch numbers below this are milliseconds (from 1973 on).
const MILLIS_BOUND: u64 = 100_000_000_000_000;
/// Epoch numbers below this are microseconds.
const MICROS_BOUND: u64 = 100_000_000_000_000_000;

/// Why a text or number is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// Neither RFC 3339 nor an epoch number.
    #[error(
        "is not a time: write RFC 3339 (2026-11-22T14:03:00Z) or epoch seconds, milliseconds or microseconds, or declare a `format`"
    )]
    Syntax,
    /// Not a calendar day.
    #[error("is not a date: write YYYY-MM-DD or declare a `format`")]
    DateSyntax,
    /// A day or time of day that does not exist, such as 30 February or 25:00.
    #[error("is not a day and time that exists")]
    NoSuchTime,
    /// Before year 1 or after year 9999.
    #[error("lies outside of the years 1 to 9999")]
    YearRange,
    /// A number too large for epoch microseconds.
    #[error("is too large for epoch microseconds; nanoseconds are not taken")]
    EpochRange,
    /// The text does not fit the declared pattern.
    #[error("does not fit the declared format '{pattern}'")]
    Pattern {
        /// The declared pattern.
        pattern: String,
    },
}

/// Reads the texts and numbers of one time field as its definition says.
#[derive(Debug, Clone)]
pub struct TimeReader {
    pattern: Option<String>,
    zone: TimeZone,
    utc: bool,
}

impl TimeReader {
    /// A reader for a field with this format; `None` reads RFC 3339 and epoch numbers, and takes
    /// times without an offset as UTC.
    ///
    /// # Errors
    /// When the zone is unknown or the pattern has a directive that cannot be read.
    pub fn new(format: Option<&TimeFormat>) -> Result<Self, SchemaError> {
        let zone = match format.and_then(|format| format.zone.as_deref()) {
            None => TimeZone::UTC,
            Some(name) => {
                TimeZone::get(name).map_err(|_| SchemaError::UnknownZone(name.to_owned()))?
            }
        };
        let pattern = format.and_then(|format| format.pattern.clone());
        if let Some(pattern) = &pattern {
            check_pattern(pattern)?;
        }
        let utc = zone == TimeZone::UTC;
        Ok(Self { pattern, zone, utc })
    }

    /// The instant of a text, in microseconds since 1970.
    ///
    /// # Errors
    /// When the text is no time in the field's form, a time that does not exist, or an instant outside
    /// of the years 1 to 9999 in UTC. A local time skipped or repeated by a change of the clocks is taken with the offset before the change.
    pub fn timestamp(&self, text: &str) -> Result<i64, TimeError> {
        if let Some(pattern) = &self.pattern {
            return self.timestamp_by_pattern(pattern, text);
        }
        let bytes = text.as_bytes();
        if let Some(civil) = Civil::read(bytes) {
            return match civil.offset {
                None if !self.utc => self.local(&civil),
                // An offset may lead out of the years that the text itself stays within.
                _ => check_instant(civil.micros().ok_or(TimeError::NoSuchTime)?),
            };
        }
        epoch_text(bytes)
    }

    /// The day of a text, in days since 1970-01-01.
    ///
    /// # Errors
    /// When the text is no day in the field's form, or a day that does not exist.
    pub fn date(&self, text: &str) -> Result<i32, TimeError> {
        let Some(pattern) = &self.pattern else {
            let (year, month, day) = read_day(text.as_bytes()).ok_or(TimeError::DateSyntax)?;
            return days(year, month, day)
                .and_then(|days| i32::try_from(days).ok())
                .ok_or(TimeError::NoSuchTime);
        };
        if pattern == "%Y%m%d"
            && let Some((year, month, day)) = read_packed_day(text.as_bytes())
        {
            return days(year, month, day)
                .and_then(|days| i32::try_from(days).ok())
                .ok_or(TimeError::NoSuchTime);
        }
        let fault = || TimeError::Pattern {
            pattern: pattern.clone(),
        };
        let date = strtime::parse(pattern, text)
            .and_then(|t| t.to_date())
            .map_err(|_| fault())?;
        days(
            date.year(),
            date.month().unsigned_abs(),
            date.day().unsigned_abs(),
        )
        .and_then(|days| i32::try_from(days).ok())
        .ok_or_else(fault)
    }

    /// The instant, in microseconds since 1970, at which a clock in the field's zone shows
    /// `local_us`: microseconds since 1970 as that clock counts them.
    ///
    /// # Errors
    /// Outside of the years 1 to 9999.
    pub fn instant_of_local(&self, local_us: i64) -> Result<i64, TimeError> {
        let local_us = check_instant(local_us)?;
        if self.utc {
            return Ok(local_us);
        }
        let at = jiff::Timestamp::from_microsecond(local_us).map_err(|_| TimeError::YearRange)?;
        self.zoned(Offset::UTC.to_datetime(at))
    }

    /// The instant, in microseconds since 1970, at which a day, counted from 1970-01-01, begins in
    /// the field's zone.
    ///
    /// # Errors
    /// Outside of the years 1 to 9999.
    pub fn start_of_day(&self, day: i64) -> Result<i64, TimeError> {
        self.instant_of_local(i64::from(check_day(day)?) * MICROS_PER_DAY)
    }

    fn timestamp_by_pattern(&self, pattern: &str, text: &str) -> Result<i64, TimeError> {
        let fault = || TimeError::Pattern {
            pattern: pattern.to_owned(),
        };
        let broken = strtime::parse(pattern, text).map_err(|_| fault())?;
        if (broken.offset().is_some() || broken.timestamp().is_some())
            && let Ok(timestamp) = broken.to_timestamp()
        {
            return check_instant(timestamp.as_microsecond());
        }
        let date = broken.to_date().map_err(|_| fault())?;
        // A pattern without a time of day means the start of the day.
        let time = broken.to_time().unwrap_or(jiff::civil::Time::midnight());
        self.zoned(DateTime::from_parts(date, time))
    }

    fn local(&self, civil: &Civil) -> Result<i64, TimeError> {
        let small = |value: u8| i8::try_from(value).unwrap_or(0);
        let date = Date::new(civil.year, small(civil.month), small(civil.day))
            .map_err(|_| TimeError::NoSuchTime)?;
        let nanos = i32::try_from(civil.micros * 1000).map_err(|_| TimeError::NoSuchTime)?;
        let time = jiff::civil::Time::new(
            small(civil.hour),
            small(civil.minute),
            small(civil.second.min(59)),
            nanos,
        )
        .map_err(|_| TimeError::NoSuchTime)?;
        self.zoned(DateTime::from_parts(date, time))
    }

    fn zoned(&self, local: DateTime) -> Result<i64, TimeError> {
        let offset = match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Gap { before, .. } | AmbiguousOffset::Fold { before, .. } => before,
        };
        let at = offset
            .to_timestamp(local)
            .map_err(|_| TimeError::NoSuchTime)?;
        check_instant(at.as_microsecond())
    }
}

/// The instant, in microseconds since 1970, when it lies in the years 1 to 9999.
///
/// # Errors
/// When it does not.
pub fn check_instant(at_us: i64) -> Result<i64, TimeError> {
    check_day(at_us.div_euclid(MICROS_PER_DAY)).map(|_| at_us)
}

/// The day, counted from 1970-01-01, when it lies in the years 1 to 9999.
///
/// # Errors
/// When it does not.
pub fn check_day(day: i64) -> Result<i32, TimeError> {
    let day = i32::try_from(day).map_err(|_| TimeError::YearRange)?;
    if DAYS.contains(&i64::from(day)) {
        Ok(day)
    } else {
        Err(TimeError::YearRange)
    }
}

/// The text of an instant, in microseconds since 1970, as RFC 3339 in UTC: `2026-11-22T14:03:00.5Z`,
/// with as many digits of the second as it has. `None` outside of the years 1 to 9999.
#[must_use]
pub fn rfc3339(at_us: i64) -> Option<String> {
    // By calendar and clock: jiff's own instants end a day before the year 10000.
    let day = check_day(at_us.div_euclid(MICROS_PER_DAY)).ok()?;
    let date = jiff::civil::date(1970, 1, 1)
        .checked_add(jiff::Span::new().try_days(day).ok()?)
        .ok()?;
    let time = jiff::SignedDuration::from_micros(at_us.rem_euclid(MICROS_PER_DAY));
    let time = jiff::civil::Time::midnight().checked_add(time).ok()?;
    Some(format!("{}Z", DateTime::from_parts(date, time)))
}

/// Writes and reads back a sample, so that a pattern that can never be read is refused at load.
fn check_pattern(pattern: &str) -> Result<(), SchemaError> {
    let fault = |reason: String| SchemaError::TimePattern {
        pattern: pattern.to_owned(),
        reason,
    };
    let sample = jiff::civil::date(2026, 11, 22).at(14, 3, 5, 0);
    let zoned = sample
        .to_zoned(TimeZone::UTC)
        .map_err(|e| fault(e.to_string()))?;
    let text = strtime::format(pattern, &zoned).map_err(|e| fault(e.to_string()))?;
    let broken = strtime::parse(pattern, &text).map_err(|e| fault(e.to_string()))?;
    if broken.timestamp().is_none() && broken.to_date().is_err() {
        return Err(fault(
            "it does not name a full day (year, month and day)".to_owned(),
        ));
    }
    Ok(())
}

/// The parts of an RFC 3339 time as written.
struct Civil {
    year: i16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    micros: i64,
    /// Seconds east of UTC; `None` when the text has no offset.
    offset: Option<i64>,
}

impl Civil {
    /// Reads `2026-11-22T14:03:05.123456+01:00`; `None` when the text has another form.
    fn read(text: &[u8]) -> Option<Self> {
        let (day_text, rest) = text.split_at_checked(10)?;
        let (year, month, day) = read_day(day_text)?;
        let [b'T' | b't' | b' ', h1, h2, b':', m1, m2, rest @ ..] = rest else {
            return None;
        };
        let (hour, minute) = (pair(*h1, *h2)?, pair(*m1, *m2)?);
        let (second, rest) = match rest {
            [b':', s1, s2, rest @ ..] => (pair(*s1, *s2)?, rest),
            rest => (0, rest),
        };
        let (micros, rest) = read_fraction(rest)?;
        let offset = match rest {
            [] => None,
            [b'Z' | b'z'] => Some(0),
            [sign @ (b'+' | b'-'), h1, h2, m @ ..] => {
                let minutes = match m {
                    [b':', m1, m2] | [m1, m2] => pair(*m1, *m2)?,
                    [] => 0,
                    _ => return None,
                };
                let hours = pair(*h1, *h2)?;
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
                Some(if *sign == b'-' { -seconds } else { seconds })
            }
            _ => return None,
        };
        Some(Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            micros,
            offset,
        })
    }

    /// Microseconds since 1970; `None` when there is no such day or time of day. A leap second
    /// (`:60`) is taken as the last second, as POSIX time has no place for it.
    fn micros(&self) -> Option<i64> {
        if self.hour > 23 || self.minute > 59 || self.second > 60 {
            return None;
        }
        let second = i64::from(self.second.min(59));
        let days = days(self.year, self.month, self.day)?;
        let seconds = days * SECONDS_PER_DAY
            + i64::from(self.hour) * 3600
            + i64::from(self.minute) * 60
            + second
            - self.offset.unwrap_or(0);
        Some(seconds * MICROS_PER_SECOND + self.micros)
    }
}

fn digit(byte: u8) -> Option<u8> {
    let value = byte.wrapping_sub(b'0');
    (value < 10).then_some(value)
}

fn pair(tens: u8, ones: u8) -> Option<u8> {
    Some(digit(tens)? * 10 + digit(ones)?)
}

fn read_day(text: &[u8]) -> Option<(i16, u8, u8)> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
        return None;
    };
    let year = i16::from(pair(y1, y2)?) * 100 + i16::from(pair(y3, y4)?);
    Some((year, pair(m1, m2)?, pair(d1, d2)?))
}

fn read_packed_day(text: &[u8]) -> Option<(i16, u8, u8)> {
    let &[y1, y2, y3, y4, m1, m2, d1, d2] = text else {
        return None;
    };
    let year = i16::from(pair(y1, y2)?) * 100 + i16::from(pair(y3, y4)?);
    Some((year, pair(m1, m2)?, pair(d1, d2)?))
}

/// Reads `.123456789` to microseconds, cutting finer digits; a comma is taken for the point, as
/// ISO 8601 allows.
fn read_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.' | b',', digits @ ..] = text else {
        return Some((0, text));
    };
    let mut micros = 0_i64;
    let mut taken = 0_u32;
    let mut rest = digits;
    while let [byte, tail @ ..] = rest
        && let Some(value) = digit(*byte)
    {
        if taken < 6 {
            micros = micros * 10 + i64::from(value);
        }
        taken += 1;
        rest = tail;
    }
    if taken == 0 {
        return None;
    }
    Some((micros * 10_i64.pow(6_u32.saturating_sub(taken)), rest))
}

/// Days from 1970-01-01 to a day of the proleptic Gregorian calendar, years 1 to 9999.
///
/// The formula counts from 1 March, so that the leap day is the last of its year, in eras of 400
/// years (146 097 days).
fn days(year: i16, month: u8, day: u8) -> Option<i64> {
    if year < 1 || !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let month = i64::from(month);
    let shifted_year = i64::from(year) - i64::from(month <= 2);
    let era = shifted_year / 400;
    let year_of_era = shifted_year % 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

fn days_in_month(year: i16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Epoch seconds, milliseconds or microseconds, told apart by magnitude: below 10^11 seconds,
/// below 10^14 milliseconds, below 10^17 microseconds. A fraction (`1700000000.25`) refines
/// whatever unit the whole part has.
///
/// # Errors
/// When the text is no plain number, too large, or a time before year 1.
pub fn epoch_text(text: &[u8]) -> Result<i64, TimeError> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut whole = 0_u64;
    let mut rest = digits;
    while let [byte, tail @ ..] = rest
        && let Some(value) = digit(*byte)
    {
        whole = whole.saturating_mul(10).saturating_add(u64::from(value));
        rest = tail;
    }
    if rest.len() == digits.len() {
        return Err(TimeError::Syntax);
    }
    let (fraction_millionths, rest) = match rest {
        [b',', ..] => return Err(TimeError::Syntax),
        rest => read_fraction(rest).ok_or(TimeError::Syntax)?,
    };
    if !rest.is_empty() {
        return Err(TimeError::Syntax);
    }
    let unit = match whole {
        0..SECONDS_BOUND => 1_000_000,
        SECONDS_BOUND..MILLIS_BOUND => 1_000,
        MILLIS_BOUND..MICROS_BOUND => 1,
        _ => return Err(TimeError::EpochRange),
    };
    let whole = i64::try_from(whole).map_err(|_| TimeError::EpochRange)?;
    let micros = whole * unit + fraction_millionths * unit / MICROS_PER_SECOND;
    check_instant(if negative { -micros } else { micros })
}

#[cfg(test)]
mod tests;
