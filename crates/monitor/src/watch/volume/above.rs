//! Counts of what lies above the slices of a monitor: tested, and seen to recover, without those within it that are off.

use std::collections::BTreeMap;

use super::super::above::{Above, Off, REST_P_MAX, above, is_least};
use super::super::state::{Finding, SliceState, Step};
use super::{Question, VolumeRound};
use crate::detect::count::{CountScore, Stretch, is_normal, recover, score};
use crate::figure::Slice;

/// A slice above others.
pub(super) struct Wide {
    /// Its place among the slices.
    at: usize,
    pub(super) of: Above,
    /// Events to be expected in all steps before the i-th of those within it, each by its own history: what is new is no
    /// fault of what holds it.
    expected: Vec<f64>,
    dispersion: f64,
}

impl Wide {
    /// Events to be expected between two positions.
    pub(super) fn expected(&self, begin: usize, end: usize) -> Option<f64> {
        Some(self.expected.get(end)? - self.expected.get(begin)?)
    }
}

/// What the slices within one have together.
struct Sum {
    seen: Vec<f64>,
    expected: Vec<f64>,
    unknown: usize,
    /// Of what is expected of each, times the square root of its dispersion.
    root: f64,
}

impl VolumeRound {
    /// Adds the slices above others, and those that `is_kept`, each with what those within it have whose own history says
    /// what is normal for them.
    pub(super) fn look_above(&mut self, by: &[String], is_kept: impl Fn(&Slice) -> bool) {
        let found = above(by, &self.slices, is_kept);
        let length = self.sums.first().map_or(0, Vec::len);
        let nothing = || Sum {
            seen: vec![0.0; length],
            expected: vec![0.0; length],
            unknown: 0,
            root: 0.0,
        };
        let mut sums: Vec<Sum> = found.iter().map(|_| nothing()).collect();
        let mut holders: Vec<Vec<usize>> = vec![Vec::new(); self.narrow];
        for (nth, wide) in found.iter().enumerate() {
            for part in &wide.parts {
                if let Some(of_part) = holders.get_mut(*part) {
                    of_part.push(nth);
                }
            }
        }
        for (part, holders) in holders.iter().enumerate() {
            let Some(volume) = self.volume(part) else {
                continue;
            };
            // Of every slice once, however many hold it.
            let steps = (0_i64..).map(|step| self.from_us + step * self.step_us);
            let mut expected = vec![0.0; length];
            let mut total = 0.0;
            for (cell, from_us) in expected.iter_mut().skip(1).zip(steps) {
                total += volume.expected(from_us, from_us + self.step_us);
                *cell = total;
            }
            for nth in holders {
                let Some(sum) = sums.get_mut(*nth) else {
                    continue;
                };
                let own = self.sums.get(part).into_iter().flatten();
                sum.seen
                    .iter_mut()
                    .zip(own)
                    .for_each(|(sum, own)| *sum += own);
                let own = sum.expected.iter_mut().zip(&expected);
                own.for_each(|(sum, own)| *sum += own);
                let unknown = self.unknown.get(part).copied().unwrap_or(0);
                sum.unknown = sum.unknown.max(unknown);
                sum.root += total * volume.dispersion().sqrt();
            }
        }
        for (of, sum) in found.into_iter().zip(sums) {
            let at = self.slices.len();
            self.index.insert(of.slice.clone(), at);
            self.slices.push(of.slice.clone());
            self.unknown.push(sum.unknown);
            self.normal.push(None);
            let total = sum.expected.last().copied().unwrap_or(0.0);
            // Without a history of its own, as if all swung the same way at the same time: the square root of the
            // dispersion is the mean of theirs.
            let own = self.volumes.of(&of.slice);
            let pooled = || (sum.root / total.max(f64::MIN_POSITIVE)).powi(2);
            let dispersion = own.map_or_else(pooled, |own| own.dispersion());
            self.sums.push(sum.seen);
            self.above.push(Wide {
                at,
                of,
                expected: sum.expected,
                dispersion,
            });
        }
    }

    /// The slice above others at a place.
    pub(super) fn wide(&self, at: usize) -> Option<&Wide> {
        self.above.get(at.checked_sub(self.narrow)?)
    }

    pub(super) fn dispersion(&self, at: usize) -> Option<f64> {
        match self.wide(at) {
            Some(wide) => Some(wide.dispersion),
            None => Some(self.volume(at)?.dispersion()),
        }
    }

