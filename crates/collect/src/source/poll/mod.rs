//! The HTTP poll source: asks a URL again and again and takes the events of its answers.
//!
//! A stream with an `id` deduplicates by it, so an answer may repeat events of the last one. For a
//! stream without one, the answer as a whole counts: the same answer again is taken once.

mod fetch;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use reqwest::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use tillwatch_event::EventId;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::backoff::Backoff;
use super::path::{EventsPath, PathError};
use crate::clock::Clock;
use crate::decode::{DecodeError, Decoder, Format};
use crate::intake::{Intake, IntakeError, Receipt, SubmitMeta};
use fetch::{Answer, Fetcher};
use state::SharedState;
pub use state::{PollState, SourceStateKind};

/// The shortest interval between two requests of one source.
pub const EVERY_MIN: Duration = Duration::from_secs(1);

/// Limits of a poll source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PollLimits {
    /// Bytes of an answer, also after decompression. Default 16 MiB.
    pub response_bytes_max: usize,
    /// Milliseconds for one request with its whole answer. Default 30 000.
    pub timeout_ms: u64,
    /// Milliseconds to connect. Default 10 000.
    pub connect_timeout_ms: u64,
    /// Milliseconds of the longest wait after failures, which is never shorter than the source's
    /// `every`. Default 300 000 (5 minutes).
    pub backoff_max_ms: u64,
    /// Milliseconds of the longest wait that a server may ask for by `Retry-After`. Default 3 600 000 (1 hour).
    pub retry_after_max_ms: u64,
}

impl Default for PollLimits {
    fn default() -> Self {
        Self {
            response_bytes_max: 16 << 20,
            timeout_ms: 30_000,
            connect_timeout_ms: 10_000,
            backoff_max_ms: 300_000,
            retry_after_max_ms: 3_600_000,
        }
    }
}

/// A poll source as defined.
#[derive(Debug, Clone)]
pub struct PollOptions {
    /// The source's name.
    pub name: String,
    /// What is asked: `http` or `https`.
    pub url: String,
    /// From the start of one request to the start of the next, at least [`EVERY_MIN`].
    pub every: Duration,
    /// Where the events stand in a JSON answer; `None` takes the whole answer, in the form its
    /// `Content-Type` names.
    pub events: Option<String>,
    /// Headers to send. A value `env:NAME` is taken from that environment variable.
    pub headers: Vec<(String, String)>,
    /// Whether loopback, link-local and private addresses may be reached.
    pub allow_private: bool,
    /// Limits.
    pub limits: PollLimits,
}

/// Why a poll source cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The URL cannot be used.
    #[error("source '{name}': the URL cannot be used: {reason}")]
    Url {
        /// The source.
        name: String,
        /// Why not.
        reason: String,
    },
    /// The interval is too short.
    #[error("source '{name}': `every` must be at least 1s")]
    Every {
        /// The source.
        name: String,
    },
    /// The path to the events cannot be used.
    #[error("source '{name}': {source}")]
    Path {
        /// The source.
        name: String,
        /// What is wrong with it.
        source: PathError,
    },
    /// A header cannot be sent.
    #[error("source '{name}': the header '{header}' {reason}")]
    Header {
        /// The source.
        name: String,
        /// The header's name.
        header: String,
        /// Why not; never its value.
        reason: String,
    },
    /// The HTTP client cannot be built.
    #[error("source '{name}': the HTTP client cannot be built: {reason}")]
    Client {
        /// The source.
        name: String,
        /// What it said.
        reason: String,
    },
}

