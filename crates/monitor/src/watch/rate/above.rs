//! A share of what lies above the slices of a monitor: tested, and seen to recover, as the slices within it together.

use std::collections::BTreeMap;

use super::super::above::{Above, Off, REST_P_MAX, is_least};
use super::super::state::{Finding, SliceState, Step};
use super::{RateRound, Tested};
use crate::detect::baseline::{Baseline, Counts};
use crate::detect::rate::score_by;
use crate::detect::recovery;
use crate::figure::Slice;

/// A slice above others.
pub(super) struct Wide {
    /// Its place among the slices.
    at: usize,
    pub(super) of: Above,
    /// Successes to be expected of the slices within it in all steps before the i-th, each by its own rate: that traffic
    /// moves to slices whose rate is another is no fault.
    expected: Vec<f64>,
}

impl RateRound {
    /// Adds a slice above others: of those within it whose own history says what is normal for them. What is new is no fault
    /// of what holds it.
    pub(super) fn add_above(&mut self, of: Above, steps: usize) {
        let mut sums = vec![Counts::default(); steps + 1];
        let mut expected = vec![0.0; steps + 1];
        let mut parts: Vec<(f64, Baseline)> = Vec::with_capacity(of.parts.len());
        for part in &of.parts {
            let slice = self.slices.get(*part);
            let Some(baseline) = slice.and_then(|slice| self.baselines.learned(slice)) else {
                continue;
            };
            parts.push((self.sum(*part, steps).attempts, baseline));
            let own = self.sums.get(*part).into_iter().flatten();
            for ((sum, expected), own) in sums.iter_mut().zip(&mut expected).zip(own) {
                *sum = sum.plus(*own);
                *expected += own.attempts * baseline.mean;
            }
        }
        let at = self.slices.len();
        self.index.insert(of.slice.clone(), at);
        let learned = self.baselines.learned(&of.slice);
        let learned = learned.map(|learned| learned.with_parts(&parts));
        self.normal
            .push(learned.or_else(|| Baseline::of_parts(&parts)));
        self.slices.push(of.slice.clone());
        self.sums.push(sums);
        self.above.push(Wide { at, of, expected });
    }

    /// The slice above others at a place.
    pub(super) fn wide(&self, at: usize) -> Option<&Wide> {
        self.above.get(at.checked_sub(self.narrow)?)
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

    /// A slice above others, without what is left out of it.
    pub(super) fn tested_above(
        &self,
        wide: &Wide,
        step: Step,
        ignore_before_us: i64,
        without: &BTreeMap<usize, i64>,
    ) -> Option<Tested> {
        let baseline = self.baseline(wide.at)?;
        let recent = |buckets: usize| {
            let begin = self.begin(step, buckets, ignore_before_us);
            let (counts, mean) = self.rest(wide, (begin, self.position(step)), without);
            let mean = mean.unwrap_or(baseline.mean);
            (counts, Baseline { mean, ..baseline })
        };
        let score = score_by(recent, &self.stretches, &self.settings)?;
        let expected = recent(score.buckets).1.mean;
        Some(Tested {
            at: wide.at,
            score,
            expected,
        })
    }

    /// What is left of a slice above others between two positions, and the rate to be expected of that.
    fn rest(
        &self,
        wide: &Wide,
        (begin, end): (usize, usize),
        without: &BTreeMap<usize, i64>,
    ) -> (Counts, Option<f64>) {
        let mut counts = self.sum(wide.at, end).minus(self.sum(wide.at, begin));
        let upto = |position: usize| wide.expected.get(position).copied().unwrap_or(0.0);
        let mut expected = upto(end) - upto(begin);
        for (part, upto_us) in without {
            let slice = self.slices.get(*part);
            let Some(own) = slice.and_then(|slice| self.baselines.learned(slice)) else {
                continue;
            };
            let upto = self.places_before(*upto_us).clamp(begin, end);
            let part = self.sum(*part, upto).minus(self.sum(*part, begin));
            counts = counts.minus(part);
            expected -= part.attempts * own.mean;
        }
        let mean = (counts.attempts > 0.0).then(|| (expected / counts.attempts).clamp(0.0, 1.0));
        (counts, mean)
    }

    /// The counts of each step of the longest stretch, of what is left of a slice above others.
    pub(super) fn steps_of_rest(&self, wide: &Wide, step: Step, off: &Off) -> Vec<Counts> {
        let without = off.within(&wide.of);
        let of = |i: usize| self.rest(wide, (i, i + 1), &without).0;
        self.longest(step).map(of).collect()
    }

    /// Whether a slice is improbable on its own account: nothing within it is less probable, and without the part that is
    /// off most it still is improbable.
    pub(super) fn stands_out(
        &self,
        one: &Tested,
        tested: &[Tested],
        step: Step,
        (ignore_before_us, off): (i64, &Off),
    ) -> bool {
        let Some(wide) = self.wide(one.at) else {
            return true;
        };
        let deviation = one.score.deviation;
        let others = tested.iter().filter_map(|other| {
            let is_alike = other.score.deviation == deviation;
            let told = (other.at, self.slices.get(other.at)?, other.score.p_value);
            is_alike.then_some(told)
        });
        if !is_least(&wide.of, one.score.p_value, others) {
            return false;
        }
        let end = self.position(step);
        let begin = self.begin(step, one.score.buckets, ignore_before_us);
        let lacks = |part: usize| {
            let own = self.sum(part, end).minus(self.sum(part, begin));
            let mean = self.baseline(part).map_or(0.0, |own| own.mean);
            own.attempts * mean - own.successes
        };
        let without = off.within_and_worst(&wide.of, deviation, lacks);
        let rest = self.tested_above(wide, step, ignore_before_us, &without);
        rest.is_some_and(|rest| {
            rest.score.p_value <= REST_P_MAX && rest.score.deviation == deviation
        })
    }

    /// The verdict on a slice above others that fires: on what is left of it without what is off on its own account, against
    /// what is to be expected of that now. Traffic that was led elsewhere may be approved less.
    pub(super) fn recovering_above(
        &self,
        wide: &Wide,
        step: Step,
        state: &mut SliceState,
        off: &Off,
    ) -> Finding {
        let without = off.apart_from(&wide.of, state.incident.as_deref());
        let end = self.position(step);
        let (new, mean) = self.rest(wide, (end.saturating_sub(1), end), &without);
        let expected = mean.unwrap_or(state.expected);
        let bad = (state.observed + expected - state.expected).clamp(0.0, 1.0);
        recovery::advance(&mut state.evidence, new, expected, bad);
        let now = self.tested_above(wide, step, state.ignore_before_us, &without);
        self.recovered(wide.at, new, state, now.map(|now| now.score))
    }
}
