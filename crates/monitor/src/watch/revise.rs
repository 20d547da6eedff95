//! Incidents whose buckets have changed since they were judged.
//!
//! Late events merge into their bucket, however old, so an incident may show figures that are no
//! longer so. Those of an open one are computed anew at every step; a resolved one keeps those by which it was
//! judged, and says beside them what the same buckets hold now.

use super::figures::missed;
use super::lifecycle::{Lifecycle, Record};
use super::state::{Live, Step};
use super::{Inner, Watch};
use crate::MonitorError;
use crate::catalogue::incidents;
use crate::definition::{Detect, MonitorDefinition};
use crate::figure::MetricFacts;
use crate::incident::{Incident, IncidentFigures, IncidentRevision, JudgedRange, RevisedFigures};

/// Incidents that were resolved longer ago are history and are not looked at again, in microseconds.
const RESOLVED_WITHIN_US: i64 = 7 * 24 * 3600 * 1_000_000;
/// Resolved incidents of a monitor that are looked at; the last come first.
const RESOLVED_MAX: usize = 100;
/// Late events may come all the time; a monitor's incidents are looked at no more often, in
/// microseconds.
const EVERY_US: i64 = 10 * 1_000_000;
/// Figures that differ by less, relatively, are the same ones added up in another order.
const SAME: f64 = 1e-9;

/// When a monitor's incidents were last looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Looked {
    /// The metric's late events then.
    revised_events: u64,
    /// The clock then.
    at_us: Option<i64>,
}

impl Looked {
    /// Whether there may be something new.
    fn is_due(self, facts: &MetricFacts, now_us: i64) -> bool {
        let is_time = self
            .at_us
            .is_none_or(|at_us| !(0..EVERY_US).contains(&now_us.saturating_sub(at_us)));
        self.revised_events != facts.revised_events && is_time
    }
}

impl Watch {
    /// Notes what late events have changed in the buckets of a monitor's incidents: of all that are
    /// not resolved, and of those that lately were. Channels are not told.
    pub(super) fn revise(
        &self,
        definition: &MonitorDefinition,
        inner: &mut Inner,
        facts: &MetricFacts,
        now_us: i64,
    ) -> Result<(), MonitorError> {
        if !inner.looked.is_due(facts, now_us) {
            return Ok(());
        }
        let since_us = now_us.saturating_sub(RESOLVED_WITHIN_US);
        let lately = self.catalogue.read(|db| {
            let lately = incidents::resolved_since(db, &definition.name, since_us, RESOLVED_MAX)?;
            let with_notify = |incident: Incident| {
                let notify = incidents::notify(db, &incident.id)?;
                Ok(Live::new(incident, notify))
            };
            lately
                .into_iter()
                .map(with_notify)
                .collect::<Result<Vec<_>, MonitorError>>()
        })?;
        let all: Vec<Live> = inner.memory.live.iter().cloned().chain(lately).collect();
        let lifecycle = Lifecycle::new(definition, facts, self, &mut inner.memory);
        let mut records = Vec::new();
        for mut live in all {
            match lifecycle.revise(&mut live.incident) {
                Ok(true) => records.push(Record {
                    incident: live.incident,
                    notify: live.notify,
                    entry: None,
                    heir: None,
                }),
                Ok(false) => {}
                // The slice of an old incident may be by dimensions that are gone; that keeps nobody
                // from judging.
                Err(error) => {
                    let incident = live.incident.id.as_str();
                    tracing::debug!(incident, %error, "late events could not be looked at");
                }
            }
        }
        if !records.is_empty() {
            let events = (self.catalogue).write(|db| self.write(db, &records, now_us))?;
            for live in &mut inner.memory.live {
                let revised = records
                    .iter()
                    .find(|record| record.incident.id == live.incident.id);
                if let Some(record) = revised {
                    live.incident = record.incident.clone();
                }
            }
            for (kind, incident) in events {
                self.feed.publish(kind, incident);
            }
        }
        inner.looked = Looked {
            revised_events: facts.revised_events,
            at_us: Some(now_us),
        };
        Ok(())
    }
}

impl Lifecycle<'_> {
    /// Notes in an incident what late events have changed in its buckets; says whether that is news.
    fn revise(&self, incident: &mut Incident) -> Result<bool, MonitorError> {
        let Some(judged) = incident.judged else {
            return Ok(false);
        };
        // What was found ahead of complete buckets changes with all that comes, late or not.
        let judged_upto_us = self.memory.judged_upto_us;
        if judged_upto_us.is_some_and(|upto_us| judged.step_end_us > upto_us) {
            return Ok(false);
        }
        let (from_us, to_us) = self.bad_time(incident, judged.bad_until_us);
        let (from_us, to_us) = match self.definition.detect {
            Detect::Rate(_) | Detect::Count(_) | Detect::Silence(_) => (from_us, to_us),
            // Every bucket of the window that was judged last, however long before the step it begins.
            _ => {
                let window = self.window(Step {
                    start_us: judged.step_start_us,
                    end_us: judged.step_end_us,
                });
                (from_us.min(window.start_us), to_us.max(window.end_us))
            }
        };
        // A monitor that was changed may have had another metric when the incident was found.
        let late = (self.watch.source)
            .revised(&incident.metric, from_us, to_us)
            .map_err(MonitorError::Figures)?;
        let Some(late) = late.filter(|_| incident.metric == self.definition.metric) else {
            return Ok(false);
        };
        let then = of(&incident.figures);
        let now = self.figures_now(incident, judged)?;
        let told = incident.revision.map(|revision| revision.now);
        // Events of other slices have changed the buckets, and nothing of the incident.
        if is_same(&then, &now) || told.is_some_and(|told| is_same(&told, &now)) {
            return Ok(false);
        }
        incident.revision = Some(IncidentRevision { then, now });
        incident.revised_at_us = incident.revised_at_us.max(Some(late.at_us));
        incident.touch(late.at_us);
        Ok(true)
    }

    /// The figures of the buckets that an incident was judged by, against what was expected then.
    fn figures_now(
        &self,
        incident: &Incident,
        judged: JudgedRange,
    ) -> Result<RevisedFigures, MonitorError> {
        let step = Step {
            start_us: judged.step_start_us,
            end_us: judged.step_end_us,
        };
        let mut now = of(&self.figures(incident, step, judged.bad_until_us)?);
        if let (Detect::Count(_) | Detect::Silence(_), Some(expected), Some(value)) = (
            &self.definition.detect,
            incident.figures.expected,
            now.value,
        ) {
            now.affected = Some(missed(incident.direction, value, expected));
        }
        if let (Detect::Rate(_), Some(expected), Some(numerator), Some(denominator)) = (
            &self.definition.detect,
            incident.figures.expected,
            now.numerator,
            now.denominator,
        ) {
            let expected = expected * denominator;
            now.affected = Some(missed(incident.direction, numerator, expected));
        }
        Ok(now)
    }
}

fn of(figures: &IncidentFigures) -> RevisedFigures {
    RevisedFigures {
        value: figures.value,
        numerator: figures.numerator,
        denominator: figures.denominator,
        affected: figures.affected,
    }
}

/// Whether the same events are behind both. What was hit follows from them.
fn is_same(a: &RevisedFigures, b: &RevisedFigures) -> bool {
    let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= SAME * a.abs().max(b.abs()),
        (a, b) => a == b,
    };
    near(a.value, b.value) && near(a.numerator, b.numerator) && near(a.denominator, b.denominator)
}
