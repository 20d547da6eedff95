//! Masking in plain text.

use std::borrow::Cow;
use std::ops::Range;

use super::codes::{find_codes, may_name_code};
use super::groups::find_numbers;
use super::pan::DIGITS_MIN;

const TRACK_REMOVED: &str = "[track data removed]";
/// The digits of a verification code.
pub(super) const CODE_DIGITS_MIN: usize = 3;

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
    let (digits, is_ascii, may_name) = count(bytes);
    if !is_ascii && has_other_digits(text) {
        let plain = with_plain_digits(text);
        let (digits, ..) = count(plain.as_bytes());
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
    let bytes = text.as_bytes();
    let may_have_code = may_name && digits >= CODE_DIGITS_MIN && may_name_code(bytes);
    if digits < DIGITS_MIN && !may_have_code {
        return None;
    }
    let mut found = Vec::new();
    if digits >= DIGITS_MIN {
        find_numbers(bytes, digits, &mut found);
    }
    if may_have_code {
        find_codes(bytes, &mut found);
    }
    (!found.is_empty()).then(|| rewrite(text, found))
}

/// The digits in `bytes`, whether all is ASCII, and whether there are a `c` and a letter from `s` on, as in
/// every name of a code; eight bytes at a time.
#[inline]
fn count(bytes: &[u8]) -> (usize, bool, bool) {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let (mut digits, mut all, mut late, mut c) = (0, 0, 0, 0);
    let mut take = |word: u64| {
        digits += digits_of(word);
        all |= word;
        let lower = (word | (ONES * 0x20)) & !HIGHS;
        // Adding the distance from `s` to 128 reaches the high bit; so does taking one from nothing.
        late |= lower + ONES * u64::from(128 - b's');
        let difference = lower ^ (ONES * u64::from(b'c'));
        c |= difference.wrapping_sub(ONES) & !difference;
    };
    for chunk in chunks {
        take(u64::from_le_bytes(*chunk));
    }
    let mut last = [0; 8];
    for (slot, byte) in last.iter_mut().zip(rest) {
        *slot = *byte;
    }
    take(u64::from_le_bytes(last));
    let may_name = late & HIGHS != 0 && c & HIGHS != 0;
    (digits, all & HIGHS == 0, may_name)
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

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// How many of eight bytes are digits.
#[inline]
fn digits_of(word: u64) -> usize {
    // A digit's distance from '0' is 0 to 9: adding 118 to it does not reach the high bit, adding
    // it to anything else below 128 does, and bytes from 128 on have it already.
    let distance = word ^ (ONES * 0x30);
    let low = (distance & !HIGHS) + ONES * 118;
    8 - ((low | distance) & HIGHS).count_ones() as usize
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
