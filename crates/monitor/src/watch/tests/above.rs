//! What hits many slices a little is found above them.

use std::time::Duration;

use super::traffic::{BEGIN, DAY, HOUR, MINUTE};
use super::{Bench, rate_monitor, slice, summaries};
use crate::definition::{CountDetect, Detect, Direction, MonitorDefinition};
use crate::figure::Slice;
use crate::incident::IncidentState;

const LIVE: i64 = BEGIN + DAY / 2;

/// Steady traffic of three PSPs with five issuers each, 20 payments a minute at each pair, whose rate follows `rate`.
fn traffic(bench: &Bench, spans: &[(i64, i64)], rate: impl Fn(&str, u32, usize) -> f64) {
    for psp in ["adyen", "stripe", "worldpay"] {
        for issuer in 0..5 {
            for (nth, (from, to)) in spans.iter().enumerate() {
                let rate = rate(psp, issuer, nth);
                let slice = slice(psp, issuer);
                bench.traffic.steady(&slice, *from, *to, 20.0, rate);
            }
        }
    }
}

#[test]
fn all_declining_a_little_more_is_found_as_a_whole() {
    let bench = Bench::new(101, vec![rate_monitor(&["psp", "issuer"])]);
    let (fall, back, end) = (LIVE + 20 * MINUTE, LIVE + HOUR, LIVE + 2 * HOUR);
    let spans = [(BEGIN, fall), (fall, back), (back, end)];
    // In the longest stretch each pair expects 38 declines and has 58: alone that is nothing yet.
    traffic(&bench, &spans, |_, _, nth| [0.88, 0.82, 0.88][nth]);
    bench.judge(LIVE, back);
    let open = bench.only_incident();
    assert_eq!(
        (open.state, open.slice.clone()),
        (IncidentState::Open, Slice::whole())
    );
    let delay = open.opened_at_us - fall;
    assert!(
        (0..=8 * MINUTE).contains(&delay),
        "after {} s",
        delay / 1_000_000
    );
    let expected = open.figures.expected.unwrap();
    assert!((expected - 0.88).abs() < 0.01, "{open:?}");
    bench.judge(back, end);
    let over = bench.only_incident();
    assert_eq!(over.state, IncidentState::Resolved, "{over:?}");
    assert!(
        over.resolved_at_us.unwrap() - back < 20 * MINUTE,
        "{over:?}"
    );
}

#[test]
fn a_psp_that_declines_a_little_more_is_found_as_that_psp() {
    let bench = Bench::new(102, vec![rate_monitor(&["psp", "issuer"])]);
    let (fall, end) = (LIVE + 20 * MINUTE, LIVE + HOUR);
    traffic(&bench, &[(BEGIN, fall), (fall, end)], |psp, _, nth| {
        if psp == "stripe" && nth == 1 {
            0.76
        } else {
            0.88
        }
    });
    bench.judge(LIVE, end);
    let found = bench.only_incident();
    assert_eq!(found.slice, Slice::from([("psp", "stripe")]));
    assert!(found.opened_at_us - fall <= 8 * MINUTE, "{found:?}");
}

#[test]
fn an_issuer_that_declines_a_little_more_everywhere_is_found_as_that_issuer() {
    let bench = Bench::new(113, vec![rate_monitor(&["psp", "issuer"])]);
    let (fall, end) = (LIVE + 20 * MINUTE, LIVE + HOUR);
    traffic(&bench, &[(BEGIN, fall), (fall, end)], |_, issuer, nth| {
        if issuer == 3 && nth == 1 { 0.72 } else { 0.88 }
    });
    bench.judge(LIVE, end);
    let found = bench.only_incident();
    assert_eq!(found.slice, Slice::from([("issuer", "bank_3")]));
    assert!(found.opened_at_us - fall <= 8 * MINUTE, "{found:?}");
}

