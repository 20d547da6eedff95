//! What only the processing thread has of a stream, and the way of a record through it.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::error::DataFusionError;
use tillwatch_collect::{Applied, JournalRecord, RecordKind, adapt};
use tillwatch_journal::{Offset, Storage};

use crate::cube::{BatchInputs, CubeWriter, Inputs, event_times};
use crate::dedup::{Dedup, DedupBudget};
use crate::definition::{ProcessOptions, StreamDefinition};
use crate::engine::Engine;
use crate::error::ProcessError;
use crate::functions;
use crate::history::{FrameCopy, StreamState, fields_hash};
use crate::needed::Needed;
use crate::replayed::RejectedLine;
use crate::stream::{Frame, RejectFrame, StreamLog, without};
use crate::watermark::{PUSHED, SOURCES_MAX, Taken, Waits};

/// Rows of a stream aggregated at once: records are joined up to this.
pub(crate) const BATCH_ROWS_MAX: usize = 65_536;

/// Where a record stands.
pub(crate) struct Place {
    /// Its place in the journal, or behind the checkpoint for one that could not be taken before.
    pub(crate) at: Offset,
    /// Where it lies outside of the journal.
    pub(crate) copy: Option<Arc<FrameCopy>>,
}

/// What only the processing thread has of a stream.
pub(crate) struct Writer {
    pub(crate) log: Arc<StreamLog>,
    pub(crate) definition: StreamDefinition,
    dedup: Dedup,
    budget: Arc<DedupBudget>,
    waits: Waits,
    revised_buckets_max: usize,
    pub(crate) cubes: Vec<CubeWriter>,
    /// What the cubes compute from the stream's columns.
    pub(crate) inputs: Inputs,
    /// The columns that are aggregated.
    pub(crate) needed: Needed,
    /// Batches that wait to be aggregated: of the needed columns, duplicates taken out.
    pending: Vec<RecordBatch>,
    pending_rows: usize,
    pending_bytes: usize,
    /// The first and the last event time of what was taken and is not told to the cubes' readers yet, µs.
    touched: Option<(i64, i64)>,
    /// The last frame whose events are in the stream's table already.
    pub(crate) reflects: Option<Offset>,
    /// The last frame whose events were counted anew in history, by other fields than before.
    pub(crate) counted_to: Option<Offset>,
}

impl Writer {
    pub(crate) fn plan(
        engine: &Engine,
        stream: &StreamDefinition,
        options: &ProcessOptions,
        budget: &Arc<DedupBudget>,
    ) -> Result<Self, ProcessError> {
        let log = StreamLog::plan(engine, stream)?;
        Ok(Self {
            needed: Needed::of(log.derive(), log.time_column(), std::iter::empty()),
            log: Arc::new(log),
            definition: stream.clone(),
            dedup: Dedup::new(stream.schema.dedup, budget),
            budget: Arc::clone(budget),
            waits: Waits::new(options),
            revised_buckets_max: options.revised_buckets_max,
            cubes: Vec::new(),
            inputs: Inputs::default(),
            pending: Vec::new(),
            pending_rows: 0,
            pending_bytes: 0,
            touched: None,
            reflects: None,
            counted_to: None,
        })
    }

    /// Notes which columns are aggregated, once the stream's cubes are planned and before events come.
    pub(crate) fn narrow(&mut self) {
        let plans = self.cubes.iter().map(|cube| cube.cube.plan());
        self.needed = Needed::of(self.log.derive(), self.log.time_column(), plans);
    }

    /// What a checkpoint keeps of the stream; new ids are written to their folder.
    pub(crate) fn state(&mut self) -> Result<StreamState, ProcessError> {
        let dedup = self.dedup.freeze()?;
        let index = self.log.read();
        Ok(StreamState {
            status: index.status.clone(),
            rejects: index.rejects.iter().cloned().collect(),
            dedup,
            fields: fields_hash(&self.definition),
        })
    }

