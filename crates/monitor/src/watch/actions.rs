//! What people do to incidents.

use super::lifecycle::{self, Record};
use super::state::Live;
use super::{Inner, Watch};
use crate::MonitorError;
use crate::catalogue::{Silence, SilenceOrigin, incidents, silences};
use crate::incident::{Incident, IncidentState, TimelineEntry, TimelineKind, time_text};

/// Longest text that is kept of a note or a name.
const NOTE_CHARS_MAX: usize = 1000;

/// Who does something, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionNote {
    /// Who.
    pub by: Option<String>,
    /// Why.
    pub note: Option<String>,
}

impl ActionNote {
    /// `acknowledged by ada: on it`.
    pub(super) fn text(&self, action: &str) -> String {
        let clip = |text: &str| text.chars().take(NOTE_CHARS_MAX).collect::<String>();
        let by = self
            .by
            .as_deref()
            .map(|by| format!(" by {}", clip(by)))
            .unwrap_or_default();
        let note = self
            .note
            .as_deref()
            .map(|n| format!(": {}", clip(n)))
            .unwrap_or_default();
        format!("{action}{by}{note}")
    }
}

fn clip(text: &str) -> String {
    text.chars().take(NOTE_CHARS_MAX).collect()
}

impl Watch {
    /// Takes an open incident. One that is taken already stays as it is.
    ///
    /// # Errors
    /// There is no such incident, it is resolved, or the catalogue cannot be written.
    pub fn acknowledge(
        &self,
        id: &str,
        note: &ActionNote,
        now_us: i64,
    ) -> Result<Incident, MonitorError> {
        self.act(id, "acknowledged", now_us, |live, _| {
            if live.incident.state == IncidentState::Acknowledged {
                return Ok(None);
            }
            live.incident.state = IncidentState::Acknowledged;
            let text = note.text("acknowledged");
            Ok(Some(transition(
                live,
                TimelineKind::Acknowledged,
                text,
                now_us,
            )))
        })
    }

    /// Ends an incident. Slices that still fire are not told again until they were normal.
    ///
    /// # Errors
    /// There is no such incident, it is resolved already, or the catalogue cannot be written.
    pub fn resolve(
        &self,
        id: &str,
        note: &ActionNote,
        now_us: i64,
    ) -> Result<Incident, MonitorError> {
        self.act(id, "resolved", now_us, |live, _| {
            Ok(Some(lifecycle::resolved(
                live,
                now_us,
                note.text("resolved"),
                None,
            )))
        })
    }

    /// Tells no channel of this incident, nor of others of its monitor within its slice, until
    /// `until_us`. What is then still open and was never told is told then, and so is the end of
    /// what was told before.
    ///
    /// # Errors
    /// There is no such incident, it is resolved, or the catalogue cannot be written.
    pub fn silence(
        &self,
        id: &str,
        until_us: i64,
        note: &ActionNote,
        now_us: i64,
    ) -> Result<Incident, MonitorError> {
        self.act(id, "silenced", now_us, |live, db| {
            live.incident.silenced_until_us = Some(until_us);
            let silence = Silence {
                monitor: live.incident.monitor.clone(),
                slice: live.incident.slice.clone(),
                until_us,
            };
            let origin = SilenceOrigin {
                incident: Some(live.incident.id.to_string()),
                by: note.by.as_deref().map(clip),
                note: note.note.as_deref().map(clip),
                created_at_us: Some(now_us),
            };
            silences::add(db, &silence, &origin, now_us)?;
            let text = note.text(&format!("silenced until {}", time_text(until_us)));
            Ok(Some(transition(live, TimelineKind::Updated, text, now_us)))
        })
    }

