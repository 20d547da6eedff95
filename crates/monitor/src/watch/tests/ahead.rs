//! Faults that are told before their buckets are complete.

mod once;

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::traffic::{BEGIN, BUCKET, DAY, HOUR, SECOND};
use super::{Bench, rate_monitor};
use crate::definition::{Detect, MonitorDefinition, Sensitivity, ThresholdDetect};
use crate::detect::simulation::{binomial, poisson};
use crate::figure::Slice;
use crate::incident::{Incident, IncidentState, TimelineKind};

const LIVE: i64 = BEGIN + DAY / 2;
/// Events are waited for so long.
const LATENESS: i64 = 60 * SECOND;
/// So many of a hundred come late, by up to the lateness.
const LATE_OF_100: u32 = 5;

/// Payments that come second by second, some out of order.
struct Street {
    bench: Bench,
    rng: StdRng,
    /// Slices with their payments a minute and the share that is approved.
    slices: Vec<(Slice, f64, f64)>,
    /// When those come that are late: (second, slice, bucket, approved, attempts).
    under_way: Vec<(i64, usize, i64, f64, f64)>,
    now: i64,
}

impl Street {
    fn open(seed: u64, monitor: MonitorDefinition, slices: Vec<(Slice, f64, f64)>) -> Self {
        let bench = Bench::new(seed, vec![monitor]);
        bench.traffic.may_be_late(LATENESS);
        for (slice, per_minute, rate) in &slices {
            bench.traffic.steady(slice, BEGIN, LIVE, *per_minute, *rate);
        }
        Self {
            bench,
            rng: StdRng::seed_from_u64(seed),
            slices,
            under_way: Vec::new(),
            now: LIVE,
        }
    }

    /// Lets time pass, `rate` of a slice being approved instead of what is usual where it is told.
    fn pass(&mut self, seconds: i64, rate: Option<f64>) {
        for _ in 0..seconds {
            let bucket = self.now.div_euclid(BUCKET) * BUCKET;
            for at in 0..self.slices.len() {
                let (slice, per_minute, usual) = self.slices[at].clone();
                let attempts = poisson(&mut self.rng, per_minute / 60.0);
                for _ in 0..attempts {
                    let approved = binomial(&mut self.rng, 1, rate.unwrap_or(usual)) as f64;
                    if self.rng.random_range(0..100) < LATE_OF_100 {
                        let late = self.rng.random_range(0..LATENESS / SECOND) * SECOND;
                        self.under_way
                            .push((self.now + late, at, bucket, approved, 1.0));
                    } else {
                        self.bench.traffic.count(&slice, bucket, approved, 1.0);
                    }
                }
            }
            self.now += SECOND;
            let now = self.now;
            let due: Vec<_> = self.under_way.extract_if(.., |one| one.0 <= now).collect();
            for (_, at, bucket, approved, attempts) in due {
                let slice = &self.slices[at].0;
                self.bench.traffic.count(slice, bucket, approved, attempts);
            }
            self.judge();
        }
    }

    fn judge(&self) {
        self.bench
            .traffic
            .complete_upto(self.now - SECOND - LATENESS);
        assert_eq!(self.bench.watch.judge(self.now).faults, []);
    }
}

fn all(per_minute: f64) -> Vec<(Slice, f64, f64)> {
    vec![(Slice::whole(), per_minute, 0.9)]
}

fn waiting(mut monitor: MonitorDefinition) -> MonitorDefinition {
    monitor.early = false;
    monitor
}

/// How long it took by the clock until a fault was told, in seconds.
fn told_after_s(street: &mut Street, rate: Option<f64>) -> i64 {
    let fall = street.now;
    while street.bench.incidents().is_empty() {
        street.pass(1, rate);
        assert!(street.now < fall + 300 * SECOND, "never told");
    }
    (street.now - fall) / SECOND
}

fn delay_s(seed: u64, monitor: MonitorDefinition) -> i64 {
    let mut street = Street::open(seed, monitor, all(60.0));
    street.pass(90, None);
    let fall = street.now;
    let delay_s = told_after_s(&mut street, Some(0.3));
    let found = street.bench.only_incident();
    assert!((found.started_at_us - fall).abs() <= 2 * BUCKET);
    delay_s
}