/// A running poll source. Dropping it ends it without waiting.
#[derive(Debug)]
pub struct PollHandle {
    state: Arc<SharedState>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl PollHandle {
    /// Starts to poll, at once, on the current tokio runtime.
    ///
    /// # Errors
    /// When the definition cannot work; a server that does not answer is no error here.
    pub fn start(
        options: PollOptions,
        decoder: Arc<Decoder>,
        intake: Arc<Intake>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SourceError> {
        let environment = |name: &str| std::env::var(name).ok();
        check_every(&options)?;
        let path = events_path(&options)?;
        let stream = decoder.schema().name.clone();
        let state = Arc::new(SharedState::new(&options.name, &stream));
        let fetcher = Fetcher::new(
            &options,
            decoder.csv().clone(),
            headers(&options, &environment)?,
        )?;
        let backoff = Backoff {
            base: options.every,
            max: Duration::from_millis(options.limits.backoff_max_ms).max(options.every),
        };
        let poller = Poller {
            options,
            fetcher,
            path,
            decoder,
            intake,
            clock,
            state: Arc::clone(&state),
            backoff,
            taken: None,
        };
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(poller.run(stopped));
        Ok(Self {
            state,
            stop,
            task: Some(task),
        })
    }

    /// How the source is.
    #[must_use]
    pub fn state(&self) -> PollState {
        self.state.get()
    }

    /// Ends the source; what was fetched and handed to the intake is finished first.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take()
            && let Err(error) = task.await
        {
            tracing::error!(%error, "a poll source panicked");
        }
    }
}

impl Drop for PollHandle {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Reads an environment variable; none when it is not set.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Every reason for which [`PollHandle::start`] would refuse, without starting anything. Nobody is
/// asked: whether the server answers shows when it runs.
#[must_use]
pub fn check(options: &PollOptions, environment: Environment<'_>) -> Vec<SourceError> {
    let url = fetch::usable_url(options).err();
    let every = check_every(options).err();
    let path = events_path(options).err();
    let headers = options
        .headers
        .iter()
        .filter_map(|header| resolve_header(options, header, environment).err());
    let faults = url.into_iter().chain(every).chain(path);
    faults.chain(headers).collect()
}

fn check_every(options: &PollOptions) -> Result<(), SourceError> {
    if options.every < EVERY_MIN {
        return Err(SourceError::Every {
            name: options.name.clone(),
        });
    }
    Ok(())
}

fn events_path(options: &PollOptions) -> Result<Option<EventsPath>, SourceError> {
    let path = options.events.as_deref().map(EventsPath::parse);
    path.transpose().map_err(|source| SourceError::Path {
        name: options.name.clone(),
        source,
    })
}

fn headers(
    options: &PollOptions,
    environment: Environment<'_>,
) -> Result<Vec<(HeaderName, HeaderValue)>, SourceError> {
    let resolve = |header| resolve_header(options, header, environment);
    options.headers.iter().map(resolve).collect()
}

/// A header with its secret from the environment; every value is marked as secret, so that it is
/// never printed.
fn resolve_header(
    options: &PollOptions,
    (header, value): &(String, String),
    environment: Environment<'_>,
) -> Result<(HeaderName, HeaderValue), SourceError> {
    let fault = |reason: String| SourceError::Header {
        name: options.name.clone(),
        header: header.clone(),
        reason,
    };
    let name = HeaderName::from_bytes(header.as_bytes())
        .map_err(|_| fault("is not a header's name".to_owned()))?;
    let text = match value.strip_prefix("env:") {
        None => value.clone(),
        Some(variable) => environment(variable).ok_or_else(|| {
            fault(format!(
                "needs the environment variable {variable}, which is not set"
            ))
        })?,
    };
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| fault("has a value that cannot be sent".to_owned()))?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// Why one poll failed, and how long the server asked to be left alone.
struct PollFault {
    reason: String,
    wait: Option<Duration>,
}

impl PollFault {
    fn new(reason: impl ToString) -> Self {
        Self {
            reason: reason.to_string(),
            wait: None,
        }
    }
}

struct Poller {
    options: PollOptions,
    fetcher: Fetcher,
    path: Option<EventsPath>,
    decoder: Arc<Decoder>,
    intake: Arc<Intake>,
    clock: Arc<dyn Clock>,
    state: Arc<SharedState>,
    backoff: Backoff,
    /// The hash of the last answer that was taken.
    taken: Option<EventId>,
}

impl Poller {
    async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let mut failures = 0_u32;
        loop {
            let started = tokio::time::Instant::now();
            let outcome = tokio::select! {
                outcome = self.poll() => outcome,
                _ = stopped.changed() => break,
            };
            let wait = match outcome {
                Ok(()) => {
                    failures = 0;
                    self.options.every.saturating_sub(started.elapsed())
                }
                Err(fault) => {
                    failures = failures.saturating_add(1);
                    tracing::warn!(source = %self.options.name, reason = %fault.reason, "poll failed");
                    let backoff = self
                        .backoff
                        .delay(failures, rand::rng().random_range(0.0..=1.0));
                    let most = Duration::from_millis(self.options.limits.retry_after_max_ms);
                    let wait = fault
                        .wait
                        .map_or(backoff, |asked| asked.min(most).max(backoff));
                    self.state.failed(self.clock.now_us(), fault.reason);
                    wait
                }
            };
            let wait_us = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
            self.state
                .next_at(self.clock.now_us().saturating_add(wait_us));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = stopped.changed() => break,
            }
        }
        self.state.stopped();
    }

