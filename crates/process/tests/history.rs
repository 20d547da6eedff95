//! History: whatever is flushed, compacted, cut off by a crash and taken up again, every event is
//! there once and every figure is what SQL over the raw events gives.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tillwatch_process::CubeDefinition;

use crate::support::{Event, assert_same, cube, live, oracle, stream};
use crate::till::{DAY_US, Till, comparable, event, per_minute};

fn whole() -> CubeDefinition {
    cube("whole", Duration::from_secs(86_400), &[])
}

#[derive(Debug, Clone)]
enum Step {
    /// New events at these times, and some that were sent before.
    Send(Vec<i64>, Vec<prop::sample::Index>),
    Flush,
    Maintain,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let times = prop::collection::vec(0..3 * DAY_US, 1..20);
    let again = prop::collection::vec(any::<prop::sample::Index>(), 0..5);
    let step = prop_oneof![
        5 => (times, again).prop_map(|(times, again)| Step::Send(times, again)),
        3 => Just(Step::Flush),
        1 => Just(Step::Maintain),
        2 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn every_figure_is_right_whatever_is_flushed_maintained_and_restarted(steps in steps()) {
        let mut till = Till::new(stream(Some("id")), vec![per_minute(), whole()]);
        let mut events: Vec<Event> = Vec::new();
        for step in steps {
            match step {
                Step::Send(times, again) => {
                    let mut sent: Vec<Event> = Vec::new();
                    for at_us in times {
                        let id = u32::try_from(events.len()).expect("few");
                        events.push(event(id, at_us));
                        sent.push(events[id as usize].clone());
                    }
                    let new = sent.len() as u64;
                    sent.extend(again.iter().map(|index| index.get(&events).clone()));
                    prop_assert_eq!(till.send(&sent), new);
                }
                Step::Flush => till.flush(),
                Step::Maintain => { till.maintain(); }
                Step::Restart => {
                    let before = comparable(&till.processor);
                    till.restart();
                    prop_assert_eq!(comparable(&till.processor), before);
                }
            }
        }
        till.check(&events);
        till.restart();
        till.check(&events);
    }
}

#[test]
fn the_journal_forgets_what_history_holds_and_a_restart_reads_only_the_rest() {
    let mut till = Till::new(stream(Some("id")), vec![per_minute()]);
    let events: Vec<Event> = (0..2_000)
        .map(|id| event(id, i64::from(id) * 700_000))
        .collect();
    for part in events.chunks(50) {
        till.send(part);
    }
    let before = till.journal().bytes();
    till.flush();
    assert!(till.journal().bytes() < before / 10, "the journal forgets");
    till.check(&events);
    assert_eq!(till.processor.unflushed_events(), 0);
    till.restart();
    till.check(&events);
    // Ids that are only in history are still known.
    assert_eq!(till.send(&events[..100]), 0);
    let status = till.processor.status();
    assert_eq!(
        (status.streams[0].events, status.streams[0].duplicates),
        (2_000, 100)
    );
}

#[test]
fn a_question_under_way_keeps_the_frames_it_reads() {
    let mut till = Till::new(stream(Some("id")), vec![]);
    let events: Vec<Event> = (0..500).map(|id| event(id, i64::from(id))).collect();
    for part in events.chunks(10) {
        till.send(part);
    }
    let reader = till.journal().reader();
    let log = till.processor.stream("events").expect("the stream");
    let mut scan = log.scan(&reader, None, None);
    till.flush();
    let rows: usize = scan
        .by_ref()
        .map(|batch| batch.expect("a batch").num_rows())
        .sum();
    assert_eq!(rows, 500, "what was there when it began, once");
    let bytes = till.journal().bytes();
    drop(scan);
    till.send(&[event(500, 500)]);
    till.flush();
    assert!(till.journal().bytes() < bytes, "now they can go");
}

#[test]
fn a_cube_that_is_new_or_changed_is_filled_from_history() {
    let mut till = Till::new(stream(Some("id")), vec![per_minute()]);
    let mut events: Vec<Event> = (0..3_000)
        .map(|id| event(id, i64::from(id) * 70_000_000))
        .collect();
    for part in events.chunks(100) {
        till.send(part);
    }
    till.flush();
    events.push(event(3_000, 5));
    till.send(&events[3_000..]);
    let changed = CubeDefinition {
        measures: vec![("volume".to_owned(), "sum(amount_eur)".to_owned())],
        ..per_minute()
    };
    till.restart_as(stream(Some("id")), vec![changed, whole()]);
    till.check(&events);
    till.flush();
    till.restart();
    till.check(&events);
    // Back again: the first table lacks what came since, and is filled anew.
    till.restart_as(stream(Some("id")), vec![per_minute()]);
    till.check(&events);
}

#[test]
fn compaction_changes_no_figure_and_leaves_few_files() {
    let mut till = Till::new(stream(Some("id")), vec![per_minute()]);
    let mut events = Vec::new();
    for round in 0..24_u32 {
        let part: Vec<Event> = (0..40)
            .map(|n| {
                event(
                    round * 40 + n,
                    i64::from(n % 3) * DAY_US + i64::from(round) * 60_000_000,
                )
            })
            .collect();
        till.send(&part);
        events.extend(part);
        till.flush();
    }
    let files = |till: &Till| {
        let status = till.processor.status();
        (status.streams[0].stored_files, status.cubes[0].stored_files)
    };
    assert_eq!(files(&till), (72, 72));
    assert!(till.maintain() > 0);
    let (of_events, of_states) = files(&till);
    assert!(
        of_events <= 10 && of_states <= 10,
        "{of_events} {of_states}"
    );
    till.check(&events);
    till.restart();
    till.check(&events);
    let deleted = till
        .processor
        .vacuum(i64::MAX / 2)
        .expect("vacuums")
        .files_deleted;
    assert!(deleted >= 140, "{deleted}");
    till.check(&events);
    till.restart();
    till.check(&events);
}

#[test]
fn roll_up_in_history_keeps_the_figures_and_removes_what_is_past() {
    let minute = 60_000_000;
    let keep = vec![
        (Duration::from_secs(60), Duration::from_secs(2 * 86_400)),
        (Duration::from_secs(3_600), Duration::from_secs(5 * 86_400)),
    ];
    let kept = CubeDefinition {
        keep,
        ..per_minute()
    };
    let mut till = Till::new(stream(Some("id")), vec![kept.clone()]);
    let mut events = Vec::new();
    for day in 0..9_u32 {
        let part: Vec<Event> = (0..200)
            .map(|n| {
                event(
                    day * 200 + n,
                    i64::from(day) * DAY_US + i64::from(n) * 7 * minute,
                )
            })
            .collect();
        till.send(&part);
        events.extend(part);
        till.flush();
    }
    let cube = till.processor.cube("per_minute").expect("the cube");
    let (before, _) = cube.reshaped();
    assert!(till.maintain() > 0);
    let widths = cube.widths_us();
    let (hours_from, minutes_from) = (widths[1].0, widths[0].0);
    let (after, before_us) = cube.reshaped();
    assert!(after > before, "who keeps answers hears of it");
    assert_eq!(before_us, minutes_from, "and of which age");
    let at = |width: u64, from: i64, to: i64| {
        let rows: Vec<Event> = events
            .iter()
            .filter(|e| (from..to).contains(&e.at_us))
            .cloned()
            .collect();
        let definition = CubeDefinition {
            bucket: Duration::from_secs(width),
            ..kept.clone()
        };
        oracle(&definition, &stream(Some("id")), &rows)
    };
    // Files wholly past an age are rolled up; the day that a border lies in waits for its turn.
    let day_of = |us: i64| us.div_euclid(DAY_US) * DAY_US;
    let check = |till: &Till| {
        let got = live(&till.processor.cube("per_minute").expect("the cube"));
        let mut want = at(60, day_of(minutes_from), i64::MAX);
        want.extend(at(3_600, day_of(hours_from) + DAY_US, day_of(minutes_from)));
        let border = at(60, day_of(hours_from), day_of(hours_from) + DAY_US);
        let rest: crate::support::Figures = got
            .into_iter()
            .filter(|(key, _)| !border.contains_key(key))
            .collect();
        let hourly_border = at(3_600, day_of(hours_from), day_of(hours_from) + DAY_US);
        let rest: crate::support::Figures = rest
            .into_iter()
            .filter(|(key, _)| !hourly_border.contains_key(key))
            .collect();
        assert_same(&rest, &want);
    };
    let recounted = |till: &Till| {
        let cube = till.processor.cube("per_minute").expect("the cube");
        let newest = 9 * DAY_US;
        for (span, width) in [
            ((minutes_from, newest), minute),
            ((hours_from, minutes_from), 60 * minute),
        ] {
            let (kept, recounted) = till.recount(&cube, span, width);
            assert!(!kept.is_empty());
            assert_same(&kept, &recounted);
        }
    };
    check(&till);
    recounted(&till);
    till.restart();
    check(&till);
    recounted(&till);
}

/// Every row of a scan as text, in order of those texts.
fn rows_of(batches: impl Iterator<Item = datafusion::arrow::array::RecordBatch>) -> Vec<String> {
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| {
                datafusion::arrow::util::display::array_value_to_string(column, row)
                    .expect("a text")
            });
            rows.push(cells.collect::<Vec<_>>().join("|"));
        }
    }
    rows.sort();
    rows
}

