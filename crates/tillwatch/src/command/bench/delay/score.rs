//! What was found against what there was.

use tillwatch_monitor::backtest::Found;
use tillwatch_monitor::incident::Incident;

use super::world::{Fault, Metric, SECOND_US, World};

/// After a fault it takes a while until the last figures with it are judged.
const AFTER_US: i64 = 15 * 60 * SECOND_US;
/// False incidents that a monitor may open: one in ten weeks, the budget of `sensitivity: normal`.
pub const BUDGET_S: f64 = 70.0 * 24.0 * 3600.0;

/// What became of one fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Its kind.
    pub kind: &'static str,
    /// From its begin to the first incident about it, in seconds; `None` where there was none while it lasted.
    pub delay_s: Option<f64>,
    /// The least mean delay that any test could have with that budget, in seconds.
    pub bound_s: f64,
    /// Incidents about it.
    pub incidents: usize,
    /// Whether the explanation of the first names its slice and nothing else; `None` where there was none.
    pub is_explained: Option<bool>,
}

/// What was found of one world.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// Of every fault.
    pub outcomes: Vec<Outcome>,
    /// Incidents of nothing.
    pub false_incidents: usize,
    /// All incidents.
    pub incidents: usize,
}

/// The least mean delay (G. Lorden, 1971, *Procedures for reacting to a change in distribution*): the logarithm of the mean number of
/// events between false alarms, by the information that tells the fault from normal traffic.
pub fn bound_s(fault: &Fault, metric: Metric) -> f64 {
    let (of_rate, of_traffic) = World::information(fault);
    let information = match metric {
        Metric::Rate => of_rate,
        Metric::Count => of_traffic,
    };
    let events = World::attempts_per_s(fault) * BUDGET_S;
    events.ln() / information
}

/// Scores incidents against faults.
pub fn score(found: &[Found], faults: &[Fault], metric: Metric) -> Score {
    let mut score = Score {
        incidents: found.len(),
        ..Score::default()
    };
    let mut is_true = vec![false; found.len()];
    for fault in faults {
        let mut of_it: Vec<&Incident> = Vec::new();
        for (one, is_true) in found.iter().zip(&mut is_true) {
            if is_about(&one.incident, fault) {
                of_it.push(&one.incident);
                *is_true = true;
            }
        }
        of_it.sort_by_key(|incident| incident.opened_at_us);
        let first = of_it
            .iter()
            .find(|incident| incident.opened_at_us <= fault.to_us);
        score.outcomes.push(Outcome {
            kind: fault.kind,
            delay_s: first.map(|one| (one.opened_at_us - fault.from_us) as f64 / SECOND_US as f64),
            bound_s: bound_s(fault, metric),
            incidents: of_it.len(),
            is_explained: first
                .map(|one| one.explanation.is_some() && one.blamed() == [&fault.slice]),
        });
    }
    score.false_incidents = is_true.iter().filter(|is_true| !**is_true).count();
    score
}

/// Whether an incident is of a fault: at its time, and of slices that have to do with each other.
fn is_about(incident: &Incident, fault: &Fault) -> bool {
    let is_then =
        incident.opened_at_us >= fault.from_us && incident.opened_at_us <= fault.to_us + AFTER_US;
    let are_apart = incident.slice.pairs().any(|(name, value)| {
        let other = fault.slice.value(name);
        other.is_some_and(|other| other.as_deref() != value)
    });
    is_then && !are_apart
}

/// The middle of some numbers; `None` of none.
pub fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied()
}
