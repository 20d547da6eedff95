//! Events that come after an incident was judged by their buckets.

use super::traffic::{BEGIN, BUCKET, DAY, MINUTE, SECOND};
use super::{Bench, rate_monitor};
use crate::catalogue::outbox;
use crate::definition::{Detect, Direction, MonitorDefinition, ThresholdDetect};
use crate::figure::Slice;
use crate::incident::{Incident, IncidentState, RevisedFigures};

const LIVE: i64 = BEGIN + DAY / 2;

fn adyen() -> Slice {
    Slice::from([("psp", "adyen")])
}

/// Twenty bad minutes at one PSP and a good one beside it, then all is well for half an hour.
fn bench() -> Bench {
    let bench = Bench::new(31, vec![rate_monitor(&["psp"])]);
    let stripe = Slice::from([("psp", "stripe")]);
    let upto = LIVE + 90 * MINUTE;
    bench.traffic.steady(&stripe, BEGIN, upto, 60.0, 0.88);
    bench.traffic.steady(&adyen(), BEGIN, LIVE, 60.0, 0.88);
    let bad = LIVE + 20 * MINUTE;
    bench.traffic.steady(&adyen(), LIVE, bad, 60.0, 0.3);
    bench.traffic.steady(&adyen(), bad, upto, 60.0, 0.88);
    bench
}

fn figures(incident: &Incident) -> RevisedFigures {
    let figures = &incident.figures;
    RevisedFigures {
        value: figures.value,
        numerator: figures.numerator,
        denominator: figures.denominator,
        affected: figures.affected,
    }
}

#[test]
fn a_resolved_incident_says_what_late_events_changed_of_it() {
    let mut bench = bench();
    bench.judge(LIVE, LIVE + 45 * MINUTE);
    let before = bench.only_incident();
    assert_eq!(before.state, IncidentState::Resolved);
    assert_eq!((before.revised_at_us, before.revision), (None, None));
    let told = bench.catalogue.read(outbox::waiting).unwrap().len();
    // Twenty payments of the bad time come an hour late, five of them approved.
    let (late_at, received) = (LIVE + 10 * MINUTE, LIVE + 45 * MINUTE + 3 * SECOND);
    bench
        .traffic
        .count_late(&adyen(), late_at, (5.0, 20.0), received);
    bench.judge(LIVE + 46 * MINUTE, LIVE + 47 * MINUTE);
    let after = bench.only_incident();
    assert_eq!(after.figures, before.figures, "it was judged by these");
    assert_eq!(after.summary, before.summary);
    assert_eq!(after.revised_at_us, Some(received));
    let revision = after.revision.unwrap();
    assert_eq!(revision.then, figures(&before));
    let f = before.figures;
    let (numerator, denominator) = (f.numerator.unwrap() + 5.0, f.denominator.unwrap() + 20.0);
    assert_eq!(revision.now.numerator, Some(numerator));
    assert_eq!(revision.now.denominator, Some(denominator));
    assert_eq!(revision.now.value, Some(numerator / denominator));
    let missed = (f.expected.unwrap() * denominator - numerator).round();
    assert_eq!(revision.now.affected, Some(missed));
    let json = serde_json::to_value(&after).unwrap();
    assert_eq!(json["revised_at"], "2026-11-02T12:45:03Z");
    assert_eq!(json["revision"]["now"]["denominator"], denominator);
    let still = bench.catalogue.read(outbox::waiting).unwrap().len();
    assert_eq!(still, told, "no channel is told");
    // A restart finds the same and says nothing again.
    bench.restart(vec![rate_monitor(&["psp"])], LIVE + 48 * MINUTE);
    let mut feed = bench.watch.subscribe();
    bench.judge(LIVE + 48 * MINUTE, LIVE + 49 * MINUTE);
    assert_eq!(bench.only_incident(), after);
    assert!(feed.try_recv().is_err());
    // More of it goes on from what was judged, not from what was told in between.
    bench
        .traffic
        .count_late(&adyen(), late_at + BUCKET, (0.0, 1.0), received + MINUTE);
    bench.judge(LIVE + 50 * MINUTE, LIVE + 51 * MINUTE);
    let again = bench.only_incident();
    assert_eq!(again.revision.unwrap().then, figures(&before));
    assert_eq!(
        again.revision.unwrap().now.denominator,
        Some(denominator + 1.0)
    );
    assert_eq!(again.revised_at_us, Some(received + MINUTE));
}

