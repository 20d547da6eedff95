//! One file of the simulated disk: what programs see, what survives, and the changes in between.

use super::random::Random;

/// What a disk keeps or loses as a whole. Smaller than on any real one, so that small records are torn too.
const SECTOR_BYTES: usize = 32;

/// A file's contents. The default is an empty file, of which nothing survives yet.
#[derive(Default)]
pub(super) struct FileState {
    /// What programs read: the system's cache.
    pub(super) cached: Vec<u8>,
    stable: Vec<u8>,
    pending: Vec<Change>,
}

enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl FileState {
    /// A file that is durable as it is.
    pub(super) fn durable(bytes: Vec<u8>) -> Self {
        Self {
            cached: bytes.clone(),
            stable: bytes,
            pending: Vec::new(),
        }
    }

    /// Writes to the cache.
    pub(super) fn write(&mut self, position: usize, bytes: &[u8]) {
        write(&mut self.cached, position, bytes);
        self.pending.push(Change::Write(position, bytes.to_vec()));
    }

    /// Cuts or extends the cached file.
    pub(super) fn truncate(&mut self, bytes: usize) {
        self.cached.resize(bytes, 0);
        self.pending.push(Change::Truncate(bytes));
    }

    /// Makes the cached file durable.
    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            change.apply(&mut self.stable);
        }
    }

    /// What Linux does when an fsync fails: the cache keeps what it shows and counts it as clean.
    pub(super) fn fail_sync(&mut self) {
        self.pending.clear();
    }

    /// Keeps `keep` of a hundred sectors of what was pending, and forgets the cache.
    pub(super) fn crash(&mut self, random: &mut Random, keep: u64) {
        for change in std::mem::take(&mut self.pending) {
            change.apply_partly(&mut self.stable, random, keep);
        }
        self.cached = self.stable.clone();
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(position, bytes) => write(content, *position, bytes),
            Self::Truncate(bytes) => content.resize(*bytes, 0),
        }
    }

    fn apply_partly(&self, content: &mut Vec<u8>, random: &mut Random, keep: u64) {
        match self {
            Self::Write(position, bytes) => {
                for (i, sector) in bytes.chunks(SECTOR_BYTES).enumerate() {
                    if random.percent(keep) {
                        write(content, position + i * SECTOR_BYTES, sector);
                    }
                }
            }
            Self::Truncate(_) if random.percent(keep) => self.apply(content),
            Self::Truncate(_) => {}
        }
    }
}

fn write(content: &mut Vec<u8>, position: usize, bytes: &[u8]) {
    let end = position + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(place) = content.get_mut(position..end) {
        place.copy_from_slice(bytes);
    }
}
