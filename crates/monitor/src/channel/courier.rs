//! Carries messages from the outbox to their channels.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::RngExt;
use tokio::task::JoinSet;

use super::alertmanager::RESEND_US;
use super::attempt::Attempt;
use super::retry::RetryPolicy;
use super::sender::Sender;
use crate::MonitorError;
use crate::catalogue::{Catalogue, DeliveryState, Message, Outcome};
use crate::definition::{ChannelDefinition, ChannelKind};
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
    channels: HashMap<String, Channel>,
    pub(super) feed: Feed,
    options: CourierOptions,
    /// What became of messages, as it was read last.
    states: Mutex<(Option<tokio::time::Instant>, Vec<DeliveryState>)>,
    /// Only one round at a time, or a message would go out twice.
    under_way: tokio::sync::Mutex<UnderWay>,
}

/// How often what became of messages is read for the status.
const STATES_EVERY: Duration = Duration::from_secs(5);

/// A channel as the status shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelState {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// What became of its messages.
    pub delivery: DeliveryState,
}

/// A channel that is ready.
struct Channel {
    kind: &'static str,
    sender: Arc<Sender>,
    /// How long a first message waits for others, in microseconds; none where each goes by itself.
    group_wait_us: Option<i64>,
    /// Whether what could not be delivered is sent again soon anyway.
    is_resending: bool,
}

/// Attempts that have not ended. Dropped, they are broken off and made again after the next start.
#[derive(Default)]
struct UnderWay {
    attempts: JoinSet<Attempt>,
    /// Those that go out as one together.
    messages: HashMap<tokio::task::Id, Vec<Message>>,
}

impl UnderWay {
    fn has(&self, messages: &[Message]) -> bool {
        let first = messages.first().map(|message| message.id);
        let mut others = self.messages.values().flatten();
        others.any(|other| Some(other.id) == first)
    }

    fn has_room(&self, channel: &str) -> bool {
        let to_channel =
            |messages: &&Vec<Message>| messages.first().is_some_and(|m| m.channel == channel);
        self.messages.values().filter(to_channel).count() < UNDER_WAY_MAX
    }

