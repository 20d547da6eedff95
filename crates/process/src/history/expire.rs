//! Retention of raw events and rejected lines: whole days that have come of age are removed.
//!
//! From when on a stream is whole is in the checkpoint before anything is removed, and never moves back. So
//! whatever is cut off, nobody takes what is left of earlier days for all there was: what may be compared
//! with raw events, or be filled from them, begins there.

use std::sync::Arc;

use tillwatch_history::{DataFile, Table};

use super::checkpoint::Checkpoint;
use super::{Kept, MaintainReport, StreamTables};
use crate::cube::Cube;
use crate::definition::StreamDefinition;
use crate::error::ProcessError;
use crate::processor::Processor;
use crate::status::StreamStatus;
use crate::stream::{Index, StreamLog};

const DAY_US: i64 = 86_400_000_000;
/// Files that one step removes from a table.
const STEP_FILES_MAX: usize = 1_024;

/// How long a stream's raw events and its rejected lines are kept, in microseconds; none for ever.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RawKeep {
    events_us: Option<i64>,
    rejects_us: Option<i64>,
}

/// What a day is removed of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Raw {
    Events,
    Rejects,
}

impl RawKeep {
    pub(crate) fn new(stream: &StreamDefinition) -> Self {
        let us = |age: std::time::Duration| i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
        Self {
            events_us: stream.keep.map(us),
            rejects_us: stream.quarantine_keep.map(us),
        }
    }

    /// The start of the first day that stays: events age by the stream's watermark, as the states of cubes
    /// do, and rejected lines, which have no time of their own, by their receipt.
    fn due_us(self, raw: Raw, index: &Index) -> Option<i64> {
        let status = &index.status;
        let (newest_us, age_us) = match raw {
            Raw::Events => (status.watermark_us?, self.events_us?),
            Raw::Rejects => {
                let newest = index.rejects.back().map(|frame| frame.received_at_us);
                (status.last_received_us.max(newest)?, self.rejects_us?)
            }
        };
        Some(newest_us.saturating_sub(age_us).div_euclid(DAY_US) * DAY_US)
    }
}

impl Raw {
    fn kept_from_us(self, status: &StreamStatus) -> Option<i64> {
        match self {
            Self::Events => status.events_kept_from_us,
            Self::Rejects => status.rejects_kept_from_us,
        }
    }

    fn keep_from(self, from_us: i64, status: &mut StreamStatus) {
        match self {
            Self::Events => status.events_kept_from_us = Some(from_us),
            Self::Rejects => status.rejects_kept_from_us = Some(from_us),
        }
    }

    fn tables(self, tables: &StreamTables) -> Vec<Arc<Table>> {
        match self {
            Self::Events => (tables.older.iter().chain([&tables.events]))
                .cloned()
                .collect(),
            Self::Rejects => vec![Arc::clone(&tables.quarantine)],
        }
    }
}

impl Processor {
    /// The start from which a cube's buckets can be compared with the raw events, µs: those that begin
    /// earlier have events that were removed, or were filled when some had been. None when all can.
    #[must_use]
    pub fn comparable_from_us(&self, cube: &Cube) -> Option<i64> {
        let log = self.stream(&cube.definition().from);
        let events = log.and_then(|log| log.events_kept_from_us());
        events.max(cube.covers_from_us())
    }

    /// Removes days of raw events and rejected lines that have come of age, a table at a time; or notes in
    /// the checkpoint from when on a stream is whole, so that the next step may remove what is before.
    pub(super) fn expire(&self, kept: &Kept) -> Result<Option<MaintainReport>, ProcessError> {
        for log in self.streams() {
            for raw in [Raw::Events, Raw::Rejects] {
                if let Some(done) = expire_raw(&log, raw, kept)? {
                    return Ok(Some(done));
                }
            }
        }
        Ok(None)
    }
}

fn expire_raw(
    log: &StreamLog,
    raw: Raw,
    kept: &Kept,
) -> Result<Option<MaintainReport>, ProcessError> {
    let Some(tables) = log.tables() else {
        return Ok(None);
    };
    let (due_us, told_us) = {
        let index = log.read();
        let due_us = log.raw_keep().due_us(raw, &index);
        (due_us, raw.kept_from_us(&index.status))
    };
    let Some(due_us) = due_us else {
        return Ok(None);
    };
    for table in raw.tables(tables) {
        let past = oldest_before(&table.view().files, due_us);
        if past.is_empty() {
            continue;
        }
        if told_us < Some(due_us) {
            let told = tell(log, raw, due_us, kept)?;
            return Ok(told.then(MaintainReport::default));
        }
        table.replace(&past, &[])?;
        if raw == Raw::Events {
            log.expired(tables);
        }
        return Ok(Some(MaintainReport {
            files_expired: past.len() as u64,
            ..MaintainReport::default()
        }));
    }
    Ok(None)
}

/// Notes durably that what is before `due_us` may be missing; nothing when no checkpoint has the stream yet.
/// No flush is under way, so no other checkpoint is on its way to be written.
fn tell(log: &StreamLog, raw: Raw, due_us: i64, kept: &Kept) -> Result<bool, ProcessError> {
    let state = kept.keeping.state.as_ref();
    let Some(mut checkpoint) = Checkpoint::read(state)? else {
        return Ok(false);
    };
    let Some(stream) = checkpoint.streams.get_mut(log.name()) else {
        return Ok(false);
    };
    raw.keep_from(due_us, &mut stream.status);
    checkpoint.write(state)?;
    // What reads both looks at the files first and here second, so this comes before files are removed.
    raw.keep_from(due_us, &mut log.write().status);
    tracing::info!(
        stream = log.name(),
        what = ?raw,
        before_us = due_us,
        "days that have come of age are removed"
    );
    Ok(true)
}

/// The oldest files of days before `due_us`, as many as one step takes.
fn oldest_before(files: &[Arc<DataFile>], due_us: i64) -> Vec<Arc<DataFile>> {
    let mut past: Vec<_> = (files.iter())
        .filter(|file| file.max_us < due_us)
        .cloned()
        .collect();
    past.sort_by_key(|file| file.day);
    past.truncate(STEP_FILES_MAX);
    past
}
