//! Flushing: what came since the last checkpoint goes to history.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use datafusion::arrow::array::RecordBatch;
use tillwatch_collect::{adapt, decode_owned_record};
use tillwatch_history::Table;
use tillwatch_journal::{JournalReader, Offset};

use super::{Checkpoint, FrameCopies, Kept, StrandedFrame, reject_rows, transaction};
use crate::cube::{Cube, memory_bytes};
use crate::definition::ProcessOptions;
use crate::error::ProcessError;
use crate::processor::Processor;
use crate::stream::{Frame, RejectFrame, StreamLog, without};

/// What a flush did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlushReport {
    /// The last frame of the journal that history holds now.
    pub upto: Offset,
    /// Events written.
    pub events: u64,
    /// State rows written.
    pub states: u64,
}

/// One flush under way. It is kept until it succeeded: each of its commits carries the same
/// transaction however often it is tried.
#[derive(Debug)]
pub(crate) struct Flush {
    checkpoint: Checkpoint,
    /// What the checkpoint before has to tell of frames that could not be taken, those left and those
    /// taken up again, before any table is written; none when it does.
    to_note: Option<(Vec<StrandedFrame>, Vec<StrandedFrame>)>,
    streams: Vec<StreamFlush>,
    cubes: Vec<CubeFlush>,
}

#[derive(Debug)]
pub(crate) struct StreamFlush {
    pub(crate) log: Arc<StreamLog>,
    pub(crate) frames: Vec<Arc<Frame>>,
    pub(crate) rejects: Vec<RejectFrame>,
    /// The last checkpoint before.
    pub(crate) checkpoint_at: Option<Offset>,
}

#[derive(Debug)]
pub(crate) struct CubeFlush {
    pub(crate) cube: Arc<Cube>,
    pub(crate) states: Vec<RecordBatch>,
}

impl Processor {
    /// Writes everything applied so far to history, and then the checkpoint; none when there is
    /// nothing new or no history. Events go on being applied meanwhile. What fails is tried again by
    /// the next call, and changes no figure.
    ///
    /// # Errors
    /// History or the checkpoint cannot be written, or the journal cannot be read.
    pub fn flush(&self, journal: &JournalReader) -> Result<Option<FlushReport>, ProcessError> {
        let Some(kept) = self.kept() else {
            return Ok(None);
        };
        let mut slot = self
            .flushing()
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = self.begin_flush(kept)?;
        }
        let Some(flush) = slot.as_mut() else {
            return Ok(None);
        };
        let report = self.write_flush(kept, flush, journal)?;
        self.checkpointed(&flush.checkpoint);
        let stranded = std::mem::take(&mut flush.checkpoint.stranded);
        *slot = None;
        self.writers_unsettled().copied(&stranded);
        let oldest = kept.keeping.pins.oldest();
        copies(kept).remove_unneeded(&stranded, oldest);
        Ok(Some(report))
    }

    /// The place up to which everything applied is taken for one flush.
    fn begin_flush(&self, kept: &Kept) -> Result<Option<Flush>, ProcessError> {
        let mut writers = self.writers();
        let Some(upto) = writers
            .applied
            .filter(|at| Some(*at) > self.checkpoint_at())
        else {
            return Ok(None);
        };
        let mut checkpoint = Checkpoint {
            journal: kept.keeping.journal.clone(),
            offset: upto,
            streams: writers.absent.clone(),
            cubes: BTreeMap::new(),
            absent_cubes: writers.absent_cubes.clone(),
            stranded: writers.stranded.clone(),
            readmitted: Vec::new(),
        };
        // First what may fail: it changes nothing that a second try would miss.
        for (name, writer) in &mut writers.by_stream {
            let state = writer.state()?;
            checkpoint.streams.insert(name.clone(), state);
        }
        let (mut streams, mut cubes) = (Vec::new(), Vec::new());
        for writer in writers.by_stream.values() {
            streams.push(writer.log.begin_flush(self.checkpoint_at()));
            for cube in &writer.cubes {
                if let Some(table) = cube.cube.table() {
                    let name = table.table().spec().name.clone();
                    checkpoint.cubes.insert(name, cube.state());
                }
                cubes.push(CubeFlush {
                    states: cube.cube.begin_flush(),
                    cube: Arc::clone(&cube.cube),
                });
            }
        }
        let to_note = writers.to_note.then(|| {
            let before = self.checkpoint_at();
            let left = writers.stranded.iter();
            let left = left.filter(|frame| Some(frame.offset) <= before);
            (left.cloned().collect(), writers.readmitted.clone())
        });
        Ok(Some(Flush {
            checkpoint,
            to_note,
            streams,
            cubes,
        }))
    }

    fn write_flush(
        &self,
        kept: &Kept,
        flush: &mut Flush,
        journal: &JournalReader,
    ) -> Result<FlushReport, ProcessError> {
        let upto = flush.checkpoint.offset;
        let id = transaction(upto)?;
        let parts = self.options();
        note(kept, flush)?;
        let mut report = FlushReport {
            upto,
            events: 0,
            states: 0,
        };
        for stream in &flush.streams {
            let Some(tables) = stream.log.tables() else {
                continue;
            };
            stream.write_rejects(&tables.quarantine, id, journal, parts)?;
            report.events += stream.write_events(&tables.events, id, journal, parts)?;
            stream.log.flushed(upto, tables.events.view().files);
        }
        for CubeFlush { cube, states } in &flush.cubes {
            let Some(table) = cube.table() else {
                continue;
            };
            let view = if table.view().transaction.is_none_or(|at| at < id) {
                let states = cube.reduce_parts(self.engine(), states, parts.flush_rows_max)?;
                report.states += states
                    .iter()
                    .map(|part| part.num_rows() as u64)
                    .sum::<u64>();
                table.table().append(id, &states)?
            } else {
                table.view()
            };
            cube.flushed(view.files);
        }
        let stranded = &mut flush.checkpoint.stranded;
        copies(kept).copy(stranded, upto, journal)?;
        flush.checkpoint.write(kept.keeping.state.as_ref())?;
        Ok(report)
    }

    /// The first place of the journal that is still needed: what lies before is in history, and
    /// nobody reads it in the journal. None when all of the journal is needed.
    #[must_use]
    pub fn journal_needed_from(&self) -> Option<Offset> {
        let kept = self.kept()?;
        let checkpoint = self.checkpoint_at()?;
        let stranded = {
            let writers = self.writers_unsettled();
            let frames = writers.stranded.iter().chain(&writers.readmitted);
            let only_here = frames.filter(|frame| frame.copy.is_none());
            only_here.map(|frame| frame.offset).min()
        };
        let others = kept.keeping.pins.oldest().into_iter().chain(stranded);
        Some(others.fold(checkpoint, Offset::min))
    }
}

