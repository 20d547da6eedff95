//! How much is at stake: what an incident has cost so far, by a metric of money that its monitor names.

use super::explain::whole_buckets_of;
use super::lifecycle::Lifecycle;
use crate::MonitorError;
use crate::definition::Detect;
use crate::figure::MetricFacts;
use crate::incident::{Deviation, Incident, IncidentImpact};

const DAY_US: i64 = 24 * 3600 * 1_000_000;

impl Lifecycle<'_> {
    /// Brings what is at stake up to date. What cannot be told stays as it was: the incident counts more.
    pub(super) fn weigh(&self, incident: &mut Incident, bad_until_us: i64) {
        match self.impact(incident, bad_until_us) {
            Ok(Some(impact)) => incident.impact = Some(impact),
            Ok(None) => {}
            Err(error) => {
                let incident = incident.id.as_str();
                tracing::debug!(incident, %error, "what is at stake is not known");
            }
        }
    }

    /// Events that went wrong, or are missing or too many, times what an event of the slice is worth: in the bad time itself,
    /// and where events are missing, on the day before.
    fn impact(
        &self,
        incident: &Incident,
        bad_until_us: i64,
    ) -> Result<Option<IncidentImpact>, MonitorError> {
        let Some(metric) = &self.definition.impact else {
            return Ok(None);
        };
        let facts = (self.watch.source.facts(metric)).map_err(MonitorError::Figures)?;
        let knows = |name: &str| facts.dimensions.iter().any(|dimension| dimension == name);
        if !facts.adds_up || !incident.slice.pairs().all(|(name, _)| knows(name)) {
            return Ok(None);
        }
        let figures = &incident.figures;
        let (from_us, to_us) = self.bad_time(incident, bad_until_us);
        let Some(affected) = figures.affected else {
            let off = self.off(incident, metric, (from_us, to_us))?;
            return Ok(off.map(|value| IncidentImpact {
                metric: metric.clone(),
                value,
                unit: facts.unit.clone(),
            }));
        };
        let worth =
            |from_us: i64, to_us: i64| self.worth(incident, (metric, &facts), from_us, to_us);
        let (worth, events) = match figures.denominator {
            Some(denominator) => (worth(from_us, to_us)?, Some(denominator)),
            None if incident.direction == Deviation::Up => (worth(from_us, to_us)?, figures.value),
            None => {
                let (from_us, to_us) = (from_us - DAY_US, from_us);
                let events = self.total(&incident.slice, from_us, to_us)?.value;
                (worth(from_us, to_us)?, events)
            }
        };
        let value = match (worth, events) {
            (Some(worth), Some(events)) if events > 0.0 => worth * (affected / events),
            _ => return Ok(None),
        };
        if !value.is_finite() {
            return Ok(None);
        }
        Ok(Some(IncidentImpact {
            metric: metric.clone(),
            value,
            unit: facts.unit.clone(),
        }))
    }

    /// Of a monitor of the money itself: how much is missing, or too much, against the same time of the weeks before, or of
    /// the days before where there are none.
    fn off(
        &self,
        incident: &Incident,
        metric: &str,
        (from_us, to_us): (i64, i64),
    ) -> Result<Option<f64>, MonitorError> {
        let d = self.definition;
        let is_by_value = matches!(
            d.detect,
            Detect::Seasonal(_) | Detect::Change(_) | Detect::Forecast(_)
        );
        if metric != d.metric || !is_by_value {
            return Ok(None);
        }
        for (back_us, count) in [(7 * DAY_US, 4), (DAY_US, 3)] {
            let mut before = Vec::new();
            for nth in 1..=count {
                let back_us = nth * back_us;
                let total = self.total(&incident.slice, from_us - back_us, to_us - back_us)?;
                // Where there is nothing at all, history does not reach back so far.
                before.extend(total.value.filter(|value| *value != 0.0));
            }
            before.sort_unstable_by(f64::total_cmp);
            if let Some(expected) = before.get(before.len() / 2) {
                let now = self.total(&incident.slice, from_us, to_us)?;
                let now = now.value.unwrap_or(0.0);
                let off = match incident.direction {
                    Deviation::Down => expected - now,
                    Deviation::Up => now - expected,
                };
                return Ok(Some(off.max(0.0)).filter(|off| off.is_finite()));
            }
        }
        Ok(None)
    }

    /// The metric of money over the incident's slice.
    fn worth(
        &self,
        incident: &Incident,
        (metric, facts): (&str, &MetricFacts),
        from_us: i64,
        to_us: i64,
    ) -> Result<Option<f64>, MonitorError> {
        let span = whole_buckets_of(self.watch.source.as_ref(), metric, (from_us, to_us))?;
        let total = self.total_of(metric, facts, &incident.slice, span.from_us, span.to_us)?;
        // The buckets of that metric may be longer than the bad time.
        let share = (to_us - from_us) as f64 / (span.to_us - span.from_us) as f64;
        Ok(total.value.map(|value| value * share.min(1.0)))
    }
}
