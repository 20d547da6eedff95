//! Frames that no definition can take: kept outside of the journal, and taken up when one can.

use tillwatch_collect::RecordKind;
use tillwatch_process::{RejectReader, StreamDefinition};

use crate::history::{Till, event, per_minute};
use crate::support::{Event, batch, stream};

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
