//! Sources and decoders: bytes to record batches to the journal.
//!
//! - [`decode`]: the bytes of a request or file become columns by the stream's schema, line by line
//!   accepted or rejected with a reason, with card numbers masked.
//! - [`file`](mod@file): files in chunks, a definition proposed for one, loading them resumably.
//! - [`record`]: columns become a journal payload and back (`PAYLOAD.md` writes the bytes down).
//! - [`intake`]: bounded queue, group commit, answer after fsync and processing.
//! - [`outgoing`]: the client they and others call with.
//! - [`source`]: sources that fetch by themselves.

pub mod clock;
pub mod decode;
mod error;
pub mod file;
pub mod intake;
pub mod outgoing;
pub mod record;
pub mod source;

pub use clock::{Clock, SystemClock};
pub use decode::{
    Again, CsvOptions, DecodeError, DecodeLimits, Decoded, Decoder, Delimiter, Encoding, Format,
    Rejection, decompress,
};
pub use error::CollectError;
pub use intake::{
    Applied, DiskStatus, Downstream, FairShares, HeldSegments, Intake, IntakeError, IntakeLimits,
    IntakeStatus, Prepared, Receipt, Refusal, SubmitMeta,
};
pub use record::{
    JournalRecord, RecordHead, RecordKind, adapt, again_of, decode_owned_record, decode_record,
    encode_record, rejects_batch, rejects_batch_again, rejects_schema,
};
