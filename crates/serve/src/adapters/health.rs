//! The state of the running parts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use tillwatch_collect::Intake;
use tillwatch_event::{MemoryBudget, MemoryPart};
use tillwatch_process::{EventClock, Lags, ProcessOptions, Processor};

use crate::documents::{
    AuditStatus, ChannelStatus, CubeStatus, DefinitionsStatus, HistoryStatus, JournalStatus,
    LagBucket, LagHistogram, MemoryPartStatus, MemoryStatus, SourceStatus, StreamSource,
    StreamStatus,
};
use crate::ports::{Health, Progress};
use crate::request::time::{MS, now_us, rfc3339};

type ReadSources = Box<dyn Fn() -> Vec<SourceStatus> + Send + Sync>;
type ReadChannels = Box<dyn Fn() -> Vec<ChannelStatus> + Send + Sync>;
type ReadAudit = Box<dyn Fn() -> AuditStatus + Send + Sync>;
type ReadHistory = Box<dyn Fn() -> HistoryStatus + Send + Sync>;

/// The state of the parts as far as there are any yet; the binary tells it as the start goes on.
#[derive(Default)]
pub struct RunningHealth {
    /// Events to be replayed, or bytes: whatever progress is counted in.
    total: AtomicU64,
    done: AtomicU64,
    events: AtomicU64,
    processor: ArcSwapOption<Processor>,
    intake: ArcSwapOption<Intake>,
    definitions: ArcSwap<DefinitionsStatus>,
    instance: ArcSwapOption<String>,
    memory: ArcSwapOption<MemoryBudget>,
    sources: Mutex<Option<ReadSources>>,
    channels: Mutex<Option<ReadChannels>>,
    history: Mutex<Option<ReadHistory>>,
    audit: Mutex<Option<ReadAudit>>,
}

impl RunningHealth {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How far recovery has come: `done` of `total` in any unit, and the events replayed.
    pub fn set_progress(&self, done: u64, total: u64, events: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.done.store(done, Ordering::Relaxed);
        self.events.store(events, Ordering::Relaxed);
    }

    /// The processor in force. It may be set before it has recovered: its figures then grow as it goes.
    pub fn set_processor(&self, processor: Arc<Processor>) {
        self.processor.store(Some(processor));
    }

    /// Which journal is written to; known before the journal is replayed.
    pub fn set_instance(&self, instance: String) {
        self.instance.store(Some(Arc::new(instance)));
    }

    /// The way into the journal.
    pub fn set_intake(&self, intake: Arc<Intake>) {
        self.intake.store(Some(intake));
    }

    /// What the parts share.
    pub fn set_memory(&self, memory: MemoryBudget) {
        self.memory.store(Some(Arc::new(memory)));
    }

    /// Looks at what is measured of it: the parts that stay, and the whole process as far as that is known.
    pub fn measure_memory(&self, resident_bytes: Option<usize>) {
        let Some(memory) = self.memory.load_full() else {
            return;
        };
        if let Some(processor) = self.processor.load_full() {
            let status = processor.status();
            let sum = |bytes: &mut dyn Iterator<Item = u64>| {
                usize::try_from(bytes.fold(0, u64::saturating_add)).unwrap_or(usize::MAX)
            };
            let cubes = sum(&mut status.cubes.iter().map(|cube| cube.bytes));
            let dedup = sum(&mut status.streams.iter().map(|stream| stream.dedup_bytes));
            let index = sum(&mut status.streams.iter().map(|stream| stream.index_bytes));
            memory.measured(MemoryPart::Cubes, cubes);
            memory.measured(MemoryPart::Dedup, dedup);
            memory.measured(MemoryPart::Index, index);
        }
        if let Some(bytes) = resident_bytes {
            memory.measured_process(bytes);
        }
    }

    /// Lets go of the processor and the intake, so that they can end.
    pub fn clear(&self) {
        self.processor.store(None);
        self.intake.store(None);
    }

    /// The definitions in force, and the faults of newer ones.
    pub fn set_definitions(&self, definitions: DefinitionsStatus) {
        self.definitions.store(Arc::new(definitions));
    }

    /// How to read the state of history as far as its keeper knows it; it must not wait.
    pub fn set_history(&self, read: impl Fn() -> HistoryStatus + Send + Sync + 'static) {
        *self.history.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(read));
    }

    /// How to read what the audit found; it must not wait.
    pub fn set_audit(&self, read: impl Fn() -> AuditStatus + Send + Sync + 'static) {
        *self.audit.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(read));
    }

    /// How to read the state of the sources; it must not wait.
    pub fn set_sources(&self, read: impl Fn() -> Vec<SourceStatus> + Send + Sync + 'static) {
        *self.sources.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(read));
    }

    /// How to read what became of the messages of the channels in force; it must not wait.
    pub fn set_channels(&self, read: impl Fn() -> Vec<ChannelStatus> + Send + Sync + 'static) {
        *self.channels.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(read));
    }
}

impl Health for RunningHealth {
    fn progress(&self) -> Progress {
        let total = self.total.load(Ordering::Relaxed);
        let done = self.done.load(Ordering::Relaxed).min(total);
        let fraction = if total == 0 {
            0.0
        } else {
            done as f64 / total as f64
        };
        Progress {
            fraction,
            events: self.events.load(Ordering::Relaxed),
        }
    }

    fn definitions(&self) -> DefinitionsStatus {
        DefinitionsStatus::clone(&self.definitions.load())
    }

