//! A simulated disk: what was not synced may be lost, torn or kept out of order when the power fails.
//!
//! Every operation of [`Storage`] and [`StorageFile`] is one step: [`Disk::power_off_after`] and [`Disk::fail_once_after`] count
//! them, and [`at_every_step`](super::steps::at_every_step) goes through them all.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tillwatch_journal::{LockError, Storage, StorageFile, StorageLock};

use super::file::FileState;
use super::random::Random;

/// A folder on a simulated disk. Clones are the same folder of the same disk.
///
/// A name with `/` is a file in a folder below, which need not be made first. As on a real disk, [`Storage::sync_dir`] makes
/// the names durable that lie directly in its folder: those below belong to [`Disk::folder`].
#[derive(Clone, Default)]
pub struct Disk {
    state: Arc<Mutex<State>>,
    /// Empty, or ends with `/`.
    prefix: String,
}

#[derive(Default)]
struct State {
    files: Vec<FileState>,
    names: BTreeMap<String, usize>,
    stable_names: BTreeMap<String, usize>,
    pending_names: Vec<NameChange>,
    locked: BTreeSet<String>,
    bytes_max: Option<u64>,
    fault: Option<Fault>,
    met_fault: bool,
    failing_syncs: u64,
    failing_folder_syncs: u64,
    failing_truncates: u64,
    failing_writes: u64,
    syncs: u64,
}

/// What happens after so many more operations.
#[derive(Clone, Copy)]
enum Fault {
    PowerOff(u64),
    FailOnce(u64),
}

enum NameChange {
    Add(String, usize),
    Remove(String),
    /// From, to, and the file. File systems with a log keep a rename as a whole or not at all.
    Rename(String, String, usize),
}

impl Disk {
    /// The folder `name` in this one, a disk to its user. There is only one power and one size for all.
    #[must_use]
    pub fn folder(&self, name: &str) -> Self {
        Self {
            state: Arc::clone(&self.state),
            prefix: format!("{}{}/", self.prefix, name.trim_matches('/')),
        }
    }

    /// Cuts the power: of everything not synced some sectors survive, chosen by `seed`. All folders, and
    /// the locks of the processes that died with it.
    pub fn crash(&self, seed: u64) {
        let mut random = Random::new(seed);
        let mut state = self.state();
        // All, none, or any mixture of what was pending.
        let keep = match random.below(5) {
            0 => 0,
            1 => 20,
            2 => 50,
            3 => 80,
            _ => 100,
        };
        for change in std::mem::take(&mut state.pending_names) {
            if random.percent(keep) {
                change.apply(&mut state.stable_names);
            }
        }
        state.names = state.stable_names.clone();
        for file in &mut state.files {
            file.crash(&mut random, keep);
        }
        drop(state);
        self.heal();
    }

    /// Ends all faults, and the locks of a process that died with them.
    pub fn heal(&self) {
        let mut state = self.state();
        state.fault = None;
        state.met_fault = false;
        state.bytes_max = None;
        state.failing_syncs = 0;
        state.failing_folder_syncs = 0;
        state.failing_truncates = 0;
        state.failing_writes = 0;
        state.locked.clear();
    }

