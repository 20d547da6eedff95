//! What is kept because it may be asked for again, within bytes of its own and the memory that the process shares.

use std::cell::Cell;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tillwatch_event::{MemoryBudget, MemoryPart, MemoryShare, Yielding};

/// Entries that are expected; only the size of the cache's index follows from it.
const ENTRIES_EXPECTED: usize = 1_024;

/// A cache whose least useful entries go when they take more than it is allowed. Its memory is reserved in the budget
/// of the process ([`MemoryPart::Caches`]), and entries give way, whichever they are, when others need it.
pub struct SharedCache<K, V> {
    entries: Cache<K, Held<V>, Bytes>,
    memory: MemoryBudget,
}

/// A value with the memory that is reserved for it.
struct Held<V> {
    value: V,
    share: Arc<MemoryShare>,
}

impl<V: Clone> Clone for Held<V> {
    fn clone(&self) -> Self {
        Self {
            value: self.value.clone(),
            share: Arc::clone(&self.share),
        }
    }
}

#[derive(Debug, Clone)]
struct Bytes;

impl<K, V> Weighter<K, Held<V>> for Bytes {
    fn weight(&self, _: &K, held: &Held<V>) -> u64 {
        held.share.bytes() as u64
    }
}

impl<K, V> fmt::Debug for SharedCache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedCache").finish_non_exhaustive()
    }
}

impl<K, V> Yielding for SharedCache<K, V>
where
    K: Eq + Hash + Clone + Send + Sync,
    V: Clone + Send + Sync,
{
    fn yield_bytes(&self, bytes: usize) {
        let freed = Cell::new(0_usize);
        self.entries.retain(|_, held| {
            let keep = freed.get() >= bytes;
            if !keep {
                freed.set(freed.get() + held.share.bytes());
            }
            keep
        });
    }
}

impl<K, V> SharedCache<K, V>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// An empty cache of at most so many bytes out of `memory`.
    #[must_use]
    pub fn new(bytes_max: u64, memory: &MemoryBudget) -> Arc<Self> {
        // One shard: an entry must not be too large for its shard though the cache has room for it.
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity(ENTRIES_EXPECTED)
            .weight_capacity(bytes_max)
            .build();
        let entries = match options {
            Ok(options) => Cache::with_options(
                options,
                Bytes,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            // Not reached: all it asks for is given.
            Err(_) => Cache::with_weighter(ENTRIES_EXPECTED, bytes_max, Bytes),
        };
        let cache = Arc::new(Self {
            entries,
            memory: memory.clone(),
        });
        let weak = Arc::downgrade(&cache);
        memory.register(weak);
        cache
    }

    /// What is kept under a key.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<V> {
        self.entries.get(key).map(|held| held.value)
    }

    /// Keeps a value that takes so many bytes with its key, if there is room for it.
    pub fn insert(&self, key: K, value: V, bytes: usize) {
        if bytes as u64 > self.entries.capacity() {
            return;
        }
        let reserve = || self.memory.reserve(MemoryPart::Caches, bytes).ok();
        // Without room, what is asked for now is worth more than what was once.
        let share = reserve().or_else(|| {
            self.yield_bytes(bytes);
            reserve()
        });
        if let Some(share) = share {
            let share = Arc::new(share);
            self.entries.insert(key, Held { value, share });
        }
    }

    /// How many entries there are, and their bytes.
    #[must_use]
    pub fn size(&self) -> (u64, u64) {
        (self.entries.len() as u64, self.entries.weight())
    }
}
