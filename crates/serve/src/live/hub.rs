//! The topics: one task per distinct live question, for as long as somebody listens.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::app::Services;
use crate::documents::Metric;
use crate::limits::Limits;
use crate::live::covered::{Covered, Next};
use crate::live::state::{Delta, Meta, State};
use crate::ports::{Figures, SeriesQuestion};
use crate::problem::Problem;
use crate::request::series::{Question, unknown_metric};
use crate::request::time::now_us;

/// Live questions computed at the same time. More would only take the workers from each other and from SQL.
const COMPUTATIONS_AT_ONCE_MAX: usize = 2;

/// A topic rests twice as long as it computes.
const PAUSE_PER_COMPUTATION: u32 = 3;
/// But a change that comes just after a computation has looked is to be seen within this, where computing alone does
/// not take longer: it waits for the next one to begin, and to end.
const SEEN_WITHIN: Duration = Duration::from_millis(150);
/// After a failed computation the next is tried when events come, or after this time.
const RETRY: Duration = Duration::from_secs(1);

/// What a topic says after a computation.
#[derive(Debug, Clone)]
pub(crate) enum Frame {
    /// Nothing has been computed yet.
    Starting,
    /// A new version of the document.
    Version {
        /// Rises by one with each frame of a topic.
        version: u64,
        /// The change from the version before, as JSON; `None` when only a snapshot can tell it.
        update: Option<Arc<str>>,
    },
    /// The computation failed; the last version stands.
    Failed {
        /// Rises with each frame as well.
        version: u64,
        /// Why.
        problem: Problem,
    },
    /// The topic has ended, for instance because the metric is no longer defined.
    Ended(Problem),
}

/// What clients of a topic share with its task.
pub(crate) struct Topic {
    frames: watch::Sender<Frame>,
    current: Mutex<Current>,
}

struct Current {
    version: u64,
    meta: Option<Meta>,
    state: State,
    /// The snapshot of `version` as JSON, once somebody has asked for it.
    snapshot: Option<Arc<str>>,
}

impl Topic {
    fn has_document(&self) -> bool {
        self.current
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .meta
            .is_some()
    }
}

/// A client's hold on a topic. The topic ends soon after the last is dropped.
pub(crate) struct Subscription {
    topic: Arc<Topic>,
    pub(crate) frames: watch::Receiver<Frame>,
}

impl Subscription {
    /// The present version of the document and its JSON.
    pub(crate) fn snapshot(&self) -> (u64, Arc<str>) {
        let mut current = self
            .topic
            .current
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if current.snapshot.is_none() {
            let document = current
                .meta
                .as_ref()
                .map(|meta| current.state.snapshot(meta));
            current.snapshot = Some(json(&document));
        }
        (
            current.version,
            current
                .snapshot
                .clone()
                .unwrap_or_else(|| Arc::from("null")),
        )
    }

    /// Whether there will be no further version.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(*self.frames.borrow(), Frame::Ended(_))
    }

    /// Waits for the first version.
    pub(crate) async fn ready(&mut self) -> Result<(), Problem> {
        let frame = self
            .frames
            .wait_for(|frame| !matches!(frame, Frame::Starting))
            .await;
        match frame.map(|frame| frame.clone()) {
            Ok(Frame::Ended(problem)) => Err(problem),
            Ok(Frame::Failed { problem, .. }) if !self.topic.has_document() => Err(problem),
            Ok(_) => Ok(()),
            Err(closed) => Err(Problem::internal(&closed)),
        }
    }
}

/// All topics.
#[derive(Clone)]
pub(crate) struct Hub {
    shared: Arc<Shared>,
}

struct Shared {
    topics: Mutex<HashMap<Question, Weak<Topic>>>,
    services: watch::Receiver<Option<Services>>,
    computations: Semaphore,
    coalesce: Duration,
    computed: AtomicU64,
}

impl Hub {
    pub(crate) fn new(services: watch::Receiver<Option<Services>>, limits: &Limits) -> Self {
        Self {
            shared: Arc::new(Shared {
                topics: Mutex::default(),
                services,
                computations: Semaphore::new(COMPUTATIONS_AT_ONCE_MAX),
                coalesce: limits.live_coalesce(),
                computed: AtomicU64::new(0),
            }),
        }
    }