#[test]
fn a_plain_fall_is_told_before_its_buckets_are_complete() {
    for seed in 1..6 {
        let (early, waited) = (
            delay_s(seed, rate_monitor(&[])),
            delay_s(seed, waiting(rate_monitor(&[]))),
        );
        println!("seed {seed}: told after {early} s, by complete buckets after {waited} s");
        assert!(early < LATENESS / SECOND, "before anything is complete");
        assert!(waited >= LATENESS / SECOND, "what waits, waits");
        assert!(early + 45 <= waited, "{early} and {waited} s");
    }
}

#[test]
fn what_is_told_early_goes_on_like_any_other_incident() {
    let mut street = Street::open(7, rate_monitor(&[]), all(60.0));
    street.pass(90, None);
    let fall = street.now;
    street.pass(40, Some(0.2));
    let open = street.bench.only_incident();
    assert!(open.opened_at_us <= street.now, "of no time to come");
    assert_eq!(open.state, IncidentState::Open);
    // Restarting loses nothing of it, and the complete buckets of before do not end it.
    street.bench.restart(vec![rate_monitor(&[])], street.now);
    street.pass(50, Some(0.2));
    let still = street.bench.only_incident();
    assert_eq!((still.id, still.state), (open.id, IncidentState::Open));
    assert_eq!(still.started_at_us, open.started_at_us);
    street.pass(300, Some(0.2));
    let upto = (street.now - SECOND - LATENESS).div_euclid(BUCKET) * BUCKET;
    let figures = street.bench.only_incident().figures;
    let counted = (street.bench.traffic).total(&Slice::whole(), open.started_at_us, upto);
    assert_eq!(figures.denominator, Some(counted.attempts));
    assert_eq!(figures.numerator, Some(counted.successes));
    let over = street.now;
    street.pass(900, None);
    let resolved = street.bench.only_incident();
    assert_eq!(resolved.state, IncidentState::Resolved);
    let kinds: Vec<TimelineKind> = resolved.timeline.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [TimelineKind::Opened, TimelineKind::Resolved]);
    assert!(resolved.resolved_at_us.unwrap() > over);
    assert!(resolved.timeline.is_sorted_by_key(|one| one.at_us));
    assert!((open.started_at_us - fall).abs() <= 2 * BUCKET);
}

#[test]
fn what_is_told_early_says_how_many_were_hit_so_far() {
    let share = bound(ThresholdDetect {
        below: Some(0.5),
        ..ThresholdDetect::default()
    });
    for monitor in [rate_monitor(&[]), share] {
        let mut street = Street::open(8, monitor, all(120.0));
        street.pass(90, None);
        told_after_s(&mut street, Some(0.1));
        let figures = street.bench.only_incident().figures;
        let (affected, of) = (figures.affected, figures.denominator);
        assert!(
            affected.is_some_and(|hit| hit > 0.0),
            "{affected:?} of {of:?}"
        );
    }
}

#[test]
fn what_was_told_early_ends_when_its_stream_falls_silent_for_good() {
    let mut street = Street::open(9, rate_monitor(&[]), all(120.0));
    street.pass(90, None);
    told_after_s(&mut street, Some(0.1));
    // No event any more: no bucket becomes complete after this.
    let silent_us = street.now;
    let complete_us = silent_us - SECOND - LATENESS;
    let judge = |street: &Street, at_us: i64| {
        street.bench.traffic.complete_upto(complete_us);
        assert_eq!(street.bench.watch.judge(at_us).faults, []);
    };
    judge(&street, silent_us + 5 * HOUR);
    assert_eq!(street.bench.only_incident().state, IncidentState::Open);
    street
        .bench
        .restart(vec![rate_monitor(&[])], silent_us + 5 * HOUR);
    judge(&street, silent_us + 7 * HOUR);
    let over = street.bench.only_incident();
    assert_eq!(over.state, IncidentState::Resolved, "{}", over.summary);
    assert!(over.timeline.is_sorted_by_key(|one| one.at_us));
    let told = over.timeline.len();
    judge(&street, silent_us + 8 * HOUR);
    assert_eq!(street.bench.only_incident().timeline.len(), told);
}

