//! Where chunks of a file go.

use std::time::Duration;

use crate::decode::Rejection;
use crate::file::dialect::FileFormat;
use crate::file::reader::Chunk;

/// A chunk on its way.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// The records.
    pub chunk: Chunk,
    /// The file's form; [`FileFormat::chunk_format`] says how to read the body.
    pub format: FileFormat,
    /// The same for the same chunk of the same file, at each try.
    pub idempotency_key: String,
}

/// What became of a chunk's records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Events taken and new.
    pub accepted: u64,
    /// Events that were there before.
    pub duplicates: u64,
    /// Lines rejected.
    pub rejected: u64,
    /// Rejected lines, perhaps not all. Lines are those of the body; `raw` may be empty.
    pub rejections: Vec<Rejection>,
}

/// Why a chunk was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// Too much is waiting there; nothing of the chunk was taken.
    #[error("{reason}")]
    Overloaded {
        /// What was said.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// It is not there, or cannot now; the chunk may have been taken or not.
    #[error("{0}")]
    Unavailable(String),
    /// It will not, however often it is tried.
    #[error("{0}")]
    Refused(String),
}

impl SinkError {
    /// Whether trying again is no use.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

/// Takes chunks and answers when their events are durable.
pub trait Sink: Send + Sync + 'static {
    /// What the chunks go to, told from anything else: as long as it is the same, what was sent there is
    /// there.
    ///
    /// # Errors
    /// See [`SinkError`].
    fn target(&self) -> impl Future<Output = Result<String, SinkError>> + Send;

    /// Sends one chunk, once.
    ///
    /// # Errors
    /// See [`SinkError`].
    fn send(&self, parcel: &Parcel) -> impl Future<Output = Result<Answer, SinkError>> + Send;
}

/// The target that is a journal, whether it is reached through a server or in its folder.
pub(super) fn of_instance(instance: &str) -> String {
    format!("journal {instance}")
}