    /// Joins the topic of a question, which begins now if nobody listens to it yet.
    pub(crate) fn subscribe(&self, question: Question) -> Subscription {
        let mut topics = self
            .shared
            .topics
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(topic) = topics.get(&question).and_then(Weak::upgrade) {
            let ended = matches!(*topic.frames.borrow(), Frame::Ended(_));
            if !ended {
                let frames = topic.frames.subscribe();
                return Subscription { topic, frames };
            }
        }
        topics.retain(|_, topic| topic.strong_count() > 0);
        let (sender, frames) = watch::channel(Frame::Starting);
        let topic = Arc::new(Topic {
            frames: sender,
            current: Mutex::new(Current {
                version: 0,
                meta: None,
                state: State::default(),
                snapshot: None,
            }),
        });
        topics.insert(question.clone(), Arc::downgrade(&topic));
        drop(topics);
        let task = Task {
            shared: self.shared.clone(),
            topic: Arc::downgrade(&topic),
            question,
        };
        tokio::spawn(task.run());
        Subscription { topic, frames }
    }

    /// Topics that have listeners.
    pub(crate) fn topics(&self) -> usize {
        let topics = self
            .shared
            .topics
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        topics
            .values()
            .filter(|topic| topic.strong_count() > 0)
            .count()
    }

    /// Computations made so far.
    pub(crate) fn computed(&self) -> u64 {
        self.shared.computed.load(Ordering::Relaxed)
    }
}

/// The task of one topic. It holds the topic weakly, so that the last client to go takes it along.
struct Task {
    shared: Arc<Shared>,
    topic: Weak<Topic>,
    question: Question,
}

/// Why a topic computes anew.
enum Cause {
    Events,
    Definitions,
    Retry,
}

/// How a topic stands after a computation.
enum Standing {
    Fine,
    /// It must compute again soon, even when no events come.
    Again,
}

impl Task {
    async fn run(self) {
        let mut services = self.shared.services.clone();
        loop {
            let Some(parts) = services.borrow_and_update().clone() else {
                return;
            };
            let Some(metric) = parts.figures.metric(&self.question.metric) else {
                let metrics = parts.figures.metrics();
                let names = metrics.iter().map(|m| m.name.as_str());
                self.publish(|_| Frame::Ended(unknown_metric(&self.question.metric, names)));
                return;
            };
            let mut changes = parts.figures.changes();
            // New definitions may have changed anything, so the first computation covers the whole range.
            let mut covered = Covered::default();
            loop {
                changes.borrow_and_update();
                let began = Instant::now();
                let Some(standing) = self.refresh(&*parts.figures, &metric, &mut covered).await
                else {
                    return;
                };
                let pause = pause(began.elapsed(), self.shared.coalesce);
                tokio::time::sleep_until(began + pause).await;
                match self.wait(&mut changes, &mut services, &standing).await {
                    None => return,
                    Some(Cause::Definitions) => break,
                    Some(Cause::Events | Cause::Retry) => {}
                }
            }
        }
    }

    /// Waits for a reason to compute; `None` when nobody listens any more.
    async fn wait(
        &self,
        changes: &mut watch::Receiver<u64>,
        services: &mut watch::Receiver<Option<Services>>,
        standing: &Standing,
    ) -> Option<Cause> {
        let left = async {
            // The topic must not be held while waiting, or it would never be dropped.
            let mut check = tokio::time::interval(Duration::from_secs(1));
            loop {
                check.tick().await;
                if self.topic.strong_count() == 0 {
                    return;
                }
            }
        };
        tokio::select! {
            changed = changes.changed() => match changed {
                Ok(()) => Some(Cause::Events),
                // The parts have been swapped; their successors are announced by `services`.
                Err(_) => services.changed().await.ok().map(|()| Cause::Definitions),
            },
            changed = services.changed() => changed.ok().map(|()| Cause::Definitions),
            () = tokio::time::sleep(RETRY), if matches!(standing, Standing::Again) => Some(Cause::Retry),
            () = left => None,
        }
    }

