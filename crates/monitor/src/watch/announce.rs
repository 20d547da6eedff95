//! Who is told: writing down what changed, with its messages, unless something holds them back.

use rusqlite::Connection;

use super::audit::AUDIT;
use super::lifecycle::Record;
use super::{Watch, message};
use crate::MonitorError;
use crate::catalogue::told::{self, Standing, Told};
use crate::catalogue::{incidents, outbox, silences};
use crate::definition::{Severity, Subject};
use crate::figure::Slice;
use crate::incident::{
    Incident, IncidentId, IncidentState, TimelineEntry, TimelineKind, time_text,
};

/// A channel that has to be told of an incident though nothing has just happened to it.
struct Due {
    incident: String,
    channel: String,
    what: DueKind,
}

/// What it is told.
#[derive(Clone, Copy)]
enum DueKind {
    /// How the incident is: it last heard otherwise, or nothing.
    State,
    /// That it goes on, for the so-many-th time.
    Again(u32),
}

impl Watch {
    /// Tells what has become due by itself: what a silence, a maintenance window or quiet hours kept
    /// back until now, if it is still so, and that an incident goes on.
    pub(super) fn announce(&self, now_us: i64) -> Result<(), MonitorError> {
        let due = |db: &Connection| {
            let mut due = Vec::new();
            for standing in told::standing(db)? {
                self.due_of(db, &standing, now_us, &mut due)?;
            }
            Ok::<_, MonitorError>(due)
        };
        // Nearly always there is none, and a look is cheaper than a transaction that writes.
        if self.catalogue.read(due)?.is_empty() {
            return Ok(());
        }
        self.catalogue.write(|db| {
            for due in due(db)? {
                let incident = incidents::get(db, &due.incident)?;
                match due.what {
                    // What it is part of may have been told just now.
                    DueKind::State
                        if incident.state != IncidentState::Resolved
                            && is_told_by_leader(db, &incident, &due.channel, now_us)? => {}
                    DueKind::State => {
                        let kind = first_kind(&incident);
                        self.tell(db, &incident, &due.channel, kind, now_us)?;
                    }
                    DueKind::Again(repeat) => {
                        self.tell_again(db, &incident, &due.channel, repeat, now_us)?;
                    }
                }
            }
            Ok(())
        })
    }

    /// The channels that have to be told of one incident now.
    fn due_of(
        &self,
        db: &Connection,
        standing: &Standing,
        now_us: i64,
        due: &mut Vec<Due>,
    ) -> Result<(), MonitorError> {
        let is_open = standing.state != IncidentState::Resolved;
        let rules = &self.rules;
        // Only looked up where it matters.
        let mut muted = None;
        for (channel, told) in &standing.channels {
            let believed = told.is_some_and(|told| told.open);
            let since_us = told.map_or(0, |told| now_us.saturating_sub(told.at_us));
            let has_come = |pause_us: Option<i64>| pause_us.is_some_and(|us| since_us >= us);
            let resends = believed && has_come(rules.resends_after_us(channel, standing.state));
            let repeats = believed && has_come(rules.repeats_after_us(channel, standing.state));
            let what = match (believed == is_open, told) {
                (false, _)
                    if is_open
                        && is_told_by(
                            db,
                            standing.part_of.as_deref(),
                            standing.severity,
                            channel,
                            now_us,
                        )? =>
                {
                    continue;
                }
                (false, _) => DueKind::State,
                (true, Some(told)) if resends || repeats => DueKind::Again(told.repeats + 1),
                (true, _) => continue,
            };
            if !resends {
                let subject = standing.subject();
                let is_muted = match muted {
                    Some(known) => known,
                    None => self.is_muted(db, &subject, now_us)?,
                };
                muted = Some(is_muted);
                if is_muted || rules.is_quiet(channel, standing.severity, now_us) {
                    continue;
                }
            }
            if matches!(what, DueKind::Again(_)) && outbox::is_waiting(db, &standing.id, channel)? {
                continue;
            }
            due.push(Due {
                incident: standing.id.clone(),
                channel: channel.clone(),
                what,
            });
        }
        Ok(())
    }

    /// Whether no channel is told of this now.
    fn is_muted(
        &self,
        db: &Connection,
        subject: &Subject<'_>,
        now_us: i64,
    ) -> Result<bool, MonitorError> {
        let silent = silences::until(db, subject.monitor, subject.slice, now_us)?.is_some();
        Ok(silent || self.rules.maintenance(subject, now_us).is_some())
    }

