//! What is known of a stream's events besides its cubes: where they lie in history and the journal.
//!
//! Raw events are not kept in memory. What was flushed is in the files of the stream's table; for
//! the rest the index has one entry per journal frame. A scan reads the files and frames of its
//! range, leaves out the rows that were duplicates and computes the derived columns.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use datafusion::arrow::array::{BooleanArray, RecordBatch};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::compute::{concat_batches, filter_record_batch};
use datafusion::arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};
use tillwatch_collect::{adapt, decode_owned_record};
use tillwatch_event::StreamSchema;
use tillwatch_history::{DataFile, Rows, Table};
use tillwatch_journal::{JournalReader, Offset};

use crate::cube::event_times;
use crate::definition::StreamDefinition;
use crate::derive::Derive;
use crate::engine::{Engine, nullable};
use crate::error::{Item, ProcessError};
use crate::history::{Fitting, FrameCopy, Pin, RawKeep, StreamFlush, StreamTables, reflected};
use crate::some_columns::SomeColumns;
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
    /// Where it lies when the journal has it no more.
    pub(crate) copy: Option<Arc<FrameCopy>>,
}

/// A journal frame with rejected lines of the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectFrame {
    /// Where it is, or was, in the journal.
    #[serde(with = "crate::history::offset_text")]
    pub offset: Offset,
    /// Lines in it.
    pub lines: u64,
    /// When they were received, µs.
    pub received_at_us: i64,
    /// The rows that have been tried again since and are events now. They wait for nothing any more.
    pub replayed: BTreeSet<u64>,
    /// Where it lies when the journal has it no more and history does not have it yet.
    #[serde(skip)]
    pub(crate) copy: Option<Arc<FrameCopy>>,
}

#[derive(Debug, Default)]
pub(crate) struct Index {
    /// The frames that are not in the stream's table.
    pub(crate) frames: VecDeque<Arc<Frame>>,
    /// The files of the stream's table: all frames before those.
    pub(crate) files: Arc<[Arc<DataFile>]>,
    /// The files of older tables, each with its table.
    older: Arc<[(Arc<Table>, Arc<DataFile>)]>,
    pub(crate) rejects: VecDeque<RejectFrame>,
    pub(crate) status: StreamStatus,
    /// Bytes of the frames' marks of duplicates.
    mark_bytes: usize,
}

impl Frame {
    fn mark_bytes(&self) -> usize {
        self.duplicates.as_ref().map_or(0, |marks| {
            size_of::<BooleanBuffer>() + marks.inner().capacity()
        })
    }
}

impl Index {
    pub(crate) fn push(&mut self, frame: Frame) {
        self.mark_bytes += frame.mark_bytes();
        self.frames.push_back(Arc::new(frame));
    }

    /// All files, older tables first.
    fn stored(&self) -> impl Iterator<Item = &Arc<DataFile>> {
        let older = self.older.iter().map(|(_, file)| file);
        older.chain(self.files.iter())
    }

    /// The frames up to `upto` are in these files now.
    pub(crate) fn flushed(&mut self, upto: Offset, files: Arc<[Arc<DataFile>]>) {
        while let Some(frame) = self.frames.front().filter(|frame| frame.offset <= upto) {
            self.mark_bytes -= frame.mark_bytes();
            self.frames.pop_front();
        }
        for frame in &mut self.rejects {
            frame.copy = None;
        }
        self.files = files;
    }
}

/// What one question sees of a stream's events: the files and the frames there are now. The
/// journal keeps the frames, and history the files, as long as this lives.
#[derive(Debug)]
pub struct StreamView {
    files: Arc<[Arc<DataFile>]>,
    older: Arc<[(Arc<Table>, Arc<DataFile>)]>,
    frames: Vec<Arc<Frame>>,
    _pin: Option<Pin>,
}

