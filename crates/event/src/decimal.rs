//! Exact decimals from text: money is never rounded and never passes through a float.

/// Why a text is not a decimal of the declared precision and scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// Not a number in digits, with an optional sign, point and exponent.
    #[error("is not a decimal number (digits, an optional sign, point and exponent)")]
    Syntax,
    /// Digits other than zero stand after the last place that is kept.
    #[error("has more than {scale} digits after the point, and nothing is rounded")]
    Fraction {
        /// Places that are kept after the point.
        scale: i8,
    },
    /// The value needs more digits than declared.
    #[error("is too large for decimal({precision}, {scale})")]
    Overflow {
        /// All digits.
        precision: u8,
        /// Digits after the point.
        scale: i8,
    },
}

/// 10^0 to 10^38: all powers of ten below `i128::MAX`.
const POWERS: [i128; 39] = {
    let mut powers = [1_i128; 39];
    let mut i = 1;
    while i < 39 {
        #[allow(clippy::indexing_slicing, reason = "checked at compile time")]
        {
            powers[i] = powers[i - 1] * 10;
        }
        i += 1;
    }
    powers
};

/// 10^`exponent` for 0 to 38.
#[must_use]
pub fn power_of_ten(exponent: u32) -> Option<i128> {
    POWERS.get(usize::try_from(exponent).ok()?).copied()
}

/// The digits of a number's text before any scaling: `mantissa · 10^exponent`.
struct Digits {
    negative: bool,
    mantissa: i128,
    exponent: i64,
}

/// Reads `text` (`12.50`, `-3`, `+0.5`, `1e3`, `.5`) as a decimal with `scale` digits after the
/// point, as the unscaled integer that Arrow keeps.
///
/// # Errors
/// When the text is no number, when a digit other than zero would be lost, and when the value
/// needs more than `precision` digits.
pub fn parse(text: &[u8], precision: u8, scale: i8) -> Result<i128, DecimalError> {
    let overflow = DecimalError::Overflow { precision, scale };
    let digits = read_digits(text, precision, scale)?;
    if digits.mantissa == 0 {
        return Ok(0);
    }
    let shift = digits.exponent.saturating_add(i64::from(scale));
    let magnitude = if shift >= 0 {
        let factor = u32::try_from(shift)
            .ok()
            .and_then(power_of_ten)
            .ok_or(overflow)?;
        digits.mantissa.checked_mul(factor).ok_or(overflow)?
    } else {
        let fraction = DecimalError::Fraction { scale };
        let divisor = u32::try_from(shift.unsigned_abs())
            .ok()
            .and_then(power_of_ten)
            .ok_or(fraction)?;
        if digits.mantissa % divisor != 0 {
            return Err(fraction);
        }
        digits.mantissa / divisor
    };
    match power_of_ten(u32::from(precision)) {
        Some(bound) if magnitude < bound => {}
        _ => return Err(overflow),
    }
    Ok(if digits.negative {
        -magnitude
    } else {
        magnitude
    })
}

