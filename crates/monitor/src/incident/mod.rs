//! Incidents: anomalies that belong together, with a life cycle.
//!
//! ```text
//! open ──► acknowledged ──► resolved
//!   ▲            │              │
//!   └── reopened ◄──────────────┘   (the same slice fires again soon after)
//! ```

mod explanation;
mod id;

pub use explanation::{
    ExplainedAlternative, ExplainedMix, ExplainedPart, IncidentExplanation, Span,
};
pub use id::IncidentId;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use crate::definition::Severity;
use crate::figure::Slice;

/// Where an incident is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// Nobody has taken it yet.
    Open,
    /// Somebody has taken it.
    Acknowledged,
    /// It is over.
    Resolved,
}

impl IncidentState {
    /// The name as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Acknowledged, Self::Resolved]
            .into_iter()
            .find(|s| s.name() == text)
    }
}

/// Which way the metric went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deviation {
    /// More than expected.
    Up,
    /// Less than expected.
    Down,
}

impl Deviation {
    /// The name as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What happened to an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimelineKind {
    /// It began.
    Opened,
    /// Its slice changed, or somebody silenced it.
    Updated,
    /// Somebody took it.
    Acknowledged,
    /// It ended.
    Resolved,
    /// It began again.
    Reopened,
    /// A channel has been told.
    Delivered,
    /// A channel could not be told, for good.
    DeliveryFailed,
    /// Somebody said whether it was real.
    Feedback,
    /// Somebody wrote something down.
    Note,
    /// It goes on and channels are told again. Stands in messages only, never in a timeline.
    Repeated,
}

impl TimelineKind {
    pub(crate) const ALL: [Self; 10] = [
        Self::Opened,
        Self::Updated,
        Self::Acknowledged,
        Self::Resolved,
        Self::Reopened,
        Self::Delivered,
        Self::DeliveryFailed,
        Self::Feedback,
        Self::Note,
        Self::Repeated,
    ];

    /// The name as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Reopened => "reopened",
            Self::Delivered => "delivered",
            Self::DeliveryFailed => "delivery_failed",
            Self::Feedback => "feedback",
            Self::Note => "note",
            Self::Repeated => "repeated",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }
}

/// One line of an incident's timeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimelineEntry {
    /// When, in microseconds since the epoch; RFC 3339 in JSON.
    #[serde(rename = "at", serialize_with = "rfc3339")]
    pub at_us: i64,
    /// What.
    pub kind: TimelineKind,
    /// In words, with who and why where known.
    pub text: String,
}

/// The figures of an incident, from its first bad bucket to the last judged one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct IncidentFigures {
    /// The metric's value over the incident's slice: for a rate in its bad time, for a threshold in
    /// the last judged window.
    pub value: Option<f64>,
    /// What it should have been. `None` for a threshold, which expects nothing but a bound.
    pub expected: Option<f64>,
    /// Of a threshold: the bound that was broken.
    pub bound: Option<f64>,
    /// Of a share of counts: the count above the line since the incident began.
    pub numerator: Option<f64>,
    /// Of a share of counts: the count below the line since the incident began.
    pub denominator: Option<f64>,
    /// How many events went the wrong way that should not have, are missing or too many, i.e. the
    /// difference of expected and observed count since the incident began, never negative. For a
    /// threshold on a share or a count: how many more than the bound allows; on a quantile: how many values
    /// were beyond the bound. `None` where the metric does not say which events are hit.
    pub affected: Option<f64>,
    /// Where nobody can tell how many events were affected, as of an average: how many the slice had since the incident
    /// began, good ones and bad ones.
    pub passed: Option<f64>,
    /// How probable it is that this is real, from 0 to 1. `None` for a threshold, which is certain.
    pub probability: Option<f64>,
    /// −log₁₀ of the smallest p-value of its slices, from which the probability follows. `None` for a threshold.
    pub evidence: Option<f64>,
}

/// The buckets that the figures of an incident were computed from, in microseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedRange {
    /// Begin of the last judged step.
    pub step_start_us: i64,
    /// End of the last judged step.
    pub step_end_us: i64,
    /// End of the last bad bucket.
    pub bad_until_us: i64,
}

