//! The lock that keeps a second process out of a journal.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Holds a journal for as long as it lives.
pub trait StorageLock: Send + Sync {}

/// Why a journal could not be locked.
#[derive(Debug)]
pub enum LockError {
    /// Somebody else holds it; the text is the process id they left, when it could be read.
    Held(Option<String>),
    /// The lock file could not be made or locked.
    Io(io::Error),
}

/// An advisory lock of the operating system on a file. It ends with the process, however that ends, so
/// there is never a stale one.
#[derive(Debug)]
pub(crate) struct FileLock {
    _file: File,
}

impl StorageLock for FileLock {}

impl FileLock {
    /// Locks the file at `path`, which is created when absent and then stays.
    pub(crate) fn take(path: &Path) -> Result<Self, LockError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path).map_err(LockError::Io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held(holder(&mut file))),
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
        // The id only serves the message a second process prints, so failing to leave it is no failure; a
        // full disk must not keep a journal from being opened.
        let _ = leave_id(&mut file);
        Ok(Self { _file: file })
    }
}

fn leave_id(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> Option<String> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    let id = text.trim();
    (!id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())).then(|| id.to_owned())
}
