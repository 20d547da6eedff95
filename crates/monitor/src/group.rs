//! One incident per cause: slices that fire together are told as the smallest slice that holds them.
//!
//! When a PSP breaks, each of its issuers fires. What a person must hear is `psp=adyen`, once. The
//! rule: of all slices that fix some of the dimensions of what fires, take the one that holds the
//! most of it, provided that nearly all of its traffic is off, also counting what is too little to
//! be judged, and that its own figure says so too; then look again at what is left.

use std::collections::{HashMap, HashSet};

use crate::figure::Slice;

/// What a detector says of one slice, as far as grouping cares.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The slice; all evidence of one call fixes the same dimensions.
    pub slice: Slice,
    /// How much traffic it has; 1 where that is not known.
    pub weight: f64,
    /// Whether it fires.
    pub firing: bool,
    /// Whether it points the same way, though perhaps too weakly to fire on its own.
    pub leaning: bool,
    /// Whether it could be judged. One that could not counts by its traffic alone.
    pub judged: bool,
}

/// Slices that fire for one cause.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The smallest slice that holds them.
    pub slice: Slice,
    /// Those of them that fire.
    pub members: Vec<Slice>,
    /// How many point its way, firing or not.
    pub leaning: usize,
    /// How many slices it holds that could be judged.
    pub total: usize,
}

/// Share of a candidate's traffic that must be off.
const WEIGHT_SHARE_MIN: f64 = 0.8;
/// Share of a candidate's slices that must be off.
const COUNT_SHARE_MIN: f64 = 0.5;
/// Slices that must be off together before they are merged.
const LEANING_MIN: usize = 2;

#[derive(Default)]
struct Tally {
    firing: usize,
    leaning: usize,
    total: usize,
    leaning_weight: f64,
    weight: f64,
}

impl Tally {
    fn explains(&self) -> bool {
        self.leaning >= LEANING_MIN
            && self.leaning as f64 >= COUNT_SHARE_MIN * self.total as f64
            && self.leaning_weight >= WEIGHT_SHARE_MIN * self.weight
    }
}

/// Groups all evidence that fires. Every firing slice is a member of exactly one group. `holds` says
/// of a slice that would explain others whether its own figure, taken over all of it, is off.
///
/// # Errors
/// Those of `holds`.
pub fn group<E>(
    evidence: &[Evidence],
    mut holds: impl FnMut(&Slice) -> Result<bool, E>,
) -> Result<Vec<Group>, E> {
    let mut rest: Vec<&Evidence> = evidence.iter().filter(|e| e.firing).collect();
    let mut groups = Vec::new();
    while let Some(first) = rest.first() {
        let best = if rest.len() > 1 || evidence.len() > 1 {
            best_parent(evidence, &rest, &mut holds)?
        } else {
            None
        };
        let found = best.unwrap_or_else(|| Group {
            slice: first.slice.clone(),
            members: Vec::new(),
            leaning: 1,
            total: 1,
        });
        let (members, others) = rest.into_iter().partition(|e| found.slice.covers(&e.slice));
        let members: Vec<&Evidence> = members;
        let members = members.into_iter().map(|e| e.slice.clone()).collect();
        groups.push(Group { members, ..found });
        rest = others;
    }
    Ok(groups)
}

/// The slice above what is left that explains the most of it; of equals the one with the fewest
/// dimensions.
fn best_parent<E>(
    evidence: &[Evidence],
    rest: &[&Evidence],
    holds: &mut impl FnMut(&Slice) -> Result<bool, E>,
) -> Result<Option<Group>, E> {
    let candidates: HashSet<Slice> = rest.iter().flat_map(|e| parents(&e.slice)).collect();
    let mut tallies: HashMap<&Slice, Tally> = candidates
        .iter()
        .map(|slice| (slice, Tally::default()))
        .collect();
    let left: HashSet<&Slice> = rest.iter().map(|e| &e.slice).collect();
    for e in evidence {
        for parent in parents(&e.slice) {
            let Some(tally) = tallies.get_mut(&parent) else {
                continue;
            };
            let leaning = e.leaning || e.firing;
            tally.total += usize::from(e.judged);
            tally.weight += e.weight;
            tally.leaning += usize::from(leaning);
            tally.leaning_weight += if leaning { e.weight } else { 0.0 };
            tally.firing += usize::from(left.contains(&e.slice));
        }
    }
    let mut explaining: Vec<(&Slice, Tally)> = tallies
        .into_iter()
        .filter(|(_, tally)| tally.explains())
        .collect();
    explaining.sort_by(|(a, s), (b, t)| {
        let size = (t.firing, t.leaning).cmp(&(s.firing, s.leaning));
        size.then(a.dimensions().cmp(&b.dimensions()))
            .then(a.cmp(b))
    });
    for (slice, tally) in explaining {
        if holds(slice)? {
            return Ok(Some(Group {
                slice: slice.clone(),
                members: Vec::new(),
                leaning: tally.leaning,
                total: tally.total,
            }));
        }
    }
    Ok(None)
}

