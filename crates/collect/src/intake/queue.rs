//! Jobs and the quota that bounds them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;

use super::prepare::Prepared;
use super::{IntakeError, IntakeLimits, Receipt};

/// What a caller waits for.
pub(super) type Answer = oneshot::Receiver<Result<Receipt, IntakeError>>;

/// One request on its way.
pub(super) struct Job {
    pub(super) prepared: Prepared,
    pub(super) reply: Reply,
}

/// Answers a caller; what the request took of the quota is given back with it.
pub(super) struct Reply {
    answer: oneshot::Sender<Result<Receipt, IntakeError>>,
    ticket: Ticket,
}

impl Job {
    pub(super) fn new(prepared: Prepared, ticket: Ticket) -> (Self, Answer) {
        let (answer, receiver) = oneshot::channel();
        (
            Self {
                prepared,
                reply: Reply { answer, ticket },
            },
            receiver,
        )
    }
}

impl Reply {
    pub(super) fn send(self, outcome: Result<Receipt, IntakeError>) {
        // Room is given back first: a caller who sends again at once must find it.
        drop(self.ticket);
        // A caller who went away does not matter: its events are durable or not either way.
        let _ = self.answer.send(outcome);
    }
}

/// How much is taken and not yet answered.
pub(super) struct Quota {
    bytes: AtomicUsize,
    batches: AtomicUsize,
    bytes_max: usize,
    batches_max: usize,
    retry_after: Duration,
}

/// A share of the quota, given back when dropped.
pub(super) struct Ticket {
    quota: Arc<Quota>,
    bytes: usize,
}

impl Quota {
    pub(super) fn new(limits: &IntakeLimits) -> Self {
        Self {
            bytes: AtomicUsize::new(0),
            batches: AtomicUsize::new(0),
            bytes_max: limits.queue_bytes_max,
            batches_max: limits.queue_batches_max.max(1),
            retry_after: Duration::from_millis(limits.retry_after_ms),
        }
    }

    pub(super) fn take(self: &Arc<Self>, bytes: usize) -> Result<Ticket, IntakeError> {
        if bytes > self.bytes_max {
            return Err(IntakeError::TooLarge {
                bytes,
                bytes_max: self.bytes_max,
            });
        }
        let batches = self.batches.fetch_add(1, Ordering::AcqRel) + 1;
        let total = self.bytes.fetch_add(bytes, Ordering::AcqRel) + bytes;
        let ticket = Ticket {
            quota: Arc::clone(self),
            bytes,
        };
        if batches > self.batches_max {
            return Err(self.overloaded(format!("{} requests wait", self.batches_max)));
        }
        if total > self.bytes_max {
            return Err(self.overloaded(format!("{} bytes wait", total - bytes)));
        }
        Ok(ticket)
    }

    fn overloaded(&self, reason: String) -> IntakeError {
        IntakeError::Overloaded {
            reason,
            retry_after: self.retry_after,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Acquire)
    }

    pub(super) fn batches(&self) -> usize {
        self.batches.load(Ordering::Acquire)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.quota.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        self.quota.batches.fetch_sub(1, Ordering::AcqRel);
    }
}
