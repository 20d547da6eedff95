//! Answers that are kept, and how long they hold.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tillwatch_event::{MemoryBudget, MemoryPart, MemoryShare, Yielding};

use super::{Answer, Question};
use crate::source::Changing;

/// An answer, and up to which version it is known to hold.
#[derive(Debug)]
pub(super) struct Kept<A> {
    answer: Arc<A>,
    read_us: (i64, i64),
    holds_to: AtomicU64,
    /// How often buckets had been joined or removed when it was begun.
    reshaped: u64,
}

impl<A: Answer> Kept<A> {
    pub(super) fn new(answer: A, reshaped: u64) -> Self {
        Self {
            read_us: answer.read_us(),
            holds_to: AtomicU64::new(answer.version()),
            answer: Arc::new(answer),
            reshaped,
        }
    }

    pub(super) fn answer(&self) -> Arc<A> {
        Arc::clone(&self.answer)
    }

    /// Whether it has everything up to a version.
    pub(super) fn is_as_new_as(&self, version: u64) -> bool {
        self.holds_to.load(Ordering::Acquire) >= version
    }

    /// Whether nothing that it reads has changed.
    pub(super) fn holds(&self, cube: &dyn Changing) -> bool {
        let (reshaped, before_us) = cube.reshaped();
        let (from_us, to_us) = self.read_us;
        if reshaped != self.reshaped && from_us < before_us {
            return false;
        }
        // Read before the changes, so that none between the two is taken for seen.
        let version = cube.version();
        let changed = cube.changed_since(self.holds_to.load(Ordering::Acquire));
        let holds =
            changed.is_none_or(|(first_us, last_us)| last_us < from_us || first_us >= to_us);
        if holds {
            // Only so many changes are remembered: the next to ask need not look as far back.
            self.holds_to.fetch_max(version, Ordering::AcqRel);
        }
        holds
    }
}

/// Questions that are expected; only the size of the cache's index follows from it.
const QUESTIONS_EXPECTED: usize = 1_024;

/// What the cache itself takes for an answer.
const ENTRY_BYTES: usize = 256;

/// The answers, the least useful of them let go when they take more than is allowed. They share the memory of
/// the process, and give way when others need it.
#[derive(Debug)]
pub(super) struct KeptAnswers<Q, A> {
    answers: Cache<Q, Held<A>, Bytes>,
    memory: MemoryBudget,
}

/// An answer with the memory that is reserved for it.
#[derive(Debug)]
struct Held<A> {
    kept: Arc<Kept<A>>,
    share: Arc<MemoryShare>,
}

impl<A> Clone for Held<A> {
    fn clone(&self) -> Self {
        Self {
            kept: Arc::clone(&self.kept),
            share: Arc::clone(&self.share),
        }
    }
}

#[derive(Debug, Clone)]
struct Bytes;

impl<Q, A> Weighter<Q, Held<A>> for Bytes {
    fn weight(&self, _: &Q, held: &Held<A>) -> u64 {
        held.share.bytes() as u64
    }
}

impl<Q: Question, A: Answer> Yielding for KeptAnswers<Q, A> {
    fn yield_bytes(&self, bytes: usize) {
        let freed = Cell::new(0_usize);
        self.answers.retain(|_, held| {
            let keep = freed.get() >= bytes;
            if !keep {
                freed.set(freed.get() + held.share.bytes());
            }
            keep
        });
    }
}

impl<Q: Question, A: Answer> KeptAnswers<Q, A> {
    pub(super) fn new(bytes_max: usize, memory: &MemoryBudget) -> Arc<Self> {
        let bytes_max = bytes_max as u64;
        // One shard: an answer must not be too large for its shard though the cache has room for it.
        let options = OptionsBuilder::new()
            .shards(1)
            .estimated_items_capacity(QUESTIONS_EXPECTED)
            .weight_capacity(bytes_max)
            .build();
        let cache = match options {
            Ok(options) => Cache::with_options(
                options,
                Bytes,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            // Not reached: all it asks for is given.
            Err(_) => Cache::with_weighter(QUESTIONS_EXPECTED, bytes_max, Bytes),
        };
        let cache = Arc::new(Self {
            answers: cache,
            memory: memory.clone(),
        });
        let weak = Arc::downgrade(&cache);
        memory.register(weak);
        cache
    }

    pub(super) fn get(&self, question: &Q) -> Option<Arc<Kept<A>>> {
        self.answers.get(question).map(|held| held.kept)
    }

    /// Keeps an answer, if there is room for it.
    pub(super) fn keep(&self, question: &Q, kept: &Arc<Kept<A>>) {
        let bytes = ENTRY_BYTES + question.bytes() + kept.answer.bytes();
        if bytes as u64 > self.answers.capacity() {
            return;
        }
        let reserve = || self.memory.reserve(MemoryPart::Caches, bytes).ok();
        // Without room, what is asked for now is worth more than what was once.
        let share = reserve().or_else(|| {
            self.yield_bytes(bytes);
            reserve()
        });
        let Some(share) = share else {
            return;
        };
        let held = Held {
            kept: Arc::clone(kept),
            share: Arc::new(share),
        };
        self.answers.insert(question.clone(), held);
    }

    /// How many there are, and their bytes.
    pub(super) fn size(&self) -> (u64, u64) {
        (self.answers.len() as u64, self.answers.weight())
    }
}
