//! Answers that are kept, and how long they hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tillwatch_event::MemoryBudget;
use tillwatch_process::SharedCache;

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

/// What the cache itself takes for an answer.
const ENTRY_BYTES: usize = 256;

/// The answers, the least useful of them let go when they take more than is allowed.
#[derive(Debug)]
pub(super) struct KeptAnswers<Q, A>(Arc<SharedCache<Q, Arc<Kept<A>>>>);

impl<Q: Question, A: Answer> KeptAnswers<Q, A> {
    pub(super) fn new(bytes_max: usize, memory: &MemoryBudget) -> Self {
        Self(SharedCache::new(bytes_max as u64, memory))
    }

    pub(super) fn get(&self, question: &Q) -> Option<Arc<Kept<A>>> {
        self.0.get(question)
    }

    /// Keeps an answer, if there is room for it.
    pub(super) fn keep(&self, question: &Q, kept: &Arc<Kept<A>>) {
        let bytes = ENTRY_BYTES + question.bytes() + kept.answer.bytes();
        self.0.insert(question.clone(), Arc::clone(kept), bytes);
    }

    /// How many there are, and their bytes.
    pub(super) fn size(&self) -> (u64, u64) {
        self.0.size()
    }
}
