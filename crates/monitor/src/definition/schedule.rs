//! Times that come again every week in a time zone: quiet hours and maintenance windows.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::{DefinitionFault, Severity};

/// Names of the days of the week, as written under `days`.
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A span of the day on some days of the week, in a time zone.
///
/// A span whose end is not after its begin passes midnight and belongs to the day it begins on.
/// A time that a change of the clock leaves out counts as the moment after the gap, one that comes
/// twice as its first occurrence.
#[derive(Clone, Debug, PartialEq)]
pub struct Weekly {
    /// The days it begins on; empty for every day.
    pub days: Vec<Weekday>,
    /// Begin, as a clock in the zone shows it.
    pub from: Time,
    /// End, exclusive. Not after `from`: on the next day.
    pub to: Time,
    /// The zone of the clock.
    pub zone: TimeZone,
}

impl Weekly {
    /// Reads `days` (`mon` to `sun`), `from` and `to` (`HH:MM`; `24:00` is midnight) and the IANA
    /// name of a zone, UTC when absent.
    ///
    /// # Errors
    /// Every fault, by the field it is about.
    pub fn parse(
        days: &[String],
        from: &str,
        to: &str,
        zone: Option<&str>,
    ) -> Result<Self, Vec<DefinitionFault>> {
        let mut faults = Vec::new();
        let mut keep = |fault: DefinitionFault| faults.push(fault);
        let mut found = Vec::new();
        for (index, day) in days.iter().enumerate() {
            match weekday(day) {
                Some(day) => found.push(day),
                None => keep(DefinitionFault::new(
                    format!("days.{index}"),
                    format!(
                        "'{day}' is no day of the week; use {}{}",
                        DAYS.join(", "),
                        hint(day, DAYS)
                    ),
                )),
            }
        }
        let from = time("from", from).map_err(&mut keep).ok();
        let to = time("to", to).map_err(&mut keep).ok();
        let zone = zone_of(zone).map_err(&mut keep).ok();
        if from.is_some() && from == to {
            keep(DefinitionFault::new(
                "to",
                "is the same as `from`; for a whole day write from 00:00 to 24:00",
            ));
        }
        // A whole day: `24:00` was read as midnight, which `from` may be as well.
        match (from, to, zone) {
            (Some(from), Some(to), Some(zone)) if faults.is_empty() => Ok(Self {
                days: found,
                from: from.0,
                to: to.0,
                zone,
            }),
            _ => Err(faults),
        }
    }

    /// The end of the span that `at_us` lies in, in microseconds since the epoch; `None` where it
    /// lies in none.
    #[must_use]
    pub fn until_us(&self, at_us: i64) -> Option<i64> {
        let at = Timestamp::from_microsecond(at_us).ok()?;
        let today = at.to_zoned(self.zone.clone()).date();
        // A span that passes midnight may have begun yesterday.
        [today.yesterday().ok()?, today]
            .into_iter()
            .filter(|day| self.days.is_empty() || self.days.contains(&day.weekday()))
            .filter_map(|day| self.span_of(day))
            .find(|(from_us, to_us)| (*from_us..*to_us).contains(&at_us))
            .map(|(_, to_us)| to_us)
    }

    /// Begin and end, in microseconds since the epoch, of the span that `at_us` lies in, or else of the next one.
    #[must_use]
    pub fn next_us(&self, at_us: i64) -> Option<(i64, i64)> {
        let at = Timestamp::from_microsecond(at_us).ok()?;
        let today = at.to_zoned(self.zone.clone()).date();
        // One that passes midnight may have begun yesterday; each day of the week comes within eight.
        let days = today.yesterday().ok()?.series(1.day()).take(10);
        days.filter(|day| self.days.is_empty() || self.days.contains(&day.weekday()))
            .filter_map(|day| self.span_of(day))
            .find(|(_, to_us)| *to_us > at_us)
    }

    /// Begin and end of the span that begins on `day`.
    fn span_of(&self, day: Date) -> Option<(i64, i64)> {
        let last = if self.to > self.from {
            day
        } else {
            day.tomorrow().ok()?
        };
        let from = instant(day.to_datetime(self.from), &self.zone)?;
        let to = instant(last.to_datetime(self.to), &self.zone)?;
        Some((from, to))
    }
}

/// A span of time, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Once {
    /// Begin, in microseconds since the epoch.
    pub from_us: i64,
    /// End, exclusive.
    pub to_us: i64,
}

