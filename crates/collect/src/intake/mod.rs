//! The way into the journal: a bounded queue, group commit, answers after fsync and processing.
//!
//! Two threads. The *writer* drains the queue into a group, appends every frame of it, and makes
//! them durable with one fsync. The *process* thread hands the group, in journal order, to the
//! [`Downstream`] and then answers each caller. So an answer means: durable, and visible.
//!
//! Everything taken and not yet answered counts against [`IntakeLimits`]; over it, callers hear
//! [`IntakeError::Overloaded`] at once instead of waiting in a queue that grows. Streams share the
//! queue fairly ([`FairShares`]) and go to the journal in turns, so that one that floods neither
//! keeps another from being taken nor makes it wait.
//!
//! A third thread looks once a second at the room on the disk; with too little of it callers hear
//! [`IntakeError::DiskLow`] until there is more.

mod counters;
mod drain;
mod lanes;
mod prepare;
mod process;
mod queue;
mod room;
mod shares;
mod split;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use parking::Slot;
use serde::{Deserialize, Serialize};
use tillwatch_event::MemoryBudget;
use tillwatch_journal::{Journal, JournalReader, Offset};

use crate::clock::Clock;
use crate::decode::{Decoded, Rejection};
use crate::error::CollectError;
use crate::record::{JournalRecord, decode_owned_record};

pub use counters::{IntakeStatus, JournalStatus, SourceCounters, StreamCounters};
pub use prepare::{Prepared, SubmitMeta};
use process::{Applications, ProcessMessage};
pub use queue::HeldSegments;
use queue::{Job, Queue, Quota};
pub use room::DiskStatus;
use room::Room;
pub use shares::{FairShares, Refusal};

/// Groups that may be durable and wait for the process thread, beside the one it works on.
const GROUPS_AHEAD_MAX: usize = 2;

/// What processing said about one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Applied {
    /// Rows that are new.
    pub accepted: u64,
    /// Rows whose id was seen before.
    pub duplicates: u64,
    /// Rows that could not be taken, because their record does not fit the definitions in force.
    pub failed: u64,
}

/// What comes after the journal.
pub trait Downstream: Send + Sync {
    /// Takes durable records in journal order and says what became of each; called from one thread.
    ///
    /// The answer has one entry per record; a record of kind `Rejects` gets zeros.
    fn apply(&self, records: &[JournalRecord]) -> Vec<Applied>;
}

/// Limits of the queue and of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IntakeLimits {
    /// Bytes taken and not yet answered. Default 256 MiB.
    pub queue_bytes_max: usize,
    /// Requests taken and not yet answered. Default 1024.
    pub queue_batches_max: usize,
    /// Bytes that go to the journal with one fsync; a single larger request still goes. Default 16 MiB.
    pub group_bytes_max: usize,
    /// Requests that go to the journal with one fsync. Default 256.
    pub group_batches_max: usize,
    /// Bytes of one journal record; a larger request becomes several. Default 16 MiB.
    pub record_bytes_max: usize,
    /// Rejections that an answer lists; the quarantine holds more. Default 100.
    pub reported_max: usize,
    /// Milliseconds that an overloaded caller is asked to wait at least. Default 1000.
    pub retry_after_ms: u64,
    /// Milliseconds that it is asked to wait at most: between the two it is what the stream's waiting
    /// bytes take at the rate of late. Default 30 000.
    pub retry_after_max_ms: u64,
}

impl Default for IntakeLimits {
    fn default() -> Self {
        Self {
            queue_bytes_max: 256 << 20,
            queue_batches_max: 1024,
            group_bytes_max: 16 << 20,
            group_batches_max: 256,
            record_bytes_max: 16 << 20,
            reported_max: 100,
            retry_after_ms: 1000,
            retry_after_max_ms: 30_000,
        }
    }
}

/// The answer to a request: its events are durable and processed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Receipt {
    /// Events taken and new.
    pub accepted: u64,
    /// Events whose id was seen before.
    pub duplicates: u64,
    /// Lines rejected, also those not listed.
    pub rejected: u64,
    /// The first rejections, at most [`IntakeLimits::reported_max`].
    pub rejections: Vec<Rejection>,
}

