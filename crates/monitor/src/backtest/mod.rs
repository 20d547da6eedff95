//! Back-tests: what a monitor, existing or proposed, would have found in history.
//!
//! The engine that judges live judges here as well, by a clock that runs over the past and a source of figures that
//! knows nothing of what comes after it; its incidents go to a catalogue in memory and nobody is told.

mod source;

use std::sync::Arc;

use serde::Serialize;

use crate::MonitorError;
use crate::catalogue::{Catalogue, IncidentFilter};
use crate::definition::MonitorDefinition;
use crate::figure::FigureSource;
use crate::incident::{Incident, time_text};
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
    /// End, exclusive, in microseconds since the epoch.
    pub to_us: i64,
}

/// An incident that would have opened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// It, with its explanation and timeline.
    pub incident: Incident,
    /// The id of the incident that did open then on the same events, if there is one.
    pub known: Option<String>,
    /// Whether that was real, where a person said so.
    pub is_real: Option<bool>,
}

/// An incident that people called real and that would not have opened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Missed {
    /// Its id.
    pub id: String,
    /// Its sentence.
    pub summary: String,
    /// Begin of its first bad bucket as RFC 3339.
    pub started_at: String,
}

/// What a back-test found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BacktestReport {
    /// The monitor's name.
    pub monitor: String,
    /// Begin as RFC 3339.
    pub from: String,
    /// End as RFC 3339.
    pub to: String,
    /// Steps judged.
    pub steps: usize,
    /// Stretches of an hour in which there was too little history to judge by.
    pub learning: usize,
    /// What would have opened, the oldest first.
    pub found: Vec<Found>,
    /// What people called real and would not have opened.
    pub missed: Vec<Missed>,
    /// Incidents a week.
    pub per_week: f64,
}

/// Judges the past.
///
/// `known` are incidents that did open, of the same metric, with what people said of them. `go_on` hears the share that
/// is done, and ends the test by saying no.
///
/// # Errors
/// The monitor is not valid, the time is none or longer than [`SPAN_US_MAX`], figures cannot be read, or `go_on` said no.
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
    let mut monitor = test.monitor.clone();
    monitor.notify.clear();
    let past = Arc::new(Past::new(figures, &monitor, (from_us, to_us))?);
    let catalogue = Arc::new(Catalogue::in_memory()?);
    let watch = Watch::start(
        vec![monitor.clone()],
        AnnounceRules::default(),
        Arc::clone(&catalogue),
        Arc::clone(&past) as Arc<dyn FigureSource>,
        Feed::default(),
        WatchOptions::default(),
        from_us,
    )?;
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
    let mut incidents = catalogue.incidents(&IncidentFilter::default())?;
    incidents.reverse();
    let weeks = (to_us - from_us) as f64 / crate::detect::season::WEEK_US as f64;
    let per_week = incidents.len() as f64 / weeks;
    let missed = known.iter().filter(|one| {
        let is_in_time = one.started_at_us >= from_us && one.started_at_us < to_us;
        let is_found = incidents.iter().any(|found| are_same(found, one));
        one.is_real == Some(true) && is_in_time && !is_found
    });
    let missed = missed.map(|one| Missed {
        id: one.id.to_string(),
        summary: one.summary.clone(),
        started_at: time_text(one.started_at_us),
    });
    let missed = missed.collect();
    let found = incidents.into_iter().map(|incident| {
        let same = known.iter().find(|one| are_same(&incident, one));
        Found {
            known: same.map(|one| one.id.to_string()),
            is_real: same.and_then(|one| one.is_real),
            incident,
        }
    });
    Ok(BacktestReport {
        monitor: monitor.name.clone(),
        from: time_text(from_us),
        to: time_text(to_us),
        steps,
        learning,
        found: found.collect(),
        missed,
        per_week,
    })
}

/// Whether two incidents are of the same events: they overlap in time, and one's slice holds the other's.
fn are_same(a: &Incident, b: &Incident) -> bool {
    let end_us = |one: &Incident| one.resolved_at_us.unwrap_or(i64::MAX);
    let overlap = a.started_at_us < end_us(b) && b.started_at_us < end_us(a);
    overlap && (a.slice.covers(&b.slice) || b.slice.covers(&a.slice))
}

/// What one version of a monitor would have found and another would not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Incidents of both, by their places in the first and in the second report.
    pub both: Vec<(usize, usize)>,
    /// Places in the first report of what only it found.
    pub only_first: Vec<usize>,
    /// Places in the second report of what only it found.
    pub only_second: Vec<usize>,
}

