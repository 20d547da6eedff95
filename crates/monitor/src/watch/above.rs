//! The slices above those that a monitor splits its metric into: of `[psp, issuer]` each PSP, each issuer and the whole.
//!
//! A fault that hits all a little shows in none of many slices for long, and in all of them together at once. So what
//! lies above is tested as well, on what is left of it without the slices that are known to be off: one broken issuer
//! must not be told as a broken whole. And it is told only where it is less probable than each of its parts, and still
//! improbable without the part that is off most, as the parts are where a fault of their own shows most.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::state::SliceState;
use crate::figure::Slice;
use crate::incident::Deviation;

/// Dimensions up to which all combinations of them are looked at; of more, the first ones.
const ANY_MAX: usize = 3;
/// Dimensions that are told apart.
const DIMENSIONS_MAX: usize = 16;
/// Fewest slices that are judged together.
const PARTS_MIN: usize = 2;
/// Without the part that is off most, a slice must be at least so improbable: of one broken part nothing is left.
pub(super) const REST_P_MAX: f64 = 1e-3;

/// A slice above others.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Above {
    /// It.
    pub slice: Slice,
    /// Places of the slices within it that the monitor splits into, ascending.
    pub parts: Vec<usize>,
    /// Whether it may fire; else it is only there to see an end of what it fires for.
    pub is_tested: bool,
}

/// The slices above `slices`, which `by` splits into, the widest first. Of those that say the same, the widest is tested;
/// those that say nothing of their own are there only where `is_kept`.
pub(super) fn above(
    by: &[String],
    slices: &[Slice],
    is_kept: impl Fn(&Slice) -> bool,
) -> Vec<Above> {
    let by = by.get(..DIMENSIONS_MAX).unwrap_or(by);
    let all = (1_u32 << by.len()) - 1;
    let mut masks: Vec<u32> = if by.len() <= ANY_MAX {
        (0..all).collect()
    } else {
        (0..by.len()).map(|depth| (1 << depth) - 1).collect()
    };
    masks.sort_by_key(|mask| (mask.count_ones(), *mask));
    let mut found: Vec<Above> = Vec::new();
    let mut told: HashSet<Vec<usize>> = HashSet::new();
    for mask in masks {
        let mut parts: BTreeMap<Slice, Vec<usize>> = BTreeMap::new();
        for (at, slice) in slices.iter().enumerate() {
            let wide = slice.project(|dimension| {
                let at = by.iter().position(|one| one == dimension);
                at.is_some_and(|at| mask >> at & 1 == 1)
            });
            parts.entry(wide).or_default().push(at);
        }
        for (slice, parts) in parts {
            // A dimension with one value only says the same as the slice above it.
            let is_tested = parts.len() >= PARTS_MIN && told.insert(parts.clone());
            if is_tested || is_kept(&slice) {
                found.push(Above {
                    slice,
                    parts,
                    is_tested,
                });
            }
        }
    }
    found
}

/// Slices that are, or lately were, off, with the places within each and up to when: for good while they are off, and after
/// that, what was before they were well again.
pub(super) struct Off(Vec<One>);

struct One {
    slice: Slice,
    parts: Vec<usize>,
    upto_us: i64,
    /// The incident that it fires for.
    incident: Option<String>,
}

impl Off {
    /// Those of a monitor's slices and of the slices above them, as far as it matters after a time. `parts_of` has the places
    /// of the slices within one.
    pub fn of<'a>(
        states: &HashMap<Slice, SliceState>,
        from_us: i64,
        parts_of: impl Fn(&Slice) -> &'a [usize],
    ) -> Self {
        let off = states.iter().filter_map(|(slice, state)| {
            let upto_us = if state.hysteresis.is_firing() {
                i64::MAX
            } else {
                state.ignore_before_us
            };
            let is_known = upto_us > from_us;
            is_known.then(|| One {
                slice: slice.clone(),
                parts: parts_of(slice).to_vec(),
                upto_us,
                incident: state.incident.clone(),
            })
        });
        Self(off.collect())
    }

    /// What is left out of a slice when it is tested: its places that are off, each with the time up to which.
    pub fn within(&self, above: &Above) -> BTreeMap<usize, i64> {
        self.left_out(above, |_| true)
    }

    /// The same, and the part that is off most that way: `lacks` is how much less than expected a place had.
    pub fn within_and_worst(
        &self,
        above: &Above,
        deviation: Deviation,
        lacks: impl Fn(usize) -> f64,
    ) -> BTreeMap<usize, i64> {
        let mut without = self.within(above);
        let off = |part: usize| match deviation {
            Deviation::Down => lacks(part),
            Deviation::Up => -lacks(part),
        };
        let left = above.parts.iter().filter(|at| !without.contains_key(at));
        let worst = left.max_by(|a, b| off(**a).total_cmp(&off(**b))).copied();
        without.extend(worst.map(|worst| (worst, i64::MAX)));
        without
    }

    /// What is left out of one that fires for an incident, to see its end: what is off on its own account. A slice
    /// that holds it is not, and neither is one that fires for the same incident.
    pub fn apart_from(&self, above: &Above, incident: Option<&str>) -> BTreeMap<usize, i64> {
        self.left_out(above, |one| {
            let is_same = incident.is_some() && one.incident.as_deref() == incident;
            !is_same && !one.slice.covers(&above.slice)
        })
    }

    fn left_out(&self, above: &Above, counts: impl Fn(&One) -> bool) -> BTreeMap<usize, i64> {
        let mut until = BTreeMap::new();
        for one in self.0.iter().filter(|one| counts(one)) {
            let own = one.parts.iter();
            let own = own.filter(|at| above.parts.binary_search(at).is_ok());
            for part in own {
                let known = until.entry(*part).or_insert(one.upto_us);
                *known = (*known).max(one.upto_us);
            }
        }
        until
    }
}

