//! Counts and silence on simulated traffic with a day and a night.

use std::sync::Arc;
use std::time::Duration;

use super::traffic::{BEGIN, BUCKET, DAY, EACH_WORTH, HOUR, MINUTE, WORTH};
use super::{Bench, slice, summaries};
use crate::definition::{
    AutoDetect, Calendar, CountDetect, Detect, Direction, MonitorDefinition, SeasonalDetect,
    Sensitivity, SilenceDetect,
};
use crate::figure::Slice;
use crate::incident::{Deviation, Incident, IncidentState};

const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
/// A Monday noon, with a week of history behind it.
const LIVE: i64 = BEGIN + 7 * DAY + DAY / 2;

fn monitor(by: &[&str], detect: Detect) -> MonitorDefinition {
    let mut monitor = MonitorDefinition::new("volume", "attempts", detect);
    monitor.by = by.iter().map(|dimension| (*dimension).to_owned()).collect();
    monitor
}

fn count(by: &[&str], direction: Direction) -> MonitorDefinition {
    let detect = CountDetect {
        history: WEEK,
        ..CountDetect::default()
    };
    MonitorDefinition {
        direction,
        ..monitor(by, Detect::Count(detect))
    }
}

fn silence(by: &[&str], sensitivity: Sensitivity) -> MonitorDefinition {
    let detect = SilenceDetect {
        sensitivity,
        history: WEEK,
        ..SilenceDetect::default()
    };
    monitor(by, Detect::Silence(detect))
}

fn bench(seed: u64, monitors: Vec<MonitorDefinition>) -> Bench {
    let bench = Bench::new(seed, monitors);
    bench.traffic.is_count();
    bench
}

fn psp(name: &str) -> Slice {
    Slice::from([("psp", name)])
}

/// Judges every so often, as the clock goes, whether there are events or not.
fn judge(bench: &Bench, from: i64, to: i64, every: i64) {
    let mut at = from;
    while at <= to {
        assert_eq!(bench.judge_at(at).faults, []);
        at += every;
    }
}

fn found(bench: &Bench) -> Vec<Incident> {
    bench.incidents()
}

#[test]
fn a_drop_is_found_within_minutes_with_how_many_are_missing_and_ends_when_they_are_back() {
    let bench = bench(70, vec![count(&[], Direction::Down)]);
    let whole = Slice::whole();
    let (from, to) = (LIVE + HOUR, LIVE + 2 * HOUR);
    bench.traffic.daily(&whole, BEGIN, from, 60.0);
    bench.traffic.daily(&whole, from, to, 20.0);
    bench.traffic.daily(&whole, to, to + HOUR, 60.0);
    judge(&bench, LIVE, from + 5 * MINUTE, BUCKET);
    let open = bench.only_incident();
    assert_eq!(open.direction, Deviation::Down);
    assert!((open.started_at_us - from).abs() <= MINUTE, "{open:?}");
    assert!(open.opened_at_us - from <= 3 * MINUTE, "{open:?}");
    assert!(open.figures.probability.unwrap() > 0.9, "{open:?}");
    judge(&bench, from + 5 * MINUTE, to + HOUR, BUCKET);
    let ended = bench.only_incident();
    assert_eq!(ended.state, IncidentState::Resolved);
    assert!(
        ended.resolved_at_us.unwrap() - to < 15 * MINUTE,
        "{ended:?}"
    );
    // An hour about noon expects some 5 300, a third of which came.
    let missing = ended.figures.affected.unwrap();
    let exact = ended.figures.expected.unwrap() - ended.figures.value.unwrap();
    assert!((missing - exact).abs() <= 1.0, "{ended:?}");
    assert!((3_000.0..4_100.0).contains(&missing), "{ended:?}");
    assert!(ended.summary.contains("missing"), "{}", ended.summary);
}

