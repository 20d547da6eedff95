//! Durations, sizes and decimals as people write them: `10s`, `24h`, `64MiB`, `0.92`.

use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A duration written as a number and a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DurationText(pub Duration);

/// Longer than anything is kept, and far from where sums of times overflow.
const DURATION_MAX: Duration = Duration::from_secs(1_000 * 365 * 86_400);

/// Reads `10s`, `500ms`, `1m`, `24h`, `7d`, `4w` or `3y` (a year is 365 days).
///
/// # Errors
/// What was expected, when the text is something else.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let fault = || {
        format!(
            "'{text}' is no duration; write a whole number and a unit, such as 10s, 1m, 24h or 7d"
        )
    };
    let number: u64 = number.parse().map_err(|_| fault())?;
    let seconds = match unit {
        "ms" => return Ok(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        "y" => 365 * 86_400,
        _ => return Err(fault()),
    };
    let time = number.checked_mul(seconds).map(Duration::from_secs);
    match time.ok_or_else(fault)? {
        time if time > DURATION_MAX => Err(format!("'{text}' is longer than 1000y")),
        time => Ok(time),
    }
}

impl<'de> Deserialize<'de> for DurationText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = DurationText;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as 10s, 1m, 24h or 7d")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<DurationText, E> {
                parse_duration(text).map(DurationText).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl JsonSchema for DurationText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]+(ms|s|m|h|d|w|y)$",
            "description": "A whole number and a unit: 10s, 1m, 24h, 7d."
        })
    }
}

/// A decimal written as a number or, where every digit matters, as text: `0.92`, `"0.92"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecimalText(String);

/// More characters than this no decimal needs.
const DECIMAL_CHARS_MAX: usize = 40;

impl DecimalText {
    /// Reads digits, perhaps with a sign before them and a point in between.
    ///
    /// # Errors
    /// What was expected, when the text is something else.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if is_number(whole) && is_number(fraction) && text.len() <= DECIMAL_CHARS_MAX {
            Ok(Self(text.to_owned()))
        } else {
            let shown: String = text.chars().take(DECIMAL_CHARS_MAX).collect();
            let cut = if shown == text { "" } else { "…" };
            Err(format!(
                "'{shown}{cut}' is no decimal; write digits such as 0.92, at most {DECIMAL_CHARS_MAX} characters"
            ))
        }
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest float, to place it on a scale.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        // Digits and a point are always a float.
        self.0.parse().unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for DecimalText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = DecimalText;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number such as 0.92")
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<DecimalText, E> {
                Ok(DecimalText(value.to_string()))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<DecimalText, E> {
                Ok(DecimalText(value.to_string()))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<DecimalText, E> {
                DecimalText::parse(&value.to_string()).map_err(E::custom)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<DecimalText, E> {
                DecimalText::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Number)
    }
}

impl JsonSchema for DecimalText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Decimal".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["number", "string"],
            "pattern": "^-?[0-9]+(\\.[0-9]+)?$",
            "description": "A number, or its digits as text where every one matters."
        })
    }
}

/// Reads `65536`, `64KiB`, `256MiB` or `1GiB`.
///
/// # Errors
/// What was expected, when the text is something else.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let fault = || {
        format!("'{text}' is no size; write a whole number of bytes or one with KiB, MiB or GiB")
    };
    let number: u64 = number.parse().map_err(|_| fault())?;
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(fault()),
    };
    number.checked_mul(factor).ok_or_else(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_nonsense_is_refused() {
        assert_eq!(parse_duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(
            parse_duration("3y"),
            Ok(Duration::from_secs(3 * 365 * 86_400))
        );
        for text in [
            "",
            "s",
            "10",
            "10 parsecs",
            "-1s",
            "1.5h",
            "99999999999999999999s",
            "18446744073709551615y",
            "99999999999y",
            "1001y",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn decimals_keep_their_digits_and_nonsense_is_refused() {
        let long = format!("0.{}", "1".repeat(38));
        for text in ["0", "-1", "0.920", "12345678901234567890.5", &long] {
            assert_eq!(DecimalText::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(DecimalText::parse("0.92").unwrap().to_f64(), 0.92);
        let longer = format!("{long}1");
        for text in [
            "", "-", ".5", "5.", "1e3", "+1", "NaN", " 1", "1,5", "٣", &longer,
        ] {
            assert!(DecimalText::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_and_nonsense_is_refused() {
        assert_eq!(parse_bytes("64MiB"), Ok(64 << 20));
        assert_eq!(parse_bytes("123"), Ok(123));
        for text in ["", "MiB", "1.5GiB", "64MB", "-1"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }
}
