//! From firing slices to incidents: opening, widening, merging, updating, resolving.

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::figures::judged;
use super::state::{Finding, Live, Memory, SliceState, Step};
use super::{Round, Watch, message};
use crate::MonitorError;
use crate::catalogue::incidents;
use crate::definition::MonitorDefinition;
use crate::detect::hysteresis::{Change, Hysteresis, Patience, Verdict};
use crate::figure::{MetricFacts, Slice};
use crate::group::{Group, group};
use crate::incident::{
    Deviation, Incident, IncidentFigures, IncidentId, IncidentState, TimelineEntry, TimelineKind,
};

/// A slice that fires again within this time takes its old incident up again.
pub(super) const REOPEN_WITHIN_US: i64 = 30 * 60 * 1_000_000;
/// What began so long before a slice above it, which was tested without it, is of another cause.
const TOGETHER_US: i64 = 15 * 60 * 1_000_000;
/// A firing slice without any events for this long is no longer held open.
pub(super) const QUIET_US: i64 = 6 * 3600 * 1_000_000;

/// An incident as it was after a change, to be written.
pub(super) struct Record {
    pub incident: Incident,
    pub notify: Vec<String>,
    /// The transition; `None` where only figures changed.
    pub entry: Option<TimelineEntry>,
    /// The incident of the same monitor that it has become part of, and that takes over what was part of it.
    pub heir: Option<IncidentId>,
}

/// One monitor's incidents while steps are judged.
pub(super) struct Lifecycle<'a> {
    pub(super) definition: &'a MonitorDefinition,
    pub(super) facts: &'a MetricFacts,
    pub(super) watch: &'a Watch,
    pub memory: &'a mut Memory,
    pub(super) records: Vec<Record>,
    /// What the clock shows: nothing is noted of a time that has not come.
    now_us: i64,
    /// Whether the step is not complete, so that nothing ends by it.
    is_ahead: bool,
    /// Slices that do not cease to fire by the steps from `kept_from_us` on: they are bad again in what is not complete yet.
    kept: HashSet<Slice>,
    kept_from_us: i64,
    /// Slices that ceased to fire because they were normal, and do not fire again, with the end of the step.
    ended: HashMap<Slice, i64>,
    /// How many explanations were looked for.
    pub(super) explained: Cell<usize>,
}

impl<'a> Lifecycle<'a> {
    pub fn new(
        definition: &'a MonitorDefinition,
        facts: &'a MetricFacts,
        watch: &'a Watch,
        memory: &'a mut Memory,
    ) -> Self {
        Self {
            definition,
            facts,
            watch,
            memory,
            records: Vec::new(),
            now_us: i64::MAX,
            is_ahead: false,
            kept: HashSet::new(),
            kept_from_us: i64::MAX,
            ended: HashMap::new(),
            explained: Cell::new(0),
        }
    }

    /// The same at a time by the clock.
    pub fn at(self, now_us: i64) -> Self {
        Self { now_us, ..self }
    }

    /// The same for a step that is not complete.
    pub fn ahead_at(self, now_us: i64) -> Self {
        Self {
            now_us,
            is_ahead: true,
            ..self
        }
    }

    /// The same, where some slices do not cease to fire by the steps that end `from_us` or later.
    pub fn keeping(self, kept: HashSet<Slice>, from_us: i64) -> Self {
        Self {
            kept,
            kept_from_us: from_us,
            ..self
        }
    }

    /// When something is noted that a step shows. What was found ahead of complete buckets is noted before these are
    /// judged, and what they show comes after it.
    pub(super) fn moment(&self, incident: Option<&Incident>, step: Step) -> i64 {
        let judged = incident.and_then(|incident| incident.judged);
        let ahead_us = judged.map_or(i64::MIN, |judged| judged.step_end_us);
        step.end_us.max(ahead_us).min(self.now_us)
    }

    /// Everything that changed, in order.
    pub fn finish(self) -> Vec<Record> {
        self.records
    }

