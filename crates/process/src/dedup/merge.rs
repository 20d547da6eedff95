//! Few runs instead of many, without ids that have expired.

use std::sync::{Arc, Weak};

use tillwatch_journal::{Storage, StorageFile};

use super::generation::{GENERATIONS, Width};
use super::run::{Probe, Run, RunWriter, merge};
use super::{Dedup, Held};
use crate::error::ProcessError;

/// Runs merged into one, at least.
const FAN_IN: usize = 4;
/// Runs looked at together, at most.
const FAN_IN_MAX: usize = 16;
/// Generations that a merged run covers at most, so that it expires as a whole not long after its first id.
const SPAN_MAX: i64 = GENERATIONS / 4;
/// Runs of a stream above which they are merged whatever they cover.
const RUNS_MAX: usize = 48;

/// Some runs of a stream to be merged. It needs nothing of the stream, so it may run on any thread; what comes
/// of it goes to [`Dedup::adopt`].
pub struct DedupMerge {
    storage: Arc<dyn Storage>,
    runs: Vec<Run>,
    file: Box<dyn StorageFile>,
    name: Arc<str>,
    width: Width,
    now: i64,
}

/// A merged run.
#[derive(Debug)]
pub struct DedupMerged {
    from: Vec<Run>,
    run: Option<Run>,
    /// Held until the run is adopted, so that its file is not removed before.
    _name: Arc<str>,
}

impl std::fmt::Debug for DedupMerge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DedupMerge")
            .field("runs", &self.runs)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl DedupMerge {
    /// Ids it reads.
    #[must_use]
    pub fn ids(&self) -> u64 {
        self.runs.iter().map(|run| run.header.ids).sum()
    }

    /// Writes the merged run, durably.
    ///
    /// # Errors
    /// Those of the storage, and when a run is damaged. The stream goes on with its runs as they are.
    pub fn run(self) -> Result<DedupMerged, ProcessError> {
        let ids_max = self.ids();
        let writer = RunWriter::create(self.file, self.name.to_string(), self.width, ids_max);
        let storage = self.storage.as_ref();
        let run = merge(storage, &self.runs, writer, (self.width, self.now))?;
        Ok(DedupMerged {
            from: self.runs,
            run,
            _name: self.name,
        })
    }
}

impl Dedup {
    /// Runs that should be merged now, if any.
    ///
    /// # Errors
    /// When the new file cannot be made.
    pub fn merge(&mut self) -> Result<Option<DedupMerge>, ProcessError> {
        let Some(storage) = self.storage.clone() else {
            return Ok(None);
        };
        let Some((first, count)) = self.choose() else {
            return Ok(None);
        };
        let (file, name) = self.create_file(storage.as_ref())?;
        let name: Arc<str> = name.into();
        self.merging.retain(|name| name.strong_count() > 0);
        self.merging.push(Arc::downgrade(&name));
        let chosen = self.runs.iter().skip(first).take(count);
        Ok(Some(DedupMerge {
            storage,
            runs: chosen.map(|held| held.run.clone()).collect(),
            file,
            name,
            width: self.width,
            now: self.now,
        }))
    }

    /// Puts a merged run in the place of those it was made from, unless these are not all there any more.
    /// The next [`Dedup::freeze`] names it; only then may the old files go.
    ///
    /// # Errors
    /// When the merged run cannot be opened; nothing changes then.
    pub fn adopt(&mut self, merged: DedupMerged) -> Result<(), ProcessError> {
        let Some(storage) = self.storage.clone() else {
            return Ok(());
        };
        let count = merged.from.len();
        let is_same = |held: &[Held]| held.iter().map(|held| &held.run).eq(&merged.from);
        let place = self.runs.windows(count.max(1)).position(is_same);
        if let Some(first) = place {
            let range = first..first + count;
            let old = self.runs.get(range.clone()).unwrap_or_default();
            let spilled = old.iter().any(|held| held.probe.is_some());
            let new = match merged.run {
                Some(run) if spilled => Some(Held {
                    probe: Some(Probe::open(storage.as_ref(), &run)?),
                    run,
                }),
                run => run.map(|run| Held { run, probe: None }),
            };
            self.runs.splice(range, new);
        }
        self.merging
            .retain(|name: &Weak<str>| name.strong_count() > 0);
        Ok(())
    }

    /// Merges until nothing is left to merge, here and now.
    ///
    /// # Errors
    /// As for [`DedupMerge::run`].
    pub fn merge_all(&mut self) -> Result<(), ProcessError> {
        while let Some(merge) = self.merge()? {
            self.adopt(merge.run()?)?;
        }
        Ok(())
    }

    /// Neighbours to be merged, as (first, count). Of those in which the largest is no larger than the rest
    /// together, so that every id's run at least doubles each time, the least work.
    fn choose(&self) -> Option<(usize, usize)> {
        let fitting = self.windows(false).min_by_key(|(ids, ..)| *ids);
        let chosen = match fitting {
            None if self.runs.len() > RUNS_MAX => self.windows(true).min_by_key(|(ids, ..)| *ids),
            fitting => fitting,
        };
        chosen.map(|(_, first, count)| (first, count))
    }

    /// All neighbours that may be merged, with their ids.
    fn windows(&self, whatever: bool) -> impl Iterator<Item = (u64, usize, usize)> {
        let counts = FAN_IN..=FAN_IN_MAX;
        counts.flat_map(move |count| {
            let windows = self.runs.windows(count).enumerate();
            windows.filter_map(move |(first, window)| {
                let ids: u64 = window.iter().map(|held| held.run.header.ids).sum();
                let largest = window.iter().map(|held| held.run.header.ids).max()?;
                let spilled = window.iter().filter(|held| held.probe.is_some()).count();
                let newest = window
                    .iter()
                    .map(|held| held.run.newest(self.width))
                    .max()?;
                let oldest = window
                    .iter()
                    .map(|held| held.run.oldest(self.width))
                    .min()?;
                let fits = largest <= ids - largest && newest.saturating_sub(oldest) < SPAN_MAX;
                let alike = spilled == 0 || spilled == count;
                (alike && (fits || whatever)).then_some((ids, first, count))
            })
        })
    }
}