#[test]
fn what_late_events_refute_ends_when_the_buckets_are_complete() {
    let mut street = Street::open(3, rate_monitor(&[]), all(120.0));
    street.pass(90, None);
    // All that fails is there at once, and what succeeded comes later.
    let bucket = street.now.div_euclid(BUCKET) * BUCKET;
    street
        .bench
        .traffic
        .count(&Slice::whole(), bucket, 0.0, 40.0);
    street.pass(10, None);
    let open = street.bench.only_incident();
    assert_eq!(open.state, IncidentState::Open);
    street
        .bench
        .traffic
        .count(&Slice::whole(), bucket, 400.0, 400.0);
    street.pass(900, None);
    let refuted = street.bench.only_incident();
    assert_eq!(refuted.id, open.id);
    assert_eq!(refuted.state, IncidentState::Resolved);
    assert!(refuted.resolved_at_us.unwrap() >= open.opened_at_us);
}

#[test]
fn what_must_last_for_a_while_waits_for_complete_buckets() {
    let mut monitor = rate_monitor(&[]);
    monitor.hold = Duration::from_secs(20);
    assert!(delay_s(2, monitor) >= LATENESS / SECOND);
}

#[test]
fn looks_at_quiet_traffic_raise_no_false_alarm() {
    // Of a monitor that may raise one a week. Measured at length, see `bench/RESULTS.md`.
    let mut monitor = rate_monitor(&["merchant"]);
    if let Detect::Rate(rate) = &mut monitor.detect {
        rate.sensitivity = Sensitivity::High;
        rate.min_samples = 8;
    }
    let slices = (0..8).map(|i| {
        let slice = Slice::from([("merchant", i.to_string().as_str())]);
        let per_minute = [1.0, 5.0, 20.0, 60.0][i % 4];
        (slice, per_minute, [0.88, 0.7, 0.95, 0.5][i / 2])
    });
    let hours: i64 = std::env::var("TILLWATCH_QUIET_HOURS")
        .ok()
        .map_or(1, |text| text.parse().unwrap());
    let mut street = Street::open(11, monitor, slices.collect());
    street.pass(hours * 3600, None);
    let incidents = street.bench.incidents();
    println!("{} false alarms in {hours} hours", incidents.len());
    assert!(
        incidents.len() as i64 <= hours / 168,
        "{:?}",
        super::summaries(&incidents)
    );
}

fn bound(threshold: ThresholdDetect) -> MonitorDefinition {
    MonitorDefinition::new("bound", "authorization_rate", Detect::Threshold(threshold))
}

/// How long after payments began to fail a bound was told, and its incident after a quarter of an hour without.
fn bound_after_s(monitor: MonitorDefinition, is_count: bool) -> (i64, Incident) {
    let mut street = Street::open(5, monitor, all(if is_count { 20.0 } else { 60.0 }));
    if is_count {
        street.bench.traffic.is_count();
    }
    street.pass(90, None);
    if is_count {
        street.slices[0].1 = 200.0;
    }
    let rate = (!is_count).then_some(0.2);
    let after_s = told_after_s(&mut street, rate);
    street.pass(120, rate);
    street.slices[0].1 = 20.0;
    street.pass(900, None);
    (after_s, street.bench.only_incident())
}

#[test]
fn a_share_of_the_last_minute_is_held_against_its_bound_as_it_is_now() {
    let threshold = ThresholdDetect {
        below: Some(0.6),
        min_samples: 20,
        over: Some(Duration::from_secs(60)),
        ..ThresholdDetect::default()
    };
    let mut monitor = bound(threshold);
    monitor.resolve_after = Duration::ZERO;
    let (after_s, over) = bound_after_s(monitor.clone(), false);
    assert!(after_s <= 45, "{after_s} s");
    assert_eq!(over.state, IncidentState::Resolved);
    assert!(over.resolved_at_us.unwrap() > over.opened_at_us + 120 * SECOND);
    let (waited_s, _) = bound_after_s(waiting(monitor), false);
    assert!(waited_s >= after_s + 40, "{waited_s} and {after_s} s");
}

#[test]
fn a_count_is_told_once_it_is_beyond_its_upper_bound_and_never_early_for_being_small() {
    let threshold = ThresholdDetect {
        above: Some(100.0),
        below: Some(1.0),
        ..ThresholdDetect::default()
    };
    let (after_s, over) = bound_after_s(bound(threshold), true);
    assert!(after_s <= 100, "{after_s} s");
    assert_eq!(over.state, IncidentState::Resolved);
}

