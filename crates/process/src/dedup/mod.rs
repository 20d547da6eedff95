//! Exact deduplication by id within a horizon of receipt times.
//!
//! Ids are 128-bit hashes ([`EventId`]), of which the upper 120 bits are compared: that makes an
//! accidental collision among 10⁹ remembered ids less likely than 10⁻¹⁸. With each stands the
//! generation in which it was first received, a 64th of the horizon, so an id is remembered for at
//! least the horizon and at most 1/64 longer.
//!
//! - [`table`]: the ids in memory, 16 bytes each at 57 to 83 %.
//! - [`run`]: ids in immutable files. What is new since the last one is written at a checkpoint
//!   ([`Dedup::freeze`]), and [`Dedup::load`] brings back the state of that moment.
//! - [`spill`]: past the budget the oldest runs' ids leave memory and are looked up in the files.
//!
//! Nothing reads a clock: time is the receipt time in the journal record, which never runs
//! backwards here even when it does there, so that a replay decides as the live run did. What is
//! swept, written, spilled or merged, and when, changes no decision.

mod budget;
mod checkpoint;
mod filter;
mod generation;
mod merge;
mod run;
mod spill;
mod table;
#[cfg(test)]
mod tests;

use std::hint::black_box;
use std::sync::{Arc, Weak};
use std::time::Duration;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanBufferBuilder};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use tillwatch_event::{EventId, ident::RowIds};
use tillwatch_journal::Storage;

pub use budget::DedupBudget;
pub(crate) use checkpoint::verify_run;
pub use checkpoint::{DedupCheckpoint, DedupRun, remove_unneeded};
pub use merge::{DedupMerge, DedupMerged};

use crate::error::ProcessError;
use budget::Share;
use generation::{
    GENERATIONS, UNWRITTEN, Width, generation_of, is_alive, is_entry_alive, key_of, tag_of,
};
use run::{Probe, Run};
use table::{PARTITIONS, Table};

/// Generations in which every partition of the table is swept once: an eighth of the horizon.
const SWEEP_EVERY: i64 = 8;
/// Ids whose places are fetched from memory together.
const FETCH_ROWS: usize = 32;

/// The ids of one stream.
pub struct Dedup {
    stream: String,
    width: Width,
    /// The generation of the newest receipt.
    now: i64,
    /// The newest receipt; none before the first.
    received_at_us: Option<i64>,
    table: Table,
    /// The partition that is swept next.
    sweep_at: usize,
    /// Oldest first. What is not in the table is in those that have a probe.
    runs: Vec<Held>,
    storage: Option<Arc<dyn Storage>>,
    /// The number of the next file.
    next_file: u64,
    /// Files that merges under way write, so that nobody takes them for left over.
    merging: Vec<Weak<str>>,
    /// Whether files have been made whose names are not durable.
    names_pending: bool,
    /// Whether making them durable failed: what the folder holds is not known any more.
    names_failed: bool,
    share: Share,
    /// After a failed spill: the memory at which it is tried again.
    spill_again_bytes: usize,
    /// Room for the entries of one batch.
    entries: Vec<u128>,
    /// Rows of a batch that the table does not have, and those of all its rows that a file has.
    absent: Vec<u32>,
    on_file: Vec<bool>,
    /// Room for a block of a file.
    block: Vec<u8>,
}

/// A run, and how it is looked up when its ids are not in memory.
#[derive(Debug)]
struct Held {
    run: Run,
    probe: Option<Probe>,
}

impl std::fmt::Debug for Dedup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dedup")
            .field("stream", &self.stream)
            .field("ids", &self.len())
            .field("runs", &self.runs)
            .finish_non_exhaustive()
    }
}

impl Dedup {
    /// Nothing remembered yet. Without files it never spills, whatever the budget says.
    #[must_use]
    pub fn new(horizon: Duration, budget: &Arc<DedupBudget>) -> Self {
        Self {
            stream: String::new(),
            width: Width::of_horizon(horizon),
            now: i64::MIN,
            received_at_us: None,
            table: Table::with_room(0),
            sweep_at: 0,
            runs: Vec::new(),
            storage: None,
            next_file: 1,
            merging: Vec::new(),
            names_pending: false,
            names_failed: false,
            share: Share::of(Arc::clone(budget)),
            spill_again_bytes: 0,
            entries: Vec::new(),
            absent: Vec::new(),
            on_file: Vec::new(),
            block: Vec::new(),
        }
    }