#[test]
fn the_night_is_no_incident_and_neither_is_the_morning() {
    let bench = bench(71, vec![count(&["psp"], Direction::Both)]);
    for (name, per_minute) in [("a", 40.0), ("b", 6.0), ("c", 0.4)] {
        bench
            .traffic
            .daily(&psp(name), BEGIN, LIVE + 3 * DAY, per_minute);
    }
    judge(&bench, LIVE, LIVE + 3 * DAY, MINUTE);
    assert_eq!(summaries(&found(&bench)), Vec::<String>::new(), "seed 71");
}

#[test]
fn a_rush_is_found_as_well() {
    let bench = bench(72, vec![count(&["psp"], Direction::Up)]);
    for name in ["a", "b"] {
        bench.traffic.daily(&psp(name), BEGIN, LIVE + HOUR, 30.0);
    }
    bench
        .traffic
        .daily(&psp("b"), LIVE + 20 * MINUTE, LIVE + HOUR, 45.0);
    judge(&bench, LIVE, LIVE + 30 * MINUTE, BUCKET);
    let rush = bench.only_incident();
    assert_eq!(
        (rush.slice.clone(), rush.direction),
        (psp("b"), Deviation::Up)
    );
    assert!(rush.summary.contains("too many"), "{}", rush.summary);
}

#[test]
fn a_slice_that_falls_silent_is_found_when_that_is_improbable_and_not_before() {
    let bench = bench(73, vec![silence(&["psp"], Sensitivity::Normal)]);
    let stop = LIVE + HOUR;
    bench.traffic.daily(&psp("busy"), BEGIN, stop, 10.0);
    bench.traffic.daily(&psp("slow"), BEGIN, stop, 1.0 / 60.0);
    bench
        .traffic
        .daily(&psp("well"), BEGIN, stop + 4 * HOUR, 10.0);
    judge(&bench, LIVE, stop + 4 * HOUR, MINUTE);
    let silent = bench.only_incident();
    assert_eq!(silent.slice, psp("busy"));
    assert!((silent.started_at_us - stop).abs() <= MINUTE, "{silent:?}");
    // Fifteen are expected in a minute: after two none is as good as impossible.
    assert!(silent.opened_at_us - stop <= 4 * MINUTE, "{silent:?}");
    assert_eq!(silent.state, IncidentState::Open);
    assert_eq!(silent.figures.value, Some(0.0));
    bench
        .traffic
        .daily(&psp("busy"), stop + 4 * HOUR, stop + 5 * HOUR, 10.0);
    bench
        .traffic
        .daily(&psp("well"), stop + 4 * HOUR, stop + 5 * HOUR, 10.0);
    judge(&bench, stop + 4 * HOUR + MINUTE, stop + 5 * HOUR, MINUTE);
    assert_eq!(bench.only_incident().state, IncidentState::Resolved);
}

#[test]
fn a_psp_all_of_whose_issuers_are_missing_is_one_incident() {
    let bench = bench(74, vec![count(&["psp", "issuer"], Direction::Down)]);
    let from = LIVE + 10 * MINUTE;
    for issuer in 0..4 {
        bench.traffic.daily(&slice("a", issuer), BEGIN, from, 8.0);
        bench
            .traffic
            .daily(&slice("b", issuer), BEGIN, from + HOUR, 8.0);
    }
    judge(&bench, LIVE, from + 30 * MINUTE, BUCKET);
    let open: Vec<Incident> = found(&bench)
        .into_iter()
        .filter(|incident| incident.state == IncidentState::Open)
        .collect();
    assert_eq!(open.len(), 1, "{:?}", summaries(&open));
    assert_eq!(open[0].slice, psp("a"));
}

#[test]
fn what_is_chosen_is_no_change_of_the_monitor_after_a_restart() {
    let auto = Detect::Auto(AutoDetect::default());
    let definitions = || {
        vec![MonitorDefinition {
            direction: Direction::Down,
            ..monitor(&[], auto.clone())
        }]
    };
    let mut bench = bench(75, definitions());
    let whole = Slice::whole();
    bench.traffic.daily(&whole, BEGIN, LIVE + HOUR, 60.0);
    bench
        .traffic
        .daily(&whole, LIVE + HOUR, LIVE + 2 * HOUR, 10.0);
    judge(&bench, LIVE, LIVE + HOUR + 10 * MINUTE, BUCKET);
    let before = bench.only_incident();
    assert_eq!(before.state, IncidentState::Open);
    bench.restart(definitions(), LIVE + HOUR + 10 * MINUTE);
    judge(
        &bench,
        LIVE + HOUR + 10 * MINUTE,
        LIVE + HOUR + 20 * MINUTE,
        BUCKET,
    );
    let after = bench.only_incident();
    assert_eq!((after.id, after.state), (before.id, IncidentState::Open));
}