    /// The next attempt that ends; `None` where none is under way. One whose task was lost leaves
    /// its message in the outbox, so it is tried again.
    async fn next(&mut self) -> Option<(Vec<Message>, Attempt)> {
        loop {
            match self.attempts.join_next_with_id().await? {
                Ok((id, attempt)) => {
                    if let Some(messages) = self.messages.remove(&id) {
                        return Some((messages, attempt));
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
        let mut ready = HashMap::new();
        for channel in channels {
            let wait_us = i64::try_from(channel.group_wait.as_micros()).unwrap_or(i64::MAX);
            let of_channel = Channel {
                kind: channel.kind.name(),
                sender: Arc::new(Sender::new(channel, options.timeout)?),
                group_wait_us: (wait_us > 0).then_some(wait_us),
                is_resending: matches!(channel.kind, ChannelKind::Alertmanager(_)),
            };
            ready.insert(channel.name.clone(), of_channel);
        }
        Ok(Self {
            catalogue,
            channels: ready,
            feed,
            options,
            states: Mutex::default(),
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
        let grouping = self.channels.iter().filter_map(|(name, channel)| {
            let wait_us = channel.group_wait_us?;
            Some((name.clone(), wait_us))
        });
        let grouping: Vec<(String, i64)> = grouping.collect();
        let catalogue = Arc::clone(&self.catalogue);
        let due = off_runtime(move || {
            for (channel, wait_us) in &grouping {
                catalogue.bundle(channel, *wait_us, now_us)?;
            }
            let names: Vec<String> = grouping.into_iter().map(|(name, _)| name).collect();
            catalogue.due(now_us, TAKEN_UP_MAX, &names)
        });
        let due = due.await?;
        let mut waiting: Vec<Vec<Message>> =
            due.into_iter().filter(|m| !under_way.has(m)).collect();
        let deadline = tokio::time::Instant::now() + self.options.patience;
        let mut report = DeliveryReport::default();
        loop {
            waiting = self.start(&mut under_way, waiting, now_us);
            let next = tokio::time::timeout_at(deadline, under_way.next());
            let Ok(Some((messages, attempt))) = next.await else {
                self.read_states().await?;
                return Ok(report);
            };
            self.ended(messages, attempt, now_us, &mut report).await?;
        }
    }

    /// Every channel with what became of its messages, by name. It does not wait for the disk, and so
    /// is a few seconds old.
    #[must_use]
    pub fn states(&self) -> Vec<ChannelState> {
        let known = self.known_states().1.clone();
        let state = |(name, channel): (&String, &Channel)| ChannelState {
            name: name.clone(),
            kind: channel.kind,
            delivery: (known.iter().find(|state| state.channel == *name).cloned())
                .unwrap_or_default(),
        };
        let mut states: Vec<ChannelState> = self.channels.iter().map(state).collect();
        states.sort_by(|a, b| a.name.cmp(&b.name));
        states
    }

    fn known_states(&self) -> MutexGuard<'_, (Option<tokio::time::Instant>, Vec<DeliveryState>)> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what became of messages, unless it was read a moment ago.
    async fn read_states(&self) -> Result<(), MonitorError> {
        let read_at = self.known_states().0;
        if read_at.is_some_and(|at| at.elapsed() < STATES_EVERY) {
            return Ok(());
        }
        let catalogue = Arc::clone(&self.catalogue);
        let found = off_runtime(move || catalogue.deliveries()).await?;
        *self.known_states() = (Some(tokio::time::Instant::now()), found);
        Ok(())
    }

    /// Waits for everything that is under way, and starts nothing more.
    ///
    /// # Errors
    /// The catalogue cannot be written.
    pub async fn settle(&self, now_us: i64) -> Result<DeliveryReport, MonitorError> {
        let mut under_way = self.under_way.lock().await;
        let mut report = DeliveryReport::default();
        while let Some((messages, attempt)) = under_way.next().await {
            self.ended(messages, attempt, now_us, &mut report).await?;
        }
        Ok(report)
    }

    /// Starts what there is room for; returns what has to wait.
    fn start(
        &self,
        under_way: &mut UnderWay,
        waiting: Vec<Vec<Message>>,
        now_us: i64,
    ) -> Vec<Vec<Message>> {
        let mut rest = Vec::new();
        for messages in waiting {
            let Some(first) = messages.first() else {
                continue;
            };
            if !under_way.has_room(&first.channel) {
                rest.push(messages);
                continue;
            }
            let channel = self.channels.get(&first.channel);
            let sender = channel.map(|channel| Arc::clone(&channel.sender));
            let sent = messages.clone();
            let attempt = under_way.attempts.spawn(async move {
                match sender {
                    Some(sender) => sender.send(&sent, now_us).await,
                    None => Attempt::Never("the channel is not defined any more".to_owned()),
                }
            });
            under_way.messages.insert(attempt.id(), messages);
        }
        rest
    }

    /// Writes down how an attempt ended.
    async fn ended(
        &self,
        messages: Vec<Message>,
        attempt: Attempt,
        now_us: i64,
        report: &mut DeliveryReport,
    ) -> Result<(), MonitorError> {
        let Some(first) = messages.first() else {
            return Ok(());
        };
        let outcome = self.outcome(first, attempt, now_us);
        match &outcome {
            Outcome::Delivered(_) => report.delivered += messages.len(),
            Outcome::Retry { .. } => report.retried += messages.len(),
            Outcome::Failed(_) | Outcome::Lapsed => report.failed += messages.len(),
        }
        let catalogue = Arc::clone(&self.catalogue);
        let events = off_runtime(move || catalogue.attempted(&messages, &outcome, now_us)).await?;
        for (kind, incident) in events {
            self.feed.publish(kind, incident);
        }
        Ok(())
    }

    fn outcome(&self, message: &Message, attempt: Attempt, now_us: i64) -> Outcome {
        let channel = &message.channel;
        let attempts = message.attempts + 1;
        let is_resending = self.channels.get(channel).is_some_and(|c| c.is_resending);
        match attempt {
            Attempt::Delivered(status) => Outcome::Delivered(format!(
                "{channel}: delivered ({status}), attempt {attempts}"
            )),
            Attempt::Partly(refused) => Outcome::Delivered(format!(
                "{channel}: delivered, attempt {attempts}; not to {refused}"
            )),
            Attempt::Never(error) => Outcome::Failed(format!("{channel}: {error}")),
            Attempt::Later { error, .. } if is_resending && message.repeat > 0 => {
                tracing::warn!(channel, error, "what is told again was not delivered");
                Outcome::Lapsed
            }
            Attempt::Later { error, retry_after } => {
                let jitter = rand::rng().random::<f64>();
                let created_at_us = message.created_at_us;
                let mut retry = self.options.retry;
                if is_resending {
                    // Nothing is sent again while the first waits, and the receiver forgets.
                    let pause_max = Duration::from_micros(RESEND_US.unsigned_abs());
                    retry.pause_max = retry.pause_max.min(pause_max);
                }
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
