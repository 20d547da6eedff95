//! Messages that wait to be delivered. They survive a restart.

use rusqlite::{Connection, Row, params};

use super::{Catalogue, incidents};
use crate::MonitorError;
use crate::incident::{Incident, IncidentId, TimelineEntry, TimelineKind};

/// A message to one channel about one transition of one incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its number in the outbox.
    pub id: i64,
    /// Id of the incident.
    pub incident: String,
    /// Which transition of the incident.
    pub transition: u32,
    /// Name of the channel.
    pub channel: String,
    /// The body, which is the same at every attempt.
    pub body: String,
    /// When it was written, in microseconds since the epoch.
    pub created_at_us: i64,
    /// How often it was tried before.
    pub attempts: u32,
}

impl Message {
    /// What a receiver recognises repetitions by: `<incident id>:<transition>`.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        format!("{}:{}", self.incident, self.transition)
    }
}

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The receiver has it. The text says so in the timeline.
    Delivered(String),
    /// It will be tried again.
    Retry {
        /// When, in microseconds since the epoch.
        next_at_us: i64,
        /// What went wrong.
        error: String,
    },
    /// It will not be tried again. The text says why in the timeline.
    Failed(String),
}

/// How long delivered and failed messages are kept.
const DONE_KEEP_US: i64 = 7 * 24 * 3600 * 1_000_000;

impl Catalogue {
    /// Messages whose time has come: of each channel at most `per_channel`, those that wait longest
    /// first. Of the messages about one incident to one channel only the first is due, so that no
    /// receiver hears that it is over before it hears that it began.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn due(&self, now_us: i64, per_channel: usize) -> Result<Vec<Message>, MonitorError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "select id, incident, transition, channel, body, created_at_us, attempts from (
                     select *, row_number() over (partition by channel order by next_at_us, id)
                         as place
                     from outbox o where state = 'pending' and next_at_us <= ?1
                         and not exists (select 1 from outbox e where e.incident = o.incident
                             and e.channel = o.channel and e.state = 'pending' and e.id < o.id)
                 ) where place <= ?2 order by next_at_us, id",
            )?;
            let messages =
                statement.query_map(params![now_us, per_channel as i64], read_message)?;
            Ok(messages.collect::<Result<_, _>>()?)
        })
    }

    /// How many messages wait.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn pending(&self) -> Result<u64, MonitorError> {
        self.read(|db| {
            let sql = "select count(*) from outbox where state = 'pending'";
            let count: i64 = db.query_row(sql, [], |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
    }

    /// Writes down what became of an attempt. Where that ends the message, the incident's timeline
    /// says so and the incident is returned.
    ///
    /// # Errors
    /// The catalogue cannot be written.
    pub fn attempted(
        &self,
        message: &Message,
        outcome: &Outcome,
        now_us: i64,
    ) -> Result<Option<(TimelineKind, Incident)>, MonitorError> {
        self.write(|db| {
            let (state, next_at_us, error) = match outcome {
                Outcome::Delivered(_) => ("delivered", now_us, None),
                Outcome::Retry { next_at_us, error } => ("pending", *next_at_us, Some(error)),
                Outcome::Failed(error) => ("failed", now_us, Some(error)),
            };
            db.execute(
                "update outbox set state = ?2, next_at_us = ?3, last_error = ?4,
                     attempts = attempts + 1 where id = ?1",
                params![message.id, state, next_at_us, error],
            )?;
            let (kind, text) = match outcome {
                Outcome::Delivered(text) => (TimelineKind::Delivered, text),
                Outcome::Failed(text) => (TimelineKind::DeliveryFailed, text),
                Outcome::Retry { .. } => return Ok(None),
            };
            db.execute(
                "delete from outbox where state <> 'pending' and next_at_us < ?1",
                [now_us.saturating_sub(DONE_KEEP_US)],
            )?;
            let id = IncidentId::parse(&message.incident)
                .ok_or_else(|| MonitorError::UnknownIncident(message.incident.clone()))?;
            let entry = TimelineEntry {
                at_us: now_us,
                kind,
                text: text.clone(),
            };
            incidents::append(db, &id, &entry)?;
            Ok(Some((kind, incidents::get(db, id.as_str())?)))
        })
    }
}

fn read_message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        id: row.get(0)?,
        incident: row.get(1)?,
        transition: row.get(2)?,
        channel: row.get(3)?,
        body: row.get(4)?,
        created_at_us: row.get(5)?,
        attempts: row.get(6)?,
    })
}

/// Every message that waits, in the order they were written.
#[cfg(test)]
pub(crate) fn waiting(db: &Connection) -> Result<Vec<Message>, MonitorError> {
    let mut statement = db.prepare(
        "select id, incident, transition, channel, body, created_at_us, attempts from outbox
         where state = 'pending' order by id",
    )?;
    let messages = statement.query_map([], read_message)?;
    Ok(messages.collect::<Result<_, _>>()?)
}

/// Puts a message into the outbox; one that is already there stays as it is.
pub(crate) fn enqueue(
    db: &Connection,
    incident: &Incident,
    channel: &str,
    kind: TimelineKind,
    body: &str,
    now_us: i64,
) -> Result<(), MonitorError> {
    db.prepare_cached(
        "insert into outbox (incident, transition, channel, kind, body, created_at_us, next_at_us)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?6) on conflict do nothing",
    )?
    .execute(params![
        incident.id.as_str(),
        incident.transition,
        channel,
        kind.name(),
        body,
        now_us
    ])?;
    Ok(())
}
