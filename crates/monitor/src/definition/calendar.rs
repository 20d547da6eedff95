//! Calendars: which clock the week goes by, and which days are no ordinary ones.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::DefinitionFault;
use super::schedule::{DAYS, weekday, zone_of};

/// Most days that a calendar may name.
const DAYS_MAX: usize = 1_000;
const DAY_US: i64 = 24 * 3600 * 1_000_000;

/// The clock by which there is a time of the week, and days that are unlike the others.
///
/// Nothing is learned from a day that is named. A holiday is judged like another day of the week; a day like no other, as that of a
/// sale, is not judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    /// Its name; empty for the one that is used when none is named.
    pub name: String,
    /// The zone of the clock.
    pub zone: TimeZone,
    /// Days, as the clock in the zone tells them, with the day of the week that they are like; `None` like no other.
    pub days: BTreeMap<Date, Option<Weekday>>,
}

impl Default for Calendar {
    /// UTC, and all days are ordinary.
    fn default() -> Self {
        Self {
            name: String::new(),
            zone: TimeZone::UTC,
            days: BTreeMap::new(),
        }
    }
}

impl Calendar {
    /// Reads a zone (an IANA name, UTC when absent) and days as (`YYYY-MM-DD`, `mon` to `sun` or `none`).
    ///
    /// # Errors
    /// Every fault, by the field it is about.
    pub fn parse<'a>(
        name: &str,
        zone: Option<&str>,
        days: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Vec<DefinitionFault>> {
        let mut faults = Vec::new();
        let zone = zone_of(zone).map_err(|fault| faults.push(fault)).ok();
        let mut found = BTreeMap::new();
        for (text, like) in days {
            let field = format!("days.{text}");
            let date: Option<Date> = text.parse().ok();
            if date.is_none() {
                let reason = format!("'{text}' is no day; write YYYY-MM-DD");
                faults.push(DefinitionFault::new(&field, reason));
            }
            let day = weekday(like);
            if day.is_none() && like != "none" {
                let reason = format!(
                    "'{like}' is no day of the week; a holiday is like one of {}, a day like no other is none",
                    DAYS.join(", ")
                );
                faults.push(DefinitionFault::new(&field, reason));
            }
            if let Some(date) = date {
                found.insert(date, day);
            }
        }
        if found.len() > DAYS_MAX {
            let reason = format!("{} days, but at most {DAYS_MAX} are allowed", found.len());
            faults.push(DefinitionFault::new("days", reason));
        }
        match zone {
            Some(zone) if faults.is_empty() => Ok(Self {
                name: name.to_owned(),
                zone,
                days: found,
            }),
            _ => Err(faults),
        }
    }

    /// What a clock in the zone shows, as if that were UTC, on the day of the week that this one is like: by that there is a time
    /// of the week. A day like no other is taken for itself. The clock is off by less than `grain_us`, in microseconds,
    /// so that slots of that length that begin at multiples of it in UTC do so on that clock.
    #[must_use]
    pub fn local_us(&self, at_us: i64, grain_us: i64) -> i64 {
        if self.is_plain() {
            return at_us;
        }
        let Ok(at) = Timestamp::from_microsecond(at_us) else {
            return at_us;
        };
        let offset_us = i64::from(self.zone.to_offset(at).seconds()) * 1_000_000;
        let grain_us = grain_us.max(1);
        let local_us = at_us + offset_us.div_euclid(grain_us) * grain_us;
        match self
            .day(at_us)
            .and_then(|(date, like)| Some((date, (*like)?)))
        {
            Some((date, like)) => {
                let days = like.to_monday_zero_offset() - date.weekday().to_monday_zero_offset();
                local_us + i64::from(days) * DAY_US
            }
            None => local_us,
        }
    }

    /// Whether a time is on a day that is named, from which nothing is learned.
    #[must_use]
    pub fn is_special(&self, at_us: i64) -> bool {
        self.day(at_us).is_some()
    }