/// Those figures of an incident that events which came late can change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RevisedFigures {
    /// The metric's value, as [`IncidentFigures::value`].
    pub value: Option<f64>,
    /// Of a share of counts: the count above the line.
    pub numerator: Option<f64>,
    /// Of a share of counts: the count below the line.
    pub denominator: Option<f64>,
    /// How many events were hit, as [`IncidentFigures::affected`].
    pub affected: Option<f64>,
}

/// What events have changed of an incident's buckets that came after these were judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentRevision {
    /// The figures by which it was judged.
    pub then: RevisedFigures,
    /// The figures of the same buckets with all that has come since.
    pub now: RevisedFigures,
}

/// An incident. Serialises to the JSON that the HTTP interface and webhooks carry.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// Name of the monitor that found it.
    pub monitor: String,
    /// Name of the monitor's metric.
    pub metric: String,
    /// Unit of the metric.
    pub unit: Option<String>,
    /// How urgent it is.
    pub severity: Severity,
    /// Where it is in its life.
    pub state: IncidentState,
    /// Which part of the metric it is about: the smallest slice that holds all that fires.
    pub slice: Slice,
    /// When it was found; RFC 3339 in JSON.
    #[serde(rename = "opened_at", serialize_with = "rfc3339")]
    pub opened_at_us: i64,
    /// Begin of the first bad bucket; RFC 3339 in JSON.
    #[serde(rename = "started_at", serialize_with = "rfc3339")]
    pub started_at_us: i64,
    /// When it last changed, never earlier than at the change before; RFC 3339 in JSON.
    #[serde(rename = "updated_at", serialize_with = "rfc3339")]
    pub updated_at_us: i64,
    /// When it ended; RFC 3339 in JSON.
    #[serde(rename = "resolved_at", serialize_with = "rfc3339_or_null")]
    pub resolved_at_us: Option<i64>,
    /// How bad it is.
    #[serde(flatten)]
    pub figures: IncidentFigures,
    /// Which way the metric went.
    pub direction: Deviation,
    /// One sentence for a person.
    pub summary: String,
    /// What happened, oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// When the last event was received that changed buckets after the incident was judged by them,
    /// if any did; RFC 3339 in JSON.
    #[serde(rename = "revised_at", serialize_with = "rfc3339_or_null")]
    pub revised_at_us: Option<i64>,
    /// What such events changed. The incident's own figures stay as they were judged; while it is not
    /// resolved they are computed anew at the next step.
    pub revision: Option<IncidentRevision>,
    /// The buckets that its figures are of; none for incidents of versions that did not keep it.
    #[serde(skip)]
    pub judged: Option<JudgedRange>,
    /// Until when channels are not told of it; RFC 3339 in JSON.
    #[serde(rename = "silenced_until", serialize_with = "rfc3339_or_null")]
    pub silenced_until_us: Option<i64>,
    /// How many transitions there were; numbers them for idempotency keys.
    pub transition: u32,
    /// Whether it was real, where a person said so.
    pub is_real: Option<bool>,
    /// Why the metric changed, where that can be told.
    pub explanation: Option<IncidentExplanation>,
    /// How much is at stake so far, where the monitor names a metric that says so.
    pub impact: Option<IncidentImpact>,
    /// Who looks after it, as the monitor says.
    pub owner: Option<String>,
    /// The incident of another monitor that has the same cause and came first. Who is told of that one is not
    /// told of this while that one lasts.
    pub part_of: Option<IncidentId>,
    /// The incidents that are part of this one.
    pub parts: Vec<IncidentId>,
}

/// What an incident has cost so far, or put at risk: an estimate, by what an event of its slice is worth on average.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentImpact {
    /// The metric that says what events are worth.
    pub metric: String,
    /// How much, in the metric's unit.
    pub value: f64,
    /// The metric's unit, such as `EUR`.
    pub unit: Option<String>,
    /// Whose worth it is.
    #[serde(default)]
    pub of: ImpactOf,
}

/// Which events an [`IncidentImpact`] is the worth of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImpactOf {
    /// Of those that went wrong, are missing or too many.
    #[default]
    Affected,
    /// Of all that the slice had since the incident began: nobody can tell which of them were affected.
    Passed,
}

impl ImpactOf {
    /// The name as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::Passed => "passed",
        }
    }
}