fn read_digits(text: &[u8], precision: u8, scale: i8) -> Result<Digits, DecimalError> {
    let (negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut short: u64 = 0;
    let mut seen = 0_u32;
    let mut point = false;
    let mut fraction = 0_i64;
    // Almost all amounts have at most 18 digits: they never leave 64-bit arithmetic.
    while let [byte, tail @ ..] = rest {
        match byte {
            b'0'..=b'9' if seen < 18 => {
                short = short * 10 + u64::from(byte - b'0');
                seen += 1;
                fraction += i64::from(point);
            }
            b'.' if !point => point = true,
            _ => break,
        }
        rest = tail;
    }
    let mut mantissa = i128::from(short);
    // A zero that cannot be taken into the mantissa any more only counts: 1.000…0 stays exact.
    let mut pending_zeros = 0_u32;
    while let [byte, tail @ ..] = rest {
        match byte {
            b'0' => pending_zeros = pending_zeros.saturating_add(1),
            b'1'..=b'9' => {
                mantissa = longer(mantissa, pending_zeros, *byte).ok_or({
                    if fraction >= i64::from(scale) && point {
                        DecimalError::Fraction { scale }
                    } else {
                        DecimalError::Overflow { precision, scale }
                    }
                })?;
                pending_zeros = 0;
            }
            b'.' if !point => {
                point = true;
                rest = tail;
                continue;
            }
            _ => break,
        }
        seen = seen.saturating_add(1);
        fraction += i64::from(point);
        rest = tail;
    }
    if seen == 0 {
        return Err(DecimalError::Syntax);
    }
    let power = read_exponent(rest)?;
    Ok(Digits {
        negative,
        mantissa,
        exponent: power
            .saturating_sub(fraction)
            .saturating_add(i64::from(pending_zeros)),
    })
}

/// The mantissa with `zeros` and a digit behind it; none when that is too long.
fn longer(mantissa: i128, zeros: u32, digit: u8) -> Option<i128> {
    // Zeros before the first digit add nothing, however many there are.
    let factor = match mantissa {
        0 => 1,
        _ => power_of_ten(zeros.saturating_add(1))?,
    };
    mantissa
        .checked_mul(factor)?
        .checked_add(i128::from(digit - b'0'))
}

/// Reads `e3`, `E-2` or nothing; a huge exponent is capped, which leaves its meaning "far too large".
fn read_exponent(text: &[u8]) -> Result<i64, DecimalError> {
    let digits = match text {
        [] => return Ok(0),
        [b'e' | b'E', b'-' | b'+', digits @ ..] | [b'e' | b'E', digits @ ..] => digits,
        _ => return Err(DecimalError::Syntax),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(DecimalError::Syntax);
    }
    let value = digits.iter().fold(0_i64, |sum, digit| {
        (sum * 10 + i64::from(digit - b'0')).min(1_000_000)
    });
    Ok(if text.get(1) == Some(&b'-') {
        -value
    } else {
        value
    })
}

/// The text of an unscaled decimal: `format(1250, 2)` is `12.50`.
#[must_use]
pub fn format(unscaled: i128, scale: i8) -> String {
    let digits = unscaled.unsigned_abs().to_string();
    let sign = if unscaled < 0 { "-" } else { "" };
    let Ok(places) = usize::try_from(scale) else {
        return format!("{sign}{digits}");
    };
    if places == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    format!("{sign}{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_table_of_texts_reads_exactly() {
        for (text, precision, scale, value) in [
            ("12.50", 18, 2, 1250),
            ("-3", 18, 2, -300),
            ("+0.5", 18, 2, 50),
            ("1e3", 18, 2, 100_000),
            ("1.5E-1", 18, 2, 15),
            ("125e-2", 18, 2, 125),
            (".5", 18, 2, 50),
            ("5.", 18, 2, 500),
            ("0", 1, 0, 0),
            ("-0.00", 4, 2, 0),
            ("0e999999999", 4, 2, 0),
            ("1.500000000000000000000000000000000000000000", 4, 2, 150),
            ("0000000000000000000000000000000000000000001", 4, 2, 100),
            ("100000000000000000000e-20", 4, 2, 100),
            (&format!("{}12.5", "0".repeat(60)), 4, 2, 1250),
            (&format!("0.{}1e62", "0".repeat(60)), 4, 2, 1000),
            (
                "99999999999999999999999999999999999999",
                38,
                0,
                10_i128.pow(38) - 1,
            ),
        ] {
            assert_eq!(
                parse(text.as_bytes(), precision, scale),
                Ok(value),
                "{text}"
            );
        }
    }

    #[test]
    fn a_table_of_faults_is_told_apart() {
        let fraction = DecimalError::Fraction { scale: 2 };
        let overflow = DecimalError::Overflow {
            precision: 4,
            scale: 2,
        };
        for (text, error) in [
            ("", DecimalError::Syntax),
            ("-", DecimalError::Syntax),
            (".", DecimalError::Syntax),
            ("1,000", DecimalError::Syntax),
            ("1.2.3", DecimalError::Syntax),
            ("1e", DecimalError::Syntax),
            ("1e+", DecimalError::Syntax),
            ("1e1.5", DecimalError::Syntax),
            ("--1", DecimalError::Syntax),
            ("NaN", DecimalError::Syntax),
            ("Infinity", DecimalError::Syntax),
            ("0x10", DecimalError::Syntax),
            (" 1", DecimalError::Syntax),
            ("1 EUR", DecimalError::Syntax),
            ("1.005", fraction),
            ("1e-3", fraction),
            ("1e-999999999", fraction),
            (&format!("0.{}1", "0".repeat(60)), fraction),
            (&format!("1.{}1", "0".repeat(60)), fraction),
            (&format!("0.{}", "3".repeat(60)), fraction),
            ("100", overflow),
            ("12345678901234567890123456789012345678.9", overflow),
            ("1e999999999", overflow),
            ("123456789012345678901234567890123456789012345", overflow),
        ] {
            assert_eq!(parse(text.as_bytes(), 4, 2), Err(error), "{text}");
        }
    }

    #[test]
    fn format_writes_all_places() {
        for (unscaled, scale, text) in [
            (1250, 2, "12.50"),
            (-5, 2, "-0.05"),
            (0, 2, "0.00"),
            (7, 0, "7"),
            (12, 4, "0.0012"),
        ] {
            assert_eq!(format(unscaled, scale), text);
        }
    }

    proptest! {
        #[test]
        fn every_decimal_survives_its_text(
            value in -(10_i128.pow(38) - 1)..10_i128.pow(38),
            scale in 0_i8..=38,
        ) {
            let text = format(value, scale);
            prop_assert_eq!(parse(text.as_bytes(), 38, scale), Ok(value), "{}", text);
        }

        #[test]
        fn an_exponent_equals_shifting_the_point(
            value in -999_999_999_i128..1_000_000_000, power in 0_u32..12, scale in 0_i8..6,
        ) {
            let expected = value * 10_i128.pow(power) * 10_i128.pow(u32::try_from(scale).unwrap());
            let text = format!("{value}e{power}");
            prop_assert_eq!(parse(text.as_bytes(), 38, scale), Ok(expected));
        }

        #[test]
        fn a_lost_digit_is_always_an_error(whole in 0_u64..1_000_000, digit in 1_u8..=9) {
            let text = format!("{whole}.00{digit}");
            prop_assert_eq!(
                parse(text.as_bytes(), 38, 2),
                Err(DecimalError::Fraction { scale: 2 })
            );
        }

        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), precision in 1_u8..=38, scale in 0_i8..=38) {
            let _ = parse(&bytes, precision, scale);
        }
    }
}
