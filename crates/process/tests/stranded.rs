//! Frames that no definition can take: kept outside of the journal, and taken up when one can.

use std::sync::atomic::Ordering;

use tillwatch_collect::RecordKind;
use tillwatch_process::{RejectReader, StreamDefinition};

use crate::support::{Event, batch, stream};
use crate::till::{Till, event, per_minute};

/// The same under another name: to it the frames of the first are unknown.
fn others() -> StreamDefinition {
    let mut others = stream(Some("id"));
    let schema = std::sync::Arc::make_mut(&mut others.schema);
    "others".clone_into(&mut schema.name);
    others
}

fn events(from: u32, to: u32) -> Vec<Event> {
    (from..to)
        .map(|id| event(id, i64::from(id) * 700_000))
        .collect()
}

/// Files of copies in the state folder.
fn copies(till: &Till) -> usize {
    let names = std::fs::read_dir(till.folder().join("state")).expect("the folder");
    names
        .filter(|entry| {
            let name = entry.as_ref().expect("an entry").file_name();
            name.to_string_lossy().ends_with(".frames")
        })
        .count()
}

#[test]
fn the_journal_forgets_frames_of_a_stream_that_is_gone_and_they_come_back_with_it() {
    let all = events(0, 2_000);
    let mut till = Till::new(stream(Some("id")), vec![per_minute()]);
    for part in all[..1_000].chunks(50) {
        till.send(part);
    }
    till.flush();
    // These are in no table when their stream is taken away.
    for part in all[1_000..].chunks(50) {
        till.send(part);
    }
    let held = till.journal().bytes();
    for _ in 0..3 {
        till.restart_as(others(), vec![]);
        till.flush();
    }
    assert_eq!(copies(&till), 1);
    till.send_to("others", &events(5_000, 5_010));
    till.flush();
    let left = till.journal().bytes();
    assert!(
        left < held / 10,
        "the journal forgets: {left} of {held} are left"
    );
    for _ in 0..2 {
        // Not flushed in between: each time they are taken up anew.
        till.restart_as(stream(Some("id")), vec![per_minute()]);
        till.check(&all);
    }
    assert_eq!(till.send(&all[900..1_100]), 0, "their ids are known");
    till.flush();
    till.check(&all);
    till.restart();
    till.check(&all);
    till.flush();
    assert_eq!(copies(&till), 0, "history holds them");
    let status = till.processor.status();
    assert_eq!(status.streams[0].events, 2_000);
}

#[test]
fn rejected_lines_of_a_stream_that_is_gone_come_back_with_it() {
    let mut till = Till::new(stream(Some("id")), vec![]);
    till.send(&events(0, 10));
    till.flush();
    let rejected = events(10, 13);
    till.send_at(101 * 86_400_000_000, RecordKind::Rejects, &batch(&rejected));
    till.restart_as(others(), vec![]);
    till.flush();
    till.send_to("others", &events(5_000, 5_010));
    till.flush();
    till.restart_as(stream(Some("id")), vec![]);
    let lines = |till: &mut Till| {
        let log = till.processor.stream("events").expect("the stream");
        let frames = log.rejects(10);
        let mut reader = RejectReader::new(log, till.journal().reader());
        let rows = frames.iter().map(|frame| {
            let record = reader.read(frame).expect("the record");
            assert_eq!(record.batch.num_rows() as u64, frame.lines);
            frame.lines
        });
        rows.collect::<Vec<_>>()
    };
    assert_eq!(lines(&mut till), [3]);
    till.send(&events(10, 11));
    till.flush();
    assert_eq!(lines(&mut till), [3], "from history");
    till.restart();
    assert_eq!(lines(&mut till), [3]);
    assert_eq!(copies(&till), 0);
}

#[test]
fn a_damaged_copy_is_an_error_and_no_event_is_left_out_silently() {
    let mut till = Till::new(stream(Some("id")), vec![]);
    till.send(&events(0, 10));
    till.flush();
    till.send(&events(10, 20));
    till.restart_as(others(), vec![]);
    till.flush();
    let folder = till.folder().join("state");
    let mut names = std::fs::read_dir(&folder).expect("the folder");
    let copy = names
        .find_map(|entry| {
            let path = entry.expect("an entry").path();
            (path.extension()? == "frames").then_some(path)
        })
        .expect("a copy");
    let mut bytes = std::fs::read(&copy).expect("reads");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&copy, bytes).expect("writes");
    let storage =
        std::sync::Arc::new(tillwatch_journal::DiskStorage::open(&folder).expect("the folder"));
    let found = tillwatch_process::verify_state(&(storage as _));
    assert_eq!(found.faults.len(), 1, "{found:?}");
    let error = till
        .try_restart_as(stream(Some("id")), vec![])
        .expect_err("it does not start");
    assert!(error.contains("checksum"), "{error}");
}

