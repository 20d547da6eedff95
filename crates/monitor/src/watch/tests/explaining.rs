//! Why a metric changed, as incidents tell it.

use super::traffic::{BEGIN, BUCKET, DAY, EACH_WORTH, HOUR, MINUTE, WORTH};
use super::{Bench, rate_monitor, slice};
use crate::definition::{CountDetect, Detect, Direction, MonitorDefinition, ThresholdDetect};
use crate::figure::Slice;
use crate::incident::{Incident, IncidentState};

/// Half a day of history is enough here, and soon drawn.
const LIVE: i64 = BEGIN + DAY / 2;
const FALL: i64 = LIVE + 10 * MINUTE;
const PSPS: [&str; 3] = ["adyen", "stripe", "worldpay"];

/// Traffic of three PSPs and six issuers; from a time on some are broken.
fn traffic(bench: &Bench, until: i64, is_broken: impl Fn(&str, u32) -> bool) {
    for psp in PSPS {
        for issuer in 0..6 {
            let own = slice(psp, issuer);
            bench.traffic.steady(&own, BEGIN, FALL, 20.0, 0.88);
            let rate = if is_broken(psp, issuer) { 0.05 } else { 0.88 };
            bench.traffic.steady(&own, FALL, until, 20.0, rate);
        }
    }
}

fn parts(incident: &Incident) -> Vec<&Slice> {
    let explanation = incident.explanation.as_ref().expect("explained");
    explanation.parts.iter().map(|part| &part.slice).collect()
}

#[test]
fn a_dimension_that_the_monitor_does_not_split_by_explains_the_fall() {
    let bench = Bench::new(41, vec![rate_monitor(&["psp"])]);
    traffic(&bench, FALL + 30 * MINUTE, |psp, issuer| {
        psp == "adyen" && issuer == 3
    });
    bench.judge(LIVE, FALL + 10 * MINUTE);
    let incident = bench.only_incident();
    assert_eq!(incident.slice, Slice::from([("psp", "adyen")]));
    assert_eq!(parts(&incident), [&slice("adyen", 3)]);
    let explanation = incident.explanation.clone().unwrap();
    let part = &explanation.parts[0];
    assert!((part.expected - 0.88).abs() < 0.02, "{part:?}");
    assert!(part.value < 0.2 && part.share > 0.8, "{part:?}");
    // What is affected is what the counts say: so many of them should have succeeded.
    let (from, to) = (explanation.span.from_us, explanation.span.to_us);
    let counted = bench.traffic.total(&slice("adyen", 3), from, to);
    assert_eq!(part.denominator, Some(counted.attempts));
    let missing = part.expected * counted.attempts - counted.successes;
    assert!((part.affected - missing).abs() < 1e-6, "{part:?}");
    assert_eq!(explanation.dimensions, ["psp", "issuer"]);
    assert!(
        explanation
            .compared_with
            .iter()
            .all(|span| span.to_us <= from)
    );
    assert!(
        incident
            .summary
            .ends_with("explained by issuer=bank_3, psp=adyen (100 %)")
            || incident
                .summary
                .contains("explained by issuer=bank_3, psp=adyen (9"),
        "{}",
        incident.summary
    );
    // It is found anew while it lasts.
    bench.judge(FALL + 10 * MINUTE, FALL + 30 * MINUTE);
    let later = bench.only_incident();
    assert!(later.explanation.as_ref().unwrap().span.to_us > to);
    assert_eq!(parts(&later), [&slice("adyen", 3)]);
}

#[test]
fn an_issuer_that_fails_everywhere_is_named_alone() {
    let bench = Bench::new(42, vec![rate_monitor(&["psp"])]);
    traffic(&bench, FALL + 10 * MINUTE, |_, issuer| issuer == 3);
    bench.judge(LIVE, FALL + 10 * MINUTE);
    let incident = bench.only_incident();
    assert_eq!(incident.slice, Slice::whole());
    assert_eq!(parts(&incident), [&Slice::from([("issuer", "bank_3")])]);
}

#[test]
fn where_all_fell_alike_no_part_is_blamed() {
    let bench = Bench::new(43, vec![rate_monitor(&["psp"])]);
    traffic(&bench, FALL + 10 * MINUTE, |_, _| true);
    bench.judge(LIVE, FALL + 10 * MINUTE);
    let incident = bench.only_incident();
    assert_eq!(incident.slice, Slice::whole());
    let named = parts(&incident);
    assert!(named.is_empty() || named == [&Slice::whole()], "{named:?}");
    assert!(
        !incident.summary.contains("explained"),
        "{}",
        incident.summary
    );
}

#[test]
fn dimensions_with_too_many_slices_are_left_out_and_named() {
    let bench = Bench::new(44, vec![rate_monitor(&[])]);
    traffic(&bench, FALL + 10 * MINUTE, |psp, _| psp == "stripe");
    bench.traffic.holds_slices(10);
    bench.judge(LIVE, FALL + 10 * MINUTE);
    let incident = bench.only_incident();
    let explanation = incident.explanation.clone().unwrap();
    assert_eq!(explanation.dimensions, ["psp"]);
    assert_eq!(explanation.dimensions_left_out, ["issuer"]);
    assert_eq!(parts(&incident), [&Slice::from([("psp", "stripe")])]);
}

