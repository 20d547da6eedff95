//! Incidents over the monitors' engine.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::BoxStream;
use tillwatch_monitor::catalogue::IncidentFilter;
use tillwatch_monitor::incident as monitor;
use tillwatch_monitor::watch::{ActionNote, Watch};

use crate::adapters::explanation::{explanation, values};
use crate::adapters::faults;
use crate::documents::{
    ActionRequest, Figure, Incident, IncidentImpact, IncidentRevision, IncidentState, Monitor,
    MonitorFeedback, RevisedFigures, Silence, TimelineEntry, Verdict,
};
use crate::ports::{IncidentAction, IncidentChange, Incidents, changes_of};
use crate::problem::Problem;
use crate::request::time::{now_us, rfc3339};

/// Incidents and monitors of one set of definitions.
pub struct WatchIncidents {
    watch: Arc<Watch>,
}

impl WatchIncidents {
    /// Over the engine that judges.
    #[must_use]
    pub fn new(watch: Arc<Watch>) -> Self {
        Self { watch }
    }
}

impl Incidents for WatchIncidents {
    fn list(&self, state: Option<IncidentState>, limit: usize) -> Result<Vec<Incident>, Problem> {
        let filter = IncidentFilter {
            state: state.map(kept_state),
            monitor: None,
            limit: Some(limit),
        };
        let found = self.watch.catalogue().incidents(&filter);
        Ok(found
            .map_err(|fault| faults::monitor(&fault))?
            .iter()
            .map(document)
            .collect())
    }

    fn one(&self, id: &str) -> Result<Option<Incident>, Problem> {
        found(self.watch.catalogue().incident(id))
    }

    fn act(
        &self,
        id: &str,
        action: IncidentAction,
        request: &ActionRequest,
    ) -> Result<Option<Incident>, Problem> {
        let now_us = now_us();
        let note = ActionNote {
            by: request.by.clone(),
            note: request.note.clone(),
        };
        found(match action {
            IncidentAction::Acknowledge => self.watch.acknowledge(id, &note, now_us),
            IncidentAction::Resolve => self.watch.resolve(id, &note, now_us),
            IncidentAction::Feedback { is_real } => self.watch.feedback(id, is_real, &note, now_us),
            IncidentAction::Note => self.watch.note(id, &note, now_us),
            IncidentAction::Silence { duration } => {
                let us = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
                self.watch
                    .silence(id, now_us.saturating_add(us), &note, now_us)
            }
        })
    }

    fn changes(&self) -> BoxStream<'static, IncidentChange> {
        changes_of(self.watch.subscribe(), |event| {
            event.incident.id.to_string()
        })
    }

    fn monitors(&self) -> Result<Vec<Monitor>, Problem> {
        self.watch
            .monitors()
            .into_iter()
            .map(|status| {
                Ok(Monitor {
                    detect: serde_json::to_value(&status.detect)
                        .map_err(|cause| Problem::internal(&cause))?,
                    name: status.name,
                    metric: status.metric,
                    by: status.by,
                    description: status.description,
                    direction: status.direction.name().to_owned(),
                    severity: status.severity.name().to_owned(),
                    hold: duration_text(status.hold),
                    resolve_after: duration_text(status.resolve_after),
                    early: status.early,
                    impact: status.impact,
                    owner: status.owner,
                    calendar: status.calendar,
                    notify: status.notify,
                    last_judged_at: status.last_judged_at,
                    slices: status.slices as u64,
                    firing: status.firing as u64,
                    learning: status.learning,
                    error: status.error,
                    feedback: MonitorFeedback {
                        real: status.feedback.real as u64,
                        false_alarms: status.feedback.false_alarms as u64,
                        brier: figure(status.feedback.brier),
                    },
                })
            })
            .collect()
    }

    fn silences(&self, limit: usize) -> Result<Vec<Silence>, Problem> {
        let kept = self.watch.catalogue().silences(now_us(), limit);
        let kept = kept.map_err(|fault| faults::monitor(&fault))?.into_iter();
        let shown = kept.map(|kept| Silence {
            id: kept.id,
            slice: values(&kept.silence.slice),
            monitor: kept.silence.monitor,
            until: rfc3339(kept.silence.until_us),
            incident: kept.origin.incident,
            by: kept.origin.by,
            note: kept.origin.note,
            created_at: kept.origin.created_at_us.map(rfc3339),
        });
        Ok(shown.collect())
    }

    fn end_silence(&self, id: i64, by: Option<&str>) -> Result<bool, Problem> {
        let note = ActionNote {
            by: by.map(str::to_owned),
            note: None,
        };
        let ended = self.watch.end_silence(id, &note, now_us());
        ended.map_err(|fault| faults::monitor(&fault))
    }
}

