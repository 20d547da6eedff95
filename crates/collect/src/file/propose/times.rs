//! The forms in which files write dates and times.

use std::sync::LazyLock;

use tillwatch_event::{TimeFormat, TimeReader};

/// Days from 1970-01-01 of years that real data comes from, 1900 to 2199. A number read with the wrong
/// pattern mostly falls outside.
const PLAUSIBLE_DAYS: std::ops::Range<i64> = -25_567..84_006;
const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Epoch numbers are looked for from 2000 to 2099 only: more numbers are something else than times.
const PLAUSIBLE_EPOCH_DAYS: std::ops::Range<i64> = 10_957..47_482;

const DATE_PATTERNS: [&str; 17] = [
    "%Y%m%d",
    "%d-%b-%y",
    "%d-%b-%Y",
    "%m/%d/%Y",
    "%m/%d/%y",
    "%d/%m/%Y",
    "%d/%m/%y",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%d %B %Y",
];

const TIMESTAMP_PATTERNS: [&str; 29] = [
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%y %H:%M",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y %H:%M:%S",
    "%d-%b-%Y %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d%H%M%S",
    "%Y%m%d %H:%M:%S",
    "%Y%m%dT%H%M%SZ",
    "%d/%b/%Y:%H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S UTC",
    "%Y-%m-%d %H:%M:%S %z",
    "%Y/%m/%d %H:%M:%S %z",
    "%d.%m.%Y %H:%M:%S UTC",
    "%d.%m.%y %H:%M",
    "%b %d, %Y %I:%M:%S %p",
    "%b %d, %Y %I:%M %p",
    "%d %b %Y %H:%M:%S",
    "%d %b %Y %H:%M",
];

/// One way to write dates or times.
pub(super) struct Form {
    /// The pattern to declare; `None` for what is read without one.
    pub(super) pattern: Option<&'static str>,
    reader: TimeReader,
}

/// The ways to write a date, likelier ones first.
pub(super) static DATES: LazyLock<Vec<Form>> = LazyLock::new(|| forms(&DATE_PATTERNS));
/// The ways to write a time of a day, likelier ones first.
pub(super) static TIMESTAMPS: LazyLock<Vec<Form>> = LazyLock::new(|| forms(&TIMESTAMP_PATTERNS));

fn forms(patterns: &[&'static str]) -> Vec<Form> {
    let read = |pattern: Option<&'static str>| {
        let format = pattern.map(|p| TimeFormat {
            pattern: Some(p.to_owned()),
            zone: None,
        });
        // A pattern that this version of the reader does not know is simply not proposed.
        TimeReader::new(format.as_ref())
            .ok()
            .map(|reader| Form { pattern, reader })
    };
    std::iter::once(None)
        .chain(patterns.iter().copied().map(Some))
        .filter_map(read)
        .collect()
}

impl Form {
    /// Days since 1970, if `text` is a date of this form.
    pub(super) fn date(&self, text: &str) -> Option<i64> {
        let days = i64::from(self.reader.date(text).ok()?);
        PLAUSIBLE_DAYS.contains(&days).then_some(days)
    }

    /// Microseconds since 1970, if `text` is a time of this form and no bare number.
    pub(super) fn timestamp(&self, text: &str) -> Option<i64> {
        if self.pattern.is_none() && !text.contains(':') {
            return None;
        }
        let micros = self.reader.timestamp(text).ok()?;
        PLAUSIBLE_DAYS
            .contains(&micros.div_euclid(MICROS_PER_DAY))
            .then_some(micros)
    }
}

/// Microseconds since 1970, if `text` is a plausible epoch number of seconds or finer.
pub(super) fn epoch(text: &str) -> Option<i64> {
    let digits = text.split('.').next()?.len();
    let micros = tillwatch_event::time::epoch_text(text.as_bytes()).ok()?;
    let plausible = PLAUSIBLE_EPOCH_DAYS.contains(&micros.div_euclid(MICROS_PER_DAY));
    (plausible && (9..=16).contains(&digits)).then_some(micros)
}

/// Whether `text` is a plausible epoch number of nanoseconds, which no stream reads.
pub(super) fn epoch_nanos(text: &str) -> bool {
    let micros = text.len().checked_sub(3).and_then(|end| text.get(..end));
    text.len() == 19 && micros.is_some_and(|micros| epoch(micros).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_can_be_read() {
        assert_eq!(DATES.len(), DATE_PATTERNS.len() + 1);
        assert_eq!(TIMESTAMPS.len(), TIMESTAMP_PATTERNS.len() + 1);
    }

    #[test]
    fn dates_are_read_by_the_right_form_only() {
        let fitting = |text: &str| -> Vec<_> {
            DATES
                .iter()
                .filter(|f| f.date(text).is_some())
                .map(|f| f.pattern)
                .collect()
        };
        assert_eq!(fitting("2021-01-31"), [None]);
        assert_eq!(fitting("20210131"), [Some("%Y%m%d")]);
        assert_eq!(fitting("02-Jun-06"), [Some("%d-%b-%y")]);
        assert_eq!(fitting("02-Jun-2006"), [Some("%d-%b-%Y")]);
        assert_eq!(fitting("1/31/2021"), [Some("%m/%d/%Y")]);
        assert_eq!(fitting("31.1.2021"), [Some("%d.%m.%Y")]);
        assert_eq!(fitting("11/13/06"), [Some("%m/%d/%y")]);
        assert_eq!(fitting("N/A"), []);
        assert_eq!(fitting("12345678"), []);
    }
}
