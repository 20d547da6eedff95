//! The memory of the process, shared by the parts that take much of it.
//!
//! One budget, of which parts reserve what they hold: ingest its bodies, buffers and queue, queries their
//! groupings and answers, caches what they keep. What stays (cubes, remembered ids, the index) is not
//! reserved but measured, and so is what nobody else accounts for; both lower what the others may take.
//!
//! Ingest and queries each have a part of what is left that the other cannot take. Caches have none, and
//! give way when others need room.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Who holds memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryPart {
    /// Bodies, decoding, and what waits for the journal.
    Ingest,
    /// What queries and their answers hold.
    Queries,
    /// What is kept to answer faster; it gives way.
    Caches,
    /// The states of the cubes. Measured.
    Cubes,
    /// Ids remembered against duplicates. Measured.
    Dedup,
    /// The index over the journal. Measured.
    Index,
    /// What the process holds besides: its code, stacks, and memory the allocator has not given back. Measured.
    Other,
}

impl MemoryPart {
    /// All of them, in the order of [`MemoryStatus::parts`].
    pub const ALL: [Self; 7] = [
        Self::Ingest,
        Self::Queries,
        Self::Caches,
        Self::Cubes,
        Self::Dedup,
        Self::Index,
        Self::Other,
    ];

    /// Its name in status documents and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Queries => "queries",
            Self::Caches => "caches",
            Self::Cubes => "cubes",
            Self::Dedup => "dedup",
            Self::Index => "index",
            Self::Other => "other",
        }
    }

    /// Whether it is measured, and not reserved.
    #[must_use]
    pub fn is_measured(self) -> bool {
        matches!(self, Self::Cubes | Self::Dedup | Self::Index | Self::Other)
    }

    /// Whether it has a part of its own that no other can take.
    fn has_part(self) -> bool {
        matches!(self, Self::Ingest | Self::Queries)
    }
}

/// What each of ingest and queries has for itself, as a divisor of what is left by what stays.
const OWN_PART: usize = 4;

/// And at least, as a divisor of the whole: a server whose cubes have filled the budget still says so.
const OWN_PART_LEAST: usize = 32;

/// There is no room for this now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the memory for {} is used up: {bytes} bytes more were asked for, and {} of {bytes_max} are taken (memory.bytes_max)",
    .part.name(), .taken_bytes
)]
pub struct MemoryShort {
    /// Who asked.
    pub part: MemoryPart,
    /// Bytes asked for.
    pub bytes: usize,
    /// Bytes that all parts hold.
    pub taken_bytes: usize,
    /// The budget.
    pub bytes_max: usize,
}

/// A cache that gives way.
pub trait Yielding: Send + Sync {
    /// Lets go of about `bytes` bytes, by dropping or shrinking its [`MemoryShare`]s. It must not wait, and
    /// must not reserve.
    fn yield_bytes(&self, bytes: usize);
}

/// The budget. Clones are handles to the same.
#[derive(Clone)]
pub struct MemoryBudget {
    inner: Arc<Inner>,
}

struct Inner {
    bytes_max: usize,
    state: Mutex<State>,
    yielding: Mutex<Vec<Weak<dyn Yielding>>>,
}

#[derive(Default)]
struct State {
    held: [usize; MemoryPart::ALL.len()],
    refused: [u64; MemoryPart::ALL.len()],
}

impl State {
    fn held(&self, part: MemoryPart) -> usize {
        self.held.get(part as usize).copied().unwrap_or(0)
    }

    fn set(&mut self, part: MemoryPart, bytes: usize) {
        if let Some(held) = self.held.get_mut(part as usize) {
            *held = bytes;
        }
    }

    fn total(&self) -> usize {
        self.held
            .iter()
            .fold(0, |sum, held| sum.saturating_add(*held))
    }

    /// What is left by what stays.
    fn left(&self, bytes_max: usize) -> usize {
        let stays = MemoryPart::ALL
            .into_iter()
            .filter(|part| part.is_measured())
            .fold(0, |sum: usize, part| sum.saturating_add(self.held(part)));
        bytes_max.saturating_sub(stays)
    }

    /// How many bytes are missing for `part` to hold `bytes` more; 0 when it may.
    fn missing(&self, part: MemoryPart, bytes: usize, bytes_max: usize) -> usize {
        let left = self.left(bytes_max);
        let own = (left / OWN_PART).max(bytes_max / OWN_PART_LEAST);
        let mine = self.held(part).saturating_add(bytes);
        if part.has_part() && mine <= own {
            return 0;
        }
        let others = MemoryPart::ALL
            .into_iter()
            .filter(|other| *other != part && !other.is_measured())
            .map(|other| {
                let held = self.held(other);
                if other.has_part() {
                    held.max(own)
                } else {
                    held
                }
            })
            .fold(0, usize::saturating_add);
        mine.saturating_add(others).saturating_sub(left)
    }
}

/// What each part holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryStatus {
    /// The budget.
    pub bytes_max: usize,
    /// What all parts hold.
    pub bytes: usize,
    /// Per part, in the order of [`MemoryPart::ALL`].
    pub parts: Vec<MemoryPartStatus>,
}

/// What one part holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryPartStatus {
    /// Which.
    pub part: MemoryPart,
    /// Bytes it holds.
    pub bytes: usize,
    /// How often it was refused more, since start.
    pub refused: u64,
}

