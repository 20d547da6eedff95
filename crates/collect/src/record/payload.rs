//! The bytes of a record.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::writer::StreamWriter;
use tillwatch_journal::Offset;

use super::{JournalRecord, RecordHead, RecordKind, batch_bytes};
use crate::error::CollectError;

/// "Tillwatch record", version 1.
const MAGIC: [u8; 4] = *b"TWR\x01";
/// The fixed part of the header.
const FIXED_BYTES: usize = 32;
/// The columns start at a multiple of this, so that they can be used where they lie.
const ALIGN_BYTES: usize = 64;
/// How an Arrow IPC stream ends.
const END_OF_STREAM: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
/// Room for what stands before and between the columns: the header and what Arrow writes of the batch, and of
/// each column, with the gaps that bring its parts to places they can be used at.
const ABOUT_BYTES: usize = 1024;
const ABOUT_COLUMN_BYTES: usize = 448;
/// Where `received_at_us` stands.
const RECEIVED_AT: std::ops::Range<usize> = 8..16;

/// Writes a record's payload.
///
/// # Errors
/// When a name or key has more than 65 535 bytes, or Arrow cannot write the columns.
pub fn encode_record(head: &RecordHead<'_>, batch: &RecordBatch) -> Result<Vec<u8>, CollectError> {
    let key = head.idempotency_key.unwrap_or_default();
    let source = head.source.unwrap_or_default();
    let stream_bytes = short("stream's name", head.stream)?;
    let key_bytes = short("Idempotency-Key", key)?;
    let source_bytes = short("source's name", source)?;
    let names = head.stream.len() + key.len() + source.len();
    let about = ABOUT_BYTES + names + batch.num_columns() * ABOUT_COLUMN_BYTES;
    let mut out = Vec::with_capacity(about + batch_bytes(batch));
    out.extend_from_slice(&MAGIC);
    out.push(match head.kind {
        RecordKind::Events => 1,
        RecordKind::Rejects => 2,
    });
    let flags = u8::from(head.idempotency_key.is_some()) | u8::from(head.source.is_some()) << 1;
    out.push(flags);
    out.extend_from_slice(&stream_bytes.to_le_bytes());
    out.extend_from_slice(&head.received_at_us.to_le_bytes());
    out.extend_from_slice(&head.first_row.to_le_bytes());
    out.extend_from_slice(&key_bytes.to_le_bytes());
    out.extend_from_slice(&source_bytes.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(head.stream.as_bytes());
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(source.as_bytes());
    out.resize(out.len().next_multiple_of(ALIGN_BYTES), 0);
    let mut writer = StreamWriter::try_new(&mut out, batch.schema_ref())?;
    writer.write(batch)?;
    writer.finish()?;
    drop(writer);
    Ok(out)
}

fn short(what: &'static str, text: &str) -> Result<u16, CollectError> {
    u16::try_from(text.len()).map_err(|_| CollectError::HeaderTooLong {
        what,
        bytes: text.len(),
        bytes_max: usize::from(u16::MAX),
    })
}

/// Writes the time of receipt into a payload; it is known only when its place in the journal is.
pub(crate) fn set_received_at(payload: &mut [u8], received_at_us: i64) {
    if let Some(bytes) = payload.get_mut(RECEIVED_AT) {
        bytes.copy_from_slice(&received_at_us.to_le_bytes());
    }
}

/// Reads a record's payload; its bytes are copied once.
///
/// # Errors
/// When the payload is not of a version this program knows, or is cut short.
pub fn decode_record(offset: Offset, payload: &[u8]) -> Result<JournalRecord, CollectError> {
    decode_buffer(offset, Buffer::from_slice_ref(payload))
}

/// Reads a record's payload; the columns use its bytes where they lie.
///
/// # Errors
/// As [`decode_record`].
pub fn decode_owned_record(
    offset: Offset,
    payload: Vec<u8>,
) -> Result<JournalRecord, CollectError> {
    decode_buffer(offset, Buffer::from_vec(payload))
}

/// Takes fields off the front of the header.
struct Fields<'a> {
    offset: Offset,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn fault(&self, reason: impl Into<String>) -> CollectError {
        CollectError::Record {
            offset: self.offset,
            reason: reason.into(),
        }
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], CollectError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| self.fault("its header is cut short"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CollectError> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    fn text(&mut self, count: u16) -> Result<&'a str, CollectError> {
        let bytes = self.bytes(usize::from(count))?;
        std::str::from_utf8(bytes).map_err(|_| self.fault("its header is not UTF-8"))
    }
}

