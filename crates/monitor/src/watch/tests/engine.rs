//! Opening, grouping, resolving, reopening, restarting.

use std::time::Duration;

use super::traffic::{BEGIN, BUCKET, DAY, HOUR, MINUTE};
use super::{Bench, rate_monitor, slice, summaries};
use crate::definition::{AutoDetect, Detect, Direction, MonitorDefinition, ThresholdDetect};
use crate::figure::Slice;
use crate::incident::{Deviation, IncidentState, TimelineKind};

/// Half a day of history is enough here, and soon drawn.
const LIVE: i64 = BEGIN + DAY / 2;

fn kinds(incident: &crate::incident::Incident) -> Vec<TimelineKind> {
    incident.timeline.iter().map(|entry| entry.kind).collect()
}

#[test]
fn a_fall_is_found_within_minutes_and_resolved_after_it() {
    let bench = Bench::new(1, vec![rate_monitor(&[])]);
    let all = Slice::whole();
    bench
        .traffic
        .steady(&all, BEGIN, LIVE + 20 * MINUTE, 20.0, 0.88);
    let fall = LIVE + 20 * MINUTE;
    bench
        .traffic
        .steady(&all, fall, fall + 15 * MINUTE, 20.0, 0.41);
    bench
        .traffic
        .steady(&all, fall + 15 * MINUTE, fall + HOUR, 20.0, 0.88);
    bench.judge(LIVE, fall + 15 * MINUTE);
    let open = bench.only_incident();
    assert_eq!(
        (open.state, open.direction),
        (IncidentState::Open, Deviation::Down)
    );
    let delay_s = (open.opened_at_us - fall) / 1_000_000;
    assert!((10..=300).contains(&delay_s), "found after {delay_s} s");
    assert!(
        (open.started_at_us - fall).abs() <= MINUTE,
        "began {}",
        open.started_at_us - fall
    );
    let figures = open.figures;
    let counted = bench
        .traffic
        .total(&all, open.started_at_us, fall + 15 * MINUTE);
    assert_eq!(figures.numerator, Some(counted.successes));
    assert_eq!(figures.denominator, Some(counted.attempts));
    assert!((figures.value.unwrap() - 0.41).abs() < 0.1, "{figures:?}");
    assert!(
        (figures.expected.unwrap() - 0.88).abs() < 0.01,
        "{figures:?}"
    );
    let affected = figures.expected.unwrap() * counted.attempts - counted.successes;
    assert!(
        (figures.affected.unwrap() - affected).abs() <= 0.5,
        "{figures:?}"
    );
    assert!(figures.probability.unwrap() > 0.99, "{figures:?}");
    bench.judge(fall + 15 * MINUTE, fall + 30 * MINUTE);
    let over = bench.only_incident();
    assert_eq!(over.id, open.id);
    assert_eq!(over.state, IncidentState::Resolved);
    assert_eq!(kinds(&over), [TimelineKind::Opened, TimelineKind::Resolved]);
    let lasted = over.resolved_at_us.unwrap() - (fall + 15 * MINUTE);
    assert!(
        (2 * MINUTE..8 * MINUTE).contains(&lasted),
        "resolved {} s later",
        lasted / 1_000_000
    );
    assert!(
        (over.figures.value.unwrap() - 0.41).abs() < 0.12,
        "good minutes stay out of it"
    );
    bench.judge(fall + 30 * MINUTE, fall + HOUR);
    assert_eq!(
        bench.only_incident(),
        over,
        "the bad time is not told twice"
    );
}

#[test]
fn an_issuer_that_declines_at_one_psp_is_named_exactly() {
    let bench = Bench::new(2, vec![rate_monitor(&["psp", "issuer"])]);
    let fall = LIVE + 10 * MINUTE;
    for psp in ["adyen", "stripe", "worldpay"] {
        for issuer in 0..6 {
            let broken = psp == "adyen" && issuer == 3;
            let slice = slice(psp, issuer);
            bench.traffic.steady(&slice, BEGIN, fall, 20.0, 0.88);
            let rate = if broken { 0.05 } else { 0.88 };
            bench
                .traffic
                .steady(&slice, fall, fall + 10 * MINUTE, 20.0, rate);
        }
    }
    bench.judge(LIVE, fall + 10 * MINUTE);
    assert_eq!(bench.only_incident().slice, slice("adyen", 3));
}

