//! Why a file cannot be read or described.

use std::io;
use std::path::{Path, PathBuf};

/// Why a file cannot be read or described.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The system refused.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The bytes are not what they begin as.
    #[error("{}, byte {offset}: {reason}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where, in bytes after decompression (in rows, for Parquet).
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// A form that is not read.
    #[error("{} is {found}; {hint}", .path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What to do about it.
        hint: &'static str,
    },
    /// Nothing to describe.
    #[error("{} holds no records{hint}", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What it holds instead.
        hint: &'static str,
    },
    /// Most rows have another number of cells than the first one.
    #[error(
        "the first line of {} has {first}, but most others have {others}; \
         take away what stands before the column names, for instance with `tail -n +2`",
        .path.display()
    )]
    FirstLine {
        /// The file.
        path: PathBuf,
        /// Cells of the first line, in words.
        first: String,
        /// Cells of the first line that has another number of them.
        others: usize,
    },
    /// One object around a list of what may be the events.
    #[error(
        "{} is one object, and its events seem to be in `{key}`; write them one a line, \
         for instance with `jq -c '.{key}[]'`",
        .path.display()
    )]
    Wrapped {
        /// The file.
        path: PathBuf,
        /// Where the list is.
        key: String,
    },
    /// No column says when an event happened.
    #[error("{} has no column with a date or time in every line, which a stream needs{hint}", .path.display())]
    NoTime {
        /// The file.
        path: PathBuf,
        /// The columns that come nearest.
        hint: String,
    },
}

impl FileError {
    /// An I/O failure; the map for `Result::map_err`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// Bytes that are not what they should be.
    pub(crate) fn malformed(path: &Path, offset: u64, reason: impl ToString) -> Self {
        Self::Malformed {
            path: path.to_owned(),
            offset,
            reason: reason.to_string(),
        }
    }
}
