//! Groups of digits that belong together: chains of them, and the card numbers in a chain.

use super::context::{is_fraction, is_in_hex, is_in_uuid};
use super::pan::{DIGITS_MAX, DIGITS_MIN, card_number_in_run, is_card_number};
use super::text::Finding;
use super::track::{track, track_without_check};

/// Between two groups of a chain stand no more bytes than these.
const GAP_BYTES_MAX: usize = 6;

/// Where the group after the one that starts and ends there begins, if one follows without a letter between.
///
/// Anything but a single space or dash joins only groups as they are printed on cards, so that the parts
/// of times, amounts and addresses are no chain.
#[inline]
fn next_group(bytes: &[u8], start: usize, end: usize) -> Option<usize> {
    match bytes.get(end..end + 2)? {
        [b' ' | b'-', b'0'..=b'9'] => Some(end + 1),
        [first, _] if *first >= 0x80 => group_behind_gap(bytes, start, end),
        [first, _] if matches!(end - start, 4 | 6) && !first.is_ascii_alphanumeric() => {
            group_behind_gap(bytes, start, end)
        }
        _ => None,
    }
}

/// As `next_group`, behind a gap of several bytes, or of one that is no space or dash.
#[cold]
fn group_behind_gap(bytes: &[u8], start: usize, end: usize) -> Option<usize> {
    let rest = bytes.get(end..)?;
    let length = rest
        .iter()
        .take(GAP_BYTES_MAX + 1)
        .position(u8::is_ascii_alphanumeric)?;
    let (between, next) = rest.split_at_checked(length)?;
    let joins =
        next.first()?.is_ascii_digit() && (matches!(end - start, 4 | 6) || is_joint(between));
    joins.then_some(end + length)
}

/// Whether a gap is one space or one dash of any kind, or a character without width.
fn is_joint(between: &[u8]) -> bool {
    if let [byte] = between {
        return matches!(byte, b' ' | b'-');
    }
    let Ok(between) = std::str::from_utf8(between) else {
        return false;
    };
    let mut characters = between.chars();
    let joint = characters.next().is_some_and(|c| {
        matches!(
            c,
            // Spaces, then dashes, then what has no width.
            '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
                | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
                | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
        )
    });
    joint && characters.next().is_none()
}

/// Finds chains of digit groups, and the card numbers in them.
///
/// `digits` is how many there are: when fewer are left than a card number has, the rest is not looked at.
pub(super) fn find_numbers(bytes: &[u8], digits: usize, found: &mut Vec<Finding>) {
    let mut at = 0;
    let mut left = digits;
    while left >= DIGITS_MIN
        && let Some(start) = next_digit(bytes, at)
    {
        let mut end = end_of_digits(bytes, start);
        let mut total = end - start;
        let mut group = start;
        while let Some(next) = next_group(bytes, group, end) {
            group = next;
            end = end_of_digits(bytes, group);
            total += end - group;
        }
        at = end;
        left = left.saturating_sub(total);
        if total >= DIGITS_MIN {
            find_in_chain(bytes, start, found);
        }
    }
}

fn next_digit(bytes: &[u8], from: usize) -> Option<usize> {
    bytes
        .get(from..)?
        .iter()
        .position(u8::is_ascii_digit)
        .map(|at| from + at)
}

pub(super) fn end_of_digits(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest
        .iter()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(rest.len())
}

/// The longest card number from each group on. A number begins or ends inside a group only where
/// zeros stand before it or an expiry date behind it.
fn find_in_chain(bytes: &[u8], start: usize, found: &mut Vec<Finding>) {
    let mut group = Some(start);
    while let Some(start) = group {
        let first_end = end_of_digits(bytes, start);
        let in_run = || {
            let run = bytes.get(start..first_end)?;
            let within = card_number_in_run(run)?;
            Some(start + within.start..start + within.end)
        };
        let number = match longest(bytes, start) {
            Some((last, end)) => Some((start..end, last)),
            None => in_run().map(|range| (range, start)),
        };
        let Some((range, last)) = number else {
            let track = track_without_check(bytes, &(start..first_end));
            found.extend(track.map(Finding::Track));
            group = next_group(bytes, start, first_end);
            continue;
        };
        let part_of_more = is_in_uuid(bytes, start)
            || (range.end <= first_end
                && (is_fraction(bytes, start) || is_in_hex(bytes, &(start..first_end))));
        let end = range.end.max(first_end);
        // The marks of track data (`B`, `D`) are hexadecimal digits too.
        match track(bytes, &range) {
            Some(track) => found.push(Finding::Track(track)),
            None if part_of_more => {}
            None => found.push(Finding::Number(range)),
        }
        group = next_group(bytes, last, end);
    }
}

