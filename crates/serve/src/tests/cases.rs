//! Incidents in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use futures::stream::BoxStream;
use tokio::sync::broadcast;

use crate::documents::*;
use crate::ports::*;
use crate::problem::{Problem, Slug};

/// Incidents in memory.
pub(super) struct Cases {
    pub(super) cases: Mutex<Vec<Incident>>,
    changed: broadcast::Sender<String>,
}

impl Cases {
    pub(super) fn new() -> Self {
        Self {
            cases: Mutex::default(),
            changed: broadcast::channel(16).0,
        }
    }

    pub(super) fn open(&self, id: &str) {
        let incident = Incident {
            id: id.into(),
            monitor: "authorization_drop".into(),
            metric: "authorization_rate".into(),
            unit: Some("percent".into()),
            severity: "critical".into(),
            state: IncidentState::Open,
            slice: BTreeMap::from([("psp".to_owned(), Some("adyen".to_owned()))]),
            opened_at: "2026-11-22T14:03:00Z".into(),
            started_at: "2026-11-22T14:02:00Z".into(),
            updated_at: "2026-11-22T14:03:00Z".into(),
            resolved_at: None,
            value: Figure::number(0.41),
            expected: Figure::number(0.88),
            bound: None,
            numerator: Figure::number(128.0),
            denominator: Figure::number(312.0),
            affected: Figure::number(147.0),
            passed: None,
            probability: Figure::number(0.999),
            direction: Some("down".into()),
            summary: "fell".into(),
            revised_at: None,
            revision: None,
            silenced_until: None,
            verdict: None,
            impact: None,
            owner: None,
            part_of: None,
            parts: Vec::new(),
            explanation: None,
            timeline: Vec::new(),
        };
        self.cases.lock().unwrap().push(incident);
        let _ = self.changed.send(id.to_owned());
    }
}

impl Incidents for Cases {
    fn list(&self, state: Option<IncidentState>, limit: usize) -> Result<Vec<Incident>, Problem> {
        let cases = self.cases.lock().unwrap();
        let chosen = cases
            .iter()
            .rev()
            .filter(|c| state.is_none_or(|state| c.state == state));
        Ok(chosen.take(limit).cloned().collect())
    }

    fn one(&self, id: &str) -> Result<Option<Incident>, Problem> {
        Ok(self
            .cases
            .lock()
            .unwrap()
            .iter()
            .find(|c| c.id == id)
            .cloned())
    }

    fn act(
        &self,
        id: &str,
        action: IncidentAction,
        request: &ActionRequest,
    ) -> Result<Option<Incident>, Problem> {
        let mut cases = self.cases.lock().unwrap();
        let Some(case) = cases.iter_mut().find(|c| c.id == id) else {
            return Ok(None);
        };
        match action {
            IncidentAction::Acknowledge if case.state == IncidentState::Resolved => {
                return Err(Problem::new(Slug::Conflict, "it is over"));
            }
            IncidentAction::Acknowledge => case.state = IncidentState::Acknowledged,
            IncidentAction::Resolve => case.state = IncidentState::Resolved,
            IncidentAction::Note => case.timeline.push(TimelineEntry {
                at: "2026-11-22T14:04:00Z".to_owned(),
                kind: "note".to_owned(),
                text: request.note.clone().unwrap_or_default(),
            }),
            IncidentAction::Feedback { is_real: true } => case.verdict = Some(Verdict::Real),
            IncidentAction::Feedback { is_real: false } => {
                case.verdict = Some(Verdict::FalseAlarm);
            }
            IncidentAction::Silence { duration } => {
                case.silenced_until = Some(format!("{} s", duration.as_secs()));
            }
        }
        case.summary = format!("{:?} by {:?}", request.note, request.by);
        let changed = case.clone();
        drop(cases);
        let _ = self.changed.send(id.to_owned());
        Ok(Some(changed))
    }

    fn changes(&self) -> BoxStream<'static, IncidentChange> {
        changes_of(self.changed.subscribe(), Clone::clone)
    }

    fn monitors(&self) -> Result<Vec<Monitor>, Problem> {
        Ok(Vec::new())
    }

    fn silences(&self, limit: usize) -> Result<Vec<Silence>, Problem> {
        let cases = self.cases.lock().unwrap();
        let silenced = (0..).zip(cases.iter()).filter_map(|(id, case)| {
            let until = case.silenced_until.clone()?;
            Some(Silence {
                id,
                monitor: case.monitor.clone(),
                slice: case.slice.clone(),
                until,
                incident: Some(case.id.clone()),
                by: None,
                note: None,
                created_at: None,
            })
        });
        Ok(silenced.take(limit).collect())
    }

    fn end_silence(&self, id: i64, by: Option<&str>) -> Result<bool, Problem> {
        let mut cases = self.cases.lock().unwrap();
        let case = usize::try_from(id).ok().and_then(|at| cases.get_mut(at));
        let Some(case) = case.filter(|case| case.silenced_until.is_some()) else {
            return Ok(false);
        };
        case.silenced_until = None;
        case.summary = format!("ended by {by:?}");
        Ok(true)
    }
}