#[test]
fn a_broken_psp_is_one_incident_that_does_not_name_its_issuers() {
    for seed in 3..5 {
        let bench = Bench::new(seed, vec![rate_monitor(&["psp", "issuer"])]);
        let fall = LIVE + 10 * MINUTE;
        for psp in ["adyen", "stripe", "worldpay"] {
            for issuer in 0..6 {
                let slice = slice(psp, issuer);
                let traffic = 4.0 + 6.0 * f64::from(issuer);
                bench.traffic.steady(&slice, BEGIN, fall, traffic, 0.88);
                let rate = if psp == "adyen" { 0.3 } else { 0.88 };
                bench
                    .traffic
                    .steady(&slice, fall, fall + 15 * MINUTE, traffic, rate);
            }
        }
        bench.judge(LIVE, fall + 15 * MINUTE);
        let incidents = bench.incidents();
        let open: Vec<_> = incidents
            .iter()
            .filter(|i| i.state == IncidentState::Open)
            .cloned()
            .collect();
        assert_eq!(open.len(), 1, "seed {seed}: {:?}", summaries(&incidents));
        assert_eq!(
            open[0].slice,
            Slice::from([("psp", "adyen")]),
            "seed {seed}"
        );
        assert!(
            incidents.len() <= 2,
            "seed {seed}: {:?}",
            summaries(&incidents)
        );
    }
}

/// The rate that a PSP and an issuer have together.
type Rates<'a> = dyn Fn(&str, u32) -> f64 + 'a;

