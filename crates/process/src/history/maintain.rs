//! Maintenance: small files become larger ones, old states coarser, and what is past is removed.
//!
//! It works in steps, each one commit, so that whoever calls it can rest in between and keep to a
//! budget. No step changes a figure: events are only laid together, states are merged by the same
//! merge as any other, and a roll-up is what [`crate::CubeDefinition::keep`] says of their age.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::RecordBatch;
use tillwatch_history::{DataFile, Table};
use tillwatch_journal::Storage;

use super::Kept;
use super::checkpoint::Checkpoint;
use super::fingerprint::CUBES;
use crate::cube::{Cube, KeepAt};
use crate::dedup::remove_unneeded;
use crate::definition::ProcessOptions;
use crate::error::ProcessError;
use crate::processor::Processor;
use crate::stream::StreamLog;

/// Files of about one size in a day that are laid together.
const FAN_IN: usize = 8;
/// How long a table stays that no definition has any more, in microseconds: an hour.
const UNUSED_US: i64 = 3_600_000_000;

/// What maintenance did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MaintainReport {
    /// Commits that laid files together.
    pub compactions: u64,
    /// Commits that made states coarser or removed those past their age.
    pub roll_ups: u64,
    /// Files that are no longer in a table.
    pub files_replaced: u64,
    /// Bytes of those files: what was read.
    pub bytes_read: u64,
    /// Files of days of raw events and rejected lines that have come of age, which are no longer in a table.
    pub files_expired: u64,
    /// Files deleted for good.
    pub files_deleted: u64,
}

impl MaintainReport {
    /// Adds up.
    pub fn add(&mut self, other: Self) {
        self.compactions += other.compactions;
        self.roll_ups += other.roll_ups;
        self.files_replaced += other.files_replaced;
        self.bytes_read += other.bytes_read;
        self.files_expired += other.files_expired;
        self.files_deleted += other.files_deleted;
    }

    fn of(files: &[Arc<DataFile>]) -> Self {
        Self {
            files_replaced: files.len() as u64,
            bytes_read: files.iter().map(|f| f.bytes).sum(),
            ..Self::default()
        }
    }
}

/// The tier that the buckets of a file were brought to, by the file's path, so that no file is looked
/// at again and again.
#[derive(Debug, Default)]
pub(crate) struct RolledUp(Mutex<HashMap<String, i64>>);

impl RolledUp {
    fn is(&self, file: &DataFile, width_us: i64) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&file.path) == Some(&width_us)
    }

    fn note(&self, path: &str, width_us: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(path.to_owned(), width_us);
    }

    fn forget_all_but(&self, files: &[Arc<DataFile>]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > 2 * files.len() + 64 {
            known.retain(|path, _| files.iter().any(|file| file.path == *path));
        }
    }
}

impl Processor {
    /// Does one step of maintenance, if there is one to do.
    ///
    /// # Errors
    /// A table cannot be read or written; nothing has changed then.
    pub fn maintain_step(&self) -> Result<Option<MaintainReport>, ProcessError> {
        let Some(kept) = self.kept() else {
            return Ok(None);
        };
        // No flush at the same time: both change the tables. One that failed comes first: what it was
        // writing is still in memory, and its commits may have come to be.
        let flushing = self
            .flushing()
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if flushing.is_some() {
            return Ok(None);
        }
        // Before anything is laid together that would be removed at once.
        if let Some(done) = self.expire(kept)? {
            return Ok(Some(done));
        }
        if let Some(done) = self.merge_ids()? {
            return Ok(Some(done));
        }
        for cube in self.cubes() {
            if let Some(done) = self.roll_up(&cube)? {
                return Ok(Some(done));
            }
            if let Some(done) = self.compact_cube(&cube)? {
                return Ok(Some(done));
            }
        }
        for log in self.streams() {
            if let Some(done) = compact_stream(&log, self.options())? {
                return Ok(Some(done));
            }
        }
        Ok(None)
    }