#[test]
fn late_events_of_other_slices_and_other_times_revise_no_incident() {
    let bench = bench();
    bench.judge(LIVE, LIVE + 45 * MINUTE);
    let before = bench.only_incident();
    let received = LIVE + 45 * MINUTE;
    let stripe = Slice::from([("psp", "stripe")]);
    let within = LIVE + 10 * MINUTE;
    bench
        .traffic
        .count_late(&stripe, within, (1.0, 20.0), received);
    let after = LIVE + 40 * MINUTE;
    bench
        .traffic
        .count_late(&adyen(), after, (20.0, 20.0), received);
    bench.judge(LIVE + 46 * MINUTE, LIVE + 48 * MINUTE);
    assert_eq!(bench.only_incident(), before);
}

#[test]
fn an_open_incident_is_revised_and_its_figures_follow() {
    let bench = bench();
    bench.judge(LIVE, LIVE + 10 * MINUTE);
    let before = bench.only_incident();
    assert_eq!(before.state, IncidentState::Open);
    let received = LIVE + 10 * MINUTE;
    let late_at = LIVE + 8 * MINUTE;
    bench
        .traffic
        .count_late(&adyen(), late_at, (0.0, 7.0), received);
    bench.judge(LIVE + 10 * MINUTE + BUCKET, LIVE + 11 * MINUTE);
    let after = bench.only_incident();
    assert_eq!(after.revised_at_us, Some(received));
    let revision = after.revision.unwrap();
    assert_eq!(revision.then, figures(&before));
    let denominator = before.figures.denominator.unwrap();
    assert_eq!(revision.now.denominator, Some(denominator + 7.0));
    let counted = bench.traffic.total(
        &adyen(),
        after.started_at_us,
        after.judged.unwrap().bad_until_us,
    );
    assert_eq!(after.figures.denominator, Some(counted.attempts));
}

#[test]
fn an_incident_of_a_threshold_says_what_its_window_holds_now() {
    let detect = ThresholdDetect {
        below: Some(40.0),
        window: std::time::Duration::from_secs(60),
        ..Default::default()
    };
    let mut monitor = MonitorDefinition::new("few", "payments", Detect::Threshold(detect));
    monitor.direction = Direction::Down;
    let bench = Bench::new(32, vec![monitor]);
    bench.traffic.is_count();
    let whole = Slice::whole();
    for minute in 0..30 {
        let n = if (10..13).contains(&minute) {
            5.0
        } else {
            60.0
        };
        bench.traffic.count(&whole, LIVE + minute * MINUTE, n, n);
    }
    let upto = LIVE + 12 * MINUTE;
    bench.judge(LIVE, upto);
    let before = bench.only_incident();
    assert_eq!(before.figures.value, Some(5.0));
    // A batch comes late into the window that was judged last.
    bench
        .traffic
        .count_late(&whole, upto - MINUTE, (50.0, 50.0), upto + SECOND);
    bench.judge_at(upto + BUCKET);
    let after = bench.only_incident();
    let revision = after.revision.unwrap();
    assert_eq!(revision.then.value, Some(5.0));
    assert_eq!(revision.now.value, Some(55.0));
    assert_eq!(after.revised_at_us, Some(upto + SECOND));
}

#[test]
fn a_late_event_revises_every_trailing_window_that_holds_its_bucket() {
    let detect = ThresholdDetect {
        below: Some(200.0),
        over: Some(std::time::Duration::from_secs(300)),
        ..Default::default()
    };
    let mut monitor = MonitorDefinition::new("few", "payments", Detect::Threshold(detect));
    monitor.direction = Direction::Down;
    let bench = Bench::new(33, vec![monitor]);
    bench.traffic.is_count();
    let whole = Slice::whole();
    for minute in -10..30 {
        let n = if (10..20).contains(&minute) {
            5.0
        } else {
            60.0
        };
        bench.traffic.count(&whole, LIVE + minute * MINUTE, n, n);
    }
    let upto = LIVE + 15 * MINUTE;
    bench.judge(LIVE, upto);
    let before = bench.only_incident();
    assert_eq!(before.figures.value, Some(25.0), "five minutes of five");
    // Long before the step that was judged last, and within its window.
    let late_at = upto - 4 * MINUTE;
    assert!(late_at < before.judged.unwrap().step_start_us);
    (bench.traffic).count_late(&whole, late_at, (50.0, 50.0), upto + SECOND);
    bench.judge_at(upto + BUCKET);
    let revision = bench.only_incident().revision.unwrap();
    assert_eq!(revision.then.value, Some(25.0));
    assert_eq!(revision.now.value, Some(75.0));
}
