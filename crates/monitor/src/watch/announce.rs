//! Who is told: writing down what changed, with its messages, unless it is silenced.

use rusqlite::Connection;

use super::lifecycle::Record;
use super::{Watch, message};
use crate::MonitorError;
use crate::catalogue::{incidents, outbox, silences};
use crate::incident::{Incident, IncidentState, TimelineKind};

impl Watch {
    /// Tells of incidents whose silence has ended: those that channels were never told of and that
    /// are still open, and those they believe to be open though they are over.
    pub(super) fn announce(&self, now_us: i64) -> Result<(), MonitorError> {
        let due = |db: &Connection| {
            let mut due = Vec::new();
            for incident in incidents::untold(db)? {
                if silences::until(db, &incident.monitor, &incident.slice, now_us)?.is_none() {
                    due.push(incident);
                }
            }
            Ok(due)
        };
        // Nearly always there is none, and a look is cheaper than a transaction that writes.
        if self.catalogue.read(due)?.is_empty() {
            return Ok(());
        }
        self.catalogue.write(|db| {
            for incident in due(db)? {
                let again = |kind| incident.timeline.iter().any(|entry| entry.kind == kind);
                let kind = match incident.state {
                    IncidentState::Resolved => TimelineKind::Resolved,
                    _ if again(TimelineKind::Reopened) => TimelineKind::Reopened,
                    _ => TimelineKind::Opened,
                };
                let notify = incidents::notify(db, &incident.id)?;
                tell(db, &incident, &notify, kind, self.base_url(), now_us)?;
            }
            Ok(())
        })
    }
}

/// Writes records with their messages. Returns what subscribers are to be told.
pub(super) fn write(
    db: &Connection,
    records: &[Record],
    base_url: Option<&str>,
    now_us: i64,
) -> Result<Vec<(TimelineKind, Incident)>, MonitorError> {
    let mut events = Vec::with_capacity(records.len());
    for record in records {
        incidents::put(db, &record.incident, &record.notify)?;
        let id = record.incident.id.as_str();
        let Some(entry) = &record.entry else {
            events.push((TimelineKind::Updated, incidents::get(db, id)?));
            continue;
        };
        incidents::append(db, &record.incident.id, entry)?;
        let incident = incidents::get(db, id)?;
        let silent = silences::until(db, &incident.monitor, &incident.slice, now_us)?;
        if silent.is_none() {
            tell(db, &incident, &record.notify, entry.kind, base_url, now_us)?;
        }
        events.push((entry.kind, incident));
    }
    Ok(events)
}

/// Puts a message about an incident as it is now into the outbox, for every channel.
fn tell(
    db: &Connection,
    incident: &Incident,
    notify: &[String],
    kind: TimelineKind,
    base_url: Option<&str>,
    now_us: i64,
) -> Result<(), MonitorError> {
    let body = message::body(incident, kind, base_url).map_err(|error| MonitorError::Damaged {
        what: format!("incident `{}`", incident.id),
        reason: error.to_string(),
    })?;
    for channel in notify {
        outbox::enqueue(db, incident, channel, kind, &body, now_us)?;
    }
    incidents::told(db, incident)
}