/// Three PSPs and six issuers, all well until `LIVE`; after it, ten minutes at a time, with the rate
/// that each pair has then.
fn grid(seed: u64, tens: &[&Rates<'_>]) -> Bench {
    let bench = Bench::new(seed, vec![rate_monitor(&["psp", "issuer"])]);
    for psp in ["adyen", "stripe", "worldpay"] {
        for issuer in 0..6 {
            let slice = slice(psp, issuer);
            bench.traffic.steady(&slice, BEGIN, LIVE, 30.0, 0.88);
            let mut at = LIVE;
            for rate in tens {
                let end = at + 10 * MINUTE;
                bench
                    .traffic
                    .steady(&slice, at, end, 30.0, rate(psp, issuer));
                at = end;
            }
        }
    }
    bench
}

fn open_slices(bench: &Bench) -> Vec<String> {
    let incidents = bench.incidents();
    let open = incidents.iter().filter(|i| i.state == IncidentState::Open);
    open.map(|incident| incident.slice.to_string()).collect()
}

#[test]
fn a_psp_that_breaks_while_an_issuer_is_broken_everywhere_is_another_incident() {
    let broken = |is: bool| if is { 0.2 } else { 0.88 };
    let issuer = |_: &str, issuer: u32| broken(issuer == 3);
    let both = |psp: &str, issuer: u32| broken(psp == "adyen" || issuer == 3);
    let none = |_: &str, _: u32| 0.88;
    let bench = grid(22, &[&issuer, &both, &issuer, &none]);
    bench.judge(LIVE, LIVE + 10 * MINUTE);
    assert_eq!(open_slices(&bench), ["issuer=bank_3"]);
    bench.judge(LIVE + 10 * MINUTE, LIVE + 20 * MINUTE);
    assert_eq!(open_slices(&bench), ["issuer=bank_3", "psp=adyen"]);
    let psp = |i: &&crate::incident::Incident| i.slice == Slice::from([("psp", "adyen")]);
    let told = bench.incidents().iter().find(psp).unwrap().timeline.clone();
    assert_eq!(told[0].kind, TimelineKind::Opened, "it is told as new");
    bench.judge(LIVE + 20 * MINUTE, LIVE + 30 * MINUTE);
    assert_eq!(open_slices(&bench), ["issuer=bank_3"], "the PSP is well");
    bench.judge(LIVE + 30 * MINUTE, LIVE + 40 * MINUTE);
    assert!(open_slices(&bench).is_empty(), "{:?}", open_slices(&bench));
}

#[test]
fn a_slice_that_falls_again_soon_reopens_its_incident_and_later_opens_another() {
    let bench = Bench::new(9, vec![rate_monitor(&[])]);
    let all = Slice::whole();
    bench.traffic.steady(&all, BEGIN, LIVE, 60.0, 0.9);
    let mut at = LIVE;
    for (minutes, rate) in [(10, 0.3), (15, 0.9), (10, 0.3), (90, 0.9), (10, 0.3)] {
        bench
            .traffic
            .steady(&all, at, at + minutes * MINUTE, 60.0, rate);
        at += minutes * MINUTE;
    }
    bench.judge(LIVE, at);
    let incidents = bench.incidents();
    assert_eq!(incidents.len(), 2, "{:?}", summaries(&incidents));
    let again = [
        TimelineKind::Opened,
        TimelineKind::Resolved,
        TimelineKind::Reopened,
        TimelineKind::Resolved,
    ];
    assert_eq!(kinds(&incidents[0]), again);
    // It is about both outages: its begin, its figures and what baselines leave out.
    let late_s = (incidents[0].started_at_us - LIVE) / 1_000_000;
    assert!((-60..=60).contains(&late_s), "began {late_s} s late");
    let affected = incidents[0].figures.affected.unwrap();
    assert!(
        (600.0..840.0).contains(&affected),
        "2 · 600 · 0.6: {affected}"
    );
    assert_eq!(kinds(&incidents[1]), [TimelineKind::Opened]);
    assert!(incidents[0].id < incidents[1].id);
}

#[test]
fn a_restart_at_any_moment_changes_nothing() {
    let run = |restarts: &[i64]| {
        let mut bench = Bench::new(10, vec![rate_monitor(&["psp"])]);
        for psp in ["adyen", "stripe"] {
            let slice = Slice::from([("psp", psp)]);
            bench
                .traffic
                .steady(&slice, BEGIN, LIVE + 5 * MINUTE, 30.0, 0.88);
            let rate = if psp == "adyen" { 0.4 } else { 0.88 };
            let (fall, end) = (LIVE + 5 * MINUTE, LIVE + 15 * MINUTE);
            bench.traffic.steady(&slice, fall, end, 30.0, rate);
            bench
                .traffic
                .steady(&slice, end, end + 20 * MINUTE, 30.0, 0.88);
        }
        let mut at = LIVE;
        while at < LIVE + 35 * MINUTE {
            bench.judge(at, at);
            if restarts.contains(&((at - LIVE) / MINUTE)) {
                bench.restart(vec![rate_monitor(&["psp"])], at);
                let again = bench.judge_at(at);
                assert_eq!((again.steps, again.transitions), (0, 0), "judged twice");
            }
            at += MINUTE / 6;
        }
        bench.incidents()
    };
    let through = run(&[]);
    assert_eq!(through.len(), 1, "{:?}", summaries(&through));
    for restarts in [vec![6], vec![8, 9, 16], (0..35).collect()] {
        let incidents = run(&restarts);
        let ids = |list: &[crate::incident::Incident]| -> Vec<_> {
            list.iter()
                .map(|i| (i.id.clone(), i.state, kinds(i), i.resolved_at_us))
                .collect()
        };
        assert_eq!(
            ids(&incidents),
            ids(&through),
            "restarts at minutes {restarts:?}"
        );
    }
}

#[test]
fn judging_one_by_one_and_catching_up_after_a_pause_find_the_same() {
    let run = |pause: i64| {
        let bench = Bench::new(11, vec![rate_monitor(&[])]);
        let all = Slice::whole();
        bench
            .traffic
            .steady(&all, BEGIN, LIVE + 5 * MINUTE, 30.0, 0.88);
        bench
            .traffic
            .steady(&all, LIVE + 5 * MINUTE, LIVE + 20 * MINUTE, 30.0, 0.4);
        bench
            .traffic
            .steady(&all, LIVE + 20 * MINUTE, LIVE + HOUR, 30.0, 0.88);
        let mut at = LIVE;
        while at <= LIVE + 50 * MINUTE {
            bench.judge_at(at);
            at += pause;
        }
        let found = bench.only_incident();
        (found.id, found.opened_at_us, found.resolved_at_us)
    };
    assert_eq!(run(MINUTE / 6), run(10 * MINUTE));
}

#[test]
fn figures_beyond_the_watermark_are_never_asked_for_and_change_nothing() {
    let run = |future_rate: f64| {
        let bench = Bench::new(12, vec![rate_monitor(&[])]);
        let all = Slice::whole();
        bench
            .traffic
            .steady(&all, BEGIN, LIVE + 10 * MINUTE, 30.0, 0.88);
        bench
            .traffic
            .steady(&all, LIVE + 10 * MINUTE, LIVE + 2 * HOUR, 30.0, future_rate);
        bench.judge(LIVE, LIVE + 10 * MINUTE);
        assert!(bench.traffic.asked_upto_us() <= LIVE + 10 * MINUTE);
        bench.incidents()
    };
    assert_eq!(run(0.0), run(0.88));
    assert_eq!(run(0.0), []);
}

#[test]
fn an_event_from_the_future_does_not_make_unfinished_buckets_complete() {
    let bench = Bench::new(13, vec![rate_monitor(&[])]);
    bench
        .traffic
        .steady(&Slice::whole(), BEGIN, LIVE, 30.0, 0.88);
    bench.traffic.complete_upto(LIVE + DAY);
    bench.watch.judge(LIVE);
    assert!(bench.traffic.asked_upto_us() <= LIVE);
}

#[test]
fn a_client_whose_clock_is_ahead_does_not_blind_a_monitor() {
    for early in [false, true] {
        with_a_clock_ahead(early);
    }
}

fn with_a_clock_ahead(early: bool) {
    let mut monitor = rate_monitor(&["psp"]);
    monitor.early = early;
    let bench = Bench::new(24, vec![monitor]);
    let (adyen, stripe) = (
        Slice::from([("psp", "adyen")]),
        Slice::from([("psp", "stripe")]),
    );
    bench.traffic.may_be_late(MINUTE);
    for psp in [&adyen, &stripe] {
        bench
            .traffic
            .steady(psp, BEGIN, LIVE - MINUTE / 2, 60.0, 0.88);
    }
    bench.traffic.complete_upto(LIVE + 30 * MINUTE);
    // Events arrive half a minute after their time; the bad ones too.
    let late = MINUTE / 2;
    let mut now = LIVE;
    while now < LIVE + 10 * MINUTE {
        let arrived = now - late;
        bench
            .traffic
            .steady(&adyen, arrived, arrived + BUCKET, 60.0, 0.3);
        bench
            .traffic
            .steady(&stripe, arrived, arrived + BUCKET, 60.0, 0.88);
        bench.watch.judge(now);
        let upto_us = if early { now + BUCKET } else { now - MINUTE };
        assert!(bench.traffic.asked_upto_us() <= upto_us);
        now += BUCKET;
    }
    let found = bench.only_incident();
    assert_eq!((found.state, found.slice), (IncidentState::Open, adyen));
}

fn latency_monitor() -> MonitorDefinition {
    let detect = ThresholdDetect {
        below: Some(0.8),
        min_samples: 10,
        ..Default::default()
    };
    let mut monitor = MonitorDefinition::new("low", "rate", Detect::Threshold(detect));
    monitor.by = vec!["psp".to_owned()];
    monitor.direction = Direction::Down;
    monitor.hold = Duration::from_secs(120);
    monitor.resolve_after = Duration::from_secs(120);
    monitor
}

#[test]
fn a_threshold_fires_after_its_hold_and_resolves_after_its_patience() {
    let bench = Bench::new(14, vec![latency_monitor()]);
    bench.traffic.is_no_rate();
    let psp = Slice::from([("psp", "adyen")]);
    let mut at = LIVE;
    // One bad minute is too short; three are an incident; 0.82 is no recovery, 1.0 is.
    for (minutes, rate) in [(3, 1.0), (1, 0.0), (2, 1.0), (3, 0.0), (5, 1.0)] {
        bench
            .traffic
            .steady(&psp, at, at + minutes * MINUTE, 600.0, rate);
        at += minutes * MINUTE;
    }
    bench.judge(LIVE, at);
    let found = bench.only_incident();
    assert_eq!(found.slice, psp);
    assert_eq!(found.started_at_us, LIVE + 6 * MINUTE);
    assert_eq!(found.opened_at_us, LIVE + 8 * MINUTE);
    assert_eq!(found.resolved_at_us, Some(LIVE + 11 * MINUTE));
    assert_eq!(found.figures.bound, Some(0.8));
    assert_eq!(found.figures.expected, None);
    assert_eq!(found.figures.probability, None);
}

#[test]
fn a_threshold_that_waits_for_samples_nobody_tells_says_so() {
    let bench = Bench::new(23, vec![latency_monitor()]);
    bench.traffic.tells_no_samples();
    let psp = Slice::from([("psp", "adyen")]);
    let note = || bench.watch.monitors()[0].error.clone();
    bench.judge_at(LIVE);
    assert_eq!(note(), None, "there may be none yet");
    bench
        .traffic
        .steady(&psp, LIVE, LIVE + 5 * MINUTE, 600.0, 0.0);
    bench.judge(LIVE, LIVE + 5 * MINUTE);
    assert_eq!(bench.incidents(), []);
    let note = note().unwrap();
    assert!(
        note.contains("nothing is judged") && note.contains("`rate`"),
        "{note}"
    );
}

#[test]
fn a_monitor_that_cannot_be_judged_says_why_and_does_not_stop_the_others() {
    let mut missing = rate_monitor(&[]);
    missing.name = "of_nothing".to_owned();
    missing.metric = "missing".to_owned();
    let bench = Bench::new(15, vec![missing, latency_monitor()]);
    bench.traffic.is_no_rate();
    bench
        .traffic
        .steady(&Slice::from([("psp", "adyen")]), BEGIN, LIVE, 10.0, 0.9);
    let report = bench.judge_at(LIVE);
    assert_eq!(report.steps, 1);
    let fault = (
        "of_nothing".to_owned(),
        "there is no metric `missing`".to_owned(),
    );
    assert_eq!(report.faults, [fault]);
    let status = bench.watch.monitors();
    assert_eq!(
        status[0].error.as_deref(),
        Some("there is no metric `missing`")
    );
    assert_eq!(status[1].error, None);
    assert!(status[1].last_judged_at.is_some());
}

#[test]
fn a_rate_detector_refuses_a_metric_that_is_no_ratio_of_counts() {
    let bench = Bench::new(16, vec![rate_monitor(&[])]);
    bench.traffic.is_no_rate();
    let report = bench.judge_at(LIVE);
    assert!(
        report.faults[0].1.contains("no ratio of two counts"),
        "{report:?}"
    );
}

#[test]
fn without_history_a_monitor_says_that_it_is_learning() {
    let bench = Bench::new(17, vec![rate_monitor(&[])]);
    bench
        .traffic
        .steady(&Slice::whole(), LIVE, LIVE + 10 * MINUTE, 20.0, 0.2);
    bench.judge(LIVE, LIVE + 10 * MINUTE);
    assert!(bench.watch.monitors()[0].learning);
    assert_eq!(bench.incidents(), []);
}

#[test]
fn a_failing_source_loses_nothing() {
    let bench = Bench::new(18, vec![rate_monitor(&[])]);
    let all = Slice::whole();
    bench.traffic.steady(&all, BEGIN, LIVE, 30.0, 0.88);
    bench
        .traffic
        .steady(&all, LIVE, LIVE + 10 * MINUTE, 30.0, 0.3);
    bench.judge_at(LIVE);
    bench.traffic.fail_with(Some("out of memory"));
    let report = bench.judge_at(LIVE + 5 * MINUTE);
    assert_eq!(report.faults[0].1, "out of memory");
    bench.traffic.fail_with(None);
    bench.judge_at(LIVE + 5 * MINUTE);
    assert_eq!(bench.only_incident().state, IncidentState::Open);
}

#[test]
fn figures_that_are_no_share_are_left_out_and_told_and_all_else_is_judged() {
    let bench = Bench::new(19, vec![rate_monitor(&["psp"])]);
    let adyen = Slice::from([("psp", "adyen")]);
    bench.traffic.steady(&adyen, BEGIN, LIVE, 30.0, 0.88);
    bench
        .traffic
        .steady(&adyen, LIVE, LIVE + 30 * MINUTE, 30.0, 0.3);
    let note = || bench.watch.monitors()[0].error.clone();
    bench.judge_at(LIVE);
    assert_eq!(note(), None);
    // One event that counts above the line but not below it, first among the newest buckets.
    let newpay = Slice::from([("psp", "newpay")]);
    bench.traffic.count(&newpay, LIVE + MINUTE, 1.0, 0.0);
    bench.judge(LIVE + MINUTE, LIVE + 5 * MINUTE);
    assert_eq!(bench.only_incident().slice, adyen);
    let recent = note().unwrap();
    assert!(
        recent.contains("1 of 0 on psp=newpay from 2026-11-02T12:01:00Z"),
        "{recent}"
    );
    // Later it is part of the history, which is learned again without it.
    bench.judge(LIVE + 5 * MINUTE, LIVE + 2 * HOUR);
    let status = &bench.watch.monitors()[0];
    assert!(!status.learning);
    assert!(note().unwrap().contains("of the history"), "{:?}", note());
    assert_eq!(bench.only_incident().slice, adyen);
}

#[test]
fn a_history_of_nothing_but_impossible_shares_is_told_while_learning() {
    let bench = Bench::new(20, vec![rate_monitor(&[])]);
    for hour in 1..10 {
        bench
            .traffic
            .count(&Slice::whole(), LIVE - hour * HOUR, 900.0, 800.0);
    }
    bench.judge_at(LIVE);
    let status = &bench.watch.monitors()[0];
    assert!(status.learning);
    let note = status.error.as_deref().unwrap();
    assert!(note.contains("left out 9 figures"), "{note}");
    assert!(note.contains("900 of 800 on all"), "{note}");
}

#[test]
fn a_metric_that_becomes_another_kind_of_figure_leaves_no_incident_of_auto() {
    let auto = MonitorDefinition {
        detect: Detect::Auto(AutoDetect::default()),
        ..rate_monitor(&[])
    };
    let mut bench = Bench::new(29, vec![auto.clone()]);
    let all = Slice::whole();
    // What `auto` chooses for a rate looks at a week of history.
    let fall = LIVE + 10 * MINUTE;
    bench.traffic.steady(&all, BEGIN, fall, 20.0, 0.88);
    bench
        .traffic
        .steady(&all, fall, fall + 20 * MINUTE, 20.0, 0.41);
    bench.judge(LIVE, fall + 15 * MINUTE);
    assert_eq!(bench.only_incident().state, IncidentState::Open);
    bench.restart(vec![auto.clone()], fall + 15 * MINUTE);
    assert_eq!(bench.only_incident().state, IncidentState::Open);
    bench.traffic.is_count();
    bench.restart(vec![auto], fall + 15 * MINUTE);
    let over = bench.only_incident();
    assert_eq!(over.state, IncidentState::Resolved);
    let last = over.timeline.last().unwrap();
    assert!(last.text.contains("the monitor was changed"), "{last:?}");
}
