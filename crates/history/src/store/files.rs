//! The few file operations that tables need, so that tests can put a simulated disk below them.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use tillwatch_journal::durable;

/// A tree of folders and files. Paths are relative, with `/` between their parts.
pub trait Files: Debug + Send + Sync + 'static {
    /// Creates an empty file for writing. The name is durable only after [`Files::sync_folder`].
    ///
    /// # Errors
    /// `AlreadyExists` when there is a file of that name, `NotFound` when its folder is not there, and those of
    /// the system.
    fn create(&self, path: &str) -> io::Result<Box<dyn FileWriter>>;

    /// The bytes of a file in `range`, or up to the end where that comes first.
    ///
    /// # Errors
    /// `NotFound` when there is none, and those of the system.
    fn read(&self, path: &str, range: Range<u64>) -> io::Result<Vec<u8>>;

    /// Length and time of a file.
    ///
    /// # Errors
    /// `NotFound` when there is no file of that name, and those of the system.
    fn status(&self, path: &str) -> io::Result<FileStatus>;

    /// Gives a file a second name, unless somebody has that name: atomically.
    ///
    /// # Errors
    /// `AlreadyExists` when there is a file of that name, and those of the system.
    fn link(&self, from: &str, to: &str) -> io::Result<()>;

    /// Gives a file another name, replacing one that has it: atomically.
    ///
    /// # Errors
    /// Those of the system.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound` when there is none, and those of the system.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// What is in a folder.
    ///
    /// # Errors
    /// `NotFound` when there is none, and those of the system.
    fn list(&self, folder: &str) -> io::Result<Vec<Entry>>;

    /// Creates a folder and those above it, durably.
    ///
    /// # Errors
    /// Those of the system.
    fn create_folders(&self, folder: &str) -> io::Result<()>;

    /// Removes an empty folder.
    ///
    /// # Errors
    /// Those of the system; one when there is something in it.
    fn remove_folder(&self, folder: &str) -> io::Result<()>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// `NotFound` when there is none, and those of the system.
    fn sync_folder(&self, folder: &str) -> io::Result<()>;
}

/// A file that is being written.
pub trait FileWriter: Send {
    /// Writes all of `bytes` behind those before. On an error any part of them may have been written.
    ///
    /// # Errors
    /// `StorageFull` or `QuotaExceeded` when there is no room, and those of the system.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was written durable.
    ///
    /// # Errors
    /// Those of the system; afterwards it is not known what is durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// What a folder says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStatus {
    /// Length in bytes.
    pub bytes: u64,
    /// When it was last written, in microseconds since 1970.
    pub modified_us: i64,
}

/// A file or a folder in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, without the folder's.
    pub name: String,
    /// What the folder says of the file; none for a folder.
    pub file: Option<FileStatus>,
}

/// A folder of the file system.
#[derive(Debug)]
pub struct DiskFiles {
    root: PathBuf,
}

impl DiskFiles {
    /// The folder at `root`, which is created, durably, when absent.
    ///
    /// # Errors
    /// Those of the system.
    pub fn open(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        durable::create_folders(&root)?;
        Ok(Self { root })
    }

    fn at(&self, path: &str) -> PathBuf {
        match path.is_empty() {
            true => self.root.clone(),
            false => self.root.join(path),
        }
    }
}

impl Files for DiskFiles {
    fn create(&self, path: &str) -> io::Result<Box<dyn FileWriter>> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).open(self.at(path))?;
        Ok(Box::new(DiskWriter { file }))
    }

    fn read(&self, path: &str, range: Range<u64>) -> io::Result<Vec<u8>> {
        let file = File::open(self.at(path))?;
        let end = range.end.min(file.metadata()?.len());
        let bytes = usize::try_from(end.saturating_sub(range.start)).map_err(io::Error::other)?;
        let mut buffer = vec![0; bytes];
        file.read_exact_at(&mut buffer, range.start)?;
        Ok(buffer)
    }

    fn status(&self, path: &str) -> io::Result<FileStatus> {
        let metadata = fs::metadata(self.at(path))?;
        match metadata.is_file() {
            true => status_of(&metadata),
            false => Err(ErrorKind::NotFound.into()),
        }
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        fs::hard_link(self.at(from), self.at(to))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.at(from), self.at(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.at(path))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.at(folder))? {
            let entry = entry?;
            // A name that is not UTF-8 is none of ours.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let file = match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => None,
                Ok(metadata) => Some(status_of(&metadata)?),
                // Removed since the folder was read.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            entries.push(Entry { name, file });
        }
        Ok(entries)
    }

    fn create_folders(&self, folder: &str) -> io::Result<()> {
        durable::create_folders(&self.at(folder))
    }

    fn remove_folder(&self, folder: &str) -> io::Result<()> {
        fs::remove_dir(self.at(folder))
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        durable::sync_folder(Path::new(&self.at(folder)))
    }
}

fn status_of(metadata: &fs::Metadata) -> io::Result<FileStatus> {
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH);
    Ok(FileStatus {
        bytes: metadata.len(),
        modified_us: modified
            .ok()
            .and_then(|since| i64::try_from(since.as_micros()).ok())
            .unwrap_or(0),
    })
}

struct DiskWriter {
    file: File,
}

impl FileWriter for DiskWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        durable::sync_file(&self.file)
    }
}
