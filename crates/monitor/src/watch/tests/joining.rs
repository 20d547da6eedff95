//! Incidents of several monitors that have one cause.

use super::traffic::{BEGIN, BUCKET, DAY, HOUR, MINUTE};
use super::*;
use crate::catalogue::outbox;
use crate::definition::{Severity, ThresholdDetect};
use crate::incident::{IncidentState, TimelineKind};

/// Half a day of history is enough here, and soon drawn.
const LIVE: i64 = BEGIN + DAY / 2;
const FALL: i64 = LIVE + 10 * MINUTE;

fn psp(name: &str) -> Slice {
    Slice::from([("psp", name)])
}

/// A bound on the same metric, which fires later than the test of its rate.
fn bound() -> MonitorDefinition {
    let detect = ThresholdDetect {
        below: Some(0.6),
        min_samples: 20,
        ..Default::default()
    };
    let mut monitor =
        MonitorDefinition::new("bound", "authorization_rate", Detect::Threshold(detect));
    monitor.by = vec!["psp".to_owned()];
    monitor.hold = Duration::from_secs(120);
    monitor.notify = vec!["on_call".to_owned()];
    monitor
}

/// Two PSPs, of which `adyen` falls to 30 % for a time; then judged up to `until`.
fn bench(monitors: Vec<MonitorDefinition>, until: i64) -> Bench {
    let bench = Bench::new(61, monitors);
    for name in ["adyen", "stripe"] {
        let rate = if name == "adyen" { 0.3 } else { 0.88 };
        let back = FALL + 40 * MINUTE;
        bench.traffic.steady(&psp(name), BEGIN, FALL, 60.0, 0.88);
        bench.traffic.steady(&psp(name), FALL, back, 60.0, rate);
        bench
            .traffic
            .steady(&psp(name), back, FALL + 2 * HOUR, 60.0, 0.88);
    }
    bench.judge(LIVE, until);
    bench
}

/// Monitor and kind of every message that waits, in order.
fn told(bench: &Bench) -> Vec<(String, String)> {
    let messages = bench.catalogue.read(outbox::waiting).unwrap();
    let of = |message: &crate::catalogue::Message| {
        let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        (text(&body["incident"]["monitor"]), text(&body["kind"]))
    };
    messages.iter().map(of).collect()
}

fn of(bench: &Bench, monitor: &str) -> Incident {
    let incidents = bench.incidents().into_iter();
    let mut own = incidents.filter(|incident| incident.monitor == monitor);
    own.next().expect("it has opened")
}

fn pairs(told: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    told.iter().map(owned).collect()
}

#[test]
fn what_two_monitors_see_of_one_cause_is_told_once() {
    let bench = bench(vec![rate_monitor(&["psp"]), bound()], FALL + HOUR);
    let (leader, part) = (of(&bench, "drop"), of(&bench, "bound"));
    assert_eq!(part.part_of.as_ref(), Some(&leader.id));
    assert_eq!(leader.part_of, None);
    assert_eq!(leader.parts.as_slice(), std::slice::from_ref(&part.id));
    let mut timeline = leader.timeline.iter();
    let joined = timeline.find(|entry| entry.kind == TimelineKind::Updated);
    assert!(joined.is_some_and(|entry| entry.text.contains("`bound`")));
    assert_eq!(part.state, IncidentState::Resolved);
    let expected = [("drop", "opened"), ("drop", "resolved")];
    assert_eq!(told(&bench), pairs(&expected));
}

#[test]
fn a_part_that_outlasts_its_leader_is_told_then() {
    let bench = bench(vec![rate_monitor(&["psp"]), bound()], FALL + 10 * MINUTE);
    let leader = of(&bench, "drop");
    let now_us = FALL + 10 * MINUTE + BUCKET;
    let note = crate::watch::ActionNote::default();
    bench
        .watch
        .resolve(leader.id.as_str(), &note, now_us)
        .unwrap();
    // Not at once, as mostly a part ends soon after.
    bench.judge(now_us, now_us + 5 * MINUTE);
    let before = [("drop", "opened"), ("drop", "resolved")];
    assert_eq!(told(&bench), pairs(&before));
    bench.judge(now_us + 5 * MINUTE, now_us + 11 * MINUTE);
    let expected = [
        ("drop", "opened"),
        ("drop", "resolved"),
        ("bound", "opened"),
    ];
    assert_eq!(told(&bench), pairs(&expected));
}

