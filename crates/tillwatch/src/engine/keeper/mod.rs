//! What keeps history: flushes what came, lets the journal forget it, and maintains the tables.
//!
//! One thread, which rests between two steps of maintenance so that those take no more than their
//! share of a core; what is asked for by hand it does without rests. Flushes come before maintenance:
//! they bound the replay of the next start.

mod by_hand;
mod handle;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tillwatch_collect::{Clock, Intake, SystemClock};
use tillwatch_process::{MaintainReport, ProcessError, Processor};
use tillwatch_serve::documents::HistoryStatus;

use crate::definitions::limits::HistoryPace;
pub use by_hand::{ByHand, ByHandReport};
pub use handle::KeeperHandle;

/// How often it looks whether there is something to do.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often files that nobody needs are deleted.
const VACUUM_EVERY: Duration = Duration::from_secs(600);
/// Flushes after one another, after which maintenance has a turn.
const FLUSHES_IN_A_ROW_MAX: u32 = 8;
/// How long it waits after a failure before it tries again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// How long it gives way to others between two steps, before it looks whether they still wait.
const GIVE_WAY: Duration = Duration::from_millis(2);

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
    /// How many wait for `work`. A lock is not fair: without this the keeper would take it again and
    /// again between two steps.
    waiting: AtomicUsize,
    /// What was asked for by hand and is not begun. Beside `work`, so that asking waits for no step.
    asked: Mutex<Option<ByHand>>,
}

#[derive(Default)]
struct Work {
    processor: Option<Arc<Processor>>,
    stopping: bool,
    /// How many need files as they are: nothing is deleted while there is one.
    holding: usize,
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
    /// The lock for the keeper's own thread.
    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock for all others: the keeper gives way to them between two steps.
    fn turn(&self) -> MutexGuard<'_, Work> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let work = self.lock();
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        work
    }

    /// Lets whoever waits for the lock have it.
    fn give_way<'a>(&'a self, mut work: MutexGuard<'a, Work>) -> MutexGuard<'a, Work> {
        while self.waiting.load(Ordering::SeqCst) > 0 {
            let waited = self.changed.wait_timeout(work, GIVE_WAY);
            work = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        work
    }

    fn take_asked(&self) -> Option<ByHand> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.take()
    }
}

