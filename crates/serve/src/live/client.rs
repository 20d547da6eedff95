//! The stream of one client: a snapshot, then updates, and heartbeats in between.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, Sse};
use futures::Stream;
use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::access::Caller;
use crate::app::App;
use crate::live::hub::{Frame, Subscription};
use crate::problem::{Problem, Slug};
use crate::request::time::now_us;

/// A client's place among the live clients; free again when dropped.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    stop: CancellationToken,
    /// Cancelled when the client's token is revoked or over.
    over: CancellationToken,
    pub(crate) heartbeat: Duration,
}

impl Place {
    /// Takes a place, if one is free.
    pub(crate) fn take(app: &App, caller: &Caller) -> Result<Self, Problem> {
        let inner = app.inner();
        let permit = inner
            .live_clients
            .clone()
            .try_acquire_owned()
            .map_err(|_| {
                let max = inner.limits.live_clients_max;
                Problem::new(
                    Slug::TooManyLiveClients,
                    format!("{max} live streams are open, which is the limit; ask again shortly."),
                )
                .retry_after_s(5)
            })?;
        Ok(Self {
            _permit: permit,
            stop: inner.stop.clone(),
            over: caller.over.clone(),
            heartbeat: inner.limits.live_heartbeat(),
        })
    }

    /// Ends with the server, and with the client's token: the answer to the next attempt says why.
    pub(crate) fn end(&self) -> impl Future<Output = ()> + Send + use<> {
        let (stop, over) = (self.stop.clone(), self.over.clone());
        async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = over.cancelled() => {}
            }
        }
    }

    /// A clock for heartbeats; the first comes after one period.
    pub(crate) fn heartbeats(&self) -> Interval {
        let start = tokio::time::Instant::now() + self.heartbeat;
        let mut beat = tokio::time::interval_at(start, self.heartbeat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beat
    }
}

/// The event that says only that the stream is alive.
pub(crate) fn heartbeat() -> Event {
    Event::default()
        .event("heartbeat")
        .data(format!("{{\"now\":{}}}", now_us() / 1_000))
}

/// One question of a client's stream.
struct Follower {
    subscription: Subscription,
    /// The version the client has; `None` before its first snapshot.
    seen: Option<u64>,
    /// The number of the question in a combined stream.
    tag: Option<usize>,
    /// Whether the present failure has been told; it is to be waited out.
    failure_told: bool,
}

/// What a follower does next.
enum Step {
    Tell(Event),
    /// The last event, if there is anything to say, and no more.
    End(Option<Event>),
}

impl Follower {
    /// The next event for the client. Whatever it missed while it did not read is told by a snapshot.
    async fn next(&mut self) -> Step {
        loop {
            let Some(seen) = self.seen else {
                return self.begin().await;
            };
            if self.subscription.frames.changed().await.is_err() {
                return Step::End(None);
            }
            let frame = self.subscription.frames.borrow_and_update().clone();
            match frame {
                Frame::Starting => {}
                Frame::Ended(problem) => return self.end(&problem),
                Frame::Failed { version, .. } | Frame::Version { version, .. }
                    if version <= seen => {}
                Frame::Failed { version, problem } => {
                    // A failure changes nothing, but what came before it may have been missed.
                    if version != seen + 1 {
                        return Step::Tell(self.snapshot());
                    }
                    self.seen = Some(version);
                    return Step::Tell(self.event(
                        "problem",
                        version,
                        &problem.document().to_string(),
                    ));
                }
                Frame::Version {
                    version,
                    update: Some(update),
                } if version == seen + 1 => {
                    self.seen = Some(version);
                    return Step::Tell(self.event("update", version, &update));
                }
                Frame::Version { .. } => return Step::Tell(self.snapshot()),
            }
        }
    }

    /// The first snapshot as soon as there is one. Until then each failure is told once, and the topic tries again.
    async fn begin(&mut self) -> Step {
        if self.failure_told && self.subscription.frames.changed().await.is_err() {
            return Step::End(None);
        }
        self.failure_told = false;
        match self.subscription.ready().await {
            Ok(()) => Step::Tell(self.snapshot()),
            Err(problem) if self.subscription.has_ended() => self.end(&problem),
            Err(problem) => {
                self.failure_told = true;
                Step::Tell(self.event("problem", 0, &problem.document().to_string()))
            }
        }
    }

    /// A stream of one question just ends, and the answer to the next attempt says why. One of several goes on with the
    /// others, so it must say which is over.
    fn end(&self, problem: &Problem) -> Step {
        let last = self.tag.map(|tag| refusal(tag, problem));
        Step::End(last)
    }

    fn snapshot(&mut self) -> Event {
        let (version, json) = self.subscription.snapshot();
        self.seen = Some(version);
        self.event("snapshot", version, &json)
    }

    fn event(&self, name: &str, version: u64, json: &str) -> Event {
        match self.tag {
            Some(tag) => tagged(name, tag, json),
            None => Event::default()
                .event(name)
                .id(version.to_string())
                .data(json),
        }
    }
}

/// An event of a combined stream. Documents are shared between clients, so the number is put in front of the finished text.
fn tagged(name: &str, tag: usize, json: &str) -> Event {
    let event = Event::default().event(name);
    match json.strip_prefix('{') {
        Some(members) => event.data(format!("{{\"query\":{tag},{members}")),
        None => event.data(json),
    }
}

/// Says that a question of a combined stream has no answer.
fn refusal(tag: usize, problem: &Problem) -> Event {
    tagged("problem", tag, &problem.document().to_string())
}

/// The live stream of one question whose first version is there.
pub(crate) fn series_stream(
    place: Place,
    subscription: Subscription,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + Send + 'static> {
    told(place, vec![follow(subscription, None)])
}

/// The live stream of several questions, told apart by the member `query`. One that is refused or fails says so and holds up
/// none of the others.
pub(crate) fn combined_stream(
    place: Place,
    subscriptions: Vec<Result<Subscription, Problem>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + Send + 'static> {
    let followers = subscriptions
        .into_iter()
        .enumerate()
        .map(|(tag, subscription)| match subscription {
            Ok(subscription) => follow(subscription, Some(tag)),
            Err(problem) => stream::iter([refusal(tag, &problem)]).boxed(),
        });
    told(place, followers.collect())
}

fn follow(subscription: Subscription, tag: Option<usize>) -> BoxStream<'static, Event> {
    let follower = Follower {
        subscription,
        seen: None,
        tag,
        failure_told: false,
    };
    stream::unfold(Some(follower), |follower| async {
        let mut follower = follower?;
        match follower.next().await {
            Step::Tell(event) => Some((event, Some(follower))),
            Step::End(last) => last.map(|event| (event, None)),
        }
    })
    .boxed()
}

/// What the followers say, until the last of them has ended, and heartbeats in between.
fn told(
    place: Place,
    followers: Vec<BoxStream<'static, Event>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + Send + 'static> {
    let events = stream::select_all(followers);
    let beat = place.heartbeats();
    let end = place.end();
    let state = (events, beat, Arc::new(place));
    let told = stream::unfold(state, |(mut events, mut beat, place)| async move {
        let event = tokio::select! {
            biased;
            event = events.next() => event?,
            _ = beat.tick() => heartbeat(),
        };
        Some((Ok(event), (events, beat, place)))
    });
    Sse::new(told.take_until(Box::pin(end)))
}
