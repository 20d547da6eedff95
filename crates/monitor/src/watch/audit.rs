//! The incident of the audit: kept figures that are not what the events say.
//!
//! No monitor judges it. It is opened once, whatever number of buckets differ, is told to every channel,
//! counts further differences as long as it is not resolved, and ends when somebody resolves it.

use super::lifecycle::Record;
use super::{Watch, message};
use crate::MonitorError;
use crate::catalogue::incidents;
use crate::definition::Severity;
use crate::figure::Slice;
use crate::incident::{
    Deviation, Incident, IncidentFigures, IncidentId, IncidentState, TimelineEntry, TimelineKind,
};

/// What stands for the monitor of the audit's incidents. No definition may have that name.
pub const AUDIT: &str = "__audit__";
/// What stands for their metric.
const AUDIT_METRIC: &str = "audit_differences";

impl Watch {
    /// Notes that the audit found so many figures that differ from the events, the first of them as
    /// `text` says, in a bucket that starts at `started_us`. Opens an incident, unless there is one.
    ///
    /// # Errors
    /// The catalogue cannot be read or written.
    pub fn audit_differs(
        &self,
        differences: u64,
        text: &str,
        started_us: i64,
        now_us: i64,
    ) -> Result<Incident, MonitorError> {
        let (id, events) = self.catalogue.write(|db| {
            let live = incidents::live(db, Some(AUDIT))?.pop();
            let is_new = live.is_none();
            let mut incident = live.unwrap_or_else(|| opened(started_us, now_us));
            let value = incident.figures.value.unwrap_or(0.0) + differences as f64;
            incident.figures.value = Some(value);
            incident.started_at_us = incident.started_at_us.min(started_us);
            incident.touch(now_us);
            incident.summary = format!(
                "{}: what is kept is not what the events say",
                message::summary(&incident)
            );
            let entry = is_new.then(|| TimelineEntry {
                at_us: now_us,
                kind: TimelineKind::Opened,
                text: text.to_owned(),
            });
            let id = incident.id.as_str().to_owned();
            let notify = if is_new {
                self.rules.channel_names()
            } else {
                incidents::notify(db, &incident.id)?
            };
            let record = Record {
                incident,
                notify,
                entry,
                heir: None,
            };
            let events = self.write(db, &[record], now_us)?;
            Ok((id, events))
        })?;
        for (kind, incident) in events {
            self.feed.publish(kind, incident);
        }
        self.catalogue.incident(&id)
    }
}

fn opened(started_us: i64, now_us: i64) -> Incident {
    Incident {
        id: IncidentId::new(now_us, AUDIT, &Slice::whole(), 0),
        monitor: AUDIT.to_owned(),
        metric: AUDIT_METRIC.to_owned(),
        unit: None,
        severity: Severity::Critical,
        state: IncidentState::Open,
        slice: Slice::whole(),
        opened_at_us: now_us,
        started_at_us: started_us,
        updated_at_us: now_us,
        resolved_at_us: None,
        figures: IncidentFigures {
            expected: Some(0.0),
            ..IncidentFigures::default()
        },
        direction: Deviation::Up,
        summary: String::new(),
        timeline: Vec::new(),
        revised_at_us: None,
        revision: None,
        judged: None,
        silenced_until_us: None,
        transition: 1,
        is_real: None,
        explanation: None,
        impact: None,
        owner: None,
        part_of: None,
        parts: Vec::new(),
    }
}
