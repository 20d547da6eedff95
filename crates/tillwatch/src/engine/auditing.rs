//! The continuous audit: a server compares a little of its cubes with the raw events all the time.
//!
//! One thread takes one cube after another, a stretch of buckets of each, and rests in between so that
//! it takes no more than its share of a core. A difference is an incident that all channels are told of.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tillwatch_analyse::{AuditLimits, AuditPart, AuditReport, Auditor, Difference};
use tillwatch_collect::{Clock, SystemClock};
use tillwatch_journal::JournalReader;
use tillwatch_monitor::watch::Watch;
use tillwatch_process::Processor;
use tillwatch_serve::documents::AuditStatus;

use super::verify::random_seed;
use crate::definitions::limits::AuditPace;

/// A running audit.
pub struct Auditing {
    shared: Arc<Shared>,
    status: AuditingStatus,
    thread: std::thread::JoinHandle<()>,
}

struct Shared {
    work: Mutex<Work>,
    changed: Condvar,
}

#[derive(Default)]
struct Work {
    at_work: Option<AtWork>,
    /// Grows whenever what is worked with changes, so that a step under way ends.
    round: u64,
    stopping: bool,
}

#[derive(Clone)]
struct AtWork {
    processor: Arc<Processor>,
    watch: Arc<Watch>,
}

/// How the audit is, for the status.
#[derive(Clone, Default)]
pub struct AuditingStatus(Arc<Mutex<AuditStatus>>);

impl AuditingStatus {
    /// What was found since the start.
    #[must_use]
    pub fn read(&self) -> AuditStatus {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, AuditStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, report: &AuditReport, at_us: i64) {
        let mut status = self.lock();
        status.last_at = tillwatch_event::time::rfc3339(at_us);
        status.fault = None;
        status.buckets += report.buckets;
        status.keys += report.keys;
        status.figures += report.figures;
        status.events += report.events;
        status.differences += report.differences;
        status.unsure += report.unsure;
        status.skipped += report.skipped;
        if report.differences > 0
            && let Some(difference) = report.described.first()
        {
            status.last_difference = Some(told(difference));
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Auditing {
    /// Starts with nothing to audit.
    ///
    /// # Errors
    /// The system refuses a thread, or has no random numbers.
    pub fn start(journal: JournalReader, pace: AuditPace) -> Result<Self> {
        let shared = Arc::new(Shared {
            work: Mutex::default(),
            changed: Condvar::new(),
        });
        let status = AuditingStatus::default();
        let seed = random_seed()?;
        tracing::info!(seed, "the audit chooses its buckets by this seed");
        let worker = Worker {
            shared: Arc::clone(&shared),
            status: status.clone(),
            journal,
            pace,
            seed,
            next: 0,
        };
        let thread = std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || worker.run())
            .context("the thread that audits cannot be started")?;
        Ok(Self {
            shared,
            status,
            thread,
        })
    }

    /// How the audit is; it goes on telling.
    #[must_use]
    pub fn status(&self) -> AuditingStatus {
        self.status.clone()
    }

    /// Audits this processor's cubes from now on, and tells this watch.
    pub fn go_on(&self, processor: Arc<Processor>, watch: Arc<Watch>) {
        let mut work = self.shared.lock();
        work.at_work = Some(AtWork { processor, watch });
        work.round += 1;
        self.shared.changed.notify_one();
    }

    /// Ends once the batch under way is read. Must not be called on an async thread.
    pub fn stop(self) {
        {
            let mut work = self.shared.lock();
            work.stopping = true;
            work.round += 1;
        }
        self.shared.changed.notify_one();
        if self.thread.join().is_err() {
            tracing::error!("the audit panicked");
        }
    }
}

struct Worker {
    shared: Arc<Shared>,
    status: AuditingStatus,
    journal: JournalReader,
    pace: AuditPace,
    seed: u64,
    /// Counts the stretches audited.
    next: u64,
}

impl Worker {
    fn run(mut self) {
        let mut rest = self.pace.interval;
        loop {
            let until = Instant::now() + rest;
            let (at_work, round) = {
                let mut work = self.shared.lock();
                loop {
                    if work.stopping {
                        return;
                    }
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break;
                    }
                    let waited = self.shared.changed.wait_timeout(work, left);
                    work = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                (work.at_work.clone(), work.round)
            };
            rest = match at_work {
                Some(at_work) => self.step(&at_work, round),
                None => self.pace.interval,
            };
        }
    }

    /// Audits one stretch of the next cube; says how long to rest.
    fn step(&mut self, at_work: &AtWork, round: u64) -> Duration {
        let cubes = at_work.processor.cubes();
        let count = cubes.len().max(1) as u64;
        let at = usize::try_from(self.next % count).unwrap_or(0);
        self.next += 1;
        let Some(cube) = cubes.get(at) else {
            return self.pace.interval;
        };
        let started = Instant::now();
        let limits = AuditLimits {
            rows_max: self.pace.rows_max,
            range_max: self.pace.range_max,
            behind_us: Some(i64::try_from(self.pace.behind.as_micros()).unwrap_or(i64::MAX)),
        };
        let shared = Arc::clone(&self.shared);
        let same = Arc::new(move || shared.lock().round == round);
        let processor = Arc::clone(&at_work.processor);
        let auditor = Auditor::new(processor, self.journal.clone(), limits);
        let auditor = auditor.while_told(same);
        let name = &cube.definition().name;
        let seed = self.seed.wrapping_add(self.next);
        match auditor.audit(name, AuditPart::Stretch, seed, &mut |_| true) {
            Ok(report) => self.tell(at_work, name, &report),
            Err(error) => {
                tracing::warn!(cube = name, %error, "a cube could not be audited");
                self.status.lock().fault = Some(format!("cube '{name}': {error}"));
            }
        }
        let share = f64::from(self.pace.share_percent.clamp(1, 100)) / 100.0;
        let resting = started.elapsed().mul_f64(1.0 / share - 1.0);
        let every = self.pace.interval / u32::try_from(count).unwrap_or(u32::MAX);
        resting.max(every)
    }

    fn tell(&self, at_work: &AtWork, cube: &str, report: &AuditReport) {
        let now_us = SystemClock.now_us();
        self.status.add(report, now_us);
        if report.unsure > 0 {
            tracing::info!(
                cube,
                figures = report.unsure,
                "figures differ from the events in a cube that lacks events which could not be aggregated"
            );
        }
        let Some(first) = report.described.first().filter(|_| report.differences > 0) else {
            return;
        };
        let text = told(first);
        // Values may be anything, so the log gets the place only.
        tracing::error!(
            cube,
            bucket = first.bucket,
            differences = report.differences,
            "kept figures are not what the events say"
        );
        let started_us = first.bucket.parse::<jiff::Timestamp>();
        let started_us = started_us.map_or(now_us, jiff::Timestamp::as_microsecond);
        let told = at_work
            .watch
            .audit_differs(report.differences, &text, started_us, now_us);
        if let Err(error) = told {
            tracing::error!(%error, "the incident of the audit could not be written down");
        }
    }
}

/// A difference in a sentence.
fn told(difference: &Difference) -> String {
    let key = difference.key.iter().map(|(name, value)| {
        let value = value.as_deref().unwrap_or("null");
        format!(" {name}={value}")
    });
    format!(
        "{} at {}{}: {} is kept as {}, the events give {}",
        difference.cube,
        difference.bucket,
        key.collect::<String>(),
        difference.measure.as_deref().unwrap_or("the row"),
        difference.kept.as_deref().unwrap_or("nothing"),
        difference.recounted.as_deref().unwrap_or("nothing"),
    )
}