/// A stream's schema, derived columns and index of frames.
#[derive(Debug)]
pub struct StreamLog {
    declared: Arc<StreamSchema>,
    derive: Derive,
    time: usize,
    id: Option<usize>,
    keep: RawKeep,
    index: RwLock<Index>,
    tables: OnceLock<StreamTables>,
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
            keep: RawKeep::new(stream),
            index,
            tables: OnceLock::new(),
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
        let frame_bytes = size_of::<Frame>() + size_of::<Arc<Frame>>();
        StreamStatus {
            frames: index.frames.len() as u64,
            index_bytes: (index.frames.capacity() * frame_bytes + index.mark_bytes) as u64,
            stored_events: index.stored().map(|f| f.rows).sum(),
            stored_bytes: index.stored().map(|f| f.bytes).sum(),
            stored_files: index.stored().count() as u64,
            ..index.status.clone()
        }
    }

    /// Event time up to which buckets are taken to be complete, µs; none before the first event.
    #[must_use]
    pub fn watermark_us(&self) -> Option<i64> {
        self.read().status.watermark_us
    }

    /// Raw events are whole from here on, µs; none when all are there.
    #[must_use]
    pub fn events_kept_from_us(&self) -> Option<i64> {
        self.read().status.events_kept_from_us
    }

    pub(crate) fn raw_keep(&self) -> RawKeep {
        self.keep
    }

    /// The newest frames with rejected lines that have not all been replayed, newest first.
    #[must_use]
    pub fn rejects(&self, limit: usize) -> Vec<RejectFrame> {
        let index = self.read();
        let kept_from_us = index.status.rejects_kept_from_us;
        (index.rejects.iter().rev())
            .filter(|frame| kept_from_us.is_none_or(|from| frame.received_at_us >= from))
            .filter(|frame| (frame.replayed.len() as u64) < frame.lines)
            .take(limit)
            .cloned()
            .collect()
    }

    /// The events with `from_us ≤ time < to_us`, without duplicates and with derived columns: those
    /// in history by day and time, then those of the journal in its order. It sees what is there
    /// when it is called; what comes later does not appear.
    pub fn scan(
        self: &Arc<Self>,
        reader: &JournalReader,
        from_us: Option<i64>,
        to_us: Option<i64>,
    ) -> Scan {
        self.scan_view(Arc::new(self.view()), reader, from_us, to_us)
    }

    /// What there is now, so that several scans of one question see the same events.
    pub fn view(&self) -> StreamView {
        let index = self.read();
        let pin = self.tables.get().and_then(|tables| {
            // Before the first frame nothing of the journal is needed.
            Some(tables.pin(index.frames.front()?.offset))
        });
        StreamView {
            files: Arc::clone(&index.files),
            older: Arc::clone(&index.older),
            frames: index.frames.iter().cloned().collect(),
            _pin: pin,
        }
    }

    /// As [`Self::scan`], of what a view holds.
    pub fn scan_view(
        self: &Arc<Self>,
        view: Arc<StreamView>,
        reader: &JournalReader,
        from_us: Option<i64>,
        to_us: Option<i64>,
    ) -> Scan {
        let from = from_us.unwrap_or(i64::MIN);
        let to = to_us.unwrap_or(i64::MAX);
        let within = |min_us: i64, max_us: i64| max_us >= from && (min_us < to || to == i64::MAX);
        Scan {
            log: Arc::clone(self),
            reader: reader.clone(),
            files: self
                .stored(&view)
                .filter(|(_, f)| within(f.min_us, f.max_us))
                .collect(),
            rows: None,
            frames: (view.frames.iter())
                .filter(|f| within(f.min_us, f.max_us))
                .cloned()
                .collect(),
            from,
            to,
            some: None,
            _view: view,
        }
    }

    /// All files of the stream's tables that a view has, older tables first.
    pub(crate) fn stored<'a>(
        &'a self,
        view: &'a StreamView,
    ) -> impl Iterator<Item = (Arc<Table>, Arc<DataFile>)> + 'a {
        let tables = self.tables.get().into_iter();
        let own = tables.flat_map(move |tables| {
            let own = |file: &Arc<DataFile>| (Arc::clone(&tables.events), Arc::clone(file));
            view.files.iter().map(own)
        });
        view.older.iter().cloned().chain(own)
    }

    /// The tables in history; none when all is in the journal.
    pub(crate) fn tables(&self) -> Option<&StreamTables> {
        self.tables.get()
    }

    /// Takes up the tables with what they hold. Once, before events come.
    pub(crate) fn attach(&self, tables: StreamTables) {
        let (files, older) = (tables.events.view().files, tables.older_files());
        if self.tables.set(tables).is_ok() {
            let mut index = self.write();
            index.files = files;
            index.older = older;
        }
    }

    /// Rows of the frames that are not in history yet.
    pub(crate) fn unflushed(&self) -> u64 {
        let index = self.read();
        index.frames.iter().map(|frame| u64::from(frame.rows)).sum()
    }

    /// The stream's events in history were counted anew, by other fields: so many fit, and so many do
    /// not, for a reason.
    pub(crate) fn count_anew(&self, fit: u64, unfit: u64, reason: Option<String>) {
        let status = &mut self.write().status;
        status.events = fit;
        status.failed = unfit;
        status.failed_reason = reason;
    }

    /// When the oldest rejected line was received that can still be asked for.
    pub(crate) fn oldest_reject_us(&self) -> Option<i64> {
        (self.read().rejects.front()).map(|frame| frame.received_at_us)
    }

    /// What is not in the tables yet.
    pub(crate) fn begin_flush(self: &Arc<Self>, checkpoint_at: Option<Offset>) -> StreamFlush {
        let index = self.read();
        let flushed = self
            .tables
            .get()
            .and_then(|tables| reflected(&tables.quarantine));
        StreamFlush {
            log: Arc::clone(self),
            frames: index.frames.iter().cloned().collect(),
            rejects: (index.rejects.iter())
                .filter(|frame| {
                    frame.copy.is_some() || flushed.is_none_or(|flushed| frame.offset > flushed)
                })
                .cloned()
                .collect(),
            checkpoint_at,
        }
    }

    /// The payload of a frame, which may lie outside of the journal.
    pub(crate) fn payload(
        &self,
        offset: Offset,
        copy: Option<&FrameCopy>,
        journal: &JournalReader,
    ) -> Result<Vec<u8>, ProcessError> {
        match (copy, self.tables()) {
            (Some(copy), Some(tables)) => tables.copies.read(copy),
            _ => Ok(journal.read_at(offset)?),
        }
    }

    /// The frames up to `upto` are in the table's files now.
    pub(crate) fn flushed(&self, upto: Offset, files: Arc<[Arc<DataFile>]>) {
        self.write().flushed(upto, files);
    }

    /// The table's files are others that hold the same.
    pub(crate) fn replaced(&self, files: Arc<[Arc<DataFile>]>) {
        self.write().files = files;
    }

    /// Files have been removed from the tables.
    pub(crate) fn expired(&self, tables: &StreamTables) {
        let (files, older) = (tables.events.view().files, tables.older_files());
        let mut index = self.write();
        index.files = files;
        index.older = older;
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
    files: VecDeque<(Arc<Table>, Arc<DataFile>)>,
    /// Of the file being read, with whether all of it is in the range.
    rows: Option<(Rows, bool)>,
    frames: VecDeque<Arc<Frame>>,
    from: i64,
    to: i64,
    /// What is read when not all columns are.
    some: Option<SomeColumns>,
    _view: Arc<StreamView>,
}

