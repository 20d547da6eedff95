//! Live = replay: however events arrive, every figure equals SQL over the raw rows.

use std::time::Duration;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use proptest::prelude::*;
use tillwatch_collect::Downstream;
use tillwatch_process::CubeDefinition;

use crate::support::{Event, assert_same, cube, live, oracle, processor, record, states, stream};

const BUCKETS: [u64; 5] = [1, 7, 60, 3_600, 86_400];

fn event() -> impl Strategy<Value = Event> {
    let time = prop_oneof![
        // Around 1970, where truncation and flooring part ways, and exactly on borders.
        -200_000_000_i64..200_000_000,
        (-100_i64..100).prop_map(|s| s * 1_000_000),
        (-3_i64..3).prop_map(|d| d * 86_400_000_000),
        1_700_000_000_000_000_i64..1_700_000_090_000_000,
    ];
    let psp = prop_oneof![
        Just(None),
        Just(Some("adyen")),
        Just(Some("stripe")),
        Just(Some("a psp with a long name"))
    ];
    let amount = proptest::option::weighted(0.9, -10_000_000_000_i64..10_000_000_000);
    let x = proptest::option::weighted(0.9, (-4_000_i32..4_000).prop_map(|v| f64::from(v) / 8.0));
    (
        time,
        psp,
        any::<bool>(),
        amount,
        proptest::option::of(-50_i64..50),
        x,
        -80_i32..80,
        proptest::option::of(0_u32..40),
    )
        .prop_map(|(at_us, psp, ok, amount, quantity, x, y, user)| Event {
            id: 0,
            at_us,
            psp,
            ok,
            amount,
            quantity,
            x,
            y: f64::from(y) / 4.0,
            user,
        })
}

/// Events with ids, and the order they arrive in: shuffled, some twice, cut into records and groups.
fn arrivals() -> impl Strategy<Value = (Vec<Event>, Vec<Vec<Vec<Event>>>)> {
    proptest::collection::vec(event(), 1..120)
        .prop_map(|mut events| {
            for (event, id) in events.iter_mut().zip(0..) {
                event.id = id;
            }
            events
        })
        .prop_flat_map(|events| {
            let again = proptest::sample::subsequence(events.clone(), 0..=events.len() / 3);
            (Just(events), again)
        })
        .prop_flat_map(|(events, again)| {
            let all: Vec<Event> = events.iter().chain(&again).cloned().collect();
            (
                Just(events),
                Just(all).prop_shuffle(),
                1_usize..20,
                1_usize..6,
            )
        })
        .prop_map(|(events, all, record_rows, group_records)| {
            let records: Vec<Vec<Event>> = all.chunks(record_rows).map(<[Event]>::to_vec).collect();
            let groups = records
                .chunks(group_records)
                .map(<[Vec<Event>]>::to_vec)
                .collect();
            (events, groups)
        })
}

fn cubes() -> Vec<CubeDefinition> {
    let mut cubes: Vec<_> = BUCKETS
        .iter()
        .map(|s| {
            cube(
                &format!("every_{s}s"),
                Duration::from_secs(*s),
                &[("psp", "psp")],
            )
        })
        .collect();
    cubes.push(cube("whole", Duration::from_secs(86_400), &[]));
    cubes.push(cube(
        "expressions",
        Duration::from_secs(10),
        &[
            ("provider", "upper(psp)"),
            ("ok", "ok"),
            ("big", "amount > 1000"),
            ("parity", "quantity % 2"),
        ],
    ));
    cubes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_measure_of_every_bucket_equals_sql_over_the_raw_rows((events, groups) in arrivals()) {
        let definitions = cubes();
        let stream = stream(Some("id"));
        let processor = processor(stream.clone(), definitions.clone());
        let (mut position, mut accepted, mut duplicates) = (0, 0, 0);
        for group in &groups {
            let records: Vec<_> = group
                .iter()
                .map(|events| {
                    position += 1;
                    record(position, 1_700_000_100_000_000, events)
                })
                .collect();
            for applied in processor.apply(&records) {
                accepted += applied.accepted;
                duplicates += applied.duplicates;
            }
        }
        prop_assert_eq!(accepted, events.len() as u64);
        prop_assert_eq!(duplicates, groups.iter().flatten().flatten().count() as u64 - accepted);
        for definition in &definitions {
            let cube = processor.cube(&definition.name).expect("the cube exists");
            assert_same(&live(&cube), &oracle(definition, &stream, &events));
        }
    }
}

