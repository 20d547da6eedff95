//! What is known of a stream's events besides its cubes: where they lie in the journal.
//!
//! Raw events are not kept in memory. The index has one entry per journal frame; a scan reads the
//! frames of its range, leaves out the rows that were duplicates and computes the derived columns.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use datafusion::arrow::array::{BooleanArray, RecordBatch};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::compute::{concat_batches, filter_record_batch};
use datafusion::arrow::datatypes::SchemaRef;
use tillwatch_collect::{adapt, decode_owned_record};
use tillwatch_event::StreamSchema;
use tillwatch_journal::{JournalReader, Offset};

use crate::cube::event_times;
use crate::definition::StreamDefinition;
use crate::derive::Derive;
use crate::engine::Engine;
use crate::error::{Item, ProcessError};
use crate::status::StreamStatus;

/// Small frames are joined up to this many rows before they are handed out.
const SCAN_ROWS: usize = 8_192;

/// One journal frame with events of the stream.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) offset: Offset,
    pub(crate) rows: u32,
    /// First and last event time, µs.
    pub(crate) min_us: i64,
    pub(crate) max_us: i64,
    /// The rows that repeat an event; none when no row does.
    pub(crate) duplicates: Option<Box<BooleanBuffer>>,
}

/// A journal frame with rejected lines of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectFrame {
    /// Where it is in the journal.
    pub offset: Offset,
    /// Lines in it.
    pub lines: u64,
    /// When they were received, µs.
    pub received_at_us: i64,
    /// The rows that have been tried again since and are events now. They wait for nothing any more.
    pub replayed: BTreeSet<u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) frames: Vec<Frame>,
    pub(crate) rejects: VecDeque<RejectFrame>,
    pub(crate) status: StreamStatus,
    /// Bytes of the frames' marks of duplicates.
    mark_bytes: usize,
}

impl Index {
    pub(crate) fn push(&mut self, frame: Frame) {
        if let Some(marks) = &frame.duplicates {
            self.mark_bytes += size_of::<BooleanBuffer>() + marks.inner().capacity();
        }
        self.frames.push(frame);
    }
}

/// A stream's schema, derived columns and index of frames.
#[derive(Debug)]
pub struct StreamLog {
    declared: Arc<StreamSchema>,
    derive: Derive,
    time: usize,
    id: Option<usize>,
    index: RwLock<Index>,
}

impl StreamLog {
    pub(crate) fn plan(engine: &Engine, stream: &StreamDefinition) -> Result<Self, ProcessError> {
        let schema = &stream.schema;
        let item = || Item::Stream {
            stream: schema.name.clone(),
        };
        let position = |name: &str| schema.fields.iter().position(|f| f.name == name);
        let time = position(&schema.time).ok_or_else(|| {
            ProcessError::item(
                item(),
                format!("the time field '{}' is not declared", schema.time),
            )
        })?;
        let field = schema.fields.get(time);
        if field.is_some_and(|f| f.optional) {
            return Err(ProcessError::item(
                item(),
                format!("the time field '{}' must not be optional", schema.time),
            ));
        }
        if !field.is_some_and(|f| f.kind.data_type().is_temporal()) {
            return Err(ProcessError::item(
                item(),
                format!(
                    "the time field '{}' is neither a timestamp nor a date",
                    schema.time
                ),
            ));
        }
        let id = schema
            .id
            .as_ref()
            .map(|name| {
                position(name).ok_or_else(|| {
                    ProcessError::item(item(), format!("the id field '{name}' is not declared"))
                })
            })
            .transpose()?;
        let derive = Derive::plan(engine, stream)?;
        let status = StreamStatus {
            name: schema.name.clone(),
            ..StreamStatus::default()
        };
        let index = RwLock::new(Index {
            status,
            ..Index::default()
        });
        Ok(Self {
            declared: Arc::clone(schema),
            derive,
            time,
            id,
            index,
        })
    }

