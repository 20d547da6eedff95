//! What the server holds while it runs.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tillwatch_event::MemoryBudget;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::exposition::Exposition;
use crate::limits::Limits;
use crate::live::Hub;
use crate::ports::{
    Annotations, Backtests, Backup, Boards, Collector, Definitions, Figures, Health, Incidents,
    Maintenance, Verification,
};
use crate::problem::{Problem, Slug};
use crate::rates::Rates;
use crate::request::body::BodyBudget;
use crate::request::places::IngestPlaces;
use crate::web::Assets;

/// The parts that answer calls, as they are from one load of the definitions to the next.
#[derive(Clone)]
pub struct Services {
    /// Takes events.
    pub collector: Arc<dyn Collector>,
    /// Answers questions.
    pub figures: Arc<dyn Figures>,
    /// Incidents and monitors.
    pub incidents: Arc<dyn Incidents>,
    /// Monitors over the past.
    pub backtests: Arc<dyn Backtests>,
    /// Annotations.
    pub annotations: Arc<dyn Annotations>,
    /// Boards.
    pub boards: Arc<dyn Boards>,
}

/// The server's state. Clones are handles to the same.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) limits: Limits,
    pub(crate) access: Access,
    pub(crate) assets: Assets,
    pub(crate) health: Arc<dyn Health>,
    pub(crate) backup: OnceLock<Arc<dyn Backup>>,
    pub(crate) verification: OnceLock<Arc<dyn Verification>>,
    pub(crate) maintenance: OnceLock<Arc<dyn Maintenance>>,
    pub(crate) definitions: OnceLock<Arc<dyn Definitions>>,
    pub(crate) services: watch::Sender<Option<Services>>,
    pub(crate) hub: Hub,
    pub(crate) bodies: BodyBudget,
    pub(crate) ingest: IngestPlaces,
    pub(crate) requests: Arc<Semaphore>,
    pub(crate) live_clients: Arc<Semaphore>,
    pub(crate) exposition: Exposition,
    pub(crate) rates: Mutex<Rates>,
    pub(crate) started_at: jiff::Timestamp,
    pub(crate) stop: CancellationToken,
}

impl App {
    /// A server that is still recovering: probes, status and the web are answered, all else with 503.
    #[must_use]
    pub fn new(limits: Limits, access: Access, assets: Assets, health: Arc<dyn Health>) -> Self {
        Self::sharing(limits, access, assets, health, &MemoryBudget::unbounded())
    }

    /// As [`Self::new`]; the bodies of requests are taken out of the memory that the process shares.
    #[must_use]
    pub fn sharing(
        limits: Limits,
        access: Access,
        assets: Assets,
        health: Arc<dyn Health>,
        memory: &MemoryBudget,
    ) -> Self {
        let (services, watched) = watch::channel(None);
        let stop = CancellationToken::new();
        Self {
            inner: Arc::new(Inner {
                hub: Hub::new(watched, &limits),
                bodies: BodyBudget::new(limits.bodies_in_flight_bytes_max, memory),
                ingest: IngestPlaces::new(limits.ingest_at_once()),
                requests: Arc::new(Semaphore::new(limits.requests_at_once_max)),
                live_clients: Arc::new(Semaphore::new(limits.live_clients_max)),
                exposition: Exposition::new(),
                rates: Mutex::default(),
                started_at: jiff::Timestamp::now(),
                limits,
                access,
                assets,
                health,
                backup: OnceLock::new(),
                verification: OnceLock::new(),
                maintenance: OnceLock::new(),
                definitions: OnceLock::new(),
                services,
                stop,
            }),
        }
    }

    /// Opens the server for all calls, or swaps its parts after a reload of the definitions.
    ///
    /// Calls under way finish with the parts they began with; live streams go on with the new ones and start with a
    /// snapshot.
    pub fn open(&self, services: Services) {
        let streams = services.collector.streams().len();
        self.inner.ingest.set_streams(streams);
        // Calls without a stream have a share, too.
        self.inner.bodies.set_streams(streams + 1);
        self.inner.services.send_replace(Some(services));
    }

    /// What makes backups. Once; without it none are made.
    pub fn set_backup(&self, backup: Arc<dyn Backup>) {
        // A second time is a fault of the caller, and changes nothing.
        let _ = self.inner.backup.set(backup);
    }

    /// What verifies. Once; without it nothing is verified.
    pub fn set_verification(&self, verification: Arc<dyn Verification>) {
        // As with backups.
        let _ = self.inner.verification.set(verification);
    }

    /// What maintains when it is asked to. Once; without it nothing is.
    pub fn set_maintenance(&self, maintenance: Arc<dyn Maintenance>) {
        // As with backups.
        let _ = self.inner.maintenance.set(maintenance);
    }

    /// Where definitions are read and changed. Once; without it none can be.
    pub fn set_definitions(&self, definitions: Arc<dyn Definitions>) {
        // As with backups.
        let _ = self.inner.definitions.set(definitions);
    }

    /// Begins to stop: live streams end, new calls are refused, and [`crate::Server::run`] returns when the
    /// calls under way are done.
    pub fn stop(&self) {
        self.inner.stop.cancel();
    }

    /// Waits until somebody has called [`Self::stop`].
    pub async fn stopped(&self) {
        self.inner.stop.cancelled().await;
    }

    pub(crate) fn is_open(&self) -> bool {
        self.inner.services.borrow().is_some()
    }

    /// The parts, or the problem that they are not there yet.
    pub(crate) fn services(&self) -> Result<Services, Problem> {
        self.inner.services.borrow().clone().ok_or_else(|| {
            let progress = self.inner.health.progress();
            Problem::new(
                Slug::Recovering,
                format!(
                    "The journal is being replayed: {:.0} % done, {} events so far.",
                    progress.fraction * 100.0,
                    progress.events
                ),
            )
            .with("progress", progress.fraction)
            .retry_after_s(1)
        })
    }

    /// The definitions folder, or the problem that it is not there yet.
    pub(crate) fn definitions(&self) -> Result<Arc<dyn Definitions>, Problem> {
        // Nothing is changed while the journal is being replayed.
        self.services()?;
        self.inner
            .definitions
            .get()
            .cloned()
            .ok_or_else(|| Problem::new(Slug::NotFound, "This server shows no definitions."))
    }

    pub(crate) fn sample_rates(&self) {
        let streams = self.inner.health.streams();
        let mut rates = self
            .inner
            .rates
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        rates.sample(std::time::Instant::now(), &streams);
    }

    pub(crate) fn fill_rates(&self, streams: &mut [crate::documents::StreamStatus]) {
        let rates = self
            .inner
            .rates
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for stream in streams {
            stream.rate_per_s = rates.per_second(&stream.name);
        }
    }
}

impl App {
    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }
}

impl App {
    pub(crate) fn live_clients(&self) -> u64 {
        let free = self.inner.live_clients.available_permits();
        self.inner.limits.live_clients_max.saturating_sub(free) as u64
    }
}
