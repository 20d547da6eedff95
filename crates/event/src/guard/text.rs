//! Masking in plain text.

use std::borrow::Cow;
use std::ops::Range;

use super::pan::{DIGITS_MAX, DIGITS_MIN, is_card_number};

const TRACK_REMOVED: &str = "[track data removed]";
/// Track 1 has at most 79 characters (ISO/IEC 7813); without its end mark no more than that is removed.
const TRACK_BYTES_MAX: usize = 79;

/// Masks card numbers and removes verification codes and track data; borrows when there is none.
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if bytes.len() < 6 {
        return Cow::Borrowed(text);
    }
    let (digits, v) = count(bytes);
    let has_code = v && digits >= 3 && has_cv(bytes);
    if digits < DIGITS_MIN && !has_code {
        return Cow::Borrowed(text);
    }
    let mut found = Vec::new();
    if digits >= DIGITS_MIN {
        find_numbers(bytes, digits, &mut found);
    }
    if has_code {
        find_codes(bytes, &mut found);
    }
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(rewrite(text, found))
}

/// The digits in `bytes`, and whether a `v` or `V` is there; eight bytes at a time.
#[inline]
fn count(bytes: &[u8]) -> (usize, bool) {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut digits = 0;
    let mut v = false;
    for chunk in chunks {
        let word = u64::from_le_bytes(*chunk);
        digits += digits_of(word);
        v |= has_v(word);
    }
    let mut last = [0; 8];
    for (slot, byte) in last.iter_mut().zip(rest) {
        *slot = *byte;
    }
    let word = u64::from_le_bytes(last);
    (digits + digits_of(word), v | has_v(word))
}

/// Whether a `c` stands before a `v`; without an early end, which lets the compiler use vectors.
#[inline]
fn has_cv(bytes: &[u8]) -> bool {
    let after = bytes.get(1..).unwrap_or_default();
    bytes.iter().zip(after).fold(false, |found, (c, v)| {
        found | ((c | 0x20 == b'c') & (v | 0x20 == b'v'))
    })
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

#[inline]
fn has_v(word: u64) -> bool {
    let difference = (word | (ONES * 0x20)) ^ (ONES * 0x76);
    difference.wrapping_sub(ONES) & !difference & HIGHS != 0
}

/// What to do with a range of the text.
enum Finding {
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

/// Finds chains of digit groups joined by single spaces or dashes, and the card numbers in them.
///
/// `digits` is how many there are: when fewer are left than a card number has, the rest is not looked at.
fn find_numbers(bytes: &[u8], digits: usize, found: &mut Vec<Finding>) {
    let mut at = 0;
    let mut left = digits;
    while left >= DIGITS_MIN
        && let Some(start) = next_digit(bytes, at)
    {
        let mut end = end_of_digits(bytes, start);
        let mut total = end - start;
        while let Some(next) = next_group(bytes, end) {
            end = end_of_digits(bytes, next);
            total += end - next;
        }
        at = end;
        left = left.saturating_sub(total);
        if total >= DIGITS_MIN {
            find_in_chain(bytes, start, found);
        }
    }
}

/// Where the next group of a chain starts, if one follows the group that ends at `end`.
#[inline]
fn next_group(bytes: &[u8], end: usize) -> Option<usize> {
    match bytes.get(end..end + 2) {
        Some([b' ' | b'-', b'0'..=b'9']) => Some(end + 1),
        _ => None,
    }
}

fn next_digit(bytes: &[u8], from: usize) -> Option<usize> {
    bytes
        .get(from..)?
        .iter()
        .position(u8::is_ascii_digit)
        .map(|at| from + at)
}

fn end_of_digits(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest
        .iter()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(rest.len())
}

/// The longest card number from each group on; a number never begins or ends inside a group.
fn find_in_chain(bytes: &[u8], start: usize, found: &mut Vec<Finding>) {
    let mut group = Some(start);
    while let Some(start) = group {
        let first_end = end_of_digits(bytes, start);
        let Some(end) = longest(bytes, start) else {
            find_track_without_check(bytes, &(start..first_end), found);
            group = next_group(bytes, first_end);
            continue;
        };
        let range = start..end;
        let part_of_more = is_in_uuid(bytes, start)
            || (end == first_end && (is_fraction(bytes, start) || is_in_hex(bytes, &range)));
        // The marks of track data (`B`, `D`) are hexadecimal digits too.
        match track(bytes, &range) {
            Some(track) => found.push(Finding::Track(track)),
            None if part_of_more => {}
            None => found.push(Finding::Number(range)),
        }
        group = next_group(bytes, end);
    }
}

/// The end of the longest card number that starts with the group at `start`, in groups as people
/// write them: one, or all of three or more digits, or all of one size with a shorter rest. Lists
/// of small numbers are none of these.
fn longest(bytes: &[u8], start: usize) -> Option<usize> {
    // Every issuer's range starts with one of these: most ids and times end here.
    if !matches!(bytes.get(start), Some(b'2'..=b'6')) {
        return None;
    }
    let mut digits = [0_u8; DIGITS_MAX];
    let mut used = 0;
    let mut found = None;
    let mut size = None;
    let (mut all_long, mut same_before) = (true, true);
    let mut group = Some(start);
    while let Some(from) = group {
        let end = end_of_digits(bytes, from);
        let source = bytes.get(from..end)?;
        let Some(target) = digits.get_mut(used..used + source.len()) else {
            break;
        };
        target.copy_from_slice(source);
        used += source.len();
        let size = *size.get_or_insert(source.len());
        all_long &= source.len() >= 3;
        let plausible = from == start || all_long || (same_before && source.len() <= size);
        same_before &= source.len() == size;
        if plausible && digits.get(..used).is_some_and(is_card_number) {
            found = Some(end);
        }
        group = next_group(bytes, end);
    }
    found
}

/// Whether the digits at `start` are the fraction of a number such as `0.4111111111111111`.
fn is_fraction(bytes: &[u8], start: usize) -> bool {
    let before = |back: usize| start.checked_sub(back).and_then(|at| bytes.get(at));
    before(1) == Some(&b'.') && before(2).is_some_and(u8::is_ascii_digit)
}

/// Whether the digits stand within a hexadecimal word, such as a hash, a trace id or a 64-bit id.
///
/// The shorter words need two letters: one letter before a card number is a slip of the pen.
fn is_in_hex(bytes: &[u8], range: &Range<usize>) -> bool {
    const HEX_BYTES_MIN: usize = 16;
    const HEX_BYTES_LONG: usize = 20;
    let before = bytes.get(..range.start).unwrap_or_default();
    let after = bytes.get(range.end..).unwrap_or_default();
    let left = before
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_alphanumeric())
        .count();
    let right = after
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric())
        .count();
    let word = bytes
        .get(range.start - left..range.end + right)
        .unwrap_or_default();
    let letters = word.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let letters_min = if word.len() < HEX_BYTES_LONG { 2 } else { 1 };
    word.len() >= HEX_BYTES_MIN && letters >= letters_min && word.iter().all(u8::is_ascii_hexdigit)
}