/// Many keys over many days, so that chunks are merged over several tiers and settled and cut.
#[test]
fn figures_survive_every_tier_of_merging() {
    let definition = CubeDefinition {
        measures: vec![
            ("events".to_owned(), "count(*)".to_owned()),
            ("volume".to_owned(), "sum(amount_eur)".to_owned()),
            ("shoppers".to_owned(), "distinct(shopper)".to_owned()),
            ("mean_f".to_owned(), "avg(x)".to_owned()),
            ("spread".to_owned(), "quantile(x)".to_owned()),
        ],
        ..cube(
            "deep",
            Duration::from_secs(10),
            &[("psp", "psp"), ("shopper", "shopper")],
        )
    };
    let stream = stream(None);
    let processor = processor(stream.clone(), vec![definition.clone()]);
    let names = [Some("adyen"), Some("stripe"), None];
    // A fixed linear congruential sequence: the test is the same on every run.
    let mut state = 7_u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 16) % below
    };
    let events: Vec<Event> = (0..90_000)
        .map(|id| Event {
            id,
            at_us: i64::try_from(next(5 * 86_400 * 1_000_000)).expect("small") - 86_400_000_000,
            psp: names[next(3) as usize],
            ok: true,
            amount: Some(i64::try_from(next(100_000)).expect("small")),
            quantity: None,
            x: Some(next(1_000) as f64 / 8.0),
            y: 0.0,
            user: Some(u32::try_from(next(50)).expect("small")),
        })
        .collect();
    for (position, part) in (0..).zip(events.chunks(1_500)) {
        processor.apply(&[record(position, 0, part)]);
    }
    let cube = processor.cube("deep").expect("the cube exists");
    assert_same(&live(&cube), &oracle(&definition, &stream, &events));

    let status = cube.status();
    assert!(status.chunks < 40, "{status:?}");
    // A snapshot of a range holds every state of it and no settled state outside.
    let (from, to) = (86_400_000_000, 86_400_000_000 + 3_600_000_000);
    let part: usize = states(&cube, Some(from), Some(to))
        .iter()
        .map(|b| b.num_rows())
        .sum();
    let wanted = events
        .iter()
        .filter(|e| (from..to).contains(&e.at_us))
        .count();
    assert!(
        part > 0 && part <= wanted,
        "{part} states for {wanted} events"
    );
}

/// Enough states that they settle: first behind what has settled as time goes on, a few late ones among them, then
/// all over it again.
#[test]
fn figures_survive_settling_in_order_and_out_of_it() {
    settling(480_000, 2 * 480_000, false);
}

/// A clock that is wrong sends an event of next year, behind which nothing comes any more.
#[test]
fn states_settle_before_a_bucket_far_in_the_future() {
    settling(480_000, 480_000, true);
}

/// `in_order` events whose time goes on, and others up to `all` at any time; the first of all may be of next year.
fn settling(in_order: u64, all: u64, future: bool) {
    let definition = CubeDefinition {
        measures: vec![
            ("events".to_owned(), "count(*)".to_owned()),
            ("volume".to_owned(), "sum(amount_eur)".to_owned()),
        ],
        ..cube(
            "wide",
            Duration::from_secs(10),
            &[("psp", "psp"), ("shopper", "shopper")],
        )
    };
    let stream = stream(None);
    let processor = processor(stream.clone(), vec![definition.clone()]);
    let names = [Some("adyen"), Some("stripe"), None];
    // A fixed sequence: the test is the same on every run.
    let mut state = 11_u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 16) % below
    };
    const HOUR_US: u64 = 3_600_000_000;
    let events: Vec<Event> = (0..all)
        .map(|id| {
            let now_us = 12 * HOUR_US * id / in_order;
            let at_us = match next(20) {
                _ if future && id == 0 => 9_000 * HOUR_US,
                _ if id >= in_order => next(12 * HOUR_US),
                0 => now_us.saturating_sub(next(HOUR_US)),
                _ => now_us,
            };
            Event {
                id: u32::try_from(id).expect("small"),
                at_us: i64::try_from(at_us).expect("small"),
                psp: names[next(3) as usize],
                ok: true,
                amount: Some(i64::try_from(next(100_000)).expect("small")),
                quantity: None,
                x: None,
                y: 0.0,
                user: Some(u32::try_from(next(50)).expect("small")),
            }
        })
        .collect();
    let cube = processor.cube("wide").expect("the cube exists");
    let mut taken = 0;
    for (position, part) in (0..).zip(events.chunks(16_000)) {
        processor.apply(&[record(position, 0, part)]);
        taken += part.len();
        if !(taken as u64).is_multiple_of(in_order) {
            continue;
        }
        let so_far = events.get(..taken).expect("taken");
        assert_same(&live(&cube), &oracle(&definition, &stream, so_far));
        // Settled chunks have some 8 192 rows, and a range holds no state outside of it.
        let status = cube.status();
        assert!((20..200).contains(&status.chunks), "{status:?}");
        // What has not settled is in few chunks, though a few late states stay of each.
        assert!(status.chunks <= status.rows / 8_192 + 16, "{status:?}");
        let (from, to) = (3_600_000_000, 7_200_000_000);
        for batch in states(&cube, Some(from), Some(to)) {
            let starts = batch.column(0).as_primitive::<TimestampMicrosecondType>();
            let within = starts
                .values()
                .iter()
                .all(|start| (from..to).contains(start));
            assert!(within, "a state of another hour");
        }
    }
}