impl Keeper {
    /// Starts with nothing to do.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(intake: Arc<Intake>, pace: HistoryPace) -> Result<Self> {
        let shared = Arc::new(Shared {
            work: Mutex::default(),
            changed: Condvar::new(),
            waiting: AtomicUsize::new(0),
            asked: Mutex::default(),
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

    /// A way to ask it for something.
    #[must_use]
    pub fn handle(&self) -> KeeperHandle {
        KeeperHandle(Arc::clone(&self.shared))
    }

    /// Flushes what there is and then does nothing until [`Self::go_on`]. Must not be called on an
    /// async thread.
    ///
    /// # Errors
    /// The flush failed; it does nothing all the same.
    pub fn pause(&self, intake: &Intake) -> Result<(), ProcessError> {
        let processor = self.shared.turn().processor.take();
        match processor {
            Some(processor) => flush(&processor, intake).map(drop),
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
        let held = self.shared.turn();
        let Some(processor) = &held.processor else {
            anyhow::bail!("the definitions are being changed; try again");
        };
        if let Err(error) = flush(processor, intake) {
            tracing::warn!(%error, "history could not be flushed first");
        }
        // What a flush lets the journal forget is removed by the journal's own thread, in its time.
        let _segments = intake.hold_segments();
        work()
    }

    /// Keeps this processor's history from now on.
    pub fn go_on(&self, processor: Arc<Processor>) {
        self.shared.turn().processor = Some(processor);
        self.shared.changed.notify_all();
    }

    /// Ends, with a last flush, so that the next start has nothing to replay. Must not be called on an
    /// async thread.
    pub fn stop(self, intake: &Intake) {
        if let Err(error) = self.pause(intake) {
            tracing::warn!(%error, "history could not be flushed; the next start replays the journal instead");
        }
        self.shared.turn().stopping = true;
        self.shared.changed.notify_all();
        if self.thread.join().is_err() {
            tracing::error!("the keeper of history panicked");
        }
    }
}

/// What one flush did.
struct Flushed {
    events: u64,
    /// Segments of the journal that are not needed any more, oldest first.
    past_segments: Vec<u64>,
}

/// Flushes, and lets the journal forget. None when there was nothing to flush.
fn flush(processor: &Processor, intake: &Intake) -> Result<Option<Flushed>, ProcessError> {
    let journal = intake.reader();
    let report = processor.flush(&journal)?;
    if let Some(report) = &report {
        tracing::debug!(upto = %report.upto, events = report.events, states = report.states, "flushed to history");
    }
    let mut past_segments = Vec::new();
    if let Some(before) = processor.journal_needed_from() {
        let numbers = journal.segments().into_iter().map(|one| one.number);
        past_segments = numbers.filter(|one| *one < before.segment).collect();
        intake.forget_before(before);
    }
    Ok(report.map(|report| Flushed {
        events: report.events,
        past_segments,
    }))
}

struct Worker {
    intake: Arc<Intake>,
    pace: HistoryPace,
    status: KeeperStatus,
    flushed_at: Instant,
    vacuumed_at: Option<Instant>,
    /// Maintenance rests until then.
    rest_until: Instant,
    /// Flushes since nothing was due.
    flushes_in_a_row: u32,
    /// After a failure nothing is tried until then.
    retry_at: Option<Instant>,
    /// What was asked for and is under way.
    by_hand: Option<ByHand>,
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
            flushes_in_a_row: 0,
            retry_at: None,
            by_hand: None,
        }
    }

    fn run(mut self, shared: &Shared) {
        let mut work = shared.lock();
        while !work.stopping {
            if self.by_hand.is_none() {
                self.by_hand = shared.take_asked();
            }
            let more = match &work.processor {
                Some(processor) => self.step(processor, work.holding > 0),
                None => false,
            };
            if more {
                work = shared.give_way(work);
                continue;
            }
            let waited = shared.changed.wait_timeout(work, LOOK_EVERY);
            work = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(work);
        for by_hand in self.by_hand.into_iter().chain(shared.take_asked()) {
            by_hand.end(Err("the server is stopping".to_owned()));
        }
    }

    /// One step of what is due; whether there may be more at once.
    fn step(&mut self, processor: &Processor, holding: bool) -> bool {
        // Who asks by hand wants it tried now.
        if self.by_hand.is_none() && self.retry_at.is_some_and(|at| Instant::now() < at) {
            return false;
        }
        match self.try_step(processor, holding) {
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
                if let Some(by_hand) = self.by_hand.take() {
                    by_hand.end(Err(error.to_string()));
                }
                false
            }
        }
    }

    fn try_step(&mut self, processor: &Processor, holding: bool) -> Result<bool, ProcessError> {
        // A fault of one step must not end all that come after it.
        let step = AssertUnwindSafe(|| self.take_step(processor, holding));
        catch_unwind(step)
            .unwrap_or_else(|_| Err(ProcessError::Kept("writing history panicked".to_owned())))
    }

    fn take_step(&mut self, processor: &Processor, holding: bool) -> Result<bool, ProcessError> {
        let unflushed = processor.unflushed_events();
        let now = Instant::now();
        let due = now.duration_since(self.flushed_at) >= self.pace.flush_interval
            || (self.by_hand.as_ref()).is_some_and(|by_hand| !by_hand.flushed);
        // Where so much comes that a flush is always due, maintenance has its turn between them all the same:
        // files would grow in number, and nothing come of age.
        let owed = self.flushes_in_a_row >= FLUSHES_IN_A_ROW_MAX
            && now >= self.rest_until
            && !processor.flush_pending();
        if owed {
            self.flushes_in_a_row = 0;
        } else if due || unflushed >= self.pace.flush_events_max || processor.flush_pending() {
            let flushed = flush(processor, &self.intake)?;
            self.flushed_at = Instant::now();
            self.flushes_in_a_row += 1;
            let is_new = flushed.is_some();
            if is_new {
                self.status.flushed();
            }
            if let Some(by_hand) = &mut self.by_hand {
                by_hand.flushed = true;
                if let Some(flushed) = flushed {
                    by_hand.flushed(&flushed);
                }
                by_hand.tell();
                return Ok(true);
            }
            if is_new {
                return Ok(true);
            }
            // Nothing came. Where flushes are due more often than it looks, maintenance has its turn
            // only now.
        } else {
            self.flushes_in_a_row = 0;
        }
        if self.by_hand.is_some() {
            return self.step_by_hand(processor, holding);
        }
        if now < self.rest_until {
            return Ok(false);
        }
        // By its own time, so that whatever else there is to do, room is given back.
        if !holding
            && self
                .vacuumed_at
                .is_none_or(|at| now.duration_since(at) >= VACUUM_EVERY)
        {
            let report = self.vacuum(processor)?;
            self.rest(now);
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

    /// The next step of what was asked for; whether there is more.
    fn step_by_hand(&mut self, processor: &Processor, holding: bool) -> Result<bool, ProcessError> {
        let done = processor.maintain_step()?;
        let is_last = done.is_none();
        let report = match done {
            Some(report) => {
                self.status.maintained(&report);
                report
            }
            None if holding => {
                // As soon as nobody needs the files any more.
                self.vacuumed_at = None;
                MaintainReport::default()
            }
            None => self.vacuum(processor)?,
        };
        let Some(by_hand) = &mut self.by_hand else {
            return Ok(false);
        };
        by_hand.report.maintained.add(report);
        if !is_last {
            by_hand.tell();
            return Ok(true);
        }
        by_hand.report.deletion_deferred = holding;
        if let Some(by_hand) = self.by_hand.take() {
            by_hand.end(Ok(()));
        }
        Ok(false)
    }

    /// Deletes what nobody needs.
    fn vacuum(&mut self, processor: &Processor) -> Result<MaintainReport, ProcessError> {
        self.vacuumed_at = Some(Instant::now());
        let report = processor.vacuum(SystemClock.now_us())?;
        self.status.maintained(&report);
        Ok(report)
    }

    /// Rests as long as the step that began at `started` calls for.
    fn rest(&mut self, started: Instant) {
        let took = started.elapsed();
        let share = f64::from(self.pace.maintain_share_percent.clamp(1, 100)) / 100.0;
        self.rest_until = Instant::now() + took.mul_f64(1.0 / share - 1.0);
    }
}
