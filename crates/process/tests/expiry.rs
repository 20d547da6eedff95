//! Retention of raw events: whole days of age go, younger ones stay exactly, cubes keep their figures, and
//! nothing is compared with events that are gone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use tillwatch_collect::{RecordKind, Rejection, rejects_batch};
use tillwatch_process::{CubeDefinition, Recount, RejectReader, StreamDefinition};

use crate::support::{Event, assert_same, live, oracle, stream};
use crate::till::{DAY_US, Till, event, per_minute};

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

fn keeping(keep: Option<u64>) -> StreamDefinition {
    StreamDefinition {
        keep: keep.map(days),
        ..stream(Some("id"))
    }
}

/// A cube whose buckets are not of whole days, so that the border lies within one of them.
fn per_week() -> CubeDefinition {
    CubeDefinition {
        name: "per_week".to_owned(),
        keep: vec![(Duration::from_secs(60), days(3)), (days(7), days(700))],
        ..per_minute()
    }
}

fn ids<'a>(events: impl Iterator<Item = &'a Event>) -> BTreeMap<String, usize> {
    events.map(|e| (format!("event-{}", e.id), 1)).collect()
}

/// What is to be there, said as simply as it can be.
#[derive(Default)]
struct Model {
    events: Vec<Event>,
    /// How many of them are in history.
    flushed: usize,
    gone: BTreeSet<u32>,
    kept_from_us: Option<i64>,
}

impl Model {
    fn add(&mut self, times: impl IntoIterator<Item = i64>) -> Vec<Event> {
        let first = self.events.len();
        for at_us in times {
            let id = u32::try_from(self.events.len()).expect("few");
            self.events.push(event(id, at_us));
        }
        self.events[first..].to_vec()
    }

    fn maintain(&mut self, keep: Option<u64>) {
        let Some(keep) = keep else {
            return;
        };
        let Some(newest) = self.events.iter().map(|e| e.at_us).max() else {
            return;
        };
        // The watermark is a minute behind the newest event.
        let keep_us = i64::try_from(keep).expect("few") * DAY_US;
        let due_us = (newest - 60_000_000 - keep_us).div_euclid(DAY_US) * DAY_US;
        for event in &self.events[..self.flushed] {
            if event.at_us < due_us && self.gone.insert(event.id) {
                self.kept_from_us = self.kept_from_us.max(Some(due_us));
            }
        }
    }

