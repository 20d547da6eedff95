//! The few calls that make a file system keep what it was given, for crates that write files of their own.
//!
//! They stand here because only the journal's crate may sync: who reads it has seen every sync there is.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Bytes that [`checksum`] reads at a time.
const CHECKED_BYTES: usize = 1 << 20;

/// Makes the contents and the length of a file durable. Its name is durable only after [`sync_folder`].
///
/// # Errors
/// Those of the system; afterwards it is not known what is durable.
pub fn sync_file(file: &File) -> io::Result<()> {
    file.sync_all()
}

/// Reads a file to its end: how many bytes it has, and their CRC-32 (IEEE).
///
/// # Errors
/// Those of the system.
pub fn checksum(mut file: &File) -> io::Result<(u64, u32)> {
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; CHECKED_BYTES];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
            return Ok((bytes, hasher.finalize()));
        };
        hasher.update(part);
        bytes += read as u64;
    }
}

/// Makes the names in a folder durable: creations, removals and renames.
///
/// # Errors
/// Those of the system.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Whether files may be made in a folder, as far as its permissions and its mount tell.
///
/// # Errors
/// Why not.
pub fn may_write(folder: &Path) -> io::Result<()> {
    use rustix::fs::{Access, access};
    access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(io::Error::from)
}

/// Creates a folder and those above it that are not there, durably. Does nothing when it is there.
///
/// # Errors
/// Those of the system.
pub fn create_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    // Each new folder's name stands in its parent. How many are new is not known, and syncing one
    // that was there before does no harm, but a parent may be unreadable to us: then its child was
    // there before.
    for ancestor in folder.ancestors().skip(1) {
        let ancestor = match ancestor.as_os_str().is_empty() {
            // A relative path ends in the folder we are in.
            true => Path::new("."),
            false => ancestor,
        };
        match sync_folder(ancestor) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => break,
            other => other?,
        }
    }
    Ok(())
}
