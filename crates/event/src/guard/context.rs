//! What digits are a part of, when they are no number of their own.

use std::ops::Range;

/// Whether the digits at `start` are the fraction of a number such as `0.4111111111111111`.
///
/// Numbers of floating point and quotients of decimals are written with as many digits as a card number has. What
/// stands before the point must be a number by itself: in `v1.4111111111111111` it is none.
pub(super) fn is_fraction(bytes: &[u8], start: usize) -> bool {
    let Some([whole @ .., b'.']) = bytes.get(..start) else {
        return false;
    };
    let digits = whole.iter().rev().take_while(|b| b.is_ascii_digit());
    let digits = digits.take(DIGITS_BEFORE_POINT_MAX + 1).count();
    let before = whole.len().checked_sub(digits + 1);
    (1..=DIGITS_BEFORE_POINT_MAX).contains(&digits)
        && before
            .and_then(|at| whole.get(at))
            .is_none_or(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'.' | b'_'))
}

const DIGITS_BEFORE_POINT_MAX: usize = 38;

/// Whether the digits stand within a hexadecimal word, such as a hash, a trace id or a 64-bit id.
///
/// Only words as long as such ids are count, for `ed4111111111111111` is a card number behind two letters. The
/// shorter ones need two letters: one letter before a card number is a slip of the pen.
pub(super) fn is_in_hex(bytes: &[u8], range: &Range<usize>) -> bool {
    /// A 64-bit id.
    const SHORT_BYTES: usize = 16;
    /// A 96-bit id, as document stores give.
    const LONG_BYTES_MIN: usize = 24;
    /// The longest hash, so that the work does not grow with the square of a long word.
    const SIDE_BYTES_MAX: usize = 128;
    let before = bytes.get(..range.start).unwrap_or_default();
    let after = bytes.get(range.end..).unwrap_or_default();
    let left = before
        .iter()
        .rev()
        .take(SIDE_BYTES_MAX)
        .take_while(|b| b.is_ascii_alphanumeric())
        .count();
    let right = after
        .iter()
        .take(SIDE_BYTES_MAX)
        .take_while(|b| b.is_ascii_alphanumeric())
        .count();
    let word = bytes
        .get(range.start - left..range.end + right)
        .unwrap_or_default();
    let letters = word.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let letters_min = match word.len() {
        SHORT_BYTES => 2,
        LONG_BYTES_MIN.. => 1,
        _ => return false,
    };
    letters >= letters_min && word.iter().all(u8::is_ascii_hexdigit)
}

/// Whether the digits at `start` stand in a UUID (8-4-4-4-12 hexadecimal digits).
pub(super) fn is_in_uuid(bytes: &[u8], start: usize) -> bool {
    const UUID_BYTES: usize = 36;
    let before = bytes.get(..start).unwrap_or_default();
    let in_word = |b: &&u8| b.is_ascii_hexdigit() || **b == b'-';
    let left = before
        .iter()
        .rev()
        .take(UUID_BYTES)
        .take_while(in_word)
        .count();
    // The word may begin before the UUID (`id-<uuid>`): try every start that covers the digits.
    (start - left..=start).any(|from| {
        let Some(word) = bytes.get(from..from + UUID_BYTES) else {
            return false;
        };
        let shaped = word.iter().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        });
        let outside = |at: Option<usize>| {
            at.and_then(|at| bytes.get(at))
                .is_none_or(|b| !b.is_ascii_alphanumeric())
        };
        shaped && outside(from.checked_sub(1)) && outside(Some(from + UUID_BYTES))
    })
}
