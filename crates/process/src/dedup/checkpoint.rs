//! What remembers ids over a restart: files, and a description that a checkpoint holds.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tillwatch_journal::{Storage, StorageFile};

use super::generation::{UNWRITTEN, generation_of, is_alive};
use super::run::{Probe, Run, RunReader, RunWriter, failed, remove_if_there};
use super::table::Table;
use super::{Dedup, DedupBudget, Held};
use crate::error::ProcessError;

/// What names of run files end with.
const ENDING: &str = ".ids";
/// Bytes an id takes in a table that was made for it.
const LOADED_ID_BYTES: u64 = 26;

/// The ids of one stream at one moment, as files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DedupCheckpoint {
    /// The newest receipt, µs; none when nothing was ever received.
    pub received_at_us: Option<i64>,
    /// The number that the next file gets, so that no name is used twice.
    pub next_file: u64,
    /// The files, oldest first.
    pub runs: Vec<DedupRun>,
}

/// One file of ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DedupRun {
    /// Its name.
    pub file: String,
    /// Ids in it.
    pub ids: u64,
    /// The checksum of its header, which holds those of the rest.
    pub crc: u32,
}

/// Reads a file of ids to its end with all its checksums; says how many ids are in it.
pub(crate) fn verify_run(storage: &dyn Storage, run: &DedupRun) -> Result<u64, ProcessError> {
    let opened = Run::open(storage, &run.file)?;
    // The filter and the first ids, and then the blocks.
    drop(Probe::open(storage, &opened)?);
    let mut reader = RunReader::open(storage, &opened)?;
    let mut ids = 0;
    while reader.next()?.is_some() {
        ids += 1;
    }
    if ids != run.ids {
        let reason = format!("it has {ids} ids, and the checkpoint says {}", run.ids);
        return Err(ProcessError::DedupDamaged {
            file: run.file.clone(),
            position: 0,
            reason,
        });
    }
    Ok(ids)
}

