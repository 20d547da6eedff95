//! Silences: who is not told of what, until when.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Catalogue, from_json, to_json};
use crate::MonitorError;
use crate::figure::Slice;

/// Channels are told nothing of incidents of this monitor and slice until a time. The incidents
/// themselves open and resolve as ever.
#[derive(Clone, Debug, PartialEq)]
pub struct Silence {
    /// Name of the monitor.
    pub monitor: String,
    /// Incidents of this slice and of any slice within it.
    pub slice: Slice,
    /// End, in microseconds since the epoch.
    pub until_us: i64,
}

/// Where a silence comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SilenceOrigin {
    /// The incident that somebody silenced.
    pub incident: Option<String>,
    /// Who did.
    pub by: Option<String>,
    /// Why.
    pub note: Option<String>,
    /// When, in microseconds since the epoch.
    pub created_at_us: Option<i64>,
}

/// A silence that is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptSilence {
    /// Its number, which no other has as long as it lasts.
    pub id: i64,
    /// Who is not told of what, until when.
    pub silence: Silence,
    /// Where it comes from.
    pub origin: SilenceOrigin,
}

impl Catalogue {
    /// Adds a silence, and drops those that ended before `now_us`.
    ///
    /// # Errors
    /// The catalogue cannot be written.
    pub fn silence(&self, silence: &Silence, now_us: i64) -> Result<(), MonitorError> {
        self.write(|db| add(db, silence, &SilenceOrigin::default(), now_us))
    }

    /// The silences that last beyond `now_us`, those that end first before the others, at most `limit`.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn silences(&self, now_us: i64, limit: usize) -> Result<Vec<KeptSilence>, MonitorError> {
        self.read(|db| {
            let sql = format!("{SELECT} where until_us > ?1 order by until_us, id limit ?2");
            let mut statement = db.prepare_cached(&sql)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut rows = statement.query(params![now_us, limit])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(kept(row)?);
            }
            Ok(found)
        })
    }
}

const SELECT: &str =
    "select id, monitor, slice, until_us, incident, by_whom, note, created_at_us from silences";

fn kept(row: &Row<'_>) -> Result<KeptSilence, MonitorError> {
    let slice: String = row.get(2)?;
    Ok(KeptSilence {
        id: row.get(0)?,
        silence: Silence {
            monitor: row.get(1)?,
            slice: from_json("slice", &slice)?,
            until_us: row.get(3)?,
        },
        origin: SilenceOrigin {
            incident: row.get(4)?,
            by: row.get(5)?,
            note: row.get(6)?,
            created_at_us: row.get(7)?,
        },
    })
}

pub(crate) fn add(
    db: &Connection,
    silence: &Silence,
    origin: &SilenceOrigin,
    now_us: i64,
) -> Result<(), MonitorError> {
    db.execute("delete from silences where until_us <= ?1", [now_us])?;
    db.execute(
        "insert into silences (monitor, slice, until_us, incident, by_whom, note, created_at_us)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            silence.monitor,
            to_json("slice", &silence.slice)?,
            silence.until_us,
            origin.incident,
            origin.by,
            origin.note,
            origin.created_at_us,
        ],
    )?;
    Ok(())
}

/// The silence of that number, if it still lasts.
pub(crate) fn get(
    db: &Connection,
    id: i64,
    now_us: i64,
) -> Result<Option<KeptSilence>, MonitorError> {
    let sql = format!("{SELECT} where id = ?1 and until_us > ?2");
    let mut statement = db.prepare_cached(&sql)?;
    let found = statement.query_row([id, now_us], |row| Ok(kept(row)));
    found.optional()?.transpose()
}

/// Takes a silence away; false if there is none of that number.
pub(crate) fn remove(db: &Connection, id: i64) -> Result<bool, MonitorError> {
    Ok(db.execute("delete from silences where id = ?1", [id])? > 0)
}

/// Until when `monitor` is silent about `slice`, if it is.
pub(crate) fn until(
    db: &Connection,
    monitor: &str,
    slice: &Slice,
    now_us: i64,
) -> Result<Option<i64>, MonitorError> {
    let mut statement = db.prepare_cached(
        "select slice, until_us from silences where monitor = ?1 and until_us > ?2",
    )?;
    let mut rows = statement.query(params![monitor, now_us])?;
    let mut until_us = None;
    while let Some(row) = rows.next()? {
        let covered: String = row.get(0)?;
        let covered: Slice = from_json("slice", &covered)?;
        if covered.covers(slice) {
            until_us = until_us.max(Some(row.get(1)?));
        }
    }
    Ok(until_us)
}