    /// The same, and the slices that ceased to fire, with the end of the step by which they did.
    pub fn finish_with_ended(self) -> (Vec<Record>, HashMap<Slice, i64>) {
        (self.records, self.ended)
    }

    /// Ends all that fires: there is nothing to judge any more.
    pub fn end_all(&mut self, step: Step) -> Result<(), MonitorError> {
        let slices = self.memory.slices.iter();
        let firing = slices.filter(|(_, state)| state.hysteresis.is_firing());
        let firing: Vec<Slice> = firing.map(|(slice, _)| slice.clone()).collect();
        for slice in firing {
            if let Some((id, end)) = self.end(&slice, step, End::Quiet) {
                self.resolve_if_over(&id, step, end)?;
            }
        }
        Ok(())
    }

    /// Takes the findings of one step. `last` asks for fresh figures of every open incident.
    pub fn advance(
        &mut self,
        step: Step,
        findings: Vec<Finding>,
        round: &Round,
        last: bool,
    ) -> Result<(), MonitorError> {
        let mut fired: BTreeMap<&str, Vec<Slice>> = BTreeMap::new();
        let mut ended: Vec<(String, End)> = Vec::new();
        for finding in findings {
            let state = self.memory.slices.get(&finding.slice);
            let since_us = state.and_then(|state| state.hysteresis.normal_since_us());
            match self.take(step, &finding) {
                Change::Fired => {
                    self.ended.remove(&finding.slice);
                    fired
                        .entry(finding.deviation.name())
                        .or_default()
                        .push(finding.slice);
                }
                Change::Resolved => {
                    let end = End::Normal {
                        since_us: since_us.unwrap_or(step.start_us),
                    };
                    let over = self.end(&finding.slice, step, end);
                    self.ended.insert(finding.slice.clone(), step.end_us);
                    if let Some((id, end)) = &over {
                        self.end_within(&finding.slice, id, step, *end);
                    }
                    ended.extend(over);
                }
                Change::None => {}
            }
        }
        if !self.is_ahead {
            for slice in self.quiet(step) {
                ended.extend(self.end(&slice, step, End::Quiet));
            }
        }
        for (deviation, slices) in fired {
            let up = deviation == Deviation::Up.name();
            let deviation = if up { Deviation::Up } else { Deviation::Down };
            self.assign(step, deviation, slices, round)?;
        }
        // An incident was bad until the last of the slices that end together was normal.
        ended.sort_by_key(|(_, end)| Reverse(*end));
        for (id, end) in ended {
            self.resolve_if_over(&id, step, end)?;
        }
        if last {
            self.refresh_all(step)?;
        }
        Ok(())
    }

    /// Moves the slice's state by one finding.
    fn take(&mut self, step: Step, finding: &Finding) -> Change {
        if finding.verdict != Verdict::Anomalous && !self.memory.slices.contains_key(&finding.slice)
        {
            return Change::None;
        }
        let patience = Patience {
            hold_us: i64::try_from(self.definition.hold.as_micros()).unwrap_or(i64::MAX),
            resolve_after_us: i64::try_from(self.definition.resolve_after.as_micros())
                .unwrap_or(i64::MAX),
        };
        let state = self.memory.slices.entry(finding.slice.clone()).or_default();
        if finding.seen || state.last_seen_us == 0 {
            state.last_seen_us = step.end_us;
        }
        let before = state.hysteresis;
        let is_behind = before.is_firing() && step.end_us < state.ahead_upto_us;
        let is_kept = step.end_us >= self.kept_from_us && self.kept.contains(&finding.slice);
        let verdict = match finding.verdict {
            Verdict::Normal if is_behind || is_kept => Verdict::Between,
            verdict => verdict,
        };
        let change = (state.hysteresis).advance(verdict, step.start_us, step.end_us, patience);
        match (before, state.hysteresis) {
            _ if is_behind && verdict != Verdict::Anomalous => {}
            (Hysteresis::Idle, Hysteresis::Pending { .. } | Hysteresis::Firing { .. }) => {
                state.started_us = finding.started_us;
            }
            _ => state.started_us = state.started_us.min(finding.started_us),
        }
        if change == Change::Fired {
            state.deviation = Some(finding.deviation);
            state.expected = finding.expected;
            state.p_value = finding.p_value;
            state.evidence = 0.0;
            state.ahead_upto_us = step.end_us;
            state.incident = None;
        }
        // A rate recovers from the value that made it fire.
        if let Some(observed) = finding.observed.filter(|_| change == Change::Fired) {
            state.observed = observed;
        }
        change
    }