impl Scan {
    /// Reads these columns only, of the declared and derived ones by position; the others are null.
    #[must_use]
    pub fn of_columns(mut self, columns: &[usize]) -> Self {
        self.some = SomeColumns::of(&self.log, columns);
        self
    }

    fn holds(&self, min_us: i64, max_us: i64) -> bool {
        min_us >= self.from && (max_us < self.to || self.to == i64::MAX)
    }

    /// The rows of the range.
    fn cut(&self, batch: RecordBatch, inside: bool) -> Result<RecordBatch, ProcessError> {
        if inside {
            return Ok(batch);
        }
        let times = event_times(&batch, self.log.time).unwrap_or_default();
        let keep: BooleanArray = times
            .iter()
            .map(|t| Some(*t >= self.from && (*t < self.to || self.to == i64::MAX)))
            .collect();
        Ok(filter_record_batch(&batch, &keep)?)
    }

    fn load(&self, frame: &Frame) -> Result<RecordBatch, ProcessError> {
        let copy = frame.copy.as_deref();
        let payload = self.log.payload(frame.offset, copy, &self.reader)?;
        let record = decode_owned_record(frame.offset, payload)?;
        let batch = adapt(&record.batch, &self.log.declared)?;
        let batch = without(&batch, frame.duplicates.as_deref())?;
        self.cut(batch, self.holds(frame.min_us, frame.max_us))
    }