    /// Ids held: expired ones not yet swept count, and one that is in memory and in a file that is looked
    /// up may count twice.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.table.len() as u64 + self.spilled_ids()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let probes = self.runs.iter().filter_map(|held| held.probe.as_ref());
        let rows = self.entries.capacity() * 16 + self.absent.capacity() * 4;
        self.table.bytes()
            + probes.map(Probe::bytes).sum::<usize>()
            + self.runs.capacity() * size_of::<Held>()
            + rows
            + self.on_file.capacity()
            + self.block.capacity()
    }

    /// Ids that are looked up in files.
    #[must_use]
    pub fn spilled_ids(&self) -> u64 {
        let spilled = self.runs.iter().filter(|held| held.probe.is_some());
        spilled.map(|held| held.run.header.ids).sum()
    }

    /// Bytes of the files in use.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        self.runs.iter().map(|held| held.run.bytes()).sum()
    }

    /// Moves time on to a record's receipt.
    pub fn advance(&mut self, received_at_us: i64) {
        self.received_at_us = self.received_at_us.max(Some(received_at_us));
        let generation = self.width.generation(received_at_us);
        if generation <= self.now {
            return;
        }
        let before = std::mem::replace(&mut self.now, generation);
        let steps = generation.saturating_sub(before);
        if steps > GENERATIONS {
            // Everything is older than the horizon; the tags of so long ago would be ambiguous.
            self.table = Table::with_room(0);
            self.runs.clear();
            return;
        }
        // As many partitions as the time that passed. Ages are told by the generation before: by the new
        // one what waited for its sweep may be too old to be told from what is young.
        let eighth = PARTITIONS / SWEEP_EVERY as usize;
        let sweep = (steps as usize).saturating_mul(eighth).min(PARTITIONS);
        let first = self.sweep_at;
        let partitions = (first..first + sweep).map(|index| index % PARTITIONS);
        self.table.retain(partitions, |entry| {
            is_alive(generation_of(entry, before), generation)
        });
        self.sweep_at = (first + sweep) % PARTITIONS;
        let width = self.width;
        self.runs
            .retain(|held| is_alive(held.run.newest(width), generation));
    }

    /// Which rows repeat an id; `None` when none does. Rows without an id never do.
    ///
    /// # Errors
    /// When ids that are on files cannot be read. None of the rows is remembered then.
    pub fn rows_by_id(&mut self, ids: &ArrayRef) -> Result<Option<BooleanBuffer>, ProcessError> {
        match ids.data_type() {
            DataType::Utf8View => {
                let ids = ids.as_string_view();
                self.mark(ids.iter().map(|id| id.map(EventId::of_text)))
            }
            DataType::Int64 => {
                let ids = ids.as_primitive::<Int64Type>();
                self.mark(ids.iter().map(|id| id.map(EventId::of_int)))
            }
            _ => {
                let text = cast(ids, &DataType::Utf8View)?;
                let ids = text.as_string_view();
                self.mark(ids.iter().map(|id| id.map(EventId::of_text)))
            }
        }
    }

    /// Which rows of a request repeat an earlier request with the same `Idempotency-Key`.
    ///
    /// # Errors
    /// As for [`Dedup::rows_by_id`].
    pub fn rows_by_key(
        &mut self,
        key: &str,
        places: impl ExactSizeIterator<Item = u64>,
    ) -> Result<Option<BooleanBuffer>, ProcessError> {
        let ids = RowIds::new(key);
        self.mark(places.map(|place| Some(ids.row(place))))
    }

    fn mark(
        &mut self,
        ids: impl ExactSizeIterator<Item = Option<EventId>>,
    ) -> Result<Option<BooleanBuffer>, ProcessError> {
        let now = self.now;
        let low = UNWRITTEN | tag_of(now);
        let mut entries = std::mem::take(&mut self.entries);
        entries.clear();
        // A row without an id is 0, which no entry is.
        entries.extend(ids.map(|id| id.map_or(0, |id| key_of(id) | low)));
        // Before anything is remembered: a batch whose ids cannot be looked up is as if it never came.
        let found = self.find_on_file(&entries);
        if let Err(error) = found {
            self.entries = entries;
            return Err(error);
        }
        let mut marks = BooleanBufferBuilder::new(entries.len());
        let mut any = false;
        let mut on_file = self.on_file.iter();
        for rows in entries.chunks(FETCH_ROWS) {
            let fetched = rows
                .iter()
                .fold(0, |sum, entry| sum ^ self.table.touch(*entry));
            black_box(fetched);
            for entry in rows {
                let on_file = on_file.next().copied().unwrap_or(false);
                let repeated = *entry != 0
                    && (on_file || !self.table.put(*entry, |other| is_entry_alive(other, now)));
                any |= repeated;
                marks.append(repeated);
            }
        }
        self.entries = entries;
        self.relieve();
        Ok(any.then(|| marks.finish()))
    }
}
