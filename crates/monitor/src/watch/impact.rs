//! How much is at stake: what an incident has cost so far, by a metric of money that its monitor names.

use super::explain::whole_buckets_of;
use super::lifecycle::Lifecycle;
use crate::MonitorError;
use crate::definition::Detect;
use crate::figure::MetricFacts;
use crate::incident::{Deviation, ImpactOf, Incident, IncidentImpact};

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
        let span = self.bad_time(incident, bad_until_us);
        let told = if *metric == self.definition.metric && !self.is_by_count() {
            let off = self.too_many(incident, incident.figures.bound, span)?;
            off.map(|value| (value, ImpactOf::Affected))
        } else {
            self.worth_of_events(incident, (metric, &facts), span)?
        };
        let told = told.filter(|(value, _)| value.is_finite());
        Ok(told.map(|(value, of)| IncidentImpact {
            metric: metric.clone(),
            value,
            unit: facts.unit.clone(),
            of,
        }))
    }

    /// Whether the detector itself says how many events are missing or too many.
    fn is_by_count(&self) -> bool {
        matches!(
            self.definition.detect,
            Detect::Rate(_) | Detect::Count(_) | Detect::Silence(_)
        )
    }

    /// What the events that were hit are worth, or where that cannot be told, all that the slice had.
    fn worth_of_events(
        &self,
        incident: &Incident,
        money: (&str, &MetricFacts),
        (from_us, to_us): (i64, i64),
    ) -> Result<Option<(f64, ImpactOf)>, MonitorError> {
        let figures = &incident.figures;
        let worth = |from_us: i64, to_us: i64| self.worth(incident, money, from_us, to_us);
        let Some(affected) = figures.affected else {
            let all = worth(from_us, to_us)?.filter(|_| figures.passed.is_some());
            return Ok(all.map(|all| (all, ImpactOf::Passed)));
        };
        let (worth, events) = match figures.denominator {
            Some(denominator) => (worth(from_us, to_us)?, Some(denominator)),
            None if incident.direction == Deviation::Up && self.is_by_count() => {
                (worth(from_us, to_us)?, figures.value)
            }
            None => {
                let (from_us, to_us) = match incident.direction {
                    Deviation::Up => (from_us, to_us),
                    Deviation::Down => (from_us - DAY_US, from_us),
                };
                let events = self.total(&incident.slice, from_us, to_us)?.value;
                (worth(from_us, to_us)?, events)
            }
        };
        Ok(match (worth, events) {
            (Some(worth), Some(events)) if events > 0.0 => {
                Some((worth * (affected / events), ImpactOf::Affected))
            }
            _ => None,
        })
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
