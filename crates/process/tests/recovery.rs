//! From a real journal: recovery gives what the live run had, scans give the raw events.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use tillwatch_collect::{
    Downstream, JournalRecord, RecordHead, RecordKind, Rejection, decode_record, encode_record,
    rejects_batch,
};
use tillwatch_journal::{DiskStorage, Journal, JournalOptions};
use tillwatch_process::{ProcessStatus, Processor, QUARANTINE, RecoverRange, RejectedLine};

use crate::support::{Event, assert_same, batch, cube, live, oracle, processor, record, stream};

fn events() -> Vec<Event> {
    (0..500_u32)
        .map(|id| Event {
            id,
            at_us: i64::from(id) * 700_000,
            psp: [Some("adyen"), None][id as usize % 2],
            ok: id % 3 == 0,
            amount: Some(i64::from(id) * 101),
            quantity: Some(1),
            x: Some(f64::from(id) / 8.0),
            y: 1.0,
            user: Some(id % 17),
        })
        .collect()
}

/// Appends a record and gives it back as it reads.
fn append(
    journal: &mut Journal,
    kind: RecordKind,
    received_at_us: i64,
    batch: &RecordBatch,
) -> JournalRecord {
    append_as(journal, kind, received_at_us, batch, "shop", None)
}

fn append_as(
    journal: &mut Journal,
    kind: RecordKind,
    received_at_us: i64,
    batch: &RecordBatch,
    source: &str,
    key: Option<&str>,
) -> JournalRecord {
    let head = RecordHead {
        kind,
        stream: "events",
        received_at_us,
        idempotency_key: key,
        source: Some(source),
        first_row: 0,
    };
    let payload = encode_record(&head, batch).expect("encodes");
    let offset = journal.append(&payload).expect("appends");
    journal.sync().expect("syncs");
    decode_record(offset, &payload).expect("decodes")
}

fn comparable(processor: &Processor) -> ProcessStatus {
    let mut status = processor.status();
    for cube in &mut status.cubes {
        // How states lie in chunks depends on the grouping; what they say does not.
        (cube.rows, cube.bytes, cube.chunks, cube.version) = (0, 0, 0, 0);
    }
    for stream in &mut status.streams {
        stream.index_bytes = 0;
    }
    status
}

#[test]
fn recovery_equals_the_live_run_and_a_scan_gives_each_event_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = Arc::new(DiskStorage::open(folder.path()).expect("storage"));
    let (mut journal, _) = Journal::open(storage, JournalOptions::default()).expect("a journal");
    let definition = cube("c", Duration::from_secs(60), &[("psp", "psp")]);
    let stream = stream(Some("id"));
    let running = processor(stream.clone(), vec![definition.clone()]);
    let events = events();
    let rejection = Rejection {
        line: 3,
        field: None,
        reason: "no".to_owned(),
        raw: "{}".to_owned(),
    };
    for (minute, part) in (0_i64..).zip(events.chunks(90)) {
        let received = minute * 60_000_000;
        // The tail of every part is sent again with the next.
        let resent: Vec<Event> = part
            .iter()
            .chain(&part[part.len() - 10..])
            .cloned()
            .collect();
        let one = append(&mut journal, RecordKind::Events, received, &batch(part));
        let rejects = rejects_batch(std::slice::from_ref(&rejection)).expect("rejects");
        let two = append(&mut journal, RecordKind::Rejects, received, &rejects);
        let three = append(&mut journal, RecordKind::Events, received, &batch(&resent));
        running.apply(&[one, two, three]);
    }
    let reader = journal.reader();
    let recovered = processor(stream.clone(), vec![definition.clone()]);
    let report = recovered
        .recover(&reader, RecoverRange::default(), &|_| {})
        .expect("recovers");
    assert_eq!(
        (report.frames, report.events, report.reject_frames),
        (18, 500, 6)
    );
    assert_eq!(report.duplicates, 500 + 60);
    assert_eq!(comparable(&recovered), comparable(&running));
    let want = oracle(&definition, &stream, &events);
    for processor in [&running, &recovered] {
        assert_same(&live(&processor.cube("c").expect("the cube exists")), &want);
    }

    let log = recovered.stream("events").expect("the stream exists");
    assert_eq!(log.rejects(2).len(), 2);
    assert!(log.rejects(2)[0].offset > log.rejects(2)[1].offset);
    let read = |from, to| -> Vec<(String, i64)> {
        log.scan(&reader, from, to)
            .flat_map(|batch| {
                let batch = batch.expect("a batch");
                assert_eq!(batch.schema(), log.schema());
                let ids = batch.column(0).as_string_view().clone();
                let times = batch
                    .column(1)
                    .as_primitive::<TimestampMicrosecondType>()
                    .clone();
                (0..batch.num_rows())
                    .map(|i| (ids.value(i).to_owned(), times.value(i)))
                    .collect::<Vec<_>>()
            })
            .collect()
    };
    let all: Vec<_> = events
        .iter()
        .map(|e| (format!("event-{}", e.id), e.at_us))
        .collect();
    assert_eq!(read(None, None), all);
    assert_eq!(
        read(Some(7_000_000), Some(14_000_000)),
        all[10..20].to_vec()
    );
}

