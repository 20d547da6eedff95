//! Back-tests: what a monitor, existing or proposed, would have found in history.
//!
//! The engine that judges live judges here as well, by a clock that runs over the past and a source of figures that
//! knows nothing of what comes after it; its incidents go to a catalogue in memory and nobody is told.

mod compare;
mod eras;
mod kept;
mod label;
mod limits;
mod plan;
mod reader;
mod source;
#[cfg(test)]
mod tests;

pub use compare::{Comparison, compare};
pub use label::{Label, Tally};
pub use limits::BacktestLimits;
pub use plan::Resolution;

use std::sync::Arc;

use serde::Serialize;

use crate::MonitorError;
use crate::catalogue::{Catalogue, incidents};
use crate::definition::MonitorDefinition;
use crate::detect::probability::Calibration;
use crate::detect::season::WEEK_US;
use crate::figure::{FigureSource, Slice};
use crate::incident::{Incident, IncidentState, time_text};
use crate::watch::{AnnounceRules, Feed, Watch, WatchOptions};
use source::Past;

/// How much is judged at once, in microseconds. Baselines are as fresh as the live ones at the beginning of each.
const STRETCH_US: i64 = 3600 * 1_000_000;
/// Longest time that one back-test covers, in microseconds.
pub const SPAN_US_MAX: i64 = 400 * 24 * 3600 * 1_000_000;

/// What is tested over which time.
#[derive(Clone, Debug, PartialEq)]
pub struct Backtest {
    /// The monitor. Nobody is notified.
    pub monitor: MonitorDefinition,
    /// Begin, in microseconds since the epoch.
    pub from_us: i64,
    /// End, exclusive, in microseconds since the epoch. What is not complete by then is no past.
    pub to_us: i64,
    /// What is known of the time.
    pub labels: Vec<Label>,
    /// How sure the monitor is of what it finds.
    pub calibration: Calibration,
    /// Most figures that are kept at once.
    pub figures_max: usize,
}

impl Backtest {
    /// A test of a monitor over a time of which nothing is known.
    #[must_use]
    pub fn new(monitor: MonitorDefinition, from_us: i64, to_us: i64) -> Self {
        Self {
            monitor,
            from_us,
            to_us,
            labels: Vec::new(),
            calibration: Calibration::default(),
            figures_max: BacktestLimits::default().figures_max,
        }
    }
}

/// An incident that would have opened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// It, with its explanation and timeline.
    pub incident: Incident,
    /// The id of the incident that did open then on the same events, if there is one.
    pub live: Option<String>,
    /// The place of the label that says whether it is real, if one does.
    pub label: Option<usize>,
    /// Whether it is real, where a label or a person says so.
    pub is_real: Option<bool>,
}

/// Something real, by a label or a person, that would not have opened an incident.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Missed {
    /// The id of the incident that people called real.
    pub live: Option<String>,
    /// The place of the label.
    pub label: Option<usize>,
    /// Where it was.
    pub slice: Slice,
    /// Begin of the incident's first bad bucket or of the label, as RFC 3339.
    pub started_at: String,
    /// The incident's sentence.
    pub summary: Option<String>,
}

/// What a back-test found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BacktestReport {
    /// The monitor as it judged: with the detector that `auto` chose.
    pub monitor: MonitorDefinition,
    /// Begin as RFC 3339.
    pub from: String,
    /// End as RFC 3339.
    pub to: String,
    /// In which steps was judged: buckets of long ago may have been joined to longer ones.
    pub resolution: Vec<Resolution>,
    /// Steps judged.
    pub steps: usize,
    /// Stretches of an hour in which there was too little history to judge by.
    pub learning: usize,
    /// What would have opened, the oldest first.
    pub found: Vec<Found>,
    /// What was real and would not have opened, the oldest first.
    pub missed: Vec<Missed>,
    /// How many of them are what.
    pub tally: Tally,
    /// Incidents a week.
    pub per_week: f64,
}

