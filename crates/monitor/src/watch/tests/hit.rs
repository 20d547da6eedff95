//! How many events an incident has hit and what they are worth, of metrics that are no share, against a count of them all.

use std::time::Duration;

use super::Bench;
use super::traffic::{BEGIN, BUCKET, DAY, EACH_WORTH, HOUR, Latency, MINUTE, WORTH};
use crate::definition::{Detect, MonitorDefinition, SeasonalDetect, ThresholdDetect};
use crate::detect::baseline::Counts;
use crate::figure::Slice;
use crate::incident::{ImpactOf, Incident};

const LIVE: i64 = BEGIN + 7 * DAY + DAY / 2;

fn psp(name: &str) -> Slice {
    Slice::from([("psp", name)])
}

fn monitor(detect: Detect) -> MonitorDefinition {
    let mut monitor = MonitorDefinition::new("m", "metric", detect);
    monitor.by = vec!["psp".to_owned()];
    monitor.impact = Some(WORTH.to_owned());
    monitor
}

fn above(bound: f64) -> MonitorDefinition {
    monitor(Detect::Threshold(ThresholdDetect {
        above: Some(bound),
        ..ThresholdDetect::default()
    }))
}

fn seasonal() -> SeasonalDetect {
    SeasonalDetect {
        history: Duration::from_secs(7 * 24 * 3600),
        ..SeasonalDetect::default()
    }
}

/// Half an hour of which one PSP has so many payments a minute, and as many of them are approved and so fast; what is found of
/// it, and the payments in its bad time.
fn broken(
    monitor: MonitorDefinition,
    (per_minute, rate): (f64, f64),
    prepare: impl Fn(&Bench),
) -> (Incident, Counts, Bench) {
    let is_bound = matches!(monitor.detect, Detect::Threshold(_));
    let bench = Bench::new(71, vec![monitor]);
    prepare(&bench);
    let fall = LIVE + 10 * MINUTE;
    // A bound needs no history, but the day before says what an event is worth.
    let from = if is_bound { LIVE - DAY } else { BEGIN };
    for name in ["adyen", "stripe"] {
        bench.traffic.steady(&psp(name), from, fall, 60.0, 0.995);
    }
    let upto = fall + HOUR / 2;
    (bench.traffic).steady(&psp("adyen"), fall, upto, per_minute, rate);
    bench
        .traffic
        .steady(&psp("stripe"), fall, upto, 60.0, 0.995);
    let mut at = LIVE;
    while at <= upto {
        assert_eq!(bench.judge_at(at).faults, []);
        at += 5 * MINUTE;
    }
    let found = bench.only_incident();
    assert_eq!(found.slice, psp("adyen"));
    let bad_until_us = found.judged.unwrap().bad_until_us;
    let from_us = found.started_at_us.div_euclid(BUCKET) * BUCKET;
    let all = (bench.traffic).total(&psp("adyen"), from_us, bad_until_us);
    assert!(all.attempts > 100.0, "{found:?}");
    (found, all, bench)
}

/// What is at stake is brought up to date when the bad time has become a quarter longer.
fn is_about(found: &Incident, of: ImpactOf, worth: f64) {
    let impact = found.impact.clone().unwrap();
    assert_eq!(impact.of, of, "{impact:?}");
    let least = worth / 1.25 * 0.9;
    assert!(
        (least..=worth * 1.02).contains(&impact.value),
        "{worth}: {impact:?}"
    );
}

#[test]
fn a_quantile_beyond_its_bound_tells_how_many_were() {
    let (found, all, _) = broken(above(2_000.0), (60.0, 0.7), |bench| {
        bench.traffic.is_latency(Latency::P95);
    });
    let slow = all.attempts - all.successes;
    assert_eq!(found.figures.affected, Some(slow));
    assert_eq!(found.figures.denominator, Some(all.attempts));
    assert_eq!(found.figures.passed, None);
    is_about(&found, ImpactOf::Affected, slow * EACH_WORTH);
    let of = format!("; {slow:.0} of {:.0} beyond it; about", all.attempts);
    assert!(found.summary.contains(&of), "{}", found.summary);
}

#[test]
fn a_quantile_that_is_off_tells_how_many_more_than_usual_were() {
    for detect in [Detect::Seasonal(seasonal()), Detect::Change(seasonal())] {
        let (found, all, _) = broken(monitor(detect), (60.0, 0.7), |bench| {
            bench.traffic.is_latency(Latency::P95);
        });
        // A twentieth is above the 95th of a hundred on any day.
        let more = (all.attempts - all.successes - 0.05 * all.attempts).round();
        let affected = found.figures.affected.unwrap();
        assert!((affected - more).abs() <= 1.0, "{more} {found:?}");
        assert_eq!(found.figures.denominator, Some(all.attempts));
        is_about(&found, ImpactOf::Affected, more * EACH_WORTH);
    }
}