#[test]
fn an_explanation_outlives_the_engine_and_the_incident() {
    let monitors = || vec![rate_monitor(&["psp"])];
    let mut bench = Bench::new(45, monitors());
    traffic(&bench, FALL + 10 * MINUTE, |psp, issuer| {
        psp == "adyen" && issuer == 3
    });
    for psp in PSPS {
        for issuer in 0..6 {
            let (from, to) = (FALL + 10 * MINUTE, FALL + HOUR);
            bench
                .traffic
                .steady(&slice(psp, issuer), from, to, 20.0, 0.88);
        }
    }
    bench.judge(LIVE, FALL + 10 * MINUTE);
    let open = bench.only_incident();
    bench.restart(monitors(), FALL + 10 * MINUTE);
    bench.judge(FALL + 10 * MINUTE + BUCKET, FALL + HOUR);
    let over = bench.only_incident();
    assert_eq!(
        (over.id.clone(), over.state),
        (open.id, IncidentState::Resolved)
    );
    assert_eq!(parts(&over), [&slice("adyen", 3)]);
}

#[test]
fn a_fall_of_a_count_is_explained_against_the_same_time_of_other_weeks() {
    let week = std::time::Duration::from_secs(7 * 24 * 3600);
    let detect = CountDetect {
        history: week,
        ..CountDetect::default()
    };
    let mut monitor = MonitorDefinition::new("volume", "attempts", Detect::Count(detect));
    monitor.direction = Direction::Down;
    let bench = Bench::new(47, vec![monitor]);
    bench.traffic.is_count();
    let live = BEGIN + 7 * DAY + DAY / 2;
    let fall = live + 10 * MINUTE;
    for psp in PSPS {
        let own = Slice::from([("psp", psp)]);
        bench.traffic.daily(&own, BEGIN, fall, 30.0);
        let per_minute = if psp == "stripe" { 2.0 } else { 30.0 };
        bench
            .traffic
            .daily(&own, fall, fall + 10 * MINUTE, per_minute);
    }
    bench.judge(live, fall + 10 * MINUTE);
    let incident = bench.only_incident();
    assert_eq!(incident.slice, Slice::whole());
    assert_eq!(parts(&incident), [&Slice::from([("psp", "stripe")])]);
    let explanation = incident.explanation.clone().unwrap();
    let part = &explanation.parts[0];
    assert!(part.share > 0.8 && part.denominator.is_none(), "{part:?}");
    assert!((part.affected - (part.expected - part.value)).abs() < 1e-6);
    // A day before the week there is nothing, so that one week is what it is compared with.
    let ago: Vec<i64> = explanation
        .compared_with
        .iter()
        .map(|span| explanation.span.from_us - span.from_us)
        .collect();
    assert_eq!(ago, [7 * DAY]);
}

#[test]
fn what_is_at_stake_is_what_went_wrong_times_its_worth() {
    let mut monitor = rate_monitor(&["psp"]);
    monitor.impact = Some(WORTH.to_owned());
    monitor.owner = Some("payments".to_owned());
    let bench = Bench::new(48, vec![monitor]);
    traffic(&bench, FALL + 10 * MINUTE, |psp, _| psp == "adyen");
    bench.judge(LIVE, FALL + 10 * MINUTE);
    let incident = bench.only_incident();
    let impact = incident.impact.clone().unwrap();
    let affected = incident.figures.affected.unwrap();
    assert!(
        (impact.value - affected * EACH_WORTH).abs() < 1e-6,
        "{impact:?}"
    );
    assert_eq!(
        (impact.metric.as_str(), impact.unit.as_deref()),
        (WORTH, Some("EUR"))
    );
    assert_eq!(incident.owner.as_deref(), Some("payments"));
    let about = format!("about {:.0} EUR at stake", affected * EACH_WORTH);
    assert!(incident.summary.contains(&about), "{}", incident.summary);
}

#[test]
fn a_second_incident_is_explained_by_the_day_without_the_first() {
    let bench = Bench::new(49, vec![rate_monitor(&["psp"])]);
    let (first, second) = (FALL, FALL + 2 * HOUR);
    for psp in PSPS {
        for issuer in 0..6 {
            let own = slice(psp, issuer);
            let falls = |at: i64| match (psp, issuer) {
                ("adyen", 3) => (first..first + 20 * MINUTE).contains(&at),
                ("stripe", 1) => at >= second,
                _ => false,
            };
            let mut at = BEGIN;
            for until in [first, first + 20 * MINUTE, second, second + 20 * MINUTE] {
                let rate = if falls(at) { 0.05 } else { 0.88 };
                bench.traffic.steady(&own, at, until, 20.0, rate);
                at = until;
            }
        }
    }
    bench.judge(LIVE, second + 15 * MINUTE);
    let incidents = bench.incidents();
    let last = incidents.last().unwrap();
    assert_eq!(last.slice, Slice::from([("psp", "stripe")]));
    assert_eq!(parts(last), [&slice("stripe", 1)]);
    let explanation = last.explanation.as_ref().unwrap();
    let bad = (
        incidents[0].started_at_us,
        incidents[0].resolved_at_us.unwrap(),
    );
    for span in &explanation.compared_with {
        assert!(
            span.to_us <= bad.0 || span.from_us >= bad.1,
            "{span:?} {bad:?}"
        );
    }
}

#[test]
fn what_does_not_add_up_is_not_explained() {
    let detect = Detect::Threshold(ThresholdDetect {
        below: Some(0.8),
        ..Default::default()
    });
    let monitor = MonitorDefinition::new("low", "latency", detect);
    let bench = Bench::new(46, vec![monitor]);
    traffic(&bench, FALL + 10 * MINUTE, |_, _| true);
    bench.traffic.tells_no_samples();
    bench.judge(LIVE, FALL + 10 * MINUTE);
    assert_eq!(bench.only_incident().explanation, None);
}
