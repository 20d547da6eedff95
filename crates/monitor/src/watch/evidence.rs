//! What every slice says when some fire: what slices are put together to incidents by.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::Round;
use super::lifecycle::Lifecycle;
use super::state::Step;
use crate::MonitorError;
use crate::definition::Detect;
use crate::detect::hysteresis::Verdict;
use crate::detect::threshold::score;
use crate::figure::{Bucket, Slice};
use crate::group::{Evidence, Group};
use crate::incident::Deviation;

/// Windows of slices, by the dimensions they are split by.
pub(super) type Merged = HashMap<Vec<String>, HashMap<Slice, Bucket>>;

impl Lifecycle<'_> {
    /// A slice above others that fires itself, and what those within it say.
    pub(super) fn alone(
        &self,
        step: Step,
        deviation: Deviation,
        slice: Slice,
        round: &Round,
    ) -> Group {
        let evidence = self.evidence(step, deviation, &HashSet::new(), round);
        let within = evidence.iter().filter(|one| slice.covers(&one.slice));
        let (mut leaning, mut total) = (0, 0);
        for one in within {
            leaning += usize::from(one.leaning || one.firing);
            total += usize::from(one.judged);
        }
        Group {
            members: vec![slice.clone()],
            slice,
            leaning,
            total,
        }
    }

    /// What every slice says, for grouping.
    pub(super) fn evidence(
        &self,
        step: Step,
        deviation: Deviation,
        rest: &HashSet<Slice>,
        round: &Round,
    ) -> Vec<Evidence> {
        let leaning = match round {
            Round::Rate(round) => round.leaning(step, deviation),
            Round::Threshold(round) => round.leaning(step, deviation, self.memory.known.as_ref()),
            Round::Volume(round) => round.leaning(step, deviation),
            Round::Value(round) => round.leaning(step, deviation),
        };
        self.with_firing(leaning, deviation, rest)
    }

    /// What slices say, with those that fire.
    pub(super) fn with_firing(
        &self,
        leaning: Vec<Evidence>,
        deviation: Deviation,
        rest: &HashSet<Slice>,
    ) -> Vec<Evidence> {
        let fires = |slice: &Slice| {
            let state = self.memory.slices.get(slice);
            let told =
                state.is_some_and(|s| s.deviation == Some(deviation) && s.incident.is_some());
            rest.contains(slice) || told
        };
        let mut evidence: Vec<Evidence> = leaning
            .into_iter()
            .map(|evidence| Evidence {
                firing: fires(&evidence.slice),
                ..evidence
            })
            .collect();
        let known: HashSet<Slice> = evidence.iter().map(|e| e.slice.clone()).collect();
        let missing = rest.difference(&known).cloned();
        evidence.extend(missing.map(|slice| Evidence {
            slice,
            weight: 1.0,
            firing: true,
            leaning: true,
            judged: true,
        }));
        evidence
    }

    /// Whether the metric over the whole of `slice` is beyond its bound: that most of its parts are
    /// does not say so. Only a threshold is asked: the
    /// parts of the others are off by their own histories.
    pub(super) fn is_off(
        &self,
        slice: &Slice,
        step: Step,
        deviation: Deviation,
        merged: &mut Merged,
    ) -> Result<bool, MonitorError> {
        let Detect::Threshold(detect) = &self.definition.detect else {
            return Ok(true);
        };
        let by: Vec<String> = slice.pairs().map(|(name, _)| name.to_owned()).collect();
        let windows = match merged.entry(by) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let windows = self.windows(unknown.key(), step)?;
                unknown.insert(windows)
            }
        };
        let nothing = Bucket {
            start_us: step.start_us,
            value: self.facts.empty_value,
            numerator: None,
            denominator: None,
        };
        let window = windows.get(slice).filter(|window| window.value.is_some());
        let score = score(window.unwrap_or(&nothing), detect);
        Ok(score.is_some_and(|s| s.verdict == Verdict::Anomalous && s.deviation == deviation))
    }
}
