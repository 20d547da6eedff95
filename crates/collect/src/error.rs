//! What can go wrong between a source and the journal, apart from single lines.

/// A record of the journal that cannot be written, read or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// A journal payload that this version cannot read.
    #[error("the journal record at {offset} cannot be read: {reason}")]
    Record {
        /// Where it starts.
        offset: tillwatch_journal::Offset,
        /// What is wrong with it.
        reason: String,
    },
    /// A name or key too long for the record's header.
    #[error("the {what} has {bytes} bytes, more than {bytes_max}")]
    HeaderTooLong {
        /// Which part.
        what: &'static str,
        /// Its bytes.
        bytes: usize,
        /// The most it may have.
        bytes_max: usize,
    },
    /// Columns as written do not fit the schema of today.
    #[error(
        "the field '{field}' was written as {written} and cannot be read as {declared}: {reason}"
    )]
    Adapt {
        /// The field.
        field: String,
        /// Its type as written, or `nothing`.
        written: String,
        /// Its type as declared now.
        declared: String,
        /// Why not.
        reason: String,
    },
    /// Arrow refused columns or bytes.
    #[error("columns cannot be written or read: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// A thread could not be started.
    #[error("cannot start the thread '{name}': {source}")]
    Thread {
        /// The thread's name.
        name: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
}
