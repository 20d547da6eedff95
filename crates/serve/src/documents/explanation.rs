//! Why the metric of an incident changed.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::metric::Figure;

/// The smallest set of slices that explains a change, against what was to be expected. It is found anew while the incident lasts.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct IncidentExplanation {
    /// The incident's slice when this was found.
    pub slice: BTreeMap<String, Option<String>>,
    /// Begin of the bad time that was looked at, RFC 3339.
    pub from: String,
    /// Its end, RFC 3339.
    pub to: String,
    /// What was looked at to know what was to be expected.
    pub compared_with: Vec<ExplainedSpan>,
    /// What was to be expected of the whole metric in that time: a sum, or the share that its events would have had.
    #[schema(value_type = Option<f64>)]
    pub expected: Option<Figure>,
    /// What came.
    #[schema(value_type = Option<f64>)]
    pub value: Option<Figure>,
    /// The slices that explain it, the greatest share first. Empty where no part changed more than the others.
    pub parts: Vec<ExplainedPart>,
    /// Other sets that explain it, not as well; the best first.
    pub alternatives: Vec<ExplainedAlternative>,
    /// Of a share of counts: what is due to traffic having moved between slices whose shares differ.
    pub mix: Option<ExplainedMix>,
    /// The dimensions that were looked at.
    pub dimensions: Vec<String>,
    /// Dimensions that were not, as there are more slices by them than an answer holds.
    pub dimensions_left_out: Vec<String>,
    /// SQL for `/v1/sql` that shows the raw events behind the parts; null where it cannot be said in SQL.
    pub events_sql: Option<String>,
}

/// A stretch of event time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExplainedSpan {
    /// Its begin, RFC 3339.
    pub from: String,
    /// Its end, exclusive, RFC 3339.
    pub to: String,
}

/// A slice that changed in its own way.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ExplainedPart {
    /// Which.
    pub slice: BTreeMap<String, Option<String>>,
    /// What was to be expected of it: a sum or a share.
    #[schema(value_type = Option<f64>)]
    pub expected: Option<Figure>,
    /// What came.
    #[schema(value_type = Option<f64>)]
    pub value: Option<Figure>,
    /// Its share of the whole change; above 1 where other slices went the other way.
    #[schema(value_type = Option<f64>)]
    pub share: Option<Figure>,
    /// By how much it is off: events too few or too many, or of a sum the difference.
    #[schema(value_type = Option<f64>)]
    pub affected: Option<Figure>,
    /// Of a share of counts: the count below the line.
    #[schema(value_type = Option<f64>)]
    pub denominator: Option<Figure>,
}

/// Slices that explain a change as well, though not as well as those that were chosen.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ExplainedAlternative {
    /// Which.
    pub slices: Vec<BTreeMap<String, Option<String>>>,
    /// How much more probable they make what came, as a natural logarithm.
    #[schema(value_type = Option<f64>)]
    pub score: Option<Figure>,
}

/// A share that moved because traffic moved between slices whose shares differ.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ExplainedMix {
    /// The slice whose part of the traffic changed the share most.
    pub slice: BTreeMap<String, Option<String>>,
    /// Its part of the traffic before, 0 to 1.
    #[schema(value_type = Option<f64>)]
    pub traffic_before: Option<Figure>,
    /// Its part of the traffic in the bad time.
    #[schema(value_type = Option<f64>)]
    pub traffic: Option<Figure>,
    /// What the shift of traffic alone changed of the share.
    #[schema(value_type = Option<f64>)]
    pub shift: Option<Figure>,
}