    /// The places of the slices within one.
    pub(super) fn parts(&self, slice: &Slice) -> &[usize] {
        let Some(at) = self.index.get(slice).copied() else {
            return &[];
        };
        match self.wide(at) {
            Some(wide) => &wide.of.parts,
            None => self.places.get(at..=at).unwrap_or_default(),
        }
    }

    /// Scores a slice above others without what is left out of it. None where nothing is expected of the rest.
    pub(super) fn score_above(
        &self,
        wide: &Wide,
        step: Step,
        ignore_before_us: i64,
        without: &BTreeMap<usize, i64>,
    ) -> Option<CountScore> {
        let Question::Count(settings) = &self.question else {
            return None;
        };
        let rest = |steps: &usize| self.rest(wide, step, (*steps, ignore_before_us), without);
        let stretches = self.stretches.iter().filter_map(rest);
        let stretches = stretches.filter(|rest| rest.expected > 0.0);
        score(stretches, wide.dispersion, settings)
    }

    /// The last `steps` steps of a slice above others, without what is left out of it and what was before a time.
    fn rest(
        &self,
        wide: &Wide,
        step: Step,
        (steps, ignore_before_us): (usize, i64),
        without: &BTreeMap<usize, i64>,
    ) -> Option<Stretch> {
        let whole = self.stretch(wide.at, step, steps, ignore_before_us)?;
        let end = self.position(step);
        Some(self.less(whole, (end - whole.steps, end), without))
    }

    /// Each step of the longest stretch of what is left of a slice above others.
    pub(super) fn steps_of_rest(&self, wide: &Wide, step: Step, off: &Off) -> Vec<Stretch> {
        let without = off.within(&wide.of);
        let of = |i: usize| {
            let whole = self.between(wide.at, i, i + 1)?;
            Some(self.less(whole, (i, i + 1), &without))
        };
        self.longest(step).filter_map(of).collect()
    }

    /// A stretch without what is left out of it.
    fn less(
        &self,
        whole: Stretch,
        (begin, end): (usize, usize),
        without: &BTreeMap<usize, i64>,
    ) -> Stretch {
        let parts = without.iter().filter_map(|(part, upto_us)| {
            let upto = self.ignored(*part, *upto_us).clamp(begin, end);
            self.between(*part, begin, upto)
        });
        parts.fold(whole, |rest, part| Stretch {
            seen: (rest.seen - part.seen).max(0.0),
            expected: (rest.expected - part.expected).max(0.0),
            ..rest
        })
    }

    /// Whether a slice is improbable on its own account: nothing within it is less probable, and without the part that is
    /// off most it still is improbable.
    pub(super) fn stands_out(
        &self,
        (at, score): (usize, &CountScore),
        tested: &[(usize, CountScore)],
        step: Step,
        (ignore_before_us, off): (i64, &Off),
    ) -> bool {
        let Some(wide) = self.wide(at) else {
            return true;
        };
        let others = tested.iter().filter_map(|(other, found)| {
            let is_alike = found.deviation == score.deviation;
            let told = (*other, self.slices.get(*other)?, found.p_value);
            is_alike.then_some(told)
        });
        if !is_least(&wide.of, score.p_value, others) {
            return false;
        }
        let lacks = |part: usize| {
            let own = self.stretch(part, step, score.stretch.steps, ignore_before_us);
            own.map_or(0.0, |own| own.expected - own.seen)
        };
        let without = off.within_and_worst(&wide.of, score.deviation, lacks);
        let rest = self.score_above(wide, step, ignore_before_us, &without);
        rest.is_some_and(|rest| rest.p_value <= REST_P_MAX && rest.deviation == score.deviation)
    }

    /// The verdict on a slice above others that fires: on what is left of it without what is off on its own account.
    pub(super) fn recovering_above(
        &self,
        wide: &Wide,
        step: Step,
        state: &mut SliceState,
        off: &Off,
    ) -> Finding {
        let without = off.apart_from(&wide.of, state.incident.as_deref());
        let new = self.rest(wide, step, (1, 0), &without);
        let new = new.unwrap_or(Stretch {
            steps: 1,
            seen: 0.0,
            expected: 0.0,
        });
        let ratio = state.observed / state.expected.max(1e-9);
        recover(&mut state.evidence, new, ratio, wide.dispersion);
        let is_back = is_normal(state.evidence);
        let now = self.score_above(wide, step, state.ignore_before_us, &without);
        self.recovered((wide.at, step), new, state, (is_back, now))
    }
}
