//! A simulated disk with folders: what was not synced may be lost, torn or kept out of order when the power fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use tillwatch_history::store::{Entry, FileStatus, FileWriter, Files};

/// What a disk keeps or loses as a whole.
const SECTOR_BYTES: usize = 512;

/// A tree of files on a simulated disk. Clones are the same disk.
#[derive(Clone, Default)]
pub struct Disk {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    files: Vec<FileState>,
    /// Full paths; the folder of each is in `folders`.
    names: BTreeMap<String, usize>,
    stable_names: BTreeMap<String, usize>,
    pending_names: Vec<NameChange>,
    /// Folders are made durably and removed at once: that they come and go loses nothing.
    folders: BTreeSet<String>,
    bytes_max: Option<u64>,
    operations: u64,
    operations_left: Option<u64>,
    fails_at: Option<u64>,
    failing_syncs: u64,
}

#[derive(Default)]
struct FileState {
    cached: Vec<u8>,
    stable: Vec<u8>,
    /// Where and what was written since the last sync.
    pending: Vec<(usize, Vec<u8>)>,
    modified_us: i64,
}

enum NameChange {
    Add(String, usize),
    Remove(String),
}

impl Disk {
    /// Cuts the power: of everything not synced some survives, chosen by `seed`.
    pub fn crash(&self, seed: u64) {
        let mut random = Random::new(seed);
        let mut state = self.state();
        let keep = [0, 20, 50, 80, 100][random.below(5) as usize];
        for change in std::mem::take(&mut state.pending_names) {
            if random.below(100) < keep {
                match change {
                    NameChange::Add(name, id) => state.stable_names.insert(name, id),
                    NameChange::Remove(name) => state.stable_names.remove(&name),
                };
            }
        }
        state.names = state.stable_names.clone();
        let folders: BTreeSet<String> = state.names.keys().map(|name| folder_of(name)).collect();
        state.folders.extend(folders);
        for file in &mut state.files {
            for (position, bytes) in std::mem::take(&mut file.pending) {
                for (i, sector) in bytes.chunks(SECTOR_BYTES).enumerate() {
                    if random.below(100) < keep {
                        write(&mut file.stable, position + i * SECTOR_BYTES, sector);
                    }
                }
            }
            file.cached = file.stable.clone();
        }
        drop(state);
        self.heal();
    }

    /// Ends all faults.
    pub fn heal(&self) {
        let mut state = self.state();
        state.operations_left = None;
        state.bytes_max = None;
        state.fails_at = None;
        state.failing_syncs = 0;
    }

    /// Whether the power is off.
    pub fn is_off(&self) -> bool {
        self.state().operations_left == Some(0)
    }

    /// After so many more operations the power is off: everything fails until [`Disk::crash`].
    pub fn power_off_after(&self, operations: u64) {
        self.state().operations_left = Some(operations);
    }

    /// Of the operations to come this one fails, and no other.
    pub fn fail_at(&self, operation: u64) {
        let mut state = self.state();
        state.fails_at = Some(state.operations + operation);
    }

    /// The room on the disk; `None` for any.
    pub fn set_bytes_max(&self, bytes_max: Option<u64>) {
        self.state().bytes_max = bytes_max;
    }

    /// The next syncs fail, and what was not synced counts as clean afterwards, as on Linux.
    pub fn fail_syncs(&self, count: u64) {
        self.state().failing_syncs = count;
    }

    /// Operations so far.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.state().used()
    }

    /// The names of all files.
    pub fn names(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }

    /// Changes a byte of a file for good.
    pub fn flip(&self, name: &str, at: usize) {
        let mut state = self.state();
        let id = state.names[name];
        state.files[id].cached[at] ^= 1;
        state.files[id].stable[at] ^= 1;
    }

    /// The length of a file.
    pub fn length(&self, name: &str) -> usize {
        let state = self.state();
        state.files[state.names[name]].cached.len()
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
        let number = state.operations;
        state.operations += 1;
        if state.fails_at == Some(number) {
            return Err(io::Error::other("the controller went away"));
        }
        Ok(state)
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the simulated disk")
    }
}

impl State {
    fn used(&self) -> u64 {
        let ids: BTreeSet<usize> = self.names.values().copied().collect();
        ids.iter()
            .map(|id| self.files[*id].cached.len() as u64)
            .sum()
    }