/// Judges the past.
///
/// `known` are incidents that did open, of the same metric, with what people said of them. Those of a monitor of the same
/// name that began before the test are no history to learn from, as they are none live. `go_on` hears the share that is
/// done, and ends the test by saying no.
///
/// # Errors
/// The monitor is not valid, the time is none or longer than [`SPAN_US_MAX`], figures cannot be read or are too many, or
/// `go_on` said no.
pub fn run(
    test: &Backtest,
    figures: Arc<dyn FigureSource>,
    known: &[Incident],
    go_on: &mut dyn FnMut(f64) -> bool,
) -> Result<BacktestReport, MonitorError> {
    let (from_us, to_us) = (test.from_us, test.to_us);
    if to_us <= from_us || to_us - from_us > SPAN_US_MAX {
        return Err(MonitorError::Backtest(
            "a back-test covers a time that begins before it ends, at most 400 days".to_owned(),
        ));
    }
    let past = Past::new(figures, &test.monitor, (from_us, to_us), test.figures_max)?;
    let past = Arc::new(past);
    let monitor = past.plan().monitor.clone();
    let catalogue = Arc::new(Catalogue::in_memory()?);
    remember(&catalogue, &monitor.name, known, from_us)?;
    // The hours that are judged at a time end within steps, which would be looked at before they are complete.
    let complete = MonitorDefinition {
        early: false,
        ..monitor.clone()
    };
    let watch = Watch::start(
        vec![complete],
        AnnounceRules::default(),
        Arc::clone(&catalogue),
        Arc::clone(&past) as Arc<dyn FigureSource>,
        Feed::default(),
        WatchOptions::default(),
        from_us,
    )?;
    let watch = watch.learning_values_every(past.plan().values_refresh_us());
    watch.calibrate_as(&monitor.name, test.calibration);
    let (mut steps, mut learning) = (0, 0);
    let mut at_us = from_us;
    loop {
        past.is_now(at_us);
        let report = watch.judge(at_us);
        if let Some((_, fault)) = report.faults.into_iter().next() {
            return Err(MonitorError::Backtest(fault));
        }
        steps += report.steps;
        learning += usize::from(watch.monitors().first().is_some_and(|one| one.learning));
        let done = (at_us - from_us) as f64 / (to_us - from_us) as f64;
        if !go_on(done) {
            return Err(MonitorError::Backtest("it was given up".to_owned()));
        }
        if at_us >= to_us {
            break;
        }
        at_us = to_us.min(at_us + STRETCH_US);
    }
    let mut opened = catalogue.read(|db| incidents::since(db, &monitor.name, from_us))?;
    // Those that were over before the test began were only remembered.
    opened.retain(|one| one.resolved_at_us.is_none_or(|at_us| at_us > from_us));
    opened.sort_by_key(|one| (one.opened_at_us, one.id.to_string()));
    let found = opened.into_iter();
    let found: Vec<Found> = found
        .map(|incident| label::told(incident, known, &test.labels))
        .collect();
    let missed = label::missed(&found, known, &test.labels, (from_us, to_us));
    let weeks = (to_us - from_us) as f64 / WEEK_US as f64;
    Ok(BacktestReport {
        from: time_text(from_us),
        to: time_text(to_us),
        resolution: past.plan().resolution(),
        steps,
        learning,
        tally: Tally::of(&found, &missed),
        per_week: found.len() as f64 / weeks,
        found,
        missed,
        monitor,
    })
}

/// Keeps the incidents of the monitor that began before the test: what was wrong then is not normal. They are over when it
/// begins; one that lasted is found again.
fn remember(
    catalogue: &Catalogue,
    monitor: &str,
    known: &[Incident],
    from_us: i64,
) -> Result<(), MonitorError> {
    catalogue.write(|db| {
        let before = known.iter().filter(|one| one.started_at_us < from_us);
        for one in before.filter(|one| one.monitor == monitor) {
            let incident = Incident {
                state: IncidentState::Resolved,
                resolved_at_us: Some(
                    one.resolved_at_us
                        .map_or(from_us, |at_us| at_us.min(from_us)),
                ),
                ..one.clone()
            };
            incidents::put(db, &incident, &[])?;
        }
        Ok(())
    })
}
