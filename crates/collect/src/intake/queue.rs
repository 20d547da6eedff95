//! Jobs, the quota that bounds them, and the queue they wait in.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tillwatch_event::{MemoryBudget, MemoryPart, MemoryShare};
use tillwatch_journal::Offset;
use tokio::sync::oneshot;

use super::drain::DrainRate;
use super::lanes::Lanes;
use super::prepare::Prepared;
use super::shares::{FairShares, Refusal};
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

/// How much is taken and not yet answered, shared fairly between streams.
pub(super) struct Quota {
    taken: Mutex<Taken>,
    /// What all parts of the process share; unbounded until told.
    memory: OnceLock<MemoryBudget>,
    started: Instant,
    retry_after: Duration,
    retry_after_max: Duration,
}

struct Taken {
    bytes: FairShares,
    batches: FairShares,
    /// Per stream, which are as many as were ever defined.
    drained: BTreeMap<Arc<str>, DrainRate>,
    bytes_high: usize,
}

/// A share of the quota, given back when dropped.
pub(super) struct Ticket {
    quota: Arc<Quota>,
    stream: Arc<str>,
    bytes: usize,
    _memory: Option<MemoryShare>,
}

impl Quota {
    pub(super) fn new(limits: &IntakeLimits) -> Self {
        let retry_after = Duration::from_millis(limits.retry_after_ms);
        Self {
            taken: Mutex::new(Taken {
                bytes: FairShares::new(limits.queue_bytes_max),
                batches: FairShares::new(limits.queue_batches_max.max(1)),
                drained: BTreeMap::new(),
                bytes_high: 0,
            }),
            memory: OnceLock::new(),
            started: Instant::now(),
            retry_after,
            retry_after_max: Duration::from_millis(limits.retry_after_max_ms).max(retry_after),
        }
    }

    /// What is taken counts against a budget from now on; the first one told stays.
    pub(super) fn set_memory(&self, memory: MemoryBudget) {
        // A second one would leave tickets of the first behind, and nobody has two.
        let _ = self.memory.set(memory);
    }