#[test]
fn a_window_that_has_just_begun_is_not_held_against_a_bound() {
    // The trailing window is the step itself: at its begin one refusal is all there is of it.
    let threshold = ThresholdDetect {
        below: Some(0.3),
        over: Some(Duration::from_secs(10)),
        ..ThresholdDetect::default()
    };
    let mut street = Street::open(21, bound(threshold), all(120.0));
    street.pass(1200, None);
    assert_eq!(super::summaries(&street.bench.incidents()), [""; 0]);
}

fn merchant(name: &str) -> Slice {
    Slice::from([("merchant", name)])
}

/// A monitor of how many payments a minute each merchant has, told of from 100 on.
fn many(below: Option<f64>) -> MonitorDefinition {
    let mut monitor = bound(ThresholdDetect {
        above: Some(100.0),
        below,
        ..ThresholdDetect::default()
    });
    monitor.by = vec!["merchant".to_owned()];
    monitor.notify = vec!["on_call".to_owned()];
    monitor
}

#[test]
fn who_is_new_in_a_bucket_that_is_not_complete_was_not_silent_before() {
    let slices = vec![(merchant("old"), 40.0, 0.9)];
    let mut street = Street::open(22, many(Some(1.0)), slices);
    street.bench.traffic.is_count();
    street.pass(200, None);
    street.slices.push((merchant("big"), 300.0, 0.9));
    street.slices.push((merchant("small"), 30.0, 0.9));
    street.pass(300, None);
    let found = street.bench.incidents();
    let about: Vec<&Slice> = found.iter().map(|one| &one.slice).collect();
    assert_eq!(about, [&merchant("big")]);
}

#[test]
fn counts_that_pass_their_bound_at_one_look_after_the_other_are_one_incident() {
    let slices = (0..6).map(|i| (merchant(&i.to_string()), 20.0, 0.9));
    let mut street = Street::open(23, many(None), slices.collect());
    street.bench.traffic.is_count();
    street.pass(120, None);
    for (at, slice) in street.slices.iter_mut().enumerate() {
        slice.1 = 150.0 + 50.0 * at as f64;
    }
    street.pass(240, None);
    let open = street.bench.only_incident();
    assert_eq!(open.slice, Slice::whole());
    for slice in &mut street.slices {
        slice.1 = 20.0;
    }
    street.pass(900, None);
    let over = street.bench.only_incident();
    assert_eq!(over.state, IncidentState::Resolved);
    assert!(over.timeline.is_sorted_by_key(|one| one.at_us));
}

#[test]
fn what_comes_in_time_after_an_early_look_is_no_revision() {
    let mut street = Street::open(24, rate_monitor(&[]), all(60.0));
    street.pass(90, None);
    let fall = street.now;
    told_after_s(&mut street, Some(0.3));
    let open = street.bench.only_incident();
    street.pass(6, Some(0.3));
    let (bucket, received) = (open.started_at_us, street.now);
    (street.bench.traffic).count_late(&Slice::whole(), bucket, (0.0, 1.0), received);
    street.pass(3, Some(0.3));
    let judged = street.bench.only_incident().judged.unwrap();
    assert!(judged.step_end_us > street.now - SECOND - LATENESS);
    assert_eq!(street.bench.only_incident().revision, None);
    assert!(open.opened_at_us > fall);
}

#[test]
fn an_early_look_does_not_end_what_has_been_quiet_for_long() {
    let slices = ["a", "b", "c", "d", "e"].map(|name| (merchant(name), 60.0, 0.9));
    let mut street = Street::open(25, rate_monitor(&["merchant"]), slices.to_vec());
    street.pass(90, None);
    street.slices[0].2 = 0.1;
    street.pass(200, None);
    assert_eq!(street.bench.only_incident().slice, merchant("a"));
    // Nothing of it for nearly six hours since it was last judged.
    let quiet_upto = street.now + 6 * HOUR - 130 * SECOND;
    for (others, ..) in &street.slices[1..] {
        (street.bench.traffic).steady(others, street.now, quiet_upto, 60.0, 0.9);
    }
    street.now = quiet_upto;
    street.slices[0].1 = 0.0;
    street.pass(30, None);
    // It is back as bad as it was, when another one breaks and is found early.
    street.slices[0].1 = 60.0;
    street.pass(20, None);
    street.slices[1].2 = 0.1;
    street.pass(45, None);
    let found = street.bench.incidents();
    assert_eq!(found.len(), 2, "{:?}", super::summaries(&found));
    street.pass(60, None);
    for one in street.bench.incidents() {
        assert_eq!(one.state, IncidentState::Open, "{}", one.summary);
        assert_eq!(one.timeline.len(), 1, "{:?}", one.timeline);
    }
}