impl Incident {
    /// The slices that are to blame: those that explain it, or its own.
    #[must_use]
    pub fn blamed(&self) -> Vec<&Slice> {
        match &self.explanation {
            Some(explanation) if !explanation.parts.is_empty() => {
                explanation.parts.iter().map(|part| &part.slice).collect()
            }
            _ => vec![&self.slice],
        }
    }

    /// Notes a change. Judging tells the time of events, which lags behind the clock that people's
    /// actions tell; of two states the later one must not look the older.
    pub(crate) fn touch(&mut self, at_us: i64) {
        self.updated_at_us = self.updated_at_us.max(at_us);
    }
}

/// What changed about an incident, for live subscribers.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentEvent {
    /// What happened.
    pub kind: TimelineKind,
    /// The incident after it.
    pub incident: Incident,
}

/// A time as RFC 3339 in UTC; times out of range show as the epoch's nearest end.
pub(crate) fn time_text(at_us: i64) -> String {
    tillwatch_event::time::rfc3339(at_us).unwrap_or_else(|| {
        let nearest = if at_us < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        };
        nearest.to_string()
    })
}

fn rfc3339<S: Serializer>(at_us: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time_text(*at_us))
}

fn rfc3339_or_null<S: Serializer>(at_us: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    match at_us {
        Some(at_us) => rfc3339(at_us, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
pub(crate) use explanation::example as explanation_example;

/// An incident for tests.
#[cfg(test)]
pub(crate) fn example() -> Incident {
    Incident {
        id: IncidentId::new(
            1_795_356_300_000_000,
            "authorization_drop",
            &Slice::whole(),
            0,
        ),
        monitor: "authorization_drop".into(),
        metric: "authorization_rate".into(),
        unit: Some("percent".into()),
        severity: Severity::Critical,
        state: IncidentState::Open,
        slice: Slice::from([("psp", "adyen"), ("issuer", "bank_17")]),
        opened_at_us: 1_795_356_300_000_000,
        started_at_us: 1_795_356_180_000_000,
        updated_at_us: 1_795_356_300_000_000,
        resolved_at_us: None,
        figures: IncidentFigures {
            value: Some(0.41),
            expected: Some(0.88),
            bound: None,
            numerator: Some(128.0),
            denominator: Some(312.0),
            affected: Some(147.0),
            passed: None,
            probability: Some(0.999),
            evidence: Some(9.0),
        },
        direction: Deviation::Down,
        summary: "authorization_rate fell".into(),
        timeline: vec![TimelineEntry {
            at_us: 1_795_356_300_000_000,
            kind: TimelineKind::Opened,
            text: "opened".into(),
        }],
        revised_at_us: None,
        revision: None,
        judged: None,
        silenced_until_us: None,
        transition: 1,
        is_real: None,
        explanation: None,
        impact: None,
        owner: None,
        part_of: None,
        parts: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_serialises_to_the_documented_shape() {
        let incident = super::example();
        let json = serde_json::to_value(&incident).unwrap();
        assert!(json["id"].as_str().unwrap().starts_with("inc_"));
        assert_eq!(json["opened_at"], "2026-11-22T14:05:00Z");
        assert_eq!(json["started_at"], "2026-11-22T14:03:00Z");
        assert_eq!(json["resolved_at"], serde_json::Value::Null);
        assert_eq!(
            json["slice"],
            serde_json::json!({"psp": "adyen", "issuer": "bank_17"})
        );
        assert_eq!(json["severity"], "critical");
        assert_eq!(json["state"], "open");
        assert_eq!(json["direction"], "down");
        assert_eq!(json["value"], 0.41);
        assert_eq!(json["affected"], 147.0);
        let entry = serde_json::json!(
            {"at": "2026-11-22T14:05:00Z", "kind": "opened", "text": "opened"});
        assert_eq!(json["timeline"][0], entry);
    }

    #[test]
    fn names_of_states_and_timeline_kinds_are_read_back() {
        for kind in TimelineKind::ALL {
            assert_eq!(TimelineKind::parse(kind.name()), Some(kind));
        }
        for state in [
            IncidentState::Open,
            IncidentState::Acknowledged,
            IncidentState::Resolved,
        ] {
            assert_eq!(IncidentState::parse(state.name()), Some(state));
        }
    }
}
