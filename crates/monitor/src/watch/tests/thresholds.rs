//! Thresholds: what is named, with which figures, and what is said of slices without events.

use std::time::Duration;

use super::traffic::{BEGIN, DAY, HOUR, MINUTE, SECOND};
use super::{Bench, slice, summaries};
use crate::definition::{Detect, MonitorDefinition, ThresholdDetect};
use crate::figure::Slice;
use crate::incident::{Incident, IncidentState};

const LIVE: i64 = BEGIN + DAY / 2;

fn monitor(by: &[&str], detect: ThresholdDetect) -> MonitorDefinition {
    let mut monitor = MonitorDefinition::new("bound", "error_rate", Detect::Threshold(detect));
    monitor.by = by.iter().map(|dimension| (*dimension).to_owned()).collect();
    monitor.resolve_after = Duration::from_secs(120);
    monitor
}

fn above(limit: f64, min_samples: u64) -> ThresholdDetect {
    ThresholdDetect {
        above: Some(limit),
        min_samples,
        ..Default::default()
    }
}

fn below(limit: f64) -> ThresholdDetect {
    ThresholdDetect {
        below: Some(limit),
        ..Default::default()
    }
}

fn psp(name: &str) -> Slice {
    Slice::from([("psp", name)])
}

/// `successes` of `attempts` in every minute from `from` to `to`.
fn minutes(bench: &Bench, slice: &Slice, (from, to): (i64, i64), successes: f64, attempts: f64) {
    let mut at = from;
    while at < to {
        bench.traffic.count(slice, at, successes, attempts);
        at += MINUTE;
    }
}

fn open(bench: &Bench) -> Vec<String> {
    let incidents = bench.incidents().into_iter();
    let open = incidents.filter(|i| i.state != IncidentState::Resolved);
    let mut slices: Vec<String> = open.map(|incident| incident.slice.to_string()).collect();
    slices.sort();
    slices
}

fn figures(incident: &Incident) -> (Option<f64>, Option<f64>, Option<f64>) {
    let figures = &incident.figures;
    (figures.value, figures.affected, figures.denominator)
}

#[test]
fn all_traffic_is_named_only_where_all_traffic_is_off() {
    // Two PSPs are judged and off; the others have too few samples each, but most of the traffic.
    let bench = Bench::new(30, vec![monitor(&["psp"], above(0.5, 20))]);
    let span = (LIVE, LIVE + 3 * MINUTE);
    minutes(&bench, &psp("a"), span, 16.0, 20.0);
    minutes(&bench, &psp("b"), span, 12.0, 20.0);
    for small in 0..10 {
        minutes(&bench, &psp(&format!("small_{small}")), span, 0.0, 19.0);
    }
    bench.judge(LIVE, span.1);
    assert_eq!(open(&bench), ["psp=a", "psp=b"]);
    let mut incidents = bench.incidents();
    incidents.sort_by_key(|incident| incident.slice.clone());
    assert_eq!(figures(&incidents[0]), (Some(0.8), Some(18.0), Some(60.0)));
    assert_eq!(figures(&incidents[1]), (Some(0.6), Some(6.0), Some(60.0)));
}

#[test]
fn an_incident_shows_the_figure_of_the_slice_it_names() {
    let bench = Bench::new(31, vec![monitor(&["psp", "issuer"], above(0.5, 20))]);
    let span = (LIVE, LIVE + 3 * MINUTE);
    for (issuer, failed) in [(1, 90.0), (2, 60.0), (3, 60.0)] {
        minutes(&bench, &slice("a", issuer), span, failed, 100.0);
        minutes(&bench, &slice("b", issuer), span, 1.0, 100.0);
    }
    // Not judged, but part of the PSP.
    minutes(&bench, &slice("a", 4), span, 0.0, 10.0);
    bench.judge(LIVE, span.1);
    let found = bench.only_incident();
    assert_eq!(found.slice, psp("a"));
    // 210 of 310 a minute, where the bound allows 155.
    let share = 210.0 / 310.0;
    assert_eq!(
        figures(&found),
        (Some(share), Some(165.0), Some(930.0)),
        "{found:?}"
    );
    assert_eq!(
        found.summary,
        "error_rate on psp=a rose to 67.7 %, above the bound of 50 %; 165 of 930 beyond it"
    );
}

#[test]
fn a_sum_over_slices_that_is_within_its_bound_names_the_slices() {
    let bench = Bench::new(32, vec![monitor(&["psp"], below(30.0))]);
    bench.traffic.is_count();
    for name in ["a", "b"] {
        minutes(&bench, &psp(name), (LIVE, LIVE + 3 * MINUTE), 0.0, 20.0);
    }
    bench.judge(LIVE, LIVE + 3 * MINUTE);
    assert_eq!(open(&bench), ["psp=a", "psp=b"], "together they are 40");
}

