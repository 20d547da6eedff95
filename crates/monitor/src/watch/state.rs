//! What a monitor remembers between steps.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::baselines::Baselines;
use super::known::Known;
use super::values::Normals;
use super::volumes::Volumes;
use crate::detect::hysteresis::{Hysteresis, Verdict};
use crate::figure::Slice;
use crate::incident::{Deviation, Incident, IncidentId};

/// One step that is judged: complete buckets from `start_us` to `end_us`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub start_us: i64,
    pub end_us: i64,
}

/// What a detector found about one slice at one step.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Finding {
    pub slice: Slice,
    pub verdict: Verdict,
    pub deviation: Deviation,
    /// Where the slice has events in this step.
    pub seen: bool,
    /// `None` for a threshold.
    pub p_value: Option<f64>,
    /// Expected value, or the limit.
    pub expected: f64,
    /// Value found, where there is one.
    pub observed: Option<f64>,
    /// Begin of the first bad bucket.
    pub started_us: i64,
}

/// What a detector found at one step.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Findings {
    /// Of slices that are not normal, or that something is remembered of.
    pub told: Vec<Finding>,
    /// How many other slices were judged: they are normal, and nothing is to be said of them.
    pub normal: usize,
}

impl From<Vec<Finding>> for Findings {
    fn from(told: Vec<Finding>) -> Self {
        Self { told, normal: 0 }
    }
}

/// What is remembered of one slice. A constant number of values, whatever the traffic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SliceState {
    pub hysteresis: Hysteresis,
    /// Which way it fires; set while it fires.
    pub deviation: Option<Deviation>,
    /// Expected value when it fired.
    pub expected: f64,
    /// Value that made it fire.
    pub observed: f64,
    /// Smallest p-value since it fired.
    pub p_value: Option<f64>,
    /// Begin of the first bad bucket.
    pub started_us: i64,
    /// Where it was found ahead of complete buckets, the end of the step: complete ones before that do not end it.
    #[serde(default)]
    pub ahead_upto_us: i64,
    /// Evidence of recovery; of a value with a season, the level it had before it fired.
    pub evidence: f64,
    /// Buckets before this belong to an incident that is over, and are not judged again.
    pub ignore_before_us: i64,
    /// End of the last step with events.
    pub last_seen_us: i64,
    /// The incident it belongs to. A firing slice without one belonged to an incident that a person
    /// resolved: it is not told again until it was normal in between.
    pub incident: Option<String>,
}

impl SliceState {
    /// Whether nothing is lost when the state is dropped. `reach_us` is how far back buckets are
    /// judged.
    pub fn is_blank(&self, judged_upto_us: i64, reach_us: i64) -> bool {
        self.hysteresis == Hysteresis::Idle && self.ignore_before_us <= judged_upto_us - reach_us
    }
}

/// An incident that is not resolved, with the channels that are told of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Live {
    pub incident: Incident,
    pub notify: Vec<String>,
    /// Its slice and the length of its bad time, in microseconds, when it was last explained, or that was tried.
    pub explained: Option<(Slice, i64)>,
}

impl Live {
    pub fn new(incident: Incident, notify: Vec<String>) -> Self {
        let explained = incident.explanation.as_ref();
        let explained = explained.map(|e| (e.slice.clone(), e.span.to_us - e.span.from_us));
        Self {
            incident,
            notify,
            explained,
        }
    }
}

/// All that a monitor remembers. Kept in the catalogue as well, but for the baselines, the volumes and
/// the known slices, which come from history again.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    pub judged_upto_us: Option<i64>,
    pub slices: HashMap<Slice, SliceState>,
    pub live: Vec<Live>,
    pub baselines: Option<std::sync::Arc<Baselines>>,
    /// What number of events is normal, for detectors of counts.
    pub volumes: Option<std::sync::Arc<Volumes>>,
    /// What values are normal, for detectors of values with a season.
    pub normals: Option<std::sync::Arc<Normals>>,
    /// Of a threshold on a metric that has a value without events: which slices there are.
    pub known: Option<Known>,
}

impl Memory {
    /// Firing slices that belong to the incident.
    pub fn members(&self, id: &IncidentId) -> impl Iterator<Item = (&Slice, &SliceState)> {
        let id = id.as_str().to_owned();
        self.slices
            .iter()
            .filter(move |(_, state)| state.incident.as_deref() == Some(id.as_str()))
    }
}
