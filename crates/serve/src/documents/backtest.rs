//! Back-tests: what a monitor would have found in the past.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::incident::{Incident, Verdict};

/// What to test.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BacktestRequest {
    /// Begin: RFC 3339, epoch milliseconds or an offset such as `-30d`; 14 days before the end unless told.
    pub from: Option<String>,
    /// End, written likewise: the watermark unless told, and never later.
    pub to: Option<String>,
    /// A proposed version of the monitor: the keys of its definition, as in YAML. The existing one is tested unless told; with both,
    /// they are compared.
    #[schema(value_type = Option<Object>)]
    pub monitor: Option<serde_json::Map<String, serde_json::Value>>,
    /// What is known of the time.
    pub labels: Vec<BacktestLabel>,
}

/// What there was, or was not, over a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BacktestLabel {
    /// Begin, written as that of the test.
    pub from: String,
    /// End, exclusive.
    pub to: String,
    /// The values of dimensions it is about; all of the metric unless told. `null` is a dimension without a value.
    #[serde(default, rename = "where")]
    pub slice: BTreeMap<String, Option<String>>,
    /// `real` where something was wrong, `false_alarm` where nothing was; `real` unless told.
    #[serde(default = "real")]
    pub verdict: Verdict,
}

fn real() -> Verdict {
    Verdict::Real
}

/// What one version or two of a monitor would have found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BacktestAnswer {
    /// The monitor's name.
    pub monitor: String,
    /// Begin of the time that was judged, RFC 3339.
    pub from: String,
    /// End of it, RFC 3339.
    pub to: String,
    /// Seconds that the test took.
    pub took_s: f64,
    /// The existing version; null when there is none.
    pub existing: Option<BacktestRun>,
    /// The proposed version; null when none was.
    pub proposed: Option<BacktestRun>,
    /// What they have in common, when there are two.
    pub comparison: Option<BacktestComparison>,
}

/// What one version would have found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BacktestRun {
    /// The metric it judges.
    pub metric: String,
    /// The dimensions it splits by.
    pub by: Vec<String>,
    /// The detector and its settings: those that `auto` chose, and windows of whole buckets.
    #[schema(value_type = Object)]
    pub detect: serde_json::Value,
    /// Which way is bad: `up`, `down` or `both`.
    pub direction: String,
    /// Steps judged.
    pub steps: u64,
    /// How long a step was, from when on: where `keep` has joined older buckets, steps are as long as these.
    pub resolution: Vec<BacktestResolution>,
    /// Hours in which there was too little history to judge by.
    pub learning_hours: u64,
    /// Incidents a week.
    pub per_week: f64,
    /// How many incidents are what.
    pub counts: BacktestCounts,
    /// What would have opened, the oldest first.
    pub incidents: Vec<BacktestIncident>,
    /// Whether incidents were left out because there are too many; `counts` has all.
    pub truncated: bool,
    /// What was real, by a label or a person, and would not have opened.
    pub missed: Vec<BacktestMissed>,
}

/// How long a step was.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BacktestResolution {
    /// From when on, RFC 3339.
    pub from: String,
    /// How long, in seconds.
    pub step_s: f64,
}

/// How many of the incidents are what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct BacktestCounts {
    /// All that would have opened.
    pub found: u64,
    /// Those that were real, by a label or a person.
    pub real: u64,
    /// Those that were false alarms, by a label or a person.
    pub false_alarms: u64,
    /// Those of which nothing is known.
    pub unlabelled: u64,
    /// What was real and would not have opened.
    pub missed: u64,
}

/// An incident that would have opened.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BacktestIncident {
    /// It, as it would be by now. Its id is of the test alone: `/v1/incidents` knows none of them.
    pub incident: Incident,
    /// Seconds from the first bad bucket to when it would have opened.
    pub delay_s: i64,
    /// The incident that did open on the same events, if one did.
    pub live: Option<String>,
    /// The place among the labels of the one that says what it was, from 0.
    pub label: Option<u64>,
    /// What it was, by a label or by what a person said of the live one.
    pub verdict: Option<Verdict>,
}

/// Something real that would not have opened an incident.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BacktestMissed {
    /// When it began, RFC 3339.
    pub started_at: String,
    /// Where it was; empty for the whole metric.
    pub slice: BTreeMap<String, Option<String>>,
    /// The incident that a person called real.
    pub live: Option<String>,
    /// The place of the label among the labels, from 0.
    pub label: Option<u64>,
    /// The live incident's sentence.
    pub summary: Option<String>,
}

/// What two versions have in common, by the ids of their incidents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct BacktestComparison {
    /// Incidents of the same events.
    pub both: Vec<BacktestPair>,
    /// What only the existing version would have found.
    pub only_existing: Vec<String>,
    /// What only the proposed version would have found.
    pub only_proposed: Vec<String>,
}

/// Two incidents of the same events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BacktestPair {
    /// That of the existing version.
    pub existing: String,
    /// That of the proposed version.
    pub proposed: String,
    /// Seconds by which the proposed version would have opened it later; negative when earlier.
    pub later_s: i64,
}