/// Flushes as far as all tables: what was noted before them, if anything, is there, the checkpoint behind
/// them is not.
fn cut_off_flush(till: &mut Till, notes: u32) {
    till.checkpoints_left.store(notes, Ordering::Relaxed);
    let reader = till.journal().reader();
    let cut_off = till.processor.flush(&reader);
    cut_off.expect_err("the checkpoint cannot be written");
    till.checkpoints_left.store(u32::MAX, Ordering::Relaxed);
}

/// As [`stream`], with a field required that two of three events have.
fn strict() -> StreamDefinition {
    let mut strict = stream(Some("id"));
    for field in &mut std::sync::Arc::make_mut(&mut strict.schema).fields {
        field.optional &= field.name != "psp";
    }
    strict
}

/// Events that [`strict`] takes.
fn with_psp(from: u32, to: u32) -> Vec<Event> {
    let all = events(from, to).into_iter();
    all.filter(|event| event.psp.is_some()).collect()
}

/// 200 events, of which a definition that cannot take the second half has left that in no table.
fn left_behind(by: StreamDefinition) -> (Till, Vec<Event>) {
    let all = events(0, 200);
    let mut till = Till::new(stream(Some("id")), vec![per_minute()]);
    till.send(&all[..100]);
    till.flush();
    till.send(&all[100..]);
    till.restart_as(by, vec![]);
    till.flush();
    (till, all)
}

#[test]
fn frames_that_do_not_fit_when_their_stream_comes_back_are_there_once_they_do() {
    for flushes in 0..3 {
        let (mut till, all) = left_behind(others());
        till.restart_as(strict(), vec![]);
        let status = &till.processor.status().streams[0];
        assert!(
            status.failed >= 100,
            "whoever changed the definition hears of it: {status:?}"
        );
        let mut wanted = all.clone();
        for flush in 0..flushes {
            let more = with_psp(1_000 + flush * 10, 1_010 + flush * 10);
            till.send(&more);
            wanted.extend(more);
            till.flush();
            till.restart();
        }
        till.restart_as(stream(Some("id")), vec![per_minute()]);
        till.check(&wanted);
        till.send(&with_psp(2_000, 2_001));
        wanted.extend(with_psp(2_000, 2_001));
        till.flush();
        till.restart();
        till.check(&wanted);
    }
}

#[test]
fn definitions_that_were_only_tried_change_nothing_of_what_is_kept() {
    // Whether or not other definitions are tried in between, and wherever a flush is cut off.
    for (tried, cut_off) in [(false, false), (false, true), (true, false), (true, true)] {
        let (mut till, all) = left_behind(strict());
        if tried {
            till.restart_as(stream(Some("id")), vec![per_minute()]);
            till.restart_as(strict(), vec![]);
        }
        let more = with_psp(1_000, 1_010);
        till.send(&more);
        if cut_off {
            cut_off_flush(&mut till, 0);
        } else {
            till.flush();
        }
        let wanted: Vec<Event> = all.iter().chain(&more).cloned().collect();
        for _ in 0..2 {
            till.restart_as(stream(Some("id")), vec![per_minute()]);
            till.flush();
        }
        // What a table is further with waits for the flush after that.
        till.send(&with_psp(2_000, 2_001));
        till.flush();
        till.restart();
        let wanted: Vec<Event> = wanted.into_iter().chain(with_psp(2_000, 2_001)).collect();
        till.check(&wanted);
        till.flush();
        till.restart();
        till.check(&wanted);
    }
}

#[test]
fn frames_taken_up_again_whose_stream_goes_before_or_after_they_were_written_are_there_once() {
    let between = [(false, false), (true, false), (false, true), (true, true)];
    for (cut_off, is_there) in between {
        let (mut till, all) = left_behind(others());
        // They are taken up again, noted, and written to tables or not; the checkpoint is not.
        till.restart_as(stream(Some("id")), vec![per_minute()]);
        till.send(&events(1_000, 1_010));
        if cut_off {
            cut_off_flush(&mut till, 1);
        }
        let mut wanted: Vec<Event> = all.iter().cloned().chain(events(1_000, 1_010)).collect();
        if is_there {
            // The stream is there, and they do not fit it any more.
            till.restart_as(strict(), vec![]);
            till.send(&with_psp(5_000, 5_010));
            wanted.extend(with_psp(5_000, 5_010));
        } else {
            till.restart_as(others(), vec![]);
            till.send_to("others", &events(5_000, 5_010));
        }
        till.flush();
        till.restart_as(stream(Some("id")), vec![per_minute()]);
        till.check(&wanted);
        till.send(&events(2_000, 2_003));
        till.flush();
        till.restart();
        let wanted: Vec<Event> = wanted.into_iter().chain(events(2_000, 2_003)).collect();
        till.check(&wanted);
    }
}
