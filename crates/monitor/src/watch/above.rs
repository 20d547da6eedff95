//! The slices above those that a monitor splits its metric into: of `[psp, issuer]` each PSP, each issuer and the whole.
//!
//! A fault that hits all a little shows in none of many slices for long, and in all of them together at once. So what
//! lies above is tested as well, on what is left of it without the slices that are known to be off: one broken issuer
//! must not be told as a broken whole. And it is told only where it is less probable than each of its parts, as the
//! parts are where a fault of their own shows most.

use std::collections::{HashMap, HashSet};

use super::state::SliceState;
use crate::figure::Slice;

/// Dimensions up to which all combinations of them are looked at.
const ANY_MAX: usize = 3;
/// Dimensions that are told apart.
const DIMENSIONS_MAX: usize = 16;
/// Fewest slices that are judged together.
const PARTS_MIN: usize = 2;

/// A slice above others.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Above {
    /// It.
    pub slice: Slice,
    /// Places of the slices within it that the monitor splits into.
    pub parts: Vec<usize>,
}

/// Which slices above others are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// Those by the first dimensions, of which history says what is normal.
    First,
    /// Those by any of the dimensions, where there are few.
    Any,
}

/// The slices above `slices`, which `by` splits into, the widest first.
pub(super) fn above(by: &[String], slices: &[Slice], kept: Kept) -> Vec<Above> {
    let by = by.get(..DIMENSIONS_MAX).unwrap_or(by);
    let all = (1_u32 << by.len()) - 1;
    let mut masks: Vec<u32> = match kept {
        Kept::Any if by.len() <= ANY_MAX => (0..all).collect(),
        _ => (0..by.len()).map(|depth| (1 << depth) - 1).collect(),
    };
    masks.sort_by_key(|mask| (mask.count_ones(), *mask));
    let project = |slice: &Slice, mask: u32| {
        slice.project(|dimension| {
            let at = by.iter().position(|one| one == dimension);
            at.is_some_and(|at| mask >> at & 1 == 1)
        })
    };
    let mut found: Vec<Above> = Vec::new();
    let mut counts: HashMap<u32, HashMap<Slice, usize>> = HashMap::new();
    for mask in masks {
        let mut parts: HashMap<Slice, Vec<usize>> = HashMap::new();
        for (at, slice) in slices.iter().enumerate() {
            parts.entry(project(slice, mask)).or_default().push(at);
        }
        let count = parts.iter().map(|(slice, parts)| (slice.clone(), parts.len()));
        let count = count.collect();
        // A dimension with one value only says the same as the slice above it.
        let is_new = |slice: &Slice, count: usize| {
            let dimensions = (0..by.len()).filter(|at| mask >> at & 1 == 1);
            let mut wider = dimensions.map(|at| mask & !(1 << at));
            !wider.any(|mask| {
                let held = counts.get(&mask).map(|held| held.get(&project(slice, mask)));
                held.flatten() == Some(&count)
            })
        };
        let mut level: Vec<Above> = parts
            .into_iter()
            .filter(|(slice, parts)| parts.len() >= PARTS_MIN && is_new(slice, parts.len()))
            .map(|(slice, parts)| Above { slice, parts })
            .collect();
        level.sort_by(|a, b| a.slice.cmp(&b.slice));
        found.extend(level);
        counts.insert(mask, count);
    }
    found
}

/// Up to which time slices are left out of those above them, by their place: for good while they are off, and after
/// that, what was before they were well again. `parts_of` has the places of the slices within one.
pub(super) fn left_out<'a>(
    states: &HashMap<Slice, SliceState>,
    from_us: i64,
    parts_of: impl Fn(&Slice) -> &'a [usize],
) -> HashMap<usize, i64> {
    let mut until: HashMap<usize, i64> = HashMap::new();
    for (slice, state) in states {
        let upto_us = if state.hysteresis.is_firing() {
            i64::MAX
        } else {
            state.ignore_before_us
        };
        if upto_us <= from_us {
            continue;
        }
        for part in parts_of(slice) {
            let known = until.entry(*part).or_insert(upto_us);
            *known = upto_us.max(*known);
        }
    }
    until
}

