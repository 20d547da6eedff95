//! Why a file was not loaded to its end.

use std::path::PathBuf;

use super::sink::SinkError;
use crate::file::error::FileError;

/// Why a file was not loaded to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The other side did not say what it is, so that nothing was sent.
    #[error("nothing was sent: {reason}{}", if *refused { "" } else { "; run the same command again" })]
    Unreached {
        /// What it answered.
        reason: String,
        /// Whether trying the same again is no use.
        refused: bool,
    },
    /// The other side did not take a chunk. What came before it is noted as done.
    #[error("stopped before line {line}: {reason}{}", if *refused { "" } else { "; run the same command again to go on from there" })]
    Interrupted {
        /// What it answered.
        reason: String,
        /// The first line, element or row that is not acknowledged.
        line: u64,
        /// Whether trying the same again is no use.
        refused: bool,
    },
    /// An interrupted run read the file in another form, so that its chunks lie elsewhere.
    #[error("the file was begun as {began_as} and is now read as {now}; restart to load it anew")]
    OtherForm {
        /// The form of the run before.
        began_as: String,
        /// The form of this one.
        now: String,
    },
    /// The state or the rejected lines cannot be written.
    #[error("cannot {action} {}: {source}", .path.display())]
    Write {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
}

impl IngestError {
    /// What the sink said when it was asked what it is.
    pub(super) fn unreached(error: &SinkError) -> Self {
        Self::Unreached {
            reason: error.to_string(),
            refused: error.is_refusal(),
        }
    }

    /// What the sink said when `line` was the first that it had not acknowledged.
    pub(super) fn interrupted(error: &SinkError, line: u64) -> Self {
        Self::Interrupted {
            reason: error.to_string(),
            line,
            refused: error.is_refusal(),
        }
    }

    /// A failure to write; the map for `Result::map_err`.
    pub(super) fn write(
        action: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write {
            action,
            path,
            source,
        }
    }
}