/// A duration as definitions have it, with the largest unit that fits.
fn duration_text(duration: Duration) -> String {
    let ms = duration.as_millis();
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1_000, "s"),
    ];
    let fits = units
        .iter()
        .find(|(unit, _)| ms > 0 && ms.is_multiple_of(*unit));
    match fits {
        Some((unit, name)) => format!("{}{name}", ms / unit),
        None if ms == 0 => "0s".to_owned(),
        None => format!("{ms}ms"),
    }
}

fn found(
    outcome: Result<monitor::Incident, tillwatch_monitor::MonitorError>,
) -> Result<Option<Incident>, Problem> {
    match outcome {
        Ok(incident) => Ok(Some(document(&incident))),
        Err(tillwatch_monitor::MonitorError::UnknownIncident(_)) => Ok(None),
        Err(fault) => Err(faults::monitor(&fault)),
    }
}

fn kept_state(state: IncidentState) -> monitor::IncidentState {
    match state {
        IncidentState::Open => monitor::IncidentState::Open,
        IncidentState::Acknowledged => monitor::IncidentState::Acknowledged,
        IncidentState::Resolved => monitor::IncidentState::Resolved,
    }
}

fn shown_state(state: monitor::IncidentState) -> IncidentState {
    match state {
        monitor::IncidentState::Open => IncidentState::Open,
        monitor::IncidentState::Acknowledged => IncidentState::Acknowledged,
        monitor::IncidentState::Resolved => IncidentState::Resolved,
    }
}

pub(super) fn figure(value: Option<f64>) -> Option<Figure> {
    value.and_then(Figure::number)
}

fn revised(figures: monitor::RevisedFigures) -> RevisedFigures {
    RevisedFigures {
        value: figure(figures.value),
        numerator: figure(figures.numerator),
        denominator: figure(figures.denominator),
        affected: figure(figures.affected),
    }
}

/// What a person, or a label, says.
pub(super) fn verdict(is_real: bool) -> Verdict {
    if is_real {
        Verdict::Real
    } else {
        Verdict::FalseAlarm
    }
}

/// An incident as it is served.
pub(super) fn document(incident: &monitor::Incident) -> Incident {
    let figures = &incident.figures;
    Incident {
        id: incident.id.to_string(),
        monitor: incident.monitor.clone(),
        metric: incident.metric.clone(),
        unit: incident.unit.clone(),
        severity: incident.severity.name().to_owned(),
        state: shown_state(incident.state),
        slice: values(&incident.slice),
        opened_at: rfc3339(incident.opened_at_us),
        started_at: rfc3339(incident.started_at_us),
        updated_at: rfc3339(incident.updated_at_us),
        resolved_at: incident.resolved_at_us.map(rfc3339),
        value: figure(figures.value),
        expected: figure(figures.expected),
        bound: figure(figures.bound),
        numerator: figure(figures.numerator),
        denominator: figure(figures.denominator),
        affected: figure(figures.affected),
        passed: figure(figures.passed),
        probability: figure(figures.probability),
        direction: Some(incident.direction.name().to_owned()),
        summary: incident.summary.clone(),
        revised_at: incident.revised_at_us.map(rfc3339),
        revision: incident.revision.map(|revision| IncidentRevision {
            then: revised(revision.then),
            now: revised(revision.now),
        }),
        silenced_until: incident.silenced_until_us.map(rfc3339),
        verdict: incident.is_real.map(verdict),
        impact: incident.impact.as_ref().map(|impact| IncidentImpact {
            metric: impact.metric.clone(),
            value: figure(Some(impact.value)),
            unit: impact.unit.clone(),
            of: impact.of.name().to_owned(),
        }),
        owner: incident.owner.clone(),
        part_of: incident.part_of.as_ref().map(ToString::to_string),
        parts: incident.parts.iter().map(ToString::to_string).collect(),
        explanation: incident.explanation.as_ref().map(explanation),
        timeline: incident
            .timeline
            .iter()
            .map(|entry| TimelineEntry {
                at: rfc3339(entry.at_us),
                kind: entry.kind.name().to_owned(),
                text: entry.text.clone(),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_as_definitions_have_them() {
        let cases = [
            (0, "0s"),
            (1_500, "1500ms"),
            (10_000, "10s"),
            (90_000, "90s"),
            (120_000, "2m"),
            (7_200_000, "2h"),
            (86_400_000, "1d"),
        ];
        for (ms, text) in cases {
            assert_eq!(duration_text(Duration::from_millis(ms)), text);
        }
    }
}