    /// Deletes files that no table and no running question needs any more. `now_us` is the time, in
    /// microseconds since 1970.
    ///
    /// # Errors
    /// A table's folder cannot be read or changed.
    pub fn vacuum(&self, now_us: i64) -> Result<MaintainReport, ProcessError> {
        let mut report = MaintainReport::default();
        let flushing = self
            .flushing()
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // The checkpoint of a flush that failed is not on the disk yet, and names files of ids.
        if flushing.is_some() {
            return Ok(report);
        }
        for table in self.all_tables() {
            report.files_deleted += table.vacuum(now_us)?.files;
        }
        if let Some(kept) = self.kept() {
            report.files_deleted += self.remove_unused(kept, now_us)?;
            report.files_deleted += self.remove_ids(kept.keeping.state.as_ref())?;
        }
        Ok(report)
    }

    /// All tables that are written.
    #[must_use]
    pub fn tables(&self) -> Vec<Arc<Table>> {
        let logs = self.streams();
        let of_streams = logs
            .iter()
            .filter_map(|log| log.tables())
            .flat_map(|tables| [Arc::clone(&tables.events), Arc::clone(&tables.quarantine)]);
        let cubes = self.cubes();
        let of_cubes = cubes
            .iter()
            .filter_map(|cube| Some(Arc::clone(cube.table()?.table())));
        of_streams.chain(of_cubes).collect()
    }

    /// Removes the files of ids that neither the checkpoint nor a stream needs. Nobody else works on them:
    /// where a second processor takes up the same ones, this is not called.
    fn remove_ids(&self, state: &dyn Storage) -> Result<u64, ProcessError> {
        let checkpoint = Checkpoint::read(state)?;
        let named = checkpoint.iter().flat_map(|found| found.streams.values());
        let mut keep: HashSet<String> = named
            .flat_map(|stream| stream.dedup.runs.iter().map(|run| run.file.clone()))
            .collect();
        let mut writers = self.writers_unsettled();
        for writer in writers.by_stream.values_mut() {
            keep.extend(writer.dedup().files());
        }
        // Under the lock, so that no file is made meanwhile.
        remove_unneeded(state, &keep)
    }

    /// Merges files of ids, without keeping events from being taken.
    fn merge_ids(&self) -> Result<Option<MaintainReport>, ProcessError> {
        let streams: Vec<String> = self.writers_unsettled().by_stream.keys().cloned().collect();
        for stream in streams {
            let merge = match self.writers_unsettled().by_stream.get_mut(&stream) {
                Some(writer) => writer.dedup().merge()?,
                None => None,
            };
            let Some(merge) = merge else {
                continue;
            };
            let bytes_read = merge.ids() * 16;
            let merged = merge.run()?;
            if let Some(writer) = self.writers_unsettled().by_stream.get_mut(&stream) {
                writer.dedup().adopt(merged)?;
            }
            return Ok(Some(MaintainReport {
                compactions: 1,
                bytes_read,
                ..MaintainReport::default()
            }));
        }
        Ok(None)
    }

    /// Removes the tables of definitions that no cube has any more. Should one come back, its table is
    /// filled anew: by then it would lack events.
    ///
    /// Not at once: questions that began before the definitions changed may still read it.
    fn remove_unused(&self, kept: &Kept, now_us: i64) -> Result<u64, ProcessError> {
        let history = &kept.keeping.history;
        let used: Vec<_> = self.tables();
        let unused: Vec<String> = (history.tables()?.into_iter())
            .filter(|name| name.starts_with(CUBES))
            .filter(|name| !used.iter().any(|table| table.spec().name == *name))
            .collect();
        let mut since = kept.unused.lock().unwrap_or_else(PoisonError::into_inner);
        since.retain(|name, _| unused.contains(name));
        let mut removed = 0;
        for name in unused {
            let first_us = *since.entry(name.clone()).or_insert(now_us);
            if now_us.saturating_sub(first_us) < UNUSED_US {
                continue;
            }
            tracing::info!(
                table = name,
                "a table that no definition has any more is removed"
            );
            history.remove(&name)?;
            removed += 1;
        }
        Ok(removed)
    }