/// Why a request was not taken. Nothing of it is promised: the caller sends it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntakeError {
    /// Too much is waiting already.
    #[error("overloaded: {reason}; try again in {} ms", .retry_after.as_millis())]
    Overloaded {
        /// Which limit is reached.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// The request can never be taken, as it is larger than the whole queue may be.
    #[error(
        "the request takes {bytes} bytes, more than the limit of {bytes_max} bytes (queue_bytes_max)"
    )]
    TooLarge {
        /// Bytes of its records.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The disk is nearly full. What was taken stays readable.
    #[error(
        "the disk is nearly full: {free_bytes} bytes are free, and with fewer than {free_bytes_min} (journal.free_bytes_min) no events are taken"
    )]
    DiskLow {
        /// Bytes that are free.
        free_bytes: u64,
        /// The limit.
        free_bytes_min: u64,
    },
    /// The journal's storage has no room.
    #[error("the storage is full: {0}")]
    StorageFull(String),
    /// The journal takes nothing more until it is reopened.
    #[error("the journal is not available: {0}")]
    Unavailable(String),
    /// The intake is being stopped.
    #[error("the server is stopping")]
    Stopping,
    /// The stream was changed or removed while the events were on their way. They are in the
    /// journal as they were sent, but not counted.
    #[error(
        "the definition of stream '{stream}' changed while {rows} of the events were on their way, and they were not counted; send them again"
    )]
    Changed {
        /// The stream.
        stream: String,
        /// Events that were not counted.
        rows: u64,
    },
    /// The columns could not be written as a record.
    #[error("the request cannot be recorded: {0}")]
    Record(String),
}

/// The way into the journal. Share it in an [`Arc`].
pub struct Intake {
    queue: Arc<Queue>,
    process: Slot<SyncSender<ProcessMessage>>,
    threads: Slot<[JoinHandle<()>; 3]>,
    /// Dropped, it ends the thread that looks at the disk.
    looking: Slot<SyncSender<()>>,
    room: Arc<Room>,
    quota: Arc<Quota>,
    counters: Arc<counters::Counters>,
    reader: JournalReader,
    applied: Arc<Applications>,
    limits: IntakeLimits,
}

impl Intake {
    /// Starts the threads. `downstream` must have taken in everything durable in `journal`.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(
        journal: Journal,
        downstream: Arc<dyn Downstream>,
        limits: IntakeLimits,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CollectError> {
        let reader = journal.reader();
        let received_at_us = newest_receipt(&journal);
        let counters = Arc::new(counters::Counters::new(&journal));
        let quota = Arc::new(Quota::new(&limits));
        let queue = Arc::new(Queue::new());
        let room = Arc::new(Room::new(reader.clone()));
        let (process, messages) = sync_channel(GROUPS_AHEAD_MAX);
        let applied = Arc::new(Applications::new(journal.durable()));
        let worker = process::ProcessThread {
            reader: reader.clone(),
            downstream,
            applied: Arc::clone(&applied),
            counters: Arc::clone(&counters),
            reported_max: limits.reported_max,
        };
        let writer = writer::WriterThread {
            journal,
            limits,
            clock,
            received_at_us,
            counters: Arc::clone(&counters),
            process: process.clone(),
            room: Arc::clone(&room),
        };
        let process_thread = spawn("process", move || worker.run(&messages))?;
        let jobs = Arc::clone(&queue);
        let writer_thread = spawn("journal-writer", move || writer.run(&jobs))?;
        let (looking, stop_looking) = sync_channel(0);
        let disk = Arc::clone(&room);
        let room_thread = spawn("disk-room", move || disk.watch(&stop_looking))?;
        Ok(Self {
            queue,
            process: Slot::new(process),
            threads: Slot::new([writer_thread, process_thread, room_thread]),
            looking: Slot::new(looking),
            room,
            quota,
            counters,
            reader,
            applied,
            limits,
        })
    }