    /// What fits of some rows of history. The others are counted as failed, as frames are that do not
    /// fit.
    fn stored(&self, batch: &RecordBatch, inside: bool) -> Result<RecordBatch, ProcessError> {
        let some = self.some.as_ref().filter(|some| some.reading.is_some());
        let schema = some.and_then(|some| some.reading.as_ref());
        let schema = schema.unwrap_or(&self.log.declared);
        let fitting = Fitting::of(batch, schema);
        let batch = match fitting.batches.as_slice() {
            [one] => one.clone(),
            many => concat_batches(&schema.arrow_schema(), many)?,
        };
        let batch = match some {
            Some(some) => some.widen(&batch, &self.log)?,
            None => batch,
        };
        self.cut(batch, inside)
    }

    /// The next piece of history, then of the journal; none at the end. It may be without rows.
    fn piece(&mut self) -> Result<Option<RecordBatch>, ProcessError> {
        loop {
            if let Some((rows, inside)) = &mut self.rows {
                let inside = *inside;
                if let Some(batch) = rows.next() {
                    return self.stored(&batch?, inside).map(Some);
                }
                self.rows = None;
            }
            let Some((table, file)) = self.files.pop_front() else {
                break;
            };
            let inside = self.holds(file.min_us, file.max_us);
            let range = (!inside).then_some((self.from, self.to));
            let rows = match &mut self.some {
                Some(some) => some.open(&self.log, &table, &file, range)?,
                None => table.read(&file, None, range)?,
            };
            self.rows = Some((rows, inside));
        }
        match self.frames.pop_front() {
            Some(frame) => self.load(&frame).map(Some),
            None => Ok(None),
        }
    }

    fn take(&mut self) -> Result<Option<RecordBatch>, ProcessError> {
        let mut parts = Vec::new();
        let mut rows = 0;
        while rows < SCAN_ROWS {
            let Some(part) = self.piece()? else {
                break;
            };
            if part.num_rows() > 0 {
                rows += part.num_rows();
                parts.push(part);
            }
        }
        let batch = match parts.as_slice() {
            [] => return Ok(None),
            [one] => one.clone(),
            // Columns that are not read may be null, though they are required.
            [first, ..] => concat_batches(&nullable(&first.schema()), &parts)?,
        };
        let derive = &self.log.derive;
        match &self.some {
            Some(some) if batch.num_rows() <= some.rows() => Ok(Some(derive.apply_needed(
                &batch,
                &some.needed,
                &some.nulls,
            )?)),
            _ => Ok(Some(derive.apply(&batch)?.0)),
        }
    }
}

impl Iterator for Scan {
    type Item = Result<RecordBatch, ProcessError>;

    fn next(&mut self) -> Option<Self::Item> {
        let taken = self.take();
        if taken.is_err() {
            // Half an answer is none.
            self.files.clear();
            self.rows = None;
            self.frames.clear();
        }
        taken.transpose()
    }
}