#[test]
fn without_two_days_of_history_it_learns_and_judges_nothing() {
    let bench = bench(76, vec![count(&[], Direction::Down)]);
    let whole = Slice::whole();
    bench.traffic.daily(&whole, BEGIN, BEGIN + DAY, 60.0);
    judge(&bench, BEGIN + DAY, BEGIN + DAY + HOUR, MINUTE);
    assert_eq!(summaries(&found(&bench)), Vec::<String>::new());
    let status = bench.watch.monitors();
    assert!(status[0].learning, "{status:?}");
}

#[test]
fn a_value_that_falls_for_hours_is_one_incident_until_it_is_back() {
    let seasonal = SeasonalDetect {
        history: WEEK,
        ..SeasonalDetect::default()
    };
    for detect in [
        Detect::Seasonal(seasonal.clone()),
        Detect::Change(seasonal.clone()),
        Detect::Forecast(seasonal),
    ] {
        let name = detect.name();
        let bench = bench(77, vec![monitor(&["psp"], detect)]);
        let (from, to) = (LIVE + HOUR, LIVE + 6 * HOUR);
        for (psp_name, share) in [("a", 0.3), ("b", 1.0)] {
            bench.traffic.daily(&psp(psp_name), BEGIN, from, 60.0);
            bench.traffic.daily(&psp(psp_name), from, to, 60.0 * share);
            bench.traffic.daily(&psp(psp_name), to, to + 3 * HOUR, 60.0);
        }
        judge(&bench, LIVE, to - 10 * MINUTE, 5 * MINUTE);
        let open = bench.only_incident();
        assert_eq!(
            (open.state, open.slice.clone()),
            (IncidentState::Open, psp("a")),
            "{name}"
        );
        assert!(open.opened_at_us - from <= 20 * MINUTE, "{name}: {open:?}");
        judge(&bench, to - 5 * MINUTE, to + 3 * HOUR, 5 * MINUTE);
        let ended = bench.only_incident();
        assert_eq!(ended.state, IncidentState::Resolved, "{name}: {ended:?}");
        let lasted = ended.resolved_at_us.unwrap() - to;
        assert!((0..=2 * HOUR).contains(&lasted), "{name}: {ended:?}");
    }
}

#[test]
fn a_slow_slice_that_was_silent_is_well_again_when_its_events_come() {
    let bench = bench(78, vec![silence(&["psp"], Sensitivity::Normal)]);
    let (stop, back) = (LIVE + HOUR, LIVE + 6 * HOUR);
    bench.traffic.daily(&psp("slow"), BEGIN, stop, 0.2);
    bench
        .traffic
        .daily(&psp("well"), BEGIN, back + 3 * HOUR, 10.0);
    bench
        .traffic
        .daily(&psp("slow"), back, back + 3 * HOUR, 0.2);
    judge(&bench, LIVE, back, MINUTE);
    assert_eq!(bench.only_incident().state, IncidentState::Open);
    judge(&bench, back + MINUTE, back + 3 * HOUR, MINUTE);
    assert_eq!(bench.only_incident().state, IncidentState::Resolved);
}

#[test]
fn more_slices_than_an_answer_holds_are_not_taken_for_silent_ones() {
    let bench = bench(79, vec![count(&["psp"], Direction::Down)]);
    for number in 0..4 {
        bench
            .traffic
            .daily(&psp(&number.to_string()), BEGIN, LIVE + HOUR, 1.0);
    }
    bench.traffic.holds_slices(4);
    let report = bench.judge_at(LIVE);
    let (_, fault) = &report.faults[0];
    assert!(fault.contains("split it by fewer dimensions"), "{fault}");
    assert_eq!(summaries(&found(&bench)), Vec::<String>::new());
}

