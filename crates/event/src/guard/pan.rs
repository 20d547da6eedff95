//! What makes a sequence of digits a card number.

use std::ops::Range;

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
        2 => match four {
            // Mastercard, 2-series.
            2221..=2720 => length == 16,
            // Mir and Borica.
            2200..=2205 => length >= 16,
            _ => false,
        },
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
            // Maestro, and Verve, RuPay, Elo and Uzcard among its prefixes.
            50 | 56..=58 => true,
            _ => false,
        },
        6 => match two {
            // UnionPay and Discover.
            62 | 65 => length >= 16,
            // Maestro.
            67 => true,
            // Discover, RuPay, Hipercard and national schemes.
            60 => length >= 16,
            64 => (644..=649).contains(&three) && length >= 16,
            // Maestro; InterPayment, InstaPayment and Elo.
            63 => four == 6304 || three == 639 || ((636..=638).contains(&three) && length >= 16),
            _ => false,
        },
        // Uzcard, and RuPay.
        8 => (four == 8600 || matches!(two, 81 | 82)) && length == 16,
        // Napas, Troy and Humo.
        9 => matches!(four, 9704 | 9792 | 9860) && (length == 16 || four == 9704 && length == 19),
        _ => false,
    }
}

/// The card number in a run of digits that is longer than it: behind zeros, or before an expiry date
/// as in `41111111111111111225`.
///
/// One in ten long ids holds a part with a right Luhn digit. So the number must begin where the run or
/// its zeros do, have a length that its scheme commonly uses, and end where the run or the date does: of random
/// ids of twenty digits fewer than one in a thousand does all that.
pub(super) fn card_number_in_run(run: &[u8]) -> Option<Range<usize>> {
    const DATE_DIGITS: usize = 4;
    const COMMON_DIGITS: usize = 16;
    let zeros = run.iter().take_while(|digit| **digit == b'0').count();
    let rest = run.get(zeros..)?;
    let digits_min = if zeros > 0 {
        DIGITS_MIN
    } else {
        DIGITS_MIN + DATE_DIGITS
    };
    if !(digits_min..=DIGITS_MAX + DATE_DIGITS).contains(&rest.len()) {
        return None;
    }
    let number = |digits: &[u8]| {
        (is_common(digits) && is_card_number(digits)).then_some(zeros..zeros + digits.len())
    };
    // Behind zeros a longer one would be one in ten thousand of the ids of twenty digits.
    if zeros > 0
        && rest.len() <= COMMON_DIGITS
        && let Some(found) = number(rest)
    {
        return Some(found);
    }
    let (digits, date) = rest.split_at_checked(rest.len().checked_sub(DATE_DIGITS)?)?;
    number(digits).filter(|_| is_expiry(date))
}

/// Whether the length is the one that almost all cards of this scheme have. Those with many lengths,
/// such as Maestro, are left out.
fn is_common(digits: &[u8]) -> bool {
    match digits.len() {
        14 => matches!(digits, [b'3', b'0' | b'6' | b'8' | b'9', ..]),
        15 => matches!(digits, [b'3', b'4' | b'7', ..]),
        16 => matches!(
            digits,
            [b'2' | b'4' | b'9', ..]
                | [b'3', b'5', ..]
                | [b'5', b'1'..=b'5', ..]
                | [b'6', b'2' | b'4' | b'5', ..]
                | [b'6', b'0', b'1', b'1', ..]
                | [b'8', b'6', ..]
        ),
        19 => matches!(digits, [b'6', b'2', ..]),
        _ => false,
    }
}

/// Whether four digits are the month and year of a card's end, in either order. The years are those of
/// cards that expired not long ago or will: a wider span would take more ids for card numbers.
fn is_expiry(digits: &[u8]) -> bool {
    let [a, b, c, d] = digits else { return false };
    let two = |tens: &u8, ones: &u8| (tens - b'0') * 10 + (ones - b'0');
    let (first, second) = (two(a, b), two(c, d));
    let (month, year) = (1..=12, 22..=35);
    (month.contains(&first) && year.contains(&second))
        || (year.contains(&first) && month.contains(&second))
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