    /// Takes decoded events and answers when they are durable and processed.
    ///
    /// Encoding a large request is work of milliseconds: a server does it with [`Self::prepare`]
    /// where it decodes, off its async threads, and then calls [`Self::submit_prepared`].
    ///
    /// # Errors
    /// See [`IntakeError`]; nothing is promised then.
    pub async fn submit(
        &self,
        stream: &str,
        decoded: Decoded,
        meta: SubmitMeta,
    ) -> Result<Receipt, IntakeError> {
        let prepared = self.prepare(stream, decoded, meta)?;
        self.submit_prepared(prepared).await
    }

    /// As [`Self::submit`], from a thread that may wait. Must not be called on an async thread.
    ///
    /// # Errors
    /// See [`IntakeError`].
    pub fn submit_blocking(
        &self,
        stream: &str,
        decoded: Decoded,
        meta: SubmitMeta,
    ) -> Result<Receipt, IntakeError> {
        let prepared = self.prepare(stream, decoded, meta)?;
        if prepared.is_empty() {
            return Ok(Receipt::default());
        }
        let answer = self.enqueue(prepared)?;
        answer.blocking_recv().unwrap_or_else(|_| Err(died()))
    }

    /// Encodes decoded events into journal records: the CPU work of [`Self::submit`].
    ///
    /// # Errors
    /// [`IntakeError::Record`] when the columns cannot be written, such as for a key of 70 000 bytes.
    pub fn prepare(
        &self,
        stream: &str,
        decoded: Decoded,
        meta: SubmitMeta,
    ) -> Result<Prepared, IntakeError> {
        Prepared::new(stream, decoded, meta, self.limits.record_bytes_max)
            .map_err(|error| IntakeError::Record(error.to_string()))
    }

    /// Takes prepared events and answers when they are durable and processed.
    ///
    /// # Errors
    /// See [`IntakeError`].
    pub async fn submit_prepared(&self, prepared: Prepared) -> Result<Receipt, IntakeError> {
        if prepared.is_empty() {
            return Ok(Receipt::default());
        }
        let answer = self.enqueue(prepared)?;
        answer.await.unwrap_or_else(|_| Err(died()))
    }

    fn enqueue(&self, prepared: Prepared) -> Result<queue::Answer, IntakeError> {
        self.may_take()?;
        let stream = Arc::clone(&prepared.stream);
        let ticket = self
            .quota
            .take(&stream, prepared.bytes())
            .inspect_err(|error| {
                if matches!(error, IntakeError::Overloaded { .. }) {
                    self.counters.overloaded(&stream);
                }
            })?;
        let (job, answer) = Job::new(prepared, ticket);
        self.queue.push(job)?;
        Ok(answer)
    }

    /// Says at once, before a body is read or decoded, that nothing is taken now because the disk is
    /// nearly full. A refusal is counted.
    ///
    /// # Errors
    /// [`IntakeError::DiskLow`].
    pub fn may_take(&self) -> Result<(), IntakeError> {
        self.room.check().inspect_err(|_| self.room.refused())
    }

    /// How many streams there are: the queue is shared between so many. One until told.
    pub fn set_streams(&self, streams: usize) {
        self.quota.set_streams(streams);
    }

    /// What waits counts against the memory of the process from now on. Call it once, after the start.
    pub fn set_memory(&self, memory: MemoryBudget) {
        self.quota.set_memory(memory);
    }

    /// What it counts against: what the parts of the process share.
    #[must_use]
    pub fn memory(&self) -> MemoryBudget {
        self.quota.memory()
    }

    /// Refuses a request of a stream before it comes here, for another limit of the server, and counts it
    /// with the others.
    #[must_use]
    pub fn refuse(&self, stream: &str, reason: String) -> IntakeError {
        self.counters.overloaded(stream);
        IntakeError::Overloaded {
            reason,
            retry_after: self.retry_after(stream),
        }
    }

    /// When a caller of this stream should try again if it cannot be taken now: when what waits of the
    /// stream is answered at the rate of late, within the limits.
    #[must_use]
    pub fn retry_after(&self, stream: &str) -> Duration {
        self.quota.retry_after(stream)
    }

