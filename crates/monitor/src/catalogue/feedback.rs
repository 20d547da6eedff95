//! What people said of incidents: whether they were real.

use rusqlite::{Connection, params};

use crate::MonitorError;
use crate::detect::probability::Verdict;
use crate::incident::Incident;

/// Most verdicts of a monitor that its probability is fitted to; the last count.
pub const VERDICTS_MAX: usize = 1_000;

/// Notes what a person said of an incident, instead of what was said before. Only of one with a probability is
/// something learned.
pub(crate) fn put(
    db: &Connection,
    incident: &Incident,
    is_real: bool,
    at_us: i64,
) -> Result<(), MonitorError> {
    db.prepare_cached(
        "insert into feedback (incident, monitor, evidence, is_real, at_us) values (?1, ?2, ?3, ?4, ?5)
         on conflict (incident) do update set is_real = ?4, at_us = ?5",
    )?
    .execute(params![
        incident.id.as_str(),
        incident.monitor,
        incident.figures.evidence,
        is_real,
        at_us
    ])?;
    Ok(())
}

/// What was said of incidents of `monitor`, or of all others, the last first.
pub(crate) fn verdicts(
    db: &Connection,
    monitor: &str,
    others: bool,
) -> Result<Vec<Verdict>, MonitorError> {
    let mut statement = db.prepare_cached(
        "select evidence, is_real from feedback
         where evidence is not null and (monitor <> ?1) = ?2 order by at_us desc limit ?3",
    )?;
    let mut rows = statement.query(params![monitor, others, VERDICTS_MAX as i64])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Verdict {
            evidence: row.get(0)?,
            is_real: row.get(1)?,
        });
    }
    Ok(found)
}