/// Whether the digits at `start` stand in a UUID (8-4-4-4-12 hexadecimal digits).
fn is_in_uuid(bytes: &[u8], start: usize) -> bool {
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

/// The range of the track data around a card number, if it stands in track data.
fn track(bytes: &[u8], number: &Range<usize>) -> Option<Range<usize>> {
    let before = bytes.get(..number.start)?;
    match bytes.get(number.end)? {
        b'^' => {
            let start = if before.ends_with(b"%B") {
                number.start - 2
            } else if before.ends_with(b"B") {
                number.start - 1
            } else {
                number.start
            };
            Some(start..end_of_track(bytes, number.end))
        }
        b'=' | b'D' => {
            let after = end_of_digits(bytes, number.end + 1);
            let sentinel = before.ends_with(b";");
            // Expiry (4) and service code (3) at least, behind the separator.
            (sentinel || after - number.end > 7).then(|| {
                let end = if bytes.get(after) == Some(&b'?') {
                    after + 1
                } else {
                    after
                };
                number.start - usize::from(sentinel)..end
            })
        }
        _ => None,
    }
}

/// Track data with its start mark is removed even when the number in it fails its check.
fn find_track_without_check(bytes: &[u8], group: &Range<usize>, found: &mut Vec<Finding>) {
    let before = bytes.get(..group.start).unwrap_or_default();
    let marked = before.ends_with(b"%B") || before.ends_with(b";");
    let mark_after = matches!(bytes.get(group.end), Some(b'^' | b'='));
    if marked && mark_after && (12..=DIGITS_MAX).contains(&group.len()) {
        found.extend(track(bytes, group).map(Finding::Track));
    }
}

/// The end of track 1: after its `?`, or where it can no longer go on.
fn end_of_track(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let window = rest.get(..TRACK_BYTES_MAX).unwrap_or(rest);
    if let Some(at) = window.iter().position(|b| *b == b'?') {
        return from + at + 1;
    }
    from + window
        .iter()
        .position(|b| !(b' '..=b'~').contains(b))
        .unwrap_or(window.len())
}

/// Finds `cvv: 123`, `CVC2=1234`, `"cvv":"123"` and the like: the digits are removed.
fn find_codes(bytes: &[u8], found: &mut Vec<Finding>) {
    const GAP_BYTES_MAX: usize = 5;
    for (at, word) in bytes.windows(3).enumerate() {
        let [c, v, third] = word else { continue };
        let known =
            c | 0x20 == b'c' && v | 0x20 == b'v' && matches!(third | 0x20, b'v' | b'c' | b'n');
        let inside = at
            .checked_sub(1)
            .and_then(|i| bytes.get(i))
            .is_some_and(u8::is_ascii_alphabetic);
        if !known || inside {
            continue;
        }
        let mut start = at + 3;
        if bytes.get(start) == Some(&b'2') && !bytes.get(start + 1).is_some_and(u8::is_ascii_digit)
        {
            start += 1;
        }
        let gap = bytes
            .get(start..)
            .unwrap_or_default()
            .iter()
            .take(GAP_BYTES_MAX)
            .take_while(|b| {
                matches!(
                    b,
                    b' ' | b':' | b'=' | b'"' | b'\'' | b'#' | b'-' | b'\\' | b'\t'
                )
            })
            .count();
        let digits = start + gap;
        let end = end_of_digits(bytes, digits);
        if (3..=4).contains(&(end - digits)) {
            found.push(Finding::Code(digits..end));
        }
    }
}
