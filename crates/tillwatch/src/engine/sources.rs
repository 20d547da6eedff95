//! Sources that fetch by themselves: started with the definitions, stopped with them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tillwatch_collect::source::{
    PollHandle, PollLimits, PollOptions, SourceError, SourceStateKind,
};
use tillwatch_collect::{Decoder, Intake, SystemClock};
use tillwatch_serve::documents::SourceStatus;

use crate::definitions::folder::Item;
use crate::definitions::shape;

/// How often a source is asked when its definition does not say.
const EVERY: Duration = Duration::from_secs(10);

/// The running sources.
#[derive(Default)]
pub struct SourceBoard {
    running: Mutex<Vec<PollHandle>>,
}

impl SourceBoard {
    /// Starts one source on the current runtime.
    ///
    /// # Errors
    /// When its definition cannot work.
    pub fn start(
        &self,
        item: &Item<shape::Source>,
        decoder: Arc<Decoder>,
        intake: Arc<Intake>,
        limits: PollLimits,
    ) -> Result<(), SourceError> {
        let written = &item.value;
        let options = PollOptions {
            name: item.name.clone(),
            url: written.url.clone(),
            every: written.every.map_or(EVERY, |every| every.0),
            events: written.events.clone(),
            headers: written.headers.clone().into_iter().collect(),
            allow_private: written.allow_private,
            limits,
        };
        let handle = PollHandle::start(options, decoder, intake, Arc::new(SystemClock))?;
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(handle);
        Ok(())
    }

    /// Stops all, letting each finish what it has fetched.
    pub async fn stop(&self) {
        let running =
            std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        for source in running {
            source.stop().await;
        }
    }

    /// The states, as the server shows them.
    #[must_use]
    pub fn statuses(&self) -> Vec<SourceStatus> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running
            .iter()
            .map(|source| {
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
                    next_at: state.next_at_us.and_then(time_text),
                    events: state.events,
                }
            })
            .collect()
    }
}

/// An instant as RFC 3339 in UTC.
fn time_text(us: i64) -> Option<String> {
    jiff::Timestamp::from_microsecond(us)
        .ok()
        .map(|time| time.to_string())
}
