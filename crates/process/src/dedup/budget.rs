//! The memory that remembered ids of all streams may take together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A limit on the memory of remembered ids, shared by all streams.
#[derive(Debug)]
pub struct DedupBudget {
    bytes_max: usize,
    bytes: AtomicUsize,
    streams: AtomicUsize,
}

impl DedupBudget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self {
            bytes_max,
            bytes: AtomicUsize::new(0),
            streams: AtomicUsize::new(0),
        })
    }

    /// The limit.
    #[must_use]
    pub fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Bytes that all streams take now.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// One stream's part of a budget, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    budget: Arc<DedupBudget>,
    bytes: usize,
}

impl Share {
    pub(super) fn of(budget: Arc<DedupBudget>) -> Self {
        budget.streams.fetch_add(1, Ordering::Relaxed);
        Self { budget, bytes: 0 }
    }

    /// Says how many bytes the stream takes.
    pub(super) fn set(&mut self, bytes: usize) {
        let total = &self.budget.bytes;
        if bytes > self.bytes {
            total.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else {
            total.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }

    /// Bytes that the stream should come down to; none when it may stay. Only a stream above its equal
    /// share gives way, so that a busy one does not push out the others, and there always is one.
    pub(super) fn target(&self) -> Option<usize> {
        let (total, max) = (self.budget.bytes(), self.budget.bytes_max);
        let streams = self.budget.streams.load(Ordering::Relaxed).max(1);
        if total <= max || self.bytes <= max / streams {
            return None;
        }
        // An eighth below the limit, so that it does not give way for every batch.
        Some(self.bytes.saturating_sub(total - (max - max / 8)))
    }

    /// Ids to write to one file at most, so that what gives way first is old; none while there is room.
    pub(super) fn run_bytes(&self) -> Option<usize> {
        let max = self.budget.bytes_max;
        (self.budget.bytes() > max / 2).then_some(max / 16)
    }

    /// Bytes that all filters of the stream may take.
    pub(super) fn filter_bytes_max(&self) -> usize {
        let streams = self.budget.streams.load(Ordering::Relaxed).max(1);
        self.budget.bytes_max / 2 / streams
    }

    /// Bytes that are still free.
    pub(super) fn free_bytes(&self) -> usize {
        (self.budget.bytes_max - self.budget.bytes_max / 8).saturating_sub(self.budget.bytes())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.budget.streams.fetch_sub(1, Ordering::Relaxed);
    }
}
