//! A simulated disk: what was not synced may be lost, torn or kept out of order when the power fails.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tillwatch_journal::{LockError, Storage, StorageFile, StorageLock};

/// What a disk keeps or loses as a whole.
const SECTOR_BYTES: usize = 64;

/// A folder on a simulated disk. Clones are the same disk.
#[derive(Clone, Default)]
pub struct Disk {
    state: Arc<Mutex<State>>,
    locked: Arc<AtomicBool>,
}

#[derive(Default)]
struct State {
    files: Vec<FileState>,
    names: BTreeMap<String, usize>,
    stable_names: BTreeMap<String, usize>,
    pending_names: Vec<NameChange>,
    bytes_max: Option<u64>,
    operations_left: Option<u64>,
    failing_syncs: u64,
    failing_truncates: u64,
    failing_writes: u64,
    syncs: u64,
}

/// One file: what programs see, what survives, and the changes in between.
#[derive(Default)]
struct FileState {
    cached: Vec<u8>,
    stable: Vec<u8>,
    pending: Vec<Change>,
}

enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

enum NameChange {
    Add(String, usize),
    Remove(String),
}

impl Disk {
    /// Cuts the power: of everything not synced some sectors survive, chosen by `seed`.
    pub fn crash(&self, seed: u64) {
        let mut random = Random::new(seed);
        let mut state = self.state();
        // All, none, or any mixture of what was pending.
        let keep = [0, 20, 50, 80, 100][random.below(5) as usize];
        let changes = std::mem::take(&mut state.pending_names);
        for change in changes {
            if random.below(100) < keep {
                change.apply(&mut state.stable_names);
            }
        }
        state.names = state.stable_names.clone();
        for file in &mut state.files {
            for change in std::mem::take(&mut file.pending) {
                change.apply_partly(&mut file.stable, &mut random, keep);
            }
            file.cached = file.stable.clone();
        }
        drop(state);
        self.heal();
    }

    /// Ends all faults, and the lock of a process that died with them.
    pub fn heal(&self) {
        let mut state = self.state();
        state.operations_left = None;
        state.bytes_max = None;
        state.failing_syncs = 0;
        state.failing_truncates = 0;
        state.failing_writes = 0;
        drop(state);
        self.locked.store(false, Ordering::SeqCst);
    }

    /// Whether the power is off.
    pub fn is_off(&self) -> bool {
        self.state().operations_left == Some(0)
    }

    /// After so many more operations the power is off: everything fails until [`Disk::crash`].
    pub fn power_off_after(&self, operations: u64) {
        self.state().operations_left = Some(operations);
    }

    /// The room on the disk; `None` for any.
    pub fn set_bytes_max(&self, bytes_max: Option<u64>) {
        self.state().bytes_max = bytes_max;
    }

    /// The next fsyncs of files fail, and the unsynced data counts as clean afterwards, as on Linux.
    pub fn fail_syncs(&self, count: u64) {
        self.state().failing_syncs = count;
    }

    /// The next truncations fail.
    pub fn fail_truncates(&self, count: u64) {
        self.state().failing_truncates = count;
    }

    /// The next writes fail with an I/O error.
    pub fn fail_writes(&self, count: u64) {
        self.state().failing_writes = count;
    }

    /// Successful fsyncs of files so far.
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.state().used()
    }

    /// The names and contents of all files.
    pub fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        state
            .names
            .iter()
            .map(|(name, id)| (name.clone(), state.files[*id].cached.clone()))
            .collect()
    }

    /// A disk on which these files are, durably.
    pub fn with_contents(contents: &BTreeMap<String, Vec<u8>>) -> Self {
        let disk = Self::default();
        let mut state = disk.state();
        for (name, bytes) in contents {
            let id = state.files.len();
            state.files.push(FileState {
                cached: bytes.clone(),
                stable: bytes.clone(),
                pending: Vec::new(),
            });
            state.names.insert(name.clone(), id);
            state.stable_names.insert(name.clone(), id);
        }
        drop(state);
        disk
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn operate(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        match &mut state.operations_left {
            Some(0) => return Err(io::Error::other("the power is off")),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(state)
    }

    fn file(&self, id: usize) -> Box<dyn StorageFile> {
        Box::new(DiskFile {
            disk: self.clone(),
            id,
        })
    }
}

impl State {
    fn used(&self) -> u64 {
        self.names
            .values()
            .map(|id| self.files[*id].cached.len() as u64)
            .sum()
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(position, bytes) => write(content, *position, bytes),
            Self::Truncate(bytes) => content.truncate(*bytes),
        }
    }

    fn apply_partly(&self, content: &mut Vec<u8>, random: &mut Random, keep: u64) {
        match self {
            Self::Write(position, bytes) => {
                for (i, sector) in bytes.chunks(SECTOR_BYTES).enumerate() {
                    if random.below(100) < keep {
                        write(content, position + i * SECTOR_BYTES, sector);
                    }
                }
            }
            Self::Truncate(_) if random.below(100) < keep => self.apply(content),
            Self::Truncate(_) => {}
        }
    }
}