    /// Whether the power is off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        matches!(self.state().fault, Some(Fault::PowerOff(0)))
    }

    /// After so many more operations the power is off: everything fails until [`Disk::crash`].
    pub fn power_off_after(&self, operations: u64) {
        self.arm(Fault::PowerOff(operations));
    }

    /// After so many more operations one fails with an I/O error, whichever it is.
    pub fn fail_once_after(&self, operations: u64) {
        self.arm(Fault::FailOnce(operations));
    }

    /// Whether an operation failed of [`Disk::power_off_after`] or [`Disk::fail_once_after`], since it was ordered.
    #[must_use]
    pub fn met_fault(&self) -> bool {
        self.state().met_fault
    }

    /// The room on the disk, in bytes of files; `None` for any.
    pub fn set_bytes_max(&self, bytes_max: Option<u64>) {
        self.state().bytes_max = bytes_max;
    }

    /// The next fsyncs of files fail, and the unsynced data counts as clean afterwards, as on Linux.
    pub fn fail_syncs(&self, count: u64) {
        self.state().failing_syncs = count;
    }

    /// The next fsyncs of folders fail.
    pub fn fail_folder_syncs(&self, count: u64) {
        self.state().failing_folder_syncs = count;
    }

    /// The next truncations fail.
    pub fn fail_truncates(&self, count: u64) {
        self.state().failing_truncates = count;
    }

    /// The next writes fail with an I/O error.
    pub fn fail_writes(&self, count: u64) {
        self.state().failing_writes = count;
    }

    /// Successful fsyncs of files so far, in all folders.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// Bytes of all files, in all folders.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.state().used()
    }

    /// The names and contents of all files in this folder and below, as programs see them.
    #[must_use]
    pub fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        let named = |(name, id): (&String, &usize)| {
            let name = name.strip_prefix(&self.prefix)?;
            Some((name.to_owned(), state.files.get(*id)?.cached.clone()))
        };
        state.names.iter().filter_map(named).collect()
    }

    /// A disk on which these files are, durably.
    #[must_use]
    pub fn with_contents(contents: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut state = State::default();
        for (id, (name, bytes)) in contents.iter().enumerate() {
            state.files.push(FileState::durable(bytes.clone()));
            state.names.insert(name.clone(), id);
        }
        state.stable_names = state.names.clone();
        Self {
            state: Arc::new(Mutex::new(state)),
            prefix: String::new(),
        }
    }

    /// Gives a file a second name, unless somebody has it; durably as [`Storage::create`] is.
    ///
    /// # Errors
    /// `AlreadyExists`, `NotFound`, and those of an ordered fault.
    pub fn link(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.operate()?;
        let (from, to) = (self.path(from), self.path(to));
        if state.names.contains_key(&to) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let id = *state.names.get(&from).ok_or(ErrorKind::NotFound)?;
        state.names.insert(to.clone(), id);
        state.pending_names.push(NameChange::Add(to, id));
        Ok(())
    }

    /// The files in this folder and the folders below it that have files, each with the bytes of a file.
    ///
    /// # Errors
    /// Those of an ordered fault.
    pub fn entries(&self) -> io::Result<BTreeMap<String, Option<u64>>> {
        let state = self.operate()?;
        let mut found = BTreeMap::new();
        for (name, id) in &state.names {
            let Some(rest) = name.strip_prefix(&self.prefix) else {
                continue;
            };
            match rest.split_once('/') {
                Some((folder, _)) => found.insert(folder.to_owned(), None),
                None => {
                    let bytes = state.files.get(*id).map(|file| file.cached.len() as u64);
                    found.insert(rest.to_owned(), bytes)
                }
            };
        }
        Ok(found)
    }

    fn arm(&self, fault: Fault) {
        let mut state = self.state();
        state.fault = Some(fault);
        state.met_fault = false;
    }

    // A test that panicked while it held the lock has failed already; what others see of the disk is no matter then.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an operation: the state, unless a fault is due.
    fn operate(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.count_down()?;
        Ok(state)
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
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
        let files = self.names.values().filter_map(|id| self.files.get(*id));
        files.map(|file| file.cached.len() as u64).sum()
    }

    fn count_down(&mut self) -> io::Result<()> {
        match &mut self.fault {
            Some(Fault::PowerOff(0)) => {
                self.met_fault = true;
                Err(io::Error::other("the power is off"))
            }
            Some(Fault::FailOnce(0)) => {
                self.met_fault = true;
                self.fault = None;
                Err(io::Error::other("the controller went away"))
            }
            Some(Fault::PowerOff(left) | Fault::FailOnce(left)) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Files are never forgotten, so every id that was given out is one.
    fn file(&mut self, id: usize) -> io::Result<&mut FileState> {
        self.files.get_mut(id).ok_or(ErrorKind::NotFound.into())
    }
}

impl NameChange {
    fn apply(self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Add(name, id) => {
                names.insert(name, id);
            }
            Self::Remove(name) => {
                names.remove(&name);
            }
            Self::Rename(from, to, id) => {
                names.remove(&from);
                names.insert(to, id);
            }
        }
    }

    /// Whether a sync of the folder `prefix` covers it.
    fn lies_in(&self, prefix: &str) -> bool {
        match self {
            Self::Add(name, _) | Self::Remove(name) | Self::Rename(_, name, _) => {
                lies_in(name, prefix)
            }
        }
    }
}

