//! A run: ids of one stream in an immutable, sorted file. `DEDUP.md` beside the crate writes it down.

mod format;
mod merge;
mod probe;
mod reader;
mod writer;

use std::io::{self, ErrorKind};

use tillwatch_journal::{Storage, StorageFile};

pub(super) use format::{Header, check_header};
pub(super) use merge::merge;
pub(super) use probe::Probe;
pub(super) use reader::RunReader;
pub(super) use writer::RunWriter;

use super::generation::{Width, generation_of, tag_of};
use crate::error::ProcessError;

/// A run that is on the storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// The file's name.
    pub(super) file: String,
    pub(super) header: Header,
}

impl Run {
    /// Opens a file and reads its header.
    pub(super) fn open(storage: &dyn Storage, file: &str) -> Result<Self, ProcessError> {
        let opened = storage.open(file).map_err(failed("open", file))?;
        let header = check_header(opened.as_ref(), file)?;
        Ok(Self {
            file: file.to_owned(),
            header,
        })
    }

    pub(super) fn bytes(&self) -> u64 {
        self.header.bytes()
    }

    /// The generation of one of its entries, in generations of `width`.
    pub(super) fn generation(&self, entry: u128, width: Width) -> i64 {
        let own = generation_of(entry, self.header.newest);
        width.carried(own, self.header.width)
    }

    /// The last generation in which any of its ids was received, in generations of `width`.
    pub(super) fn newest(&self, width: Width) -> i64 {
        width.carried(self.header.newest, self.header.width)
    }

    /// The first, likewise.
    pub(super) fn oldest(&self, width: Width) -> i64 {
        width.carried(self.header.oldest, self.header.width)
    }

    /// One of its entries as it stands in a table whose generation is `now`.
    pub(super) fn entry_in(&self, entry: u128, width: Width, now: i64) -> u128 {
        let generation = self.generation(entry, width).min(now);
        (entry & !super::generation::LOW_BITS) | tag_of(generation)
    }
}

/// Something that was tried on a run's file and failed.
pub(super) fn failed(
    action: &'static str,
    file: &str,
) -> impl FnOnce(io::Error) -> ProcessError + use<> {
    let file = file.to_owned();
    move |source| ProcessError::DedupStorage {
        action,
        file,
        source,
    }
}

/// A run's file that is not what was written.
fn damaged(file: &str, position: u64, reason: impl Into<String>) -> ProcessError {
    ProcessError::DedupDamaged {
        file: file.to_owned(),
        position,
        reason: reason.into(),
    }
}

/// Fills the buffer, or says that the file ends too early.
fn read_exact(
    file: &dyn StorageFile,
    name: &str,
    position: u64,
    buffer: &mut [u8],
) -> Result<(), ProcessError> {
    let read = file
        .read_at(position, buffer)
        .map_err(failed("read", name))?;
    if read < buffer.len() {
        let reason = format!("the file ends after {} bytes", position + read as u64);
        return Err(damaged(name, position, reason));
    }
    Ok(())
}

/// Removes a file that may not be there.
pub(super) fn remove_if_there(storage: &dyn Storage, file: &str) -> Result<(), ProcessError> {
    match storage.remove(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("remove", file)(error)),
        _ => Ok(()),
    }
}
