//! What is known of the past: labels of stretches of time, and what people said of incidents.

use serde::Serialize;

use super::{Found, Missed};
use crate::figure::Slice;
use crate::incident::{Incident, time_text};

/// What there was, or was not, in a slice over a stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Begin, in microseconds since the epoch.
    pub from_us: i64,
    /// End, exclusive, in microseconds since the epoch.
    pub to_us: i64,
    /// Where; all of the metric unless told.
    pub slice: Slice,
    /// Whether something was wrong. What is found where nothing was is a false alarm.
    pub is_real: bool,
}

impl Label {
    /// Whether it speaks of an incident: they overlap in time, and one's slice holds the other's.
    fn is_of(&self, incident: &Incident) -> bool {
        let span = (self.from_us, self.to_us);
        overlap(span, lasted(incident)) && touch(&self.slice, &incident.slice)
    }
}

/// How many of the incidents found are what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// All that were found.
    pub found: usize,
    /// Those that were real, by a label or a person.
    pub real: usize,
    /// Those that were false alarms, by a label or a person.
    pub false_alarms: usize,
    /// Those of which nobody said anything.
    pub unlabelled: usize,
    /// What was real and not found.
    pub missed: usize,
}

impl Tally {
    /// Counts what was found and missed.
    pub(super) fn of(found: &[Found], missed: &[Missed]) -> Self {
        let are = |is_real| found.iter().filter(|one| one.is_real == is_real).count();
        Self {
            found: found.len(),
            real: are(Some(true)),
            false_alarms: are(Some(false)),
            unlabelled: are(None),
            missed: missed.len(),
        }
    }
}

/// Whether two incidents are of the same events: they overlap in time, and one's slice holds the other's.
pub(super) fn are_same(a: &Incident, b: &Incident) -> bool {
    overlap(lasted(a), lasted(b)) && touch(&a.slice, &b.slice)
}

/// An incident, with what is known of it. A label of something real goes before what people said of the incident that
/// opened live, and that before a label of nothing: a label of nothing may cover all the time.
pub(super) fn told(incident: Incident, known: &[Incident], labels: &[Label]) -> Found {
    let live = known.iter().filter(|one| are_same(&incident, one));
    // Of several the one of which something was said.
    let live = live.max_by_key(|one| one.is_real.is_some());
    let said = live.and_then(|one| one.is_real);
    let of = |is_real| {
        let mut of = labels.iter().enumerate();
        let found = of.find(|(_, label)| label.is_real == is_real && label.is_of(&incident));
        found.map(|(at, _)| at)
    };
    let (label, is_real) = match (of(true), said, of(false)) {
        (Some(at), ..) => (Some(at), Some(true)),
        (None, Some(said), nothing) => (nothing.filter(|_| !said), Some(said)),
        (None, None, Some(at)) => (Some(at), Some(false)),
        (None, None, None) => (None, None),
    };
    Found {
        live: live.map(|one| one.id.to_string()),
        label,
        is_real,
        incident,
    }
}

/// What was real, by a label or a person, and is not among the incidents found.
pub(super) fn missed(
    found: &[Found],
    known: &[Incident],
    labels: &[Label],
    span: (i64, i64),
) -> Vec<Missed> {
    let is_in_time = |from_us: i64, to_us: i64| overlap(span, (from_us, to_us));
    let real = known.iter().filter(|one| {
        let began_in_time = one.started_at_us >= span.0 && one.started_at_us < span.1;
        one.is_real == Some(true) && began_in_time
    });
    let unfound = |one: &&Incident| !found.iter().any(|found| are_same(&found.incident, one));
    let incidents: Vec<&Incident> = real.filter(unfound).collect();
    let mut missed: Vec<(i64, Missed)> = Vec::new();
    for one in &incidents {
        let told = Missed {
            live: Some(one.id.to_string()),
            label: None,
            slice: one.slice.clone(),
            started_at: time_text(one.started_at_us),
            summary: Some(one.summary.clone()),
        };
        missed.push((one.started_at_us, told));
    }
    for (at, label) in labels.iter().enumerate() {
        let is_found = found.iter().any(|found| label.is_of(&found.incident));
        // What a person called real as well counts once.
        let is_told = incidents.iter().any(|one| label.is_of(one));
        if !label.is_real || is_found || is_told || !is_in_time(label.from_us, label.to_us) {
            continue;
        }
        let told = Missed {
            live: None,
            label: Some(at),
            slice: label.slice.clone(),
            started_at: time_text(label.from_us),
            summary: None,
        };
        missed.push((label.from_us, told));
    }
    missed.sort_by_key(|(at_us, _)| *at_us);
    missed.into_iter().map(|(_, missed)| missed).collect()
}

fn lasted(incident: &Incident) -> (i64, i64) {
    let end_us = incident.resolved_at_us.unwrap_or(i64::MAX);
    (incident.started_at_us, end_us)
}

fn overlap(a: (i64, i64), b: (i64, i64)) -> bool {
    a.0 < b.1 && b.0 < a.1
}

fn touch(a: &Slice, b: &Slice) -> bool {
    a.covers(b) || b.covers(a)
}