    /// Firing slices that have not had an event for long.
    fn quiet(&mut self, step: Step) -> Vec<Slice> {
        let slices = self.memory.slices.iter_mut();
        let quiet = slices.filter(|(_, state)| {
            state.hysteresis.is_firing() && step.end_us - state.last_seen_us >= QUIET_US
        });
        quiet
            .map(|(slice, state)| {
                state.hysteresis = Hysteresis::Idle;
                slice.clone()
            })
            .collect()
    }

    /// Slices within that of an incident which have incidents of their own that began well before: they were left out when
    /// it was tested, and are when it is counted and explained.
    pub(super) fn apart_from(&self, incident: &Incident) -> Vec<Slice> {
        let others = self.memory.live.iter().map(|live| &live.incident);
        let apart = others.filter(|other| {
            other.id != incident.id
                && other.direction == incident.direction
                && other.slice != incident.slice
                && incident.slice.covers(&other.slice)
                && other.started_at_us < incident.started_at_us - TOGETHER_US
        });
        apart.map(|other| other.slice.clone()).collect()
    }

    /// Clears the state of a slice that fires no more; returns the incident it belonged to.
    fn end(&mut self, slice: &Slice, step: Step, end: End) -> Option<(String, End)> {
        let state = self.memory.slices.get_mut(slice)?;
        let incident = state.incident.take();
        *state = SliceState {
            ignore_before_us: step.end_us,
            ..Default::default()
        };
        Some((incident?, end))
    }

    /// A slice above others is well again with all that fires for the same incident within it: what is still off by itself
    /// is another cause, and fires anew.
    fn end_within(&mut self, slice: &Slice, id: &str, step: Step, end: End) {
        if slice.dimensions() >= self.definition.by.len() {
            return;
        }
        let within =
            self.memory.slices.iter().filter(|(part, state)| {
                state.incident.as_deref() == Some(id) && slice.covers(part)
            });
        let within: Vec<Slice> = within.map(|(part, _)| part.clone()).collect();
        for part in within {
            let _ = self.end(&part, step, end);
        }
    }

    /// Resolves an incident none of whose slices fires any more, with its figures of now.
    fn resolve_if_over(&mut self, id: &str, step: Step, end: End) -> Result<(), MonitorError> {
        let Some(at) = self
            .memory
            .live
            .iter()
            .position(|l| l.incident.id.as_str() == id)
        else {
            return Ok(());
        };
        let still = self
            .memory
            .slices
            .values()
            .any(|s| s.incident.as_deref() == Some(id));
        if still {
            return Ok(());
        }
        let mut live = self.memory.live.remove(at);
        // By what it was told of until now, which may be ahead of this step.
        let at_us = (self.moment(Some(&live.incident), step)).max(live.incident.opened_at_us);
        let back = if let End::Normal { since_us } = end {
            live.incident.figures = self.figures(&live.incident, step, since_us)?;
            live.incident.judged = Some(judged(step, since_us));
            // Once more, with all of the bad time.
            live.explained = None;
            self.explain(&mut live, since_us);
            self.value_now(&live.incident, step, since_us)?
        } else {
            None
        };
        let why = match end {
            End::Normal { .. } => "back to normal".to_owned(),
            End::Quiet => "no events any more".to_owned(),
        };
        self.records.push(resolved(&mut live, at_us, why, back));
        Ok(())
    }

