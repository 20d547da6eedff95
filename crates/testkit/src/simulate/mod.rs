//! Commerce traffic, deterministic by seed: visits become carts, carts become orders, orders and subscriptions become
//! payment attempts at several PSPs, and payments are captured, refunded and disputed hours to weeks later.
//!
//! What happens in a minute follows from the seed, the configuration, the incidents and that minute alone. So any
//! window can be made on its own, twice, or split, and always holds the same events with the same ids:
//!
//! - arrivals knock as a Poisson process at the weekly peak's rate and are thinned by the local season of their country;
//! - each arrival has its own random numbers, so what one does changes nothing for the others;
//! - refunds and the like are found by living through the old arrivals again, only those whose key says so.
//!
//! Windows are windows of *arrival*: with [`Delivery::perfect`] an event arrives when it happens, else some come twice,
//! out of order or late. Zones have fixed offsets from UTC, and transcendental functions are computed in software, so
//! that bytes are the same on every platform.
//!
//! ```
//! use tillwatch_testkit::simulate::{Simulator, SimulatorConfig};
//!
//! let simulator = Simulator::new(SimulatorConfig::default(), 7).unwrap();
//! let noon_us = 1_793_620_800_000_000; // 2026-11-02T12:00:00Z
//! for batch in simulator.batches(noon_us, noon_us + 600_000_000) {
//!     assert!(batch.ndjson.ends_with(b"}\n"));
//! }
//! ```

use std::sync::Arc;

mod config;
mod entity;
mod feed;
pub(crate) mod line;
mod movement;
mod outbox;
mod pace;
mod payment;
pub(crate) mod random;
mod scenario;
mod season;
mod traffic;
mod visit;
pub(crate) mod world;

pub use config::{
    DELAY_S_MAX, Delivery, EVENTS_PER_DAY_MAX, SEASON_FLOOR_MAX, SeasonFloor, SimulateError,
    SimulatorConfig,
};
pub use feed::{Batches, Feed};
pub use pace::Pacer;
pub use scenario::{INCIDENTS_MAX, Incident, IncidentKind, Scenario, ScenarioIncident};

use scenario::Incidents;
use traffic::Traffic;

/// The streams that are simulated, as the packs define them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Steps of visits of the shop.
    Visits,
    /// Orders and their refunds.
    Orders,
    /// Lines of orders.
    OrderLines,
    /// Payment attempts.
    Payments,
    /// Movements of money after the authorisation.
    PaymentMovements,
}

impl Stream {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Visits,
        Self::Orders,
        Self::OrderLines,
        Self::Payments,
        Self::PaymentMovements,
    ];

    /// The stream's name in the packs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Visits => "visits",
            Self::Orders => "orders",
            Self::OrderLines => "order_lines",
            Self::Payments => "payments",
            Self::PaymentMovements => "payment_movements",
        }
    }
}

/// Events of one stream that arrive in one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedBatch {
    /// The stream they belong to.
    pub stream: &'static str,
    /// How many there are, duplicates included.
    pub events: u64,
    /// One JSON object a line, in order of arrival.
    pub ndjson: Vec<u8>,
    /// First microsecond since 1970 of the window of arrival.
    pub from_us: i64,
    /// First microsecond after it.
    pub to_us: i64,
}

/// How much traffic one bank gets through one PSP.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceLoad {
    /// The PSP.
    pub psp: &'static str,
    /// The bank.
    pub issuer: &'static str,
    /// Expected payments a minute by card or wallet, retries not counted.
    pub attempts_per_minute: f64,
}

/// A world of traffic; see the module's text.
#[derive(Debug, Clone)]
pub struct Simulator {
    config: SimulatorConfig,
    seed: u64,
    traffic: Arc<Traffic>,
}

impl Simulator {
    /// A simulation without incidents.
    ///
    /// # Errors
    /// When the configuration cannot work.
    pub fn new(config: SimulatorConfig, seed: u64) -> Result<Self, SimulateError> {
        Self::with_incidents(config, seed, Vec::new())
    }

    /// A simulation with incidents. Outside of what they touch, the events are those of the simulation without them.
    ///
    /// # Errors
    /// When the configuration or an incident cannot work.
    pub fn with_incidents(
        config: SimulatorConfig,
        seed: u64,
        incidents: Vec<Incident>,
    ) -> Result<Self, SimulateError> {
        config.check()?;
        if incidents.len() > INCIDENTS_MAX {
            return Err(SimulateError::Scenario(format!(
                "at most {INCIDENTS_MAX} incidents"
            )));
        }
        for (number, incident) in (1..).zip(&incidents) {
            scenario::check(number, &incident.kind)?;
        }
        let traffic = Arc::new(Traffic::new(&config, seed, Incidents(incidents)));
        Ok(Self {
            config,
            seed,
            traffic,
        })
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &SimulatorConfig {
        &self.config
    }

    /// Its seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Its incidents.
    #[must_use]
    pub fn incidents(&self) -> &[Incident] {
        &self.traffic.incidents.0
    }

    /// What arrives from `from_us` until `to_us`, microseconds since 1970, in batches of some 20 000 events.
    #[must_use]
    pub fn batches(&self, from_us: i64, to_us: i64) -> Batches {
        Batches::new(self, from_us, to_us)
    }

    /// What arrives from `from_us` on, for live traffic: advanced step by step, with a [`Pacer`].
    #[must_use]
    pub fn feed(&self, from_us: i64) -> Feed {
        Feed::new(self, from_us)
    }

    /// Banks by PSP with the traffic to expect at an instant, the busiest first: where an incident shows soonest.
    #[must_use]
    pub fn loads(&self, at_us: i64) -> Vec<SliceLoad> {
        self.traffic.loads(Some(at_us))
    }

    /// The same when every country is as busy as on average over the week, which is what
    /// the level of a [`SeasonFloor`] multiplies.
    #[must_use]
    pub fn average_loads(&self) -> Vec<SliceLoad> {
        self.traffic.loads(None)
    }

    pub(crate) fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }
}
