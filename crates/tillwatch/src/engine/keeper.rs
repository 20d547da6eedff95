//! What keeps history: flushes what came, lets the journal forget it, and maintains the tables.
//!
//! One thread, which rests between two steps of maintenance so that those take no more than their
//! share of a core. Flushes come before maintenance: they bound the replay of the next start.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tillwatch_collect::{Clock, Intake, SystemClock};
use tillwatch_process::{MaintainReport, ProcessError, Processor};
use tillwatch_serve::documents::HistoryStatus;

use crate::definitions::limits::HistoryPace;

/// How often it looks whether there is something to do.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often files that nobody needs are deleted.
const VACUUM_EVERY: Duration = Duration::from_secs(600);
/// How long it waits after a failure before it tries again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A running keeper of history.
pub struct Keeper {
    shared: Arc<Shared>,
    status: KeeperStatus,
    thread: std::thread::JoinHandle<()>,
}

/// What it works with; held during a step, so that taking it out waits for the step.
struct Shared {
    work: Mutex<Work>,
    changed: Condvar,
}

struct Work {
    processor: Option<Arc<Processor>>,
    stopping: bool,
}

/// How history is, for the status.
#[derive(Clone, Default)]
pub struct KeeperStatus(Arc<Mutex<HistoryStatus>>);

