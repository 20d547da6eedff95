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

use std::sync::Arc;

use super::due::step_us;
use super::figures::over_us;
use super::lifecycle::Lifecycle;
use super::rate::RateRound;
use super::state::{Finding, Memory, Step};
use super::threshold::ThresholdRound;
use super::{Inner, Monitor, Round, Watch};
use crate::MonitorError;
use crate::definition::{Detect, MonitorDefinition};
use crate::detect::hysteresis::Verdict;
use crate::figure::MetricFacts;
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
        // What must last for a while before it is told is judged by complete buckets.
        let is_early = definition.early && definition.hold.is_zero();
        let step_us = step_us(definition, facts.bucket_us.max(1));
        if !is_early || inner.learning || !can(definition, facts, step_us) {
            return Ok(0);
        }
        let every_us = EVERY_US.max(step_us / LOOKS_A_STEP);
        let since = |at_us: i64| now_us.saturating_sub(at_us);
        let looked_us = inner.looked_ahead_us;
        if looked_us.is_some_and(|at_us| (0..every_us).contains(&since(at_us))) {
            return Ok(0);
        }
        // Nothing is before anything was judged.
        let upto_us = inner.memory.judged_upto_us.unwrap_or(i64::MAX);
        let newest_us = newest_us(facts, now_us).filter(|newest_us| *newest_us > upto_us);
        let Some(newest_us) = newest_us else {
            return Ok(0);
        };
        inner.looked_ahead_us = Some(now_us);
        // Which slices there are is what complete buckets say: who is new in one that is not was not silent before.
        let known = inner.memory.known.take();
        let step = step_of(newest_us, step_us);
        let at = (step, newest_us);
        let found = self.ahead(definition, facts, &mut inner.memory, at, every_us);
        inner.memory.known = known;
        let Some((round, told)) = found?.filter(|(_, told)| !told.is_empty()) else {
            return Ok(0);
        };
        // As a round of complete buckets: where anything fails, nothing of it has happened.
        let mut memory = inner.memory.clone();
        let mut lifecycle = Lifecycle::new(definition, facts, self, &mut memory).ahead_at(now_us);
        lifecycle.advance(step, told, &round, false)?;
        let records = lifecycle.finish();
        let transitions = self.commit(monitor, &memory, &records, now_us)?;
        inner.memory = memory;
        Ok(transitions)
    }

    /// What is beyond doubt at a step that is not complete, of slices that do not fire yet; none where there is nothing
    /// to judge by.
    fn ahead(
        &self,
        definition: &MonitorDefinition,
        facts: &MetricFacts,
        memory: &mut Memory,
        (step, newest_us): (Step, i64),
        every_us: i64,
    ) -> Result<Option<(Round, Vec<Finding>)>, MonitorError> {
        let source = self.source.as_ref();
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
