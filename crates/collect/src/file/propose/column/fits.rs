//! Whether a value is of a kind.

use tillwatch_event::{currency, decimal, guard};

use super::super::notation::Notation;
use super::super::times::{self, DATES, TIMESTAMPS};

/// What all values of a column may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    /// A date in one of [`DATES`].
    Date(usize),
    /// A time in one of [`TIMESTAMPS`].
    Timestamp(usize),
    Epoch,
    Int,
    Decimal,
    Float,
    /// A number as people write it, in a text.
    Written(Notation),
    Currency,
    Json,
}

impl Kind {
    /// Whether values of this kind say when something happened.
    pub(super) fn is_time(self) -> bool {
        matches!(self, Self::Date(_) | Self::Timestamp(_) | Self::Epoch)
    }
}

/// The value's place on a line if it is of that kind (0 where there is none), `None` if it is not.
pub(super) fn fits(kind: Kind, text: &str) -> Option<i64> {
    let when = |fitting: bool| fitting.then_some(0);
    match kind {
        Kind::Bool => when(matches!(text, "true" | "false")),
        Kind::Date(form) => DATES.get(form)?.date(text),
        Kind::Timestamp(form) => TIMESTAMPS.get(form)?.timestamp(text),
        Kind::Epoch => times::epoch(text),
        Kind::Int => {
            let plain = is_plain_number(text) && !text.contains('.');
            let value = text.parse::<i64>().ok().filter(|_| plain)?;
            when(!guard::integer_is_card_number(value))
        }
        Kind::Decimal => {
            let plain = is_plain_number(text) && !guard::number_has_card_number(text.as_bytes());
            // More digits than this come from floating point, not from money.
            let fraction = text
                .split_once('.')
                .map_or(0, |(_, fraction)| fraction.len());
            when(plain && fraction <= 10 && decimal::parse(text.as_bytes(), 34, 10).is_ok())
        }
        Kind::Float => {
            let value = text.parse::<f64>().ok()?;
            let number = text
                .bytes()
                .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
            let keeps = !has_leading_zero(text) && !guard::number_has_card_number(text.as_bytes());
            when(
                value.is_finite() && number && keeps && text.contains(['.', 'e', 'E'])
                    || is_short_int(text),
            )
        }
        Kind::Written(notation) => notation.read(text).map(|_| 0),
        Kind::Currency => when(currency::is_code(text.as_bytes())),
        Kind::Json => {
            let begins = text.starts_with(['{', '[']);
            when(begins && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
        }
    }
}

/// Whole numbers that a double holds exactly.
fn is_short_int(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    (1..=15).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !has_leading_zero(text)
        && !text.parse::<i64>().is_ok_and(guard::integer_is_card_number)
}

/// Digits with an optional minus and point. A leading zero belongs to a code (00501), not to a number.
fn is_plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && all_digits(fraction) && !has_leading_zero(text)
}

fn has_leading_zero(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    matches!(digits.as_bytes(), [b'0', next, ..] if next.is_ascii_digit())
}

/// Whether a text among numbers or dates may stand for "no value": words or signs, short, without digits.
pub(super) fn is_null_text(text: &str) -> bool {
    text.len() <= 60
        && !text.bytes().any(|b| b.is_ascii_digit())
        && !text.contains(['"', '{', '[', '\n'])
        && text.trim() == text
}

pub(super) fn is_word_for_nothing(text: &str) -> bool {
    let words = [
        "n/a", "na", "-", "--", "?", "none", "null", "nil", "unknown",
    ];
    words.contains(&text.to_ascii_lowercase().as_str())
}
