//! Track data: what the magnetic stripe of a card holds.

use std::ops::Range;

use super::groups::end_of_digits;
use super::pan::DIGITS_MAX;

/// Track 1 has at most 79 characters (ISO/IEC 7813); without its end mark no more than that is removed.
const TRACK_BYTES_MAX: usize = 79;

/// The range of the track data around a card number, if it stands in track data.
pub(super) fn track(bytes: &[u8], number: &Range<usize>) -> Option<Range<usize>> {
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

/// Track data with its start mark, which is removed even when the number in it fails its check.
pub(super) fn track_without_check(bytes: &[u8], group: &Range<usize>) -> Option<Range<usize>> {
    let before = bytes.get(..group.start).unwrap_or_default();
    let marked = before.ends_with(b"%B") || before.ends_with(b";");
    let mark_after = matches!(bytes.get(group.end), Some(b'^' | b'='));
    let fits = marked && mark_after && (12..=DIGITS_MAX).contains(&group.len());
    if fits { track(bytes, group) } else { None }
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
