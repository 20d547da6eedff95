//! The writer thread: from the queue to durable frames.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

use tillwatch_journal::{Journal, JournalError};

use super::counters::Counters;
use super::prepare::Prepared;
use super::process::{Group, ProcessMessage, Share, Tail};
use super::queue::{Job, Reply};
use super::{IntakeError, IntakeLimits};
use crate::clock::Clock;
use crate::record::{JournalRecord, set_received_at};

pub(super) struct WriterThread {
    pub(super) journal: Journal,
    pub(super) limits: IntakeLimits,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) counters: Arc<Counters>,
    pub(super) process: SyncSender<ProcessMessage>,
}

impl WriterThread {
    /// Works until every sender is gone and the queue is empty.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        let mut received_at_us = i64::MIN;
        while let Ok(first) = jobs.recv() {
            let group = self.collect(first, jobs);
            // The time of receipt never falls in the journal, whatever the system's clock does.
            received_at_us = received_at_us.max(self.clock.now_us());
            self.commit(group, received_at_us);
        }
    }

    /// What is waiting now, up to the limits of a group.
    fn collect(&self, first: Job, jobs: &Receiver<Job>) -> Vec<Job> {
        let mut bytes = first.prepared.payload_bytes();
        let mut group = vec![first];
        while bytes < self.limits.group_bytes_max && group.len() < self.limits.group_batches_max {
            let Ok(job) = jobs.try_recv() else { break };
            bytes += job.prepared.payload_bytes();
            group.push(job);
        }
        group
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
                Err(error) => failed.push((error, job.reply)),
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