impl NameChange {
    fn apply(self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Add(name, id) => names.insert(name, id),
            Self::Remove(name) => names.remove(&name),
        };
    }
}

fn write(content: &mut Vec<u8>, position: usize, bytes: &[u8]) {
    let end = position + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[position..end].copy_from_slice(bytes);
}

struct DiskLock(Arc<AtomicBool>);

impl StorageLock for DiskLock {}

impl Drop for DiskLock {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Storage for Disk {
    fn lock(&self) -> Result<Box<dyn StorageLock>, LockError> {
        if self.locked.swap(true, Ordering::SeqCst) {
            return Err(LockError::Held(Some("42".to_owned())));
        }
        Ok(Box::new(DiskLock(Arc::clone(&self.locked))))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.operate()?.names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let mut state = self.operate()?;
        if state.names.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let id = state.files.len();
        state.files.push(FileState::default());
        state.names.insert(name.to_owned(), id);
        state
            .pending_names
            .push(NameChange::Add(name.to_owned(), id));
        Ok(self.file(id))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let id = *self.operate()?.names.get(name).ok_or(ErrorKind::NotFound)?;
        Ok(self.file(id))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.operate()?;
        state.names.remove(name).ok_or(ErrorKind::NotFound)?;
        state
            .pending_names
            .push(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.operate()?;
        let id = state.names.remove(from).ok_or(ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), id);
        state
            .pending_names
            .push(NameChange::Remove(from.to_owned()));
        state.pending_names.push(NameChange::Add(to.to_owned(), id));
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.operate()?;
        state.pending_names.clear();
        state.stable_names = state.names.clone();
        Ok(())
    }

    fn describe(&self) -> String {
        "the simulated disk".to_owned()
    }
}

struct DiskFile {
    disk: Disk,
    id: usize,
}

impl StorageFile for DiskFile {
    fn write_at(&self, position: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        if state.failing_writes > 0 {
            state.failing_writes -= 1;
            return Err(io::Error::other("the controller went away"));
        }
        let position = position as usize;
        let grows =
            (position + bytes.len()).saturating_sub(state.files[self.id].cached.len()) as u64;
        let room = state
            .bytes_max
            .map_or(u64::MAX, |max| max.saturating_sub(state.used()));
        let kept = bytes.len() - grows.saturating_sub(room) as usize;
        let file = &mut state.files[self.id];
        let change = Change::Write(position, bytes[..kept].to_vec());
        change.apply(&mut file.cached);
        file.pending.push(change);
        if kept < bytes.len() {
            Err(ErrorKind::StorageFull.into())
        } else {
            Ok(())
        }
    }

    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let state = self.disk.operate()?;
        let content = &state.files[self.id].cached;
        let start = (position as usize).min(content.len());
        let count = buffer.len().min(content.len() - start);
        buffer[..count].copy_from_slice(&content[start..start + count]);
        Ok(count)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        if state.failing_syncs > 0 {
            state.failing_syncs -= 1;
            state.files[self.id].pending.clear();
            return Err(io::Error::other("fsync failed"));
        }
        state.syncs += 1;
        let file = &mut state.files[self.id];
        for change in std::mem::take(&mut file.pending) {
            change.apply(&mut file.stable);
        }
        Ok(())
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        if state.failing_truncates > 0 {
            state.failing_truncates -= 1;
            return Err(io::Error::other("truncate failed"));
        }
        let file = &mut state.files[self.id];
        let change = Change::Truncate(bytes as usize);
        change.apply(&mut file.cached);
        file.pending.push(change);
        Ok(())
    }

    fn bytes(&self) -> io::Result<u64> {
        Ok(self.disk.operate()?.files[self.id].cached.len() as u64)
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
