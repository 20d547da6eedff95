//! The few file operations a journal needs, so that tests can put a simulated disk below it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::durable::{create_folders, sync_folder};
use crate::lock::{FileLock, LockError, StorageLock};

const LOCK_FILE: &str = "lock";

/// A flat folder of files.
pub trait Storage: Send + Sync + 'static {
    /// Takes the folder for this journal alone, until the lock is dropped.
    ///
    /// # Errors
    /// [`LockError::Held`] when somebody has it.
    fn lock(&self) -> Result<Box<dyn StorageLock>, LockError>;

    /// The names of all files.
    ///
    /// # Errors
    /// Those of the system.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Creates an empty file for reading and writing. The name is durable only after [`Storage::sync_dir`].
    ///
    /// # Errors
    /// `AlreadyExists` when there is a file of that name, and those of the system.
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>>;

    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// `NotFound` when there is none, and those of the system.
    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>>;

    /// Removes a file, durably only after [`Storage::sync_dir`]. Who has it open keeps reading it.
    ///
    /// # Errors
    /// `NotFound` when there is none, and those of the system.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Gives a file another name, replacing one that has it, durably only after [`Storage::sync_dir`].
    ///
    /// # Errors
    /// Those of the system.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes creations, removals and renames durable.
    ///
    /// # Errors
    /// Those of the system.
    fn sync_dir(&self) -> io::Result<()>;

    /// What to call this storage in messages.
    fn describe(&self) -> String;

    /// The room on what the folder lies on; none where that is not known.
    ///
    /// # Errors
    /// Those of the system.
    fn space(&self) -> io::Result<Option<Space>> {
        Ok(None)
    }
}

/// The room on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes that we may still write.
    pub free_bytes: u64,
    /// Bytes it has in all.
    pub total_bytes: u64,
}

/// An open file.
pub trait StorageFile: Send + Sync {
    /// Writes all of `bytes` at `position`. On an error any part of them may have been written.
    ///
    /// # Errors
    /// `StorageFull` or `QuotaExceeded` when there is no room, and those of the system.
    fn write_at(&self, position: u64, bytes: &[u8]) -> io::Result<()>;

    /// Fills `buffer` from `position` and says how many bytes there were: fewer than asked only at the end.
    ///
    /// # Errors
    /// Those of the system.
    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Makes the contents and the length durable.
    ///
    /// # Errors
    /// Those of the system; afterwards it is not known what is durable.
    fn sync_data(&self) -> io::Result<()>;

    /// Cuts the file to `bytes`.
    ///
    /// # Errors
    /// Those of the system.
    fn truncate(&self, bytes: u64) -> io::Result<()>;

    /// The file's length in bytes.
    ///
    /// # Errors
    /// Those of the system.
    fn bytes(&self) -> io::Result<u64>;
}

/// Makes the contents and the length of a file durable, for what is kept beside the journal: only this crate
/// syncs.
///
/// # Errors
/// Those of the system; afterwards it is not known what is durable.
pub fn make_durable(file: &dyn StorageFile) -> io::Result<()> {
    file.sync_data()
}

/// A folder of the file system.
#[derive(Debug)]
pub struct DiskStorage {
    folder: PathBuf,
}

impl DiskStorage {
    /// The folder at `path`, which is created, durably, when absent.
    ///
    /// # Errors
    /// Those of the system.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = path.into();
        create_folders(&folder)?;
        Ok(Self { folder })
    }

    /// The folder's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }
}

impl Storage for DiskStorage {
    fn lock(&self) -> Result<Box<dyn StorageLock>, LockError> {
        Ok(Box::new(FileLock::take(&self.folder.join(LOCK_FILE))?))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            // A name that is not UTF-8 is none of ours.
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create_new(true)
            .open(self.folder.join(name))?;
        Ok(Box::new(DiskFile { file }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(self.folder.join(name))?;
        Ok(Box::new(DiskFile { file }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.folder.join(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.folder.join(from), self.folder.join(to))
    }

    fn sync_dir(&self) -> io::Result<()> {
        sync_folder(&self.folder)
    }

    fn describe(&self) -> String {
        self.folder.display().to_string()
    }

    fn space(&self) -> io::Result<Option<Space>> {
        let disk = rustix::fs::statvfs(&self.folder)?;
        Ok(Some(Space {
            free_bytes: disk.f_bavail.saturating_mul(disk.f_frsize),
            total_bytes: disk.f_blocks.saturating_mul(disk.f_frsize),
        }))
    }
}

struct DiskFile {
    file: File,
}

impl StorageFile for DiskFile {
    fn write_at(&self, position: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, position)
    }

    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, position + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }
}
