//! The writer thread: from the queue to durable frames.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use tillwatch_journal::{Journal, JournalError, Offset};

use super::counters::Counters;
use super::prepare::Prepared;
use super::process::{Group, ProcessMessage, Share, Tail};
use super::queue::{Job, Queue, Reply, Work};
use super::room::Room;
use super::{IntakeError, IntakeLimits};
use crate::clock::Clock;
use crate::record::{JournalRecord, set_received_at};

pub(super) struct WriterThread {
    pub(super) journal: Journal,
    pub(super) limits: IntakeLimits,
    pub(super) clock: Arc<dyn Clock>,
    /// The newest time of receipt in the journal.
    pub(super) received_at_us: i64,
    pub(super) counters: Arc<Counters>,
    pub(super) process: SyncSender<ProcessMessage>,
    pub(super) room: Arc<Room>,
}

struct AbandonOnDrop<'q>(&'q Queue);

impl Drop for AbandonOnDrop<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl WriterThread {
    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self, queue: &Queue) {
        // However this thread ends, nobody waits for it any more.
        let _abandoned = AbandonOnDrop(queue);
        while let Some(Work { jobs, forget }) = queue.group(&self.limits) {
            if let Some(before) = forget {
                self.forget(before);
                queue.forgotten();
            }
            if jobs.is_empty() {
                continue;
            }
            // The time of receipt never falls in the journal, whatever the system's clock does.
            self.received_at_us = self.received_at_us.max(self.clock.now_us());
            self.commit(jobs, self.received_at_us);
        }
    }

    /// Removes the segments before a place. What cannot be removed now is tried again with the next
    /// place; it costs room and nothing else.
    fn forget(&mut self, before: Offset) {
        match self.journal.remove_segments_before(before) {
            Ok(0) => {}
            Ok(segments) => tracing::debug!(segments, "the journal forgot what history holds"),
            Err(error) => tracing::warn!(%error, "segments of the journal could not be removed"),
        }
        self.counters.poisoned(self.journal.poisoned());
    }

    fn commit(&mut self, jobs: Vec<Job>, received_at_us: i64) {
        let mut records = Vec::new();
        let mut shares = Vec::new();
        let mut failed = Vec::new();
        let mut bytes = 0;
        for job in jobs {
            let before = records.len();
            bytes += job.prepared.payload_bytes();
            match self.append(job.prepared, received_at_us, &mut records) {
                Ok(tail) => shares.push(Share {
                    records: records.len() - before,
                    tail,
                    reply: job.reply,
                }),
                Err(error) => {
                    if matches!(error, IntakeError::StorageFull(_)) {
                        self.room.refused();
                    }
                    failed.push((error, job.reply));
                }
            }
        }
        let synced = self.journal.sync();
        self.counters.group(bytes, self.journal.poisoned());
        let unsent = match synced {
            Ok(upto) => {
                refuse(failed);
                let group = Group {
                    records,
                    shares,
                    upto,
                };
                match self
                    .process
                    .send(ProcessMessage::Group(group))
                    .map_err(|unsent| unsent.0)
                {
                    Err(ProcessMessage::Group(group)) => Some((super::died(), group.shares)),
                    _ => None,
                }
            }
            Err(error) => {
                tracing::error!(%error, "the journal failed; nothing of this group is acknowledged");
                refuse(failed);
                Some((intake_error(&error), shares))
            }
        };
        if let Some((error, shares)) = unsent {
            refuse(shares.into_iter().map(|share| (error.clone(), share.reply)));
        }
    }

    /// Appends a request's frames, all or none: the caller of a request that failed sends it again, and
    /// where events have no ids nobody could tell what was kept from what is new.
    fn append(
        &mut self,
        prepared: Prepared,
        received_at_us: i64,
        records: &mut Vec<JournalRecord>,
    ) -> Result<Tail, IntakeError> {
        let Prepared {
            stream,
            meta,
            records: mut frames,
            rejected,
            rejections,
            ..
        } = prepared;
        for frame in &mut frames {
            set_received_at(&mut frame.payload, received_at_us);
        }
        let payloads: Vec<&[u8]> = frames.iter().map(|f| f.payload.as_slice()).collect();
        let places = self
            .journal
            .append_group(&payloads)
            .map_err(|e| intake_error(&e))?;
        let taken = frames.into_iter().zip(places);
        records
            .extend(taken.map(|(frame, at)| frame.into_record(at, received_at_us, &stream, &meta)));
        Ok(Tail {
            stream,
            source: meta.source,
            rejected,
            rejections,
            received_at_us,
        })
    }
}

fn refuse(jobs: impl IntoIterator<Item = (IntakeError, Reply)>) {
    for (error, reply) in jobs {
        reply.send(Err(error));
    }
}

fn intake_error(error: &JournalError) -> IntakeError {
    match error {
        JournalError::StorageFull { .. } => IntakeError::StorageFull(error.to_string()),
        JournalError::FrameTooLarge { bytes, bytes_max } => IntakeError::TooLarge {
            bytes: usize::try_from(*bytes).unwrap_or(usize::MAX),
            bytes_max: usize::try_from(*bytes_max).unwrap_or(usize::MAX),
        },
        other => IntakeError::Unavailable(other.to_string()),
    }
}