    /// Brings the oldest file that is not yet as coarse as its age says to its width.
    fn roll_up(&self, cube: &Arc<Cube>) -> Result<Option<MaintainReport>, ProcessError> {
        let (Some(at), Some(table)) = (cube.kept_at(), cube.table()) else {
            return Ok(None);
        };
        let files = cube.files();
        cube.rolled_up().forget_all_but(&files);
        let step = self.options();
        for day in by_day(&files).into_values() {
            let due: Vec<_> = day
                .into_iter()
                .filter(|file| is_due(cube, file, &at))
                .collect();
            let mut changed = Vec::new();
            for file in due {
                let mut any = false;
                let mut states = Vec::new();
                for batch in table.states_of(std::slice::from_ref(&file))? {
                    let kept = at.apply(&batch)?;
                    any |= kept.is_some();
                    states.push(kept.unwrap_or(batch));
                }
                if any {
                    changed.push((file, states));
                } else {
                    cube.rolled_up().note(&file.path, at.width_at(file.max_us));
                }
                let rows = changed.iter().map(|(file, _)| file.rows).sum::<u64>();
                let bytes = changed.iter().map(|(file, _)| file.bytes).sum::<u64>();
                if rows >= step.maintain_rows_max || bytes >= step.maintain_bytes_max {
                    break;
                }
            }
            if changed.is_empty() {
                continue;
            }
            let (files, states): (Vec<_>, Vec<_>) = changed.into_iter().unzip();
            let states: Vec<RecordBatch> = states.into_iter().flatten().collect();
            let merged = cube.reduce(self.engine(), &states)?;
            let view = table.table().replace(&files, &[merged])?;
            cube.replaced(view.files);
            return Ok(Some(MaintainReport {
                roll_ups: 1,
                ..MaintainReport::of(&files)
            }));
        }
        Ok(None)
    }

    fn compact_cube(&self, cube: &Arc<Cube>) -> Result<Option<MaintainReport>, ProcessError> {
        let Some(table) = cube.table() else {
            return Ok(None);
        };
        let Some(files) = due_together(&cube.files(), self.options()) else {
            return Ok(None);
        };
        let merged = cube.reduce(self.engine(), &table.states_of(&files)?)?;
        let view = table.table().replace(&files, &[merged])?;
        cube.replaced(view.files);
        Ok(Some(MaintainReport {
            compactions: 1,
            ..MaintainReport::of(&files)
        }))
    }
}

/// A file is rolled up when all of it has come to one age: one that lies on a border would be
/// written again each time the border moves.
fn is_due(cube: &Cube, file: &DataFile, at: &KeepAt) -> bool {
    let width = at.width_at(file.max_us);
    file.max_us < at.own_width_from()
        && width == at.width_at(file.min_us)
        && !cube.rolled_up().is(file, width)
}

/// Lays together the files of a stream's tables, and removes rejected lines nobody can ask for.
fn compact_stream(
    log: &Arc<StreamLog>,
    step: &ProcessOptions,
) -> Result<Option<MaintainReport>, ProcessError> {
    let Some(tables) = log.tables() else {
        return Ok(None);
    };
    if let Some(oldest_us) = log.oldest_reject_us() {
        let past: Vec<_> = (tables.quarantine.view().files.iter())
            .filter(|file| file.max_us < oldest_us)
            .cloned()
            .collect();
        if !past.is_empty() {
            tables.quarantine.replace(&past, &[])?;
            return Ok(Some(MaintainReport::of(&past)));
        }
    }
    for (table, is_events) in [(&tables.events, true), (&tables.quarantine, false)] {
        let Some(files) = due_together(&table.view().files, step) else {
            continue;
        };
        let mut batches = Vec::new();
        for file in &files {
            for batch in table.read(file, None, None)? {
                batches.push(batch?);
            }
        }
        let view = table.replace(&files, &batches)?;
        if is_events {
            log.replaced(view.files);
        }
        return Ok(Some(MaintainReport {
            compactions: 1,
            ..MaintainReport::of(&files)
        }));
    }
    Ok(None)
}

