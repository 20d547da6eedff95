//! The ids in memory: a hash table that is sorted.
//!
//! An entry's place is its hash scaled to the table, and of two entries the smaller one always stands
//! first (linear probing with ordered entries). So a miss ends at the first larger entry, the table can
//! be filled to five sixths, walking it gives sorted runs without sorting, and what is read from a sorted
//! run goes in from left to right. It is cut into [`PARTITIONS`] by the top byte of the hash, so that
//! growing or sweeping one is a short pause and needs little room beside it.

use super::generation::{LOW_BITS, UNWRITTEN};

pub(super) const PARTITIONS: usize = 256;
/// Slots behind the last home place, for what does not fit before it.
const OVERFLOW: usize = 16;
const HOMES_MIN: usize = 16;
const EMPTY: u128 = 0;

/// The ids of one stream in memory.
#[derive(Debug)]
pub(super) struct Table {
    partitions: Vec<Partition>,
    len: usize,
    slots: usize,
    unwritten: usize,
}

#[derive(Debug, Default)]
struct Partition {
    /// Sorted, with empty slots in between.
    slots: Vec<u128>,
    /// Slots that can be an entry's home place.
    homes: usize,
    len: usize,
}

impl Table {
    /// A table with room for so many ids.
    pub(super) fn with_room(ids: usize) -> Self {
        let mut table = Self {
            partitions: (0..PARTITIONS).map(|_| Partition::default()).collect(),
            len: 0,
            slots: 0,
            unwritten: 0,
        };
        if ids > 0 {
            let each = ids / PARTITIONS + 1;
            for (index, partition) in table.partitions.iter_mut().enumerate() {
                partition.resize(homes_for(each, index));
                table.slots += partition.slots.len();
            }
        }
        table
    }

    /// Entries, dead ones not yet swept included.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Entries that no file has.
    pub(super) fn unwritten(&self) -> usize {
        self.unwritten
    }

    pub(super) fn bytes(&self) -> usize {
        self.slots * size_of::<u128>() + self.partitions.len() * size_of::<Partition>()
    }

    /// Reads the place where an entry would be, so that the processor fetches many at once: what
    /// looking up costs is waiting for memory.
    pub(super) fn touch(&self, entry: u128) -> u128 {
        let Some(partition) = self.partitions.get(partition_of(entry)) else {
            return 0;
        };
        let home = partition.home(entry);
        partition.slots.get(home).copied().unwrap_or(EMPTY)
    }

    /// The entry of that id.
    pub(super) fn get(&self, entry: u128) -> Option<u128> {
        let partition = self.partitions.get(partition_of(entry))?;
        let at = partition.locate(entry).ok()?;
        partition.slots.get(at).copied()
    }

    /// Puts an entry in unless its id has one for which `keep` holds; `false` then.
    pub(super) fn put(&mut self, entry: u128, keep: impl Fn(u128) -> bool) -> bool {
        let index = partition_of(entry);
        let Some(partition) = self.partitions.get_mut(index) else {
            return true;
        };
        match partition.locate(entry) {
            Ok(at) => {
                let Some(slot) = partition.slots.get_mut(at) else {
                    return true;
                };
                if keep(*slot) {
                    return false;
                }
                self.unwritten -= usize::from(*slot & UNWRITTEN != 0);
                *slot = entry;
            }
            Err(at) => {
                let before = partition.slots.len();
                partition.insert_at(at, entry, index);
                self.slots = self.slots + partition.slots.len() - before;
                self.len += 1;
            }
        }
        self.unwritten += usize::from(entry & UNWRITTEN != 0);
        true
    }

    /// Keeps of some partitions what `keep` holds for.
    pub(super) fn retain(
        &mut self,
        partitions: impl IntoIterator<Item = usize>,
        mut keep: impl FnMut(u128) -> bool,
    ) {
        for index in partitions {
            self.retain_in(index, &mut keep);
        }
    }

    fn retain_in(&mut self, index: usize, keep: &mut impl FnMut(u128) -> bool) {
        let Some(partition) = self.partitions.get_mut(index) else {
            return;
        };
        let (mut left, mut unwritten_gone) = (0, 0);
        let old = std::mem::take(&mut partition.slots);
        self.slots -= old.len();
        self.len -= partition.len;
        let mut kept = Vec::with_capacity(partition.len);
        for entry in old.iter().copied().filter(|entry| *entry != EMPTY) {
            if keep(entry) {
                kept.push(entry);
                left += 1;
            } else if entry & UNWRITTEN != 0 {
                unwritten_gone += 1;
            }
        }
        if left == partition.len {
            partition.slots = old;
        } else {
            drop(old);
            partition.fill(kept, index);
        }
        self.slots += partition.slots.len();
        self.len += partition.len;
        self.unwritten -= unwritten_gone;
    }

