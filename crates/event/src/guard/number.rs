//! Card numbers written as numbers.

use super::pan::{DIGITS_MAX, DIGITS_MIN, is_card_number};

/// A number with more digits before its point than this is told by that alone.
const EXPONENT_MAX: i64 = 1_000_000;

/// Whether the whole part of a number, its sign aside, is a card number, in whichever way the number is
/// written: `4111111111111111.00`, `0004111111111111111`, `-4.111111111111111e15`.
#[must_use]
pub fn number_has_card_number(text: &[u8]) -> bool {
    card_number_of(text).is_some()
}

/// The digits of a card number.
pub(super) struct CardDigits {
    digits: [u8; DIGITS_MAX],
    used: usize,
}

impl CardDigits {
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.digits.get(..self.used).unwrap_or_default()
    }
}

/// The whole part of a number's text, if it is a card number.
pub(super) fn card_number_of(text: &[u8]) -> Option<CardDigits> {
    let has_exponent = || text.iter().any(|b| b | 0x20 == b'e');
    if text.len() < DIGITS_MIN && !has_exponent() {
        return None;
    }
    let start = text.iter().position(u8::is_ascii_digit)?;
    let (before, rest) = text.split_at_checked(start)?;
    let (whole, rest) = if before.ends_with(b".") {
        (&[][..], rest)
    } else {
        digits_at_start(rest)
    };
    let (fraction, rest) = match rest {
        [b'.', tail @ ..] => digits_at_start(tail),
        rest if whole.is_empty() => digits_at_start(rest),
        rest => (&[][..], rest),
    };
    let places = (whole.len() as i64).saturating_add(exponent(rest));
    let places = usize::try_from(places).unwrap_or(0);
    if whole.iter().chain(fraction).all(|digit| *digit == b'0') {
        return None;
    }
    let digits = whole.iter().chain(fraction).chain(std::iter::repeat(&b'0'));
    let mut found = CardDigits {
        digits: [0; DIGITS_MAX],
        used: 0,
    };
    for digit in digits.take(places).skip_while(|digit| **digit == b'0') {
        *found.digits.get_mut(found.used)? = *digit;
        found.used += 1;
    }
    is_card_number(found.as_bytes()).then_some(found)
}

fn digits_at_start(text: &[u8]) -> (&[u8], &[u8]) {
    let length = text.iter().take_while(|b| b.is_ascii_digit()).count();
    text.split_at_checked(length).unwrap_or_default()
}

/// The exponent that stands at the start of `text`, 0 when none does.
fn exponent(text: &[u8]) -> i64 {
    let [b'e' | b'E', rest @ ..] = text else {
        return 0;
    };
    let (negative, rest) = match rest {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (digits, _) = digits_at_start(rest);
    let value = digits.iter().fold(0, |value, digit| {
        (value * 10 + i64::from(digit - b'0')).min(EXPONENT_MAX)
    });
    if negative { -value } else { value }
}
