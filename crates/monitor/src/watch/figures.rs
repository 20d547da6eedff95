//! How bad an incident is: its figures, from its first bad bucket to the last judged one.

use std::collections::HashMap;

use super::lifecycle::{Lifecycle, Record};
use super::message;
use super::state::{Live, Step};
use crate::MonitorError;
use crate::definition::{Detect, ThresholdDetect};
use crate::detect::probability;
use crate::figure::{Bucket, FigureQuery, MetricFacts, Slice, SliceFigures};
use crate::incident::{Deviation, Incident, IncidentFigures, JudgedRange};

/// The metric over one slice and stretch of time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Total {
    pub value: Option<f64>,
    pub numerator: Option<f64>,
    pub denominator: Option<f64>,
}

/// The length of a threshold's trailing window.
pub(super) fn over_us(detect: &ThresholdDetect) -> Option<i64> {
    let over = detect.over?;
    Some(i64::try_from(over.as_micros()).unwrap_or(i64::MAX / 4))
}

/// How many events went the wrong way that should not have: too few, or too many.
pub(super) fn missed(direction: Deviation, seen: f64, expected: f64) -> f64 {
    let missed = match direction {
        Deviation::Down => expected - seen,
        Deviation::Up => seen - expected,
    };
    missed.max(0.0).round()
}

/// The buckets of figures at `step` of an incident whose bad time ended at `bad_until_us` or lasts.
pub(super) fn judged(step: Step, bad_until_us: i64) -> JudgedRange {
    JudgedRange {
        step_start_us: step.start_us,
        step_end_us: step.end_us,
        bad_until_us,
    }
}

