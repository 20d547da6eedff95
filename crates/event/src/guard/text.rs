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
    let (mut digits, mut v) = (0_u32, false);
    // One pass without branches, which the compiler turns into vector instructions.
    for byte in bytes {
        digits += u32::from(byte.wrapping_sub(b'0') < 10);
        v |= byte | 0x20 == b'v';
    }
    let has_code = v && digits >= 3;
    if (digits as usize) < DIGITS_MIN && !has_code {
        return Cow::Borrowed(text);
    }
    let mut found = Vec::new();
    if digits as usize >= DIGITS_MIN {
        find_numbers(bytes, &mut found);
    }
    if has_code {
        find_codes(bytes, &mut found);
    }
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(rewrite(text, found))
}

/// Whether the text of a number (`4111111111111111`, `4111111111111111.00`) holds a card number
/// as its whole part.
#[must_use]
pub fn number_has_card_number(text: &[u8]) -> bool {
    if text.len() < DIGITS_MIN {
        return false;
    }
    let start = text
        .iter()
        .position(u8::is_ascii_digit)
        .unwrap_or(text.len());
    let rest = text.get(start..).unwrap_or_default();
    let length = rest
        .iter()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(rest.len());
    rest.get(..length).is_some_and(is_card_number)
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
fn find_numbers(bytes: &[u8], found: &mut Vec<Finding>) {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while let Some(start) = next_digit(bytes, at) {
        groups.clear();
        let mut end = end_of_digits(bytes, start);
        let mut total = end - start;
        groups.push(start..end);
        while matches!(bytes.get(end), Some(b' ' | b'-'))
            && bytes.get(end + 1).is_some_and(u8::is_ascii_digit)
        {
            let next = end + 1;
            end = end_of_digits(bytes, next);
            total += end - next;
            groups.push(next..end);
        }
        at = end;
        if total < DIGITS_MIN {
            continue;
        }
        if let Some(after) = end_of_uuid(bytes, start) {
            at = after.max(end);
            continue;
        }
        find_in_chain(bytes, &groups, found);
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
fn find_in_chain(bytes: &[u8], groups: &[Range<usize>], found: &mut Vec<Finding>) {
    let mut first = 0;
    while let Some(start_group) = groups.get(first) {
        let mut digits = [0_u8; DIGITS_MAX];
        let mut used = 0;
        let mut last_match = None;
        for (count, group) in groups.iter().skip(first).enumerate() {
            let Some(source) = bytes.get(group.clone()) else {
                break;
            };
            let Some(target) = digits.get_mut(used..used + source.len()) else {
                break;
            };
            target.copy_from_slice(source);
            used += source.len();
            let window = groups.get(first..=first + count).unwrap_or_default();
            if digits.get(..used).is_some_and(is_card_number) && plausible_grouping(window) {
                last_match = Some((first + count, group.end));
            }
        }
        let Some((last, end)) = last_match else {
            find_track_without_check(bytes, start_group, found);
            first += 1;
            continue;
        };
        let range = start_group.start..end;
        let inside = last == first && (is_fraction(bytes, range.start) || is_in_hex(bytes, &range));
        if !inside {
            found.push(match track(bytes, &range) {
                Some(track) => Finding::Track(track),
                None => Finding::Number(range),
            });
        }
        first = last + 1;
    }
}

/// Groups as people write them: one, or all of three or more digits, or all of one size with a
/// shorter rest. Lists of small numbers are none of these.
fn plausible_grouping(groups: &[Range<usize>]) -> bool {
    let Some((last, before)) = groups.split_last() else {
        return false;
    };
    let Some(size) = before.first().map(Range::len) else {
        return true;
    };
    let all_long = groups.iter().all(|group| group.len() >= 3);
    all_long || (before.iter().all(|group| group.len() == size) && last.len() <= size)
}

/// Whether the digits at `start` are the fraction of a number such as `0.4111111111111111`.
fn is_fraction(bytes: &[u8], start: usize) -> bool {
    let before = |back: usize| start.checked_sub(back).and_then(|at| bytes.get(at));
    before(1) == Some(&b'.') && before(2).is_some_and(u8::is_ascii_digit)
}

/// Whether the digits stand within a long hexadecimal word, such as a hash or a trace id.
fn is_in_hex(bytes: &[u8], range: &Range<usize>) -> bool {
    const HEX_BYTES_MIN: usize = 20;
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
    word.len() >= HEX_BYTES_MIN && left + right > 0 && word.iter().all(u8::is_ascii_hexdigit)
}

/// The end of the UUID (8-4-4-4-12 hexadecimal digits) that the digits at `start` stand in.
fn end_of_uuid(bytes: &[u8], start: usize) -> Option<usize> {
    const UUID_BYTES: usize = 36;
    let before = bytes.get(..start)?;
    let in_word = |b: &&u8| b.is_ascii_hexdigit() || **b == b'-';
    let left = before
        .iter()
        .rev()
        .take(UUID_BYTES)
        .take_while(in_word)
        .count();
    // The word may begin before the UUID (`id-<uuid>`): try every start that covers the digits.
    (start - left..=start).find_map(|from| {
        let word = bytes.get(from..from + UUID_BYTES)?;
        let shaped = word.iter().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        });
        let ends = bytes
            .get(from + UUID_BYTES)
            .is_none_or(|b| !b.is_ascii_alphanumeric());
        let begins = from.checked_sub(1).and_then(|at| bytes.get(at));
        let begins = begins.is_none_or(|b| !b.is_ascii_alphanumeric());
        (shaped && begins && ends).then_some(from + UUID_BYTES)
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
