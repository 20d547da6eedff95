//! What only the processing thread has of a stream, and the way of a record through it.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::error::DataFusionError;
use tillwatch_collect::{Applied, JournalRecord, adapt};

use crate::cube::{BatchInputs, CubeWriter, Inputs, event_times};
use crate::dedup::Dedup;
use crate::definition::{ProcessOptions, StreamDefinition};
use crate::engine::Engine;
use crate::error::ProcessError;
use crate::functions;
use crate::replayed::RejectedLine;
use crate::stream::{Frame, RejectFrame, StreamLog, without};
use crate::watermark::Watermark;

/// Rows of a stream aggregated at once: records of a commit group are joined up to this.
const BATCH_ROWS_MAX: usize = 65_536;
/// Sources whose duplicates are counted by name; a stream has few, and a limit all the same.
const SOURCES_MAX: usize = 64;

/// What only the processing thread has of a stream.
pub(crate) struct Writer {
    pub(crate) log: Arc<StreamLog>,
    dedup: Dedup,
    watermark: Watermark,
    pub(crate) cubes: Vec<CubeWriter>,
    /// What the cubes compute from the stream's columns.
    pub(crate) inputs: Inputs,
    /// Batches of the current group, duplicates taken out.
    pending: Vec<RecordBatch>,
}

impl Writer {
    pub(crate) fn plan(
        engine: &Engine,
        stream: &StreamDefinition,
        options: &ProcessOptions,
    ) -> Result<Self, ProcessError> {
        Ok(Self {
            log: Arc::new(StreamLog::plan(engine, stream)?),
            dedup: Dedup::new(stream.schema.dedup),
            watermark: Watermark::new(options),
            cubes: Vec::new(),
            inputs: Inputs::default(),
            pending: Vec::new(),
        })
    }

    /// Deduplicates and indexes a record of events and puts its new rows aside for the cubes.
    ///
    /// A record that cannot be taken, be it by a panic, is counted and left in the journal: this
    /// thread serves every stream, and after a restart the same record would come again.
    pub(crate) fn take(&mut self, record: &JournalRecord) -> Applied {
        let taken = catch_unwind(AssertUnwindSafe(|| self.try_take(record)));
        match taken {
            Ok(Ok(applied)) => applied,
            Ok(Err(error)) => self.fail(record, &error.to_string()),
            Err(_) => self.fail(record, "taking it panicked"),
        }
    }

    fn try_take(&mut self, record: &JournalRecord) -> Result<Applied, ProcessError> {
        let batch = adapt(&record.batch, self.log.declared())?;
        let rows = batch.num_rows();
        self.dedup.advance(record.received_at_us);
        let ids = self.log.id_column().and_then(|id| batch.columns().get(id));
        let duplicates = match (ids, &record.idempotency_key) {
            (Some(ids), _) => self.dedup.rows_by_id(ids)?,
            (None, Some(key)) => self.dedup.rows_by_key(key, record.places()),
            (None, None) => None,
        };
        let fresh = without(&batch, duplicates.as_ref())?;
        let accepted = fresh.num_rows() as u64;
        let repeated = (rows - fresh.num_rows()) as u64;
        let times = event_times(&fresh, self.log.time_column()).unwrap_or_default();
        let late = self
            .watermark
            .take(times.iter().copied(), record.received_at_us);
        let applied = Applied {
            accepted,
            duplicates: repeated,
            failed: 0,
        };
        self.note(record, duplicates, &times, applied, late);
        if accepted > 0 {
            self.pending.push(fresh);
        }
        Ok(applied)
    }