    /// Computes what may have changed and tells the clients. `None` when nobody listens any more.
    async fn refresh(
        &self,
        figures: &dyn Figures,
        metric: &Metric,
        covered: &mut Covered,
    ) -> Option<Standing> {
        let version = figures.version(&metric.name);
        let changed = figures.changed_since(&metric.name, covered.version());
        let meta = Meta::new(&self.question, metric, now_us());
        let takes_parts = self.with_current(|current| current.state.takes_parts())?;
        let next = covered.next(&meta, &self.question, changed, takes_parts);
        let whole = meta.whole(&self.question);
        let (asked, outcome) = match next {
            Next::Nothing => (None, Ok(Some(Delta::default()))),
            Next::Part(part) => (Some(&whole), self.compute_part(figures, &meta, part).await),
            Next::Whole => (Some(&whole), self.compute_whole(figures, &meta).await),
        };
        match outcome {
            Ok(Some(delta)) => {
                covered.done(version, changed, asked);
                let goes_on = covered.waits_for_the_clock() || meta.goes_on_without_events();
                self.tell(meta, delta)?;
                Some(if goes_on {
                    Standing::Again
                } else {
                    Standing::Fine
                })
            }
            Ok(None) => None,
            Err(problem) => {
                // What this computation should have covered is covered by the next.
                tracing::warn!(
                    metric = metric.name,
                    detail = problem.detail(),
                    "live query failed"
                );
                self.publish(|version| Frame::Failed { version, problem });
                Some(Standing::Again)
            }
        }
    }

    async fn compute_whole(
        &self,
        figures: &dyn Figures,
        meta: &Meta,
    ) -> Result<Option<Delta>, Problem> {
        let _turn = self.turn().await;
        let answer = figures.series(meta.whole(&self.question)).await?;
        let dropped_before_us = meta.dropped_before_us(&self.question);
        Ok(self.with_current(|current| current.state.replace(answer, dropped_before_us)))
    }

    async fn compute_part(
        &self,
        figures: &dyn Figures,
        meta: &Meta,
        part: SeriesQuestion,
    ) -> Result<Option<Delta>, Problem> {
        let answer = {
            let _turn = self.turn().await;
            figures.series(part).await?
        };
        match self.with_current(|current| current.state.merge(answer)) {
            None => Ok(None),
            Some(None) => self.compute_whole(figures, meta).await,
            Some(delta) => Ok(delta),
        }
    }

    async fn turn(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        let permit = self.shared.computations.acquire().await.ok();
        self.shared.computed.fetch_add(1, Ordering::Relaxed);
        permit
    }

    fn with_current<T>(&self, work: impl FnOnce(&mut Current) -> T) -> Option<T> {
        let topic = self.topic.upgrade()?;
        let mut current = topic.current.lock().unwrap_or_else(PoisonError::into_inner);
        Some(work(&mut current))
    }

    /// Takes over a computation's range and tells its change, if there is one.
    fn tell(&self, meta: Meta, delta: Delta) -> Option<()> {
        let topic = self.topic.upgrade()?;
        let mut current = topic.current.lock().unwrap_or_else(PoisonError::into_inner);
        let first = current.meta.is_none();
        if delta.is_empty() && !first {
            return Some(());
        }
        let update =
            (!first && !delta.needs_snapshot).then(|| json(&current.state.update(&meta, delta)));
        current.meta = Some(meta);
        current.version += 1;
        current.snapshot = None;
        let version = current.version;
        drop(current);
        topic
            .frames
            .send_replace(Frame::Version { version, update });
        Some(())
    }

    /// Publishes a frame that changes nothing in the document.
    fn publish(&self, frame: impl FnOnce(u64) -> Frame) {
        if let Some(topic) = self.topic.upgrade() {
            let version = {
                let mut current = topic.current.lock().unwrap_or_else(PoisonError::into_inner);
                current.version += 1;
                current.version
            };
            topic.frames.send_replace(frame(version));
        }
    }
}

/// From the beginning of one computation to that of the next, when one took so long: at `least` what is configured,
/// and more when it takes more or waits for others, so that a topic takes a third of a processor at most, but not so
/// much that a change is seen late.
pub(super) fn pause(took: Duration, least: Duration) -> Duration {
    took.saturating_mul(PAUSE_PER_COMPUTATION)
        .min(SEEN_WITHIN.saturating_sub(took))
        .max(least)
}

fn json(document: &impl serde::Serialize) -> Arc<str> {
    // Documents are maps with text keys and finite numbers, which always have a JSON form.
    serde_json::to_string(document).map_or_else(|_| Arc::from("null"), Arc::from)
}