impl KeeperStatus {
    /// What is known of history beside the processor's own figures.
    #[must_use]
    pub fn read(&self) -> HistoryStatus {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, HistoryStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn well(&self) {
        let mut status = self.lock();
        "ok".clone_into(&mut status.state);
        status.fault = None;
    }

    fn failing(&self, error: &ProcessError) {
        let mut status = self.lock();
        "failing".clone_into(&mut status.state);
        status.fault = Some(error.to_string());
    }

    fn flushed(&self) {
        self.lock().flushed_at = Some(jiff::Timestamp::now().to_string());
    }

    fn maintained(&self, report: &MaintainReport) {
        let mut status = self.lock();
        status.compactions += report.compactions;
        status.roll_ups += report.roll_ups;
        status.files_expired += report.files_expired;
        status.files_deleted += report.files_deleted;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper {
    /// Starts with nothing to do.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(intake: Arc<Intake>, pace: HistoryPace) -> Result<Self> {
        let shared = Arc::new(Shared {
            work: Mutex::new(Work {
                processor: None,
                stopping: false,
            }),
            changed: Condvar::new(),
        });
        let status = KeeperStatus::default();
        status.well();
        let worker = Worker::new(intake, pace, status.clone());
        let seen = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("history-keeper".to_owned())
            .spawn(move || worker.run(&seen))
            .context("the thread that keeps history cannot be started")?;
        Ok(Self {
            shared,
            status,
            thread,
        })
    }

    /// How history is; it goes on telling.
    #[must_use]
    pub fn status(&self) -> KeeperStatus {
        self.status.clone()
    }

    /// Flushes what there is and then does nothing until [`Self::go_on`]. Must not be called on an
    /// async thread.
    ///
    /// # Errors
    /// The flush failed; it does nothing all the same.
    pub fn pause(&self, intake: &Intake) -> Result<(), ProcessError> {
        let processor = self.shared.lock().processor.take();
        match processor {
            Some(processor) => flush(&processor, intake).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Flushes, and then does `work` while nobody flushes, maintains or cleans up, so that the files of
    /// history and the segments of the journal stay what they are. Must not be called on an async thread.
    ///
    /// # Errors
    /// The definitions are being changed, or those of `work`. A flush that fails is none: what it did not
    /// write is in the journal.
    pub fn hold<T>(&self, intake: &Intake, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let held = self.shared.lock();
        let Some(processor) = &held.processor else {
            anyhow::bail!("the definitions are being changed; try again");
        };
        if let Err(error) = flush(processor, intake) {
            tracing::warn!(%error, "history could not be flushed first");
        }
        work()
    }

    /// Keeps this processor's history from now on.
    pub fn go_on(&self, processor: Arc<Processor>) {
        self.shared.lock().processor = Some(processor);
        self.shared.changed.notify_one();
    }

    /// Ends, with a last flush, so that the next start has nothing to replay. Must not be called on an
    /// async thread.
    pub fn stop(self, intake: &Intake) {
        if let Err(error) = self.pause(intake) {
            tracing::warn!(%error, "history could not be flushed; the next start replays the journal instead");
        }
        self.shared.lock().stopping = true;
        self.shared.changed.notify_one();
        if self.thread.join().is_err() {
            tracing::error!("the keeper of history panicked");
        }
    }
}

/// Flushes, and lets the journal forget. Says whether there was something to flush.
fn flush(processor: &Processor, intake: &Intake) -> Result<bool, ProcessError> {
    let flushed = processor.flush(&intake.reader())?;
    if let Some(report) = &flushed {
        tracing::debug!(upto = %report.upto, events = report.events, states = report.states, "flushed to history");
    }
    if let Some(before) = processor.journal_needed_from() {
        intake.forget_before(before);
    }
    Ok(flushed.is_some())
}

struct Worker {
    intake: Arc<Intake>,
    pace: HistoryPace,
    status: KeeperStatus,
    flushed_at: Instant,
    vacuumed_at: Option<Instant>,
    /// Maintenance rests until then.
    rest_until: Instant,
    /// After a failure nothing is tried until then.
    retry_at: Option<Instant>,
}

impl Worker {
    fn new(intake: Arc<Intake>, pace: HistoryPace, status: KeeperStatus) -> Self {
        let now = Instant::now();
        Self {
            intake,
            pace,
            status,
            flushed_at: now,
            vacuumed_at: None,
            rest_until: now,
            retry_at: None,
        }
    }

    fn run(mut self, shared: &Shared) {
        let mut work = shared.lock();
        while !work.stopping {
            let more = match &work.processor {
                Some(processor) => self.step(processor),
                None => false,
            };
            if more {
                // Whoever waits for the lock gets it in between.
                drop(work);
                std::thread::yield_now();
                work = shared.lock();
                continue;
            }
            let waited = shared.changed.wait_timeout(work, LOOK_EVERY);
            work = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// One step of what is due; whether there may be more at once.
    fn step(&mut self, processor: &Processor) -> bool {
        if self.retry_at.is_some_and(|at| Instant::now() < at) {
            return false;
        }
        match self.try_step(processor) {
            Ok(more) => {
                if self.retry_at.take().is_some() {
                    tracing::info!("history is written again");
                    self.status.well();
                }
                more
            }
            Err(error) => {
                // Nothing is lost: what was not written is in the journal, and is tried again.
                tracing::error!(%error, "history could not be written");
                self.status.failing(&error);
                self.retry_at = Some(Instant::now() + RETRY_AFTER);
                false
            }
        }
    }

    fn try_step(&mut self, processor: &Processor) -> Result<bool, ProcessError> {
        // A fault of one step must not end all that come after it.
        let step = AssertUnwindSafe(|| self.take_step(processor));
        catch_unwind(step)
            .unwrap_or_else(|_| Err(ProcessError::Kept("writing history panicked".to_owned())))
    }

    fn take_step(&mut self, processor: &Processor) -> Result<bool, ProcessError> {
        let unflushed = processor.unflushed_events();
        let now = Instant::now();
        let due = now.duration_since(self.flushed_at) >= self.pace.flush_interval;
        if due || unflushed >= self.pace.flush_events_max || processor.flush_pending() {
            let flushed = flush(processor, &self.intake)?;
            self.flushed_at = Instant::now();
            if flushed {
                self.status.flushed();
                return Ok(true);
            }
            // Nothing came. Where flushes are due more often than it looks, maintenance has its turn
            // only now.
        }
        if now < self.rest_until {
            return Ok(false);
        }
        // By its own time, so that whatever else there is to do, room is given back.
        if self
            .vacuumed_at
            .is_none_or(|at| now.duration_since(at) >= VACUUM_EVERY)
        {
            self.vacuumed_at = Some(now);
            let report: MaintainReport = processor.vacuum(SystemClock.now_us())?;
            self.rest(now);
            self.status.maintained(&report);
            if report.files_deleted > 0 {
                tracing::debug!(files = report.files_deleted, "history vacuumed");
            }
            return Ok(false);
        }
        if let Some(report) = processor.maintain_step()? {
            self.rest(now);
            self.status.maintained(&report);
            tracing::debug!(?report, "history maintained");
        }
        Ok(false)
    }

    /// Rests as long as the step that began at `started` calls for.
    fn rest(&mut self, started: Instant) {
        let took = started.elapsed();
        let share = f64::from(self.pace.maintain_share_percent.clamp(1, 100)) / 100.0;
        self.rest_until = Instant::now() + took.mul_f64(1.0 / share - 1.0);
    }
}