impl MemoryBudget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self {
            inner: Arc::new(Inner {
                bytes_max,
                state: Mutex::default(),
                yielding: Mutex::default(),
            }),
        }
    }

    /// A budget that never refuses: for tools that do one thing and end.
    #[must_use]
    pub fn unbounded() -> Self {
        Self::new(usize::MAX)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let state = self.inner.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// The budget in bytes.
    #[must_use]
    pub fn bytes_max(&self) -> usize {
        self.inner.bytes_max
    }

    /// Takes `bytes` for a part until the share is dropped.
    ///
    /// # Errors
    /// [`MemoryShort`], also after caches were asked to give way.
    pub fn reserve(&self, part: MemoryPart, bytes: usize) -> Result<MemoryShare, MemoryShort> {
        let mut share = self.share(part);
        share.grow(bytes)?;
        Ok(share)
    }

    /// An empty share that can grow.
    #[must_use]
    pub fn share(&self, part: MemoryPart) -> MemoryShare {
        MemoryShare {
            budget: self.clone(),
            part,
            bytes: 0,
        }
    }

    fn take(&self, part: MemoryPart, bytes: usize) -> Result<(), MemoryShort> {
        let missing = match self.try_take(part, bytes) {
            Ok(()) => return Ok(()),
            Err(missing) => missing,
        };
        if part != MemoryPart::Caches {
            // Without the lock on the state: whoever yields gives back through it.
            self.ask_caches(missing);
            if self.try_take(part, bytes).is_ok() {
                return Ok(());
            }
        }
        let mut state = self.state();
        if let Some(refused) = state.refused.get_mut(part as usize) {
            *refused += 1;
        }
        Err(MemoryShort {
            part,
            bytes,
            taken_bytes: state.total(),
            bytes_max: self.inner.bytes_max,
        })
    }

    fn try_take(&self, part: MemoryPart, bytes: usize) -> Result<(), usize> {
        let mut state = self.state();
        match state.missing(part, bytes, self.inner.bytes_max) {
            0 => {
                let held = state.held(part).saturating_add(bytes);
                state.set(part, held);
                Ok(())
            }
            missing => Err(missing),
        }
    }

    /// Asks one cache after the other until together they have let go of enough.
    fn ask_caches(&self, bytes: usize) {
        let caches: Vec<_> = {
            let yielding = self.inner.yielding.lock();
            let mut yielding = yielding.unwrap_or_else(PoisonError::into_inner);
            yielding.retain(|cache| cache.strong_count() > 0);
            yielding.iter().filter_map(Weak::upgrade).collect()
        };
        let before = self.state().held(MemoryPart::Caches);
        for cache in caches {
            let now = self.state().held(MemoryPart::Caches);
            let freed = before.saturating_sub(now);
            if freed >= bytes {
                break;
            }
            cache.yield_bytes(bytes - freed);
        }
    }

    /// Registers a cache that gives way. It is forgotten when it is dropped.
    pub fn register(&self, cache: Weak<dyn Yielding>) {
        let yielding = self.inner.yielding.lock();
        yielding.unwrap_or_else(PoisonError::into_inner).push(cache);
    }

    /// Says what a measured part holds now; of a part that reserves nothing changes.
    pub fn measured(&self, part: MemoryPart, bytes: usize) {
        if part.is_measured() {
            self.state().set(part, bytes);
        }
    }

    /// Says what the whole process holds now: what no part accounts for is [`MemoryPart::Other`].
    pub fn measured_process(&self, resident_bytes: usize) {
        let mut state = self.state();
        let known = state.total().saturating_sub(state.held(MemoryPart::Other));
        state.set(MemoryPart::Other, resident_bytes.saturating_sub(known));
    }

    /// What each part holds.
    #[must_use]
    pub fn status(&self) -> MemoryStatus {
        let state = self.state();
        MemoryStatus {
            bytes_max: self.inner.bytes_max,
            bytes: state.total(),
            parts: MemoryPart::ALL
                .into_iter()
                .map(|part| MemoryPartStatus {
                    part,
                    bytes: state.held(part),
                    refused: state.refused.get(part as usize).copied().unwrap_or(0),
                })
                .collect(),
        }
    }
}

/// Unbounded.
impl Default for MemoryBudget {
    fn default() -> Self {
        Self::unbounded()
    }
}

impl std::fmt::Debug for MemoryBudget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryBudget")
            .field("bytes_max", &self.inner.bytes_max)
            .finish_non_exhaustive()
    }
}

/// Memory that a part holds; given back when dropped.
#[derive(Debug)]
pub struct MemoryShare {
    budget: MemoryBudget,
    part: MemoryPart,
    bytes: usize,
}

impl MemoryShare {
    /// Takes `bytes` more.
    ///
    /// # Errors
    /// [`MemoryShort`]; then it is as large as before.
    pub fn grow(&mut self, bytes: usize) -> Result<(), MemoryShort> {
        self.budget.take(self.part, bytes)?;
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }

    /// Takes `bytes` more even when there is no room: for what is held already and cannot be refused.
    pub fn force(&mut self, bytes: usize) {
        let mut state = self.budget.state();
        let held = state.held(self.part).saturating_add(bytes);
        state.set(self.part, held);
        drop(state);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Gives back `bytes`, or all it has if that is less.
    pub fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        let mut state = self.budget.state();
        let held = state.held(self.part).saturating_sub(bytes);
        state.set(self.part, held);
    }

    /// Bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for MemoryShare {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}

#[cfg(test)]
mod tests;
