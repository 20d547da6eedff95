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
use crate::live::state::{Delta, Meta, State};
use crate::ports::Figures;
use crate::problem::Problem;
use crate::request::series::{Question, unknown_metric};
use crate::request::time::now_us;

/// Live questions computed at the same time. More would only take the workers from each other and from SQL.
const COMPUTATIONS_AT_ONCE_MAX: usize = 2;

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

/// What the last computation covered.
#[derive(Default)]
struct Covered {
    /// The version of the data it saw; `None` before the first.
    version: Option<u64>,
    /// The end of the range it asked for.
    to_us: i64,
    /// The latest event time known to have events. Beyond `to_us` these wait for the range to reach them.
    latest_us: Option<i64>,
}

impl Covered {
    fn waits_for_the_clock(&self) -> bool {
        self.latest_us
            .is_some_and(|latest_us| latest_us >= self.to_us)
    }

    /// The range to compute now: what has changed, what the clock has brought into the range, and what lies between that
    /// and the events known before, where slices without events now have figures.
    fn next_range(&self, changed: Option<(i64, i64)>) -> Option<(i64, i64)> {
        let waiting = self.latest_us.filter(|latest_us| *latest_us >= self.to_us);
        match (changed, waiting, self.latest_us) {
            (Some((from, to)), Some(waiting_us), _) => {
                Some((from.min(self.to_us), to.max(waiting_us)))
            }
            (None, Some(waiting_us), _) => Some((self.to_us, waiting_us)),
            (Some((from, to)), None, Some(latest_us)) => Some((from.min(latest_us), to)),
            (changed, None, _) => changed,
        }
    }
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
                tokio::time::sleep_until(began + self.shared.coalesce).await;
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
        let changed = figures.changed_since(&metric.name, covered.version.unwrap_or(0));
        let first = covered.version.is_none();
        let range = covered.next_range(changed);
        if !first && range.is_none() {
            return Some(Standing::Fine);
        }
        let meta = Meta::new(&self.question, metric, now_us());
        let to_us = meta.whole(&self.question).to_us;
        let takes_parts = self.with_current(|current| current.state.takes_parts())?;
        let outcome = match range.filter(|_| takes_parts && !first) {
            Some((from_us, to_us)) => self.compute_part(figures, &meta, from_us, to_us).await,
            None => self.compute_whole(figures, &meta).await,
        };
        match outcome {
            Ok(Some(delta)) => {
                covered.latest_us = covered
                    .latest_us
                    .max(changed.map(|(_, latest_us)| latest_us));
                covered.version = Some(version);
                covered.to_us = to_us;
                self.tell(meta, delta)?;
                let again = covered.waits_for_the_clock();
                Some(if again {
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
        let question = meta.whole(&self.question);
        let from_us = question.from_us;
        let answer = figures.series(question).await?;
        Ok(self.with_current(|current| current.state.replace(answer, from_us)))
    }

    async fn compute_part(
        &self,
        figures: &dyn Figures,
        meta: &Meta,
        from_us: i64,
        to_us: i64,
    ) -> Result<Option<Delta>, Problem> {
        // The range that changed is inclusive.
        let part = meta.part(&self.question, from_us, to_us.saturating_add(1));
        let Some(question) = part else {
            return Ok(Some(Delta::default()));
        };
        let begin_us = meta.whole(&self.question).from_us;
        let answer = {
            let _turn = self.turn().await;
            figures.series(question).await?
        };
        let step_us = meta.step_us;
        let merged = self.with_current(|current| current.state.merge(answer, step_us, begin_us));
        match merged {
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

fn json(document: &impl serde::Serialize) -> Arc<str> {
    // Documents are maps with text keys and finite numbers, which always have a JSON form.
    serde_json::to_string(document).map_or_else(|_| Arc::from("null"), Arc::from)
}