/// Breaks slices at random, by the rate or the number of their payments, and looks at what is told meanwhile.
fn all_is_told_in_order_and_ends(seed: u64, mut monitor: MonitorDefinition, is_count: bool) {
    monitor.by = vec!["psp".to_owned(), "merchant".to_owned()];
    monitor.resolve_after = Duration::from_secs(60);
    let of = |i: usize| {
        let (psp, merchant) = (["x", "y"][i % 2], i.to_string());
        Slice::from([("psp", psp), ("merchant", merchant.as_str())])
    };
    let slices = (0..8).map(|i| (of(i), 30.0 + 10.0 * i as f64, 0.9));
    let mut street = Street::open(seed, monitor.clone(), slices.collect());
    if is_count {
        street.bench.traffic.is_count();
    }
    street.pass(90, None);
    for round in 0..40 {
        let (first, many) = (street.rng.random_range(0..8), street.rng.random_range(1..6));
        let (rate, per_minute) =
            [(0.9, 40.0), (0.6, 2.0), (0.2, 200.0)][street.rng.random_range(0..3)];
        for at in (first..first + many).map(|at| at % 8) {
            street.slices[at].2 = rate;
            if is_count {
                street.slices[at].1 = per_minute;
            }
        }
        let seconds = street.rng.random_range(15..60);
        street.pass(seconds, None);
        if round % 7 == 3 {
            street.bench.restart(vec![monitor.clone()], street.now);
        }
        for one in street.bench.incidents() {
            is_in_order(&one, street.now);
        }
    }
    for slice in &mut street.slices {
        (slice.1, slice.2) = (40.0, 0.9);
    }
    street.pass(1200, None);
    let found = street.bench.incidents();
    assert!(!found.is_empty());
    for one in found {
        assert_eq!(one.state, IncidentState::Resolved, "{}", one.summary);
    }
}

fn is_in_order(one: &Incident, now: i64) {
    let line = &one.timeline;
    let told = format!("{} {line:?}", one.summary);
    assert!(line.is_sorted_by_key(|entry| entry.at_us), "{told}");
    assert!(line.iter().all(|entry| entry.at_us <= now), "{told}");
    assert!(one.started_at_us <= one.opened_at_us, "{told}");
    assert!(
        one.resolved_at_us.is_none_or(|at| at >= one.opened_at_us),
        "{told}"
    );
    // What was over and has begun anew in one call was not over.
    for pair in line.windows(2) {
        let [before, after] = pair else { continue };
        let is_anew = before.kind == TimelineKind::Resolved && after.kind == TimelineKind::Reopened;
        assert!(!is_anew || before.at_us < after.at_us, "{told}");
    }
    let count = |of: &[TimelineKind]| line.iter().filter(|one| of.contains(&one.kind)).count();
    let begins = count(&[TimelineKind::Opened, TimelineKind::Reopened]);
    let is_open = usize::from(one.state != IncidentState::Resolved);
    assert_eq!(begins, count(&[TimelineKind::Resolved]) + is_open, "{told}");
    if let (Some(numerator), Some(denominator)) = (one.figures.numerator, one.figures.denominator) {
        assert!((0.0..=denominator).contains(&numerator), "{told}");
        let affected = one.figures.affected.unwrap();
        assert!((0.0..=denominator).contains(&affected), "{told}");
    }
}

#[test]
fn whatever_breaks_and_comes_back_incidents_are_told_in_order_and_end() {
    for seed in 31..34 {
        all_is_told_in_order_and_ends(seed, rate_monitor(&[]), false);
    }
    let counts = ThresholdDetect {
        above: Some(80.0),
        below: Some(5.0),
        ..ThresholdDetect::default()
    };
    for seed in 100..104 {
        all_is_told_in_order_and_ends(seed, bound(counts.clone()), true);
    }
}
