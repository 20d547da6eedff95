//! Carries messages from the outbox to their channels.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use tokio::task::JoinSet;

use super::retry::RetryPolicy;
use super::webhook::{Attempt, Webhook};
use crate::MonitorError;
use crate::catalogue::{Catalogue, Message, Outcome};
use crate::definition::ChannelDefinition;
use crate::watch::Feed;

/// Messages that are under way at a time.
const UNDER_WAY_MAX: usize = 16;

/// How messages are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CourierOptions {
    /// How long one attempt may take.
    pub timeout: Duration,
    /// When a message is tried again.
    pub retry: RetryPolicy,
}

impl Default for CourierOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            retry: RetryPolicy::default(),
        }
    }
}

/// What one call of [`Courier::deliver_due`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Messages delivered.
    pub delivered: usize,
    /// Messages to be tried again.
    pub retried: usize,
    /// Messages given up.
    pub failed: usize,
}

/// Carries messages out. One per catalogue.
pub struct Courier {
    catalogue: Arc<Catalogue>,
    webhooks: HashMap<String, Arc<Webhook>>,
    pub(super) feed: Feed,
    options: CourierOptions,
    /// Only one round at a time, or a message would go out twice.
    round: tokio::sync::Mutex<()>,
}

impl Courier {
    /// A courier for these channels. `feed` is the engine's, so that deliveries show live.
    ///
    /// # Errors
    /// A channel is not valid or its HTTP client cannot be built.
    pub fn new(
        channels: &[ChannelDefinition],
        catalogue: Arc<Catalogue>,
        feed: Feed,
        options: CourierOptions,
    ) -> Result<Self, MonitorError> {
        let mut webhooks = HashMap::new();
        for channel in channels {
            let webhook = Arc::new(Webhook::new(channel, options.timeout)?);
            webhooks.insert(channel.name.clone(), webhook);
        }
        let round = tokio::sync::Mutex::new(());
        Ok(Self {
            catalogue,
            webhooks,
            feed,
            options,
            round,
        })
    }

    /// Tries every message whose time has come, once; at most 16, all at the same time. To be
    /// called every second or so.
    ///
    /// A message that is under way when the process dies is sent again after the next start, with
    /// the same `Idempotency-Key`: receivers get each at least once and can tell repetitions.
    ///
    /// # Errors
    /// The catalogue cannot be read or written.
    pub async fn deliver_due(&self, now_us: i64) -> Result<DeliveryReport, MonitorError> {
        let _only = self.round.lock().await;
        let catalogue = Arc::clone(&self.catalogue);
        let due = off_runtime(move || catalogue.due(now_us, UNDER_WAY_MAX)).await?;
        let mut under_way = JoinSet::new();
        for message in due {
            let webhook = self.webhooks.get(&message.channel).cloned();
            under_way.spawn(async move {
                let attempt = match webhook {
                    Some(webhook) => webhook.post(&message, now_us).await,
                    None => Attempt::Never("the channel is not defined any more".to_owned()),
                };
                (message, attempt)
            });
        }
        let mut report = DeliveryReport::default();
        while let Some(joined) = under_way.join_next().await {
            // A lost task leaves its message in the outbox, so it is tried again.
            let Ok((message, attempt)) = joined else {
                continue;
            };
            let outcome = self.outcome(&message, attempt, now_us);
            match &outcome {
                Outcome::Delivered(_) => report.delivered += 1,
                Outcome::Retry { .. } => report.retried += 1,
                Outcome::Failed(_) => report.failed += 1,
            }
            let catalogue = Arc::clone(&self.catalogue);
            let event =
                off_runtime(move || catalogue.attempted(&message, &outcome, now_us)).await?;
            if let Some((kind, incident)) = event {
                self.feed.publish(kind, incident);
            }
        }
        Ok(report)
    }

    fn outcome(&self, message: &Message, attempt: Attempt, now_us: i64) -> Outcome {
        let channel = &message.channel;
        let attempts = message.attempts + 1;
        match attempt {
            Attempt::Delivered(status) => Outcome::Delivered(format!(
                "{channel}: delivered ({status}), attempt {attempts}"
            )),
            Attempt::Never(error) => Outcome::Failed(format!("{channel}: {error}")),
            Attempt::Later { error, retry_after } => {
                let jitter = rand::rng().random::<f64>();
                let created_at_us = message.created_at_us;
                let retry = &self.options.retry;
                match retry.next_at_us(attempts, created_at_us, now_us, retry_after, jitter) {
                    Some(next_at_us) => Outcome::Retry { next_at_us, error },
                    None => Outcome::Failed(format!(
                        "{channel}: {error}; given up after {attempts} attempts"
                    )),
                }
            }
        }
    }
}

/// Runs a call of the catalogue, which may wait for the disk, outside the async threads.
async fn off_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MonitorError> + Send + 'static,
) -> Result<T, MonitorError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(lost) => Err(MonitorError::Client(lost.to_string())),
    }
}