#[test]
fn a_resolved_incident_says_what_it_is_back_at() {
    let mut rising = monitor(&["psp"], above(0.5, 20));
    rising.notify = vec!["on_call".to_owned()];
    let bench = Bench::new(33, vec![rising]);
    let fall = LIVE + 2 * MINUTE;
    minutes(&bench, &psp("a"), (LIVE, fall), 10.0, 100.0);
    minutes(&bench, &psp("a"), (fall, fall + 5 * MINUTE), 80.0, 100.0);
    let end = fall + 5 * MINUTE;
    minutes(&bench, &psp("a"), (end, end + HOUR), 10.0, 100.0);
    // Also where everything is judged at once, after a pause.
    bench.judge_at(LIVE + MINUTE);
    bench.judge_at(end + 10 * MINUTE);
    let over = bench.only_incident();
    assert_eq!(over.state, IncidentState::Resolved);
    assert_eq!(figures(&over), (Some(0.1), Some(150.0), Some(500.0)));
    assert_eq!(
        over.summary,
        "error_rate on psp=a is back at 10 % after 7 min; it was above the bound of 50 %; \
         150 of 500 beyond it"
    );
    let messages = bench
        .catalogue
        .read(crate::catalogue::outbox::waiting)
        .unwrap();
    let body: serde_json::Value = serde_json::from_str(&messages[1].body).unwrap();
    assert_eq!(body["kind"], "resolved");
    assert_eq!(body["incident"]["summary"], over.summary);
    assert_eq!(body["incident"]["bound"], 0.5);
    assert_eq!(body["incident"]["expected"], serde_json::Value::Null);
}

#[test]
fn a_known_slice_of_a_count_without_events_counts_as_zero() {
    let definition = || monitor(&["psp"], below(3.0));
    for restarts in [false, true] {
        let mut bench = Bench::new(34, vec![definition()]);
        bench.traffic.is_count();
        let silent = (LIVE + 5 * MINUTE, LIVE + 12 * MINUTE);
        for name in ["a", "b"] {
            minutes(&bench, &psp(name), (LIVE - HOUR, silent.0), 0.0, 40.0);
        }
        minutes(&bench, &psp("b"), (silent.0, LIVE + HOUR), 0.0, 40.0);
        minutes(&bench, &psp("a"), (silent.1, LIVE + HOUR), 0.0, 40.0);
        bench.judge(LIVE, silent.0);
        assert_eq!(open(&bench), Vec::<String>::new());
        if restarts {
            bench.restart(vec![definition()], silent.0);
        }
        bench.judge(silent.0, silent.0 + MINUTE);
        let found = bench.only_incident();
        assert_eq!(found.slice, psp("a"));
        let text = "error_rate on psp=a fell to 0 %, below the bound of 300 %; 3 beyond it";
        assert_eq!(found.summary, text);
        bench.judge(silent.0 + MINUTE, silent.1 + 5 * MINUTE);
        assert_eq!(bench.only_incident().state, IncidentState::Resolved);
    }
}

#[test]
fn a_slice_that_first_appears_in_a_pause_was_not_missing_before() {
    let bench = Bench::new(35, vec![monitor(&["psp"], below(3.0))]);
    bench.traffic.is_count();
    minutes(&bench, &psp("a"), (LIVE - HOUR, LIVE + HOUR), 0.0, 40.0);
    minutes(
        &bench,
        &psp("new"),
        (LIVE + 20 * MINUTE, LIVE + HOUR),
        0.0,
        40.0,
    );
    bench.judge_at(LIVE);
    bench.judge_at(LIVE + 40 * MINUTE);
    assert_eq!(bench.incidents(), [], "{:?}", summaries(&bench.incidents()));
}

#[test]
fn a_rate_without_events_is_not_judged() {
    let bench = Bench::new(36, vec![monitor(&["psp"], below(0.5))]);
    minutes(&bench, &psp("a"), (LIVE - HOUR, LIVE), 9.0, 10.0);
    bench.judge(LIVE, LIVE + 20 * MINUTE);
    assert_eq!(bench.incidents(), []);
}