#[test]
fn a_part_that_is_more_urgent_is_told_itself() {
    let urgent = MonitorDefinition {
        severity: Severity::Critical,
        ..bound()
    };
    let bench = bench(vec![rate_monitor(&["psp"]), urgent], FALL + 10 * MINUTE);
    assert_eq!(of(&bench, "bound").part_of, Some(of(&bench, "drop").id));
    let expected = [("drop", "opened"), ("bound", "opened")];
    assert_eq!(told(&bench), pairs(&expected));
}

#[test]
fn a_channel_that_hears_nothing_of_the_leader_hears_of_the_part() {
    let quiet = MonitorDefinition {
        notify: Vec::new(),
        ..rate_monitor(&["psp"])
    };
    let bench = bench(vec![quiet, bound()], FALL + 10 * MINUTE);
    assert!(of(&bench, "bound").part_of.is_some());
    assert_eq!(told(&bench), pairs(&[("bound", "opened")]));
}

#[test]
fn a_part_is_told_when_what_it_is_part_of_is_silenced() {
    let bench = bench(vec![rate_monitor(&["psp"]), bound()], FALL - BUCKET);
    // A silence on the first monitor alone, from before it opens.
    bench
        .catalogue
        .write(|db| {
            let silence = crate::catalogue::Silence {
                monitor: "drop".to_owned(),
                slice: Slice::whole(),
                until_us: FALL + 2 * HOUR,
            };
            crate::catalogue::silences::add(db, &silence, &Default::default(), FALL)
        })
        .unwrap();
    bench.judge(FALL, FALL + 10 * MINUTE);
    assert!(of(&bench, "bound").part_of.is_some());
    assert_eq!(told(&bench), pairs(&[("bound", "opened")]));
}

#[test]
fn a_part_that_becomes_more_than_its_leader_stands_by_itself() {
    let bench = bench(vec![rate_monitor(&["psp"]), bound()], FALL + 10 * MINUTE);
    let (leader, part) = (of(&bench, "drop"), of(&bench, "bound"));
    assert_eq!(part.part_of.as_ref(), Some(&leader.id));
    let wider = Incident {
        slice: Slice::whole(),
        ..part.clone()
    };
    let record = crate::watch::lifecycle::Record {
        notify: vec!["on_call".to_owned()],
        entry: Some(crate::incident::TimelineEntry {
            at_us: FALL + 10 * MINUTE,
            kind: TimelineKind::Updated,
            text: "widened".to_owned(),
        }),
        heir: None,
        incident: wider,
    };
    let now_us = FALL + 10 * MINUTE;
    let write = bench
        .catalogue
        .write(|db| bench.watch.write(db, &[record], now_us));
    write.unwrap();
    assert_eq!(of(&bench, "bound").part_of, None);
    assert_eq!(
        told(&bench),
        pairs(&[("drop", "opened"), ("bound", "opened")])
    );
}

#[test]
fn faults_of_other_slices_are_not_of_one_cause_and_parts_stay_so_over_a_restart() {
    let monitors = || vec![rate_monitor(&["psp"]), bound()];
    let mut bench = Bench::new(62, monitors());
    // One falls by what only the test of the rate sees, the other wholly, at the same time.
    let rates = [0.7, 0.2, 0.88, 0.88, 0.88, 0.88];
    let names = ["adyen", "stripe", "worldpay", "nuvei", "mollie", "klarna"];
    for (name, rate) in names.into_iter().zip(rates) {
        bench.traffic.steady(&psp(name), BEGIN, FALL, 60.0, 0.88);
        let until = FALL + 2 * HOUR;
        bench.traffic.steady(&psp(name), FALL, until, 60.0, rate);
    }
    bench.judge(LIVE, FALL + 30 * MINUTE);
    let parts = |bench: &Bench| -> Vec<_> {
        let incidents = bench.incidents().into_iter();
        incidents.map(|one| (one.slice, one.part_of)).collect()
    };
    let before = parts(&bench);
    let drops = bench
        .incidents()
        .into_iter()
        .filter(|one| one.monitor == "drop");
    assert_eq!(drops.count(), 2, "of both");
    let incidents = bench.incidents();
    for part in &incidents {
        let leader = incidents
            .iter()
            .find(|one| part.part_of.as_ref() == Some(&one.id));
        let are_one = leader.is_none_or(|one| one.slice == part.slice);
        assert!(are_one, "{:?}", summaries(&incidents));
    }
    bench.restart(monitors(), FALL + 30 * MINUTE);
    bench.judge(FALL + 30 * MINUTE + BUCKET, FALL + 40 * MINUTE);
    assert_eq!(before, parts(&bench));
}