impl Dedup {
    /// Nothing remembered yet, on a folder that keeps ids. Several streams may share the folder.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn create(
        horizon: Duration,
        budget: &Arc<DedupBudget>,
        storage: Arc<dyn Storage>,
        stream: &str,
    ) -> Result<Self, ProcessError> {
        let names = storage.list().map_err(failed("list", "the folder"))?;
        let numbers = names.iter().filter_map(|name| number_of(name, stream));
        Ok(Self {
            stream: stream.to_owned(),
            next_file: numbers.max().map_or(1, |last| last.saturating_add(1)),
            storage: Some(storage),
            ..Self::new(horizon, budget)
        })
    }

    /// The ids as of a checkpoint. What has no room in memory stays in its files. With another horizon
    /// than before no id is forgotten before the new one is over, unless the old one was.
    ///
    /// # Errors
    /// When a file is missing, damaged, or of an unknown version.
    pub fn load(
        horizon: Duration,
        budget: &Arc<DedupBudget>,
        storage: Arc<dyn Storage>,
        stream: &str,
        checkpoint: &DedupCheckpoint,
    ) -> Result<Self, ProcessError> {
        let mut dedup = Self::create(horizon, budget, Arc::clone(&storage), stream)?;
        dedup.next_file = dedup.next_file.max(checkpoint.next_file);
        let Some(received_at_us) = checkpoint.received_at_us else {
            return Ok(dedup);
        };
        let width = dedup.width;
        let now = width.generation(received_at_us);
        dedup.received_at_us = Some(received_at_us);
        dedup.now = now;
        for described in &checkpoint.runs {
            let run = Run::open(storage.as_ref(), &described.file)?;
            if (run.header.ids, run.header.crc) != (described.ids, described.crc) {
                return Err(ProcessError::DedupDamaged {
                    file: run.file,
                    position: 0,
                    reason: "it is not the file that the checkpoint names".to_owned(),
                });
            }
            if is_alive(run.newest(width), now) {
                dedup.runs.push(Held { run, probe: None });
            }
        }
        // The newest ids are asked for most, so they get the room there is.
        let mut room = dedup.share.free_bytes() as u64;
        let mut ids: u64 = 0;
        for held in dedup.runs.iter_mut().rev() {
            let bytes = held.run.header.ids.saturating_mul(LOADED_ID_BYTES);
            if bytes <= room {
                room -= bytes;
                ids += held.run.header.ids;
            } else {
                room = 0;
                held.probe = Some(Probe::open(storage.as_ref(), &held.run)?);
            }
        }
        dedup.table = Table::with_room(usize::try_from(ids).unwrap_or(0));
        for held in dedup.runs.iter().filter(|held| held.probe.is_none()) {
            let mut reader = RunReader::open(storage.as_ref(), &held.run)?;
            while let Some(entry) = reader.next()? {
                // By its full generation: a tag of this width may be too short for one so old.
                if is_alive(held.run.generation(entry, width), now) {
                    let entry = held.run.entry_in(entry, width, now);
                    // Files are in order of time, so the later one is right.
                    dedup.table.put(entry, |_| false);
                }
            }
        }
        dedup.relieve();
        Ok(dedup)
    }

    /// Writes the ids that no file has yet, durably, and describes the present state. To be called at
    /// the place in the journal that the checkpoint is for.
    ///
    /// # Errors
    /// Those of the storage. Nothing is forgotten then, and it may be tried again; but when the folder could
    /// not be synced it fails until the ids are loaded anew.
    pub fn freeze(&mut self) -> Result<DedupCheckpoint, ProcessError> {
        if let Some(storage) = self.storage.clone() {
            if self.table.unwritten() > 0 {
                self.write_run(&storage)?;
            }
            self.spill_again_bytes = 0;
            self.relieve();
            self.sync_names(storage.as_ref())?;
        }
        Ok(self.describe())
    }

    fn sync_names(&mut self, storage: &dyn Storage) -> Result<(), ProcessError> {
        let failed = failed("sync", "the folder of ids");
        if self.names_failed {
            // The system may report a second sync as a success though the names are lost.
            return Err(failed(std::io::Error::other("an earlier sync failed")));
        }
        if self.names_pending {
            self.names_failed = true;
            storage.sync_dir().map_err(failed)?;
            self.names_failed = false;
            self.names_pending = false;
        }
        Ok(())
    }

    /// The names of the files in use, with those that merges under way write.
    pub fn files(&self) -> impl Iterator<Item = String> {
        let runs = self.runs.iter().map(|held| held.run.file.clone());
        let merging = self.merging.iter().filter_map(std::sync::Weak::upgrade);
        runs.chain(merging.map(|name| name.to_string()))
    }

    fn describe(&self) -> DedupCheckpoint {
        let runs = self.runs.iter().map(|held| DedupRun {
            file: held.run.file.clone(),
            ids: held.run.header.ids,
            crc: held.run.header.crc,
        });
        DedupCheckpoint {
            received_at_us: self.received_at_us,
            next_file: self.next_file,
            runs: runs.collect(),
        }
    }

    /// Makes a run of what no file has yet.
    pub(super) fn write_run(&mut self, storage: &Arc<dyn Storage>) -> Result<(), ProcessError> {
        let (file, name) = self.create_file(storage.as_ref())?;
        let now = self.now;
        let ids_max = self.table.unwritten() as u64;
        let writer = RunWriter::create(file, name, self.width, ids_max);
        let table = &self.table;
        let run = writer.write_all(storage.as_ref(), |writer| {
            for entry in table.iter().filter(|entry| entry & UNWRITTEN != 0) {
                let generation = generation_of(entry, now);
                if is_alive(generation, now) {
                    writer.push(entry, generation)?;
                }
            }
            Ok(())
        })?;
        self.table.written();
        self.runs.extend(run.map(|run| Held { run, probe: None }));
        Ok(())
    }

    /// A new file of a name that never was.
    pub(super) fn create_file(
        &mut self,
        storage: &dyn Storage,
    ) -> Result<(Box<dyn StorageFile>, String), ProcessError> {
        loop {
            let name = format!("{}-{:020}{ENDING}", self.stream, self.next_file);
            self.next_file = self.next_file.saturating_add(1);
            match storage.create(&name) {
                Ok(file) => {
                    self.names_pending = true;
                    return Ok((file, name));
                }
                // A processor that takes this one's place works beside it on the same folder.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed("create", &name)(error)),
            }
        }
    }
}

/// Removes all files of ids that are not in `keep`, and says how many. `keep` has to name those of every
/// checkpoint that may still be loaded, and [`Dedup::files`] of every stream that lives; so a file may only
/// go once the checkpoint without it is durable.
///
/// # Errors
/// Those of the storage; the rest may be removed later.
pub fn remove_unneeded<S: std::hash::BuildHasher>(
    storage: &dyn Storage,
    keep: &HashSet<String, S>,
) -> Result<u64, ProcessError> {
    let mut removed = 0;
    for name in storage.list().map_err(failed("list", "the folder"))? {
        if name.ends_with(ENDING) && !keep.contains(&name) {
            remove_if_there(storage, &name)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// The number in the name of a file of that stream.
fn number_of(name: &str, stream: &str) -> Option<u64> {
    let (of, number) = name.strip_suffix(ENDING)?.rsplit_once('-')?;
    if of == stream {
        number.parse().ok()
    } else {
        None
    }
}