#[test]
fn one_broken_pair_is_no_broken_whole_neither_while_it_lasts_nor_after() {
    for seed in 103..106 {
        let bench = Bench::new(seed, vec![rate_monitor(&["psp", "issuer"])]);
        let (fall, back, end) = (LIVE + 20 * MINUTE, LIVE + 50 * MINUTE, LIVE + 2 * HOUR);
        let spans = [(BEGIN, fall), (fall, back), (back, end)];
        traffic(&bench, &spans, |psp, issuer, nth| {
            let broken = psp == "adyen" && issuer == 2 && nth == 1;
            if broken { 0.1 } else { 0.88 }
        });
        bench.judge(LIVE, end);
        let found = bench.only_incident();
        assert_eq!(found.slice, slice("adyen", 2), "seed {seed}");
        assert_eq!(found.state, IncidentState::Resolved, "seed {seed}");
    }
}

#[test]
fn a_dip_of_all_ends_by_itself_beside_a_pair_that_stays_broken() {
    let bench = Bench::new(114, vec![rate_monitor(&["psp", "issuer"])]);
    let broken = LIVE + 10 * MINUTE;
    let (dips, back, end) = (LIVE + HOUR, LIVE + 85 * MINUTE, LIVE + 3 * HOUR);
    let spans = [(BEGIN, broken), (broken, dips), (dips, back), (back, end)];
    traffic(&bench, &spans, |psp, issuer, nth| {
        match (psp, issuer, nth) {
            ("adyen", 2, 1..) => 0.1,
            (_, _, 2) => 0.8,
            _ => 0.88,
        }
    });
    bench.judge(LIVE, end);
    let found = bench.incidents();
    assert_eq!(found.len(), 2, "{:?}", summaries(&found));
    let pair = &found[0];
    assert_eq!(
        (pair.slice.clone(), pair.state),
        (slice("adyen", 2), IncidentState::Open)
    );
    let all = &found[1];
    assert_eq!(
        (all.slice.clone(), all.state),
        (Slice::whole(), IncidentState::Resolved)
    );
    assert!((all.started_at_us - dips).abs() <= 5 * MINUTE, "{all:?}");
    assert!(all.resolved_at_us.unwrap() - back <= 20 * MINUTE, "{all:?}");
}

#[test]
fn what_is_led_elsewhere_while_all_is_bad_does_not_keep_it_bad() {
    let bench = Bench::new(115, vec![rate_monitor(&["psp"])]);
    let (fall, back, end) = (LIVE + 20 * MINUTE, LIVE + HOUR, LIVE + 2 * HOUR);
    for (psp, rate, before, after) in [("good", 0.95, 150.0, 30.0), ("poor", 0.75, 30.0, 150.0)] {
        let slice = Slice::from([("psp", psp)]);
        bench.traffic.steady(&slice, BEGIN, fall, before, rate);
        bench
            .traffic
            .steady(&slice, fall, back, before, rate - 0.08);
        // When it is over, most of the traffic goes where less is approved.
        bench.traffic.steady(&slice, back, end, after, rate);
    }
    bench.judge(LIVE, end);
    let found = bench.incidents();
    let open = found.iter().filter(|one| one.state == IncidentState::Open);
    assert_eq!(open.count(), 0, "{:?}", summaries(&found));
    assert!(!found.is_empty());
}

#[test]
fn a_new_psp_is_no_fault_of_what_holds_it() {
    let bench = Bench::new(116, vec![rate_monitor(&["psp", "issuer"])]);
    let (starts, end) = (LIVE + 20 * MINUTE, LIVE + 2 * HOUR);
    traffic(&bench, &[(BEGIN, starts), (starts, end)], |_, _, _| 0.88);
    for issuer in 0..3 {
        let slice = slice("new", issuer);
        bench.traffic.steady(&slice, starts, end, 25.0, 0.76);
    }
    bench.judge(LIVE, end);
    let wide = bench.incidents();
    let wide = wide.iter().filter(|one| one.slice.value("psp").is_none());
    assert_eq!(wide.count(), 0, "{:?}", summaries(&bench.incidents()));
}