#[test]
fn a_slice_that_stays_silent_is_not_well_again_because_it_is_night() {
    let bench = bench(86, vec![silence(&["psp"], Sensitivity::Normal)]);
    let stop = LIVE + HOUR;
    // Nearly all of its events are those of the day.
    let by_day = |at: i64| {
        if (6..20).contains(&(at.rem_euclid(DAY) / HOUR)) {
            2.0
        } else {
            0.001
        }
    };
    bench.traffic.varying(&psp("day"), BEGIN, stop, by_day);
    bench.traffic.daily(&psp("well"), BEGIN, stop + DAY, 10.0);
    judge(&bench, LIVE, stop + 16 * HOUR, 5 * MINUTE);
    assert_eq!(bench.only_incident().state, IncidentState::Open);
}

#[test]
fn a_sum_that_is_nothing_every_night_is_learned_with_its_nights() {
    let seasonal = SeasonalDetect {
        history: WEEK,
        ..SeasonalDetect::default()
    };
    let mut monitor = monitor(&["psp"], Detect::Seasonal(seasonal));
    monitor.direction = Direction::Up;
    let bench = bench(87, vec![monitor]);
    let by_day = |at: i64| {
        if (5..21).contains(&(at.rem_euclid(DAY) / HOUR)) {
            30.0
        } else {
            0.0
        }
    };
    let rush = LIVE + 12 * HOUR + 30 * MINUTE;
    bench
        .traffic
        .varying(&psp("day"), BEGIN, LIVE + DAY, by_day);
    // At half past midnight there never was anything.
    bench
        .traffic
        .varying(&psp("day"), rush, rush + 10 * MINUTE, |_| 30.0);
    judge(&bench, LIVE, rush + 30 * MINUTE, 5 * MINUTE);
    let found = bench.only_incident();
    assert_eq!((found.slice, found.direction), (psp("day"), Deviation::Up));
    assert!((found.started_at_us - rush).abs() <= 5 * MINUTE);
}

#[test]
fn a_holiday_is_judged_like_the_day_it_is_like_and_a_day_like_no_other_is_not() {
    // The third Monday has the traffic of a Sunday, which is a tenth.
    let is_sunday = |at: i64| (at - BEGIN).div_euclid(DAY) % 7 == 6;
    let holiday = BEGIN + 14 * DAY;
    let found = |days: &[(&'static str, &'static str)]| {
        let calendar = Calendar::parse("c", None, days.iter().copied()).unwrap();
        let monitor = MonitorDefinition {
            calendar: Arc::new(calendar),
            ..count(&[], Direction::Down)
        };
        let bench = bench(88, vec![monitor]);
        let is_low = |at: i64| is_sunday(at) || (at - holiday).div_euclid(DAY) == 0;
        let traffic = |at: i64| if is_low(at) { 6.0 } else { 60.0 };
        bench
            .traffic
            .varying(&Slice::whole(), BEGIN, holiday + DAY, traffic);
        // Around midnight a neighbouring half hour of another day counts as well.
        judge(&bench, holiday + 2 * HOUR, holiday + 8 * HOUR, 10 * MINUTE);
        bench.incidents().len()
    };
    assert_eq!(
        found(&[]),
        1,
        "an ordinary Monday with so little is an incident"
    );
    // BEGIN is 2026-11-02.
    assert_eq!(found(&[("2026-11-16", "sun")]), 0);
    assert_eq!(found(&[("2026-11-16", "none")]), 0);
}

fn forecast(by: &[&str], calendar: Calendar) -> MonitorDefinition {
    let detect = SeasonalDetect {
        history: WEEK,
        ..SeasonalDetect::default()
    };
    MonitorDefinition {
        calendar: Arc::new(calendar),
        ..monitor(by, Detect::Forecast(detect))
    }
}