/// Longest span that happens once.
const ONCE_MAX: Duration = Duration::from_secs(366 * 24 * 3600);

impl Once {
    /// Reads two times such as `2026-12-01 22:00` or `2026-12-01T22:00+01:00`; those without an
    /// offset are of the clock in `zone`, UTC when absent.
    ///
    /// # Errors
    /// Every fault, by the field it is about.
    pub fn parse(from: &str, to: &str, zone: Option<&str>) -> Result<Self, Vec<DefinitionFault>> {
        let zone = zone_of(zone).map_err(|fault| vec![fault])?;
        let mut faults = Vec::new();
        let mut read = |field: &str, text: &str| {
            let found = moment(text, &zone);
            if found.is_none() {
                let reason = format!(
                    "'{text}' is no time; write HH:MM for every week, or YYYY-MM-DD HH:MM for once"
                );
                faults.push(DefinitionFault::new(field, reason));
            }
            found
        };
        let (from_us, to_us) = (read("from", from), read("to", to));
        let (Some(from_us), Some(to_us)) = (from_us, to_us) else {
            return Err(faults);
        };
        let span_max_us = i64::try_from(ONCE_MAX.as_micros()).unwrap_or(i64::MAX);
        let reason = match to_us.saturating_sub(from_us) {
            span if span <= 0 => "must be after `from`",
            span if span > span_max_us => "must be within 366 days of `from`",
            _ => return Ok(Self { from_us, to_us }),
        };
        Err(vec![DefinitionFault::new("to", reason)])
    }
}

/// Hours in which a channel hears only of what is urgent.
#[derive(Clone, Debug, PartialEq)]
pub struct QuietHours {
    /// When.
    pub when: Weekly,
    /// Incidents below this severity wait until the end.
    pub below: Severity,
}

/// The zone of that name, UTC when there is none.
pub(super) fn zone_of(name: Option<&str>) -> Result<TimeZone, DefinitionFault> {
    let Some(name) = name else {
        return Ok(TimeZone::UTC);
    };
    TimeZone::get(name).map_err(|_| {
        let reason = format!("unknown time zone '{name}'; use an IANA name such as Europe/Berlin");
        DefinitionFault::new("zone", reason)
    })
}

/// The day of that name.
pub(super) fn weekday(name: &str) -> Option<Weekday> {
    let number = (1_i8..).zip(DAYS).find(|(_, day)| *day == name)?.0;
    Weekday::from_monday_one_offset(number).ok()
}

/// A time of day, and whether it was written as the end of the day. Two of them are the same only
/// where they are written the same.
fn time(field: &str, text: &str) -> Result<(Time, bool), DefinitionFault> {
    if text == "24:00" && field == "to" {
        return Ok((Time::midnight(), true));
    }
    let parsed = (text.len() == 5).then(|| Time::strptime("%H:%M", text).ok());
    match parsed.flatten() {
        Some(time) => Ok((time, false)),
        None => Err(DefinitionFault::new(
            field,
            format!("'{text}' is no time of day; write HH:MM, such as \"22:00\""),
        )),
    }
}

/// Whether a text is meant as a time of day and not as a moment.
#[must_use]
pub fn is_time_of_day(text: &str) -> bool {
    !text.contains('-')
}

fn moment(text: &str, zone: &TimeZone) -> Option<i64> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_microsecond());
    }
    let at: DateTime = text.parse().ok()?;
    instant(at, zone)
}

fn instant(at: DateTime, zone: &TimeZone) -> Option<i64> {
    let zoned = at.to_zoned(zone.clone()).ok()?;
    Some(zoned.timestamp().as_microsecond())
}