#[test]
fn traffic_that_moves_to_where_less_is_approved_is_no_fault() {
    let bench = Bench::new(107, vec![rate_monitor(&["psp"])]);
    let (moves, end) = (LIVE + 20 * MINUTE, LIVE + 2 * HOUR);
    for (psp, rate, before, after) in [("good", 0.95, 60.0, 15.0), ("poor", 0.75, 15.0, 60.0)] {
        let slice = Slice::from([("psp", psp)]);
        bench.traffic.steady(&slice, BEGIN, moves, before, rate);
        bench.traffic.steady(&slice, moves, end, after, rate);
    }
    bench.judge(LIVE, end);
    assert_eq!(summaries(&bench.incidents()), Vec::<String>::new());
}

#[test]
fn quiet_traffic_that_wanders_is_quiet_above_as_well() {
    for seed in 108..110 {
        let bench = Bench::new(seed, vec![rate_monitor(&["psp", "issuer"])]);
        let end = LIVE + 12 * HOUR;
        for psp in ["adyen", "stripe", "worldpay"] {
            for issuer in 0..5 {
                let slice = slice(psp, issuer);
                bench
                    .traffic
                    .wandering(&slice, (BEGIN, end), 20.0, 0.88, 300.0);
            }
        }
        bench.judge(LIVE, end);
        assert_eq!(
            summaries(&bench.incidents()),
            Vec::<String>::new(),
            "seed {seed}"
        );
    }
}

#[test]
fn all_having_fewer_is_found_as_a_whole_and_one_that_has_none_is_not() {
    let detect = CountDetect {
        history: Duration::from_secs(7 * 24 * 3600),
        ..CountDetect::default()
    };
    let bench = |seed: u64, direction| {
        let mut monitor =
            MonitorDefinition::new("fewer", "attempts", Detect::Count(detect.clone()));
        monitor.by = vec!["psp".to_owned(), "issuer".to_owned()];
        monitor.direction = direction;
        let bench = Bench::new(seed, vec![monitor]);
        bench.traffic.is_count();
        bench
    };
    let live = BEGIN + 7 * DAY + DAY / 2;
    let (fall, end) = (live + 20 * MINUTE, live + HOUR);
    let found = |seed: u64, share: fn(u32) -> f64| {
        let bench = bench(seed, Direction::Down);
        for psp in ["adyen", "stripe", "worldpay"] {
            for issuer in 0..5 {
                let slice = slice(psp, issuer);
                let left = if psp == "adyen" {
                    share(issuer)
                } else {
                    share(99)
                };
                bench.traffic.daily(&slice, BEGIN, fall, 6.0);
                bench.traffic.daily(&slice, fall, end, 6.0 * left);
            }
        }
        bench.judge(live, end);
        let found = bench.only_incident();
        (found.slice.clone(), found.opened_at_us - fall)
    };
    // Each pair expects some nine events a minute, and misses three of them.
    let (whole, delay) = found(111, |_| 0.65);
    assert_eq!(whole, Slice::whole());
    assert!(delay <= 10 * MINUTE, "after {} s", delay / 1_000_000);
    let (one, _) = found(112, |issuer| if issuer == 2 { 0.0 } else { 1.0 });
    assert_eq!(one, slice("adyen", 2));
    // A new PSP is not too much of anything.
    let bench = bench(117, Direction::Both);
    for issuer in 0..5 {
        for psp in ["adyen", "stripe"] {
            let slice = slice(psp, issuer);
            bench.traffic.daily(&slice, BEGIN, end, 6.0);
        }
        bench.traffic.daily(&slice("new", issuer), fall, end, 6.0);
    }
    bench.judge(live, end);
    assert_eq!(summaries(&bench.incidents()), Vec::<String>::new());
}
