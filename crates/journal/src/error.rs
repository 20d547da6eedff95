//! What can go wrong with a journal.

use std::io;

use crate::offset::Offset;

/// What can go wrong with a journal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Another process, or another part of this one, has the journal open.
    #[error("the journal in {folder} is in use{}; stop that process first", holder_text(.holder.as_deref()))]
    Locked {
        /// The journal's folder.
        folder: String,
        /// The process id the holder left in the lock file, when it could be read.
        holder: Option<String>,
    },
    /// Bytes that were durable are no longer what was written.
    #[error("the journal is damaged in segment {} at position {}: {reason}", at.segment, at.position)]
    Damaged {
        /// Where the damaged header or frame starts.
        at: Offset,
        /// What was found there.
        reason: String,
    },
    /// A segment between the oldest and the newest, or the oldest itself, is not in the folder.
    #[error("segment {segment} of the journal is missing")]
    MissingSegment {
        /// The number of the absent segment.
        segment: u64,
    },
    /// A segment was written by a version of the format that this program does not know.
    #[error(
        "segment {segment} has journal format version {version}; this program reads version {known}"
    )]
    UnknownVersion {
        /// The segment's number.
        segment: u64,
        /// The version in its header.
        version: u32,
        /// The newest version this program reads.
        known: u32,
    },
    /// The file that says which segment is the oldest is damaged.
    #[error(
        "the journal's file `start`, which says which segment is the oldest, is damaged; bring it back from a backup"
    )]
    StartDamaged,
    /// The file that says which segment is the oldest was written by a version of the format that this
    /// program does not know.
    #[error(
        "the journal's file `start` has format version {version}; this program reads version {known}"
    )]
    UnknownStartVersion {
        /// The version in the file.
        version: u32,
        /// The newest version this program reads.
        known: u32,
    },
    /// There is no room left. Nothing of the refused frame was kept; the journal goes on when there is room.
    #[error("no room left on the journal's storage, while trying to {action}")]
    StorageFull {
        /// What was tried.
        action: &'static str,
    },
    /// An earlier write or fsync failed, so what the storage holds is no longer known. The journal takes
    /// nothing more until it is opened again; durable frames can still be read.
    #[error("the journal is closed after a failure: {reason}")]
    Poisoned {
        /// The failure that closed it.
        reason: String,
    },
    /// A payload is larger than the journal takes.
    #[error("a frame of {bytes} bytes is over the limit of {bytes_max} bytes")]
    FrameTooLarge {
        /// The payload's size.
        bytes: u64,
        /// The limit, `JournalOptions::frame_bytes_max`.
        bytes_max: u32,
    },
    /// The place is behind the last durable frame.
    #[error("nothing durable at {at}; the durable part ends at {durable}")]
    NotDurable {
        /// The place asked for.
        at: Offset,
        /// Where the durable part ends.
        durable: Offset,
    },
    /// The place was in a segment that has been removed.
    #[error("{at} has been removed; the journal starts at segment {first}")]
    Removed {
        /// The place asked for.
        at: Offset,
        /// The oldest segment kept.
        first: u64,
    },
    /// The storage failed.
    #[error("cannot {action} {file}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder it was tried on.
        file: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl JournalError {
    /// An I/O failure; the map for `Result::map_err`.
    pub(crate) fn io(action: &'static str, file: &str) -> impl FnOnce(io::Error) -> Self {
        let file = file.to_owned();
        move |source| Self::Io {
            action,
            file,
            source,
        }
    }

    /// Damage at a place.
    pub(crate) fn damaged(at: Offset, reason: impl Into<String>) -> Self {
        Self::Damaged {
            at,
            reason: reason.into(),
        }
    }
}

fn holder_text(holder: Option<&str>) -> String {
    holder.map_or_else(String::new, |pid| format!(" by process {pid}"))
}