    /// Ends a silence before its time; false if there is none of that number any more. What it kept back and is still so
    /// is told at the next round.
    ///
    /// # Errors
    /// The catalogue cannot be read or written.
    pub fn end_silence(
        &self,
        id: i64,
        note: &ActionNote,
        now_us: i64,
    ) -> Result<bool, MonitorError> {
        let Some(kept) = self.catalogue.read(|db| silences::get(db, id, now_us))? else {
            return Ok(false);
        };
        let name = &kept.silence.monitor;
        let monitor = self.monitors.iter().find(|m| m.definition.name == *name);
        // Held until the change is written, so that no round overwrites it with an older state.
        let mut inner = monitor.map(super::Monitor::lock);
        let changed = self.catalogue.write(|db| {
            if !silences::remove(db, id)? {
                return Ok(None);
            }
            let mut changed = Vec::new();
            for incident in incidents::silenced(db, name, now_us)? {
                // Another silence may cover it as well.
                let until_us = silences::until(db, name, &incident.slice, now_us)?;
                if until_us == incident.silenced_until_us {
                    continue;
                }
                incidents::set_silenced(db, &incident.id, until_us)?;
                let entry = TimelineEntry {
                    at_us: now_us,
                    kind: TimelineKind::Updated,
                    text: note.text("silence ended"),
                };
                incidents::append(db, &incident.id, &entry)?;
                changed.push(incidents::get(db, incident.id.as_str())?);
            }
            Ok(Some(changed))
        })?;
        let Some(changed) = changed else {
            return Ok(false);
        };
        for incident in changed {
            if let Some(inner) = inner.as_deref_mut() {
                let live = inner.memory.live.iter_mut();
                for live in live.filter(|live| live.incident.id == incident.id) {
                    live.incident.silenced_until_us = incident.silenced_until_us;
                }
            }
            self.feed.publish(TimelineKind::Updated, incident);
        }
        Ok(true)
    }

    /// Writes something down in an incident's timeline, whatever its state. Channels are not told.
    ///
    /// # Errors
    /// There is no such incident, or the catalogue cannot be written.
    pub fn note(&self, id: &str, note: &ActionNote, now_us: i64) -> Result<Incident, MonitorError> {
        let incident = self.catalogue.write(|db| {
            let incident = incidents::get(db, id)?;
            let entry = TimelineEntry {
                at_us: now_us,
                kind: TimelineKind::Note,
                text: note.text("noted"),
            };
            incidents::append(db, &incident.id, &entry)?;
            incidents::get(db, id)
        })?;
        self.feed.publish(TimelineKind::Note, incident.clone());
        Ok(incident)
    }

    /// Changes an incident that is not resolved, in the catalogue and in its monitor's memory.
    fn act(
        &self,
        id: &str,
        wish: &'static str,
        now_us: i64,
        change: impl FnOnce(&mut Live, &rusqlite::Connection) -> Result<Option<Record>, MonitorError>,
    ) -> Result<Incident, MonitorError> {
        let monitor = self.catalogue.incident(id)?.monitor;
        let monitor = self.monitors.iter().find(|m| m.definition.name == monitor);
        // Held until the change is written, so that no round overwrites it with an older state.
        let mut inner = monitor.map(super::Monitor::lock);
        let (live, events) = self.catalogue.write(|db| {
            let incident = incidents::get(db, id)?;
            if incident.state == IncidentState::Resolved {
                let state = incident.state.name();
                return Err(MonitorError::WrongState {
                    id: id.to_owned(),
                    state,
                    wish,
                });
            }
            let notify = incidents::notify(db, &incident.id)?;
            let mut live = Live::new(incident, notify);
            let record = change(&mut live, db)?;
            let records: Vec<Record> = record.into_iter().collect();
            let events = self.write(db, &records, now_us)?;
            Ok((live, events))
        })?;
        if let Some(inner) = inner.as_deref_mut() {
            remember(inner, live);
        }
        for (kind, incident) in events {
            self.feed.publish(kind, incident);
        }
        self.catalogue.incident(id)
    }
}

fn transition(live: &mut Live, kind: TimelineKind, text: String, now_us: i64) -> Record {
    live.incident.transition += 1;
    live.incident.touch(now_us);
    let entry = TimelineEntry {
        at_us: now_us,
        kind,
        text,
    };
    Record {
        incident: live.incident.clone(),
        notify: live.notify.clone(),
        entry: Some(entry),
        heir: None,
    }
}

fn remember(inner: &mut Inner, changed: Live) {
    let id = changed.incident.id.clone();
    let over = changed.incident.state == IncidentState::Resolved;
    let memory = &mut inner.memory;
    if let Some(at) = memory.live.iter().position(|live| live.incident.id == id) {
        if over {
            memory.live.remove(at);
        } else if let Some(live) = memory.live.get_mut(at) {
            *live = changed;
        }
    }
    if over {
        let members = memory.slices.values_mut();
        for state in members.filter(|s| s.incident.as_deref() == Some(id.as_str())) {
            state.incident = None;
        }
    }
}