/// Tells in the checkpoint before which frames were taken up again, and which are left, before a table is
/// written: one that is further than that checkpoint then has the former and not the latter, whoever opens it.
fn note(kept: &Kept, flush: &mut Flush) -> Result<(), ProcessError> {
    let Some((left, taken)) = &flush.to_note else {
        return Ok(());
    };
    let state = kept.keeping.state.as_ref();
    if let Some(mut checkpoint) = Checkpoint::read(state)? {
        checkpoint.stranded.clone_from(left);
        checkpoint.readmitted.clone_from(taken);
        checkpoint.write(state)?;
    }
    flush.to_note = None;
    Ok(())
}

fn copies(kept: &Kept) -> FrameCopies {
    FrameCopies::new(Arc::clone(&kept.keeping.state))
}

impl StreamFlush {
    /// Writes the rejected lines, a part at a time. Those taken up from before the checkpoint go with the
    /// first part behind it, as events do.
    fn write_rejects(
        &self,
        table: &Table,
        id: u64,
        journal: &JournalReader,
        parts: &ProcessOptions,
    ) -> Result<(), ProcessError> {
        let mut part = Vec::new();
        let mut bytes = 0;
        for frame in &self.rejects {
            if self.holds(table, frame.offset) {
                continue;
            }
            let record = self
                .log
                .payload(frame.offset, frame.copy.as_deref(), journal)?;
            bytes += record.len();
            part.push((frame, record));
            if bytes >= parts.flush_bytes_max && Some(frame.offset) > self.checkpoint_at {
                table.append(transaction(frame.offset)?, &[reject_rows(&part)?])?;
                part.clear();
                bytes = 0;
            }
        }
        if table.view().transaction.is_none_or(|at| at < id) {
            table.append(id, &[reject_rows(&part)?])?;
        }
        Ok(())
    }

    /// Writes the events, a part at a time: after hours without history all of them would have no
    /// room in memory. A part's transaction is its last frame. Gives how many there were.
    fn write_events(
        &self,
        table: &Table,
        id: u64,
        journal: &JournalReader,
        parts: &ProcessOptions,
    ) -> Result<u64, ProcessError> {
        let mut part = Vec::new();
        let (mut rows, mut bytes, mut events) = (0, 0, 0);
        for frame in &self.frames {
            if self.holds(table, frame.offset) {
                continue;
            }
            let batch = self.read(frame, journal)?;
            events += batch.num_rows() as u64;
            rows += batch.num_rows();
            bytes += usize::try_from(memory_bytes(std::iter::once(&batch))).unwrap_or(usize::MAX);
            part.push(batch);
            // What was taken up from before the checkpoint goes with the first part behind it.
            let is_new = Some(frame.offset) > self.checkpoint_at;
            if is_new && (rows >= parts.flush_rows_max || bytes >= parts.flush_bytes_max) {
                table.append(transaction(frame.offset)?, &part)?;
                part.clear();
                (rows, bytes) = (0, 0);
            }
        }
        if table.view().transaction.is_none_or(|at| at < id) {
            table.append(id, &part)?;
        }
        Ok(events)
    }

    /// Whether the table has a frame, from a try before. One from before the checkpoint is in it when
    /// anything behind the checkpoint is.
    fn holds(&self, table: &Table, frame: Offset) -> bool {
        let Some(last) = table.view().transaction.map(Offset::from_number) else {
            return false;
        };
        match self.checkpoint_at {
            Some(checkpoint) if frame <= checkpoint => last > checkpoint,
            _ => frame <= last,
        }
    }

    /// The events of a frame, as declared and without duplicates.
    fn read(&self, frame: &Frame, journal: &JournalReader) -> Result<RecordBatch, ProcessError> {
        let payload = (self.log).payload(frame.offset, frame.copy.as_deref(), journal)?;
        let record = decode_owned_record(frame.offset, payload)?;
        let batch = without(&record.batch, frame.duplicates.as_deref())?;
        Ok(adapt(&batch, self.log.declared())?)
    }
}
