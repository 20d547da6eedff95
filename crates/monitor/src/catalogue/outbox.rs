//! Messages that wait to be delivered. They survive a restart.

use rusqlite::{Connection, Row, params};

use super::{Catalogue, incidents, to_json};
use crate::MonitorError;
use crate::incident::{Incident, IncidentId, TimelineEntry, TimelineKind};

/// Most messages that go out as one.
pub const GROUP_MAX: usize = 20;

/// A message to one channel about one transition of one incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its number in the outbox.
    pub id: i64,
    /// Id of the incident.
    pub incident: String,
    /// Which transition of the incident.
    pub transition: u32,
    /// How often the channel had been told again since that transition; 0 for the transition itself.
    pub repeat: u32,
    /// Name of the channel.
    pub channel: String,
    /// The body, which is the same at every attempt.
    pub body: String,
    /// When it was written, in microseconds since the epoch.
    pub created_at_us: i64,
    /// How often it was tried before.
    pub attempts: u32,
    /// Number of the first of the messages that it goes out with as one, if it does.
    pub batch: Option<i64>,
}

impl Message {
    /// What a receiver recognises repetitions by: `<incident id>:<transition>`, and for what is told
    /// again `<incident id>:<transition>:<repeat>`.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        let key = format!("{}:{}", self.incident, self.transition);
        match self.repeat {
            0 => key,
            repeat => format!("{key}:{repeat}"),
        }
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
    /// It will not be tried again, as a later one says the same. No timeline tells of it.
    Lapsed,
}

/// How long delivered and failed messages are kept.
const DONE_KEEP_US: i64 = 7 * 24 * 3600 * 1_000_000;

impl Catalogue {
    /// Puts messages to a channel together that then go out as one: all that have come since the
    /// first of them, once that one has waited for `wait_us`. What is put together stays together
    /// at every attempt, so that a receiver can tell repetitions.
    ///
    /// A message about an incident of which another is on its way waits for that one.
    ///
    /// # Errors
    /// The catalogue cannot be read or written.
    pub fn bundle(&self, channel: &str, wait_us: i64, now_us: i64) -> Result<(), MonitorError> {
        let free = |db: &Connection| {
            let mut statement = db.prepare_cached(
                "select id, created_at_us from outbox o
                 where channel = ?1 and state = 'pending' and batch is null
                     and not exists (select 1 from outbox e where e.incident = o.incident
                         and e.channel = o.channel and e.state = 'pending' and e.batch is not null)
                 order by id limit ?2",
            )?;
            let rows = statement.query_map(params![channel, GROUP_MAX as i64], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            Ok::<Vec<(i64, i64)>, MonitorError>(rows.collect::<Result<_, _>>()?)
        };
        let waits = |found: &[(i64, i64)]| {
            let oldest = found.iter().map(|(_, created_at_us)| *created_at_us).min();
            oldest.is_none_or(|oldest| oldest.saturating_add(wait_us) > now_us)
        };
        if waits(&self.read(free)?) {
            return Ok(());
        }
        self.write(|db| {
            let found = free(db)?;
            let Some((first, _)) = found.first() else {
                return Ok(());
            };
            let mut statement = db.prepare_cached("update outbox set batch = ?2 where id = ?1")?;
            for (id, _) in &found {
                statement.execute([id, first])?;
            }
            Ok(())
        })
    }

    /// Messages whose time has come, those that go out as one together: of each channel at most
    /// `per_channel`, those that wait longest first. Of the messages about one incident to one
    /// channel only the first is due, so that no receiver hears that it is over before it hears that
    /// it began. Messages to channels of `grouping` are due only once they are put together.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn due(
        &self,
        now_us: i64,
        per_channel: usize,
        grouping: &[String],
    ) -> Result<Vec<Vec<Message>>, MonitorError> {
        let grouping = to_json("channels", &grouping)?;
        self.read(|db| {
            let mut statement = db.prepare_cached(&format!(
                "select {COLUMNS} from (
                     select *, row_number() over (partition by channel order by next_at_us, id)
                         as place
                     from outbox o where state = 'pending' and next_at_us <= ?1
                         and (batch = id or (batch is null
                             and channel not in (select value from json_each(?3))
                             and not exists (select 1 from outbox e where e.incident = o.incident
                                 and e.channel = o.channel and e.state = 'pending'
                                 and e.id < o.id)))
                 ) where place <= ?2 order by next_at_us, id"
            ))?;
            let parameters = params![now_us, per_channel as i64, grouping];
            let first = statement.query_map(parameters, read_message)?;
            let first: Vec<Message> = first.collect::<Result<_, _>>()?;
            let mut members = db.prepare_cached(&format!(
                "select {COLUMNS} from outbox where batch = ?1 and state = 'pending' order by id"
            ))?;
            let mut due = Vec::with_capacity(first.len());
            for message in first {
                due.push(match message.batch {
                    None => vec![message],
                    Some(batch) => {
                        let found = members.query_map([batch], read_message)?;
                        found.collect::<Result<_, _>>()?
                    }
                });
            }
            Ok(due)
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

    /// Writes down what became of an attempt to deliver messages that went out as one. Where that
    /// ends a message, its incident's timeline says so and the incident is returned.
    ///
    /// # Errors
    /// The catalogue cannot be written.
    pub fn attempted(
        &self,
        messages: &[Message],
        outcome: &Outcome,
        now_us: i64,
    ) -> Result<Vec<(TimelineKind, Incident)>, MonitorError> {
        self.write(|db| {
            let mut events = Vec::new();
            for message in messages {
                events.extend(ended(db, message, outcome, now_us)?);
            }
            Ok(events)
        })
    }
}

fn ended(
    db: &Connection,
    message: &Message,
    outcome: &Outcome,
    now_us: i64,
) -> Result<Option<(TimelineKind, Incident)>, MonitorError> {
    let (state, next_at_us, error) = match outcome {
        Outcome::Delivered(_) => ("delivered", now_us, None),
        Outcome::Retry { next_at_us, error } => ("pending", *next_at_us, Some(error)),
        Outcome::Failed(error) => ("failed", now_us, Some(error)),
        Outcome::Lapsed => ("failed", now_us, None),
    };
    db.execute(
        "update outbox set state = ?2, next_at_us = ?3, last_error = ?4,
             attempts = attempts + 1 where id = ?1",
        params![message.id, state, next_at_us, error],
    )?;
    if state == "pending" {
        return Ok(None);
    }
    db.execute(
        "delete from outbox where state <> 'pending' and next_at_us < ?1",
        [now_us.saturating_sub(DONE_KEEP_US)],
    )?;
    if message.repeat > 0 {
        // There may be one a minute as long as an incident lives, so none is kept.
        db.execute("delete from outbox where id = ?1", [message.id])?;
    }
    let (kind, text) = match outcome {
        Outcome::Delivered(text) if message.repeat == 0 => (TimelineKind::Delivered, text),
        Outcome::Failed(text) => (TimelineKind::DeliveryFailed, text),
        _ => return Ok(None),
    };
    let id = IncidentId::parse(&message.incident)
        .ok_or_else(|| MonitorError::UnknownIncident(message.incident.clone()))?;
    let before = incidents::get(db, id.as_str())?;
    let is_said = |entry: &TimelineEntry| (entry.kind, &entry.text) == (kind, text);
    if message.repeat > 0 && before.timeline.last().is_some_and(is_said) {
        return Ok(None);
    }
    let entry = TimelineEntry {
        at_us: now_us,
        kind,
        text: text.clone(),
    };
    incidents::append(db, &id, &entry)?;
    Ok(Some((kind, incidents::get(db, id.as_str())?)))
}

/// What is read of a message.
const COLUMNS: &str =
    "id, incident, transition, channel, body, created_at_us, attempts, repeat, batch";

fn read_message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        id: row.get(0)?,
        incident: row.get(1)?,
        transition: row.get(2)?,
        channel: row.get(3)?,
        body: row.get(4)?,
        created_at_us: row.get(5)?,
        attempts: row.get(6)?,
        repeat: row.get(7)?,
        batch: row.get(8)?,
    })
}

