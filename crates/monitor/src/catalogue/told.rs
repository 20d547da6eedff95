//! What each channel last heard of each incident.

use rusqlite::{Connection, OptionalExtension, params};

use super::{damaged, from_json};
use crate::MonitorError;
use crate::definition::{Severity, Subject};
use crate::figure::Slice;
use crate::incident::IncidentState;

/// What a channel last heard of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// That it is open, or else that it is over.
    pub open: bool,
    /// When, in microseconds since the epoch.
    pub at_us: i64,
    /// How often it was told again since the last transition it heard of.
    pub repeats: u32,
}

/// An incident as far as it decides who has to be told of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Standing {
    pub id: String,
    pub state: IncidentState,
    pub severity: Severity,
    pub monitor: String,
    pub metric: String,
    pub slice: Slice,
    /// The incident that it is part of.
    pub part_of: Option<String>,
    /// Its channels, each with what it last heard.
    pub channels: Vec<(String, Option<Told>)>,
}

impl Standing {
    /// What it is about.
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            severity: self.severity,
            monitor: &self.monitor,
            metric: &self.metric,
            slice: &self.slice,
        }
    }
}

/// What a channel last heard of an incident, if anything.
pub(crate) fn get(
    db: &Connection,
    incident: &str,
    channel: &str,
) -> Result<Option<Told>, MonitorError> {
    let sql = "select open, at_us, repeats from told where incident = ?1 and channel = ?2";
    let mut statement = db.prepare_cached(sql)?;
    let told = statement.query_row([incident, channel], |row| {
        Ok(Told {
            open: row.get(0)?,
            at_us: row.get(1)?,
            repeats: row.get(2)?,
        })
    });
    Ok(told.optional()?)
}

/// Notes what a channel has been told of an incident.
pub(crate) fn put(
    db: &Connection,
    incident: &str,
    channel: &str,
    told: Told,
) -> Result<(), MonitorError> {
    db.prepare_cached(
        "insert into told (incident, channel, open, at_us, repeats) values (?1, ?2, ?3, ?4, ?5)
         on conflict (incident, channel) do update set open = ?3, at_us = ?4, repeats = ?5",
    )?
    .execute(params![
        incident,
        channel,
        told.open,
        told.at_us,
        told.repeats
    ])?;
    Ok(())
}

/// Every incident that is not resolved, and those that are and that some channel believes to be
/// open; the oldest first.
pub(crate) fn standing(db: &Connection) -> Result<Vec<Standing>, MonitorError> {
    let mut statement = db.prepare_cached(
        "select id, state, severity, monitor, metric, slice, notify, part_of from incidents
             where state <> 'resolved'
         union all
         select id, state, severity, monitor, metric, slice, notify, part_of from incidents
             where state = 'resolved' and id in (select incident from told where open <> 0)
         order by id",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |at: usize| -> Result<String, MonitorError> { Ok(row.get(at)?) };
        let (id, state, severity) = (text(0)?, text(1)?, text(2)?);
        let notify: Vec<String> = from_json("notify", &text(6)?)?;
        let mut channels = Vec::with_capacity(notify.len());
        for channel in notify {
            let told = get(db, &id, &channel)?;
            channels.push((channel, told));
        }
        found.push(Standing {
            id,
            state: IncidentState::parse(&state).ok_or_else(|| damaged("state", &state))?,
            severity: Severity::parse(&severity).map_err(|fault| damaged("severity", fault))?,
            monitor: text(3)?,
            metric: text(4)?,
            slice: from_json("slice", &text(5)?)?,
            part_of: row.get(7)?,
            channels,
        });
    }
    Ok(found)
}
