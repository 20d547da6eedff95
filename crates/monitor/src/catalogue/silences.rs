//! Silences: who is not told of what, until when.

use rusqlite::{Connection, params};

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

impl Catalogue {
    /// Adds a silence, and drops those that ended before `now_us`.
    ///
    /// # Errors
    /// The catalogue cannot be written.
    pub fn silence(&self, silence: &Silence, now_us: i64) -> Result<(), MonitorError> {
        self.write(|db| add(db, silence, now_us))
    }

    /// The silences that last beyond `now_us`.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn silences(&self, now_us: i64) -> Result<Vec<Silence>, MonitorError> {
        self.read(|db| all(db, now_us))
    }
}

pub(crate) fn add(db: &Connection, silence: &Silence, now_us: i64) -> Result<(), MonitorError> {
    db.execute("delete from silences where until_us <= ?1", [now_us])?;
    db.execute(
        "insert into silences (monitor, slice, until_us) values (?1, ?2, ?3)",
        params![
            silence.monitor,
            to_json("slice", &silence.slice)?,
            silence.until_us
        ],
    )?;
    Ok(())
}

/// Until when `monitor` is silent about `slice`, if it is.
pub(crate) fn until(
    db: &Connection,
    monitor: &str,
    slice: &Slice,
    now_us: i64,
) -> Result<Option<i64>, MonitorError> {
    let covering = all(db, now_us)?
        .into_iter()
        .filter(|s| s.monitor == monitor && s.slice.covers(slice));
    Ok(covering.map(|s| s.until_us).max())
}

fn all(db: &Connection, now_us: i64) -> Result<Vec<Silence>, MonitorError> {
    let mut statement = db.prepare_cached(
        "select monitor, slice, until_us from silences where until_us > ?1 order by id",
    )?;
    let mut rows = statement.query([now_us])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let slice: String = row.get(1)?;
        found.push(Silence {
            monitor: row.get(0)?,
            slice: from_json("slice", &slice)?,
            until_us: row.get(2)?,
        });
    }
    Ok(found)
}
