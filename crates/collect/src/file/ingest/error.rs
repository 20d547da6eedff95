//! Why a file was not loaded to its end.

use std::path::PathBuf;

use crate::file::error::FileError;

/// Why a file was not loaded to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
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
