//! Why a metric changed, as an incident tells it.

use serde::{Deserialize, Serialize};

use crate::figure::Slice;

/// The smallest set of slices that explains a change, against what was to be expected.
///
/// It is found anew while the incident lasts, and stays as it was last found once that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentExplanation {
    /// The incident's slice when this was found.
    pub slice: Slice,
    /// The bad time that was looked at.
    #[serde(flatten)]
    pub span: Span,
    /// What was looked at to know what was to be expected.
    pub compared_with: Vec<Span>,
    /// What was to be expected of the whole metric in that time: a sum, or the share that its events
    /// would have had.
    pub expected: f64,
    /// What came.
    pub value: f64,
    /// The slices that explain it, the greatest share first. None where no part changed more than the others.
    pub parts: Vec<ExplainedPart>,
    /// Other sets that explain it, not as well; the best first.
    pub alternatives: Vec<ExplainedAlternative>,
    /// Of a share of counts: what is due to traffic having moved between slices whose shares differ.
    pub mix: Option<ExplainedMix>,
    /// The dimensions that were looked at.
    pub dimensions: Vec<String>,
    /// Dimensions that were not, as there are more slices by them than an answer holds.
    pub dimensions_left_out: Vec<String>,
    /// SQL that shows the raw events behind the parts, where it can be said in SQL.
    pub events_sql: Option<String>,
}

impl IncidentExplanation {
    /// The parts that explain an incident, where they say more than its own `slice` does.
    pub(crate) fn parts_beyond(&self, slice: &Slice) -> Option<&[ExplainedPart]> {
        match self.parts.as_slice() {
            [] => None,
            [only] if only.slice.covers(slice) => None,
            parts => Some(parts),
        }
    }
}

impl ExplainedPart {
    /// Its share as people read it: not above the whole.
    pub(crate) fn share_shown(&self) -> f64 {
        (self.share.clamp(0.0, 1.0) * 100.0).round() / 100.0
    }
}

/// A stretch of event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Its begin, in microseconds since the epoch; RFC 3339 in JSON.
    #[serde(rename = "from", with = "instant")]
    pub from_us: i64,
    /// Its end, exclusive; RFC 3339 in JSON.
    #[serde(rename = "to", with = "instant")]
    pub to_us: i64,
}

/// A slice that changed in its own way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainedPart {
    /// Which.
    pub slice: Slice,
    /// What was to be expected of it: a sum or a share.
    pub expected: f64,
    /// What came.
    pub value: f64,
    /// Its share of the whole change; above 1 where other slices went the other way.
    pub share: f64,
    /// By how much it is off, never negative: events too few or too many, or of a sum the difference.
    pub affected: f64,
    /// Of a share of counts: the count below the line.
    pub denominator: Option<f64>,
}

/// Slices that explain a change as well, though not as well as those that were chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainedAlternative {
    /// Which.
    pub slices: Vec<Slice>,
    /// How much more probable they make what came, as a natural logarithm; that of the chosen ones is at least as large.
    pub score: f64,
}

/// A share that moved because traffic moved between slices whose shares differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainedMix {
    /// The slice whose part of the traffic changed the share most.
    pub slice: Slice,
    /// Its part of the traffic before, from 0 to 1.
    pub traffic_before: f64,
    /// Its part of the traffic in the bad time.
    pub traffic: f64,
    /// What the shift of traffic alone changed of the share.
    pub shift: f64,
}

/// Times as RFC 3339.
mod instant {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::incident::time_text;

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    pub fn serialize<S: Serializer>(at_us: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time_text(*at_us))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at: Timestamp = text.parse().map_err(D::Error::custom)?;
        Ok(at.as_microsecond())
    }
}

/// An explanation for tests.
#[cfg(test)]
pub(crate) fn example() -> IncidentExplanation {
    let from_us = 1_795_356_180_000_000;
    let bank = Slice::from([("issuer", "bank_17"), ("psp", "adyen")]);
    IncidentExplanation {
        slice: bank.clone(),
        span: Span {
            from_us,
            to_us: from_us + 120_000_000,
        },
        compared_with: vec![Span {
            from_us: from_us - 86_400_000_000,
            to_us: from_us,
        }],
        expected: 0.88,
        value: 0.81,
        parts: vec![ExplainedPart {
            slice: bank,
            expected: 0.88,
            value: 0.41,
            share: 0.93,
            affected: 147.0,
            denominator: Some(312.0),
        }],
        alternatives: vec![ExplainedAlternative {
            slices: vec![Slice::from([("issuer", "bank_17")])],
            score: 210.5,
        }],
        mix: Some(ExplainedMix {
            slice: Slice::from([("psp", "stripe")]),
            traffic_before: 0.3,
            traffic: 0.36,
            shift: -0.004,
        }),
        dimensions: vec!["psp".to_owned(), "issuer".to_owned()],
        dimensions_left_out: vec!["merchant".to_owned()],
        events_sql: Some("select * from payments".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_is_read_back_as_it_was_written() {
        let json = serde_json::to_value(example()).unwrap();
        assert_eq!(json["from"], "2026-11-22T14:03:00Z");
        assert_eq!(json["compared_with"][0]["to"], "2026-11-22T14:03:00Z");
        assert_eq!(json["parts"][0]["slice"]["issuer"], "bank_17");
        let back: IncidentExplanation = serde_json::from_value(json).unwrap();
        assert_eq!(back, example());
    }
}