/// How the groups from a first one on are written, as far as they were looked at.
struct Shape<'a> {
    groups: usize,
    first: usize,
    last: usize,
    /// Every group has three digits or more.
    all_long: bool,
    /// The groups before the last are as long as the first.
    same_before: bool,
    /// The second of three groups has six digits, as on cards of fifteen and fourteen.
    six: bool,
    /// The gaps are single spaces or dashes.
    joints: bool,
    /// The gaps are this one.
    gap: Option<&'a [u8]>,
}

impl<'a> Shape<'a> {
    fn new(first: usize) -> Self {
        Self {
            groups: 1,
            first,
            last: first,
            all_long: first >= 3,
            same_before: true,
            six: false,
            joints: true,
            gap: None,
        }
    }

    /// Takes the next group; `false` when a gap of this kind joins no card number.
    fn join(&mut self, gap: &'a [u8], digits: usize) -> bool {
        let joint = is_joint(gap);
        let same = self.groups == 1 || self.gap == Some(gap);
        self.joints &= joint;
        self.gap = same.then_some(gap);
        self.same_before &= self.last == self.first;
        self.six = self.groups == 1 && digits == 6 || self.six && self.groups == 2;
        self.all_long &= digits >= 3;
        self.last = digits;
        self.groups += 1;
        self.joints || same
    }

    /// Whether people write card numbers so: in one group; with single spaces or dashes in groups of three or more
    /// digits, or of one size with a shorter rest; with anything else between only in the groups printed on cards.
    /// Lists of small numbers are none of these.
    fn is_plausible(&self) -> bool {
        self.groups == 1
            || self.joints && (self.all_long || self.same_before && self.last <= self.first)
            || self.is_printed()
    }

    /// Groups of four with a shorter rest, or 4-6-5 and 4-6-4, always with the same between.
    fn is_printed(&self) -> bool {
        self.gap.is_some()
            && self.groups >= 3
            && self.first == 4
            && (self.same_before && self.last <= 4
                || self.groups == 3 && self.six && matches!(self.last, 4 | 5))
    }
}

/// Where the last group of the longest card number starts and ends that begins with the group at `start`.
fn longest(bytes: &[u8], start: usize) -> Option<(usize, usize)> {
    // Every issuer's range starts with one of these: most ids and times end here.
    if !matches!(bytes.get(start), Some(b'2'..=b'6' | b'8' | b'9')) {
        return None;
    }
    let mut digits = [0_u8; DIGITS_MAX];
    let mut end = end_of_digits(bytes, start);
    let mut group = start;
    let mut used = 0;
    let mut found = None;
    let mut shape = Shape::new(end - start);
    loop {
        let source = bytes.get(group..end)?;
        let Some(target) = digits.get_mut(used..used + source.len()) else {
            return found;
        };
        target.copy_from_slice(source);
        used += source.len();
        if used >= DIGITS_MIN
            && shape.is_plausible()
            && digits.get(..used).is_some_and(is_card_number)
            && (shape.joints || !is_in_list(bytes, start, end, &shape))
        {
            found = Some((group, end));
        }
        let Some(next) = next_group(bytes, group, end) else {
            return found;
        };
        let between = bytes.get(end..next)?;
        group = next;
        end = end_of_digits(bytes, group);
        if !shape.join(between, end - group) {
            return found;
        }
    }
}

/// Whether groups of four are a part of a longer list of such groups.
fn is_in_list(bytes: &[u8], start: usize, end: usize, shape: &Shape<'_>) -> bool {
    let (Some(between), 4) = (shape.gap, shape.last) else {
        return false;
    };
    let four = |group: &[u8]| group.len() >= 4 && group.iter().take(4).all(u8::is_ascii_digit);
    let after = bytes.get(end..).unwrap_or_default();
    let four_after = after
        .strip_prefix(between)
        .is_some_and(|rest| four(rest) && !rest.get(4).is_some_and(u8::is_ascii_digit));
    let before = bytes.get(..start).unwrap_or_default();
    let four_before = before.strip_suffix(between).is_some_and(|rest| {
        let from = rest.len().saturating_sub(4);
        let digit_before = from.checked_sub(1).and_then(|at| rest.get(at));
        rest.get(from..).is_some_and(four) && !digit_before.is_some_and(u8::is_ascii_digit)
    });
    shape.same_before && (four_after || four_before)
}
