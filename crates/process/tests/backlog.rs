//! Events that wait to be aggregated: whoever asks sees them, and waiting changes no figure.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use tillwatch_collect::Downstream;
use tillwatch_process::{CubeDefinition, ProcessOptions, Processor};

use crate::support::{Event, assert_same, cube, live, processor, rates, record, states, stream};

fn event(id: u32, at_us: i64) -> Event {
    Event {
        id,
        at_us,
        psp: Some(["adyen", "stripe", "checkout"][id as usize % 3]),
        ok: id.is_multiple_of(2),
        amount: Some(i64::from(id) * 7),
        quantity: Some(i64::from(id % 5)),
        x: Some(f64::from(id % 16)),
        y: 1.0,
        user: Some(id % 11),
    }
}

fn by_shopper() -> CubeDefinition {
    cube("c", Duration::from_secs(60), &[("shopper", "shopper")])
}

/// The events counted by a cube's states.
fn counted(processor: &Processor) -> u64 {
    let figures = live(&processor.cube("c").expect("the cube exists"));
    let counts = figures.values().map(|v| v["events"].parse::<u64>());
    counts.map(|count| count.expect("a count")).sum()
}

#[test]
fn an_event_is_in_every_view_after_it_was_taken_and_its_bucket_is_told_to_have_changed() {
    let processor = processor(stream(Some("id")), vec![by_shopper()]);
    let cube = processor.cube("c").expect("the cube exists");
    for id in 0..50_u32 {
        let minute = i64::from(id % 4) * 60_000_000;
        let before = cube.version();
        processor.apply(&[record(u64::from(id), 0, &[event(id, minute + 5)])]);
        assert!(cube.version() > before);
        assert_eq!(cube.changed_since(before), Some((minute, minute)));
        if id % 3 == 0 {
            assert_eq!(counted(&processor), u64::from(id) + 1);
            // Aggregating what waited is no change of its own.
            let version = cube.version();
            assert!(!states(&cube, None, None).is_empty());
            assert_eq!(cube.version(), version);
        }
    }
    assert_eq!(processor.status().cubes[0].failed_rows, 0);
}

#[test]
fn a_group_of_many_requests_is_one_change_to_its_readers() {
    let processor = processor(stream(Some("id")), vec![by_shopper()]);
    let cube = processor.cube("c").expect("the cube exists");
    let before = cube.version();
    let records: Vec<_> = (0..3_000_u32)
        .map(|id| {
            record(
                u64::from(id),
                0,
                &[event(id, i64::from(id % 2) * 60_000_000)],
            )
        })
        .collect();
    processor.apply(&records);
    assert_eq!(cube.version(), before + 1);
    // Not everything there is, as for who is too far behind.
    assert_eq!(cube.changed_since(before), Some((0, 60_000_000)));
}

#[test]
fn events_that_take_more_than_the_limit_do_not_wait() {
    let counted_at_once = |backlog_bytes_max| {
        let mut stream = stream(Some("id"));
        let derived = ("ratio".to_owned(), "100 / quantity".to_owned());
        stream.derive.push(derived);
        let options = ProcessOptions {
            backlog_bytes_max,
            ..ProcessOptions::default()
        };
        let processor = Processor::new(vec![stream], vec![by_shopper()], rates(), options)
            .expect("definitions");
        // Each fifth has no ratio, which is counted when it is aggregated; the stream itself settles nothing.
        let events: Vec<_> = (0..50).map(|id| event(id, 5)).collect();
        processor.apply(&[record(1, 0, &events)]);
        let log = processor.stream("events").expect("the stream exists");
        log.status().derive_failed
    };
    assert_eq!(counted_at_once(0), 10);
    assert_eq!(counted_at_once(1_000), 10);
    assert_eq!(counted_at_once(32 << 20), 0);
}

#[test]
fn a_cube_that_outlives_its_processor_has_everything_that_was_taken() {
    let processor = processor(stream(Some("id")), vec![by_shopper()]);
    let cube = processor.cube("c").expect("the cube exists");
    let events: Vec<_> = (0..9).map(|id| event(id, 5)).collect();
    processor.apply(&[record(1, 0, &events)]);
    drop(processor);
    let counts = live(&cube)
        .into_values()
        .map(|v| v["events"].parse::<u64>());
    assert_eq!(counts.map(|count| count.expect("a count")).sum::<u64>(), 9);
}

#[test]
fn readers_beside_the_writer_miss_nothing_that_was_taken_before_they_asked() {
    const GROUPS: u64 = 300;
    let processor = processor(stream(Some("id")), vec![by_shopper()]);
    let taken = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut seen = 0;
                while seen < GROUPS * 20 {
                    let before = taken.load(Ordering::Acquire);
                    seen = counted(&processor);
                    assert!(seen >= before, "{seen} of {before} events");
                }
            });
        }
        for group in 0..GROUPS {
            let first = u32::try_from(group).expect("small") * 20;
            let events: Vec<_> = (first..first + 20)
                .map(|id| event(id, i64::from(id)))
                .collect();
            let applied = processor.apply(&[record(group, 0, &events)]);
            taken.fetch_add(applied[0].accepted, Ordering::Release);
        }
    });
    assert_eq!(counted(&processor), GROUPS * 20);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// The same groups, aggregated at once and whenever somebody asks: the same figures, the same combinations
    /// kept of too many, the same buckets told.
    #[test]
    fn however_long_events_wait_figures_and_combinations_are_the_same(
        sizes in proptest::collection::vec(1_usize..30, 1..20),
        asked in proptest::collection::vec(any::<bool>(), 20),
        bytes_max in prop_oneof![Just(0_usize), Just(20_000), Just(32 << 20)],
        combinations_max in prop_oneof![Just(4_usize), Just(1000)],
    ) {
        let plan = |backlog_bytes_max| {
            let options = ProcessOptions { backlog_bytes_max, combinations_max, ..ProcessOptions::default() };
            Processor::new(vec![stream(Some("id"))], vec![by_shopper()], rates(), options)
                .expect("definitions")
        };
        let (waiting, at_once) = (plan(bytes_max), plan(0));
        let mut next = 0;
        for (group, (size, asked)) in sizes.iter().zip(&asked).enumerate() {
            let ids = next..next + u32::try_from(*size).expect("small");
            next = ids.end;
            let events: Vec<_> = ids.map(|id| event(id, i64::from(id * 7_919 % 300) * 1_000_000)).collect();
            let group = [record(group as u64, 0, &events)];
            waiting.apply(&group);
            at_once.apply(&group);
            if *asked {
                prop_assert_eq!(counted(&waiting), u64::from(next));
            }
        }
        let cubes = [&waiting, &at_once].map(|processor| processor.cube("c").expect("the cube exists"));
        let [waited, not] = cubes.each_ref().map(|cube| live(cube));
        assert_same(&waited, &not);
        let [waited, not] = cubes.each_ref().map(|cube| cube.status());
        prop_assert_eq!(waited.combinations, not.combinations);
        prop_assert_eq!(waited.other_rows > 0, not.other_rows > 0);
        prop_assert_eq!(cubes[0].changed_since(0), cubes[1].changed_since(0));
    }
}