/// Every message that waits, in the order they were written.
#[cfg(test)]
pub(crate) fn waiting(db: &Connection) -> Result<Vec<Message>, MonitorError> {
    let mut statement = db.prepare(&format!(
        "select {COLUMNS} from outbox where state = 'pending' order by id"
    ))?;
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
    put(db, incident, channel, (kind, 0), body, now_us)
}

/// As [`enqueue`], for what is told again the `repeat`-th time since the incident's last transition.
pub(crate) fn enqueue_again(
    db: &Connection,
    incident: &Incident,
    channel: &str,
    repeat: u32,
    body: &str,
    now_us: i64,
) -> Result<(), MonitorError> {
    let what = (TimelineKind::Repeated, repeat);
    put(db, incident, channel, what, body, now_us)
}

fn put(
    db: &Connection,
    incident: &Incident,
    channel: &str,
    (kind, repeat): (TimelineKind, u32),
    body: &str,
    now_us: i64,
) -> Result<(), MonitorError> {
    db.prepare_cached(
        "insert into outbox
             (incident, transition, channel, kind, body, created_at_us, next_at_us, repeat)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7) on conflict do nothing",
    )?
    .execute(params![
        incident.id.as_str(),
        incident.transition,
        channel,
        kind.name(),
        body,
        now_us,
        repeat
    ])?;
    Ok(())
}

/// Whether a message about an incident waits to go to a channel.
pub(crate) fn is_waiting(
    db: &Connection,
    incident: &str,
    channel: &str,
) -> Result<bool, MonitorError> {
    let sql = "select exists (select 1 from outbox
               where incident = ?1 and channel = ?2 and state = 'pending')";
    let mut statement = db.prepare_cached(sql)?;
    Ok(statement.query_row([incident, channel], |row| row.get(0))?)
}

/// What became of the messages of one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryState {
    /// Name of the channel.
    pub channel: String,
    /// Messages that wait.
    pub pending: u64,
    /// When the last one was delivered, in microseconds since the epoch, of those of a week.
    pub delivered_at_us: Option<i64>,
    /// When the last one was given up, of those of a week.
    pub failed_at_us: Option<i64>,
    /// Why the newest of those could not be delivered that wait or were given up.
    pub error: Option<String>,
}

impl Catalogue {
    /// What became of the messages of every channel that has any.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn deliveries(&self) -> Result<Vec<DeliveryState>, MonitorError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "select channel, sum(state = 'pending'),
                     max(case when state = 'delivered' then next_at_us end),
                     max(case when state = 'failed' then next_at_us end),
                     (select last_error from outbox e where e.channel = o.channel
                         and e.state <> 'delivered' and last_error is not null
                         order by id desc limit 1)
                 from outbox o group by channel order by channel",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(DeliveryState {
                    channel: row.get(0)?,
                    pending: row.get::<_, i64>(1)?.unsigned_abs(),
                    delivered_at_us: row.get(2)?,
                    failed_at_us: row.get(3)?,
                    error: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
