//! Looks at buckets that are not complete yet, so that a plain fault is not told of only when the last event that may be
//! late is there.
//!
//! Only what later events cannot make out of nothing is looked at. A share of two counts can be tested at any time: which
//! events have come by now says nothing about how they ended, where nothing is wrong. A count that is beyond its upper
//! bound stays so. But that a count is too small nobody knows before all is there. What is found is kept in the very state
//! that complete buckets move on: they end it, and nothing else does.
//!
//! Each look at a rate may raise a false alarm, so looks have a budget of their own, as much in all as a part of what the
//! monitor's sensitivity allows. What they see is what complete buckets will show but for events out of order, so the two
//! hardly add up.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::due::step_us;
use super::figures::over_us;
use super::lifecycle::Lifecycle;
use super::rate::RateRound;
use super::state::{Finding, Memory, Step};
use super::threshold::{CHANCE, ThresholdRound};
use super::{Inner, Monitor, Round, Watch};
use crate::MonitorError;
use crate::definition::{Detect, MonitorDefinition};
use crate::detect::hysteresis::Verdict;
use crate::figure::{MetricFacts, Slice};
use crate::group::group;
use crate::incident::Deviation;

/// A monitor looks ahead no more often than this, in microseconds: each look reads figures.
const EVERY_US: i64 = 5 * 1_000_000;
/// And no more often than so many times a step.
const LOOKS_A_STEP: i64 = 4;
/// False alarms that all looks may raise, as a share of what the monitor may.
const BUDGET: f64 = 0.5;
/// A trailing window of fewer steps is not looked at: where its last step has just begun, too much of it is lacking.
const WINDOW_STEPS_MIN: i64 = 4;

impl Watch {
    /// Judges what has come of buckets that are not complete. Gives the transitions of incidents.
    pub(super) fn look_ahead(
        &self,
        monitor: &Monitor,
        definition: &MonitorDefinition,
        facts: &MetricFacts,
        inner: &mut Inner,
        now_us: i64,
    ) -> Result<usize, MonitorError> {
        if inner.learning || !is_early(definition, facts) {
            return Ok(0);
        }
        let every_us = every_us(definition, facts);
        let since = |at_us: i64| now_us.saturating_sub(at_us);
        let looked_us = inner.looked_ahead_us;
        if looked_us.is_some_and(|at_us| (0..every_us).contains(&since(at_us))) {
            return Ok(0);
        }
        let Some((step, newest_us)) = newest_step(definition, facts, &inner.memory, now_us) else {
            return Ok(0);
        };
        inner.looked_ahead_us = Some(now_us);
        let found = self.ahead(definition, facts, &mut inner.memory, (step, newest_us))?;
        let Some((round, told)) = found.filter(|(_, told)| !told.is_empty()) else {
            return Ok(0);
        };
        // As a round of complete buckets: where anything fails, nothing of it has happened.
        let mut memory = inner.memory.clone();
        let mut lifecycle = Lifecycle::new(definition, facts, self, &mut memory).ahead_at(now_us);
        let told = lifecycle.decided(step, told, &round)?;
        if told.is_empty() {
            return Ok(0);
        }
        lifecycle.advance(step, told, &round, false)?;
        let records = lifecycle.finish();
        let transitions = self.commit(monitor, &memory, &records, now_us)?;
        inner.memory = memory;
        Ok(transitions)
    }

    /// The slices that are bad beyond doubt in buckets that are not complete, after what complete ones have made of `memory`.
    pub(super) fn bad_again(
        &self,
        definition: &MonitorDefinition,
        facts: &MetricFacts,
        memory: &mut Memory,
        now_us: i64,
    ) -> Result<HashSet<Slice>, MonitorError> {
        let at = newest_step(definition, facts, memory, now_us);
        let Some(at) = at.filter(|_| is_early(definition, facts)) else {
            return Ok(HashSet::new());
        };
        let found = self.ahead(definition, facts, memory, at)?;
        let told = found.into_iter().flat_map(|(_, told)| told);
        Ok(told.map(|finding| finding.slice).collect())
    }

    /// What is beyond doubt at a step that is not complete, of slices that do not fire yet; none where there is nothing
    /// to judge by.
    fn ahead(
        &self,
        definition: &MonitorDefinition,
        facts: &MetricFacts,
        memory: &mut Memory,
        (step, newest_us): (Step, i64),
    ) -> Result<Option<(Round, Vec<Finding>)>, MonitorError> {
        // Which slices there are is what complete buckets say: who is new in one that is not was not silent before.
        let known = memory.known.take();
        let found = self.found_ahead(definition, facts, memory, (step, newest_us));
        memory.known = known;
        found
    }

