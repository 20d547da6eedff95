//! Incidents and the monitors that open them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::explanation::IncidentExplanation;
use super::metric::Figure;

/// Where an incident is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// Firing, and nobody has taken it.
    Open,
    /// Firing, and somebody has taken it.
    Acknowledged,
    /// Over.
    Resolved,
}

impl IncidentState {
    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "open" => Some(Self::Open),
            "acknowledged" => Some(Self::Acknowledged),
            "resolved" => Some(Self::Resolved),
            _ => None,
        }
    }
}

/// What a person said of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Something was wrong.
    Real,
    /// Nothing was.
    FalseAlarm,
}

/// One entry of an incident's timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TimelineEntry {
    /// When, RFC 3339.
    pub at: String,
    /// `opened`, `updated`, `acknowledged`, `resolved`, `reopened`, `delivered`, `delivery_failed`, `feedback` or `note`.
    pub kind: String,
    /// What happened, in one sentence.
    pub text: String,
}

/// Those figures of an incident that late events can change.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RevisedFigures {
    /// The metric's value.
    #[schema(value_type = Option<f64>)]
    pub value: Option<Figure>,
    /// Of a rate: the count above the line.
    #[schema(value_type = Option<f64>)]
    pub numerator: Option<Figure>,
    /// Of a rate: the count below the line.
    #[schema(value_type = Option<f64>)]
    pub denominator: Option<Figure>,
    /// How many events were hit beyond what was to be expected, or beyond the bound.
    #[schema(value_type = Option<f64>)]
    pub affected: Option<Figure>,
}

/// What events have changed that came after an incident was judged by their buckets.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct IncidentRevision {
    /// The figures by which it was judged.
    pub then: RevisedFigures,
    /// The figures of the same buckets as they are now.
    pub now: RevisedFigures,
}

/// Anomalies that belong together.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Incident {
    /// `inc_…`.
    pub id: String,
    /// The monitor that opened it.
    pub monitor: String,
    /// The metric it is about.
    pub metric: String,
    /// The metric's unit.
    pub unit: Option<String>,
    /// `critical`, `warning` or `info`.
    pub severity: String,
    /// Where it is in its life.
    pub state: IncidentState,
    /// The slice it is about; empty for the whole metric.
    pub slice: BTreeMap<String, Option<String>>,
    /// When we opened it, RFC 3339.
    pub opened_at: String,
    /// Since when the metric has been off, RFC 3339.
    pub started_at: String,
    /// When it last changed, RFC 3339.
    pub updated_at: String,
    /// When it was over, RFC 3339.
    pub resolved_at: Option<String>,
    /// The metric's value: of a rate in the bad time, of a threshold at the last judgement.
    #[schema(value_type = Option<f64>)]
    pub value: Option<Figure>,
    /// What it should have been; null for a threshold, which has a `bound`.
    #[schema(value_type = Option<f64>)]
    pub expected: Option<Figure>,
    /// Of a threshold: the bound that was broken, upwards or downwards as `direction` says.
    #[schema(value_type = Option<f64>)]
    pub bound: Option<Figure>,
    /// Of a rate: the count above the line.
    #[schema(value_type = Option<f64>)]
    pub numerator: Option<Figure>,
    /// Of a rate: the count below the line.
    #[schema(value_type = Option<f64>)]
    pub denominator: Option<Figure>,
    /// How many events were hit beyond what was to be expected, or beyond the bound.
    #[schema(value_type = Option<f64>)]
    pub affected: Option<Figure>,
    /// Where nobody can tell how many were hit, as of an average: how many events the slice had since it began, good ones and bad ones.
    #[schema(value_type = Option<f64>)]
    pub passed: Option<Figure>,
    /// How sure the detector is, 0 to 1.
    #[schema(value_type = Option<f64>)]
    pub probability: Option<Figure>,
    /// `up` or `down`.
    pub direction: Option<String>,
    /// One sentence for people.
    pub summary: String,
    /// When the last event was received that changed its buckets after it was judged by them, RFC 3339; null when none did.
    pub revised_at: Option<String>,
    /// What such events changed. The incident's own figures are those it was judged by.
    pub revision: Option<IncidentRevision>,
    /// Until when nothing is announced about it, RFC 3339.
    pub silenced_until: Option<String>,
    /// What a person said of it: `real` or `false_alarm`; null before anybody did.
    pub verdict: Option<Verdict>,
    /// How much is at stake so far; null where the monitor names no `impact` or it cannot be told.
    pub impact: Option<IncidentImpact>,
    /// Who looks after it, as the monitor says.
    pub owner: Option<String>,
    /// The incident of another monitor that has the same cause and came first; who is told of that one is not told of this while that one lasts.
    pub part_of: Option<String>,
    /// The ids of incidents that are part of this one.
    pub parts: Vec<String>,
    /// Why the metric changed; null where that cannot be told, as of a mean or a quantile.
    pub explanation: Option<IncidentExplanation>,
    /// What happened to it, oldest first.
    pub timeline: Vec<TimelineEntry>,
}

