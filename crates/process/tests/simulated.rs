//! The whole data folder on one simulated disk: journal, history, checkpoint and ids.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;

use tillwatch_history::store::{Entry, FileStatus, FileWriter, Files};
use tillwatch_journal::{Storage, StorageFile};
use tillwatch_testkit::fault::disk::Disk;

/// History's files on the simulated disk.
pub struct SimulatedFiles(pub Disk);

impl std::fmt::Debug for SimulatedFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.describe())
    }
}

struct Writer {
    file: Box<dyn StorageFile>,
    end: u64,
}

/// Long ago: what a crash left over may be removed at once.
const MODIFIED_US: i64 = 0;

impl SimulatedFiles {
    fn folder(&self, path: &str) -> Disk {
        match path.trim_matches('/') {
            "" => self.0.clone(),
            path => self.0.folder(path),
        }
    }
}

impl Files for SimulatedFiles {
    fn create(&self, path: &str) -> io::Result<Box<dyn FileWriter>> {
        let file = self.0.create(path)?;
        Ok(Box::new(Writer { file, end: 0 }))
    }

    fn read(&self, path: &str, range: Range<u64>) -> io::Result<Vec<u8>> {
        let file = self.0.open(path)?;
        let bytes = file.bytes()?;
        let length = range.end.min(bytes).saturating_sub(range.start);
        let mut buffer = vec![0; length as usize];
        let read = file.read_at(range.start, &mut buffer)?;
        buffer.truncate(read);
        Ok(buffer)
    }

    fn status(&self, path: &str) -> io::Result<FileStatus> {
        let bytes = self.0.open(path)?.bytes()?;
        Ok(FileStatus {
            bytes,
            modified_us: MODIFIED_US,
        })
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.link(from, to)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Storage::rename(&self.0, from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        Storage::remove(&self.0, path)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Entry>> {
        let entries = self.folder(folder).entries()?;
        if entries.is_empty() && !folder.is_empty() {
            return Err(ErrorKind::NotFound.into());
        }
        let entries = entries.into_iter().map(|(name, bytes)| Entry {
            name,
            file: bytes.map(|bytes| FileStatus {
                bytes,
                modified_us: MODIFIED_US,
            }),
        });
        Ok(entries.collect())
    }

    fn create_folders(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn remove_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        self.folder(folder).sync_dir()
    }
}

impl FileWriter for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(self.end, bytes)?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// The parts of a data folder on one disk.
pub struct Folder {
    pub journal: Arc<dyn Storage>,
    pub state: Arc<dyn Storage>,
    pub history: Arc<dyn Files>,
}

impl Folder {
    pub fn on(disk: &Disk) -> Self {
        Self {
            journal: Arc::new(disk.folder("journal")),
            state: Arc::new(disk.folder("state")),
            history: Arc::new(SimulatedFiles(disk.folder("history"))),
        }
    }
}