    /// Writes records with their messages. Returns what subscribers are to be told.
    pub(super) fn write(
        &self,
        db: &Connection,
        records: &[Record],
        now_us: i64,
    ) -> Result<Vec<(TimelineKind, Incident)>, MonitorError> {
        let mut events = Vec::with_capacity(records.len());
        for record in records {
            let subject = Subject::from(&record.incident);
            let id = record.incident.id.as_str();
            let kind = record.entry.as_ref().map(|entry| entry.kind);
            let is_new = matches!(kind, Some(TimelineKind::Opened | TimelineKind::Reopened));
            // Who has once been told stays with it while it lives, though a slice that was widened
            // leads elsewhere.
            let mut notify = match is_new {
                true => Vec::new(),
                false => incidents::notify(db, &record.incident.id)?,
            };
            for channel in &record.notify {
                if !notify.contains(channel) {
                    notify.push(channel.clone());
                }
            }
            self.rules.add_routed(&subject, &mut notify);
            incidents::put(db, &record.incident, &notify)?;
            if is_new {
                events.extend(self.join_leader(db, &record.incident)?);
            } else if record.entry.is_some() {
                self.leave_leader(db, &record.incident)?;
            }
            if let Some(heir) = &record.heir {
                incidents::hand_over(db, &record.incident.id, heir)?;
            }
            let Some(entry) = &record.entry else {
                events.push((TimelineKind::Updated, incidents::get(db, id)?));
                continue;
            };
            incidents::append(db, &record.incident.id, entry)?;
            if let Some((window, until_us)) = self.rules.maintenance(&subject, now_us)
                && is_new
            {
                let until = time_text(until_us);
                let note = TimelineEntry {
                    at_us: entry.at_us,
                    kind: TimelineKind::Updated,
                    text: format!("maintenance window `{window}`: nobody is told before {until}"),
                };
                incidents::append(db, &record.incident.id, &note)?;
            }
            let incident = incidents::get(db, id)?;
            if !self.is_muted(db, &subject, now_us)? {
                for channel in &notify {
                    self.tell_transition(db, &incident, channel, entry.kind, now_us)?;
                }
            }
            events.push((entry.kind, incident));
        }
        Ok(events)
    }

    /// Makes an incident that has just opened part of one of another monitor that has the same cause, if there is one,
    /// which then says so in its timeline.
    fn join_leader(
        &self,
        db: &Connection,
        incident: &Incident,
    ) -> Result<Option<(TimelineKind, Incident)>, MonitorError> {
        let (started_us, within_us) = (incident.started_at_us, ONE_CAUSE_WITHIN_US);
        let near = incidents::beginning_near(db, &incident.monitor, started_us, within_us)?;
        let mut leader = near
            .into_iter()
            .find(|other| self.has_same_cause(other, incident));
        // What is part itself belongs to what it is part of, as long as that lasts.
        if let Some(of) = leader.as_ref().and_then(|leader| leader.part_of.clone())
            && let Ok(own) = incidents::get(db, of.as_str())
            && own.state != IncidentState::Resolved
        {
            leader = Some(own);
        }
        let leader = leader.filter(|leader| leader.id != incident.id);
        let leader = leader.as_ref();
        incidents::join(db, &incident.id, leader.map(|leader| &leader.id))?;
        let Some(leader) = leader else {
            return Ok(None);
        };
        let entry = TimelineEntry {
            at_us: incident.updated_at_us,
            kind: TimelineKind::Updated,
            text: format!(
                "of the same cause, by `{}`: {}",
                incident.monitor, incident.summary
            ),
        };
        incidents::append(db, &leader.id, &entry)?;
        let leader = incidents::get(db, leader.id.as_str())?;
        Ok(Some((TimelineKind::Updated, leader)))
    }

    /// Tells a channel of a transition, unless it is not to be told now.
    fn tell_transition(
        &self,
        db: &Connection,
        incident: &Incident,
        channel: &str,
        kind: TimelineKind,
        now_us: i64,
    ) -> Result<(), MonitorError> {
        if self.rules.is_quiet(channel, incident.severity, now_us) {
            return Ok(());
        }
        let told = told::get(db, incident.id.as_str(), channel)?;
        let believed = told.is_some_and(|told| told.open);
        if !believed && is_told_by_leader(db, incident, channel, now_us)? {
            return Ok(());
        }
        let kind = match kind {
            // Who never heard of it hears nothing of its end either.
            TimelineKind::Resolved if !believed => return Ok(()),
            // What was kept back is news, whatever happened since.
            TimelineKind::Updated | TimelineKind::Acknowledged if !believed => first_kind(incident),
            kind => kind,
        };
        self.tell(db, incident, channel, kind, now_us)
    }

