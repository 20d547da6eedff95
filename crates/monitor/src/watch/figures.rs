//! How bad an incident is: its figures, from its first bad bucket to the last judged one.

use super::lifecycle::{Lifecycle, Record};
use super::message;
use super::state::{SliceState, Step};
use crate::MonitorError;
use crate::definition::Detect;
use crate::detect::hysteresis::Hysteresis;
use crate::detect::probability;
use crate::figure::{FigureQuery, Slice};
use crate::incident::{Deviation, Incident, IncidentFigures};

impl Lifecycle<'_> {
    /// Brings the figures of every open incident up to `step`, and records those that changed.
    pub(super) fn refresh_all(&mut self, step: Step) -> Result<(), MonitorError> {
        for at in 0..self.memory.live.len() {
            let before = self.memory.live.get(at).map(|live| live.incident.figures);
            self.refresh(at, step)?;
            let Some(live) = self.memory.live.get_mut(at) else {
                continue;
            };
            if before != Some(live.incident.figures) {
                live.incident.touch(step.end_us);
                self.records.push(Record {
                    incident: live.incident.clone(),
                    notify: live.notify.clone(),
                    entry: None,
                });
            }
        }
        Ok(())
    }

    /// Brings an incident's figures and summary up to `step`.
    pub(super) fn refresh(&mut self, at: usize, step: Step) -> Result<(), MonitorError> {
        let Some(live) = self.memory.live.get(at) else {
            return Ok(());
        };
        let figures = match self.definition.detect {
            Detect::Rate(_) => self.rate_figures(&live.incident, step)?,
            Detect::Threshold(_) => self.threshold_figures(&live.incident),
        };
        let Some(live) = self.memory.live.get_mut(at) else {
            return Ok(());
        };
        live.incident.figures = figures;
        live.incident.summary = message::summary(&live.incident);
        Ok(())
    }

    /// Counts of the incident's slice since it began, against what its slices' baselines expect.
    fn rate_figures(
        &self,
        incident: &Incident,
        step: Step,
    ) -> Result<IncidentFigures, MonitorError> {
        let bucket_us = self.facts.bucket_us.max(1);
        let from_us = incident.started_at_us.div_euclid(bucket_us) * bucket_us;
        let to_us = self.bad_until_us(incident, step).max(from_us + bucket_us);
        let query = FigureQuery {
            metric: self.definition.metric.clone(),
            by: self.definition.by.clone(),
            within: incident.slice.clone(),
            from_us,
            to_us,
            step_us: to_us - from_us,
        };
        let figures = self
            .watch
            .source
            .figures(&query)
            .map_err(MonitorError::Figures)?;
        let (mut numerator, mut denominator, mut expected) = (0.0, 0.0, 0.0);
        for slice in &figures {
            let n: f64 = slice.buckets.iter().filter_map(|b| b.denominator).sum();
            numerator += slice
                .buckets
                .iter()
                .filter_map(|b| b.numerator)
                .sum::<f64>();
            denominator += n;
            expected += n * self.expected_rate(incident, &slice.slice);
        }
        let missed = match incident.direction {
            Deviation::Down => expected - numerator,
            Deviation::Up => numerator - expected,
        };
        let p_value = self
            .memory
            .members(&incident.id)
            .filter_map(|(_, state)| state.p_value);
        let p_value = p_value.fold(f64::INFINITY, f64::min);
        let known = p_value
            .is_finite()
            .then(|| probability::of_p_value(p_value));
        let some = denominator > 0.0;
        Ok(IncidentFigures {
            value: some.then(|| numerator / denominator),
            expected: some.then(|| expected / denominator),
            numerator: Some(numerator),
            denominator: Some(denominator),
            affected: Some(missed.max(0.0).round()),
            probability: known.or(incident.figures.probability),
        })
    }

    /// Good minutes while an incident waits to be resolved are not counted with the bad ones.
    fn bad_until_us(&self, incident: &Incident, step: Step) -> i64 {
        let normal_since =
            self.memory
                .members(&incident.id)
                .map(|(_, state)| match state.hysteresis {
                    Hysteresis::Firing {
                        normal_since_us: Some(since_us),
                    } => since_us,
                    _ => step.end_us,
                });
        normal_since.max().unwrap_or(step.end_us)
    }

    fn expected_rate(&self, incident: &Incident, slice: &Slice) -> f64 {
        let member = self.memory.slices.get(slice);
        let member = member.filter(|s| s.incident.as_deref() == Some(incident.id.as_str()));
        let baseline = || {
            self.memory
                .baselines
                .as_ref()?
                .of(slice)
                .map(|baseline| baseline.mean)
        };
        member
            .map(|s| s.expected)
            .or_else(baseline)
            .or(incident.figures.expected)
            .unwrap_or(0.0)
    }

    /// The worst value of the incident's slices.
    fn threshold_figures(&self, incident: &Incident) -> IncidentFigures {
        let worse = |a: &SliceState, b: &SliceState| match incident.direction {
            Deviation::Up => a.observed.total_cmp(&b.observed),
            Deviation::Down => b.observed.total_cmp(&a.observed),
        };
        let members = self.memory.members(&incident.id).map(|(_, state)| state);
        let Some(worst) = members.max_by(|a, b| worse(a, b)) else {
            return incident.figures;
        };
        IncidentFigures {
            value: Some(worst.observed),
            expected: Some(worst.expected),
            ..IncidentFigures::default()
        }
    }
}