    /// Finds or opens the incidents that newly firing slices belong to.
    fn assign(
        &mut self,
        step: Step,
        deviation: Deviation,
        fired: Vec<Slice>,
        round: &Round,
    ) -> Result<(), MonitorError> {
        let mut rest = HashSet::new();
        // The widest first: what lies within an incident is part of it.
        let mut fired = fired;
        fired.sort_by_key(Slice::dimensions);
        for slice in fired {
            let covering = self.memory.live.iter().filter(|live| {
                live.incident.direction == deviation && live.incident.slice.covers(&slice)
            });
            let covering = covering.max_by_key(|live| live.incident.slice.dimensions());
            match covering.map(|live| live.incident.id.as_str().to_owned()) {
                Some(id) => self.join(&slice, &id),
                None if slice.dimensions() < self.definition.by.len() => {
                    let started_us = self.memory.slices.get(&slice).map(|one| one.started_us);
                    let since_us = started_us.unwrap_or(step.start_us) - TOGETHER_US;
                    let group = self.alone(step, deviation, slice, round);
                    self.tell(step, deviation, &group, since_us)?;
                }
                None => {
                    rest.insert(slice);
                }
            }
        }
        if rest.is_empty() {
            return Ok(());
        }
        let evidence = self.evidence(step, deviation, &rest, round);
        let mut merged = HashMap::new();
        let groups = group(&evidence, |slice| {
            self.is_off(slice, step, deviation, &mut merged)
        })?;
        for group in groups {
            if group.members.iter().any(|slice| rest.contains(slice)) {
                self.tell(step, deviation, &group, i64::MIN)?;
            }
        }
        Ok(())
    }

    /// Widens the incidents that lie within a group into one, or opens another. An incident that
    /// reaches beyond the group is of another cause, so it keeps its slice and its members, and so does one that began
    /// before `since_us`.
    fn tell(
        &mut self,
        step: Step,
        deviation: Deviation,
        group: &Group,
        since_us: i64,
    ) -> Result<(), MonitorError> {
        let within = |live: &&Live| {
            live.incident.direction == deviation
                && group.slice.covers(&live.incident.slice)
                && live.incident.started_at_us >= since_us
        };
        let held: Vec<String> = self
            .memory
            .live
            .iter()
            .filter(within)
            .map(|live| live.incident.id.as_str().to_owned())
            .collect();
        let Some((id, others)) = held.split_first() else {
            return self.open(step, deviation, group);
        };
        let text = format!(" to {}{}", group.slice, of(group));
        let oldest = self.memory.live.iter_mut().find(|live| within(&&**live));
        let text = oldest.map_or(String::new(), |live| {
            let before = std::mem::replace(&mut live.incident.slice, group.slice.clone());
            format!("widened from {before}{text}")
        });
        self.join_untold(group, id);
        for state in self.memory.slices.values_mut() {
            if state
                .incident
                .as_ref()
                .is_some_and(|of| others.contains(of))
            {
                state.incident = Some(id.clone());
            }
        }
        let is_part = |live: &mut Live| others.iter().any(|id| id == live.incident.id.as_str());
        let parts: Vec<Live> = self.memory.live.extract_if(.., is_part).collect();
        for mut part in parts {
            let why = format!("part of {id} now");
            let at_us = self.moment(Some(&part.incident), step);
            let at_us = at_us.max(part.incident.opened_at_us);
            let mut record = resolved(&mut part, at_us, why, None);
            record.heir = IncidentId::parse(id);
            self.records.push(record);
        }
        self.transition(id, step, TimelineKind::Updated, text)
    }

