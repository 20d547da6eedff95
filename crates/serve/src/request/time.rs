//! Instants and durations as they are written in query parameters.

use std::fmt;

use tillwatch_event::TimeReader;
use tillwatch_event::guard::mask;

/// Microseconds in a millisecond.
pub(crate) const MS: i64 = 1_000;
/// Microseconds in a second.
pub(crate) const SECOND: i64 = 1_000 * MS;
/// Microseconds in a day.
pub(crate) const DAY: i64 = 86_400 * SECOND;

/// The largest distance from the epoch that is accepted, about 8 000 years; it keeps sums of two from overflowing.
const FAR_US: i64 = 253_402_300_800 * SECOND;

/// One end of a range: fixed, or moving with the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Instant {
    /// Microseconds since the epoch.
    At(i64),
    /// Microseconds from now; negative is the past.
    FromNow(i64),
}

impl Instant {
    /// The instant in microseconds since the epoch, given what time it is.
    pub(crate) fn resolve_us(self, now_us: i64) -> i64 {
        match self {
            Self::At(us) => us,
            Self::FromNow(us) => now_us.saturating_add(us),
        }
    }

    /// Reads RFC 3339, epoch milliseconds, `now`, or an offset such as `-1h` or `now-1h`.
    pub(crate) fn parse(text: &str) -> Result<Self, TimeFault> {
        let text = text.trim();
        let relative = text.strip_prefix("now").unwrap_or(text);
        if relative.is_empty() && !text.is_empty() {
            return Ok(Self::FromNow(0));
        }
        if let Some(Ok(us)) = relative.strip_prefix('-').map(parse_duration_us) {
            return Ok(Self::FromNow(-us));
        }
        if let Some(amount) = relative.strip_prefix(['+', ' ']) {
            // An unescaped plus in a query string reads as a space.
            return parse_duration_us(amount)
                .map(Self::FromNow)
                .map_err(|_| TimeFault::instant(text));
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            let ms: i64 = text.parse().map_err(|_| TimeFault::instant(text))?;
            return ms
                .checked_mul(MS)
                .filter(|us| us.abs() <= FAR_US)
                .map(Self::At)
                .ok_or_else(|| TimeFault::instant(text));
        }
        let text = with_plus(text);
        if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
            return Ok(Self::At(stamp.as_microsecond()));
        }
        // The last day of the year 9999, which is beyond jiff's own instants.
        last_day_us(&text)
            .map(Self::At)
            .ok_or_else(|| TimeFault::instant(&text))
    }
}

fn last_day_us(text: &str) -> Option<i64> {
    let is_last = text.starts_with("9999-12-3") && text.ends_with(['Z', 'z']);
    let reader = is_last.then(|| TimeReader::new(None).ok()).flatten()?;
    reader.timestamp(text).ok()
}

/// Puts back the plus of an offset (`+01:00`) that a query string turned into a space.
fn with_plus(text: &str) -> String {
    match text.rsplit_once(' ') {
        Some((head, zone)) if head.contains('T') && zone.len() == 5 => format!("{head}+{zone}"),
        _ => text.to_owned(),
    }
}

/// Reads a duration such as `500ms`, `10s`, `1m`, `24h`, `7d` or `2w` into microseconds; never zero.
pub(crate) fn parse_duration_us(text: &str) -> Result<i64, TimeFault> {
    let fault = || TimeFault::duration(text);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (amount, unit) = text.split_at_checked(digits).ok_or_else(fault)?;
    let amount: i64 = amount.parse().map_err(|_| fault())?;
    let unit_us = match unit {
        "ms" => MS,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3_600 * SECOND,
        "d" => DAY,
        "w" => 7 * DAY,
        _ => return Err(fault()),
    };
    amount
        .checked_mul(unit_us)
        .filter(|us| (1..=FAR_US).contains(us))
        .ok_or_else(fault)
}

/// The text of an instant in RFC 3339, UTC; out of range it is the number itself.
pub(crate) fn rfc3339(us: i64) -> String {
    tillwatch_event::time::rfc3339(us).unwrap_or_else(|| us.to_string())
}

/// The clock's time in microseconds since the epoch.
pub(crate) fn now_us() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

/// A text that is no instant or no duration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimeFault(String);

impl TimeFault {
    fn instant(text: &str) -> Self {
        Self(format!(
            "'{}' is no time: write RFC 3339 (2026-11-01T12:00:00Z), epoch milliseconds, 'now' or an offset such as '-1h'",
            shorten(text)
        ))
    }

    fn duration(text: &str) -> Self {
        Self(format!(
            "'{}' is no duration: write a number and a unit of ms, s, m, h, d or w, such as '10s'",
            shorten(text)
        ))
    }
}

impl fmt::Display for TimeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The start of a text a client sent, for showing it back: card numbers are masked before it is cut, as the start of one
/// would no longer be known for what it is.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN: usize = 80;
    let text = mask(text);
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn instants_are_read_in_all_documented_forms() {
        let at = |text: &str| Instant::parse(text);
        assert_eq!(at("now"), Ok(Instant::FromNow(0)));
        assert_eq!(at("-1h"), Ok(Instant::FromNow(-3_600 * SECOND)));
        assert_eq!(at("now-5m"), Ok(Instant::FromNow(-300 * SECOND)));
        assert_eq!(at("now 5m"), Ok(Instant::FromNow(300 * SECOND)));
        assert_eq!(at("1700000000000"), Ok(Instant::At(1_700_000_000 * SECOND)));
        assert_eq!(at("-1000"), Ok(Instant::At(-SECOND)));
        assert_eq!(
            at("2023-11-14T22:13:20Z"),
            Ok(Instant::At(1_700_000_000 * SECOND))
        );
        assert_eq!(
            at("2023-11-14T23:13:20+01:00"),
            Ok(Instant::At(1_700_000_000 * SECOND))
        );
        assert_eq!(
            at("2023-11-14T23:13:20 01:00"),
            Ok(Instant::At(1_700_000_000 * SECOND))
        );
    }

    #[test]
    fn the_last_second_of_the_year_9999_is_read_and_written() {
        let last = 253_402_300_799 * SECOND;
        assert_eq!(
            Instant::parse("9999-12-31T23:59:59Z"),
            Ok(Instant::At(last))
        );
        assert_eq!(rfc3339(last), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn what_is_shown_back_is_masked_before_it_is_cut() {
        let text = format!("{} 4111 1111 1111 1111 and more", "x".repeat(66));
        assert_eq!(shorten(&text), format!("{} 4111 11** ***…", "x".repeat(66)));
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "yesterday",
            "-1x",
            "1e9",
            "99999999999999999",
            "now-",
            "2026-13-01T00:00:00Z",
            "+",
        ] {
            assert!(Instant::parse(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn durations_need_a_number_and_a_unit() {
        assert_eq!(parse_duration_us("10s"), Ok(10 * SECOND));
        assert_eq!(parse_duration_us("2w"), Ok(14 * DAY));
        for text in [
            "",
            "10",
            "s",
            "0s",
            "-1s",
            "1.5s",
            "1 s",
            "1y",
            "99999999999999999999s",
            "9999999999w",
            "ü",
        ] {
            assert!(parse_duration_us(text).is_err(), "{text:?} was taken");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "\\PC{0,40}") {
            let _ = Instant::parse(&text);
            let _ = parse_duration_us(&text);
        }
    }
}