    /// Keeps ids in files of `storage` from now on, and takes up what a checkpoint kept.
    pub(crate) fn restore(
        &mut self,
        state: Option<&StreamState>,
        storage: Arc<dyn Storage>,
    ) -> Result<(), ProcessError> {
        let (horizon, stream) = (self.definition.schema.dedup, self.log.name());
        let Some(state) = state else {
            self.dedup = Dedup::create(horizon, &self.budget, storage, stream)?;
            return Ok(());
        };
        self.dedup = Dedup::load(horizon, &self.budget, storage, stream, &state.dedup)?;
        let mut index = self.log.write();
        index.status = state.status.clone();
        index.rejects = state.rejects.iter().cloned().collect();
        Ok(())
    }

    /// The ids remembered.
    pub(crate) fn dedup(&mut self) -> &mut Dedup {
        &mut self.dedup
    }

    /// Whether no table of the stream or its cubes is further than `offset`.
    pub(crate) fn is_at(&self, offset: Offset) -> bool {
        let cubes = self.cubes.iter().filter_map(|cube| cube.reflects);
        cubes
            .chain(self.reflects)
            .all(|reflects| reflects <= offset)
    }

    /// The last frame that the stream's tables hold of such records.
    pub(crate) fn reflects_of(&self, kind: RecordKind) -> Option<Offset> {
        match kind {
            RecordKind::Events => self.reflects,
            RecordKind::Rejects => (self.log.tables()).and_then(|tables| tables.rejects_to()),
        }
    }

    /// Counts a record that could not be taken before and cannot now, so that whoever changed the definition
    /// hears of it; `known` when a definition of the stream has counted it before.
    pub(crate) fn leave(&self, record: &JournalRecord, known: bool) {
        if record.kind == RecordKind::Rejects || (known && self.counted_to.is_none()) {
            return;
        }
        if let Err(error) = adapt(&record.batch, self.log.declared()) {
            self.fail(record, &error.to_string());
        }
    }

    /// Whether a record can be taken, as far as its columns tell.
    pub(crate) fn fits(&self, record: &JournalRecord) -> bool {
        record.kind == RecordKind::Rejects || adapt(&record.batch, self.log.declared()).is_ok()
    }

    /// Deduplicates and indexes a record of events and puts its new rows aside for the cubes.
    ///
    /// A record that cannot be taken, be it by a panic, is counted and left in the journal: this
    /// thread serves every stream, and after a restart the same record would come again.
    ///
    /// What the stream's table holds already is not indexed again.
    pub(crate) fn take(&mut self, record: &JournalRecord, place: &Place) -> Applied {
        let taken = catch_unwind(AssertUnwindSafe(|| self.try_take(record, place)));
        match taken {
            Ok(Ok(applied)) => applied,
            Ok(Err(error)) => self.fail(record, &error.to_string()),
            Err(_) => self.fail(record, "taking it panicked"),
        }
    }

    fn try_take(&mut self, record: &JournalRecord, place: &Place) -> Result<Applied, ProcessError> {
        let batch = adapt(&record.batch, self.log.declared())?;
        let rows = batch.num_rows();
        self.dedup.advance(record.received_at_us);
        let ids = self.log.id_column().and_then(|id| batch.columns().get(id));
        let duplicates = match (ids, &record.idempotency_key) {
            (Some(ids), _) => self.dedup.rows_by_id(ids)?,
            (None, Some(key)) => self.dedup.rows_by_key(key, record.places())?,
            (None, None) => None,
        };
        let fresh = without(&self.needed.narrow(&batch)?, duplicates.as_ref())?;
        let accepted = fresh.num_rows() as u64;
        let repeated = (rows - fresh.num_rows()) as u64;
        let times = event_times(&fresh, self.needed.time()).unwrap_or_default();
        let applied = Applied {
            accepted,
            duplicates: repeated,
            failed: 0,
        };
        let taken = self.note(record, duplicates, &times, applied, place);
        self.revise(&times, taken, record.received_at_us);
        if accepted > 0 {
            self.pending_rows += fresh.num_rows();
            self.pending_bytes += fresh.get_array_memory_size();
            self.pending.push(fresh);
            for at_us in times {
                let (first, last) = self.touched.unwrap_or((at_us, at_us));
                self.touched = Some((first.min(at_us), last.max(at_us)));
            }
        }
        Ok(applied)
    }

