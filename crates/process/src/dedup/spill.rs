//! Past the budget: ids leave memory, oldest run first, and are looked up in their files.

use std::hint::black_box;
use std::sync::Arc;

use tillwatch_journal::Storage;

use super::generation::{is_alive, is_entry_alive};
use super::run::{Probe, RunReader};
use super::{Dedup, FETCH_ROWS};
use crate::error::ProcessError;

/// Runs of one stream above which they are merged at once: each costs every look-up a cache line.
const SPILLED_RUNS_MAX: usize = 32;
/// A run smaller than this is not worth a file of its own, however small the budget.
const RUN_BYTES_MIN: usize = 16 * 1024;

impl Dedup {
    /// Notes which of the entries are alive in files, in `on_file`; that is empty when no run is spilled.
    pub(super) fn find_on_file(&mut self, entries: &[u128]) -> Result<(), ProcessError> {
        self.on_file.clear();
        self.absent.clear();
        if self.runs.iter().all(|held| held.probe.is_none()) {
            return Ok(());
        }
        self.on_file.resize(entries.len(), false);
        let (now, width) = (self.now, self.width);
        let mut row = 0;
        for rows in entries.chunks(FETCH_ROWS) {
            let fetched = rows
                .iter()
                .fold(0, |sum, entry| sum ^ self.table.touch(*entry));
            black_box(fetched);
            for entry in rows {
                let known = || self.table.get(*entry);
                if *entry != 0 && !known().is_some_and(|other| is_entry_alive(other, now)) {
                    self.absent.push(row);
                }
                row += 1;
            }
        }
        let entry_of = |row: u32| entries.get(row as usize).copied().unwrap_or(0);
        for held in self.runs.iter().rev() {
            let Some(probe) = &held.probe else {
                continue;
            };
            for rows in self.absent.chunks(FETCH_ROWS) {
                let fetched = rows
                    .iter()
                    .fold(0, |sum, row| sum ^ probe.touch(entry_of(*row)));
                black_box(fetched);
                for row in rows {
                    let entry = entry_of(*row);
                    let Some(found) = self.on_file.get_mut(*row as usize) else {
                        continue;
                    };
                    if *found || !probe.may_have(entry) {
                        continue;
                    }
                    if let Some(other) = probe.find(&held.run, entry, &mut self.block)? {
                        *found = is_alive(held.run.generation(other, width), now);
                    }
                }
            }
        }
        Ok(())
    }

    /// Keeps to the budget as far as it can. A failure costs memory and no decision, so it is only told.
    pub(super) fn relieve(&mut self) {
        let bytes = self.bytes();
        self.share.set(bytes);
        if bytes < self.spill_again_bytes {
            return;
        }
        let Some(storage) = self.storage.clone() else {
            return;
        };
        match self.try_relieve(&storage) {
            Ok(()) => self.spill_again_bytes = 0,
            Err(error) => {
                let stream = self.stream.as_str();
                tracing::warn!(stream, %error, "remembered ids stay in memory");
                // Not for every batch again, but well before twice the memory.
                self.spill_again_bytes = bytes + bytes / 8;
            }
        }
        self.share.set(self.bytes());
    }

    fn try_relieve(&mut self, storage: &Arc<dyn Storage>) -> Result<(), ProcessError> {
        let unwritten = self.table.unwritten() * size_of::<u128>();
        if let Some(bytes) = self.share.run_bytes()
            && unwritten >= bytes.max(RUN_BYTES_MIN)
        {
            self.write_run(storage)?;
        }
        let Some(target) = self.share.target() else {
            return Ok(());
        };
        while self.bytes() > target {
            if let Some(index) = self.runs.iter().position(|held| held.probe.is_none()) {
                self.spill(storage, index)?;
            } else if self.table.unwritten() * size_of::<u128>() >= RUN_BYTES_MIN {
                self.write_run(storage)?;
            } else {
                break;
            }
        }
        self.bound_filters();
        let spilled = |dedup: &Self| {
            let probes = dedup.runs.iter().filter(|held| held.probe.is_some());
            probes.count()
        };
        if spilled(self) > SPILLED_RUNS_MAX {
            self.merge_all()?;
            self.bound_filters();
        }
        Ok(())
    }

    /// Takes a run's ids out of memory.
    fn spill(&mut self, storage: &Arc<dyn Storage>, index: usize) -> Result<(), ProcessError> {
        let (width, now) = (self.width, self.now);
        let Some(held) = self.runs.get_mut(index) else {
            return Ok(());
        };
        let mut reader = RunReader::open(storage.as_ref(), &held.run)?;
        // From here on it is looked up, so that an id may be in both, but never in neither.
        held.probe = Some(Probe::open(storage.as_ref(), &held.run)?);
        let run = &held.run;
        self.table.subtract(|| {
            let entry = reader.next()?;
            Ok(entry.map(|entry| run.entry_in(entry, width, now)))
        })
    }

    /// When filters alone would take too much, the oldest runs do without.
    fn bound_filters(&mut self) {
        let max = self.share.filter_bytes_max();
        let probes = self.runs.iter().filter_map(|held| held.probe.as_ref());
        let mut bytes = probes.map(Probe::filter_bytes).sum::<usize>();
        for held in &mut self.runs {
            if bytes <= max {
                break;
            }
            if let Some(probe) = &mut held.probe {
                bytes -= probe.filter_bytes();
                probe.drop_filter();
            }
        }
    }
}