/// With `keep`, old states are those of a cube with the coarser bucket, and the oldest are gone.
#[test]
fn retention_rolls_up_with_age_and_removes_at_last() {
    let minute = 60_000_000;
    let fine = CubeDefinition {
        keep: vec![
            (Duration::from_secs(10), Duration::from_secs(600)),
            (Duration::from_secs(60), Duration::from_secs(3_600)),
        ],
        ..cube("fine", Duration::from_secs(10), &[("psp", "psp")])
    };
    let coarse = cube("coarse", Duration::from_secs(60), &[("psp", "psp")]);
    let processor = processor(stream(None), vec![fine, coarse]);
    let events: Vec<Event> = (0..7_200)
        .map(|id| Event {
            id,
            at_us: i64::from(id) * 1_000_000,
            psp: Some("adyen"),
            ok: id % 2 == 0,
            amount: Some(1),
            quantity: None,
            x: Some(f64::from(id % 9)),
            y: f64::from(id % 7),
            user: Some(id % 5),
        })
        .collect();
    for (position, part) in (0..).zip(events.chunks(300)) {
        processor.apply(&[record(position, part[0].at_us, part)]);
    }
    let (fine, coarse) = (
        processor.cube("fine").expect("fine"),
        processor.cube("coarse").expect("coarse"),
    );
    let (fine_figures, coarse_figures) = (live(&fine), live(&coarse));
    // The watermark is at 7139 s, and the last run was less than a sixteenth of 10 min before.
    let starts: Vec<String> = fine_figures.keys().map(|k| k[0].clone()).collect();
    assert!(
        starts
            .first()
            .is_some_and(|s| s.as_str() >= "1970-01-01T00:54:00Z"),
        "{:?}",
        starts.first()
    );
    assert!(
        starts.contains(&"1970-01-01T01:58:50Z".to_owned()),
        "the newest are fine"
    );
    assert!(
        !starts
            .iter()
            .any(|s| s.as_str() < "1970-01-01T01:45:00Z" && !s.ends_with(":00Z")),
        "the old are coarse"
    );
    let mut compared = 0;
    for (key, values) in fine_figures
        .iter()
        .filter(|(k, _)| k[0].as_str() < "1970-01-01T01:45:00Z")
    {
        let one = [(key.clone(), values.clone())].into();
        assert_same(&one, &[(key.clone(), coarse_figures[key].clone())].into());
        compared += 1;
    }
    assert!(compared > 40, "{compared}");
    // A range that begins inside a coarse bucket has that bucket.
    let inside: usize = states(&fine, Some(100 * minute + 5), Some(100 * minute + 6))
        .iter()
        .map(|b| b.num_rows())
        .sum();
    assert_eq!(inside, 1);
}

#[test]
fn a_late_event_merges_into_its_old_bucket_and_is_counted() {
    let definition = cube("c", Duration::from_secs(60), &[]);
    let stream = stream(None);
    let processor = processor(stream.clone(), vec![definition.clone()]);
    let hour = 3_600_000_000;
    let event = |id, at_us| Event {
        id,
        at_us,
        psp: None,
        ok: true,
        amount: Some(100),
        quantity: None,
        x: None,
        y: 0.0,
        user: None,
    };
    let events = [
        event(0, hour),
        event(1, hour + 1),
        event(2, 5),
        event(3, hour + 1 - 60_000_000),
    ];
    let cube = processor.cube("c").expect("the cube exists");
    processor.apply(&[record(1, hour, &events[..2])]);
    let before = cube.version();
    assert_eq!(cube.changed_since(before), None);
    processor.apply(&[record(2, hour, &events[2..3])]);
    assert_eq!(cube.changed_since(before), Some((0, 0)));
    // Exactly at the watermark is not late.
    processor.apply(&[record(3, hour, &events[3..])]);
    assert_eq!(cube.changed_since(before), Some((0, hour - 60_000_000)));
    assert_eq!(cube.changed_since(0).map(|(_, last)| last), Some(hour));
    assert_same(&live(&cube), &oracle(&definition, &stream, &events));
    let status = processor.status().streams.remove(0);
    assert_eq!((status.events, status.late), (4, 1));
    assert_eq!(status.watermark_us, Some(hour + 1 - 60_000_000));
}