/// `; did you mean 'sat'?` where a name is close to one of those there are.
fn hint<const N: usize>(name: &str, known: [&str; N]) -> String {
    tillwatch_event::suggest::closest(name, known)
        .map(|found| format!("; did you mean '{found}'?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    fn weekly(days: &[&str], from: &str, to: &str, zone: &str) -> Weekly {
        let days: Vec<String> = days.iter().map(|day| (*day).to_owned()).collect();
        Weekly::parse(&days, from, to, Some(zone)).unwrap()
    }

    #[test]
    fn a_span_that_passes_midnight_belongs_to_the_day_it_begins_on() {
        let night = weekly(&["sat"], "22:00", "07:00", "Asia/Shanghai");
        // 2026-11-21 is a Saturday; Shanghai is eight hours ahead.
        for (time, until) in [
            ("2026-11-21T13:59:59Z", None),
            ("2026-11-21T14:00:00Z", Some("2026-11-21T23:00:00Z")),
            ("2026-11-21T22:59:59Z", Some("2026-11-21T23:00:00Z")),
            ("2026-11-21T23:00:00Z", None),
            ("2026-11-22T14:00:00Z", None),
            ("2026-11-20T22:00:00Z", None),
        ] {
            assert_eq!(night.until_us(at(time)), until.map(at), "{time}");
        }
    }

    #[test]
    fn a_span_follows_its_zone_through_changes_of_the_clock() {
        let early = weekly(&[], "02:30", "05:00", "Europe/Berlin");
        // 02:00 to 03:00 is left out on 2027-03-28, and comes twice on 2026-10-25.
        assert_eq!(early.until_us(at("2027-03-28T01:29:00Z")), None);
        let end = Some(at("2027-03-28T03:00:00Z"));
        assert_eq!(early.until_us(at("2027-03-28T01:30:00Z")), end);
        let end = Some(at("2026-10-25T04:00:00Z"));
        assert_eq!(early.until_us(at("2026-10-25T00:30:00Z")), end);
        assert_eq!(early.until_us(at("2026-10-25T03:59:00Z")), end);
        let day = weekly(&["sun"], "00:00", "24:00", "Europe/Berlin");
        let end = Some(at("2026-10-25T23:00:00Z"));
        assert_eq!(day.until_us(at("2026-10-24T22:00:00Z")), end);
        assert_eq!(day.until_us(at("2026-10-25T23:00:00Z")), None);
    }

    #[test]
    fn the_next_span_is_the_one_that_lasts_or_the_first_to_come() {
        let night = weekly(&["sat"], "22:00", "07:00", "Asia/Shanghai");
        let saturday = (at("2026-11-21T14:00:00Z"), at("2026-11-21T23:00:00Z"));
        let next = (at("2026-11-28T14:00:00Z"), at("2026-11-28T23:00:00Z"));
        for (time, span) in [
            ("2026-11-15T00:00:00Z", saturday),
            ("2026-11-21T13:59:59Z", saturday),
            ("2026-11-21T14:00:00Z", saturday),
            ("2026-11-21T22:59:59Z", saturday),
            ("2026-11-21T23:00:00Z", next),
        ] {
            assert_eq!(night.next_us(at(time)), Some(span), "{time}");
        }
        // Of a span that the clock leaves out on that day, what is left of it.
        let early = weekly(&[], "02:10", "02:40", "Europe/Berlin");
        let found = early.next_us(at("2027-03-28T01:00:00Z"));
        assert!(found.is_some_and(|(from, to)| from < to), "{found:?}");
    }

    #[test]
    fn what_is_no_time_of_the_week_is_refused_with_every_reason() {
        let days = vec!["mon".to_owned(), "sut".to_owned()];
        let faults = Weekly::parse(&days, "9:00", "25:00", Some("Europe/Berln")).unwrap_err();
        let found: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "days.1: 'sut' is no day of the week; use mon, tue, wed, thu, fri, sat, sun; did you mean 'sat'?",
                "from: '9:00' is no time of day; write HH:MM, such as \"22:00\"",
                "to: '25:00' is no time of day; write HH:MM, such as \"22:00\"",
                "zone: unknown time zone 'Europe/Berln'; use an IANA name such as Europe/Berlin",
            ]
        );
        let same = Weekly::parse(&[], "08:00", "08:00", None).unwrap_err();
        assert_eq!(same.len(), 1, "{same:?}");
    }

    #[test]
    fn a_span_that_happens_once_is_read_in_its_zone_or_with_its_offset() {
        let berlin = Some("Europe/Berlin");
        let once = Once::parse("2026-12-01 22:00", "2026-12-01T23:30:00+01:00", berlin).unwrap();
        assert_eq!(once.from_us, at("2026-12-01T21:00:00Z"));
        assert_eq!(once.to_us, at("2026-12-01T22:30:00Z"));
        for (from, to, field) in [
            ("2026-12-01", "soon", "to"),
            ("2026-12-02 00:00", "2026-12-01 00:00", "to"),
            ("2026-12-01 00:00", "2027-12-03 00:00", "to"),
            ("2026-13-01 00:00", "2026-12-01 00:00", "from"),
        ] {
            let faults = Once::parse(from, to, None).unwrap_err();
            assert_eq!(faults.len(), 1);
            assert_eq!(faults[0].field, field, "{from} {to}");
        }
    }
}