    fn found_ahead(
        &self,
        definition: &MonitorDefinition,
        facts: &MetricFacts,
        memory: &mut Memory,
        (step, newest_us): (Step, i64),
    ) -> Result<Option<(Round, Vec<Finding>)>, MonitorError> {
        let source = self.source.as_ref();
        let every_us = every_us(definition, facts);
        let round = match (&definition.detect, &memory.baselines) {
            (Detect::Rate(detect), Some(baselines)) => {
                let (baselines, states) = (Arc::clone(baselines), &memory.slices);
                let steps = (step, step);
                RateRound::fetch(source, definition, detect, baselines, steps, states)
                    .map(|round| Round::Rate(round.ahead(every_us, BUDGET)))
            }
            (Detect::Threshold(detect), _) => {
                ThresholdRound::fetch(source, definition, facts, detect, step, step)
                    .map(|round| Round::Threshold(round.ahead(facts, step, newest_us)))
            }
            _ => return Ok(None),
        };
        let round = round.map_err(MonitorError::Figures)?;
        let mut told = round.judge(step, memory).told;
        told.retain(|finding| {
            let state = memory.slices.get(&finding.slice);
            let fires = state.is_some_and(|state| state.hysteresis.is_firing());
            let is_sure = facts.is_rate || finding.deviation == Deviation::Up;
            finding.verdict == Verdict::Anomalous && is_sure && !fires
        });
        Ok(Some((round, told)))
    }
}

impl Lifecycle<'_> {
    /// Those of the findings of which is sure what incident they are part of. That of counts barely beyond their bound is not
    /// while others are about to follow: each would open one of its own, and soon after all would be one. They wait for the
    /// next look, and at the latest for complete buckets.
    fn decided(
        &self,
        step: Step,
        told: Vec<Finding>,
        round: &Round,
    ) -> Result<Vec<Finding>, MonitorError> {
        let Round::Threshold(counts) = round else {
            return Ok(told);
        };
        let is_held = |finding: &Finding| {
            let live = self.memory.live.iter().map(|live| &live.incident);
            let mut live = live.filter(|one| one.direction == finding.deviation);
            live.any(|one| one.slice.covers(&finding.slice))
        };
        let rest = told.iter().filter(|finding| !is_held(finding));
        let rest: HashSet<Slice> = rest.map(|finding| finding.slice.clone()).collect();
        if rest.is_empty() {
            return Ok(told);
        }
        let mut merged = HashMap::new();
        let mut groups = |chance: f64| -> Result<BTreeSet<Slice>, MonitorError> {
            let leaning = counts.leaning_by(step, Deviation::Up, None, chance);
            let evidence = self.with_firing(leaning, Deviation::Up, &rest);
            let is_off = |slice: &Slice| self.is_off(slice, step, Deviation::Up, &mut merged);
            let groups = group(&evidence, is_off)?;
            let ours = groups.into_iter();
            let ours = ours.filter(|one| one.members.iter().any(|slice| rest.contains(slice)));
            Ok(ours.map(|group| group.slice).collect())
        };
        let is_sure = groups(CHANCE)? == groups(-CHANCE)?;
        let mut told = told;
        told.retain(|finding| is_sure || !rest.contains(&finding.slice));
        Ok(told)
    }
}

/// Whether a monitor looks at buckets that are not complete. What must last for a while before it is told is judged by
/// complete ones.
fn is_early(definition: &MonitorDefinition, facts: &MetricFacts) -> bool {
    let step_us = step_us(definition, facts.bucket_us.max(1));
    definition.early && definition.hold.is_zero() && can(definition, facts, step_us)
}

/// How often it looks.
fn every_us(definition: &MonitorDefinition, facts: &MetricFacts) -> i64 {
    EVERY_US.max(step_us(definition, facts.bucket_us.max(1)) / LOOKS_A_STEP)
}

/// The step that the newest event is in, and when that was; none before anything was judged, and where all of it is.
fn newest_step(
    definition: &MonitorDefinition,
    facts: &MetricFacts,
    memory: &Memory,
    now_us: i64,
) -> Option<(Step, i64)> {
    let upto_us = memory.judged_upto_us?;
    let newest_us = newest_us(facts, now_us).filter(|newest_us| *newest_us > upto_us)?;
    let step_us = step_us(definition, facts.bucket_us.max(1));
    Some((step_of(newest_us, step_us), newest_us))
}

/// Whether the detector can tell of buckets that are not complete.
fn can(definition: &MonitorDefinition, facts: &MetricFacts, step_us: i64) -> bool {
    match &definition.detect {
        Detect::Rate(_) => true,
        // About as many samples are in every trailing window, and few in one that has just begun.
        Detect::Threshold(detect) if facts.is_rate => {
            over_us(detect).is_some_and(|over_us| over_us / step_us >= WINDOW_STEPS_MIN)
        }
        Detect::Threshold(detect) => facts.is_count && detect.above.is_some(),
        _ => false,
    }
}

/// When the newest event was. The watermark is it less what events may be late by; one that is ahead of the clock is no
/// event.
fn newest_us(facts: &MetricFacts, now_us: i64) -> Option<i64> {
    let newest_us = facts.watermark_us?.saturating_add(facts.lateness_us);
    Some(newest_us.min(now_us))
}

/// The step that a time is in.
fn step_of(at_us: i64, step_us: i64) -> Step {
    let start_us = at_us.div_euclid(step_us) * step_us;
    Step {
        start_us,
        end_us: start_us + step_us,
    }
}
