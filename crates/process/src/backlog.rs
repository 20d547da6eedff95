//! Events that were taken and are not in the cubes yet.
//!
//! What partial aggregation costs depends on how many states it makes, and one large batch makes fewer than
//! many small ones. So new events wait until there are enough of them, or until somebody asks for figures:
//! who reads a cube has them aggregated first, and sees every event that was acknowledged before.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::engine::Engine;
use crate::processor::Writers;
use crate::writer::BATCH_ROWS_MAX;

/// What the processing thread has, and whether something of it waits.
pub(crate) struct Backlog {
    engine: Engine,
    writers: Mutex<Writers>,
    /// Set under the lock before events are taken, and cleared under it when none wait any more.
    waits: AtomicBool,
    bytes_max: usize,
}

impl std::fmt::Debug for Backlog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backlog")
            .field("waits", &self.waits)
            .finish_non_exhaustive()
    }
}

impl Backlog {
    pub(crate) fn new(engine: Engine, writers: Writers, bytes_max: usize) -> Self {
        Self {
            engine,
            writers: Mutex::new(writers),
            waits: AtomicBool::new(false),
            bytes_max,
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What the processing thread has, with everything aggregated. Cubes may be read meanwhile.
    pub(crate) fn writers(&self) -> MutexGuard<'_, Writers> {
        let mut writers = self.lock();
        self.aggregate(&mut writers);
        writers
    }

    /// What the processing thread has, without what waits being aggregated: for whoever needs neither the cubes nor
    /// what was counted of derived columns.
    pub(crate) fn writers_unsettled(&self) -> MutexGuard<'_, Writers> {
        self.lock()
    }

    /// Aggregates what waits, if something does.
    pub(crate) fn settle(&self) {
        if self.waits.load(Ordering::Acquire) {
            drop(self.writers());
        }
    }

    /// What the processing thread has, to take events into. Cubes must not be read meanwhile.
    pub(crate) fn take(&self) -> MutexGuard<'_, Writers> {
        let writers = self.lock();
        self.waits.store(true, Ordering::Release);
        writers
    }

    /// Ends [`Self::take`]: what was taken is aggregated when there is enough of it, or `at_once`.
    pub(crate) fn taken(&self, mut writers: MutexGuard<'_, Writers>, at_once: bool) {
        if let Some(upto) = writers.applied {
            let by_stream = writers.by_stream.values_mut();
            by_stream.for_each(|writer| writer.tell_changes(upto));
        }
        let pending = writers.by_stream.values().map(|writer| writer.pending());
        let enough = pending.fold((false, 0), |(full, bytes), (more_rows, more_bytes)| {
            (full || more_rows >= BATCH_ROWS_MAX, bytes + more_bytes)
        });
        if at_once || enough.0 || enough.1 >= self.bytes_max {
            self.aggregate(&mut writers);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Writers> {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn aggregate(&self, writers: &mut Writers) {
        if !self.waits.load(Ordering::Acquire) {
            return;
        }
        if let Some(upto) = writers.applied {
            writers.aggregate(&self.engine, upto);
        }
        self.waits.store(false, Ordering::Release);
    }
}
