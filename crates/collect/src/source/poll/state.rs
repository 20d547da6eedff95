//! How a poll source is, for `/v1/status`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::intake::Receipt;

/// What a source does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceStateKind {
    /// It has not had an answer yet.
    Starting,
    /// The last request was answered and its events are taken.
    Ok,
    /// The last request failed.
    Failing,
    /// It was stopped.
    Stopped,
}

/// How a poll source is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PollState {
    /// The source's name.
    pub name: String,
    /// Always `http_poll`.
    pub kind: &'static str,
    /// The stream it writes to.
    pub stream: String,
    /// What it does.
    pub state: SourceStateKind,
    /// When it was last answered, microseconds since 1970.
    pub last_ok_at_us: Option<i64>,
    /// Why the last failure was, also when requests succeed again.
    pub last_error: Option<String>,
    /// When that was, microseconds since 1970.
    pub last_error_at_us: Option<i64>,
    /// When it asks next, microseconds since 1970.
    pub next_at_us: Option<i64>,
    /// Failures since the last success.
    pub failures: u64,
    /// Answers since start: taken and unchanged.
    pub answers: u64,
    /// Answers that had not changed.
    pub unchanged: u64,
    /// Events taken and new since start.
    pub events: u64,
    /// Events since start that were known already.
    pub duplicates: u64,
    /// Events since start that were rejected.
    pub rejected: u64,
}

#[derive(Debug)]
pub(super) struct SharedState(Mutex<PollState>);

impl SharedState {
    pub(super) fn new(name: &str, stream: &str) -> Self {
        Self(Mutex::new(PollState {
            name: name.to_owned(),
            kind: "http_poll",
            stream: stream.to_owned(),
            state: SourceStateKind::Starting,
            last_ok_at_us: None,
            last_error: None,
            last_error_at_us: None,
            next_at_us: None,
            failures: 0,
            answers: 0,
            unchanged: 0,
            events: 0,
            duplicates: 0,
            rejected: 0,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, PollState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self) -> PollState {
        self.lock().clone()
    }

    pub(super) fn failed(&self, now_us: i64, reason: String) {
        let mut state = self.lock();
        state.state = SourceStateKind::Failing;
        state.failures += 1;
        state.last_error = Some(reason);
        state.last_error_at_us = Some(now_us);
    }

    pub(super) fn next_at(&self, at_us: i64) {
        self.lock().next_at_us = Some(at_us);
    }

    pub(super) fn unchanged(&self, now_us: i64) {
        let mut state = self.lock();
        state.unchanged += 1;
        answered(&mut state, now_us);
    }

    pub(super) fn took(&self, now_us: i64, receipt: &Receipt) {
        let mut state = self.lock();
        state.events += receipt.accepted;
        state.duplicates += receipt.duplicates;
        state.rejected += receipt.rejected;
        answered(&mut state, now_us);
    }

    pub(super) fn stopped(&self) {
        let mut state = self.lock();
        state.state = SourceStateKind::Stopped;
        state.next_at_us = None;
    }
}

fn answered(state: &mut PollState, now_us: i64) {
    state.state = SourceStateKind::Ok;
    state.answers += 1;
    state.failures = 0;
    state.last_ok_at_us = Some(now_us);
}