impl Lifecycle<'_> {
    /// Brings the figures of every open incident up to `step`, and records those that changed.
    pub(super) fn refresh_all(&mut self, step: Step) -> Result<(), MonitorError> {
        for at in 0..self.memory.live.len() {
            let told = |Live { incident: i, .. }: &Live| {
                (i.figures, i.explanation.clone(), i.impact.clone())
            };
            let before = self.memory.live.get(at).map(told);
            self.refresh(at, step)?;
            let incident = self.memory.live.get(at).map(|live| &live.incident);
            let at_us = self.moment(incident, step);
            let Some(live) = self.memory.live.get_mut(at) else {
                continue;
            };
            if before != Some(told(live)) {
                live.incident.touch(at_us);
                self.records.push(Record {
                    incident: live.incident.clone(),
                    notify: live.notify.clone(),
                    entry: None,
                    heir: None,
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
        // What was found ahead of complete buckets keeps what came in those, until they have come as far.
        let ahead = live.incident.judged.map(|judged| Step {
            start_us: judged.step_start_us,
            end_us: judged.step_end_us,
        });
        let step = ahead
            .filter(|ahead| ahead.end_us > step.end_us)
            .unwrap_or(step);
        let bad_until_us = self.bad_until_us(&live.incident, step);
        let figures = self.figures(&live.incident, step, bad_until_us)?;
        let Some(live) = self.memory.live.get_mut(at) else {
            return Ok(());
        };
        live.incident.figures = figures;
        live.incident.judged = Some(judged(step, bad_until_us));
        // Explaining asks for figures, so that it works on a copy.
        let mut explained = live.clone();
        self.explain(&mut explained, bad_until_us);
        explained.incident.summary = message::summary(&explained.incident);
        if let Some(live) = self.memory.live.get_mut(at) {
            *live = explained;
        }
        Ok(())
    }

    /// The figures of an incident at `step`, whose bad time ended at `bad_until_us` or lasts.
    pub(super) fn figures(
        &self,
        incident: &Incident,
        step: Step,
        bad_until_us: i64,
    ) -> Result<IncidentFigures, MonitorError> {
        match &self.definition.detect {
            Detect::Rate(_) => self.rate_figures(incident, bad_until_us),
            Detect::Count(_) | Detect::Silence(_) => self.volume_figures(incident, bad_until_us),
            Detect::Seasonal(_) | Detect::Change(_) | Detect::Forecast(_) | Detect::Auto(_) => {
                self.value_figures(incident, step, bad_until_us)
            }
            Detect::Threshold(detect) => {
                self.threshold_figures(incident, detect, step, bad_until_us)
            }
        }
    }

    /// What the metric is now that an incident is over whose slices have been normal since
    /// `since_us`: over that time for a rate, in the last window for a threshold.
    pub(super) fn value_now(
        &self,
        incident: &Incident,
        step: Step,
        since_us: i64,
    ) -> Result<Option<f64>, MonitorError> {
        match self.definition.detect {
            Detect::Threshold(_)
            | Detect::Seasonal(_)
            | Detect::Change(_)
            | Detect::Forecast(_) => Ok(incident.figures.value),
            _ => Ok(self.total(&incident.slice, since_us, step.end_us)?.value),
        }
    }

    /// Counts of the incident's slice since it began, against what its slices' baselines expect.
    fn rate_figures(
        &self,
        incident: &Incident,
        bad_until_us: i64,
    ) -> Result<IncidentFigures, MonitorError> {
        let (from_us, to_us) = self.bad_time(incident, bad_until_us);
        let query = FigureQuery {
            metric: self.definition.metric.clone(),
            by: self.definition.by.clone(),
            within: incident.slice.clone(),
            from_us,
            to_us,
            step_us: to_us - from_us,
            over_us: None,
        };
        let figures = self
            .watch
            .source
            .figures(&query)
            .map_err(MonitorError::Figures)?;
        let apart = self.apart_from(incident);
        let is_own = |one: &&SliceFigures| !apart.iter().any(|apart| apart.covers(&one.slice));
        let (mut numerator, mut denominator, mut expected) = (0.0, 0.0, 0.0);
        for slice in figures.iter().filter(is_own) {
            let n: f64 = slice.buckets.iter().filter_map(|b| b.denominator).sum();
            numerator += slice
                .buckets
                .iter()
                .filter_map(|b| b.numerator)
                .sum::<f64>();
            denominator += n;
            expected += n * self.expected_rate(incident, &slice.slice);
        }
        let some = denominator > 0.0;
        let (evidence, probability) = self.surety(incident);
        Ok(IncidentFigures {
            value: some.then(|| numerator / denominator),
            expected: some.then(|| expected / denominator),
            bound: None,
            numerator: Some(numerator),
            denominator: Some(denominator),
            affected: Some(missed(incident.direction, numerator, expected)),
            passed: None,
            probability,
            evidence,
        })
    }

    /// Events of the incident's slice since it began, against what is normal at such a time.
    fn volume_figures(
        &self,
        incident: &Incident,
        bad_until_us: i64,
    ) -> Result<IncidentFigures, MonitorError> {
        let (from_us, to_us) = self.bad_time(incident, bad_until_us);
        let Some(mut value) = self.total(&incident.slice, from_us, to_us)?.value else {
            return Ok(incident.figures);
        };
        let volumes = self.memory.volumes.as_ref();
        let mut expected = volumes.map(|known| known.expected(&incident.slice, from_us, to_us));
        for apart in self.apart_from(incident) {
            value -= self.total(&apart, from_us, to_us)?.value.unwrap_or(0.0);
            let own = volumes.map_or(0.0, |known| known.expected(&apart, from_us, to_us));
            expected = expected.map(|expected| (expected - own).max(0.0));
        }
        let value = Some(value.max(0.0));
        let expected = expected.or(incident.figures.expected);
        let (evidence, probability) = self.surety(incident);
        let affected = expected
            .zip(value)
            .map(|(expected, value)| missed(incident.direction, value, expected));
        Ok(IncidentFigures {
            value,
            expected: expected.map(f64::round),
            affected,
            probability,
            evidence,
            ..IncidentFigures::default()
        })
    }

    /// The value of the last step, against what was normal when it began: the level of an incident that lasts becomes
    /// that of the last hours.
    fn value_figures(
        &self,
        incident: &Incident,
        step: Step,
        bad_until_us: i64,
    ) -> Result<IncidentFigures, MonitorError> {
        let now = self.total(&incident.slice, step.start_us, step.end_us)?;
        let members = self.memory.members(&incident.id);
        let own = members
            .filter(|(slice, _)| **slice == incident.slice)
            .map(|(_, state)| state.expected)
            .next();
        let (evidence, probability) = self.surety(incident);
        let expected = own.or(incident.figures.expected);
        let mut figures = IncidentFigures {
            value: now.value.or(incident.figures.value),
            expected,
            probability,
            evidence,
            ..IncidentFigures::default()
        };
        self.count_hit(&mut figures, incident, (expected, bad_until_us))?;
        Ok(figures)
    }

    /// The evidence that an incident is real, by the surest of its slices, and how probable it is.
    fn surety(&self, incident: &Incident) -> (Option<f64>, Option<f64>) {
        let members = self.memory.members(&incident.id);
        let p_values = members.filter_map(|(_, state)| state.p_value);
        let p_value = p_values.fold(f64::INFINITY, f64::min);
        if !p_value.is_finite() {
            return (incident.figures.evidence, incident.figures.probability);
        }
        let calibration = self.watch.calibration(&self.definition.name);
        (
            Some(probability::evidence(p_value)),
            Some(calibration.of_p_value(p_value)),
        )
    }

    /// From the incident's first bad bucket to the end of its last.
    pub(super) fn bad_time(&self, incident: &Incident, bad_until_us: i64) -> (i64, i64) {
        let bucket_us = self.facts.bucket_us.max(1);
        let from_us = incident.started_at_us.div_euclid(bucket_us) * bucket_us;
        (from_us, bad_until_us.max(from_us + bucket_us))
    }

    /// Good minutes while an incident waits to be resolved are not counted with the bad ones.
    fn bad_until_us(&self, incident: &Incident, step: Step) -> i64 {
        let members = self.memory.members(&incident.id);
        let normal_since =
            members.map(|(_, state)| state.hysteresis.normal_since_us().unwrap_or(step.end_us));
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

    /// The metric over the incident's own slice: in the last window, and of a share of counts how
    /// many events lie beyond the bound since it began.
    fn threshold_figures(
        &self,
        incident: &Incident,
        detect: &ThresholdDetect,
        step: Step,
        bad_until_us: i64,
    ) -> Result<IncidentFigures, MonitorError> {
        let bound = match incident.direction {
            Deviation::Up => detect.above,
            Deviation::Down => detect.below,
        };
        let window = self.window(step);
        let window = self.total(&incident.slice, window.start_us, window.end_us)?;
        let mut figures = IncidentFigures {
            value: window.value.or(incident.figures.value),
            bound,
            ..IncidentFigures::default()
        };
        if !self.facts.is_rate {
            self.count_hit(&mut figures, incident, (bound, bad_until_us))?;
            return Ok(figures);
        }
        let (from_us, to_us) = self.bad_time(incident, bad_until_us);
        let mut total = self.total(&incident.slice, from_us, to_us)?;
        if total.denominator.is_none_or(|all| all == 0.0) {
            // None of its events is of the step that made the window bad, as where the good ones have left it.
            total = window;
        }
        if let (Some(bound), Some(numerator), Some(denominator)) =
            (bound, total.numerator, total.denominator)
        {
            let beyond = match incident.direction {
                Deviation::Up => numerator - bound * denominator,
                Deviation::Down => bound * denominator - numerator,
            };
            figures.numerator = Some(numerator);
            figures.denominator = Some(denominator);
            figures.affected = Some(beyond.max(0.0).round());
        }
        Ok(figures)
    }

    /// The time that is judged at a step: the step, or the trailing window that ends with it.
    pub(super) fn window(&self, step: Step) -> Step {
        let start_us = self.over_us().map(|over_us| step.end_us - over_us);
        Step {
            start_us: start_us.unwrap_or(step.start_us),
            ..step
        }
    }

    pub(super) fn over_us(&self) -> Option<i64> {
        match &self.definition.detect {
            Detect::Threshold(detect) => over_us(detect),
            _ => None,
        }
    }

    /// One step of every slice that `by` splits the metric into.
    pub(super) fn windows(
        &self,
        by: &[String],
        step: Step,
    ) -> Result<HashMap<Slice, Bucket>, MonitorError> {
        let query = FigureQuery {
            metric: self.definition.metric.clone(),
            by: by.to_vec(),
            within: Slice::whole(),
            from_us: step.start_us,
            to_us: step.end_us,
            step_us: step.end_us - step.start_us,
            over_us: self.over_us(),
        };
        let figures = self.watch.source.figures(&query);
        let figures = figures.map_err(MonitorError::Figures)?.into_iter();
        let window = |figures: SliceFigures| Some((figures.slice, *figures.buckets.first()?));
        Ok(figures.filter_map(window).collect())
    }

    /// The monitor's metric over a slice, taken together, from `from_us` to `to_us`.
    pub(super) fn total(
        &self,
        slice: &Slice,
        from_us: i64,
        to_us: i64,
    ) -> Result<Total, MonitorError> {
        self.total_of(&self.definition.metric, self.facts, slice, from_us, to_us)
    }

    /// A metric over a slice, taken together, from `from_us` to `to_us`.
    pub(super) fn total_of(
        &self,
        metric: &str,
        facts: &MetricFacts,
        slice: &Slice,
        from_us: i64,
        to_us: i64,
    ) -> Result<Total, MonitorError> {
        let query = FigureQuery {
            metric: metric.to_owned(),
            by: slice.pairs().map(|(name, _)| name.to_owned()).collect(),
            within: slice.clone(),
            from_us,
            to_us,
            step_us: to_us - from_us,
            over_us: None,
        };
        let figures = self.watch.source.figures(&query);
        let figures = figures.map_err(MonitorError::Figures)?;
        let own = figures.iter().filter(|figures| figures.slice == *slice);
        let buckets = || own.clone().flat_map(|figures| &figures.buckets);
        let sum =
            |part: fn(&Bucket) -> Option<f64>| buckets().filter_map(part).reduce(|a, b| a + b);
        let (numerator, denominator) = (sum(|b| b.numerator), sum(|b| b.denominator));
        let value = match (numerator, denominator) {
            (Some(above), Some(below)) if facts.is_rate => (below > 0.0).then(|| above / below),
            // Steps begin at multiples of their length, so that one as long as the stretch may be cut in two.
            _ if facts.adds_up => sum(|b| b.value),
            // Sums of other values need not be values.
            _ => buckets().filter_map(|bucket| bucket.value).next_back(),
        };
        Ok(Total {
            // A bucket without a value is one that is not known, and not one without events.
            value: value.or(if buckets().next().is_none() {
                facts.empty_value
            } else {
                None
            }),
            numerator,
            denominator,
        })
    }
}