    fn journal(&self) -> JournalStatus {
        let instance = self.instance.load().as_deref().cloned();
        let Some(intake) = self.intake.load_full() else {
            return JournalStatus {
                state: "opening".to_owned(),
                instance,
                ..JournalStatus::default()
            };
        };
        let status = intake.status();
        let state = if status.journal.poisoned.is_some() {
            "poisoned"
        } else if status.disk.low {
            "disk_low"
        } else {
            "writable"
        };
        JournalStatus {
            state: state.to_owned(),
            fault: status.journal.poisoned,
            instance,
            bytes: status.journal.bytes,
            segments: status.journal.segments,
            durable_to: Some(status.journal.durable),
            queued_batches: status.queued_batches as u64,
            queued_bytes: status.queued_bytes as u64,
            queued_bytes_high: status.queued_bytes_high as u64,
            free_bytes: status.disk.free_bytes,
            free_bytes_min: status.disk.free_bytes_min,
            refused_full: status.disk.refused,
        }
    }

    fn audit(&self) -> AuditStatus {
        let read = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
        read.as_ref()
            .map_or_else(AuditStatus::default, |read| read())
    }

    fn memory(&self) -> MemoryStatus {
        let Some(memory) = self.memory.load_full() else {
            return MemoryStatus::default();
        };
        let status = memory.status();
        let parts = status.parts.iter().map(|part| MemoryPartStatus {
            part: part.part.name().to_owned(),
            bytes: part.bytes as u64,
            refused: part.refused,
        });
        MemoryStatus {
            bytes_max: status.bytes_max as u64,
            bytes: status.bytes as u64,
            parts: parts.collect(),
        }
    }

    fn history(&self) -> HistoryStatus {
        let read = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(read) = read.as_ref() else {
            return HistoryStatus {
                state: "opening".to_owned(),
                ..HistoryStatus::default()
            };
        };
        let mut status = read();
        if let Some(processor) = self.processor.load_full() {
            status.flushed_to = processor.checkpoint_at().map(|at| at.to_string());
            status.unflushed_events = processor.unflushed_events();
        }
        status
    }

    fn streams(&self) -> Vec<StreamStatus> {
        let Some(processor) = self.processor.load_full() else {
            return Vec::new();
        };
        let taken = self
            .intake
            .load_full()
            .map(|intake| intake.status().streams);
        let overloaded = |name: &str| {
            let counts = taken.iter().flatten().find(|counts| counts.stream == name);
            counts.map_or(0, |counts| counts.overloaded)
        };
        // What waits may hold values that cannot be derived, which the streams count.
        processor.settle();
        let (options, now_us) = (processor.options(), now_us());
        let streams = processor.streams().into_iter();
        streams
            .map(|log| (log.watermark_at(now_us, options), log.status()))
            .map(|(watermark_us, stream)| StreamStatus {
                overloaded: overloaded(&stream.name),
                lateness: histogram(stream.clock.lateness()),
                delay: histogram(stream.clock.delay()),
                sources: sources(&stream.clock, options, now_us),
                name: stream.name,
                events: stream.events,
                duplicates: stream.duplicates,
                rejected: stream.rejected,
                late: stream.late,
                failed: stream.failed,
                derive_failed: stream.derive_failed,
                measure_failed: stream.measure_failed,
                unconverted: stream.unconverted,
                stored_events: stream.stored_events,
                stored_bytes: stream.stored_bytes,
                stored_files: stream.stored_files,
                events_kept_from: stream.events_kept_from_us.map(rfc3339),
                rejects_kept_from: stream.rejects_kept_from_us.map(rfc3339),
                dedup_ids: stream.dedup_ids,
                dedup_bytes: stream.dedup_bytes,
                last_event_at: stream.last_event_us.map(rfc3339),
                watermark: watermark_us.map(rfc3339),
                rate_per_s: 0.0,
            })
            .collect()
    }

    fn cubes(&self) -> Vec<CubeStatus> {
        let Some(processor) = self.processor.load_full() else {
            return Vec::new();
        };
        let cubes = processor.status().cubes.into_iter();
        cubes
            .map(|cube| CubeStatus {
                name: cube.name,
                rows: cube.rows,
                bytes: cube.bytes,
                chunks: cube.chunks,
                stored_rows: cube.stored_rows,
                stored_bytes: cube.stored_bytes,
                stored_files: cube.stored_files,
                combinations: cube.combinations,
                other_rows: cube.other_rows,
                failed: cube.failed_rows,
                revised_buckets: cube.revised_buckets,
                revised_events: cube.revised_events,
                revised_known_from: cube.revised_complete_from_us.map(rfc3339),
                covers_from: cube.covers_from_us.map(rfc3339),
            })
            .collect()
    }

    fn sources(&self) -> Vec<SourceStatus> {
        let read = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        read.as_ref().map_or_else(Vec::new, |read| read())
    }

    fn channels(&self) -> Vec<ChannelStatus> {
        let read = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        read.as_ref().map_or_else(Vec::new, |read| read())
    }
}

fn histogram(lags: &Lags) -> LagHistogram {
    LagHistogram {
        buckets: lags
            .buckets()
            .map(|(upto_us, events)| LagBucket {
                upto_ms: upto_us.map(|us| us / MS),
                events,
            })
            .collect(),
        sum_s: lags.sum_us() as f64 / 1e6,
    }
}

/// What is known of a stream's sources at a time: one may have fallen silent since the newest record.
fn sources(clock: &EventClock, options: &ProcessOptions, now_us: i64) -> Vec<StreamSource> {
    let lag_us = |newest_us| Some(clock.newest_us()?.saturating_sub(newest_us));
    let sources = clock.sources().iter();
    sources
        .map(|source| StreamSource {
            name: source.name.clone(),
            events: source.events,
            late: source.late,
            last_event_at: source.newest_us.map(rfc3339),
            last_received_at: rfc3339(source.received_us),
            lag_ms: source.newest_us.and_then(lag_us).map(|us| us / MS),
            idle: source.is_idle(now_us, options.source_idle_us),
        })
        .collect()
}