    /// The stream's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.declared.name
    }

    /// The fields as declared.
    #[must_use]
    pub fn declared(&self) -> &Arc<StreamSchema> {
        &self.declared
    }

    /// The columns of a scan: the declared ones, then the derived ones; all may be null.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(self.derive.schema())
    }

    /// The position of the event time among the columns.
    #[must_use]
    pub fn time_column(&self) -> usize {
        self.time
    }

    /// Counts and sizes.
    #[must_use]
    pub fn status(&self) -> StreamStatus {
        let index = self.read();
        StreamStatus {
            frames: index.frames.len() as u64,
            index_bytes: (index.frames.capacity() * size_of::<Frame>() + index.mark_bytes) as u64,
            ..index.status.clone()
        }
    }

    /// Event time up to which buckets are taken to be complete, µs; none before the first event.
    #[must_use]
    pub fn watermark_us(&self) -> Option<i64> {
        self.read().status.watermark_us
    }

    /// The newest frames with rejected lines that have not all been replayed, newest first.
    #[must_use]
    pub fn rejects(&self, limit: usize) -> Vec<RejectFrame> {
        self.read()
            .rejects
            .iter()
            .rev()
            .filter(|frame| (frame.replayed.len() as u64) < frame.lines)
            .take(limit)
            .cloned()
            .collect()
    }

    /// The events with `from_us ≤ time < to_us` in journal order, without duplicates and with
    /// derived columns. It sees the frames indexed when it is called; later ones do not appear.
    pub fn scan(
        self: &Arc<Self>,
        reader: &JournalReader,
        from_us: Option<i64>,
        to_us: Option<i64>,
    ) -> Scan {
        self.scan_first(usize::MAX, reader, from_us, to_us)
    }

    /// Frames with events indexed so far.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.read().frames.len()
    }

    /// As [`Self::scan`], but only of the first `frames` frames, so that several scans of one
    /// question see the same events.
    pub fn scan_first(
        self: &Arc<Self>,
        frames: usize,
        reader: &JournalReader,
        from_us: Option<i64>,
        to_us: Option<i64>,
    ) -> Scan {
        let from = from_us.unwrap_or(i64::MIN);
        let to = to_us.unwrap_or(i64::MAX);
        let frames = (self.read().frames.iter().take(frames))
            .filter(|f| f.max_us >= from && (f.min_us < to || to == i64::MAX))
            .cloned()
            .collect::<VecDeque<_>>();
        Scan {
            log: Arc::clone(self),
            reader: reader.clone(),
            frames,
            from,
            to,
        }
    }

    pub(crate) fn id_column(&self) -> Option<usize> {
        self.id
    }

    pub(crate) fn derive(&self) -> &Derive {
        &self.derive
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rows that are not duplicates.
pub(crate) fn without(
    batch: &RecordBatch,
    duplicates: Option<&BooleanBuffer>,
) -> Result<RecordBatch, ProcessError> {
    match duplicates {
        None => Ok(batch.clone()),
        Some(marks) => Ok(filter_record_batch(
            batch,
            &BooleanArray::new(!marks, None),
        )?),
    }
}

/// An iterator over the batches of a stream, see [`StreamLog::scan`].
pub struct Scan {
    log: Arc<StreamLog>,
    reader: JournalReader,
    frames: VecDeque<Frame>,
    from: i64,
    to: i64,
}

impl Scan {
    /// Rows still to come, at most: the time range is only applied when a frame is read.
    #[must_use]
    pub fn rows_left_max(&self) -> u64 {
        self.frames.iter().map(|f| u64::from(f.rows)).sum()
    }

    fn load(&self, frame: &Frame) -> Result<RecordBatch, ProcessError> {
        let payload = self.reader.read_at(frame.offset)?;
        let record = decode_owned_record(frame.offset, payload)?;
        let batch = adapt(&record.batch, &self.log.declared)?;
        let batch = without(&batch, frame.duplicates.as_deref())?;
        if frame.min_us >= self.from && (frame.max_us < self.to || self.to == i64::MAX) {
            return Ok(batch);
        }
        let times = event_times(&batch, self.log.time).unwrap_or_default();
        let keep: BooleanArray = times
            .iter()
            .map(|t| Some(*t >= self.from && (*t < self.to || self.to == i64::MAX)))
            .collect();
        Ok(filter_record_batch(&batch, &keep)?)
    }

    fn take(&mut self) -> Result<Option<RecordBatch>, ProcessError> {
        let mut parts = Vec::new();
        let mut rows = 0;
        while rows < SCAN_ROWS {
            let Some(frame) = self.frames.pop_front() else {
                break;
            };
            let part = self.load(&frame)?;
            if part.num_rows() > 0 {
                rows += part.num_rows();
                parts.push(part);
            }
        }
        let batch = match parts.as_slice() {
            [] => return Ok(None),
            [one] => one.clone(),
            [first, ..] => concat_batches(&first.schema(), &parts)?,
        };
        Ok(Some(self.log.derive.apply(&batch)?.0))
    }
}

impl Iterator for Scan {
    type Item = Result<RecordBatch, ProcessError>;

    fn next(&mut self) -> Option<Self::Item> {
        let taken = self.take();
        if taken.is_err() {
            // Half an answer is none.
            self.frames.clear();
        }
        taken.transpose()
    }
}
