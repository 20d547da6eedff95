//! Journal payload version 1: a header and an Arrow IPC stream. `PAYLOAD.md` writes the bytes down.

mod adapt;
mod payload;
mod rejects;
mod size;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt64Type;
use tillwatch_journal::Offset;

pub use adapt::adapt;
pub(crate) use payload::set_received_at;
pub use payload::{decode_owned_record, decode_record, encode_record};
pub use rejects::{again_of, rejections_of, rejects_batch, rejects_batch_again, rejects_schema};
pub(crate) use size::{batch_bytes, row_bytes};

/// The column beside the events' own that says which line of its request each row was. No field of a stream
/// can have this name, so bringing columns to a schema drops it.
pub(crate) const PLACES: &str = "__place";

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// Accepted events, in the columns of the stream's schema of that time.
    Events,
    /// Rejected lines, masked, in the columns of [`rejects_schema`].
    Rejects,
}

/// What stands before the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHead<'a> {
    /// What the record holds.
    pub kind: RecordKind,
    /// The stream's name.
    pub stream: &'a str,
    /// When it was received, microseconds since 1970.
    pub received_at_us: i64,
    /// The request's `Idempotency-Key`.
    pub idempotency_key: Option<&'a str>,
    /// The source that fetched it; none for a push.
    pub source: Option<&'a str>,
    /// The row of the request that row 0 of this record is; a large request is split into several records.
    pub first_row: u64,
}

/// One record of the journal.
#[derive(Debug, Clone)]
pub struct JournalRecord {
    /// Where its frame starts.
    pub offset: Offset,
    /// What it holds.
    pub kind: RecordKind,
    /// The stream's name.
    pub stream: Arc<str>,
    /// When it was received, microseconds since 1970; never falls within a journal.
    pub received_at_us: i64,
    /// The request's `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// The source that fetched it; none for a push.
    pub source: Option<String>,
    /// The row of the request that row 0 of `batch` is, counted among the accepted.
    pub first_row: u64,
    /// The columns as written.
    pub batch: RecordBatch,
}

impl JournalRecord {
    /// Which line, element or row of its request each row of `batch` was, counted from 0 and with the rejected
    /// ones: row `i` of a stream without `id` is `EventId::of_row(key, places[i])`. So it is the same when
    /// the request comes again and other lines of it are accepted.
    pub fn places(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        let places = self
            .batch
            .column_by_name(PLACES)
            .and_then(|column| column.as_primitive_opt::<UInt64Type>());
        (0..self.batch.num_rows()).map(move |row| match places {
            Some(places) => places.value(row),
            None => self.first_row + row as u64,
        })
    }
}