    async fn poll(&mut self) -> Result<(), PollFault> {
        let (body, format, marks) = match self.fetcher.fetch(self.clock.now_us()).await? {
            Answer::NotModified => {
                self.state.unchanged(self.clock.now_us());
                return Ok(());
            }
            // Nothing has happened there: an answer as good as any, whatever form it would have.
            Answer::Empty { marks } => {
                self.fetcher.remember(marks);
                self.state.took(self.clock.now_us(), &Receipt::default());
                return Ok(());
            }
            Answer::Body {
                body,
                format,
                marks,
            } => (body, format, marks),
        };
        let hash = EventId::of_bytes(&body);
        if self.taken == Some(hash) {
            self.fetcher.remember(marks);
            self.state.unchanged(self.clock.now_us());
            return Ok(());
        }
        let meta = SubmitMeta {
            idempotency_key: Some(format!("{}:{hash}", self.options.name)),
            source: Some(self.options.name.clone()),
        };
        let prepared = {
            let (path, decoder) = (self.path.clone(), Arc::clone(&self.decoder));
            let intake = Arc::clone(&self.intake);
            tokio::task::spawn_blocking(move || {
                let decoded = decode(&decoder, path.as_ref(), format, &body)?;
                intake
                    .prepare(&decoder.schema().name, decoded, meta)
                    .map_err(|error| intake_fault(&error))
            })
            .await
            .map_err(PollFault::new)??
        };
        let receipt = self
            .intake
            .submit_prepared(prepared)
            .await
            .map_err(|error| intake_fault(&error))?;
        // Only what is durable is remembered: after a failure the same answer is asked for again.
        self.taken = Some(hash);
        self.fetcher.remember(marks);
        self.state.took(self.clock.now_us(), &receipt);
        Ok(())
    }
}

fn decode(
    decoder: &Decoder,
    path: Option<&EventsPath>,
    format: Option<Format>,
    body: &[u8],
) -> Result<crate::decode::Decoded, PollFault> {
    let fault = |error: DecodeError| PollFault::new(error);
    let Some(path) = path else {
        return decoder
            .decode(&format.unwrap_or(Format::Json), body)
            .map_err(fault);
    };
    let text = std::str::from_utf8(body).map_err(|error| {
        fault(DecodeError::Utf8 {
            at: error.valid_up_to(),
        })
    })?;
    let events = path.find(text).map_err(PollFault::new)?;
    decoder
        .decode(&Format::Json, events.as_bytes())
        .map_err(fault)
}

fn intake_fault(error: &IntakeError) -> PollFault {
    let wait = match error {
        IntakeError::Overloaded { retry_after, .. } => Some(*retry_after),
        _ => None,
    };
    PollFault {
        reason: error.to_string(),
        wait,
    }
}
