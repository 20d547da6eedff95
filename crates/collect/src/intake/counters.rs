//! What was taken, per stream and source, and how the journal is.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tillwatch_journal::{Journal, JournalReader};

use super::Applied;
use super::process::Tail;
use super::queue::Quota;
use super::room::{DiskStatus, Room};

/// Counts since start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StreamCounters {
    /// The stream's name.
    pub stream: String,
    /// Requests answered.
    pub requests: u64,
    /// Events taken and new.
    pub accepted: u64,
    /// Events whose id was seen before.
    pub duplicates: u64,
    /// Lines rejected.
    pub rejected: u64,
    /// Requests answered with "overloaded"; of a source always 0, as its stream counts them.
    pub overloaded: u64,
    /// When the last request was received, microseconds since 1970.
    pub last_received_at_us: i64,
}

/// Counts since start of what one source brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SourceCounters {
    /// The source's name.
    pub source: String,
    /// Its counts; `stream` is the stream it last wrote to.
    #[serde(flatten)]
    pub counts: StreamCounters,
}

/// The journal as the intake sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JournalStatus {
    /// Durable bytes of all segments.
    pub bytes: u64,
    /// How many segments there are.
    pub segments: u64,
    /// The end of the durable part, as `segment:position`.
    pub durable: String,
    /// Why the journal takes nothing more, if it does not.
    pub poisoned: Option<String>,
}

/// What was taken, what waits, and how the journal is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IntakeStatus {
    /// Requests taken and not yet answered.
    pub queued_batches: usize,
    /// Their bytes.
    pub queued_bytes: usize,
    /// The most bytes there ever were of them since start.
    pub queued_bytes_high: usize,
    /// Groups made durable since start: one fsync each.
    pub groups: u64,
    /// Payload bytes of those groups.
    pub group_bytes: u64,
    /// Requests answered with "overloaded" since start.
    pub overloaded: u64,
    /// The journal.
    pub journal: JournalStatus,
    /// The disk it lies on.
    pub disk: DiskStatus,
    /// Per stream, by name.
    pub streams: Vec<StreamCounters>,
    /// Per source, by name.
    pub sources: Vec<SourceCounters>,
}

#[derive(Default)]
pub(super) struct State {
    groups: u64,
    group_bytes: u64,
    overloaded: u64,
    poisoned: Option<String>,
    streams: BTreeMap<String, StreamCounters>,
    sources: BTreeMap<String, StreamCounters>,
}

/// Written at group borders only, so one lock is enough.
pub(super) struct Counters(Mutex<State>);

impl Counters {
    pub(super) fn new(journal: &Journal) -> Self {
        let poisoned = journal.poisoned().map(str::to_owned);
        Self(Mutex::new(State {
            poisoned,
            ..State::default()
        }))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn overloaded(&self, stream: &str) {
        let mut state = self.state();
        state.overloaded += 1;
        if let Some(counts) = entry(&mut state.streams, stream, stream) {
            counts.overloaded += 1;
        }
    }

    /// Notes whether the journal still takes anything.
    pub(super) fn poisoned(&self, poisoned: Option<&str>) {
        let mut state = self.state();
        if state.poisoned.as_deref() != poisoned {
            state.poisoned = poisoned.map(str::to_owned);
        }
    }

    pub(super) fn group(&self, bytes: usize, poisoned: Option<&str>) {
        let mut state = self.state();
        state.groups += 1;
        state.group_bytes += bytes as u64;
        if state.poisoned.as_deref() != poisoned {
            state.poisoned = poisoned.map(str::to_owned);
        }
    }

    pub(super) fn request(&self, tail: &Tail, applied: Applied) {
        let mut state = self.state();
        add(&mut state.streams, &tail.stream, tail, applied);
        if let Some(source) = &tail.source {
            add(&mut state.sources, source, tail, applied);
        }
    }

    pub(super) fn status(
        &self,
        quota: &Quota,
        room: &Room,
        reader: &JournalReader,
    ) -> IntakeStatus {
        let state = self.state();
        IntakeStatus {
            queued_batches: quota.batches(),
            queued_bytes: quota.bytes(),
            queued_bytes_high: quota.bytes_high(),
            groups: state.groups,
            group_bytes: state.group_bytes,
            overloaded: state.overloaded,
            journal: JournalStatus {
                bytes: reader.bytes(),
                segments: reader.segments().len() as u64,
                durable: reader.durable().to_string(),
                poisoned: state.poisoned.clone(),
            },
            disk: room.status(),
            streams: state.streams.values().cloned().collect(),
            sources: state
                .sources
                .iter()
                .map(|(source, counts)| SourceCounters {
                    source: source.clone(),
                    counts: counts.clone(),
                })
                .collect(),
        }
    }
}

fn add(map: &mut BTreeMap<String, StreamCounters>, name: &str, tail: &Tail, applied: Applied) {
    let Some(counts) = entry(map, name, &tail.stream) else {
        return;
    };
    counts.requests += 1;
    counts.accepted += applied.accepted;
    counts.duplicates += applied.duplicates;
    counts.rejected += tail.rejected;
    counts.last_received_at_us = counts.last_received_at_us.max(tail.received_at_us);
}

/// The counts under a name, which is copied only the first time.
fn entry<'m>(
    map: &'m mut BTreeMap<String, StreamCounters>,
    name: &str,
    stream: &str,
) -> Option<&'m mut StreamCounters> {
    if !map.contains_key(name) {
        map.insert(name.to_owned(), StreamCounters::default());
    }
    let counts = map.get_mut(name)?;
    if counts.stream != stream {
        stream.clone_into(&mut counts.stream);
    }
    Some(counts)
}
