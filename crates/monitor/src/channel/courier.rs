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

/// Messages to one channel that are under way at a time.
const UNDER_WAY_MAX: usize = 4;
/// Messages to one channel that are taken up per call.
const TAKEN_UP_MAX: usize = 16;

/// How messages are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CourierOptions {
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How long [`Courier::deliver_due`] waits for attempts; those that take longer stay under way.
    pub patience: Duration,
    /// When a message is tried again.
    pub retry: RetryPolicy,
}

impl Default for CourierOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            patience: Duration::from_millis(500),
            retry: RetryPolicy::default(),
        }
    }
}

/// What one call of [`Courier::deliver_due`] found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Messages delivered.
    pub delivered: usize,
    /// Messages to be tried again.
    pub retried: usize,
    /// Messages given up.
    pub failed: usize,
}

/// Carries messages out. One per catalogue. Channels do not wait for each other: what one receiver
/// is slow to take keeps no other from its messages.
pub struct Courier {
    catalogue: Arc<Catalogue>,
    webhooks: HashMap<String, Arc<Webhook>>,
    pub(super) feed: Feed,
    options: CourierOptions,
    /// Only one round at a time, or a message would go out twice.
    under_way: tokio::sync::Mutex<UnderWay>,
}

/// Attempts that have not ended. Dropped, they are broken off and made again after the next start.
#[derive(Default)]
struct UnderWay {
    attempts: JoinSet<Attempt>,
    messages: HashMap<tokio::task::Id, Message>,
}

impl UnderWay {
    fn has(&self, message: &Message) -> bool {
        self.messages.values().any(|other| other.id == message.id)
    }

    fn has_room(&self, channel: &str) -> bool {
        let of_channel = self.messages.values().filter(|m| m.channel == channel);
        of_channel.count() < UNDER_WAY_MAX
    }

    /// The next attempt that ends; `None` where none is under way. One whose task was lost leaves
    /// its message in the outbox, so it is tried again.
    async fn next(&mut self) -> Option<(Message, Attempt)> {
        loop {
            match self.attempts.join_next_with_id().await? {
                Ok((id, attempt)) => {
                    if let Some(message) = self.messages.remove(&id) {
                        return Some((message, attempt));
                    }
                }
                Err(lost) => {
                    self.messages.remove(&lost.id());
                }
            }
        }
    }
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
        Ok(Self {
            catalogue,
            webhooks,
            feed,
            options,
            under_way: tokio::sync::Mutex::default(),
        })
    }

    /// Tries the messages whose time has come, once each, and waits a moment for what becomes of
    /// them; attempts that take longer stay under way, and a later call tells of them. To be called
    /// every second or so.
    ///
    /// Of each channel at most four messages are under way, begun in the order in which they were
    /// due; of those about one incident each waits until the one before has arrived or is given up.
    ///
    /// A message that is under way when the process dies is sent again after the next start, with
    /// the same `Idempotency-Key`: receivers get each at least once and can tell repetitions.
    ///
    /// # Errors
    /// The catalogue cannot be read or written.
    pub async fn deliver_due(&self, now_us: i64) -> Result<DeliveryReport, MonitorError> {
        let mut under_way = self.under_way.lock().await;
        let catalogue = Arc::clone(&self.catalogue);
        let due = off_runtime(move || catalogue.due(now_us, TAKEN_UP_MAX)).await?;
        let mut waiting: Vec<Message> = due.into_iter().filter(|m| !under_way.has(m)).collect();
        let deadline = tokio::time::Instant::now() + self.options.patience;
        let mut report = DeliveryReport::default();
        loop {
            waiting = self.start(&mut under_way, waiting, now_us);
            let next = tokio::time::timeout_at(deadline, under_way.next());
            let Ok(Some((message, attempt))) = next.await else {
                return Ok(report);
            };
            self.ended(message, attempt, now_us, &mut report).await?;
        }
    }

    /// Waits for everything that is under way, and starts nothing more.
    ///
    /// # Errors
    /// The catalogue cannot be written.
    pub async fn settle(&self, now_us: i64) -> Result<DeliveryReport, MonitorError> {
        let mut under_way = self.under_way.lock().await;
        let mut report = DeliveryReport::default();
        while let Some((message, attempt)) = under_way.next().await {
            self.ended(message, attempt, now_us, &mut report).await?;
        }
        Ok(report)
    }

    /// Starts what there is room for; returns what has to wait.
    fn start(&self, under_way: &mut UnderWay, waiting: Vec<Message>, now_us: i64) -> Vec<Message> {
        let mut rest = Vec::new();
        for message in waiting {
            if !under_way.has_room(&message.channel) {
                rest.push(message);
                continue;
            }
            let webhook = self.webhooks.get(&message.channel).cloned();
            let posted = message.clone();
            let attempt = under_way.attempts.spawn(async move {
                match webhook {
                    Some(webhook) => webhook.post(&posted, now_us).await,
                    None => Attempt::Never("the channel is not defined any more".to_owned()),
                }
            });
            under_way.messages.insert(attempt.id(), message);
        }
        rest
    }

    /// Writes down how an attempt ended.
    async fn ended(
        &self,
        message: Message,
        attempt: Attempt,
        now_us: i64,
        report: &mut DeliveryReport,
    ) -> Result<(), MonitorError> {
        let outcome = self.outcome(&message, attempt, now_us);
        match &outcome {
            Outcome::Delivered(_) => report.delivered += 1,
            Outcome::Retry { .. } => report.retried += 1,
            Outcome::Failed(_) => report.failed += 1,
        }
        let catalogue = Arc::clone(&self.catalogue);
        let event = off_runtime(move || catalogue.attempted(&message, &outcome, now_us)).await?;
        if let Some((kind, incident)) = event {
            self.feed.publish(kind, incident);
        }
        Ok(())
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