    /// Puts a message about an incident as it is now into the outbox.
    fn tell(
        &self,
        db: &Connection,
        incident: &Incident,
        channel: &str,
        kind: TimelineKind,
        now_us: i64,
    ) -> Result<(), MonitorError> {
        let body = self.body(incident, kind)?;
        outbox::enqueue(db, incident, channel, kind, &body, now_us)?;
        let told = Told {
            open: incident.state != IncidentState::Resolved,
            at_us: now_us,
            repeats: 0,
        };
        told::put(db, incident.id.as_str(), channel, told)
    }

    /// As [`Self::tell`], that it goes on.
    fn tell_again(
        &self,
        db: &Connection,
        incident: &Incident,
        channel: &str,
        repeat: u32,
        now_us: i64,
    ) -> Result<(), MonitorError> {
        let body = self.body(incident, TimelineKind::Repeated)?;
        outbox::enqueue_again(db, incident, channel, repeat, &body, now_us)?;
        let told = Told {
            open: true,
            at_us: now_us,
            repeats: repeat,
        };
        told::put(db, incident.id.as_str(), channel, told)
    }

    fn body(&self, incident: &Incident, kind: TimelineKind) -> Result<String, MonitorError> {
        let body = message::body(incident, kind, self.base_url());
        body.map_err(|error| MonitorError::Damaged {
            what: format!("incident `{}`", incident.id),
            reason: error.to_string(),
        })
    }
}

/// Faults of one cause show in several metrics within this time.
const ONE_CAUSE_WITHIN_US: i64 = 15 * 60 * 1_000_000;

/// A part is not told yet when what it is part of has just ended: mostly it ends as well.
const GRACE_US: i64 = 10 * 60 * 1_000_000;

impl Watch {
    /// Whether an incident of another monitor is of the same cause: they are about the same events and began at about the same
    /// time, and what is to blame for the one holds or is held by what is for the other. All traffic holds
    /// everything, and so says nothing of parts.
    fn has_same_cause(&self, other: &Incident, incident: &Incident) -> bool {
        let apart_us = (other.started_at_us - incident.started_at_us).abs();
        let stream = |one: &Incident| self.source.stream(&one.metric);
        if other.monitor == incident.monitor
            || other.monitor == AUDIT
            || incident.monitor == AUDIT
            || apart_us > ONE_CAUSE_WITHIN_US
            || stream(other) != stream(incident)
        {
            return false;
        }
        let are_one = |a: &Slice, b: &Slice| {
            let is_part = |slice: &Slice| slice.dimensions() > 0;
            is_part(a) == is_part(b) && (a.covers(b) || b.covers(a))
        };
        let (theirs, ours) = (other.blamed(), incident.blamed());
        theirs.iter().any(|a| ours.iter().any(|b| are_one(a, b)))
    }

    /// Lets an incident stand by itself that has become more than what it is part of.
    fn leave_leader(&self, db: &Connection, incident: &Incident) -> Result<(), MonitorError> {
        let Some(leader) = incidents::get(db, incident.id.as_str())?.part_of else {
            return Ok(());
        };
        let Ok(leader) = incidents::get(db, leader.as_str()) else {
            return Ok(());
        };
        let is_wider = incident.slice != leader.slice && incident.slice.covers(&leader.slice);
        let is_more = is_wider && !leader.blamed().contains(&&incident.slice);
        if leader.state != IncidentState::Resolved && is_more {
            incidents::join(db, &incident.id, None)?;
        }
        Ok(())
    }
}

/// Whether a channel hears of an incident by the one that it is part of.
fn is_told_by_leader(
    db: &Connection,
    incident: &Incident,
    channel: &str,
    now_us: i64,
) -> Result<bool, MonitorError> {
    let leader = incident.part_of.as_ref().map(IncidentId::as_str);
    is_told_by(db, leader, incident.severity, channel, now_us)
}

fn is_told_by(
    db: &Connection,
    leader: Option<&str>,
    severity: Severity,
    channel: &str,
    now_us: i64,
) -> Result<bool, MonitorError> {
    match leader {
        Some(leader) => incidents::is_told(db, leader, severity, channel, now_us - GRACE_US),
        None => Ok(false),
    }
}

/// What a channel is told of an incident that it does not know as it is.
fn first_kind(incident: &Incident) -> TimelineKind {
    let again = |kind| incident.timeline.iter().any(|entry| entry.kind == kind);
    match incident.state {
        IncidentState::Resolved => TimelineKind::Resolved,
        _ if again(TimelineKind::Reopened) => TimelineKind::Reopened,
        _ => TimelineKind::Opened,
    }
}
