//! The process thread: durable records to the downstream, answers to the callers.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};

use tillwatch_journal::{JournalReader, Offset};

use super::counters::Counters;
use super::queue::Reply;
use super::{Applied, Downstream, IntakeError, Receipt};
use crate::decode::Rejection;
use crate::record::JournalRecord;

/// Builds another downstream, or none when that failed.
pub(super) type Replace =
    Box<dyn FnOnce(&JournalReader, Offset) -> Option<Arc<dyn Downstream>> + Send>;

pub(super) enum ProcessMessage {
    Group(Group),
    Replace(Replace),
}

/// Records that became durable together, in journal order.
pub(super) struct Group {
    pub(super) records: Vec<JournalRecord>,
    /// The requests they came from, in the same order.
    pub(super) shares: Vec<Share>,
    /// The journal's durable end behind them.
    pub(super) upto: Offset,
}

/// One request's share of a group.
pub(super) struct Share {
    /// How many of the group's records are its own.
    pub(super) records: usize,
    /// What the answer says beside what processing counts.
    pub(super) tail: Tail,
    /// Whom to answer.
    pub(super) reply: Reply,
}

/// What remains of a request when its records are written.
pub(super) struct Tail {
    pub(super) stream: Arc<str>,
    pub(super) source: Option<String>,
    pub(super) rejected: u64,
    pub(super) rejections: Vec<Rejection>,
    pub(super) received_at_us: i64,
}

/// How far the downstream has come; written at group borders only.
pub(super) struct Applications(Mutex<Offset>);

impl Applications {
    pub(super) fn new(end: Offset) -> Self {
        Self(Mutex::new(end))
    }

    pub(super) fn end(&self) -> Offset {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, end: Offset) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }
}

pub(super) struct ProcessThread {
    pub(super) reader: JournalReader,
    pub(super) downstream: Arc<dyn Downstream>,
    pub(super) applied: Arc<Applications>,
    pub(super) counters: Arc<Counters>,
    pub(super) reported_max: usize,
}

impl ProcessThread {
    /// Works until every sender is gone and the channel is empty.
    pub(super) fn run(mut self, messages: &Receiver<ProcessMessage>) {
        while let Ok(message) = messages.recv() {
            match message {
                ProcessMessage::Group(group) => self.group(group),
                ProcessMessage::Replace(replace) => {
                    if let Some(downstream) = replace(&self.reader, self.applied.end()) {
                        self.downstream = downstream;
                    }
                }
            }
        }
    }

    fn group(&mut self, group: Group) {
        let applied = self.downstream.apply(&group.records);
        self.applied.set(group.upto);
        let mut applied = applied.into_iter();
        for Share {
            records,
            tail,
            reply,
        } in group.shares
        {
            let mut sum = Applied::default();
            for one in applied.by_ref().take(records) {
                sum.accepted += one.accepted;
                sum.duplicates += one.duplicates;
                sum.failed += one.failed;
            }
            self.counters.request(&tail, sum);
            if sum.failed > 0 {
                reply.send(Err(IntakeError::Changed {
                    stream: tail.stream.to_string(),
                    rows: sum.failed,
                }));
                continue;
            }
            let Tail {
                rejected,
                mut rejections,
                ..
            } = tail;
            rejections.truncate(self.reported_max);
            reply.send(Ok(Receipt {
                accepted: sum.accepted,
                duplicates: sum.duplicates,
                rejected,
                rejections,
            }));
        }
    }
}