#[test]
fn what_follows_its_forecast_is_no_incident() {
    let bench = bench(89, vec![forecast(&["psp"], Calendar::default())]);
    // Ten percent more each day.
    for (name, per_minute) in [("a", 40.0), ("b", 12.0)] {
        let grown = |at: i64| per_minute * 1.1_f64.powf((at - BEGIN) as f64 / DAY as f64);
        let daily = |at: i64| {
            let hour = at.rem_euclid(DAY) as f64 / HOUR as f64;
            grown(at) * (1.0 - 0.5 * (std::f64::consts::TAU * hour / 24.0).cos())
        };
        bench
            .traffic
            .varying(&psp(name), BEGIN, LIVE + 3 * DAY, daily);
    }
    judge(&bench, LIVE, LIVE + 3 * DAY, 5 * MINUTE);
    assert_eq!(summaries(&found(&bench)), Vec::<String>::new(), "seed 89");
}

#[test]
fn an_incident_of_a_forecast_outlives_its_learning_and_ends_when_the_values_are_back() {
    let bench = bench(90, vec![forecast(&[], Calendar::default())]);
    let (from, to) = (LIVE + HOUR, LIVE + 31 * HOUR);
    let whole = Slice::whole();
    bench.traffic.daily(&whole, BEGIN, from, 60.0);
    bench.traffic.daily(&whole, from, to, 20.0);
    bench.traffic.daily(&whole, to, to + 4 * HOUR, 60.0);
    judge(&bench, LIVE, to, 5 * MINUTE);
    let open = bench.only_incident();
    assert_eq!(open.state, IncidentState::Open, "{open:?}");
    assert!(open.opened_at_us - from <= 20 * MINUTE, "{open:?}");
    judge(&bench, to + 5 * MINUTE, to + 4 * HOUR, 5 * MINUTE);
    let ended = bench.only_incident();
    assert_eq!(ended.state, IncidentState::Resolved, "{ended:?}");
    assert!(ended.resolved_at_us.unwrap() - to <= 2 * HOUR, "{ended:?}");
}

#[test]
fn a_forecast_does_not_judge_days_that_a_calendar_names() {
    let holiday = BEGIN + 8 * DAY;
    let found = |days: &[(&'static str, &'static str)]| {
        let calendar = Calendar::parse("c", None, days.iter().copied()).unwrap();
        let bench = bench(91, vec![forecast(&[], calendar)]);
        let is_low = |at: i64| (at - holiday).div_euclid(DAY) == 0;
        let traffic = |at: i64| if is_low(at) { 6.0 } else { 60.0 };
        bench
            .traffic
            .varying(&Slice::whole(), BEGIN, holiday + 2 * DAY, traffic);
        judge(&bench, LIVE, holiday + 2 * DAY, 5 * MINUTE);
        bench.incidents().len()
    };
    assert_eq!(found(&[]), 1);
    // BEGIN is 2026-11-02.
    assert_eq!(found(&[("2026-11-10", "sun")]), 0);
    assert_eq!(found(&[("2026-11-10", "none")]), 0);
}

#[test]
fn a_monitor_of_money_tells_how_much_of_it_is_missing() {
    let detect = SeasonalDetect {
        history: WEEK,
        ..SeasonalDetect::default()
    };
    let mut monitor = MonitorDefinition::new("takings", WORTH, Detect::Seasonal(detect));
    monitor.impact = Some(WORTH.to_owned());
    let bench = bench(92, vec![monitor]);
    let (from, to) = (LIVE + HOUR, LIVE + 3 * HOUR);
    let whole = Slice::whole();
    bench.traffic.daily(&whole, BEGIN, from, 60.0);
    bench.traffic.daily(&whole, from, to, 20.0);
    judge(&bench, LIVE, to, 5 * MINUTE);
    let found = bench.only_incident();
    let impact = found.impact.clone().unwrap();
    // Two hours after noon miss two thirds of what a minute has on average, half as much again at noon, each worth the same.
    let missing = 2.0 * 60.0 * 40.0 * 1.43 * EACH_WORTH;
    assert!(
        (impact.value / missing - 1.0).abs() < 0.05,
        "{missing}: {found:?}"
    );
    assert_eq!(impact.unit.as_deref(), Some("EUR"));
}