/// Whether a slice above is less probable than each of those within it. `tested` are all that were tested, with their
/// p-values; `parts` and `slice` are its own.
pub(super) fn is_least<'a>(
    above: &Above,
    p_value: f64,
    tested: impl Iterator<Item = (usize, &'a Slice, f64)>,
) -> bool {
    let parts: HashSet<usize> = above.parts.iter().copied().collect();
    let mut within = tested.filter(|(at, slice, _)| {
        parts.contains(at) || (*slice != &above.slice && above.slice.covers(slice))
    });
    within.all(|(_, _, part)| p_value < part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::hysteresis::Hysteresis;

    fn slices() -> Vec<Slice> {
        let pairs = [("a", "1"), ("a", "2"), ("b", "1"), ("c", "3"), ("c", "4")];
        let slice = |(psp, issuer)| Slice::from([("psp", psp), ("issuer", issuer)]);
        pairs.into_iter().map(slice).collect()
    }

    fn by() -> Vec<String> {
        vec!["psp".to_owned(), "issuer".to_owned()]
    }

    #[test]
    fn above_slices_are_the_whole_and_each_part_that_holds_several() {
        let found = above(&by(), &slices(), Kept::First);
        let told: Vec<(String, Vec<usize>)> = found
            .iter()
            .map(|one| (one.slice.to_string(), one.parts.clone()))
            .collect();
        assert_eq!(
            told,
            [
                ("all".to_owned(), vec![0, 1, 2, 3, 4]),
                ("psp=a".to_owned(), vec![0, 1]),
                ("psp=c".to_owned(), vec![3, 4]),
            ]
        );
        assert_eq!(above(&[], &[Slice::whole()], Kept::Any), []);
        // All of one PSP: the PSP is the whole.
        let found = above(&by(), &slices()[..2], Kept::Any);
        assert_eq!(found.len(), 1);
        // Issuer 1 is at two PSPs.
        let found = above(&by(), &slices(), Kept::Any);
        let issuers: Vec<&Above> = found
            .iter()
            .filter(|one| one.slice.value("issuer").is_some())
            .collect();
        assert_eq!(issuers.len(), 1);
        assert_eq!(issuers[0].parts, [0, 2]);
    }

    #[test]
    fn what_is_off_is_left_out_and_what_was_until_it_was_well_again() {
        let slices = slices();
        let above = above(&by(), &slices, Kept::First);
        let places = [0, 1, 2, 3, 4];
        let parts_of = |slice: &Slice| match above.iter().find(|one| one.slice == *slice) {
            Some(wide) => wide.parts.as_slice(),
            None => {
                let at = slices.iter().position(|one| one == slice).unwrap();
                &places[at..=at]
            }
        };
        let firing = SliceState {
            hysteresis: Hysteresis::Firing {
                normal_since_us: None,
            },
            ..SliceState::default()
        };
        let over = SliceState {
            ignore_before_us: 500,
            ..SliceState::default()
        };
        let states = HashMap::from([
            (slices[0].clone(), firing),
            (Slice::from([("psp", "a")]), over.clone()),
            (Slice::from([("psp", "c")]), over),
            (slices[2].clone(), SliceState::default()),
        ]);
        let found = left_out(&states, 100, parts_of);
        assert_eq!(
            found,
            HashMap::from([(0, i64::MAX), (1, 500), (3, 500), (4, 500)])
        );
        assert!(left_out(&states, 500, parts_of).len() == 1);
    }

    #[test]
    fn only_what_is_less_probable_than_each_of_its_parts_is_told() {
        let slices = slices();
        let above = above(&by(), &slices, Kept::First);
        let psp = Slice::from([("psp", "a")]);
        let tested = [
            (0, &slices[0], 1e-3),
            (4, &slices[4], 1e-5),
            (5, &above[0].slice, 1e-6),
            (6, &psp, 1e-8),
        ];
        assert!(!is_least(&above[0], 1e-6, tested.into_iter()), "psp=a is");
        assert!(is_least(&above[0], 1e-9, tested.into_iter()));
        assert!(is_least(&above[1], 1e-8, tested.into_iter()));
        assert!(!is_least(&above[2], 1e-5, tested.into_iter()));
    }
}