/// Whether `name` lies in the folder `prefix`, and not in one below.
fn lies_in(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|rest| !rest.contains('/'))
}

struct DiskLock {
    state: Arc<Mutex<State>>,
    prefix: String,
}

impl StorageLock for DiskLock {}

impl Drop for DiskLock {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.locked.remove(&self.prefix);
    }
}

impl Storage for Disk {
    fn lock(&self) -> Result<Box<dyn StorageLock>, LockError> {
        if !self.state().locked.insert(self.prefix.clone()) {
            return Err(LockError::Held(Some("42".to_owned())));
        }
        Ok(Box::new(DiskLock {
            state: Arc::clone(&self.state),
            prefix: self.prefix.clone(),
        }))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let state = self.operate()?;
        let names = state
            .names
            .keys()
            .filter(|name| lies_in(name, &self.prefix));
        Ok(names
            .filter_map(|name| name.strip_prefix(&self.prefix))
            .map(str::to_owned)
            .collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let mut state = self.operate()?;
        let path = self.path(name);
        if state.names.contains_key(&path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let id = state.files.len();
        state.files.push(FileState::default());
        state.names.insert(path.clone(), id);
        state.pending_names.push(NameChange::Add(path, id));
        Ok(self.file(id))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let state = self.operate()?;
        let id = state.names.get(&self.path(name));
        Ok(self.file(*id.ok_or(ErrorKind::NotFound)?))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.operate()?;
        let path = self.path(name);
        state.names.remove(&path).ok_or(ErrorKind::NotFound)?;
        state.pending_names.push(NameChange::Remove(path));
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.operate()?;
        let (from, to) = (self.path(from), self.path(to));
        let id = state.names.remove(&from).ok_or(ErrorKind::NotFound)?;
        state.names.insert(to.clone(), id);
        state.pending_names.push(NameChange::Rename(from, to, id));
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.operate()?;
        if state.failing_folder_syncs > 0 {
            state.failing_folder_syncs -= 1;
            return Err(io::Error::other("fsync failed"));
        }
        let changes = std::mem::take(&mut state.pending_names);
        for change in changes {
            if change.lies_in(&self.prefix) {
                change.apply(&mut state.stable_names);
            } else {
                state.pending_names.push(change);
            }
        }
        Ok(())
    }

    fn describe(&self) -> String {
        match self.prefix.trim_end_matches('/') {
            "" => "the simulated disk".to_owned(),
            folder => format!("{folder} on the simulated disk"),
        }
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
        let room = state
            .bytes_max
            .map_or(u64::MAX, |max| max.saturating_sub(state.used()));
        let file = state.file(self.id)?;
        let position = position as usize;
        // What lies within the file already has its room.
        let grows = (position + bytes.len()).saturating_sub(file.cached.len()) as u64;
        let kept = bytes
            .len()
            .saturating_sub(grows.saturating_sub(room) as usize);
        file.write(position, bytes.get(..kept).unwrap_or_default());
        if kept < bytes.len() {
            Err(ErrorKind::StorageFull.into())
        } else {
            Ok(())
        }
    }

    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.disk.operate()?;
        let content = &state.file(self.id)?.cached;
        let there = content.get(position as usize..).unwrap_or_default();
        let count = there.iter().zip(buffer.iter()).count();
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), there.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        let counted = state.count_down();
        let failing = state.failing_syncs > 0;
        if counted.is_err() || failing {
            state.failing_syncs = state.failing_syncs.saturating_sub(1);
            // Without power nothing is forgotten before the crash decides what survives.
            if !matches!(state.fault, Some(Fault::PowerOff(0))) {
                state.file(self.id)?.fail_sync();
            }
            return counted.and(Err(io::Error::other("fsync failed")));
        }
        state.syncs += 1;
        state.file(self.id)?.sync();
        Ok(())
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        if state.failing_truncates > 0 {
            state.failing_truncates -= 1;
            return Err(io::Error::other("truncate failed"));
        }
        state.file(self.id)?.truncate(bytes as usize);
        Ok(())
    }

    fn bytes(&self) -> io::Result<u64> {
        Ok(self.disk.operate()?.file(self.id)?.cached.len() as u64)
    }
}
