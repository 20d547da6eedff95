//! What is told early is told once, with all that is known, and no failure hides what was done before it.

use super::*;

#[test]
fn a_share_whose_good_events_have_left_its_window_says_how_many_were_hit() {
    let share = bound(ThresholdDetect {
        below: Some(0.5),
        min_samples: 5,
        over: Some(Duration::from_secs(60)),
        ..ThresholdDetect::default()
    });
    let bench = Bench::new(41, vec![share]);
    let whole = Slice::whole();
    bench.traffic.may_be_late(LATENESS);
    bench.traffic.steady(&whole, BEGIN, LIVE, 60.0, 0.9);
    let judge = |now: i64| {
        bench.traffic.complete_upto(now - SECOND - LATENESS);
        assert_eq!(bench.watch.judge(now).faults, []);
    };
    judge(LIVE + SECOND);
    // With the good ones it is 10 of 18, and without them none of 8.
    bench.traffic.count(&whole, LIVE, 10.0, 10.0);
    bench.traffic.count(&whole, LIVE + BUCKET, 0.0, 8.0);
    judge(LIVE + 50 * SECOND);
    assert_eq!(super::super::summaries(&bench.incidents()), [""; 0]);
    judge(LIVE + 62 * SECOND);
    let figures = bench.only_incident().figures;
    assert_eq!(figures.denominator, Some(8.0));
    assert_eq!(figures.affected, Some(4.0));
}

#[test]
fn counts_that_pass_their_bound_barely_wait_for_each_other() {
    for seed in 50..60 {
        let slices = (0..6).map(|i| (merchant(&i.to_string()), 20.0, 0.9));
        let mut street = Street::open(seed, many(None), slices.collect());
        street.bench.traffic.is_count();
        street.pass(120, None);
        for slice in &mut street.slices {
            slice.1 = 135.0;
        }
        street.pass(200, None);
        let found = street.bench.incidents();
        let told = super::super::summaries(&found);
        let about: Vec<&Slice> = found.iter().map(|one| &one.slice).collect();
        assert_eq!(about, [&Slice::whole()], "seed {seed}: {told:?}");
        assert_eq!(found[0].state, IncidentState::Open);
    }
}

#[test]
fn what_is_bad_again_when_its_good_buckets_are_complete_is_not_told_to_be_over() {
    for seed in 61..65 {
        let mut monitor = rate_monitor(&[]);
        monitor.resolve_after = Duration::ZERO;
        let mut street = Street::open(seed, monitor, all(120.0));
        street.pass(90, None);
        street.pass(60, Some(0.2));
        street.pass(50, None);
        street.pass(200, Some(0.2));
        let found = street.bench.only_incident();
        let kinds: Vec<TimelineKind> = found.timeline.iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [TimelineKind::Opened], "seed {seed}");
        street.pass(300, None);
        assert_eq!(
            street.bench.only_incident().state,
            IncidentState::Resolved,
            "seed {seed}"
        );
    }
}

#[test]
fn a_failure_to_look_ahead_does_not_hide_the_steps_that_were_judged() {
    let mut street = Street::open(66, rate_monitor(&[]), all(60.0));
    street.pass(90, None);
    street.now += BUCKET;
    let upto = street.now - SECOND - LATENESS;
    street.bench.traffic.complete_upto(upto);
    street.bench.traffic.fails_after(upto);
    let report = street.bench.watch.judge(street.now);
    assert_eq!(report.faults.len(), 1, "{report:?}");
    assert_eq!(report.steps, 1, "{report:?}");
}