fn by_day(files: &[Arc<DataFile>]) -> BTreeMap<i32, Vec<Arc<DataFile>>> {
    let mut days = BTreeMap::<_, Vec<_>>::new();
    for file in files {
        days.entry(file.day).or_default().push(Arc::clone(file));
    }
    days
}

/// Files of one day and about one size, enough of them to be worth one larger file; of a day that is
/// not the newest, already two. Together they are in memory at once, and what comes out has to be one file
/// again, or it would be due for ever: so no more than one step takes.
fn due_together(files: &[Arc<DataFile>], step: &ProcessOptions) -> Option<Vec<Arc<DataFile>>> {
    let days = by_day(files);
    let newest = days.keys().next_back().copied();
    for (day, mut files) in days {
        files.sort_by_key(|file| file.rows);
        let enough = if Some(day) == newest { FAN_IN } else { 2 };
        // From the smallest on, as long as they fit into one step and no file is much larger than
        // what is before it together: it would be written again for little. A few that are much smaller
        // than all others are left, or they would keep those apart.
        let mut together = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        for file in files {
            if !together.is_empty() && file.rows > rows * FAN_IN as u64 {
                if together.len() >= enough {
                    break;
                }
                together.clear();
                (rows, bytes) = (0, 0);
            }
            let fits = rows + file.rows <= step.maintain_rows_max
                && bytes + file.bytes <= step.maintain_bytes_max;
            if !fits {
                break;
            }
            rows += file.rows;
            bytes += file.bytes;
            together.push(file);
        }
        if together.len() >= enough {
            return Some(together);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(day: i32, rows: u64) -> Arc<DataFile> {
        Arc::new(DataFile {
            path: format!("{day}-{rows}"),
            day,
            rows,
            bytes: rows,
            min_us: 0,
            max_us: 0,
            crc32: None,
            written_ms: 0,
        })
    }

    fn due(files: &[Arc<DataFile>]) -> Option<Vec<u64>> {
        due_together(files, &ProcessOptions::default())
            .map(|files| files.iter().map(|f| f.rows).collect())
    }

    #[test]
    fn small_files_of_a_day_are_laid_together_and_large_ones_left() {
        let small: Vec<_> = (0..8).map(|n| file(2, 10 + n)).collect();
        assert_eq!(due(&small[..7]), None, "the newest day waits for eight");
        assert_eq!(due(&small).map(|rows| rows.len()), Some(8));
        let mut with_large = small.clone();
        with_large.push(file(2, 100_000));
        assert_eq!(due(&with_large).map(|rows| rows.len()), Some(8));
        assert_eq!(due(&[file(1, 5), file(1, 7), file(2, 1)]), Some(vec![5, 7]));
        assert_eq!(due(&[file(1, 5), file(1, 70), file(2, 1)]), None);
        // One that is much smaller keeps no others apart.
        let few = [file(1, 5), file(1, 700), file(1, 800), file(2, 1)];
        assert_eq!(due(&few), Some(vec![700, 800]));
        let half = ProcessOptions::default().maintain_rows_max / 2 + 1;
        assert_eq!(due(&[file(1, half), file(1, half), file(2, 1)]), None);
        let wide = |rows| {
            let file = DataFile::clone(&file(1, rows));
            let bytes = ProcessOptions::default().maintain_bytes_max / 2 + 1;
            Arc::new(DataFile { bytes, ..file })
        };
        assert_eq!(due(&[wide(5), wide(6), file(2, 1)]), None, "too many bytes");
    }
}
