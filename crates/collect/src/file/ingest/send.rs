//! Sends a chunk until it is taken, refused, or it is enough.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::sink::{Answer, Parcel, Sink, SinkError};
use super::{Event, IngestOptions, Listener};

/// How often and how long is tried.
pub(super) struct Retries {
    failures_max: u32,
    wait_min: Duration,
    wait_max: Duration,
    overload_max: Duration,
    listener: Listener,
}

impl Retries {
    pub(super) fn new(options: &IngestOptions, listener: Listener) -> Self {
        Self {
            failures_max: options.failures_max,
            wait_min: options.retry_wait_min,
            wait_max: options.retry_wait_max,
            overload_max: options.overload_max,
            listener,
        }
    }

    /// The answer to a chunk, after as many tries as it takes.
    pub(super) async fn send<S: Sink>(
        &self,
        sink: &S,
        parcel: &Parcel,
    ) -> Result<Answer, SinkError> {
        self.answer(|| sink.send(parcel)).await
    }

    /// What the sink writes to, after as many tries as it takes.
    pub(super) async fn target<S: Sink>(&self, sink: &S) -> Result<String, SinkError> {
        self.answer(|| sink.target()).await
    }

    async fn answer<T, F>(&self, ask: impl Fn() -> F) -> Result<T, SinkError>
    where
        F: Future<Output = Result<T, SinkError>>,
    {
        let mut failures = 0;
        let mut overloaded_since = None;
        loop {
            let error = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let wait = match &error {
                SinkError::Refused(_) => return Err(error),
                // Being asked to wait is no failure, as long as it comes to an end.
                SinkError::Overloaded { retry_after, .. } => {
                    let since = *overloaded_since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= self.overload_max {
                        return Err(error);
                    }
                    (*retry_after).min(self.wait_max)
                }
                SinkError::Unavailable(_) => {
                    failures += 1;
                    overloaded_since = None;
                    if failures >= self.failures_max {
                        return Err(error);
                    }
                    self.back_off(failures)
                }
            };
            (self.listener)(Event::Waiting {
                reason: error.to_string(),
                wait,
            });
            sleep(wait).await;
        }
    }

    /// Doubles with each failure, with a random part so that several loaders do not come back as one.
    fn back_off(&self, failures: u32) -> Duration {
        let doubled = self
            .wait_min
            .saturating_mul(1 << failures.saturating_sub(1).min(16));
        doubled
            .min(self.wait_max)
            .mul_f64(rand::random_range(0.75..1.0))
    }
}