    /// Takes out what a sorted run has too: the same id of the same generation. `next` gives the run's
    /// entries, ascending.
    ///
    /// # Errors
    /// Those of `next`; what it gave before is out then.
    pub(super) fn subtract<E>(
        &mut self,
        mut next: impl FnMut() -> Result<Option<u128>, E>,
    ) -> Result<(), E> {
        let mut fault = None;
        let mut head = next()?;
        for index in 0..PARTITIONS {
            self.retain_in(index, &mut |entry| {
                while let Some(other) = head
                    && fault.is_none()
                    && other & !LOW_BITS < entry & !LOW_BITS
                {
                    match next() {
                        Ok(following) => head = following,
                        Err(error) => fault = Some(error),
                    }
                }
                // The bit of an entry that no file has is set, so such an entry differs.
                fault.is_some() || head != Some(entry)
            });
            if fault.is_some() || head.is_none() {
                break;
            }
        }
        fault.map_or(Ok(()), Err)
    }

    /// All entries, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = u128> {
        self.partitions
            .iter()
            .flat_map(|partition| partition.slots.iter().copied())
            .filter(|entry| *entry != EMPTY)
    }

    /// Notes that a file has all entries.
    pub(super) fn written(&mut self) {
        for slot in self.partitions.iter_mut().flat_map(|p| p.slots.iter_mut()) {
            *slot &= !UNWRITTEN;
        }
        self.unwritten = 0;
    }
}

impl Partition {
    fn home(&self, entry: u128) -> usize {
        // The 64 bits below those that choose the partition, scaled.
        let hash = (entry >> 56) as u64;
        ((u128::from(hash) * self.homes as u128) >> 64) as usize
    }

    /// Where the id's entry is, or else where it belongs.
    fn locate(&self, entry: u128) -> Result<usize, usize> {
        let home = self.home(entry);
        let tail = self.slots.get(home..).unwrap_or_default();
        for (at, slot) in tail.iter().enumerate() {
            if (*slot ^ entry) <= LOW_BITS {
                return Ok(home + at);
            }
            if *slot == EMPTY || *slot > entry {
                return Err(home + at);
            }
        }
        Err(self.slots.len())
    }

    fn insert_at(&mut self, mut at: usize, entry: u128, index: usize) {
        self.len += 1;
        // Five sixths full: the next slot is some steps away, a miss ends after three.
        if self.len * 6 > self.homes * 5 {
            let old = std::mem::take(&mut self.slots);
            self.resize(homes_for(self.len, index));
            place(&mut self.slots, self.homes, old.into_iter());
            at = self.locate(entry).unwrap_or_else(|at| at);
        }
        let tail = self.slots.get(at..).unwrap_or_default();
        let empty = match tail.iter().position(|slot| *slot == EMPTY) {
            Some(steps) => at + steps,
            None => {
                let end = self.slots.len();
                self.slots.reserve_exact(OVERFLOW);
                self.slots.resize(end + OVERFLOW, EMPTY);
                end
            }
        };
        self.slots.copy_within(at..empty, at + 1);
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = entry;
        }
    }

    /// Sets all entries anew.
    fn fill(&mut self, entries: Vec<u128>, index: usize) {
        self.len = entries.len();
        self.resize(homes_for(self.len, index));
        place(&mut self.slots, self.homes, entries.into_iter());
    }

    /// Empty slots for so many home places.
    fn resize(&mut self, homes: usize) {
        self.homes = homes;
        self.slots = vec![EMPTY; if homes == 0 { 0 } else { homes + OVERFLOW }];
    }
}

/// Puts sorted entries into empty slots, each as near behind its home as the ones before let it.
fn place(slots: &mut Vec<u128>, homes: usize, entries: impl Iterator<Item = u128>) {
    let mut next = 0;
    for entry in entries.filter(|entry| *entry != EMPTY) {
        let hash = (entry >> 56) as u64;
        let at = next.max(((u128::from(hash) * homes as u128) >> 64) as usize);
        if at >= slots.len() {
            slots.reserve_exact(OVERFLOW);
            slots.resize(at + OVERFLOW, EMPTY);
        }
        if let Some(slot) = slots.get_mut(at) {
            *slot = entry;
        }
        next = at + 1;
    }
}

fn partition_of(entry: u128) -> usize {
    (entry >> 120) as usize
}

/// Home places for entries, so that these fill from 57 to 71 % of them: partitions fill alike, and so grow
/// each at another time.
fn homes_for(len: usize, index: usize) -> usize {
    if len == 0 {
        return 0;
    }
    // Neighbours differ by the golden ratio, so that any number of them is spread evenly.
    let spread = index.wrapping_mul(159) % PARTITIONS;
    let thousandths = 1_400 + 350 * spread / PARTITIONS;
    (len.saturating_mul(thousandths) / 1_000).max(HOMES_MIN)
}
