//! How far each monitor has judged, and the states of its slices that are not idle.

use rusqlite::{Connection, OptionalExtension, params};

use super::{from_json, to_json};
use crate::MonitorError;
use crate::figure::Slice;

/// How far a monitor has judged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Progress {
    /// What the monitor's definition was, as a text that changes with it.
    pub fingerprint: String,
    /// End of the last judged step, in microseconds since the epoch.
    pub judged_upto_us: i64,
}

/// Progress of one monitor.
pub(crate) fn get(db: &Connection, monitor: &str) -> Result<Option<Progress>, MonitorError> {
    let sql = "select fingerprint, judged_upto_us from progress where monitor = ?1";
    let found = db
        .query_row(sql, [monitor], |row| {
            Ok(Progress {
                fingerprint: row.get(0)?,
                judged_upto_us: row.get(1)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// Names of all monitors that have progress.
pub(crate) fn monitors(db: &Connection) -> Result<Vec<String>, MonitorError> {
    let mut statement = db.prepare_cached("select monitor from progress order by monitor")?;
    let names = statement.query_map([], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// Writes the progress of one monitor.
pub(crate) fn put(db: &Connection, monitor: &str, to: &Progress) -> Result<(), MonitorError> {
    db.prepare_cached(
        "insert into progress (monitor, fingerprint, judged_upto_us) values (?1, ?2, ?3)
         on conflict (monitor) do update set fingerprint = ?2, judged_upto_us = ?3",
    )?
    .execute(params![monitor, to.fingerprint, to.judged_upto_us])?;
    Ok(())
}

/// Forgets a monitor's progress and states.
pub(crate) fn forget(db: &Connection, monitor: &str) -> Result<(), MonitorError> {
    db.execute("delete from progress where monitor = ?1", [monitor])?;
    db.execute("delete from slice_states where monitor = ?1", [monitor])?;
    Ok(())
}

/// The states of a monitor's slices.
pub(crate) fn states<T: serde::de::DeserializeOwned>(
    db: &Connection,
    monitor: &str,
) -> Result<Vec<(Slice, T)>, MonitorError> {
    let mut statement =
        db.prepare_cached("select slice, state from slice_states where monitor = ?1")?;
    let mut rows = statement.query([monitor])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (slice, state): (String, String) = (row.get(0)?, row.get(1)?);
        found.push((
            from_json("slice", &slice)?,
            from_json("slice state", &state)?,
        ));
    }
    Ok(found)
}

/// Replaces the states of a monitor's slices.
pub(crate) fn put_states<'a, T: serde::Serialize + 'a>(
    db: &Connection,
    monitor: &str,
    states: impl Iterator<Item = (&'a Slice, &'a T)>,
) -> Result<(), MonitorError> {
    db.prepare_cached("delete from slice_states where monitor = ?1")?
        .execute([monitor])?;
    let mut statement =
        db.prepare_cached("insert into slice_states (monitor, slice, state) values (?1, ?2, ?3)")?;
    for (slice, state) in states {
        let (slice, state) = (to_json("slice", slice)?, to_json("slice state", state)?);
        statement.execute(params![monitor, slice, state])?;
    }
    Ok(())
}