    /// Whether a time is on a day like no other, which is not judged.
    #[must_use]
    pub fn is_unknown(&self, at_us: i64) -> bool {
        self.day(at_us).is_some_and(|(_, like)| like.is_none())
    }

    /// Whether it is UTC without named days, so that nothing needs to be looked up.
    pub(crate) fn is_plain(&self) -> bool {
        self.days.is_empty() && self.zone == TimeZone::UTC
    }

    fn day(&self, at_us: i64) -> Option<(Date, &Option<Weekday>)> {
        if self.days.is_empty() {
            return None;
        }
        let at = Timestamp::from_microsecond(at_us).ok()?;
        let date = at.to_zoned(self.zone.clone()).date();
        self.days.get(&date).map(|like| (date, like))
    }

    /// All that it says, in one line: monitors begin anew when it changes.
    pub(crate) fn text(&self) -> String {
        let mut text = self.zone.iana_name().unwrap_or("UTC").to_owned();
        for (date, like) in &self.days {
            let number = like.map(|day| usize::from(day.to_monday_zero_offset().unsigned_abs()));
            let like = number.and_then(|number| DAYS.get(number).copied());
            let _ = write!(text, " {date}:{}", like.unwrap_or("none"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    fn germany() -> Calendar {
        let days = [("2026-12-25", "sun"), ("2026-11-27", "none")];
        Calendar::parse("germany", Some("Europe/Berlin"), days).unwrap()
    }

    #[test]
    fn the_clock_of_the_zone_tells_the_time_of_the_week_through_its_changes() {
        let germany = germany();
        // Noon in Berlin is at 10:00 UTC in summer and at 11:00 in winter.
        for (utc, local) in [
            ("2026-07-01T10:00:00Z", "2026-07-01T12:00:00Z"),
            ("2026-12-01T11:00:00Z", "2026-12-01T12:00:00Z"),
        ] {
            assert_eq!(germany.local_us(at(utc), 1), at(local));
        }
        let plain = Calendar::default();
        assert_eq!(
            plain.local_us(at("2026-07-01T10:00:00Z"), 1),
            at("2026-07-01T10:00:00Z")
        );
        assert!(!plain.is_special(at("2026-12-25T10:00:00Z")));
    }

    #[test]
    fn a_holiday_is_like_another_day_and_a_sale_like_none() {
        let germany = germany();
        // 2026-12-25 is a Friday; it begins in Berlin an hour before it does in UTC.
        let christmas = at("2026-12-24T23:30:00Z");
        assert!(germany.is_special(christmas) && !germany.is_unknown(christmas));
        assert_eq!(
            germany.local_us(christmas, 1),
            at("2026-12-27T00:30:00Z"),
            "a Sunday"
        );
        assert!(!germany.is_special(at("2026-12-24T22:30:00Z")));
        assert!(!germany.is_special(at("2026-12-25T23:30:00Z")));
        let sale = at("2026-11-27T09:00:00Z");
        assert!(germany.is_special(sale) && germany.is_unknown(sale));
        assert_eq!(
            germany.local_us(sale, 1),
            at("2026-11-27T10:00:00Z"),
            "itself"
        );
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let days = [("2026-13-25", "sun"), ("2026-11-27", "someday")];
        let faults = Calendar::parse("x", Some("Europe/Nowhere"), days).unwrap_err();
        let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts[0].starts_with("zone: unknown time zone 'Europe/Nowhere'"));
        assert_eq!(
            texts[1],
            "days.2026-13-25: '2026-13-25' is no day; write YYYY-MM-DD"
        );
        assert!(texts[2].starts_with("days.2026-11-27: 'someday' is no day of the week"));
    }

    #[test]
    fn what_it_says_is_told_apart() {
        let mut other = germany();
        assert_eq!(other.text(), "Europe/Berlin 2026-11-27:none 2026-12-25:sun");
        other.days.clear();
        assert_ne!(other.text(), germany().text());
    }
}