    /// Tells the cubes' readers which buckets what was taken changes: once a group, as only so many changes are
    /// remembered. All of it is of frames up to `upto`.
    pub(crate) fn tell_changes(&mut self, upto: Offset) {
        let Some((first, last)) = self.touched.take() else {
            return;
        };
        for cube in &self.cubes {
            cube.note_change(first, last, upto);
        }
    }

    /// Rows and bytes that wait to be aggregated.
    pub(crate) fn pending(&self) -> (usize, usize) {
        (self.pending_rows, self.pending_bytes)
    }

    fn note(
        &self,
        record: &JournalRecord,
        duplicates: Option<datafusion::arrow::buffer::BooleanBuffer>,
        times: &[i64],
        applied: Applied,
        place: &Place,
    ) -> Taken {
        let new = self.reflects.is_none_or(|reflects| place.at > reflects);
        let counted = self.counted_to.is_some_and(|counted| place.at <= counted);
        let mut index = self.log.write();
        let status = &mut index.status;
        let (source, received_at_us) = (record.source.as_deref(), record.received_at_us);
        let taken = (status.clock).take(source, times, received_at_us, &self.waits);
        status.events += if counted { 0 } else { applied.accepted };
        status.duplicates += applied.duplicates;
        status.late += taken.late;
        status.dedup_ids = self.dedup.len();
        status.dedup_bytes = self.dedup.bytes() as u64;
        status.dedup_spilled_ids = self.dedup.spilled_ids();
        status.dedup_disk_bytes = self.dedup.disk_bytes();
        status.watermark_us = status.clock.watermark_us();
        status.last_received_us = status.last_received_us.max(Some(record.received_at_us));
        let (min, max) = (times.iter().min().copied(), times.iter().max().copied());
        status.last_event_us = status.last_event_us.max(max);
        if applied.duplicates > 0 {
            let source = source.unwrap_or(PUSHED);
            let counts = &mut status.duplicates_by_source;
            if let Some((_, count)) = counts.iter_mut().find(|(name, _)| name == source) {
                *count += applied.duplicates;
            } else if counts.len() < SOURCES_MAX {
                counts.push((source.to_owned(), applied.duplicates));
            }
        }
        if let (Some(min_us), Some(max_us), true) = (min, max, new) {
            let rows = u32::try_from(record.batch.num_rows()).unwrap_or(u32::MAX);
            index.push(Frame {
                offset: record.offset,
                rows,
                min_us,
                max_us,
                duplicates: duplicates.map(Box::new),
                copy: place.copy.clone(),
            });
        }
        taken
    }

    /// Notes the buckets of every cube that monitors may have judged without these events.
    fn revise(&self, times: &[i64], taken: Taken, received_at_us: i64) {
        let Some(complete_us) = taken.complete_us.filter(|_| taken.behind > 0) else {
            return;
        };
        for cube in &self.cubes {
            cube.revise(times, complete_us, received_at_us, self.revised_buckets_max);
        }
    }

    /// A record that cannot be taken: counted, and left in the journal.
    fn fail(&self, record: &JournalRecord, reason: &str) -> Applied {
        let rows = record.batch.num_rows() as u64;
        let mut index = self.log.write();
        // Said once per stream: after a change of the schema there may be millions.
        if index.status.failed == 0 {
            tracing::warn!(stream = self.log.name(), offset = %record.offset, reason, "a journal record cannot be taken");
        }
        index.status.failed += rows;
        index
            .status
            .failed_reason
            .get_or_insert_with(|| reason.to_owned());
        Applied {
            failed: rows,
            ..Applied::default()
        }
    }

    pub(crate) fn take_rejects(&self, record: &JournalRecord, place: &Place, frames_max: usize) {
        let mut index = self.log.write();
        let lines = record.batch.num_rows() as u64;
        index.status.rejected += lines;
        // In order of offsets, also one from before the checkpoint that could not be taken then.
        let before = |frame: &RejectFrame| frame.offset < record.offset;
        let at = index.rejects.partition_point(before);
        let frame = RejectFrame {
            offset: record.offset,
            lines,
            received_at_us: record.received_at_us,
            replayed: BTreeSet::new(),
            copy: place.copy.clone(),
        };
        index.rejects.insert(at, frame);
        if index.rejects.len() > frames_max {
            index.rejects.pop_front();
        }
    }