    fn note(
        &self,
        record: &JournalRecord,
        duplicates: Option<datafusion::arrow::buffer::BooleanBuffer>,
        times: &[i64],
        applied: Applied,
        late: u64,
    ) {
        let mut index = self.log.write();
        let status = &mut index.status;
        status.events += applied.accepted;
        status.duplicates += applied.duplicates;
        status.late += late;
        status.dedup_ids = self.dedup.len() as u64;
        status.dedup_bytes = self.dedup.bytes() as u64;
        status.watermark_us = self.watermark.at();
        status.last_received_us = status.last_received_us.max(Some(record.received_at_us));
        let (min, max) = (times.iter().min().copied(), times.iter().max().copied());
        status.last_event_us = status.last_event_us.max(max);
        if applied.duplicates > 0 {
            let source = record.source.as_deref().unwrap_or("http");
            let counts = &mut status.duplicates_by_source;
            if let Some((_, count)) = counts.iter_mut().find(|(name, _)| name == source) {
                *count += applied.duplicates;
            } else if counts.len() < SOURCES_MAX {
                counts.push((source.to_owned(), applied.duplicates));
            }
        }
        if let (Some(min_us), Some(max_us)) = (min, max) {
            let rows = u32::try_from(record.batch.num_rows()).unwrap_or(u32::MAX);
            index.push(Frame {
                offset: record.offset,
                rows,
                min_us,
                max_us,
                duplicates: duplicates.map(Box::new),
            });
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

    pub(crate) fn take_rejects(&self, record: &JournalRecord, frames_max: usize) {
        let mut index = self.log.write();
        let lines = record.batch.num_rows() as u64;
        index.status.rejected += lines;
        if index.rejects.len() >= frames_max {
            index.rejects.pop_front();
        }
        index.rejects.push_back(RejectFrame {
            offset: record.offset,
            lines,
            received_at_us: record.received_at_us,
            replayed: BTreeSet::new(),
        });
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

    /// Derives and aggregates what the group brought, as few large batches as possible.
    pub(crate) fn aggregate(&mut self, engine: &Engine) {
        let pending = std::mem::take(&mut self.pending);
        let mut run: Vec<RecordBatch> = Vec::new();
        let mut rows = 0;
        for batch in pending {
            if rows > 0 && rows + batch.num_rows() > BATCH_ROWS_MAX {
                self.aggregate_run(engine, &run);
                run.clear();
                rows = 0;
            }
            rows += batch.num_rows();
            run.push(batch);
        }
        if !run.is_empty() {
            self.aggregate_run(engine, &run);
        }
        if let Some(watermark) = self.watermark.at() {
            for cube in &mut self.cubes {
                cube.retain(engine, watermark);
            }
        }
    }

    fn aggregate_run(&mut self, engine: &Engine, run: &[RecordBatch]) {
        let unconverted = functions::unconverted();
        let derived = catch_unwind(AssertUnwindSafe(|| self.derive(run)));
        let derived = derived.unwrap_or_else(|_| {
            let reason = "deriving panicked".to_owned();
            Err(DataFusionError::Execution(reason).into())
        });
        let (batch, failed) = match derived {
            Ok(derived) => derived,
            Err(error) => return self.derive_parts(engine, run, &error),
        };
        let mut inputs = BatchInputs::new(&self.inputs, batch, self.log.time_column());
        for cube in &mut self.cubes {
            cube.append(engine, &mut inputs);
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

    /// The group's batches as one, with derived columns, and how many values could not be derived.
    fn derive(&self, run: &[RecordBatch]) -> Result<(RecordBatch, u64), ProcessError> {
        let joined = match run {
            [one] => one.clone(),
            [first, ..] => concat_batches(&first.schema(), run)?,
            [] => RecordBatch::new_empty(self.log.schema()),
        };
        Ok(self.log.derive().apply(&joined)?)
    }

    /// What cannot be derived at once is tried in halves, so that only the rows at fault are
    /// missing from the cubes; they are counted.
    fn derive_parts(&mut self, engine: &Engine, run: &[RecordBatch], error: &ProcessError) {
        if let [one] = run {
            let rows = one.num_rows();
            if rows > 1 {
                let half = rows / 2;
                self.aggregate_run(engine, &[one.slice(0, half)]);
                self.aggregate_run(engine, &[one.slice(half, rows - half)]);
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
            self.aggregate_run(engine, std::slice::from_ref(one));
        }
    }
}
