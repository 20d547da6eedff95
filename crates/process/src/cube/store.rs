//! The states of one cube: immutable chunks, merged so that their number stays small.
//!
//! New states arrive as chunks in `recent`. Eight small ones of about one size are merged into one of
//! the next size; large ones, of which a flush or settling takes some tens, wait. When `recent` has grown,
//! what of it is behind `settled` goes there; late states wait until they are a quarter of the chunk they overlap,
//! and both are merged. `settled` is in order of time and without overlap, each key is in it once,
//! and a query reads only the chunks of its range.
//!
//! With history, memory holds only what came since the last flush. A flush moves all chunks to
//! `flushing`, writes them as one to the cube's table, and then swaps them for the table's new
//! files in one step under the lock, so that no snapshot sees a state twice or not at all.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use datafusion::arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};
use tillwatch_history::DataFile;

use super::keep::{Keep, KeepAt};
use super::panicked;
use super::plan::CubePlan;
use super::settle::{merge_recent, settle, states_of};
use super::states::{bounds, memory_bytes, within};
use super::table::StateTable;
use super::view::CubeView;
use crate::engine::Engine;
use crate::error::ProcessError;
use crate::status::CubeStatus;

/// Chunks of about one size that are merged together.
pub(super) const FAN_IN: usize = 8;
/// Changes remembered for live readers; one further behind reads everything again.
const CHANGES_MAX: usize = 1_024;

#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub(super) states: RecordBatch,
    /// First and last bucket start, µs.
    pub(super) min_us: i64,
    pub(super) max_us: i64,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Chunks {
    pub(super) recent: Vec<Arc<Chunk>>,
    pub(super) settled: Vec<Arc<Chunk>>,
    /// On their way to the table, and in no file that is read yet.
    flushing: Vec<Arc<Chunk>>,
    /// As long as fewer rows than this are recent, none of them settle: that was looked at.
    pub(super) settle_from_rows: usize,
}

impl Chunks {
    fn all(&self) -> impl Iterator<Item = &Arc<Chunk>> {
        (self.settled.iter().chain(&self.flushing)).chain(&self.recent)
    }
}

#[derive(Debug)]
struct Shared {
    chunks: Chunks,
    version: u64,
    changes: VecDeque<(u64, i64, i64)>,
    combinations: usize,
    other_rows: u64,
    failed_rows: u64,
    /// The watermark of the last retention, and the start of the first bucket it left alone.
    retained_at_us: i64,
    own_width_from_us: i64,
    /// How often `keep` may have made other buckets of older ones.
    reshaped: u64,
    /// What an earlier `keep` has made coarser than the present one would: (bucket start, width).
    floor: Vec<(i64, i64)>,
    /// The files of the cube's table that hold what was flushed.
    files: Arc<[Arc<DataFile>]>,
    /// Buckets that start before this may lack events.
    covers_from_us: Option<i64>,
}

/// What a checkpoint keeps of a store besides the states, which are in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoreState {
    other_rows: u64,
    failed_rows: u64,
    retained_at_us: i64,
    /// The widths that buckets have, as (start of the first, width), newest first.
    #[serde(default)]
    widths: Vec<(i64, i64)>,
    #[serde(default)]
    covers_from_us: Option<i64>,
}

impl StoreState {
    /// The widths that buckets have, as (start of the first, width), newest first.
    pub(crate) fn widths(&self) -> &[(i64, i64)] {
        &self.widths
    }
}

/// The chunks of one cube behind a lock that is only held to copy or swap lists of pointers.
#[derive(Debug)]
pub(super) struct CubeStore {
    keep: Keep,
    shared: Mutex<Shared>,
    table: OnceLock<StateTable>,
}

impl Chunk {
    pub(super) fn new(states: RecordBatch) -> Option<Arc<Self>> {
        let (min_us, max_us) = bounds(&states)?;
        Some(Arc::new(Self {
            states,
            min_us,
            max_us,
        }))
    }

    pub(super) fn rows(&self) -> usize {
        self.states.num_rows()
    }

