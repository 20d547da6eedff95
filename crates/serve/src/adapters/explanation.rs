//! The explanation of an incident as a document.

use std::collections::BTreeMap;

use tillwatch_monitor::figure::Slice;
use tillwatch_monitor::incident as monitor;

use super::incidents::figure;
use crate::documents::{
    ExplainedAlternative, ExplainedMix, ExplainedPart, ExplainedSpan, IncidentExplanation,
};
use crate::request::time::rfc3339;

pub(super) fn explanation(found: &monitor::IncidentExplanation) -> IncidentExplanation {
    let part = |part: &monitor::ExplainedPart| ExplainedPart {
        slice: values(&part.slice),
        expected: figure(Some(part.expected)),
        value: figure(Some(part.value)),
        share: figure(Some(part.share)),
        affected: figure(Some(part.affected)),
        denominator: figure(part.denominator),
    };
    let alternative = |other: &monitor::ExplainedAlternative| ExplainedAlternative {
        slices: other.slices.iter().map(values).collect(),
        score: figure(Some(other.score)),
    };
    let span = |span: &monitor::Span| ExplainedSpan {
        from: rfc3339(span.from_us),
        to: rfc3339(span.to_us),
    };
    let ExplainedSpan { from, to } = span(&found.span);
    IncidentExplanation {
        slice: values(&found.slice),
        from,
        to,
        compared_with: found.compared_with.iter().map(span).collect(),
        expected: figure(Some(found.expected)),
        value: figure(Some(found.value)),
        parts: found.parts.iter().map(part).collect(),
        alternatives: found.alternatives.iter().map(alternative).collect(),
        mix: found.mix.as_ref().map(|mix| ExplainedMix {
            slice: values(&mix.slice),
            traffic_before: figure(Some(mix.traffic_before)),
            traffic: figure(Some(mix.traffic)),
            shift: figure(Some(mix.shift)),
        }),
        dimensions: found.dimensions.clone(),
        dimensions_left_out: found.dimensions_left_out.clone(),
        events_sql: found.events_sql.clone(),
    }
}

/// Dimensions with their values.
pub(super) fn values(slice: &Slice) -> BTreeMap<String, Option<String>> {
    let pairs = slice.pairs();
    pairs
        .map(|(dimension, value)| (dimension.to_owned(), value.map(str::to_owned)))
        .collect()
}
