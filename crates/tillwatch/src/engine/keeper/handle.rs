//! What others may ask the keeper of history for.

use std::sync::{Arc, PoisonError};

use tillwatch_process::Processor;

use super::{ByHand, LOOK_EVERY, Shared};

/// A way to ask the keeper for something that does not keep it from ending.
#[derive(Clone)]
pub struct KeeperHandle(pub(super) Arc<Shared>);

impl KeeperHandle {
    /// Flushes, and maintains until nothing is left to do, step by step. Waits for nothing. What was asked
    /// for before and is not begun is given up.
    pub fn maintain(&self, by_hand: ByHand) {
        let mut asked = self.0.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let before = asked.replace(by_hand);
        drop(asked);
        self.0.changed.notify_all();
        if let Some(before) = before {
            before.end(Err("something else was asked for".to_owned()));
        }
    }

    /// Keeps all files of history and of the remembered ids from being deleted; waits while the definitions
    /// are being changed. None when the keeper ends, or `go_on` says no. Must not be called on an async
    /// thread.
    #[must_use]
    pub fn hold_deletions(&self, go_on: &dyn Fn() -> bool) -> Option<Held> {
        let mut work = self.0.turn();
        loop {
            if work.stopping || !go_on() {
                return None;
            }
            if let Some(processor) = work.processor.clone() {
                work.holding += 1;
                let shared = Arc::clone(&self.0);
                return Some(Held { shared, processor });
            }
            let waited = self.0.changed.wait_timeout(work, LOOK_EVERY);
            work = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// As long as it lives, nothing of history is deleted.
pub struct Held {
    shared: Arc<Shared>,
    processor: Arc<Processor>,
}

impl Held {
    /// What processed when this began.
    #[must_use]
    pub fn processor(&self) -> &Arc<Processor> {
        &self.processor
    }

    /// Whether it still does.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        let work = self.shared.turn();
        (work.processor.as_ref()).is_some_and(|now| Arc::ptr_eq(now, &self.processor))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.turn().holding -= 1;
        self.shared.changed.notify_all();
    }
}
