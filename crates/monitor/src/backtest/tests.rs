//! Monitors over simulated pasts.

mod joined;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::catalogue::IncidentFilter;
use crate::definition::{
    CountDetect, Detect, Direction, RateDetect, SeasonalDetect, Sensitivity, SilenceDetect,
    ThresholdDetect,
};
use crate::figure::{FigureQuery, MetricFacts, Revised, SliceFigures};
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
    let mut monitor = MonitorDefinition::new("drop", "authorization_rate", Detect::Rate(detect));
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
    Backtest::new(monitor, BEGIN + 3 * DAY, BEGIN + 7 * DAY)
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

/// What a monitor finds when it judges as time goes by.
fn live(monitor: &MonitorDefinition, traffic: &Arc<Traffic>) -> Vec<Incident> {
    let catalogue = Arc::new(Catalogue::in_memory().unwrap());
    let watch = Watch::start(
        vec![MonitorDefinition {
            notify: Vec::new(),
            ..monitor.clone()
        }],
        AnnounceRules::default(),
        Arc::clone(&catalogue),
        figures(traffic),
        Feed::default(),
        WatchOptions::default(),
        BEGIN + 3 * DAY,
    )
    .unwrap();
    let mut at = BEGIN + 3 * DAY;
    while at <= BEGIN + 7 * DAY {
        traffic.complete_upto(at);
        assert_eq!(watch.judge(at).faults, []);
        at += STRETCH_US;
    }
    let mut found = catalogue.incidents(&IncidentFilter::default()).unwrap();
    found.reverse();
    found
}

/// The same of a back-test.
fn tested(monitor: &MonitorDefinition, traffic: &Arc<Traffic>) -> Vec<Incident> {
    let report = run(&test(monitor.clone()), figures(traffic), &[], &mut |_| true);
    let found = report.unwrap().found.into_iter();
    found.map(|one| one.incident).collect()
}

/// What is told of an incident, its life included.
fn told(incidents: &[Incident]) -> Vec<(i64, Option<i64>, Slice, String, usize)> {
    let told = |one: &Incident| {
        (
            one.started_at_us,
            one.resolved_at_us,
            one.slice.clone(),
            one.summary.clone(),
            one.timeline.len(),
        )
    };
    incidents.iter().map(told).collect()
}

#[test]
fn a_monitor_finds_the_same_as_it_did_live() {
    let traffic = week(81);
    let threshold = |over: Option<u64>| ThresholdDetect {
        below: Some(0.6),
        min_samples: 20,
        over: over.map(Duration::from_secs),
        ..ThresholdDetect::default()
    };
    let rate = rate(Sensitivity::Normal);
    let detectors = [
        rate.detect.clone(),
        Detect::Threshold(threshold(None)),
        Detect::Threshold(threshold(Some(300))),
    ];
    for detect in detectors {
        let monitor = MonitorDefinition {
            detect,
            ..rate.clone()
        };
        let found = tested(&monitor, &traffic);
        // The bound is crossed by chance now and then.
        assert!(!found.is_empty());
        assert_eq!(told(&found), told(&live(&monitor, &traffic)));
    }
}