fn decode_buffer(offset: Offset, payload: Buffer) -> Result<JournalRecord, CollectError> {
    let mut fields = Fields {
        offset,
        rest: payload.as_slice(),
    };
    let magic: [u8; 4] = fields.array()?;
    if magic != MAGIC {
        let reason = match magic {
            [b'T', b'W', b'R', version] => {
                format!("it has version {version}, and this program reads version 1")
            }
            _ => "it is not a Tillwatch record".to_owned(),
        };
        return Err(fields.fault(reason));
    }
    let [kind, flags] = fields.array()?;
    let kind = match kind {
        1 => RecordKind::Events,
        2 => RecordKind::Rejects,
        other => return Err(fields.fault(format!("its kind {other} is unknown"))),
    };
    let stream_bytes = u16::from_le_bytes(fields.array()?);
    let received_at_us = i64::from_le_bytes(fields.array()?);
    let first_row = u64::from_le_bytes(fields.array()?);
    let key_bytes = u16::from_le_bytes(fields.array()?);
    let source_bytes = u16::from_le_bytes(fields.array()?);
    let _reserved: [u8; 4] = fields.array()?;
    let stream: Arc<str> = Arc::from(fields.text(stream_bytes)?);
    let key = fields.text(key_bytes)?.to_owned();
    let source = fields.text(source_bytes)?.to_owned();
    let names = [stream_bytes, key_bytes, source_bytes].map(usize::from);
    let columns_at = (FIXED_BYTES + names.iter().sum::<usize>()).next_multiple_of(ALIGN_BYTES);
    if columns_at > payload.len() {
        return Err(CollectError::Record {
            offset,
            reason: "it has no columns".to_owned(),
        });
    }
    let batch = decode_columns(offset, payload.slice(columns_at))?;
    Ok(JournalRecord {
        offset,
        kind,
        stream,
        received_at_us,
        idempotency_key: (flags & 1 != 0).then_some(key),
        source: (flags & 2 != 0).then_some(source),
        first_row,
        batch,
    })
}

fn decode_columns(offset: Offset, columns: Buffer) -> Result<RecordBatch, CollectError> {
    let fault = |reason: String| CollectError::Record { offset, reason };
    if !columns.ends_with(&END_OF_STREAM) {
        return Err(fault("its columns are cut short".to_owned()));
    }
    // The reader trusts the places that the bytes name, and panics on wrong ones. The journal's
    // checksums keep damage from getting here; a fault in them must still not end a thread.
    catch_unwind(AssertUnwindSafe(|| read_columns(columns)))
        .unwrap_or_else(|_| Err("its columns contradict each other".to_owned()))
        .map_err(fault)
}

fn read_columns(mut columns: Buffer) -> Result<RecordBatch, String> {
    let mut decoder = StreamDecoder::new();
    let batch = decoder
        .decode(&mut columns)
        .map_err(|e| e.to_string())?
        .ok_or_else(|| "its columns are cut short".to_owned())?;
    let more = decoder.decode(&mut columns).map_err(|e| e.to_string())?;
    decoder.finish().map_err(|e| e.to_string())?;
    if more.is_some() || !columns.is_empty() {
        return Err("something follows its columns".to_owned());
    }
    Ok(batch)
}