#[test]
fn where_all_traffic_is_gone_the_clock_overtakes_the_watermark() {
    for by in [&[][..], &["psp"][..]] {
        let mut bench = Bench::new(37, vec![monitor(by, below(3.0))]);
        bench.traffic.is_count();
        bench.traffic.may_be_late(MINUTE);
        for name in ["a", "b"] {
            minutes(&bench, &psp(name), (LIVE - HOUR, LIVE), 0.0, 40.0);
        }
        // The last event was just before LIVE, so the watermark stands a minute before it.
        bench.traffic.complete_upto(LIVE - MINUTE);
        let mut found_at = None;
        let mut now = LIVE - MINUTE;
        while now < LIVE + 10 * MINUTE {
            assert_eq!(bench.watch.judge(now).faults, []);
            if found_at.is_none() && !bench.incidents().is_empty() {
                found_at = Some(now);
            }
            now += SECOND;
        }
        // The first empty minute ends at 1; a lateness, a window and a lateness later it is judged.
        assert_eq!(found_at, Some(LIVE + 4 * MINUTE));
        let found = bench.only_incident();
        assert_eq!(
            (found.slice.clone(), found.started_at_us),
            (Slice::whole(), LIVE)
        );
        // After a start nothing is missed before sources had time to bring what they kept.
        let again = LIVE + 12 * MINUTE;
        bench.restart(vec![monitor(by, below(3.0))], again);
        assert_eq!(bench.watch.judge(again + 2 * MINUTE).steps, 0);
        assert!(bench.watch.judge(again + 3 * MINUTE).steps > 0);
        assert_eq!(bench.only_incident().id, found.id);
    }
}

#[test]
fn an_upper_bound_and_a_rate_wait_for_the_watermark() {
    let rate = monitor(&[], below(0.5));
    let mut upper = monitor(&[], above(100.0, 0));
    upper.name = "upper".to_owned();
    for (definition, is_count) in [(rate, false), (upper, true)] {
        let bench = Bench::new(38, vec![definition]);
        if is_count {
            bench.traffic.is_count();
        }
        minutes(&bench, &Slice::whole(), (LIVE - HOUR, LIVE), 9.0, 10.0);
        bench.traffic.complete_upto(LIVE);
        bench.watch.judge(LIVE);
        assert_eq!(bench.watch.judge(LIVE + HOUR).steps, 0);
    }
}

#[test]
fn a_trailing_window_is_judged_at_every_bucket() {
    let definition = |over_s: Option<u64>| {
        let mut definition = monitor(&["psp"], above(100.0, 0));
        definition.detect = Detect::Threshold(ThresholdDetect {
            over: over_s.map(Duration::from_secs),
            window: Duration::from_secs(300),
            ..above(100.0, 0)
        });
        definition.resolve_after = Duration::ZERO;
        definition
    };
    // Thirty in each of four minutes around the border between two windows of five minutes: neither has
    // more than a hundred, but five minutes of their own have.
    let begin = LIVE + 8 * MINUTE;
    let opened = |over_s| {
        let bench = Bench::new(39, vec![definition(over_s)]);
        bench.traffic.is_count();
        minutes(&bench, &psp("a"), (LIVE - HOUR, LIVE + HOUR), 0.0, 1.0);
        minutes(&bench, &psp("a"), (begin, begin + 4 * MINUTE), 0.0, 30.0);
        bench.judge(LIVE, LIVE + 30 * MINUTE);
        bench.incidents()
    };
    assert_eq!(opened(None), []);
    let [incident] = &opened(Some(300))[..] else {
        panic!("one incident: {:?}", opened(Some(300)))
    };
    // The fourth minute makes 31 × 4 and one from the minute before.
    assert_eq!(incident.opened_at_us, begin + 3 * MINUTE + 10 * SECOND);
    assert_eq!(incident.slice, psp("a"));
    assert_eq!(incident.state, IncidentState::Resolved);
    // Sixty-three when two of the minutes are out of it.
    assert!(
        incident.resolved_at_us.unwrap() <= begin + 7 * MINUTE,
        "{incident:?}"
    );
}

#[test]
fn a_slice_that_falls_silent_is_told_when_its_trailing_window_runs_out() {
    let mut definition = monitor(&["psp"], below(20.0));
    definition.detect = Detect::Threshold(ThresholdDetect {
        over: Some(Duration::from_secs(300)),
        ..below(20.0)
    });
    let bench = Bench::new(40, vec![definition]);
    bench.traffic.is_count();
    let silent = LIVE + 5 * MINUTE;
    minutes(&bench, &psp("a"), (LIVE - HOUR, silent), 0.0, 10.0);
    minutes(&bench, &psp("b"), (LIVE - HOUR, LIVE + HOUR), 0.0, 10.0);
    bench.judge(LIVE, silent + 2 * MINUTE);
    assert_eq!(open(&bench), Vec::<String>::new(), "thirty are left");
    bench.judge(silent + 2 * MINUTE, silent + 30 * MINUTE);
    let found = bench.only_incident();
    assert_eq!(found.slice, psp("a"));
    assert_eq!(found.figures.value, Some(0.0));
}