    fn there(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|e| !self.gone.contains(&e.id))
    }

    fn check(&self, till: &mut Till) {
        assert_eq!(till.raw(), ids(self.there()));
        let status = till.processor.status();
        assert_eq!(status.streams[0].events_kept_from_us, self.kept_from_us);
        let cube = till.processor.cube("per_minute").expect("the cube");
        let definition = per_minute();
        assert_same(
            &live(&cube),
            &oracle(&definition, &keeping(None), &self.events),
        );
        self.check_recount(till, self.kept_from_us);
    }

    /// From `from_us` on everything can be compared and nothing differs; before, nothing can.
    fn check_recount(&self, till: &Till, from_us: Option<i64>) {
        let cube = till.processor.cube("per_minute").expect("the cube");
        let width = cube.bucket_us();
        let times = || {
            self.events
                .iter()
                .map(|e| e.at_us.div_euclid(width) * width)
        };
        let (Some(first), Some(last)) = (times().min(), times().max()) else {
            return;
        };
        let first = from_us.unwrap_or(first);
        let kept: Vec<Event> = (self.events.iter())
            .filter(|e| e.at_us >= first)
            .cloned()
            .collect();
        let wanted = oracle(&per_minute(), &keeping(None), &kept);
        let (states, recounted) = till.recount(&cube, (first, last + width), width);
        assert_same(&states, &wanted);
        assert_same(&recounted, &wanted);
        if from_us.is_some() {
            let before = till.try_recount(&cube, (first - width, last + width), width);
            assert!(matches!(before, Recount::Moved), "{before:?}");
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Send(Vec<i64>),
    Flush,
    Maintain,
    Restart,
    /// Restarted with another time to keep.
    Keep(Option<u64>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let times = prop::collection::vec(0..8 * DAY_US, 1..12);
    let step = prop_oneof![
        5 => times.prop_map(Step::Send),
        3 => Just(Step::Flush),
        3 => Just(Step::Maintain),
        2 => Just(Step::Restart),
        1 => prop::option::of(1..6_u64).prop_map(Step::Keep),
    ];
    prop::collection::vec(step, 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn days_of_age_go_and_nothing_else_whatever_comes_in_which_order(steps in steps()) {
        let mut keep = Some(2);
        let mut till = Till::new(keeping(keep), vec![per_minute()]);
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Send(times) => {
                    let sent = model.add(times);
                    prop_assert_eq!(till.send(&sent), sent.len() as u64);
                }
                Step::Flush => {
                    till.flush();
                    model.flushed = model.events.len();
                }
                Step::Maintain => {
                    till.maintain();
                    model.maintain(keep);
                }
                Step::Restart => till.restart(),
                Step::Keep(other) => {
                    keep = other;
                    till.restart_as(keeping(keep), vec![per_minute()]);
                }
            }
            prop_assert_eq!(till.raw(), ids(model.there()));
        }
        model.check(&mut till);
        till.restart();
        model.check(&mut till);
    }
}

/// Ten days with 40 events each, all flushed.
fn ten_days(keep: Option<u64>, cubes: Vec<CubeDefinition>) -> (Till, Model) {
    let mut till = Till::new(keeping(keep), cubes);
    let mut model = Model::default();
    for day in 0..10 {
        let sent = model.add((0..40).map(|n| day * DAY_US + n * 30 * 60_000_000));
        till.send(&sent);
        till.flush();
    }
    model.flushed = model.events.len();
    (till, model)
}

#[test]
fn what_is_noted_is_noted_before_anything_goes_and_outlives_a_crash_at_either_side() {
    let (mut till, mut model) = ten_days(Some(3), vec![per_minute()]);
    model.check(&mut till);
    // The first step only notes, durably, from when on raw events are whole.
    let step = till.processor.maintain_step().expect("maintains");
    assert_eq!(step.map(|report| report.files_expired), Some(0));
    model.kept_from_us = Some(6 * DAY_US);
    model.check(&mut till);
    till.restart();
    model.check(&mut till);
    // The second removes.
    let step = till.processor.maintain_step().expect("maintains");
    assert_eq!(step.map(|report| report.files_expired), Some(6));
    model.maintain(Some(3));
    assert_eq!(model.there().count(), 160);
    model.check(&mut till);
    till.restart();
    model.check(&mut till);
    // The files go for good, and the figures stay.
    till.maintain();
    let report = till.processor.vacuum(i64::MAX / 2).expect("vacuums");
    assert!(report.files_deleted >= 6, "{report:?}");
    model.check(&mut till);
    till.restart();
    model.check(&mut till);
}

#[test]
fn a_late_event_of_a_day_that_is_gone_counts_and_goes_at_the_next_maintenance() {
    let (mut till, mut model) = ten_days(Some(3), vec![per_minute()]);
    till.maintain();
    model.maintain(Some(3));
    let late = model.add([2 * DAY_US + 5, 9 * DAY_US + 5]);
    till.send(&late);
    // One that comes again is known, though its raw event is gone.
    assert_eq!(till.send(&late[..1]), 0);
    model.check(&mut till);
    till.flush();
    model.flushed = model.events.len();
    model.check(&mut till);
    till.maintain();
    model.maintain(Some(3));
    assert!(model.gone.contains(&late[0].id) && !model.gone.contains(&late[1].id));
    model.check(&mut till);
    till.restart();
    model.check(&mut till);
}

#[test]
fn what_is_gone_stays_noted_when_more_is_to_be_kept_later() {
    let (mut till, mut model) = ten_days(Some(3), vec![per_minute()]);
    till.maintain();
    model.maintain(Some(3));
    for keep in [Some(8), None] {
        till.restart_as(keeping(keep), vec![per_minute()]);
        till.maintain();
        model.maintain(keep);
        assert_eq!(model.kept_from_us, Some(6 * DAY_US));
        model.check(&mut till);
        // A late event within what is to be kept now stays; its day is not whole for that.
        let late = model.add([4 * DAY_US + 60_000_000]);
        till.send(&late);
        till.flush();
        model.flushed = model.events.len();
        till.maintain();
        model.maintain(keep);
        model.check(&mut till);
    }
}

#[test]
fn a_changed_cube_is_filled_from_what_there_is_and_says_from_when_on() {
    let (mut till, mut model) = ten_days(Some(3), vec![per_minute()]);
    till.maintain();
    model.maintain(Some(3));
    let changed = CubeDefinition {
        measures: vec![("volume".to_owned(), "sum(amount_eur)".to_owned())],
        ..per_minute()
    };
    let covers = |till: &Till| till.processor.status().cubes[0].covers_from_us;
    assert_eq!(covers(&till), None);
    till.restart_as(keeping(Some(3)), vec![changed.clone()]);
    let there: Vec<Event> = model.there().cloned().collect();
    let check = |till: &Till| {
        let cube = till.processor.cube("per_minute").expect("the cube");
        let wanted = oracle(&changed, &keeping(None), &there);
        assert_same(&live(&cube), &wanted);
        assert_eq!(covers(till), Some(6 * DAY_US));
    };
    check(&till);
    // Cut off before a checkpoint has it, and after.
    till.restart();
    check(&till);
    till.send(&model.events[399..]);
    till.flush();
    till.restart();
    check(&till);
}

#[test]
fn a_cube_that_is_as_it_was_is_not_filled_again_whatever_raw_events_are_gone() {
    let mut minutes = vec![per_minute(), per_week()];
    minutes[0].keep = vec![(Duration::from_secs(60), days(300))];
    let (mut till, mut model) = ten_days(Some(1), minutes.clone());
    till.maintain();
    model.maintain(Some(1));
    till.restart();
    model.check(&mut till);
    // How long it is kept is none of what it is.
    minutes[0].keep = vec![(Duration::from_secs(60), days(400))];
    till.restart_as(keeping(Some(1)), minutes);
    model.check(&mut till);
    // Weeks that begin before the first whole day are not compared, the others are.
    let week = till.processor.cube("per_week").expect("the cube");
    assert_eq!(till.processor.comparable_from_us(&week), model.kept_from_us);
    assert_eq!(week.covers_from_us(), None);
}

#[test]
fn a_cube_that_comes_back_keeps_what_raw_events_could_not_give_it() {
    let other = CubeDefinition {
        measures: vec![("largest".to_owned(), "max(amount)".to_owned())],
        ..per_minute()
    };
    let (mut till, mut model) = ten_days(Some(3), vec![per_minute()]);
    till.maintain();
    model.maintain(Some(3));
    till.restart_as(keeping(Some(3)), vec![other]);
    let sent = model.add([8 * DAY_US + 1, 9 * DAY_US + 7]);
    till.send(&sent);
    till.flush();
    model.flushed = model.events.len();
    till.maintain();
    model.maintain(Some(3));
    let covers = |till: &Till| till.processor.status().cubes[0].covers_from_us;
    for _ in 0..2 {
        till.restart_as(keeping(Some(3)), vec![per_minute()]);
        model.check(&mut till);
        assert_eq!(covers(&till), Some(6 * DAY_US));
    }
    let sent = model.add([9 * DAY_US + 8]);
    till.send(&sent);
    till.flush();
    till.restart();
    model.check(&mut till);
    assert_eq!(covers(&till), Some(6 * DAY_US));
}

#[test]
fn tables_of_a_time_before_a_type_became_wider_lose_their_days_too() {
    use tillwatch_event::{Field, FieldType, StreamSchema};
    let wider = |mut stream: StreamDefinition| {
        let mut schema = StreamSchema::clone(&stream.schema);
        let quantity = schema.fields.iter_mut().find(|f| f.name == "quantity");
        *quantity.expect("the field") = Field::new(
            "quantity",
            FieldType::Decimal {
                precision: 38,
                scale: 0,
            },
            true,
        );
        stream.schema = schema.into();
        stream
    };
    let count = CubeDefinition {
        measures: vec![("events".to_owned(), "count(*)".to_owned())],
        ..per_minute()
    };
    let (mut till, mut model) = ten_days(None, vec![count.clone()]);
    till.restart_as(wider(keeping(Some(3))), vec![count]);
    let tables = till.processor.all_tables();
    let names: Vec<_> = tables.iter().map(|t| t.spec().name.clone()).collect();
    assert!(names.contains(&"events/events.2".to_owned()), "{names:?}");
    assert_eq!(till.raw(), ids(model.there()));
    till.maintain();
    model.maintain(Some(3));
    assert_eq!(model.there().count(), 160);
    assert_eq!(till.raw(), ids(model.there()));
    let deleted = till.processor.vacuum(i64::MAX / 2).expect("vacuums");
    assert!(deleted.files_deleted >= 6, "{deleted:?}");
    till.restart();
    assert_eq!(till.raw(), ids(model.there()));
}

#[test]
fn rejected_lines_go_by_their_receipt_and_those_that_stay_can_be_read() {
    let kept_for = |keep: u64| StreamDefinition {
        quarantine_keep: Some(days(keep)),
        ..stream(Some("id"))
    };
    let mut till = Till::new(kept_for(3), vec![per_minute()]);
    let sent = Model::default().add([7, 8]);
    till.send(&sent);
    for day in 0..10 {
        let rejection = Rejection {
            line: 1,
            field: None,
            reason: "no".to_owned(),
            raw: format!("{{\"day\": {day}}}"),
        };
        let rejects = rejects_batch(&[rejection]).expect("rejects");
        till.send_at((200 + day) * DAY_US + 5, RecordKind::Rejects, &rejects);
        till.flush();
    }
    let waiting = |till: &mut Till| {
        let journal = till.journal().reader();
        let log = till.processor.stream("events").expect("the stream");
        let frames = log.rejects(100);
        let mut reader = RejectReader::new(log, journal);
        for frame in &frames {
            reader.read(frame).expect("it is there");
        }
        frames
            .iter()
            .map(|frame| frame.received_at_us / DAY_US - 200)
            .collect::<Vec<_>>()
    };
    assert_eq!(waiting(&mut till).len(), 10);
    till.maintain();
    assert_eq!(waiting(&mut till), [9, 8, 7, 6]);
    till.processor.vacuum(i64::MAX / 2).expect("vacuums");
    assert_eq!(waiting(&mut till), [9, 8, 7, 6]);
    till.restart_as(kept_for(9), vec![per_minute()]);
    assert_eq!(waiting(&mut till), [9, 8, 7, 6]);
    let status = till.processor.status();
    assert_eq!(
        (
            status.streams[0].rejects_kept_from_us,
            status.streams[0].events_kept_from_us
        ),
        (Some(206 * DAY_US), None)
    );
    till.check(&sent);
}

#[test]
fn a_cube_that_comes_back_with_narrower_buckets_counts_nothing_twice() {
    let (mut till, mut model) = ten_days(Some(4), vec![per_week()]);
    till.maintain();
    model.maintain(Some(4));
    till.restart_as(keeping(Some(4)), vec![per_minute()]);
    let sent = model.add([9 * DAY_US + 7]);
    till.send(&sent);
    till.flush();
    till.maintain();
    // Its table has weeks that reach into the days that are still there.
    let narrower = CubeDefinition {
        keep: vec![(Duration::from_secs(60), days(700))],
        ..per_week()
    };
    for round in 0..3 {
        till.restart_as(keeping(Some(4)), vec![narrower.clone()]);
        let cube = till.processor.cube("per_week").expect("the cube");
        let counts = live(&cube);
        let count = counts
            .values()
            .map(|row| row["events"].parse::<usize>().expect("a number"));
        assert_eq!(count.sum::<usize>(), 401, "round {round}");
        // No bucket shows as narrower than it is.
        let weeks = counts.keys().filter(|key| key[0].ends_with("00:00:00Z"));
        assert!(weeks.count() > 0);
        let widths = cube.widths_us();
        assert_eq!(
            widths.last().map(|(_, width)| *width),
            Some(7 * DAY_US),
            "{widths:?}"
        );
        if round == 1 {
            let sent = model.add([9 * DAY_US + 9]);
            till.send(&sent[..0]);
            till.flush();
        }
    }
}
