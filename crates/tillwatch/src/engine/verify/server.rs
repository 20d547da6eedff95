//! Verifications of a running server, one at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow, bail};
use tillwatch_analyse::AuditPart;
use tillwatch_journal::{JournalReader, Offset};
use tillwatch_process::Keeping;
use tillwatch_serve::documents::{VerifyProgress, VerifyReport, VerifyRequest, VerifyStatus};
use tillwatch_serve::ports::Verification;
use tillwatch_serve::{Problem, Slug};

use super::super::keeper::KeeperHandle;
use super::{Audited, SAMPLE_DEFAULT, VerifyStep, Watching};

/// Verifies what this server keeps, while it goes on.
#[derive(Default)]
pub struct Verifications {
    parts: Mutex<Option<Parts>>,
    last: Arc<Mutex<Option<VerifyStatus>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    stopping: Arc<AtomicBool>,
}

/// What is verified.
#[derive(Clone)]
struct Parts {
    keeper: KeeperHandle,
    journal: JournalReader,
    keeping: Keeping,
}

impl Verifications {
    /// What runs, once it does.
    pub fn go_on(&self, keeper: KeeperHandle, journal: JournalReader, keeping: Keeping) {
        *lock(&self.parts) = Some(Parts {
            keeper,
            journal,
            keeping,
        });
    }

    /// Ends the one that is running, as failed, and begins no other. Must not be called on an async thread.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        // Nothing here may keep the journal open any longer.
        lock(&self.parts).take();
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("verifying panicked");
        }
    }
}

impl Verification for Verifications {
    fn start(&self, request: &VerifyRequest) -> Result<VerifyStatus, Problem> {
        let parts = lock(&self.parts).clone();
        let Some(parts) = parts else {
            return Err(Problem::new(Slug::Stopping, "The server is stopping."));
        };
        let audited = Audited {
            part: match request.all {
                true => AuditPart::All,
                false => AuditPart::Sample(request.sample.unwrap_or(SAMPLE_DEFAULT)),
            },
            seed: match request.seed {
                Some(seed) => seed,
                None => super::random_seed()
                    .map_err(|error| Problem::new(Slug::Internal, error.to_string()))?,
            },
        };
        let mut thread = lock(&self.thread);
        let status = {
            let mut last = lock(&self.last);
            if last.as_ref().is_some_and(|last| last.state == "running") {
                let text = "Another verification is running; GET /v1/verify tells how far it is.";
                return Err(Problem::new(Slug::Conflict, text));
            }
            last.insert(VerifyStatus {
                state: "running".to_owned(),
                started_at: jiff::Timestamp::now().to_string(),
                ..VerifyStatus::default()
            })
            .clone()
        };
        let run = Run {
            parts,
            audited,
            last: Arc::clone(&self.last),
            stopping: Arc::clone(&self.stopping),
        };
        let worker = std::thread::Builder::new().name("verify".to_owned());
        match worker.spawn(move || run.run()) {
            Ok(started) => *thread = Some(started),
            Err(error) => {
                let error = anyhow!("the system refuses a thread: {error}");
                end(&self.last, Err(error));
            }
        }
        Ok(status)
    }

    fn last(&self) -> Option<VerifyStatus> {
        lock(&self.last).clone()
    }
}

/// One verification.
struct Run {
    parts: Parts,
    audited: Audited,
    last: Arc<Mutex<Option<VerifyStatus>>>,
    stopping: Arc<AtomicBool>,
}

impl Run {
    fn run(self) {
        let last = Arc::clone(&self.last);
        // One that panicked must not look as if it were running for ever.
        let verified = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.verify()));
        // What it held is given back before anybody hears of its end.
        drop(self);
        end(
            &last,
            verified.unwrap_or_else(|_| Err(anyhow!("verifying panicked"))),
        );
    }

    fn verify(&self) -> Result<VerifyReport> {
        let Parts {
            keeper,
            journal,
            keeping,
        } = &self.parts;
        let stopping = Arc::clone(&self.stopping);
        let go_on: Arc<dyn Fn() -> bool + Send + Sync> =
            Arc::new(move || !stopping.load(Ordering::Relaxed));
        // From here on no file is deleted and the journal forgets nothing, whatever definitions come.
        let held = keeper.hold_deletions(go_on.as_ref());
        let held = held.context("the server is stopping")?;
        let _pin = keeping.pins.pin(Offset::new(0, 0));
        let watching = Watching {
            told: &|step| self.tell(step),
            go_on: Arc::clone(&go_on),
        };
        let mut report = VerifyReport {
            seed: self.audited.seed,
            ..VerifyReport::default()
        };
        let end = journal.durable();
        let read = super::read_journal(journal, end, &watching);
        report.places.push(read);
        let read = super::read_state(&keeping.state, &watching);
        report.places.push(read);
        let processor = held.processor();
        let read = super::read_tables(processor, &keeping.history, &watching);
        report.places.extend(read);
        report.cubes = super::audit(processor, journal, self.audited, &watching);
        if !go_on() {
            bail!("the server is stopping");
        }
        // A cube that comes back with definitions may be filled anew, and its files with it.
        if report.cubes.iter().any(|cube| cube.fault.is_some()) && !held.is_in_force() {
            bail!("the definitions were changed meanwhile; verify again");
        }
        super::judge(&mut report);
        Ok(report)
    }

    fn tell(&self, step: VerifyStep) {
        if let Some(status) = lock(&self.last).as_mut() {
            let progress = status.progress.get_or_insert_default();
            match step {
                VerifyStep::Place(place, total_bytes) => {
                    *progress = VerifyProgress {
                        place: Some(place),
                        total_bytes,
                        ..VerifyProgress::default()
                    };
                }
                VerifyStep::Bytes(bytes) => progress.bytes = bytes,
                VerifyStep::Cube(cube, buckets) => {
                    *progress = VerifyProgress {
                        cube: Some(cube),
                        buckets,
                        ..VerifyProgress::default()
                    };
                }
            }
        }
    }
}

fn end(last: &Mutex<Option<VerifyStatus>>, verified: Result<VerifyReport>) {
    let mut last = lock(last);
    let Some(status) = last.as_mut() else {
        return;
    };
    status.ended_at = Some(jiff::Timestamp::now().to_string());
    status.progress = None;
    match verified {
        Ok(report) => {
            if report.ok {
                tracing::info!(seed = report.seed, "what is kept was verified");
            } else {
                tracing::error!(
                    seed = report.seed,
                    "what is kept was verified, and not all is well; GET /v1/verify tells"
                );
            }
            "done".clone_into(&mut status.state);
            status.report = Some(report);
        }
        Err(error) => {
            let error = crate::terminal::with_causes(&error);
            tracing::error!(%error, "what is kept could not be verified");
            "failed".clone_into(&mut status.state);
            status.fault = Some(error);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