/// Compares two reports over the same time.
#[must_use]
pub fn compare(first: &BacktestReport, second: &BacktestReport) -> Comparison {
    let mut both = Vec::new();
    let mut taken = vec![false; second.found.len()];
    let mut only_first = Vec::new();
    for (at, one) in first.found.iter().enumerate() {
        let same = second.found.iter().zip(&mut taken).enumerate();
        let mut same =
            same.filter(|(_, (other, taken))| !**taken && are_same(&one.incident, &other.incident));
        match same.next() {
            Some((place, (_, taken))) => {
                *taken = true;
                both.push((at, place));
            }
            None => only_first.push(at),
        }
    }
    let left = taken.iter().enumerate().filter(|(_, taken)| !**taken);
    Comparison {
        both,
        only_first,
        only_second: left.map(|(place, _)| place).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::definition::{CountDetect, Detect, Direction, RateDetect, Sensitivity};
    use crate::figure::Slice;
    use crate::incident::IncidentState;
    use crate::watch::traffic::{BEGIN, DAY, HOUR, MINUTE, Traffic};

    fn psp(name: &str) -> Slice {
        Slice::from([("psp", name)])
    }

    fn rate(sensitivity: Sensitivity) -> MonitorDefinition {
        let detect = RateDetect {
            sensitivity,
            history: Duration::from_secs(2 * 24 * 3600),
            ..RateDetect::default()
        };
        let mut monitor =
            MonitorDefinition::new("drop", "authorization_rate", Detect::Rate(detect));
        monitor.by = vec!["psp".to_owned()];
        monitor.direction = Direction::Down;
        monitor.notify = vec!["nobody".to_owned()];
        monitor
    }

    /// A week of two PSPs, one of which breaks on the fifth day for an hour.
    fn week(seed: u64) -> Arc<Traffic> {
        let traffic = Traffic::new(seed);
        let broken = BEGIN + 5 * DAY;
        traffic.steady(&psp("a"), BEGIN, broken, 30.0, 0.9);
        traffic.steady(&psp("a"), broken, broken + HOUR, 30.0, 0.4);
        traffic.steady(&psp("a"), broken + HOUR, BEGIN + 7 * DAY, 30.0, 0.9);
        traffic.steady(&psp("b"), BEGIN, BEGIN + 7 * DAY, 30.0, 0.8);
        traffic.complete_upto(BEGIN + 7 * DAY);
        Arc::new(traffic)
    }

    fn test(monitor: MonitorDefinition) -> Backtest {
        Backtest {
            monitor,
            from_us: BEGIN + 3 * DAY,
            to_us: BEGIN + 7 * DAY,
        }
    }

    fn figures(traffic: &Arc<Traffic>) -> Arc<dyn FigureSource> {
        Arc::clone(traffic) as Arc<dyn FigureSource>
    }

    #[test]
    fn the_past_is_judged_as_it_was_and_nobody_is_told() {
        let traffic = week(80);
        let mut told = Vec::new();
        let mut go_on = |done| {
            told.push(done);
            true
        };
        let report = run(
            &test(rate(Sensitivity::Normal)),
            figures(&traffic),
            &[],
            &mut go_on,
        );
        let report = report.unwrap();
        assert_eq!(report.found.len(), 1, "{report:?}");
        let incident = &report.found[0].incident;
        assert_eq!(incident.slice, psp("a"));
        assert_eq!(incident.state, IncidentState::Resolved);
        let broken = BEGIN + 5 * DAY;
        assert!(
            (incident.started_at_us - broken).abs() < 5 * MINUTE,
            "{incident:?}"
        );
        assert!(incident.opened_at_us > broken, "it knew nothing in advance");
        assert!(told.is_sorted() && told.last() == Some(&1.0), "{told:?}");
        assert!((report.per_week - 7.0 / 4.0).abs() < 1e-9);
        assert_eq!(report.learning, 0);
        assert!(report.steps > 30_000, "{}", report.steps);
    }

    #[test]
    fn a_monitor_finds_the_same_as_it_did_live() {
        let traffic = week(81);
        let monitor = rate(Sensitivity::Normal);
        let report = run(&test(monitor.clone()), figures(&traffic), &[], &mut |_| {
            true
        })
        .unwrap();
        let catalogue = Arc::new(Catalogue::in_memory().unwrap());
        let live = Watch::start(
            vec![MonitorDefinition {
                notify: Vec::new(),
                ..monitor
            }],
            AnnounceRules::default(),
            Arc::clone(&catalogue),
            figures(&traffic),
            Feed::default(),
            WatchOptions::default(),
            BEGIN + 3 * DAY,
        )
        .unwrap();
        let mut at = BEGIN + 3 * DAY;
        while at <= BEGIN + 7 * DAY {
            traffic.complete_upto(at);
            assert_eq!(live.judge(at).faults, []);
            at += STRETCH_US;
        }
        let live = catalogue.incidents(&IncidentFilter::default()).unwrap();
        let told = |incident: &Incident| {
            (
                incident.started_at_us,
                incident.slice.clone(),
                incident.summary.clone(),
            )
        };
        let found: Vec<_> = report.found.iter().map(|one| told(&one.incident)).collect();
        assert_eq!(found, live.iter().rev().map(told).collect::<Vec<_>>());
    }

    #[test]
    fn verdicts_of_people_label_what_is_found_and_what_is_not() {
        let traffic = week(82);
        let first = run(
            &test(rate(Sensitivity::Normal)),
            figures(&traffic),
            &[],
            &mut |_| true,
        );
        let mut real = first.unwrap().found[0].incident.clone();
        real.is_real = Some(true);
        let mut other = real.clone();
        other.slice = psp("b");
        other.started_at_us = BEGIN + 4 * DAY;
        other.resolved_at_us = Some(BEGIN + 4 * DAY + HOUR);
        let known = [real.clone(), other.clone()];
        let report = run(
            &test(rate(Sensitivity::Normal)),
            figures(&traffic),
            &known,
            &mut |_| true,
        );
        let report = report.unwrap();
        assert_eq!(report.found[0].known.as_deref(), Some(real.id.as_str()));
        assert_eq!(report.found[0].is_real, Some(true));
        assert_eq!(report.missed.len(), 1);
        assert_eq!(report.missed[0].started_at, time_text(other.started_at_us));
    }

    #[test]
    fn versions_are_compared_by_what_they_find() {
        let traffic = week(83);
        let report = |monitor| run(&test(monitor), figures(&traffic), &[], &mut |_| true).unwrap();
        let first = report(rate(Sensitivity::Normal));
        let mut blind = rate(Sensitivity::Normal);
        if let Detect::Rate(detect) = &mut blind.detect {
            detect.min_change = 0.9;
        }
        let second = report(blind);
        let both = compare(&first, &first);
        assert_eq!((both.both, both.only_first.len()), (vec![(0, 0)], 0));
        let compared = compare(&first, &second);
        assert_eq!(
            (compared.only_first, compared.only_second),
            (vec![0], vec![])
        );
    }

    #[test]
    fn a_month_of_counts_is_judged_in_seconds() {
        let traffic = Traffic::new(84);
        traffic.is_count();
        for name in ["a", "b"] {
            traffic.daily(&psp(name), BEGIN, BEGIN + 37 * DAY, 6.0);
        }
        traffic.complete_upto(BEGIN + 37 * DAY);
        let detect = CountDetect {
            history: Duration::from_secs(7 * 24 * 3600),
            ..CountDetect::default()
        };
        let mut monitor = MonitorDefinition::new("volume", "attempts", Detect::Count(detect));
        monitor.by = vec!["psp".to_owned()];
        let test = Backtest {
            monitor,
            from_us: BEGIN + 7 * DAY,
            to_us: BEGIN + 37 * DAY,
        };
        let began = Instant::now();
        let report = run(&test, Arc::new(traffic), &[], &mut |_| true).unwrap();
        assert_eq!(report.found.len(), 0, "{:?}", report.found);
        assert_eq!(report.steps as i64, 30 * DAY / (10 * 1_000_000) + 1);
        // Not a measurement: it says that nothing is read anew at every step.
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "{:?}",
            began.elapsed()
        );
    }

    #[test]
    fn times_that_are_none_and_tests_that_are_given_up_say_so() {
        let traffic = week(85);
        let mut backwards = test(rate(Sensitivity::Normal));
        std::mem::swap(&mut backwards.from_us, &mut backwards.to_us);
        let refused = run(&backwards, figures(&traffic), &[], &mut |_| true).unwrap_err();
        assert!(refused.to_string().contains("400 days"), "{refused}");
        let given_up = run(
            &test(rate(Sensitivity::Normal)),
            figures(&traffic),
            &[],
            &mut |done| done < 0.5,
        );
        assert!(given_up.unwrap_err().to_string().contains("given up"));
        let mut wrong = test(rate(Sensitivity::Normal));
        wrong.monitor.metric = "missing".to_owned();
        assert!(run(&wrong, figures(&traffic), &[], &mut |_| true).is_err());
    }
}
