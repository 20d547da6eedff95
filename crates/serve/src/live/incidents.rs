//! The live stream of incidents.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use axum::response::sse::{Event, Sse};
use futures::stream::{self, BoxStream, StreamExt};
use futures::{FutureExt, Stream};
use serde::Serialize;
use tokio::sync::watch;

use crate::app::Services;
use crate::documents::IncidentList;
use crate::live::client::{Place, heartbeat};
use crate::ports::{IncidentChange, Incidents};
use crate::problem::Problem;

/// Incidents in a snapshot.
const SNAPSHOT_INCIDENTS: usize = 100;

/// Changes that a client may be behind before it gets a snapshot instead.
const CHANGES_AT_ONCE: usize = 64;

struct Follower {
    /// Announces the parts that follow these after a reload.
    services: watch::Receiver<Option<Services>>,
    incidents: Arc<dyn Incidents>,
    changes: BoxStream<'static, IncidentChange>,
    ready: VecDeque<Event>,
    /// What to read next; kept until it has been read, since a heartbeat may break into the reading.
    pending: Option<Pending>,
}

#[derive(Clone)]
enum Pending {
    Snapshot,
    Each(Vec<String>),
}

/// The stream of incidents: a snapshot of the latest, then each one that changes. `services` must not have been looked at
/// after `incidents` were taken from it.
pub(crate) async fn incident_stream(
    place: Place,
    services: watch::Receiver<Option<Services>>,
    incidents: Arc<dyn Incidents>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>> + Send + 'static>, Problem> {
    // Subscribing before reading leaves no gap; what comes in between is told twice, which does no harm.
    let changes = incidents.changes();
    let snapshot = snapshot(incidents.clone()).await?;
    let follower = Follower {
        services,
        incidents,
        changes,
        ready: VecDeque::from([snapshot]),
        pending: None,
    };
    let beat = place.heartbeats();
    let end = place.end();
    let told = stream::unfold(
        (follower, beat, place),
        |(mut follower, mut beat, place)| async move {
            let event = tokio::select! {
                biased;
                event = follower.next() => event?,
                _ = beat.tick() => heartbeat(),
            };
            Some((Ok(event), (follower, beat, place)))
        },
    );
    Ok(Sse::new(told.take_until(Box::pin(end))))
}

impl Follower {
    /// The next event; `None` when the source of changes is gone, which makes the client connect anew.
    /// Giving up the future loses nothing.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let pending = match self.pending.clone() {
                Some(pending) => pending,
                None => {
                    let pending = self.wait().await?;
                    self.pending.insert(pending).clone()
                }
            };
            let read = match pending {
                Pending::Snapshot => snapshot(self.incidents.clone())
                    .await
                    .map(|event| VecDeque::from([event])),
                Pending::Each(ids) => read_each(self.incidents.clone(), ids).await,
            };
            self.pending = None;
            match read {
                Ok(events) => self.ready = events,
                Err(problem) => self.ready.push_back(event("problem", &problem.document())),
            }
        }
    }

    /// Waits for something to read: changes, or the parts that follow after a reload.
    ///
    /// The old parts are let go at once: they hold every figure computed with the old definitions.
    async fn wait(&mut self) -> Option<Pending> {
        tokio::select! {
            biased;
            swapped = self.services.changed() => {
                swapped.ok()?;
                let incidents = self.services.borrow_and_update().clone()?.incidents;
                self.changes = incidents.changes();
                self.incidents = incidents;
                Some(Pending::Snapshot)
            }
            pending = Self::changed(&mut self.changes) => pending,
        }
    }

    /// Waits for changes, and takes all there are, each incident once.
    async fn changed(changes: &mut BoxStream<'static, IncidentChange>) -> Option<Pending> {
        let mut change = Some(changes.next().await?);
        let mut ids = Vec::new();
        while let Some(next) = change {
            match next {
                IncidentChange::Of(id) if ids.contains(&id) => {}
                IncidentChange::Of(id) if ids.len() < CHANGES_AT_ONCE => ids.push(id),
                IncidentChange::Of(_) | IncidentChange::Many => return Some(Pending::Snapshot),
            }
            change = changes.next().now_or_never().flatten();
        }
        Some(Pending::Each(ids))
    }
}

async fn snapshot(incidents: Arc<dyn Incidents>) -> Result<Event, Problem> {
    let list = off_runtime(move || incidents.list(None, SNAPSHOT_INCIDENTS)).await?;
    Ok(event("snapshot", &IncidentList { incidents: list }))
}

async fn read_each(
    incidents: Arc<dyn Incidents>,
    ids: Vec<String>,
) -> Result<VecDeque<Event>, Problem> {
    off_runtime(move || {
        let mut events = VecDeque::new();
        for id in ids {
            if let Some(incident) = incidents.one(&id)? {
                events.push_back(event("incident", &incident));
            }
        }
        Ok(events)
    })
    .await
}

fn event(name: &str, data: &impl Serialize) -> Event {
    let json = serde_json::to_string(data).unwrap_or_else(|_| "null".to_owned());
    Event::default().event(name).data(json)
}

/// Runs work that may wait for the disk off the async threads.
pub(crate) async fn off_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(cause) => Err(Problem::internal(&cause)),
    }
}