#[test]
fn recovery_takes_the_frames_of_its_range_and_goes_on_from_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = Arc::new(DiskStorage::open(folder.path()).expect("storage"));
    let (mut journal, _) = Journal::open(storage, JournalOptions::default()).expect("a journal");
    let events = events();
    let first = append(&mut journal, RecordKind::Events, 0, &batch(&events[..7]));
    let second = append(&mut journal, RecordKind::Events, 0, &batch(&events[7..]));
    let processor = processor(stream(Some("id")), vec![]);
    let recover = |after, before| {
        let range = RecoverRange {
            after,
            before,
            ..RecoverRange::default()
        };
        processor
            .recover(&journal.reader(), range, &|_| {})
            .expect("recovers")
    };
    let report = recover(None, Some(second.offset));
    assert_eq!((report.events, report.last), (7, Some(first.offset)));
    let rest = recover(report.last, None);
    assert_eq!((rest.events, rest.last), (493, Some(second.offset)));
    let none = recover(rest.last, None);
    assert_eq!((none.frames, none.last), (0, Some(second.offset)));
}

#[test]
fn recovery_counts_the_events_that_no_longer_fit_and_says_why() {
    use tillwatch_event::{Field, FieldType, StreamSchema};
    let folder = tempfile::tempdir().expect("a folder");
    let storage = Arc::new(DiskStorage::open(folder.path()).expect("storage"));
    let (mut journal, _) = Journal::open(storage, JournalOptions::default()).expect("a journal");
    append(&mut journal, RecordKind::Events, 0, &batch(&events()[..7]));
    let mut stream = stream(Some("id"));
    let mut fields = stream.schema.fields.clone();
    fields.push(Field::new("country", FieldType::String, false));
    stream.schema = Arc::new(StreamSchema {
        fields,
        ..StreamSchema::clone(&stream.schema)
    });
    let processor = processor(stream, vec![]);
    let report = processor
        .recover(&journal.reader(), RecoverRange::default(), &|_| {})
        .expect("recovers");
    assert_eq!((report.events, report.failed), (0, 7));
    let status = processor.stream("events").expect("the stream").status();
    assert_eq!(status.failed, 7);
    assert_eq!(
        status.failed_reason.as_deref(),
        Some(
            "the field 'country' was written as nothing and cannot be read as string: it is required, but older events do not have it; write `string?`"
        )
    );
}

/// DataFusion's streams yield when tokio's budget of a task is used up; within one task that was
/// waited for without end.
#[test]
fn applying_inside_an_async_task_ends() {
    let definition = cube("c", Duration::from_secs(1), &[("psp", "psp")]);
    let processor = Arc::new(processor(stream(None), vec![definition]));
    let (done, wait) = std::sync::mpsc::sync_channel(1);
    let inside = Arc::clone(&processor);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        runtime.block_on(async move {
            for position in 0..400 {
                inside.apply(&[record(position, 0, &events()[..50])]);
            }
        });
        done.send(()).expect("the test waits");
    });
    wait.recv_timeout(Duration::from_secs(60))
        .expect("applying ends");
    assert_eq!(processor.status().streams[0].events, 20_000);
}

#[test]
fn a_line_that_was_replayed_has_left_the_quarantine_also_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = Arc::new(DiskStorage::open(folder.path()).expect("storage"));
    let (mut journal, _) = Journal::open(storage, JournalOptions::default()).expect("a journal");
    let stream = stream(Some("id"));
    let running = processor(stream.clone(), Vec::new());
    let rejection = |line| Rejection {
        line,
        field: None,
        reason: "no".to_owned(),
        raw: "{}".to_owned(),
    };
    let two = rejects_batch(&[rejection(1), rejection(2)]).expect("rejects");
    let one = rejects_batch(&[rejection(7)]).expect("rejects");
    let first = append(&mut journal, RecordKind::Rejects, 1, &two);
    let second = append(&mut journal, RecordKind::Rejects, 2, &one);
    let (first_at, second_at) = (first.offset, second.offset);
    running.apply(&[first, second]);
    let events = events();
    let key = |frame, row| RejectedLine { frame, row }.to_string();
    let mut replay = |source, key: String, event: &Event| {
        let batch = batch(std::slice::from_ref(event));
        append_as(
            &mut journal,
            RecordKind::Events,
            3,
            &batch,
            source,
            Some(&key),
        )
    };
    let replayed = [
        replay(QUARANTINE, key(second_at, 0), &events[0]),
        // A repeated event is done, too: it has been counted before.
        replay(QUARANTINE, key(first_at, 1), &events[0]),
        // What only looks like it changes nothing.
        replay("shop", key(first_at, 0), &events[1]),
        replay(QUARANTINE, "quarantine:x:0:0".to_owned(), &events[2]),
        replay(QUARANTINE, format!("{}:0", key(first_at, 0)), &events[3]),
    ];
    running.apply(&replayed);
    let recovered = processor(stream, Vec::new());
    recovered
        .recover(&journal.reader(), RecoverRange::default(), &|_| {})
        .expect("recovers");
    for processor in [running, recovered] {
        let log = processor.stream("events").expect("the stream exists");
        let waiting = log.rejects(10);
        assert_eq!(waiting.len(), 1, "of the second frame nothing waits");
        assert_eq!(waiting[0].offset, first_at);
        assert_eq!(waiting[0].replayed.iter().copied().collect::<Vec<_>>(), [1]);
    }
}