    /// Notes that a line in quarantine has become an event, if that is what the record is.
    pub(crate) fn take_replayed(&self, record: &JournalRecord) {
        let Some(line) = RejectedLine::of(record) else {
            return;
        };
        let mut index = self.log.write();
        let place = index
            .rejects
            .binary_search_by_key(&line.frame, |frame| frame.offset);
        // Of the oldest frames nothing is kept, so nothing of them is replayed either.
        let Ok(place) = place else {
            return;
        };
        if let Some(frame) = index.rejects.get_mut(place) {
            frame.replayed.insert(line.row);
        }
    }

    /// Derives and aggregates what waits, as few large batches as possible.
    /// All of it is of frames up to `upto`.
    pub(crate) fn aggregate(&mut self, engine: &Engine, upto: Offset) {
        self.tell_changes(upto);
        let pending = std::mem::take(&mut self.pending);
        (self.pending_rows, self.pending_bytes) = (0, 0);
        let mut run: Vec<RecordBatch> = Vec::new();
        let mut rows = 0;
        for batch in pending {
            if rows > 0 && rows + batch.num_rows() > BATCH_ROWS_MAX {
                self.aggregate_run(engine, &run, upto);
                run.clear();
                rows = 0;
            }
            rows += batch.num_rows();
            run.push(batch);
        }
        if !run.is_empty() {
            self.aggregate_run(engine, &run, upto);
        }
        if let Some(watermark) = self.log.watermark_us() {
            for cube in &mut self.cubes {
                cube.retain(engine, watermark);
            }
        }
    }

    fn aggregate_run(&mut self, engine: &Engine, run: &[RecordBatch], upto: Offset) {
        let unconverted = functions::unconverted();
        let derived = catch_unwind(AssertUnwindSafe(|| self.derive(run)));
        let derived = derived.unwrap_or_else(|_| {
            let reason = "deriving panicked".to_owned();
            Err(DataFusionError::Execution(reason).into())
        });
        let (batch, failed) = match derived {
            Ok(derived) => derived,
            Err(error) => return self.derive_parts(engine, run, upto, &error),
        };
        let mut inputs = BatchInputs::new(&self.inputs, batch, self.log.time_column());
        for cube in &mut self.cubes {
            cube.append(engine, &mut inputs, upto);
        }
        let measure_failed = inputs.failed();
        let unconverted = functions::unconverted() - unconverted;
        if failed > 0 || measure_failed > 0 || unconverted > 0 {
            let mut index = self.log.write();
            index.status.derive_failed += failed;
            index.status.measure_failed += measure_failed;
            index.status.unconverted += unconverted;
        }
    }

    /// Batches of the needed columns as one of all columns, derived ones included, and how many values could not be
    /// derived.
    pub(crate) fn derive(&self, run: &[RecordBatch]) -> Result<(RecordBatch, u64), ProcessError> {
        let joined = match run {
            [one] => one.clone(),
            [first, ..] => concat_batches(&first.schema(), run)?,
            [] => return Ok((RecordBatch::new_empty(self.log.schema()), 0)),
        };
        Ok(self.log.derive().apply(&self.needed.widen(&joined)?)?)
    }

    /// What cannot be derived at once is tried in halves, so that only the rows at fault are
    /// missing from the cubes; they are counted.
    fn derive_parts(
        &mut self,
        engine: &Engine,
        run: &[RecordBatch],
        upto: Offset,
        error: &ProcessError,
    ) {
        if let [one] = run {
            let rows = one.num_rows();
            if rows > 1 {
                let half = rows / 2;
                self.aggregate_run(engine, &[one.slice(0, half)], upto);
                self.aggregate_run(engine, &[one.slice(half, rows - half)], upto);
                return;
            }
            tracing::error!(
                stream = self.log.name(),
                error = error.name(),
                "an event cannot be derived"
            );
            let mut index = self.log.write();
            index.status.failed += rows as u64;
            let reason = &mut index.status.failed_reason;
            reason.get_or_insert_with(|| error.to_string());
            return;
        }
        for one in run {
            self.aggregate_run(engine, std::slice::from_ref(one), upto);
        }
    }
}