#[test]
fn a_scan_of_some_columns_gives_the_same_rows_and_values_as_one_of_all() {
    let mut till = Till::new(stream(Some("id")), vec![]);
    let events: Vec<Event> = (0..3_000)
        .map(|id| event(id, i64::from(id) * 60_000_000))
        .collect();
    for part in events.chunks(100) {
        till.send(part);
    }
    till.flush();
    till.send(&[event(3_000, 5), event(3_001, 6)]);
    // Two of three events have a psp: where it is required the others do not fit, whatever is asked for.
    let mut strict = stream(Some("id"));
    let schema = Arc::make_mut(&mut strict.schema);
    for field in &mut schema.fields {
        field.optional &= field.name != "psp";
    }
    for (definition, wanted) in [(stream(Some("id")), 3_002), (strict, 2_002)] {
        till.restart_as(definition, vec![]);
        let reader = till.journal().reader();
        let log = till.processor.stream("events").expect("the stream");
        let columns = log.schema().fields().len();
        let ranges = [(None, None), (Some(60_000_000), Some(90_000_000_000))];
        for (from, to) in ranges {
            let all = || {
                log.scan(&reader, from, to)
                    .map(|batch| batch.expect("a batch"))
            };
            for at in 0..columns {
                for some in [vec![at], vec![at, (at * 7 + 3) % columns], vec![]] {
                    let got = log.scan(&reader, from, to).of_columns(&some);
                    let got = got.map(|batch| {
                        let batch = batch.expect("a batch");
                        assert_eq!(batch.schema(), log.schema());
                        batch.project(&some).expect("columns")
                    });
                    let want = all().map(|batch| batch.project(&some).expect("columns"));
                    assert_eq!(rows_of(got), rows_of(want), "columns {some:?}");
                }
            }
            if from.is_none() {
                assert_eq!(all().map(|batch| batch.num_rows()).sum::<usize>(), wanted);
            }
        }
    }
}
