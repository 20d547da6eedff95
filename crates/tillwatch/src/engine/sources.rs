//! Sources that fetch by themselves: started with the definitions, stopped with them.

use std::sync::{Arc, Mutex, PoisonError};

use tillwatch_collect::source::{PollHandle, PollLimits, SourceStateKind};
use tillwatch_collect::{Decoder, Intake, SystemClock};
use tillwatch_serve::documents::SourceStatus;

use crate::definitions::folder::Item;
use crate::definitions::shape;
use crate::definitions::sources::poll_options;

/// The running sources.
#[derive(Default)]
pub struct SourceBoard {
    running: Mutex<Vec<PollHandle>>,
    /// Those that could not be started: they are shown with the reason.
    failed: Mutex<Vec<SourceStatus>>,
}

impl SourceBoard {
    /// Starts one source on the current runtime. One that cannot start is told in the log and
    /// stands among [`Self::statuses`] as failing; the others do not wait for it.
    pub fn start(
        &self,
        item: &Item<shape::Source>,
        decoder: Arc<Decoder>,
        intake: Arc<Intake>,
        limits: PollLimits,
    ) {
        let options = poll_options(item, limits);
        match PollHandle::start(options, decoder, intake, Arc::new(SystemClock)) {
            Ok(handle) => self
                .running
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(handle),
            Err(error) => {
                tracing::error!(%error, "a source was not started");
                self.failed
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(SourceStatus {
                        name: item.name.clone(),
                        kind: item.value.kind.clone(),
                        state: "failing".to_owned(),
                        last_error: Some(format!("not started: {error}")),
                        ..SourceStatus::default()
                    });
            }
        }
    }

    /// Stops all, letting each finish what it has fetched.
    pub async fn stop(&self) {
        self.failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        let running =
            std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        for source in running {
            source.stop().await;
        }
    }

    /// The states, as the server shows them.
    #[must_use]
    pub fn statuses(&self) -> Vec<SourceStatus> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let states = running.iter().map(|source| {
            let state = source.state();
            let kind = match state.state {
                SourceStateKind::Starting => "starting",
                SourceStateKind::Ok => "ok",
                SourceStateKind::Failing => "failing",
                SourceStateKind::Stopped => "stopped",
            };
            SourceStatus {
                name: state.name,
                kind: state.kind.to_owned(),
                state: kind.to_owned(),
                last_ok_at: state.last_ok_at_us.and_then(time_text),
                last_error: state.last_error,
                last_error_at: state.last_error_at_us.and_then(time_text),
                failures: state.failures,
                next_at: state.next_at_us.and_then(time_text),
                unchanged: state.unchanged,
                events: state.events,
                duplicates: state.duplicates,
                rejected: state.rejected,
            }
        });
        states.chain(failed.iter().cloned()).collect()
    }
}

/// An instant as RFC 3339 in UTC.
fn time_text(us: i64) -> Option<String> {
    tillwatch_event::time::rfc3339(us)
}
