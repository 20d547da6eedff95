//! What the status page shows of monitors.

use std::time::Duration;

use serde::Serialize;

use super::{Inner, Monitor, Surety, Watch};
use crate::definition::{Detect, Direction, Severity};
use crate::incident::time_text;

/// A monitor as the status page shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MonitorStatus {
    /// Its name.
    pub name: String,
    /// Its metric.
    pub metric: String,
    /// Its dimensions.
    pub by: Vec<String>,
    /// Its detector, with settings.
    pub detect: Detect,
    /// Which way of deviating is bad.
    pub direction: Direction,
    /// How urgent its incidents are.
    pub severity: Severity,
    /// How long it must be bad before an incident opens.
    pub hold: Duration,
    /// How long it must be well again before the incident resolves.
    pub resolve_after: Duration,
    /// Whether buckets are looked at before they are complete.
    pub early: bool,
    /// One sentence for people.
    pub description: Option<String>,
    /// The metric that says how much is at stake.
    pub impact: Option<String>,
    /// Who looks after its incidents.
    pub owner: Option<String>,
    /// Its calendar, if it names one.
    pub calendar: Option<String>,
    /// Its channels.
    pub notify: Vec<String>,
    /// End of the last judged step as RFC 3339; null before the first.
    pub last_judged_at: Option<String>,
    /// Slices that had enough samples to be judged at the last step, or that fire.
    pub slices: usize,
    /// Slices that fire.
    pub firing: usize,
    /// Whether there is still too little history to judge by.
    pub learning: bool,
    /// Why it could not be judged the last time, or what had to be left out of it.
    pub error: Option<String>,
    /// How good its probabilities are.
    pub feedback: Surety,
}

impl Inner {
    /// Said once, not at every tick: the status shows it as long as it lasts.
    pub(super) fn take_note(&mut self, monitor: &str, note: Option<String>) {
        if let Some(note) = note.as_ref().filter(|_| self.note.is_none()) {
            tracing::warn!(monitor, note, "judged in part");
        }
        self.note = note;
    }
}

impl Watch {
    /// Every monitor as the status page shows it. Waits for a running [`Watch::judge`] of the
    /// same monitor.
    #[must_use]
    pub fn monitors(&self) -> Vec<MonitorStatus> {
        let status = |monitor: &Monitor| {
            let inner = monitor.lock();
            let definition = monitor.definition.clone();
            let feedback = self.surety(&definition.name);
            let firing = inner
                .memory
                .slices
                .values()
                .filter(|s| s.hysteresis.is_firing())
                .count();
            MonitorStatus {
                name: definition.name,
                metric: definition.metric,
                by: definition.by,
                detect: definition.detect,
                description: definition.description.clone(),
                direction: definition.direction,
                severity: definition.severity,
                hold: definition.hold,
                resolve_after: definition.resolve_after,
                early: definition.early,
                impact: definition.impact,
                owner: definition.owner,
                calendar: Some(definition.calendar.name.clone()).filter(|name| !name.is_empty()),
                notify: definition.notify,
                last_judged_at: inner.memory.judged_upto_us.map(time_text),
                slices: inner.slices,
                firing,
                learning: inner.learning,
                error: inner.error.clone().or_else(|| inner.note.clone()),
                feedback,
            }
        };
        self.monitors.iter().map(status).collect()
    }
}