#[test]
fn of_an_average_all_that_passed_is_told_and_called_so() {
    for detect in [
        Detect::Threshold(ThresholdDetect {
            above: Some(500.0),
            ..ThresholdDetect::default()
        }),
        Detect::Seasonal(seasonal()),
    ] {
        let (found, all, _) = broken(monitor(detect), (60.0, 0.5), |bench| {
            bench.traffic.is_latency(Latency::Mean);
        });
        assert_eq!(found.figures.affected, None);
        assert_eq!(found.figures.passed, Some(all.attempts));
        is_about(&found, ImpactOf::Passed, all.attempts * EACH_WORTH);
        let all = format!(
            "; {:.0} events meanwhile, affected or not; about",
            all.attempts
        );
        assert!(found.summary.contains(&all), "{}", found.summary);
        assert!(!found.summary.contains("at stake"), "{}", found.summary);
    }
}

#[test]
fn a_count_beyond_its_bound_tells_how_many_more_than_it_allows() {
    let (found, all, _) = broken(above(100.0), (200.0, 0.99), |bench| {
        bench.traffic.is_count();
    });
    let judged = found.judged.unwrap();
    let minutes = (judged.bad_until_us - found.started_at_us) as f64 / MINUTE as f64;
    let more = (all.attempts - 100.0 * minutes).round();
    assert_eq!(found.figures.affected, Some(more));
    is_about(&found, ImpactOf::Affected, more * EACH_WORTH);
    assert!(
        found.summary.contains(&format!("; {more:.0} beyond it")),
        "{}",
        found.summary
    );
}

#[test]
fn a_count_below_its_bound_tells_how_many_are_missing_to_it() {
    let detect = Detect::Threshold(ThresholdDetect {
        below: Some(30.0),
        over: Some(Duration::from_secs(60)),
        ..ThresholdDetect::default()
    });
    let (found, all, _) = broken(monitor(detect), (10.0, 0.99), |bench| {
        bench.traffic.is_count()
    });
    let judged = found.judged.unwrap();
    let minutes = (judged.bad_until_us - found.started_at_us) as f64 / MINUTE as f64;
    let missing = (30.0 * minutes - all.attempts).round();
    assert_eq!(found.figures.affected, Some(missing));
    is_about(&found, ImpactOf::Affected, missing * EACH_WORTH);
}

#[test]
fn a_count_that_is_judged_as_a_value_tells_how_many_are_missing_or_too_many() {
    for (per_minute, detect) in [
        (15.0, Detect::Seasonal(seasonal())),
        (240.0, Detect::Seasonal(seasonal())),
        (15.0, Detect::Change(seasonal())),
        (15.0, Detect::Forecast(seasonal())),
    ] {
        let (found, all, bench) = broken(monitor(detect), (per_minute, 0.99), |bench| {
            bench.traffic.is_count();
        });
        let (from, upto) = (found.started_at_us, found.judged.unwrap().bad_until_us);
        // A week before is the only one that there is.
        let before = (bench.traffic).total(&psp("adyen"), from - 7 * DAY, upto - 7 * DAY);
        let off = (all.attempts - before.attempts).abs();
        assert_eq!(found.figures.affected, Some(off));
        is_about(&found, ImpactOf::Affected, off * EACH_WORTH);
    }
}

#[test]
fn where_nothing_can_be_told_nothing_is() {
    // A source that knows no events behind a value, as of a level.
    let detect = Detect::Threshold(ThresholdDetect {
        below: Some(0.5),
        ..ThresholdDetect::default()
    });
    let (found, ..) = broken(monitor(detect), (60.0, 0.1), |bench| {
        bench.traffic.tells_no_samples();
    });
    assert_eq!((found.figures.affected, found.figures.passed), (None, None));
    assert_eq!(found.impact, None);
}

#[test]
fn money_beyond_its_bound_is_what_is_at_stake() {
    let mut monitor = above(60.0 * EACH_WORTH * 2.0);
    monitor.metric = WORTH.to_owned();
    let (found, all, _) = broken(monitor, (200.0, 0.99), |_| {});
    let judged = found.judged.unwrap();
    let minutes = (judged.bad_until_us - found.started_at_us) as f64 / MINUTE as f64;
    assert_eq!(found.figures.affected, None);
    let beyond = (all.attempts - 120.0 * minutes) * EACH_WORTH;
    is_about(&found, ImpactOf::Affected, beyond);
}

#[test]
fn what_passed_is_kept() {
    let (found, _, mut bench) = broken(above(500.0), (60.0, 0.5), |bench| {
        bench.traffic.is_latency(Latency::Mean);
    });
    bench.restart(vec![above(500.0)], LIVE + 2 * HOUR);
    let kept = bench.only_incident();
    assert_eq!(kept.figures, found.figures);
    assert_eq!(kept.impact, found.impact);
    let body = serde_json::to_value(&kept).unwrap();
    assert_eq!(body["impact"]["of"], "passed");
    assert_eq!(body["passed"], found.figures.passed.unwrap());
}
