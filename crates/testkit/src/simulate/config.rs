//! What can be set: how much traffic, and how badly it is delivered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most events a day that can be asked for: about 23 000 a second.
pub const EVENTS_PER_DAY_MAX: u64 = 2_000_000_000;
/// Highest floor of the season, times the average.
pub const SEASON_FLOOR_MAX: f64 = 10_000.0;
/// Longest delay an event may be given, seconds.
pub const DELAY_S_MAX: u32 = 24 * 3600;

/// How much traffic is simulated and how it arrives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SimulatorConfig {
    /// Events a day over all streams, on average over a week, without duplicates.
    pub events_per_day: u64,
    /// Share of payments that come from visits of the shop; the others are subscriptions and stores.
    pub online_share: f64,
    /// From when on no hour is quieter than this; nights stay as they are without it.
    pub season_floor: Option<SeasonFloor>,
    /// How events arrive.
    pub delivery: Delivery,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            events_per_day: 400_000,
            online_share: 0.1,
            season_floor: None,
            delivery: Delivery::default(),
        }
    }
}

/// A lower bound of how busy an hour is, from some time on. What is busier stays as it is, and so does all before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeasonFloor {
    /// Microseconds since 1970 from which it holds, for the whole minute this lies in.
    pub from_us: i64,
    /// How busy at least, times the week's average, 0 to [`SEASON_FLOOR_MAX`].
    pub level: f64,
}

/// How events arrive: some twice, some in the wrong order, some late.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Delivery {
    /// Share of events that arrive a second time, 1 to 120 seconds later, byte for byte the same.
    pub duplicate_share: f64,
    /// Share of events that are overtaken by later ones.
    pub out_of_order_share: f64,
    /// Longest delay of those, seconds.
    pub out_of_order_s_max: u32,
    /// Share of events that arrive long after they happened.
    pub late_share: f64,
    /// Longest delay of those, seconds.
    pub late_s_max: u32,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            duplicate_share: 0.002,
            out_of_order_share: 0.01,
            out_of_order_s_max: 10,
            late_share: 0.0005,
            late_s_max: 1800,
        }
    }
}

impl Delivery {
    /// Every event once, at its time, in order.
    #[must_use]
    pub fn perfect() -> Self {
        Self {
            duplicate_share: 0.0,
            out_of_order_share: 0.0,
            out_of_order_s_max: 0,
            late_share: 0.0,
            late_s_max: 0,
        }
    }
}

impl SimulatorConfig {
    /// Refuses what cannot work.
    pub(crate) fn check(&self) -> Result<(), SimulateError> {
        let share = |name: &'static str, value: f64| {
            if (0.0..=1.0).contains(&value) {
                Ok(())
            } else {
                Err(SimulateError::Share { name, value })
            }
        };
        let delay = |name: &'static str, seconds: u32| {
            if seconds <= DELAY_S_MAX {
                Ok(())
            } else {
                Err(SimulateError::Delay { name, seconds })
            }
        };
        if !(1..=EVENTS_PER_DAY_MAX).contains(&self.events_per_day) {
            return Err(SimulateError::EventsPerDay(self.events_per_day));
        }
        if let Some(floor) = self.season_floor
            && !(0.0..=SEASON_FLOOR_MAX).contains(&floor.level)
        {
            return Err(SimulateError::SeasonFloor(floor.level));
        }
        share("online_share", self.online_share)?;
        share("duplicate_share", self.delivery.duplicate_share)?;
        share("out_of_order_share", self.delivery.out_of_order_share)?;
        share("late_share", self.delivery.late_share)?;
        delay("out_of_order_s_max", self.delivery.out_of_order_s_max)?;
        delay("late_s_max", self.delivery.late_s_max)
    }
}

/// Why a simulation cannot be set up.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SimulateError {
    /// A rate of zero or beyond [`EVENTS_PER_DAY_MAX`].
    #[error("events_per_day must be 1 to {EVENTS_PER_DAY_MAX}, not {0}")]
    EventsPerDay(u64),
    /// A floor below zero or beyond [`SEASON_FLOOR_MAX`].
    #[error("season_floor must be 0 to {SEASON_FLOOR_MAX}, not {0}")]
    SeasonFloor(f64),
    /// A share outside 0 to 1.
    #[error("{name} must be 0 to 1, not {value}")]
    Share {
        /// The setting.
        name: &'static str,
        /// What it was set to.
        value: f64,
    },
    /// A delay beyond [`DELAY_S_MAX`].
    #[error("{name} must be at most {DELAY_S_MAX} seconds, not {seconds}")]
    Delay {
        /// The setting.
        name: &'static str,
        /// What it was set to.
        seconds: u32,
    },
    /// The scenario file is not of its form.
    #[error("scenario: {0}")]
    Scenario(String),
    /// A time or duration in a scenario could not be read.
    #[error("incident {incident}: cannot read '{text}' as {what}")]
    Time {
        /// Its place in the scenario, from 1.
        incident: usize,
        /// What was written.
        text: String,
        /// What was expected.
        what: &'static str,
    },
    /// A scenario names something that is not simulated.
    #[error("incident {incident}: there is no {what} '{name}'; there are {known}")]
    Unknown {
        /// Its place in the scenario, from 1.
        incident: usize,
        /// What kind of thing.
        what: &'static str,
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A number in a scenario is outside its range.
    #[error("incident {incident}: {name} must be {range}, not {value}")]
    Number {
        /// Its place in the scenario, from 1.
        incident: usize,
        /// The setting.
        name: &'static str,
        /// The range.
        range: &'static str,
        /// What it was set to.
        value: f64,
    },
}
