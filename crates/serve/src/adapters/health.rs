//! The state of the running parts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use tillwatch_collect::Intake;
use tillwatch_process::Processor;

use crate::documents::{CubeStatus, DefinitionsStatus, JournalStatus, SourceStatus, StreamStatus};
use crate::ports::{Health, Progress};
use crate::request::time::rfc3339;

type ReadSources = Box<dyn Fn() -> Vec<SourceStatus> + Send + Sync>;

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
    sources: Mutex<Option<ReadSources>>,
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

    /// Lets go of the processor and the intake, so that they can end.
    pub fn clear(&self) {
        self.processor.store(None);
        self.intake.store(None);
    }

    /// The definitions in force, and the faults of newer ones.
    pub fn set_definitions(&self, definitions: DefinitionsStatus) {
        self.definitions.store(Arc::new(definitions));
    }

    /// How to read the state of the sources; it must not wait.
    pub fn set_sources(&self, read: impl Fn() -> Vec<SourceStatus> + Send + Sync + 'static) {
        *self.sources.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(read));
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
        }
    }

    fn streams(&self) -> Vec<StreamStatus> {
        let Some(processor) = self.processor.load_full() else {
            return Vec::new();
        };
        let streams = processor.status().streams.into_iter();
        streams
            .map(|stream| StreamStatus {
                name: stream.name,
                events: stream.events,
                duplicates: stream.duplicates,
                rejected: stream.rejected,
                late: stream.late,
                failed: stream.failed,
                derive_failed: stream.derive_failed,
                measure_failed: stream.measure_failed,
                unconverted: stream.unconverted,
                last_event_at: stream.last_event_us.map(rfc3339),
                watermark: stream.watermark_us.map(rfc3339),
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
                combinations: cube.combinations,
                other_rows: cube.other_rows,
                failed: cube.failed_rows,
            })
            .collect()
    }

    fn sources(&self) -> Vec<SourceStatus> {
        let read = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        read.as_ref().map_or_else(Vec::new, |read| read())
    }
}
