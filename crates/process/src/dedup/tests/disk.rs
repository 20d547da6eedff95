//! A simulated disk: what was not synced may be lost, torn or kept out of order when the power fails.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use tillwatch_journal::{LockError, Storage, StorageFile, StorageLock};

/// What a disk keeps or loses as a whole.
const SECTOR_BYTES: usize = 512;

/// A folder on a simulated disk. Clones are the same disk.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<State>>);

#[derive(Default)]
pub struct State {
    files: Vec<FileState>,
    names: BTreeMap<String, usize>,
    stable_names: BTreeMap<String, usize>,
    pending_names: Vec<(String, Option<usize>)>,
    pub operations: u64,
    /// After so many operations the power is off.
    pub operations_max: Option<u64>,
    /// The room on the disk.
    pub bytes_max: Option<usize>,
    pub failing_syncs: u64,
    pub failing_folder_syncs: u64,
    pub failing_reads: u64,
}

#[derive(Default)]
struct FileState {
    cached: Vec<u8>,
    stable: Vec<u8>,
    pending: Vec<(usize, Vec<u8>)>,
}

impl Disk {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Cuts the power: of everything not synced some sectors survive, chosen by `seed`.
    pub fn crash(&self, seed: u64) {
        let mut random = Random(seed);
        let mut state = self.state();
        let keep = [0, 20, 50, 80, 100][random.below(5)];
        for (name, id) in std::mem::take(&mut state.pending_names) {
            if random.below(100) < keep {
                match id {
                    Some(id) => state.stable_names.insert(name, id),
                    None => state.stable_names.remove(&name),
                };
            }
        }
        state.names = state.stable_names.clone();
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
        state.operations_max = None;
        state.bytes_max = None;
    }

    pub fn is_off(&self) -> bool {
        let state = self.state();
        state
            .operations_max
            .is_some_and(|max| state.operations >= max)
    }

    pub fn names(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }

    pub fn content(&self, name: &str) -> Vec<u8> {
        let state = self.state();
        state.files[state.names[name]].cached.clone()
    }

    pub fn set_content(&self, name: &str, bytes: &[u8]) {
        let mut state = self.state();
        let id = state.names[name];
        bytes.clone_into(&mut state.files[id].cached);
    }

    /// For an operation that changes something; only these are counted.
    fn operate(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.look()?;
        state.operations += 1;
        Ok(state)
    }

    fn look(&self) -> io::Result<MutexGuard<'_, State>> {
        if self.is_off() {
            return Err(io::Error::other("the power is off"));
        }
        Ok(self.state())
    }

    fn file(&self, id: usize) -> Box<dyn StorageFile> {
        Box::new(DiskFile {
            disk: self.clone(),
            id,
        })
    }
}

fn write(content: &mut Vec<u8>, position: usize, bytes: &[u8]) {
    let end = position + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[position..end].copy_from_slice(bytes);
}

impl Storage for Disk {
    fn lock(&self) -> Result<Box<dyn StorageLock>, LockError> {
        Err(LockError::Held(None))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.look()?.names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let mut state = self.operate()?;
        if state.names.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let id = state.files.len();
        state.files.push(FileState::default());
        state.names.insert(name.to_owned(), id);
        state.pending_names.push((name.to_owned(), Some(id)));
        Ok(self.file(id))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let id = *self.look()?.names.get(name).ok_or(ErrorKind::NotFound)?;
        Ok(self.file(id))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.operate()?;
        state.names.remove(name).ok_or(ErrorKind::NotFound)?;
        state.pending_names.push((name.to_owned(), None));
        Ok(())
    }

    fn rename(&self, _from: &str, _to: &str) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.operate()?;
        if state.failing_folder_syncs > 0 {
            state.failing_folder_syncs -= 1;
            return Err(io::Error::other("fsync failed"));
        }
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
        let used: usize = (state.names.values())
            .map(|id| state.files[*id].cached.len())
            .sum();
        let position = position as usize;
        let grows = (position + bytes.len()).saturating_sub(state.files[self.id].cached.len());
        if state.bytes_max.is_some_and(|max| used + grows > max) {
            return Err(ErrorKind::StorageFull.into());
        }
        let file = &mut state.files[self.id];
        write(&mut file.cached, position, bytes);
        file.pending.push((position, bytes.to_vec()));
        Ok(())
    }

    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.disk.look()?;
        if state.failing_reads > 0 {
            state.failing_reads -= 1;
            return Err(io::Error::other("the controller went away"));
        }
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
            // The unsynced data counts as clean afterwards, as on Linux.
            state.files[self.id].pending.clear();
            return Err(io::Error::other("fsync failed"));
        }
        let file = &mut state.files[self.id];
        for (position, bytes) in std::mem::take(&mut file.pending) {
            write(&mut file.stable, position, &bytes);
        }
        Ok(())
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.disk.operate()?.files[self.id]
            .cached
            .truncate(bytes as usize);
        Ok(())
    }

    fn bytes(&self) -> io::Result<u64> {
        Ok(self.disk.look()?.files[self.id].cached.len() as u64)
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}