    pub(super) fn tier(&self) -> u32 {
        self.rows().max(1).ilog2() / FAN_IN.ilog2()
    }
}

impl CubeStore {
    pub(super) fn new(keep: Keep) -> Self {
        let shared = Shared {
            chunks: Chunks::default(),
            version: 0,
            changes: VecDeque::new(),
            combinations: 0,
            other_rows: 0,
            failed_rows: 0,
            retained_at_us: i64::MIN,
            own_width_from_us: i64::MIN,
            reshaped: 0,
            floor: Vec::new(),
            files: Arc::from([]),
            covers_from_us: None,
        };
        Self {
            keep,
            shared: Mutex::new(shared),
            table: OnceLock::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // Nothing under the lock can panic half-way through a change.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds states, of which [`Self::changed`] tells, and merges where due. Only one thread may call this.
    pub(super) fn append(
        &self,
        engine: &Engine,
        plan: &CubePlan,
        states: RecordBatch,
    ) -> Result<(), ProcessError> {
        let Some(chunk) = Chunk::new(states) else {
            return Ok(());
        };
        let mut after = self.lock().chunks.clone();
        after.recent.push(chunk);
        // The new states are in whether merging works or not: merging changes no figure. Lists of chunks are changed as
        // its last step, so that a panic changes none either.
        let merge = AssertUnwindSafe(|| {
            merge_recent(engine, plan, &mut after).and_then(|()| settle(engine, plan, &mut after))
        });
        let merged = catch_unwind(merge).unwrap_or_else(|_| Err(panicked("merging")));
        if let Err(error) = merged {
            tracing::error!(error = error.name(), "states could not be merged");
        }
        let mut shared = self.lock();
        // A flush may have ended meanwhile, so what it was flushing is not put back.
        shared.chunks.recent = after.recent;
        shared.chunks.settled = after.settled;
        shared.chunks.settle_from_rows = after.settle_from_rows;
        Ok(())
    }

    /// Notes that buckets from one to another start, µs, are about to change, or have.
    pub(super) fn changed(&self, min_us: i64, max_us: i64) {
        let mut shared = self.lock();
        shared.version += 1;
        let version = shared.version;
        shared.changes.push_back((version, min_us, max_us));
        if shared.changes.len() > CHANGES_MAX {
            shared.changes.pop_front();
        }
    }

    /// Lets the next [`Self::retain`] happen, however little event time has moved on.
    pub(super) fn retain_anew(&self) {
        self.lock().retained_at_us = i64::MIN;
    }

    /// Applies `keep` when the watermark has moved far enough since the last time.
    pub(super) fn retain(
        &self,
        engine: &Engine,
        plan: &CubePlan,
        watermark_us: i64,
    ) -> Result<(), ProcessError> {
        let Some(every_us) = self.keep.every_us() else {
            return Ok(());
        };
        let (mut chunks, last) = {
            let shared = self.lock();
            (shared.chunks.clone(), shared.retained_at_us)
        };
        if watermark_us < last.saturating_add(every_us) {
            return Ok(());
        }
        let at = self.keep.at(watermark_us);
        let mut changed = Vec::new();
        // What is on its way to the table is rolled up there.
        for list in [&mut chunks.settled, &mut chunks.recent] {
            let mut left = Vec::with_capacity(list.len());
            for chunk in list.drain(..) {
                if chunk.min_us >= at.own_width_from() {
                    left.push(chunk);
                    continue;
                }
                match at.apply(&chunk.states)? {
                    None => left.push(chunk),
                    Some(states) => changed.push(states),
                }
            }
            *list = left;
        }
        if !changed.is_empty() {
            chunks
                .recent
                .extend(Chunk::new(plan.reduce(engine, &changed)?));
        }
        let mut shared = self.lock();
        shared.chunks.recent = chunks.recent;
        shared.chunks.settled = chunks.settled;
        shared.retained_at_us = watermark_us;
        shared.own_width_from_us = at.coarser(&shared.floor).own_width_from();
        shared.reshaped += 1;
        Ok(())
    }

    /// The widths that buckets have since the last retention, see `KeepAt::borders`; empty when
    /// all have the cube's own.
    pub(super) fn widths(&self) -> Vec<(i64, i64)> {
        self.widths_in(&self.lock())
    }

    fn widths_in(&self, shared: &Shared) -> Vec<(i64, i64)> {
        if self.keep.every_us().is_none() || shared.retained_at_us == i64::MIN {
            return shared.floor.clone();
        }
        let at = self.keep.at(shared.retained_at_us);
        at.coarser(&shared.floor).borders().to_vec()
    }

    pub(super) fn count_combinations(&self, combinations: usize, other_rows: u64) {
        let mut shared = self.lock();
        shared.combinations = combinations;
        shared.other_rows += other_rows;
    }

    pub(super) fn count_failed(&self, rows: u64) {
        self.lock().failed_rows += rows;
    }

    /// Events that could not be aggregated.
    pub(super) fn failed(&self) -> u64 {
        self.lock().failed_rows
    }

    /// What there is of a range now.
    pub(super) fn view(
        &self,
        from_us: Option<i64>,
        to_us: Option<i64>,
        bucket_us: i64,
        columns: usize,
    ) -> CubeView {
        let (chunks, files, own_width_from, floor_width) = {
            let shared = self.lock();
            let files = Arc::clone(&shared.files);
            let floor_width = shared.floor.iter().map(|(_, width)| *width).max();
            (
                shared.chunks.clone(),
                files,
                shared.own_width_from_us,
                floor_width,
            )
        };
        let mut from = from_us.unwrap_or(i64::MIN);
        if from < own_width_from && from > i64::MIN {
            let widest = (floor_width.max(self.keep.widest_us())).unwrap_or(bucket_us);
            from = from.div_euclid(widest).saturating_mul(widest);
        }
        let to = to_us.unwrap_or(i64::MAX);
        let reaches =
            |min_us: i64, max_us: i64| max_us.saturating_add(bucket_us) > from && min_us < to;
        CubeView {
            from_us: from,
            to_us: to,
            bucket_us,
            columns,
            table: self.table.get().cloned(),
            files: (files.iter())
                .filter(|f| reaches(f.min_us, f.max_us))
                .cloned()
                .collect(),
            memory: (chunks.all())
                .filter(|c| reaches(c.min_us, c.max_us))
                .map(|c| within(&c.states, from, to, bucket_us, (c.min_us, c.max_us)))
                .filter(|states| states.num_rows() > 0)
                .collect(),
        }
    }

    /// The table in which flushed states are, with the files it has. Once, before states come.
    pub(super) fn attach(&self, table: StateTable) {
        let files = table.view().files;
        if self.table.set(table).is_ok() {
            self.lock().files = files;
        }
    }

    pub(super) fn table(&self) -> Option<&StateTable> {
        self.table.get()
    }

    /// Everything that is not in the table yet, which stays readable until [`Self::flushed`].
    pub(super) fn begin_flush(&self) -> Vec<RecordBatch> {
        let mut shared = self.lock();
        let chunks = &mut shared.chunks;
        let settled = std::mem::take(&mut chunks.settled);
        let recent = std::mem::take(&mut chunks.recent);
        chunks.flushing.extend(settled.into_iter().chain(recent));
        chunks.settle_from_rows = 0;
        states_of(&chunks.flushing)
    }

    /// What was being flushed is in these files now.
    pub(super) fn flushed(&self, files: Arc<[Arc<DataFile>]>) {
        let mut shared = self.lock();
        shared.chunks.flushing.clear();
        shared.files = files;
    }

    /// The files of the table are others that hold the same, or no longer what is past its age.
    pub(super) fn replaced(&self, files: Arc<[Arc<DataFile>]>) {
        let mut shared = self.lock();
        shared.files = files;
        shared.reshaped += 1;
    }

    pub(super) fn files(&self) -> Arc<[Arc<DataFile>]> {
        Arc::clone(&self.lock().files)
    }

    /// What `keep` says at the last retention; none before the first or when all is kept.
    pub(super) fn kept_at(&self) -> Option<KeepAt> {
        let retained_at_us = self.lock().retained_at_us;
        (self.keep.every_us().is_some() && retained_at_us > i64::MIN)
            .then(|| self.keep.at(retained_at_us))
    }

    /// The widest bucket that `keep` makes.
    pub(super) fn widest_us(&self) -> Option<i64> {
        self.keep.widest_us()
    }

    pub(super) fn covers_from_us(&self) -> Option<i64> {
        self.lock().covers_from_us
    }

    pub(super) fn cover_from(&self, from_us: i64) {
        self.lock().covers_from_us = Some(from_us);
    }

    pub(super) fn state(&self) -> StoreState {
        let shared = self.lock();
        StoreState {
            other_rows: shared.other_rows,
            failed_rows: shared.failed_rows,
            retained_at_us: shared.retained_at_us,
            widths: self.widths_in(&shared),
            covers_from_us: shared.covers_from_us,
        }
    }

    pub(super) fn restore(&self, state: &StoreState, combinations: usize) {
        let mut shared = self.lock();
        shared.other_rows = state.other_rows;
        shared.failed_rows = state.failed_rows;
        shared.combinations = combinations;
        shared.covers_from_us = state.covers_from_us;
        self.take_widths(&mut shared, state);
    }

    /// Takes up the widths that buckets had.
    pub(super) fn restore_widths(&self, state: &StoreState) {
        self.take_widths(&mut self.lock(), state);
    }

    fn take_widths(&self, shared: &mut Shared, state: &StoreState) {
        shared.reshaped += 1;
        if self.keep.every_us().is_none() {
            // Nothing is rolled up any more; what was stays so.
            shared.floor.clone_from(&state.widths);
            shared.own_width_from_us = state.widths.first().map_or(i64::MIN, |(start, _)| *start);
        } else if state.retained_at_us > i64::MIN {
            shared.retained_at_us = state.retained_at_us;
            let at = self.keep.at(state.retained_at_us);
            let was = at.coarser(&state.widths);
            if was.borders() != at.borders() {
                shared.floor.clone_from(&state.widths);
            }
            shared.own_width_from_us = was.own_width_from();
        }
    }

    pub(super) fn version(&self) -> u64 {
        self.lock().version
    }

    pub(super) fn reshaped(&self) -> (u64, i64) {
        let shared = self.lock();
        (shared.reshaped, shared.own_width_from_us)
    }

    pub(super) fn changed_since(&self, version: u64) -> Option<(i64, i64)> {
        let shared = self.lock();
        if version >= shared.version {
            return None;
        }
        let oldest = shared.changes.front().map_or(u64::MAX, |(v, _, _)| *v);
        if version.saturating_add(1) < oldest {
            return Some((i64::MIN, i64::MAX));
        }
        (shared.changes.iter().rev())
            .take_while(|(v, _, _)| *v > version)
            .fold(None, |range, (_, min, max)| match range {
                None => Some((*min, *max)),
                Some((a, b)) => Some((*min.min(&a), *max.max(&b))),
            })
    }

    pub(super) fn status(&self, name: &str) -> CubeStatus {
        // Chunks may share memory, so it is counted over all of them, and not under the lock.
        let chunks = self.lock().chunks.clone();
        let bytes = memory_bytes(chunks.all().map(|c| &c.states));
        let shared = self.lock();
        CubeStatus {
            name: name.to_owned(),
            rows: chunks.all().map(|c| c.rows() as u64).sum(),
            bytes,
            chunks: chunks.all().count() as u64,
            stored_rows: shared.files.iter().map(|f| f.rows).sum(),
            stored_bytes: shared.files.iter().map(|f| f.bytes).sum(),
            stored_files: shared.files.len() as u64,
            version: shared.version,
            combinations: shared.combinations as u64,
            other_rows: shared.other_rows,
            failed_rows: shared.failed_rows,
            covers_from_us: shared.covers_from_us,
            ..CubeStatus::default()
        }
    }
}
