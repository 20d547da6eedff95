//! Rejected lines in history: whole journal records, so that a line is read there as in the journal.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, AsArray, BinaryArray, Int64Array, RecordBatch, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit};
use tillwatch_collect::{JournalRecord, decode_owned_record};
use tillwatch_journal::{JournalReader, Offset};

use super::{reflected, transaction};
use crate::error::ProcessError;
use crate::stream::{RejectFrame, StreamLog};

const RECEIVED_AT: &str = "received_at";
const FRAME: &str = "frame";
const LINES: &str = "lines";
const RECORD: &str = "record";

/// The columns of a stream's table of rejected lines: when they were received, the journal frame
/// they were in as a number, how many there are, and the record as `collect`'s `PAYLOAD.md` says.
pub(crate) fn quarantine_schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new(RECEIVED_AT, time, true),
        Field::new(FRAME, DataType::Int64, true),
        Field::new(LINES, DataType::Int64, true),
        Field::new(RECORD, DataType::Binary, true),
    ]))
}

/// The time column of [`quarantine_schema`].
pub(super) const QUARANTINE_TIME: &str = RECEIVED_AT;

/// The rows of some frames and their records.
pub(crate) fn reject_rows(frames: &[(&RejectFrame, Vec<u8>)]) -> Result<RecordBatch, ProcessError> {
    let mut numbers = Vec::with_capacity(frames.len());
    for (frame, _) in frames {
        numbers.push(number(frame.offset)?);
    }
    let records = frames.iter().map(|(_, record)| record);
    let times = frames.iter().map(|(frame, _)| frame.received_at_us);
    let lines = (frames.iter()).map(|(frame, _)| i64::try_from(frame.lines).unwrap_or(i64::MAX));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")),
        Arc::new(Int64Array::from(numbers)),
        Arc::new(Int64Array::from_iter_values(lines)),
        Arc::new(BinaryArray::from_iter_values(records)),
    ];
    Ok(RecordBatch::try_new(quarantine_schema(), columns)?)
}

fn number(offset: Offset) -> Result<i64, ProcessError> {
    Ok(i64::try_from(transaction(offset)?).unwrap_or(i64::MAX))
}

/// Reads rejected lines where they are: in the journal, or in history once they were flushed.
pub struct RejectReader {
    log: Arc<StreamLog>,
    journal: JournalReader,
    /// Records of the files read so far that were not asked for yet.
    ahead: HashMap<i64, Vec<u8>>,
    read: HashSet<String>,
}

impl RejectReader {
    /// A reader for the frames that [`StreamLog::rejects`] tells.
    #[must_use]
    pub fn new(log: Arc<StreamLog>, journal: JournalReader) -> Self {
        Self {
            log,
            journal,
            ahead: HashMap::new(),
            read: HashSet::new(),
        }
    }

    /// The record of a frame.
    ///
    /// # Errors
    /// It cannot be read, or is in neither place.
    pub fn read(&mut self, frame: &RejectFrame) -> Result<JournalRecord, ProcessError> {
        Ok(decode_owned_record(frame.offset, self.payload(frame)?)?)
    }

    fn payload(&mut self, frame: &RejectFrame) -> Result<Vec<u8>, ProcessError> {
        // A copy goes when history holds the frame, which may be after the frame was told.
        let copied = frame.copy.as_deref().map(|copy| {
            let journal = &self.journal;
            self.log.payload(frame.offset, Some(copy), journal)
        });
        if let Some(Ok(payload)) = copied {
            return Ok(payload);
        }
        if frame.copy.is_none() && !self.is_flushed(frame) {
            match self.journal.read_at(frame.offset) {
                Ok(payload) => return Ok(payload),
                // It may have been flushed, and forgotten by the journal, in between.
                Err(error) if !self.is_flushed(frame) => return Err(error.into()),
                Err(_) => {}
            }
        }
        self.flushed(frame)
    }

    fn is_flushed(&self, frame: &RejectFrame) -> bool {
        let flushed = (self.log.tables()).and_then(|tables| reflected(&tables.quarantine));
        flushed.is_some_and(|flushed| frame.offset <= flushed)
    }

    fn flushed(&mut self, frame: &RejectFrame) -> Result<Vec<u8>, ProcessError> {
        let wanted = number(frame.offset)?;
        if let Some(record) = self.ahead.remove(&wanted) {
            return Ok(record);
        }
        let log = Arc::clone(&self.log);
        let Some(tables) = log.tables() else {
            return Err(gone(frame));
        };
        let at = frame.received_at_us;
        // Newest first, as the frames are asked for. The records of one file at a time are held.
        for file in tables.quarantine.view().files.iter().rev() {
            if file.min_us > at || file.max_us < at || self.read.contains(&file.path) {
                continue;
            }
            self.read.insert(file.path.clone());
            for batch in tables.quarantine.read(file, None, None)? {
                self.hold(&batch?);
            }
            if let Some(record) = self.ahead.remove(&wanted) {
                return Ok(record);
            }
        }
        Err(gone(frame))
    }

    fn hold(&mut self, batch: &RecordBatch) {
        let frames = batch
            .column_by_name(FRAME)
            .and_then(|c| c.as_primitive_opt::<Int64Type>());
        let records = batch
            .column_by_name(RECORD)
            .and_then(|c| c.as_binary_opt::<i32>());
        let (Some(frames), Some(records)) = (frames, records) else {
            return;
        };
        for (frame, record) in frames.iter().zip(records.iter()) {
            if let (Some(frame), Some(record)) = (frame, record) {
                self.ahead.insert(frame, record.to_vec());
            }
        }
    }
}

fn gone(frame: &RejectFrame) -> ProcessError {
    ProcessError::Kept(format!(
        "the rejected lines of frame {} are not in history",
        frame.offset
    ))
}
