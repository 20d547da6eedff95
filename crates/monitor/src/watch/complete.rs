//! Judges buckets that are complete, and ends what nothing will complete any more.

use std::collections::{HashMap, HashSet};

use super::due::{Clock, due, step_us};
use super::lifecycle::{Lifecycle, QUIET_US, REOPEN_WITHIN_US, Record};
use super::rate::unjudged;
use super::state::{Finding, Findings, Memory, Step};
use super::{Fetched, Inner, LEARN_EVERY_US, Monitor, Round, Watch, reach_us};
use crate::MonitorError;
use crate::definition::MonitorDefinition;
use crate::figure::{MetricFacts, Slice};

/// What a round of complete buckets came to.
struct Judged {
    memory: Memory,
    records: Vec<Record>,
    steps: usize,
    /// How many slices were judged at the last step.
    slices: usize,
    /// The slices that ceased to fire, with the end of the step by which they did.
    ended: HashMap<Slice, i64>,
}

impl Watch {
    /// Judges the buckets that have become complete. Gives the steps judged and the transitions of incidents.
    pub(super) fn judge_complete(
        &self,
        monitor: &Monitor,
        definition: &MonitorDefinition,
        facts: &MetricFacts,
        inner: &mut Inner,
        now_us: i64,
    ) -> Result<(usize, usize), MonitorError> {
        let clock = Clock {
            started_us: self.started_us,
            now_us,
        };
        let Some((first, last)) = due(definition, facts, inner.memory.judged_upto_us, clock) else {
            return Ok((0, 0));
        };
        if inner.learning && first.end_us < inner.learn_again_us {
            return Ok((0, 0));
        }
        // The round works on a copy: where anything fails, nothing of it has happened.
        let mut memory = inner.memory.clone();
        let round = match self.fetch(definition, facts, &mut memory, first, last)? {
            Fetched::Round(round) => round,
            Fetched::Learning(note) => {
                inner.learning = true;
                inner.learn_again_us = first.end_us.saturating_add(LEARN_EVERY_US);
                inner.take_note(&definition.name, note);
                return Ok((0, 0));
            }
        };
        inner.learning = false;
        inner.take_note(&definition.name, round.note());
        let of = (definition, facts);
        let steps = (first, last);
        let mut judged = self.round(of, &round, memory.clone(), steps, &HashSet::new(), now_us)?;
        // What was over long before, as after a pause, was over.
        let from_us = last.end_us.saturating_sub(REOPEN_WITHIN_US);
        judged.ended.retain(|_, end_us| *end_us >= from_us);
        if !judged.ended.is_empty() {
            // What is bad again in buckets that are not complete is not told to be over only to be told anew.
            let bad = self.bad_again(definition, facts, &mut judged.memory, now_us);
            // What fails here fails again at the look that follows, and is told then.
            let bad = bad.unwrap_or_default();
            let kept = judged.ended.keys().filter(|slice| bad.contains(slice));
            let kept: HashSet<Slice> = kept.cloned().collect();
            if !kept.is_empty() {
                judged = self.round(of, &round, memory, steps, &kept, now_us)?;
            }
        }
        inner.slices = judged.slices;
        let transitions = self.commit(monitor, &judged.memory, &judged.records, now_us)?;
        inner.memory = judged.memory;
        Ok((judged.steps, transitions))
    }

    /// Judges the steps of a round. Slices that are `kept` do not cease to fire by the last of them.
    fn round(
        &self,
        (definition, facts): (&MonitorDefinition, &MetricFacts),
        round: &Round,
        mut memory: Memory,
        (first, last): (Step, Step),
        kept: &HashSet<Slice>,
        now_us: i64,
    ) -> Result<Judged, MonitorError> {
        let mut lifecycle = Lifecycle::new(definition, facts, self, &mut memory)
            .at(now_us)
            .keeping(kept.clone(), last.end_us.saturating_sub(REOPEN_WITHIN_US));
        let step_us = first.end_us - first.start_us;
        let (mut steps, mut slices) = (0, 0);
        let mut start_us = first.start_us;
        while start_us < last.end_us {
            let step = Step {
                start_us,
                end_us: start_us + step_us,
            };
            // What is normal on a day like no other nobody knows.
            let findings = if round.is_unknown(definition, step) {
                let states = lifecycle.memory.slices.keys();
                let seen = |slice: &Slice| Finding {
                    seen: true,
                    ..unjudged(slice, step)
                };
                Findings::from(states.map(seen).collect::<Vec<_>>())
            } else {
                round.judge(step, lifecycle.memory)
            };
            // Slices above those that the monitor splits into are not counted.
            let told = findings.told.iter();
            let told = told.filter(|one| one.slice.dimensions() == definition.by.len());
            slices = told.count() + findings.normal;
            lifecycle.advance(step, findings.told, round, step == last)?;
            steps += 1;
            start_us = step.end_us;
        }
        let (records, ended) = lifecycle.finish_with_ended();
        memory.judged_upto_us = Some(last.end_us);
        let reach_us = reach_us(definition, step_us);
        memory
            .slices
            .retain(|_, state| !state.is_blank(last.end_us, reach_us));
        Ok(Judged {
            memory,
            records,
            steps,
            slices,
            ended,
        })
    }

    /// Ends the incidents of a monitor whose stream has fallen silent for good: where no bucket becomes complete any more,
    /// nothing else would, also of what was found ahead of them. As long is waited as for a slice without events.
    pub(super) fn end_silent(
        &self,
        monitor: &Monitor,
        definition: &MonitorDefinition,
        facts: &MetricFacts,
        inner: &mut Inner,
        now_us: i64,
    ) -> Result<usize, MonitorError> {
        let Some(judged_upto_us) = inner.memory.judged_upto_us else {
            return Ok(0);
        };
        let newest_us = facts
            .watermark_us
            .map_or(i64::MIN, |us| us.saturating_add(facts.lateness_us));
        let since = |us: i64| now_us.saturating_sub(us);
        let step_us = step_us(definition, facts.bucket_us.max(1));
        // Right after a start sources still bring what they kept meanwhile.
        let is_settled = since(self.started_us) >= step_us.saturating_add(2 * facts.lateness_us);
        let is_silent = since(newest_us) >= QUIET_US && since(judged_upto_us) >= QUIET_US;
        let fires = |memory: &Memory| memory.slices.values().any(|one| one.hysteresis.is_firing());
        if !is_settled || !is_silent || !fires(&inner.memory) {
            return Ok(0);
        }
        let end_us = now_us.div_euclid(step_us) * step_us;
        let step = Step {
            start_us: end_us - step_us,
            end_us,
        };
        let mut memory = inner.memory.clone();
        let mut lifecycle = Lifecycle::new(definition, facts, self, &mut memory).at(now_us);
        lifecycle.end_all(step)?;
        let records = lifecycle.finish();
        let transitions = self.commit(monitor, &memory, &records, now_us)?;
        inner.memory = memory;
        Ok(transitions)
    }
}
