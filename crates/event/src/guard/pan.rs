//! What makes a sequence of digits a card number.

/// The fewest digits of a card number that is looked for.
pub(super) const DIGITS_MIN: usize = 13;
/// The most digits of a card number (ISO/IEC 7812).
pub(super) const DIGITS_MAX: usize = 19;

/// Whether these ASCII digits are a card number: 13 to 19 digits, in an issuer's range with a
/// length that issuer uses, with a right Luhn digit.
#[must_use]
pub fn is_card_number(digits: &[u8]) -> bool {
    (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && has_issuer(digits)
        && luhn(digits)
}

/// Whether the last digit is the Luhn check digit of the others (ISO/IEC 7812-1 annex B).
#[must_use]
pub fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit.wrapping_sub(b'0'));
            match (place % 2, value) {
                (0, value) => value,
                (_, 0..=4) => value * 2,
                (_, value) => value * 2 - 9,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether the first digits and the length are those of a card scheme.
fn has_issuer(digits: &[u8]) -> bool {
    let prefix = digits.iter().take(6).fold(0_u32, |value, digit| {
        value * 10 + u32::from(digit.wrapping_sub(b'0'))
    });
    let (two, three, four) = (prefix / 10_000, prefix / 1_000, prefix / 100);
    let length = digits.len();
    match prefix / 100_000 {
        // Mastercard, 2-series.
        2 => (2221..=2720).contains(&four) && length == 16,
        3 => match two {
            // American Express.
            34 | 37 => length == 15,
            // Diners Club.
            36 | 38 | 39 => length >= 14,
            30 => ((300..=305).contains(&three) || four == 3095) && length >= 14,
            // JCB.
            35 => (3528..=3589).contains(&four) && length >= 16,
            _ => false,
        },
        // Visa.
        4 => matches!(length, 13 | 16 | 19),
        5 => match two {
            // Mastercard.
            51..=55 => length == 16,
            // Maestro.
            50 | 56..=58 => true,
            _ => false,
        },
        6 => match two {
            // UnionPay and Discover.
            62 | 65 => length >= 16,
            // Maestro.
            67 => true,
            60 => four == 6011 && length >= 16,
            64 => (644..=649).contains(&three) && length >= 16,
            63 => four == 6304 || three == 639,
            _ => false,
        },
        _ => false,
    }
}

/// Whether an integer, written in digits without its sign, is a card number. An integer cannot be
/// masked, so its event must be rejected.
#[must_use]
pub fn integer_is_card_number(value: i64) -> bool {
    whole_is_card_number(value.unsigned_abs())
}

/// As [`integer_is_card_number`], for the whole part of a number without its sign. A larger value
/// than fits here has more digits than any card number.
#[must_use]
pub fn whole_is_card_number(value: u64) -> bool {
    let mut rest = value;
    // Below 13 digits nothing is a card number: this one comparison passes almost all integers.
    if rest < 1_000_000_000_000 {
        return false;
    }
    let mut buffer = [0_u8; DIGITS_MAX];
    let mut used = 0;
    for slot in buffer.iter_mut().rev() {
        *slot = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    buffer.get(DIGITS_MAX - used..).is_some_and(is_card_number)
}