/// Whether a slice above is less probable than each of those within it. `tested` are all that were tested, with their
/// p-values.
pub(super) fn is_least<'a>(
    above: &Above,
    p_value: f64,
    mut tested: impl Iterator<Item = (usize, &'a Slice, f64)>,
) -> bool {
    tested.all(|(at, slice, part)| {
        let is_part = above.parts.binary_search(&at).is_ok();
        let is_within = is_part || (*slice != above.slice && above.slice.covers(slice));
        !is_within || p_value < part
    })
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

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn told(found: &[Above]) -> Vec<(String, Vec<usize>)> {
        let tested = found.iter().filter(|one| one.is_tested);
        tested
            .map(|one| (one.slice.to_string(), one.parts.clone()))
            .collect()
    }

    #[test]
    fn above_slices_are_the_whole_and_each_part_that_holds_several() {
        let by = names(&["psp", "issuer"]);
        let found = above(&by, &slices(), |_| false);
        assert_eq!(
            told(&found),
            [
                ("all".to_owned(), vec![0, 1, 2, 3, 4]),
                ("psp=a".to_owned(), vec![0, 1]),
                ("psp=c".to_owned(), vec![3, 4]),
                ("issuer=1".to_owned(), vec![0, 2]),
            ]
        );
        assert_eq!(above(&[], &[Slice::whole()], |_| false), []);
        // All of one PSP: the PSP is the whole.
        let one = above(&by, &slices()[..2], |_| false);
        assert_eq!(told(&one), [("all".to_owned(), vec![0, 1])]);
        // One that fires is there as long as there is anything of it.
        let psp = Slice::from([("psp", "a")]);
        let kept = above(&by, &slices()[..1], |slice| *slice == psp);
        assert_eq!(kept.len(), 1);
        assert_eq!((&kept[0].slice, kept[0].is_tested), (&psp, false));
    }

    #[test]
    fn of_slices_that_are_the_same_by_other_names_one_is_tested() {
        let by = names(&["psp", "method", "issuer"]);
        let slice = |psp, method, issuer| {
            Slice::from([("psp", psp), ("method", method), ("issuer", issuer)])
        };
        let slices = [
            slice("x", "ideal", "1"),
            slice("x", "ideal", "2"),
            slice("y", "card", "1"),
            slice("y", "card", "2"),
        ];
        let found = told(&above(&by, &slices, |_| false));
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["all", "psp=x", "psp=y", "issuer=1", "issuer=2"]);
        // Of many dimensions only the first ones are put together.
        let by = names4();
        let slices: Vec<Slice> = ["1", "2"]
            .iter()
            .map(|d| Slice::from([("a", "1"), ("b", "1"), ("c", *d), ("d", *d)]))
            .collect();
        assert_eq!(told(&above(&by, &slices, |_| false)).len(), 1);
    }

    fn names4() -> Vec<String> {
        names(&["a", "b", "c", "d"])
    }

    #[test]
    fn what_is_off_is_left_out_and_what_was_until_it_was_well_again() {
        let slices = slices();
        let by = names(&["psp", "issuer"]);
        let above = above(&by, &slices, |_| false);
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
            (slices[0].clone(), firing.clone()),
            (Slice::from([("psp", "a")]), over.clone()),
            (Slice::from([("psp", "c")]), over),
            (Slice::whole(), firing),
            (slices[2].clone(), SliceState::default()),
        ]);
        let off = Off::of(&states, 100, parts_of);
        let whole = &above[0];
        // The whole fires: all of it is off, and of what is off on its own account the rest.
        assert_eq!(off.within(whole).len(), 5);
        assert_eq!(
            off.apart_from(whole, None),
            BTreeMap::from([(0, i64::MAX), (1, 500), (3, 500), (4, 500)])
        );
        assert_eq!(
            Off::of(&states, 500, parts_of)
                .apart_from(whole, None)
                .len(),
            1
        );
        // For an end of a PSP neither itself nor what holds it is left out.
        assert_eq!(
            off.apart_from(&above[1], None),
            BTreeMap::from([(0, i64::MAX)])
        );
    }

    #[test]
    fn only_what_is_less_probable_than_each_of_its_parts_is_told() {
        let slices = slices();
        let above = above(&names(&["psp", "issuer"]), &slices, |_| false);
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
