//! Maintenance that is asked of a running server: the keeper of history does it, without its usual rests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tillwatch_serve::documents::MaintainStatus;
use tillwatch_serve::ports::Maintenance;
use tillwatch_serve::{Problem, Slug};

use super::keeper::{ByHand, ByHandReport, KeeperHandle};

/// Maintains history when it is asked to, one at a time.
#[derive(Default)]
pub struct Maintenances {
    keeper: Mutex<Option<KeeperHandle>>,
    last: Arc<Mutex<Option<MaintainStatus>>>,
}

impl Maintenances {
    /// Who keeps history, once somebody does.
    pub fn go_on(&self, keeper: KeeperHandle) {
        *lock(&self.keeper) = Some(keeper);
    }
}

impl Maintenance for Maintenances {
    fn start(&self) -> Result<MaintainStatus, Problem> {
        let keeper = lock(&self.keeper).clone();
        let Some(keeper) = keeper else {
            return Err(Problem::new(Slug::Stopping, "The server is stopping."));
        };
        let status = {
            let mut last = lock(&self.last);
            if last.as_ref().is_some_and(|last| last.state == "running") {
                let text = "Other maintenance is running; GET /v1/maintain tells how far it is.";
                return Err(Problem::new(Slug::Conflict, text));
            }
            last.insert(MaintainStatus {
                state: "running".to_owned(),
                started_at: jiff::Timestamp::now().to_string(),
                ..MaintainStatus::default()
            })
            .clone()
        };
        let (last, started) = (Arc::clone(&self.last), Instant::now());
        keeper.maintain(ByHand::new(move |report, ended| {
            if let Some(status) = lock(&last).as_mut() {
                status.took_s = started.elapsed().as_secs_f64();
                fill(status, report);
                if let Some(ended) = ended {
                    end(status, ended);
                }
            }
        }));
        Ok(status)
    }

    fn last(&self) -> Option<MaintainStatus> {
        lock(&self.last).clone()
    }
}

/// Says in the status what was done so far.
pub fn fill(status: &mut MaintainStatus, report: &ByHandReport) {
    status.flushed_events = report.flushed_events;
    status.journal_segments = report.journal_segments;
    status.compactions = report.maintained.compactions;
    status.roll_ups = report.maintained.roll_ups;
    status.files_replaced = report.maintained.files_replaced;
    status.files_expired = report.maintained.files_expired;
    status.files_deleted = report.maintained.files_deleted;
    status.deletion_deferred = report.deletion_deferred;
}

fn end(status: &mut MaintainStatus, ended: Result<(), String>) {
    status.ended_at = Some(jiff::Timestamp::now().to_string());
    match ended {
        Ok(()) => {
            tracing::info!(
                compactions = status.compactions,
                roll_ups = status.roll_ups,
                "history was maintained by hand"
            );
            "done".clone_into(&mut status.state);
        }
        Err(fault) => {
            tracing::error!(fault, "history could not be maintained by hand");
            "failed".clone_into(&mut status.state);
            status.fault = Some(fault);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