    /// Puts another downstream in place, between two groups and without losing or repeating one.
    ///
    /// `build` runs on the process thread and gets the end of what was applied so far: the new
    /// downstream must hold exactly the records before it. Nothing is processed meanwhile, so it
    /// should catch up from something prepared, not start from nothing. What is prepared must end
    /// at [`Self::applied_to`]: the journal may be further, and what is beyond comes to the new
    /// downstream as it would have come to the old one. When it fails, the old one stays.
    ///
    /// # Errors
    /// What `build` gave, or that the intake is stopping. Must not be called on an async thread.
    pub fn replace_downstream<E, F>(&self, build: F) -> Result<(), E>
    where
        E: From<IntakeError> + Send + 'static,
        F: FnOnce(&JournalReader, Offset) -> Result<Arc<dyn Downstream>, E> + Send + 'static,
    {
        let (done, outcome) = sync_channel(1);
        let replace = Box::new(move |reader: &JournalReader, upto: Offset| {
            let (downstream, result) = match build(reader, upto) {
                Ok(downstream) => (Some(downstream), Ok(())),
                Err(error) => (None, Err(error)),
            };
            // Nobody listening any more changes nothing: the swap itself has happened.
            let _ = done.try_send(result);
            downstream
        });
        let process = self.process.get().ok_or(IntakeError::Stopping)?;
        process
            .send(ProcessMessage::Replace(replace))
            .map_err(|_| died())?;
        drop(process);
        outcome.recv().unwrap_or_else(|_| Err(E::from(died())))
    }

    /// Lets the journal forget the segments that lie before `offset` as a whole, because what is in
    /// them is kept elsewhere. The writer does it between two groups.
    pub fn forget_before(&self, offset: Offset) {
        self.queue.forget(offset);
    }

    /// Keeps all segments that are there now, whatever [`Self::forget_before`] is told meanwhile, as long as
    /// what this gives lives; waits for a removal that is under way. Must not be called on an async thread.
    #[must_use]
    pub fn hold_segments(&self) -> HeldSegments {
        self.queue.hold_segments()
    }

    /// The end of what the downstream has taken so far. The journal's durable end may be further:
    /// a group is readable before it is processed.
    #[must_use]
    pub fn applied_to(&self) -> Offset {
        self.applied.end()
    }

    /// A reader of the journal.
    #[must_use]
    pub fn reader(&self) -> JournalReader {
        self.reader.clone()
    }

    /// What was taken, what waits, and how the journal is.
    #[must_use]
    pub fn status(&self) -> IntakeStatus {
        self.counters.status(&self.quota, &self.room, &self.reader)
    }

    /// Takes nothing more, finishes and answers what was taken, and ends both threads. Waits for
    /// that; a second call does nothing. Must not be called on an async thread.
    pub fn stop(&self) {
        self.queue.close();
        self.looking.clear();
        self.process.clear();
        for thread in self.threads.take().into_iter().flatten() {
            if thread.join().is_err() {
                tracing::error!("a thread of the intake panicked");
            }
        }
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.stop();
    }
}

fn died() -> IntakeError {
    IntakeError::Unavailable(
        "its threads have ended after a failure; restart the server".to_owned(),
    )
}

/// The time of receipt of the journal's last record, which is its newest. Who replays the journal says
/// that a record cannot be read; here it only tells no time.
fn newest_receipt(journal: &Journal) -> i64 {
    let read = || {
        let at = journal.last_frame()?;
        let payload = journal.reader().read_at(at).ok()?;
        Some(decode_owned_record(at, payload).ok()?.received_at_us)
    };
    read().unwrap_or(i64::MIN)
}

fn spawn(
    name: &'static str,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, CollectError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|source| CollectError::Thread { name, source })
}

mod parking {
    //! A value that can be taken away while others use it.

    use std::sync::{PoisonError, RwLock};

    /// Holds a value until it is cleared.
    pub(super) struct Slot<T>(RwLock<Option<T>>);

    impl<T> Slot<T> {
        pub(super) fn new(value: T) -> Self {
            Self(RwLock::new(Some(value)))
        }

        /// A copy of the value, unless it was cleared.
        pub(super) fn get(&self) -> Option<T>
        where
            T: Clone,
        {
            self.0
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        }

        pub(super) fn take(&self) -> Option<T> {
            self.0
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
        }

        pub(super) fn clear(&self) {
            drop(self.take());
        }
    }
}