    fn id(&self, path: &str) -> io::Result<usize> {
        self.names
            .get(path)
            .copied()
            .ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn add(&mut self, path: &str, id: usize) {
        self.names.insert(path.to_owned(), id);
        self.pending_names
            .push(NameChange::Add(path.to_owned(), id));
    }

    fn take(&mut self, path: &str) -> io::Result<usize> {
        let id = self.id(path)?;
        self.names.remove(path);
        self.pending_names.push(NameChange::Remove(path.to_owned()));
        Ok(id)
    }

    fn has_folder(&self, folder: &str) -> io::Result<()> {
        match folder.is_empty() || self.folders.contains(folder) {
            true => Ok(()),
            false => Err(ErrorKind::NotFound.into()),
        }
    }

    fn status(&self, id: usize) -> FileStatus {
        FileStatus {
            bytes: self.files[id].cached.len() as u64,
            modified_us: self.files[id].modified_us,
        }
    }
}

impl Files for Disk {
    fn create(&self, path: &str) -> io::Result<Box<dyn FileWriter>> {
        let mut state = self.operate()?;
        state.has_folder(&folder_of(path))?;
        if state.names.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let id = state.files.len();
        state.files.push(FileState {
            modified_us: now_us(),
            ..FileState::default()
        });
        state.add(path, id);
        Ok(Box::new(Writer {
            disk: self.clone(),
            id,
        }))
    }

    fn read(&self, path: &str, range: Range<u64>) -> io::Result<Vec<u8>> {
        let state = self.operate()?;
        let content = &state.files[state.id(path)?].cached;
        let end = (range.end as usize).min(content.len());
        Ok(content[(range.start as usize).min(end)..end].to_vec())
    }

    fn status(&self, path: &str) -> io::Result<FileStatus> {
        let state = self.operate()?;
        Ok(state.status(state.id(path)?))
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.operate()?;
        let id = state.id(from)?;
        if state.names.contains_key(to) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        state.add(to, id);
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.operate()?;
        let id = state.take(from)?;
        state.add(to, id);
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.operate()?.take(path).map(|_| ())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Entry>> {
        let state = self.operate()?;
        state.has_folder(folder)?;
        let here = |path: &String| {
            (folder_of(path) == folder).then(|| path.rsplit('/').next().unwrap().to_owned())
        };
        let files = state.names.iter().filter_map(|(path, id)| {
            let file = Some(state.status(*id));
            here(path).map(|name| Entry { name, file })
        });
        let folders = state.folders.iter().filter(|path| !path.is_empty());
        let folders = folders.filter_map(|path| here(path).map(|name| Entry { name, file: None }));
        Ok(files.chain(folders).collect())
    }

    fn create_folders(&self, folder: &str) -> io::Result<()> {
        let mut state = self.operate()?;
        let mut at = folder.to_owned();
        while !at.is_empty() {
            let above = folder_of(&at);
            state.folders.insert(at);
            at = above;
        }
        Ok(())
    }

    fn remove_folder(&self, folder: &str) -> io::Result<()> {
        let mut state = self.operate()?;
        let inside = format!("{folder}/");
        let full = state.names.keys().any(|name| name.starts_with(&inside))
            || state.folders.iter().any(|name| name.starts_with(&inside));
        if full {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        state.folders.remove(folder);
        Ok(())
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        let mut state = self.operate()?;
        state.has_folder(folder)?;
        if state.failing_syncs > 0 {
            state.failing_syncs -= 1;
            return Err(io::Error::other("fsync failed"));
        }
        for change in std::mem::take(&mut state.pending_names) {
            let of = match &change {
                NameChange::Add(name, _) | NameChange::Remove(name) => folder_of(name),
            };
            match change {
                change if of != folder => state.pending_names.push(change),
                NameChange::Add(name, id) => {
                    state.stable_names.insert(name, id);
                }
                NameChange::Remove(name) => {
                    state.stable_names.remove(&name);
                }
            }
        }
        Ok(())
    }
}

struct Writer {
    disk: Disk,
    id: usize,
}

impl FileWriter for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        let room = state
            .bytes_max
            .map_or(u64::MAX, |max| max.saturating_sub(state.used()));
        let kept = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        let file = &mut state.files[self.id];
        let position = file.cached.len();
        file.cached.extend_from_slice(&bytes[..kept]);
        file.pending.push((position, bytes[..kept].to_vec()));
        match kept < bytes.len() {
            true => Err(ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        if state.failing_syncs > 0 {
            state.failing_syncs -= 1;
            state.files[self.id].pending.clear();
            return Err(io::Error::other("fsync failed"));
        }
        let file = &mut state.files[self.id];
        for (position, bytes) in std::mem::take(&mut file.pending) {
            write(&mut file.stable, position, &bytes);
        }
        Ok(())
    }
}

fn write(content: &mut Vec<u8>, position: usize, bytes: &[u8]) {
    let end = position + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[position..end].copy_from_slice(bytes);
}

fn folder_of(path: &str) -> String {
    path.rsplit_once('/')
        .map_or("", |(folder, _)| folder)
        .to_owned()
}

fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_micros() as i64
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