/// What an incident has cost so far, or put at risk: an estimate, by what an event of its slice is worth on average.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct IncidentImpact {
    /// The metric that says what events are worth.
    pub metric: String,
    /// How much, in the metric's unit.
    #[schema(value_type = Option<f64>)]
    pub value: Option<Figure>,
    /// The metric's unit, such as `EUR`.
    pub unit: Option<String>,
    /// Whose worth it is: `affected`, of the events that went wrong, are missing or too many; `passed`, of all that the slice had since the incident began, where nobody can tell which were hit.
    pub of: String,
}

/// A list of incidents.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct IncidentList {
    /// Latest first.
    pub incidents: Vec<Incident>,
}

/// What may come with an action on an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionRequest {
    /// Why.
    pub note: Option<String>,
    /// Who.
    pub by: Option<String>,
    /// Of a silence: how long, such as `1h`.
    #[serde(rename = "for")]
    pub duration: Option<String>,
    /// Of feedback, which needs it: `real` or `false_alarm`.
    pub verdict: Option<Verdict>,
}

/// A monitor and what it sees.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Monitor {
    /// Its name.
    pub name: String,
    /// The metric it watches.
    pub metric: String,
    /// The dimensions it splits by.
    pub by: Vec<String>,
    /// One sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its detector and settings, as defined.
    #[schema(value_type = Object)]
    pub detect: serde_json::Value,
    /// Which way is bad: `up`, `down` or `both`.
    pub direction: String,
    /// `critical`, `warning` or `info`.
    pub severity: String,
    /// How long it must be bad before an incident opens, such as `2m`; `0s` for at once.
    #[serde(rename = "for")]
    pub hold: String,
    /// How long it must be well again before the incident resolves.
    pub resolve_after: String,
    /// Whether buckets are looked at before they are complete, where the detector can.
    pub early: bool,
    /// The metric by which its incidents say how much is at stake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact: Option<String>,
    /// Who looks after its incidents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The calendar it goes by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// The channels it announces to.
    pub notify: Vec<String>,
    /// When it last judged, RFC 3339.
    pub last_judged_at: Option<String>,
    /// How many slices it judged then.
    pub slices: u64,
    /// How many of them are firing.
    pub firing: u64,
    /// Whether there is still too little history to judge by.
    pub learning: bool,
    /// Why it could not judge the last time, or what it had to leave out.
    pub error: Option<String>,
    /// What people said of its incidents, and how well its probabilities agree.
    pub feedback: MonitorFeedback,
}

/// What people said of a monitor's incidents.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct MonitorFeedback {
    /// How many were real.
    pub real: u64,
    /// How many were false alarms.
    pub false_alarms: u64,
    /// The Brier score of its probabilities, as they are now: the mean squared difference from what was said. 0 is perfect,
    /// 0.25 knows nothing; null before anything was said.
    #[schema(value_type = Option<f64>)]
    pub brier: Option<Figure>,
}

/// All monitors.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MonitorList {
    /// In the order of their definition.
    pub monitors: Vec<Monitor>,
}

/// A silence: no channel is told of some incidents for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Silence {
    /// Its number, by which it is ended.
    pub id: i64,
    /// The monitor whose incidents it is about.
    pub monitor: String,
    /// The slice they are of, or lie within; empty for all.
    pub slice: BTreeMap<String, Option<String>>,
    /// When it ends by itself, RFC 3339.
    pub until: String,
    /// The incident that was silenced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// Who silenced it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
}

/// The silences that last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SilenceList {
    /// Those that end first before the others.
    pub silences: Vec<Silence>,
}
