//! Decoded events as journal records, before they are queued.

use arrow::array::{RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};
use std::sync::Arc;
use tillwatch_event::{EventId, guard};
use tillwatch_journal::Offset;

use crate::decode::{Decoded, Rejection};
use crate::error::CollectError;
use crate::record::{
    JournalRecord, PLACES, RecordHead, RecordKind, batch_bytes, encode_record, rejects_batch,
    rejects_batch_again,
};

use super::split::split;

/// What comes with a request besides its events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubmitMeta {
    /// The request's `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// The source that fetched the events; none for a push.
    pub source: Option<String>,
}

/// A request encoded for the journal.
#[derive(Debug)]
pub struct Prepared {
    pub(super) stream: Arc<str>,
    pub(super) meta: SubmitMeta,
    pub(super) records: Vec<PreparedRecord>,
    pub(super) rejected: u64,
    pub(super) rejections: Vec<Rejection>,
    bytes: usize,
}

/// One frame of a request.
#[derive(Debug)]
pub(super) struct PreparedRecord {
    kind: RecordKind,
    first_row: u64,
    batch: RecordBatch,
    pub(super) payload: Vec<u8>,
}

impl PreparedRecord {
    /// The record as it lies in the journal now; the payload is let go.
    pub(super) fn into_record(
        self,
        offset: Offset,
        received_at_us: i64,
        stream: &Arc<str>,
        meta: &SubmitMeta,
    ) -> JournalRecord {
        JournalRecord {
            offset,
            kind: self.kind,
            stream: Arc::clone(stream),
            received_at_us,
            idempotency_key: meta.idempotency_key.clone(),
            source: meta.source.clone(),
            first_row: self.first_row,
            batch: self.batch,
        }
    }
}

impl Prepared {
    pub(super) fn new(
        stream: &str,
        decoded: Decoded,
        mut meta: SubmitMeta,
        record_bytes_max: usize,
    ) -> Result<Self, CollectError> {
        // A key is chosen by the caller, who may use anything. One with a card number in it is kept as
        // its hash: still the same for the same key, and nothing to read.
        if let Some(key) = &mut meta.idempotency_key
            && guard::mask(key) != key.as_str()
        {
            *key = EventId::of_text(key).to_string();
        }
        let mut batches = Vec::new();
        if decoded.batch.num_rows() > 0 {
            // Without a key nobody asks which line a row was.
            let batch = match decoded.places.filter(|_| meta.idempotency_key.is_some()) {
                Some(places) => with_places(&decoded.batch, places)?,
                None => decoded.batch,
            };
            batches.push((RecordKind::Events, batch));
        }
        if !decoded.rejections.is_empty() {
            let rejects = match &decoded.again {
                Some(again) => rejects_batch_again(&decoded.rejections, again)?,
                None => rejects_batch(&decoded.rejections)?,
            };
            batches.push((RecordKind::Rejects, rejects));
        }
        let mut pieces = Vec::new();
        for (kind, batch) in batches {
            let of_batch = split(batch, record_bytes_max)?;
            pieces.extend(of_batch.into_iter().map(|(row, piece)| (kind, row, piece)));
        }
        let mut records = Vec::with_capacity(pieces.len());
        let mut bytes = 0;
        for (kind, first_row, batch) in pieces {
            let head = RecordHead {
                kind,
                stream,
                // Given when the record's place in the journal is known.
                received_at_us: 0,
                idempotency_key: meta.idempotency_key.as_deref(),
                source: meta.source.as_deref(),
                first_row,
            };
            let payload = encode_record(&head, &batch)?;
            bytes += payload.len() + batch_bytes(&batch);
            records.push(PreparedRecord {
                kind,
                first_row,
                batch,
                payload,
            });
        }
        Ok(Self {
            stream: Arc::from(stream),
            meta,
            records,
            rejected: decoded.rejected,
            rejections: decoded.rejections,
            bytes,
        })
    }

    /// Bytes this request holds until it is answered: its columns and its payload.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is nothing to write: no event and no rejection.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn payload_bytes(&self) -> usize {
        self.records.iter().map(|record| record.payload.len()).sum()
    }
}

fn with_places(batch: &RecordBatch, places: UInt64Array) -> Result<RecordBatch, CollectError> {
    let mut fields = batch.schema_ref().fields().to_vec();
    fields.push(Arc::new(Field::new(PLACES, DataType::UInt64, false)));
    let mut columns = batch.columns().to_vec();
    columns.push(Arc::new(places));
    Ok(RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns,
    )?)
}