    fn open(
        &mut self,
        step: Step,
        deviation: Deviation,
        group: &Group,
    ) -> Result<(), MonitorError> {
        let d = self.definition;
        let members = group.members.iter();
        let untold = members
            .filter_map(|slice| self.memory.slices.get(slice))
            .filter(|state| state.incident.is_none());
        let started_us = untold
            .map(|state| state.started_us)
            .min()
            .unwrap_or(step.start_us);
        let at_us = self.moment(None, step);
        let since_us = at_us - REOPEN_WITHIN_US;
        let before = self.watch.catalogue.read(|db| {
            incidents::lately_resolved(db, &d.name, &group.slice, deviation, since_us)
        })?;
        let kind = if before.is_some() {
            TimelineKind::Reopened
        } else {
            TimelineKind::Opened
        };
        let ordinal = u32::from(deviation == Deviation::Up);
        let mut incident = before.unwrap_or_else(|| Incident {
            id: IncidentId::new(at_us, &d.name, &group.slice, ordinal),
            monitor: d.name.clone(),
            metric: d.metric.clone(),
            unit: self.facts.unit.clone(),
            severity: d.severity,
            state: IncidentState::Open,
            slice: group.slice.clone(),
            opened_at_us: at_us,
            started_at_us: started_us,
            updated_at_us: at_us,
            resolved_at_us: None,
            figures: IncidentFigures::default(),
            direction: deviation,
            summary: String::new(),
            timeline: Vec::new(),
            revised_at_us: None,
            revision: None,
            judged: None,
            silenced_until_us: None,
            transition: 0,
            is_real: None,
            explanation: None,
            impact: None,
            owner: None,
            part_of: None,
            parts: Vec::new(),
        });
        incident.state = IncidentState::Open;
        incident.severity = d.severity;
        incident.owner.clone_from(&d.owner);
        // A reopened one keeps its first outage, which no baseline must take for normal.
        incident.started_at_us = incident.started_at_us.min(started_us);
        incident.resolved_at_us = None;
        let id = incident.id.as_str().to_owned();
        // What explained an earlier outage need not explain this one.
        let mut live = Live::new(incident, d.notify.clone());
        live.explained = None;
        self.memory.live.push(live);
        self.join_untold(group, &id);
        self.transition(&id, step, kind, String::new())
    }

    /// Adds those of a group that belong to no incident yet.
    fn join_untold(&mut self, group: &Group, id: &str) {
        for slice in &group.members {
            let state = self.memory.slices.get_mut(slice);
            if let Some(state) = state.filter(|state| state.incident.is_none()) {
                state.incident = Some(id.to_owned());
            }
        }
    }

    fn join(&mut self, slice: &Slice, id: &str) {
        if let Some(state) = self.memory.slices.get_mut(slice) {
            state.incident = Some(id.to_owned());
        }
    }

    /// Records a transition with fresh figures. An empty text becomes the summary.
    fn transition(
        &mut self,
        id: &str,
        step: Step,
        kind: TimelineKind,
        text: String,
    ) -> Result<(), MonitorError> {
        let Some(at) = self
            .memory
            .live
            .iter()
            .position(|l| l.incident.id.as_str() == id)
        else {
            return Ok(());
        };
        self.refresh(at, step)?;
        let incident = self.memory.live.get(at).map(|live| &live.incident);
        let at_us = self.moment(incident, step);
        let Some(live) = self.memory.live.get_mut(at) else {
            return Ok(());
        };
        live.incident.transition += 1;
        live.incident.touch(at_us);
        let text = if text.is_empty() {
            live.incident.summary.clone()
        } else {
            text
        };
        let entry = TimelineEntry { at_us, kind, text };
        self.records.push(Record {
            incident: live.incident.clone(),
            notify: live.notify.clone(),
            entry: Some(entry),
            heir: None,
        });
        Ok(())
    }
}

/// Why a slice fires no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// There is nothing to judge any more.
    Quiet,
    /// It is normal again, since then.
    Normal { since_us: i64 },
}

fn of(group: &Group) -> String {
    format!(": {} of {} slices are off", group.leaning, group.total)
}

/// Resolves an incident. `back` is what its metric has come back to, where it has.
pub(super) fn resolved(live: &mut Live, at_us: i64, why: String, back: Option<f64>) -> Record {
    let incident = &mut live.incident;
    incident.state = IncidentState::Resolved;
    incident.resolved_at_us = Some(at_us);
    incident.touch(at_us);
    incident.transition += 1;
    incident.summary = message::ended(incident, back);
    Record {
        incident: incident.clone(),
        notify: live.notify.clone(),
        entry: Some(TimelineEntry {
            at_us,
            kind: TimelineKind::Resolved,
            text: why,
        }),
        heir: None,
    }
}