#[test]
fn a_monitor_of_counts_or_values_finds_the_same_as_it_did_live() {
    let three_days = Duration::from_secs(3 * 24 * 3600);
    let count = Detect::Count(CountDetect {
        history: three_days,
        ..CountDetect::default()
    });
    let silence = Detect::Silence(SilenceDetect {
        history: three_days,
        ..SilenceDetect::default()
    });
    let bound = Detect::Threshold(ThresholdDetect {
        below: Some(1.0),
        ..ThresholdDetect::default()
    });
    for detect in [count, silence, bound] {
        let traffic = Traffic::new(86);
        traffic.is_count();
        let broken = BEGIN + 5 * DAY + DAY / 2;
        traffic.steady(&psp("a"), BEGIN, broken, 30.0, 1.0);
        traffic.steady(&psp("a"), broken + HOUR, BEGIN + 7 * DAY, 30.0, 1.0);
        // One that comes later than the others.
        traffic.steady(
            &psp("b"),
            BEGIN + 4 * DAY + HOUR / 2,
            BEGIN + 7 * DAY,
            20.0,
            1.0,
        );
        let traffic = Arc::new(traffic);
        let mut monitor = MonitorDefinition::new("volume", "attempts", detect);
        monitor.by = vec!["psp".to_owned()];
        monitor.direction = Direction::Down;
        traffic.complete_upto(BEGIN + 7 * DAY);
        let found = tested(&monitor, &traffic);
        let of_a = found.iter().filter(|one| one.slice == psp("a")).count();
        assert!(of_a >= 1, "{}: {found:?}", monitor.detect.name());
        assert_eq!(told(&found), told(&live(&monitor, &traffic)));
    }
    let traffic = week(87);
    traffic.tells_no_samples();
    for is_change in [false, true] {
        let detect = SeasonalDetect {
            history: three_days,
            ..SeasonalDetect::default()
        };
        let detect = if is_change {
            Detect::Change(detect)
        } else {
            Detect::Seasonal(detect)
        };
        let mut monitor = MonitorDefinition::new("value", "average", detect);
        monitor.by = vec!["psp".to_owned()];
        traffic.complete_upto(BEGIN + 7 * DAY);
        let found = tested(&monitor, &traffic);
        assert!(!found.is_empty());
        assert_eq!(told(&found), told(&live(&monitor, &traffic)));
    }
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
    assert_eq!(report.found[0].live.as_deref(), Some(real.id.as_str()));
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
    let test = Backtest::new(monitor, BEGIN + 7 * DAY, BEGIN + 37 * DAY);
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

#[test]
fn labels_say_what_is_real_and_what_is_missed() {
    let traffic = week(88);
    let broken = BEGIN + 5 * DAY;
    let label = |from_us: i64, slice: Slice, is_real: bool| Label {
        from_us,
        to_us: from_us + HOUR,
        slice,
        is_real,
    };
    let whole = Label {
        from_us: BEGIN,
        to_us: BEGIN + 7 * DAY,
        slice: Slice::whole(),
        is_real: false,
    };
    let tally = |labels: &[Label], known: &[Incident]| {
        let test = Backtest {
            labels: labels.to_vec(),
            ..test(rate(Sensitivity::Normal))
        };
        let report = run(&test, figures(&traffic), known, &mut |_| true).unwrap();
        let first = &report.found[0];
        let missed: Vec<_> = report.missed.iter().map(|one| one.label).collect();
        (first.label, first.is_real, missed, report.tally)
    };
    let found = Tally {
        found: 1,
        ..Tally::default()
    };
    let unlabelled = Tally {
        unlabelled: 1,
        ..found
    };
    assert_eq!(tally(&[], &[]), (None, None, vec![], unlabelled));
    // What is real goes before what says that there is nothing else.
    let real = label(broken, psp("a"), true);
    let is_real = Tally { real: 1, ..found };
    let labels = [whole.clone(), real.clone()];
    assert_eq!(tally(&labels, &[]), (Some(1), Some(true), vec![], is_real));
    let is_false = Tally {
        false_alarms: 1,
        ..found
    };
    let both = (Some(0), Some(false), vec![], is_false);
    assert_eq!(tally(std::slice::from_ref(&whole), &[]), both);
    // Of another slice, of another time.
    let others = [
        label(broken, psp("b"), true),
        label(broken - DAY, psp("a"), true),
    ];
    let missed = Tally {
        missed: 2,
        ..unlabelled
    };
    assert_eq!(
        tally(&others, &[]),
        (None, None, vec![Some(1), Some(0)], missed)
    );
    // What a person said of the incident that opened live.
    let report = run(
        &test(rate(Sensitivity::Normal)),
        figures(&traffic),
        &[],
        &mut |_| true,
    );
    let mut said = report.unwrap().found.remove(0).incident;
    said.is_real = Some(true);
    let labels = std::slice::from_ref(&whole);
    let known = std::slice::from_ref(&said);
    assert_eq!(tally(labels, known), (None, Some(true), vec![], is_real));
    said.is_real = Some(false);
    let real = std::slice::from_ref(&real);
    let known = std::slice::from_ref(&said);
    assert_eq!(tally(real, known), (Some(0), Some(true), vec![], is_real));
}

#[test]
fn what_was_wrong_before_the_test_is_no_history_and_goes_on_within_it() {
    let traffic = Traffic::new(89);
    let begin = BEGIN + 3 * DAY;
    // An outage of a day and a half that lasts an hour into the test.
    traffic.steady(&psp("a"), BEGIN, begin - 36 * HOUR, 30.0, 0.9);
    traffic.steady(&psp("a"), begin - 36 * HOUR, begin + HOUR, 30.0, 0.4);
    traffic.steady(&psp("a"), begin + HOUR, BEGIN + 7 * DAY, 30.0, 0.9);
    traffic.complete_upto(BEGIN + 7 * DAY);
    let traffic = Arc::new(traffic);
    let monitor = rate(Sensitivity::Normal);
    let mut known = crate::incident::example();
    known.monitor.clone_from(&monitor.name);
    known.slice = psp("a");
    known.started_at_us = begin - 36 * HOUR;
    known.opened_at_us = begin - 36 * HOUR;
    let found = |known: &[Incident]| {
        let report = run(
            &test(monitor.clone()),
            figures(&traffic),
            known,
            &mut |_| true,
        );
        report.unwrap().found
    };
    let went_on = found(std::slice::from_ref(&known));
    let first = &went_on[0];
    assert_eq!(first.live.as_deref(), Some(known.id.as_str()));
    assert_eq!(first.incident.started_at_us, known.started_at_us);
    let end_us = first.incident.resolved_at_us.unwrap();
    assert!(
        (begin + HOUR..begin + 2 * HOUR).contains(&end_us),
        "{first:?}"
    );
    // With the outage for normal nothing is wrong when it begins.
    let unknown = found(&[]);
    let at_begin = unknown
        .iter()
        .any(|one| one.incident.started_at_us < begin + HOUR / 2);
    assert!(!at_begin, "{unknown:?}");
    // One that was over before is not found.
    known.resolved_at_us = Some(begin - HOUR);
    let over = found(std::slice::from_ref(&known));
    let is_known = |one: &Found| one.incident.id == known.id;
    assert!(!over.iter().any(is_known), "{over:?}");
}

/// Counts the questions that come.
struct Counted {
    behind: Arc<Traffic>,
    questions: AtomicUsize,
    slices_max: usize,
}

impl FigureSource for Counted {
    fn facts(&self, metric: &str) -> Result<MetricFacts, String> {
        self.behind.facts(metric)
    }

    fn slices_max(&self, steps: i64) -> usize {
        let steps = usize::try_from(steps).unwrap();
        (20_000 / steps.max(1)).min(self.slices_max)
    }

    fn figures(&self, query: &FigureQuery) -> Result<Vec<SliceFigures>, String> {
        self.questions.fetch_add(1, Ordering::SeqCst);
        self.behind.figures(query)
    }

    fn revised(&self, _: &str, _: i64, _: i64) -> Result<Option<Revised>, String> {
        Ok(None)
    }
}

#[test]
fn figures_are_read_in_few_questions_and_kept_within_their_limit() {
    let traffic = week(90);
    let source = |slices_max| {
        Arc::new(Counted {
            behind: Arc::clone(&traffic),
            questions: AtomicUsize::new(0),
            slices_max,
        })
    };
    let threshold = Detect::Threshold(ThresholdDetect {
        below: Some(0.5),
        min_samples: 20,
        ..ThresholdDetect::default()
    });
    let seasonal = Detect::Seasonal(SeasonalDetect {
        history: Duration::from_secs(3 * 24 * 3600),
        ..SeasonalDetect::default()
    });
    let rate = rate(Sensitivity::Normal);
    for detect in [rate.detect.clone(), threshold, seasonal] {
        let monitor = MonitorDefinition {
            detect,
            ..rate.clone()
        };
        let few = source(1_000);
        let found = |source: &Arc<Counted>| {
            let behind = Arc::clone(source) as Arc<dyn FigureSource>;
            run(&test(monitor.clone()), behind, &[], &mut |_| true).unwrap()
        };
        let report = found(&few);
        // Four days are 34 560 buckets, of which an answer holds 4 096; the incident asks for itself.
        let questions = few.questions.load(Ordering::SeqCst);
        assert!(questions < 60, "{questions} for {}", monitor.detect.name());
        // More slices than an answer holds: the heaviest of each time, as live.
        if let Detect::Rate(_) | Detect::Threshold(_) = monitor.detect {
            let many = source(2);
            let same = found(&many);
            assert!(many.questions.load(Ordering::SeqCst) > 96);
            // With more slices than an answer holds nothing can be explained.
            let bare = |report: &BacktestReport| -> Vec<Incident> {
                let incidents = report.found.iter().map(|one| one.incident.clone());
                let bare = incidents.map(|incident| Incident {
                    explanation: None,
                    ..incident
                });
                bare.collect()
            };
            assert_eq!(bare(&same), bare(&report));
        }
    }
    let narrow = Backtest {
        figures_max: 1_000,
        ..test(rate)
    };
    let refused = run(&narrow, figures(&traffic), &[], &mut |_| true).unwrap_err();
    let refused = refused.to_string();
    assert!(refused.contains("more than 1000 figures"), "{refused}");
}

#[test]
fn a_window_that_its_stretch_ends_within_is_judged_when_it_is_complete() {
    let traffic = Arc::new(Traffic::new(97));
    traffic.is_count();
    let from = BEGIN + DAY + 2 * MINUTE;
    let busy = from + HOUR - 2 * MINUTE;
    traffic.steady(&psp("a"), BEGIN, busy, 10.0, 0.9);
    traffic.steady(&psp("a"), busy, from + 3 * HOUR, 200.0, 0.9);
    traffic.complete_upto(from + 3 * HOUR);
    let detect = ThresholdDetect {
        above: Some(150.0),
        window: Duration::from_secs(300),
        ..ThresholdDetect::default()
    };
    let monitor = MonitorDefinition::new("many", "payments", Detect::Threshold(detect));
    let test = Backtest::new(monitor, from, from + 2 * HOUR);
    let report = run(&test, figures(&traffic), &[], &mut |_| true).unwrap();
    assert_eq!(report.found.len(), 1);
    assert_eq!(report.found[0].incident.opened_at_us % (5 * MINUTE), 0);
    assert!(report.monitor.early, "it is shown as it is defined");
}