    pub(super) fn memory(&self) -> MemoryBudget {
        let told = self.memory.get().cloned();
        told.unwrap_or_else(MemoryBudget::unbounded)
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_streams(&self, streams: usize) {
        let mut taken = self.taken();
        taken.bytes.set_streams(streams);
        taken.batches.set_streams(streams);
    }

    pub(super) fn take(
        self: &Arc<Self>,
        stream: &Arc<str>,
        bytes: usize,
    ) -> Result<Ticket, IntakeError> {
        let mut taken = self.taken();
        if taken.batches.take(stream, 1).is_err() {
            let (mine, all) = (taken.batches.of(stream), taken.batches.total());
            let reason = format!("{all} requests wait, {mine} of them of stream '{stream}'");
            return Err(self.overloaded(&taken, stream, reason));
        }
        match taken.bytes.take(stream, bytes) {
            Ok(()) => {}
            Err(refusal) => {
                taken.batches.give_back(stream, 1);
                let (mine, all) = (taken.bytes.of(stream), taken.bytes.total());
                let reason = format!("{all} bytes wait, {mine} of them of stream '{stream}'");
                return Err(match refusal {
                    Refusal::Never { amount_max } => IntakeError::TooLarge {
                        bytes,
                        bytes_max: amount_max,
                    },
                    Refusal::NotNow => self.overloaded(&taken, stream, reason),
                });
            }
        }
        let memory = match self.memory.get() {
            None => None,
            Some(memory) => match memory.reserve(MemoryPart::Ingest, bytes) {
                Ok(share) => Some(share),
                Err(short) => {
                    taken.bytes.give_back(stream, bytes);
                    taken.batches.give_back(stream, 1);
                    return Err(self.overloaded(&taken, stream, short.to_string()));
                }
            },
        };
        taken.bytes_high = taken.bytes_high.max(taken.bytes.total());
        Ok(Ticket {
            quota: Arc::clone(self),
            stream: Arc::clone(stream),
            bytes,
            _memory: memory,
        })
    }

    /// When a caller of this stream should try again: when what waits of the stream is answered at the
    /// rate of late.
    pub(super) fn retry_after(&self, stream: &str) -> Duration {
        self.wait(&self.taken(), stream)
    }

    fn wait(&self, taken: &Taken, stream: &str) -> Duration {
        taken
            .drained
            .get(stream)
            .and_then(|rate| rate.time_for(taken.bytes.of(stream), self.started.elapsed()))
            .map_or(self.retry_after, |time| {
                time.clamp(self.retry_after, self.retry_after_max)
            })
    }

    fn overloaded(&self, taken: &Taken, stream: &str, reason: String) -> IntakeError {
        IntakeError::Overloaded {
            reason,
            retry_after: self.wait(taken, stream),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.taken().bytes.total()
    }

    /// The most bytes that were ever taken at once.
    pub(super) fn bytes_high(&self) -> usize {
        self.taken().bytes_high
    }

    pub(super) fn batches(&self) -> usize {
        self.taken().batches.total()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let now = self.quota.started.elapsed();
        let mut taken = self.quota.taken();
        taken.bytes.give_back(&self.stream, self.bytes);
        taken.batches.give_back(&self.stream, 1);
        match taken.drained.get_mut(&self.stream) {
            Some(rate) => rate.answered(self.bytes, now),
            None => {
                let mut rate = DrainRate::default();
                rate.answered(self.bytes, now);
                taken.drained.insert(Arc::clone(&self.stream), rate);
            }
        }
    }
}

/// Where jobs wait for the writer, a lane per stream. It is bounded by the quota: each job holds a ticket.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    /// The journal has forgotten what it was told to.
    forgot: Condvar,
}

struct Waiting {
    lanes: Lanes<Job>,
    closed: bool,
    abandoned: bool,
    /// The journal need not keep what lies before this.
    forget: Option<Offset>,
    /// How many need the journal's segments as they are: nothing is forgotten while there is one.
    holding: usize,
    /// Whether the writer is about to forget.
    forgetting: bool,
}

impl Waiting {
    fn may_forget(&self) -> bool {
        self.forget.is_some() && self.holding == 0
    }
}

/// What the writer has to do next.
pub(super) struct Work {
    /// Jobs for one group; none when there is only something to forget.
    pub(super) jobs: Vec<Job>,
    /// What the journal need not keep any more.
    pub(super) forget: Option<Offset>,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                lanes: Lanes::new(),
                closed: false,
                abandoned: false,
                forget: None,
                holding: 0,
                forgetting: false,
            }),
            filled: Condvar::new(),
            forgot: Condvar::new(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a job behind the others of its stream.
    pub(super) fn push(&self, job: Job) -> Result<(), IntakeError> {
        let mut waiting = self.waiting();
        if waiting.closed {
            return Err(IntakeError::Stopping);
        }
        if waiting.abandoned {
            return Err(super::died());
        }
        let stream = Arc::clone(&job.prepared.stream);
        let bytes = job.prepared.payload_bytes();
        waiting.lanes.push(&stream, bytes, job);
        drop(waiting);
        self.filled.notify_one();
        Ok(())
    }

    /// Lets the journal forget what lies before `offset`.
    pub(super) fn forget(&self, offset: Offset) {
        self.waiting().forget = Some(offset);
        self.filled.notify_one();
    }

    /// Keeps the journal from forgetting, as long as what this gives lives; waits for a removal that is
    /// under way.
    pub(super) fn hold_segments(self: &Arc<Self>) -> HeldSegments {
        let mut waiting = self.waiting();
        waiting.holding += 1;
        let held = HeldSegments(Arc::clone(self));
        let waited = self
            .forgot
            .wait_while(waiting, |waiting| waiting.forgetting && !waiting.abandoned);
        drop(waited);
        held
    }

    /// The writer has forgotten what [`Self::group`] told it to.
    pub(super) fn forgotten(&self) {
        self.waiting().forgetting = false;
        self.forgot.notify_all();
    }

    /// What is waiting, up to the limits of a group, streams in turns; waits until there is something.
    /// Nothing when the queue is closed and empty. Whoever is told to forget says when that is done.
    pub(super) fn group(&self, limits: &IntakeLimits) -> Option<Work> {
        let mut waiting = self
            .filled
            .wait_while(self.waiting(), |waiting| {
                waiting.lanes.is_empty() && !waiting.may_forget() && !waiting.closed
            })
            .unwrap_or_else(PoisonError::into_inner);
        let forget = if waiting.may_forget() {
            waiting.forget.take()
        } else {
            None
        };
        waiting.forgetting = forget.is_some();
        let Some((mut bytes, first)) = waiting.lanes.pop() else {
            let jobs = Vec::new();
            return forget.map(|before| Work {
                jobs,
                forget: Some(before),
            });
        };
        let mut group = vec![first];
        while bytes < limits.group_bytes_max && group.len() < limits.group_batches_max {
            let Some((more, job)) = waiting.lanes.pop() else {
                break;
            };
            bytes += more;
            group.push(job);
        }
        Some(Work {
            jobs: group,
            forget,
        })
    }

    /// Takes nothing more; what waits is still handed out.
    pub(super) fn close(&self) {
        self.waiting().closed = true;
        self.filled.notify_all();
    }

    #[cfg(test)]
    pub(super) fn is_closed(&self) -> bool {
        self.waiting().closed
    }

    #[cfg(test)]
    pub(super) fn is_held(&self) -> bool {
        self.waiting().holding > 0
    }

    /// The writer is gone: whoever waits learns it from the answer that never comes.
    pub(super) fn abandon(&self) {
        let mut waiting = self.waiting();
        waiting.abandoned = true;
        let lanes = std::mem::replace(&mut waiting.lanes, Lanes::new());
        drop(waiting);
        drop(lanes);
        self.forgot.notify_all();
    }
}

/// As long as it lives, no segment of the journal is removed.
pub struct HeldSegments(Arc<Queue>);

impl Drop for HeldSegments {
    fn drop(&mut self) {
        self.0.waiting().holding -= 1;
        self.0.filled.notify_one();
    }
}
