//! Masking in plain text.

use std::borrow::Cow;
use std::ops::Range;

use super::codes::find_codes;
use super::groups::find_numbers;
use super::pan::DIGITS_MIN;
use crate::lanes::{LANES, Lanes};

const TRACK_REMOVED: &str = "[track data removed]";
/// The digits of a verification code.
pub(super) const CODE_DIGITS_MIN: usize = 3;
/// A text of ASCII with fewer digits than this is passed by [`mask`] as it is.
pub const MASKED_DIGITS_MIN: usize = CODE_DIGITS_MIN;

/// Masks card numbers and removes verification codes and track data; borrows when there is none.
///
/// Digits of other scripts, such as the wide ones of East Asia, count as digits; a text in which
/// something is masked gets them written as ASCII.
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if bytes.len() < 6 {
        return Cow::Borrowed(text);
    }
    let Counted {
        digits,
        is_ascii,
        may_name,
    } = count(bytes);
    if !is_ascii && has_other_digits(text) {
        let plain = with_plain_digits(text);
        let digits = count(plain.as_bytes()).digits;
        return match mask_plain(&plain, digits, may_name) {
            Some(masked) => Cow::Owned(masked),
            None => Cow::Borrowed(text),
        };
    }
    mask_plain(text, digits, may_name).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The masked text, if there is something to mask in one with this many digits.
#[inline]
fn mask_plain(text: &str, digits: usize, may_name: bool) -> Option<String> {
    let may_have_code = may_name && digits >= CODE_DIGITS_MIN;
    if digits < DIGITS_MIN && !may_have_code {
        return None;
    }
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    if digits >= DIGITS_MIN {
        find_numbers(bytes, digits, &mut found);
    }
    if may_have_code {
        find_codes(bytes, &mut found);
    }
    (!found.is_empty()).then(|| rewrite(text, found))
}

/// What one look at a text tells.
struct Counted {
    digits: usize,
    is_ascii: bool,
    /// Whether two letters in a row are there that every name of a code has and few other words have: `cv`,
    /// `sc` of `csc`, `av` of `cav2` or `cu` of `security`.
    may_name: bool,
}

/// Counts digits and looks for letters.
#[inline]
fn count(bytes: &[u8]) -> Counted {
    let (mut digits, mut other, mut pairs) = (0, 0, 0);
    // Whether the last byte before was the first letter of a pair.
    let mut before = [0; 3];
    for chunk in bytes.chunks(LANES) {
        let lanes = match chunk.first_chunk() {
            Some(whole) => Lanes::of(whole),
            None => Lanes::of_start(chunk),
        };
        digits += lanes.digits().count_ones() as usize;
        other |= lanes.not_ascii();
        let [a, c, s, u, v] = [b'a', b'c', b's', b'u', b'v'].map(|letter| lanes.letter(letter));
        let [after_c, after_s, after_a] = [c << 1, s << 1, a << 1];
        let [last_c, last_s, last_a] = before;
        pairs |= (after_c | last_c) & (v | u) | (after_s | last_s) & c | (after_a | last_a) & v;
        before = [c, s, a].map(|first| first >> (LANES - 1));
    }
    Counted {
        digits,
        is_ascii: other == 0,
        may_name: pairs != 0,
    }
}

/// Whether there are digits of a script in which people write card numbers.
pub(super) fn has_other_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Their first bytes; this is a loop of vectors, and most texts end here.
    let possible = bytes.iter().fold(0, |found, b| {
        found | u8::from((*b == 0xd9) | (*b == 0xdb) | (*b == 0xe0) | (*b == 0xef))
    });
    possible != 0
        && bytes.windows(2).enumerate().any(|(at, pair)| match pair {
            [0xd9, 0xa0..=0xa9] | [0xdb, 0xb0..=0xb9] => true,
            [0xe0, 0xa5 | 0xa7] => matches!(bytes.get(at + 2), Some(0xa6..=0xaf)),
            [0xe0, 0xb9] | [0xef, 0xbc] => matches!(bytes.get(at + 2), Some(0x90..=0x99)),
            _ => false,
        })
}

/// The ASCII digit of a decimal digit; any other character as it is.
fn plain_digit(c: char) -> char {
    /// The zeros: Arabic, Persian, Devanagari, Bengali, Thai and wide, as in `has_other_digits`.
    const ZEROS: [u32; 6] = [0x660, 0x6f0, 0x966, 0x9e6, 0xe50, 0xff10];
    ZEROS
        .iter()
        .filter_map(|zero| u32::from(c).checked_sub(*zero))
        .find_map(|value| char::from_digit(value, 10))
        .unwrap_or(c)
}

fn with_plain_digits(text: &str) -> String {
    text.chars().map(plain_digit).collect()
}

/// What to do with a range of the text.
pub(super) enum Finding {
    Number(Range<usize>),
    Code(Range<usize>),
    Track(Range<usize>),
}

impl Finding {
    fn range(&self) -> &Range<usize> {
        match self {
            Self::Number(range) | Self::Code(range) | Self::Track(range) => range,
        }
    }
}

fn rewrite(text: &str, mut found: Vec<Finding>) -> String {
    found.sort_by_key(|finding| {
        (
            finding.range().start,
            std::cmp::Reverse(finding.range().end),
        )
    });
    let mut out = String::with_capacity(text.len() + TRACK_REMOVED.len());
    let mut at = 0;
    for finding in found {
        let range = finding.range().clone();
        if range.start < at {
            continue;
        }
        // All ranges start and end beside ASCII, so these slices always exist.
        out.push_str(text.get(at..range.start).unwrap_or_default());
        let inner = text.get(range.clone()).unwrap_or_default();
        match finding {
            Finding::Number(_) => push_masked(inner, &mut out),
            Finding::Code(_) => out.push_str("***"),
            Finding::Track(_) => out.push_str(TRACK_REMOVED),
        }
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// Keeps the first six and the last four digits and the separators.
fn push_masked(number: &str, out: &mut String) {
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let mut seen = 0;
    for c in number.chars() {
        if c.is_ascii_digit() {
            seen += 1;
            let keep = seen <= 6 || seen + 4 > digits;
            out.push(if keep { c } else { '*' });
        } else {
            out.push(c);
        }
    }
}