/// Every slice above `slice`: each proper subset of its dimensions.
fn parents(slice: &Slice) -> impl Iterator<Item = Slice> {
    let dimensions = slice.dimensions().min(16);
    let all = (1_u32 << dimensions) - 1;
    (0..all).map(move |mask| {
        let mut position = 0;
        slice.project(|_| {
            position += 1;
            mask >> (position - 1) & 1 == 1
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten issuers at each of three PSPs; `state` says whether one fires or leans.
    fn grid(state: impl Fn(&str, u32) -> (bool, bool)) -> Vec<Evidence> {
        let mut evidence = Vec::new();
        for psp in ["a", "b", "c"] {
            for issuer in 0..10 {
                let (firing, leaning) = state(psp, issuer);
                let slice = Slice::from([("psp", psp), ("issuer", &issuer.to_string())]);
                evidence.push(Evidence {
                    slice,
                    weight: 100.0,
                    firing,
                    leaning,
                    judged: true,
                });
            }
        }
        evidence
    }

    fn grouped(evidence: &[Evidence]) -> Vec<Group> {
        group(evidence, |_| Ok::<_, std::convert::Infallible>(true)).unwrap()
    }

    fn slices(evidence: &[Evidence]) -> Vec<String> {
        let mut found: Vec<String> = grouped(evidence)
            .iter()
            .map(|g| g.slice.to_string())
            .collect();
        found.sort();
        found
    }

    #[test]
    fn one_slice_that_fires_alone_stays_itself() {
        assert_eq!(
            slices(&grid(|p, i| (p == "a" && i == 7, false))),
            ["issuer=7, psp=a"]
        );
    }

    #[test]
    fn a_broken_psp_is_one_incident_though_some_issuers_only_lean() {
        let evidence = grid(|p, i| (p == "a" && i < 3, p == "a" && i < 9));
        assert_eq!(slices(&evidence), ["psp=a"]);
        let found = grouped(&evidence);
        assert_eq!(
            (found[0].members.len(), found[0].leaning, found[0].total),
            (3, 9, 10)
        );
    }

    #[test]
    fn a_broken_issuer_is_one_incident_over_all_psps() {
        assert_eq!(slices(&grid(|_, i| (i == 4, false))), ["issuer=4"]);
    }

    #[test]
    fn everything_broken_is_the_whole_metric() {
        assert_eq!(slices(&grid(|_, _| (true, true))), ["all"]);
    }

    #[test]
    fn two_causes_are_two_incidents() {
        let evidence = grid(|p, i| (p == "a" || (p == "b" && i == 4), false));
        assert_eq!(slices(&evidence), ["issuer=4, psp=b", "psp=a"]);
    }

    #[test]
    fn two_unrelated_slices_are_not_merged() {
        let evidence = grid(|p, i| ((p == "a" && i == 1) || (p == "b" && i == 2), false));
        assert_eq!(slices(&evidence), ["issuer=1, psp=a", "issuer=2, psp=b"]);
    }

    #[test]
    fn many_small_slices_do_not_speak_for_a_parent_whose_traffic_is_elsewhere() {
        let mut evidence = grid(|p, i| (p == "a" && i < 9, false));
        for e in &mut evidence {
            let healthy = Slice::from([("psp", "a"), ("issuer", "9")]);
            e.weight = if e.slice == healthy { 100_000.0 } else { 10.0 };
        }
        assert_eq!(grouped(&evidence).len(), 9);
    }

    #[test]
    fn every_firing_slice_is_in_exactly_one_grouped() {
        for seed in 0..200_u32 {
            let evidence = grid(|p, i| {
                let hash =
                    (seed * 31 + i * 7 + u32::from(p.as_bytes()[0])).wrapping_mul(2_654_435_761);
                (hash >> 28 < 5, hash >> 28 < 8)
            });
            let mut members: Vec<Slice> = grouped(&evidence)
                .into_iter()
                .flat_map(|g| g.members)
                .collect();
            members.sort();
            let mut firing: Vec<Slice> = evidence
                .into_iter()
                .filter(|e| e.firing)
                .map(|e| e.slice)
                .collect();
            firing.sort();
            assert_eq!(members, firing, "seed {seed}");
        }
    }

    #[test]
    fn nothing_firing_is_no_grouped() {
        assert!(grouped(&grid(|_, _| (false, true))).is_empty());
        assert!(grouped(&[]).is_empty());
    }

    #[test]
    fn a_monitor_without_dimensions_has_one_grouped() {
        let whole = Evidence {
            slice: Slice::whole(),
            weight: 1.0,
            firing: true,
            leaning: true,
            judged: true,
        };
        assert_eq!(slices(&[whole]), ["all"]);
    }

    #[test]
    fn what_is_too_little_to_be_judged_counts_by_its_traffic() {
        for (unjudged_weight, expected) in [(1.0, "psp=a"), (100.0, "issuer=0, psp=a")] {
            let mut evidence = grid(|p, i| (p == "a" && i < 2, false));
            let of_a = Slice::from([("psp", "a")]);
            for e in evidence.iter_mut().filter(|e| of_a.covers(&e.slice)) {
                if !e.firing {
                    (e.judged, e.weight) = (false, unjudged_weight);
                }
            }
            assert_eq!(slices(&evidence)[0], expected, "{unjudged_weight}");
        }
    }

    #[test]
    fn a_slice_whose_own_figure_is_not_off_explains_nothing() {
        let evidence = grid(|p, _| (p != "c", true));
        let whole_is_well =
            |slice: &Slice| Ok::<_, std::convert::Infallible>(slice.dimensions() > 0);
        let found = group(&evidence, whole_is_well).unwrap();
        let mut names: Vec<String> = found.iter().map(|g| g.slice.to_string()).collect();
        names.sort();
        assert_eq!(names, ["psp=a", "psp=b"]);
    }
}
