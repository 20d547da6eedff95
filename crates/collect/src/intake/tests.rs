use super::*;
use crate::record::{RecordKind, decode_owned_record};
use arrow::array::{AsArray, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Instant;
use tillwatch_journal::{
    DiskStorage, JournalOptions, LockError, Storage, StorageFile, StorageLock,
};

/// Counts, remembers and can be held up.
#[derive(Default)]
struct Recorder {
    records: Mutex<Vec<JournalRecord>>,
    groups: AtomicU64,
    held: Mutex<bool>,
    released: Condvar,
}

impl Recorder {
    fn hold(&self, held: bool) {
        *self.held.lock().unwrap() = held;
        self.released.notify_all();
    }

    fn values(&self) -> Vec<i64> {
        let records = self.records.lock().unwrap();
        let events = records.iter().filter(|r| r.kind == RecordKind::Events);
        events.flat_map(|r| numbers(&r.batch)).collect()
    }
}

fn numbers(batch: &RecordBatch) -> Vec<i64> {
    batch
        .column(0)
        .as_primitive::<Int64Type>()
        .values()
        .to_vec()
}

impl Downstream for Recorder {
    fn apply(&self, records: &[JournalRecord]) -> Vec<Applied> {
        let held = self.held.lock().unwrap();
        drop(self.released.wait_while(held, |held| *held).unwrap());
        self.groups.fetch_add(1, Ordering::SeqCst);
        self.records.lock().unwrap().extend_from_slice(records);
        records
            .iter()
            .map(|record| match record.kind {
                RecordKind::Events => Applied {
                    accepted: record.batch.num_rows() as u64,
                    duplicates: 0,
                },
                RecordKind::Rejects => Applied::default(),
            })
            .collect()
    }
}

/// A clock that tests set.
#[derive(Default)]
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A disk whose fsync or writes can be made to fail.
struct FaultyStorage {
    disk: DiskStorage,
    faults: Arc<Faults>,
}

#[derive(Default)]
struct Faults {
    sync: AtomicBool,
    full: AtomicBool,
}

struct FaultyFile {
    file: Arc<dyn StorageFile>,
    faults: Arc<Faults>,
}

impl Storage for FaultyStorage {
    fn lock(&self) -> Result<Box<dyn StorageLock>, LockError> {
        self.disk.lock()
    }
    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let file = Arc::from(self.disk.create(name)?);
        Ok(Box::new(FaultyFile {
            file,
            faults: Arc::clone(&self.faults),
        }))
    }
    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let file = Arc::from(self.disk.open(name)?);
        Ok(Box::new(FaultyFile {
            file,
            faults: Arc::clone(&self.faults),
        }))
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn sync_dir(&self) -> io::Result<()> {
        self.disk.sync_dir()
    }
    fn describe(&self) -> String {
        self.disk.describe()
    }
}

impl StorageFile for FaultyFile {
    fn write_at(&self, position: u64, bytes: &[u8]) -> io::Result<()> {
        if self.faults.full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_at(position, bytes)
    }
    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(position, buffer)
    }
    fn sync_data(&self) -> io::Result<()> {
        if self.faults.sync.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is gone"));
        }
        self.file.sync_data()
    }
    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.file.truncate(bytes)
    }
    fn bytes(&self) -> io::Result<u64> {
        self.file.bytes()
    }
}

/// An intake over a folder of its own.
struct Bench {
    intake: Arc<Intake>,
    recorder: Arc<Recorder>,
    clock: Arc<TestClock>,
    faults: Arc<Faults>,
    _folder: tempfile::TempDir,
}

fn bench(limits: IntakeLimits) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let disk = DiskStorage::open(folder.path().join("journal")).unwrap();
    let storage = Arc::new(FaultyStorage {
        disk,
        faults: Arc::clone(&faults),
    });
    let (journal, _) = Journal::open(storage, JournalOptions::default()).unwrap();
    let recorder = Arc::new(Recorder::default());
    let clock = Arc::new(TestClock(AtomicI64::new(1_000)));
    let downstream = Arc::clone(&recorder) as Arc<dyn Downstream>;
    let intake = Intake::start(
        journal,
        downstream,
        limits,
        Arc::clone(&clock) as Arc<dyn Clock>,
    )
    .unwrap();
    Bench {
        intake: Arc::new(intake),
        recorder,
        clock,
        faults,
        _folder: folder,
    }
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::yield_now();
    }
}

fn submit(bench: &Bench, values: &[i64]) -> Result<Receipt, IntakeError> {
    bench
        .intake
        .submit_blocking("numbers", decoded(values), SubmitMeta::default())
}

fn submit_later(bench: &Bench, values: &[i64]) -> JoinHandle<Result<Receipt, IntakeError>> {
    let intake = Arc::clone(&bench.intake);
    let decoded = decoded(values);
    std::thread::spawn(move || intake.submit_blocking("numbers", decoded, SubmitMeta::default()))
}

fn journal_values(reader: &JournalReader) -> Vec<i64> {
    reader
        .iter_from(Offset::START)
        .map(|frame| frame.unwrap())
        .map(|(offset, payload)| decode_owned_record(offset, payload).unwrap())
        .filter(|record| record.kind == RecordKind::Events)
        .flat_map(|record| numbers(&record.batch))
        .collect()
}

fn decoded(values: &[i64]) -> Decoded {
    let schema = Schema::new(vec![
        Field::new("n", DataType::Int64, false),
        Field::new("text", DataType::Utf8View, false),
    ]);
    let texts = values
        .iter()
        .map(|n| format!("the text of number {n} is not kept inline"));
    let batch = RecordBatch::try_new(
        Arc::new(schema),
        vec![
            Arc::new(Int64Array::from(values.to_vec())),
            Arc::new(StringViewArray::from_iter_values(texts)),
        ],
    )
    .unwrap();
    Decoded {
        batch,
        rejections: Vec::new(),
        rejected: 0,
        lines: values.len() as u64,
        unknown_fields: 0,
    }
}

#[test]
fn an_answer_means_durable_and_processed() {
    let bench = bench(IntakeLimits::default());
    let receipt = submit(&bench, &[1, 2, 3]).unwrap();
    assert_eq!(
        receipt,
        Receipt {
            accepted: 3,
            ..Receipt::default()
        }
    );
    assert_eq!(bench.recorder.values(), [1, 2, 3]);
    assert_eq!(journal_values(&bench.intake.reader()), [1, 2, 3]);
}

#[test]
fn what_the_downstream_gets_is_what_the_journal_holds() {
    let bench = bench(IntakeLimits::default());
    let meta = SubmitMeta {
        idempotency_key: Some("k".into()),
        source: Some("shop".into()),
    };
    bench
        .intake
        .submit_blocking("numbers", decoded(&[1, 2]), meta)
        .unwrap();
    let seen = bench.recorder.records.lock().unwrap();
    let mut frames = bench.intake.reader().iter_from(Offset::START);
    let (offset, payload) = frames.next().unwrap().unwrap();
    let written = decode_owned_record(offset, payload).unwrap();
    let [record] = seen.as_slice() else {
        panic!("one record, not {}", seen.len())
    };
    assert_eq!(record.offset, written.offset);
    assert_eq!(record.received_at_us, written.received_at_us);
    assert_eq!(record.idempotency_key.as_deref(), Some("k"));
    assert_eq!(written.idempotency_key.as_deref(), Some("k"));
    assert_eq!(written.source.as_deref(), Some("shop"));
    assert_eq!(record.batch, written.batch);
}

#[test]
fn rejections_go_to_the_quarantine_and_the_answer_lists_the_first_of_them() {
    let bench = bench(IntakeLimits {
        reported_max: 2,
        ..IntakeLimits::default()
    });
    let mut with_rejections = decoded(&[7]);
    with_rejections.rejections = (1..=3)
        .map(|line| Rejection {
            line,
            field: None,
            reason: "is bad".into(),
            raw: "x".into(),
        })
        .collect();
    with_rejections.rejected = 9;
    let receipt = bench
        .intake
        .submit_blocking("numbers", with_rejections, SubmitMeta::default())
        .unwrap();
    assert_eq!(
        (receipt.accepted, receipt.rejected, receipt.rejections.len()),
        (1, 9, 2)
    );
    let records = bench.recorder.records.lock().unwrap();
    let kinds: Vec<RecordKind> = records.iter().map(|r| r.kind).collect();
    assert_eq!(kinds, [RecordKind::Events, RecordKind::Rejects]);
    assert_eq!(crate::record::rejections_of(&records[1].batch).len(), 3);
}

#[test]
fn a_request_without_anything_is_answered_without_a_group() {
    let bench = bench(IntakeLimits::default());
    assert_eq!(submit(&bench, &[]).unwrap(), Receipt::default());
    assert_eq!(bench.intake.status().groups, 0);
}

#[test]
fn requests_that_wait_together_share_one_fsync() {
    let bench = bench(IntakeLimits::default());
    bench.recorder.hold(true);
    // One group is with the process thread, two wait before it, and one is with the writer; what
    // comes after that must be gathered into one group.
    let first: Vec<_> = (0..4)
        .map(|n| {
            let job = submit_later(&bench, &[n]);
            let groups = u64::try_from(n).unwrap() + 1;
            wait_until("the writer made a group", || {
                bench.intake.status().groups == groups
            });
            job
        })
        .collect();
    let late: Vec<_> = (10..40).map(|n| submit_later(&bench, &[n])).collect();
    wait_until("all are queued", || {
        bench.intake.status().queued_batches == 34
    });
    bench.recorder.hold(false);
    for job in first.into_iter().chain(late) {
        assert_eq!(job.join().unwrap().unwrap().accepted, 1);
    }
    assert_eq!(
        bench.intake.status().groups,
        5,
        "thirty requests went with one fsync"
    );
    assert_eq!(
        bench.recorder.values(),
        journal_values(&bench.intake.reader())
    );
}

#[test]
fn over_the_number_of_batches_callers_hear_overloaded_and_nothing_taken_is_lost() {
    let limits = IntakeLimits {
        queue_batches_max: 3,
        retry_after_ms: 250,
        ..IntakeLimits::default()
    };
    let bench = bench(limits);
    bench.recorder.hold(true);
    let jobs: Vec<_> = (0..3).map(|n| submit_later(&bench, &[n])).collect();
    wait_until("three are taken", || {
        bench.intake.status().queued_batches == 3
    });
    let error = submit(&bench, &[99]).unwrap_err();
    assert_eq!(
        error,
        IntakeError::Overloaded {
            reason: "3 requests wait".into(),
            retry_after: Duration::from_millis(250)
        }
    );
    bench.recorder.hold(false);
    for job in jobs {
        job.join().unwrap().unwrap();
    }
    assert_eq!(
        submit(&bench, &[4]).unwrap().accepted,
        1,
        "room is given back"
    );
    let status = bench.intake.status();
    assert_eq!(
        (
            status.queued_batches,
            status.queued_bytes,
            status.overloaded
        ),
        (0, 0, 1)
    );
    let mut values = bench.recorder.values();
    values.sort_unstable();
    assert_eq!(values, [0, 1, 2, 4]);
}

#[test]
fn over_the_number_of_bytes_callers_hear_overloaded() {
    let size = |bench: &Bench| {
        bench
            .intake
            .prepare("numbers", decoded(&[1]), SubmitMeta::default())
            .unwrap()
            .bytes()
    };
    let one = size(&bench(IntakeLimits::default()));
    let bench = bench(IntakeLimits {
        queue_bytes_max: one * 2,
        ..IntakeLimits::default()
    });
    bench.recorder.hold(true);
    let jobs: Vec<_> = (0..2).map(|n| submit_later(&bench, &[n])).collect();
    wait_until("two are taken", || {
        bench.intake.status().queued_batches == 2
    });
    assert!(matches!(
        submit(&bench, &[9]),
        Err(IntakeError::Overloaded { .. })
    ));
    bench.recorder.hold(false);
    for job in jobs {
        job.join().unwrap().unwrap();
    }
    let many: Vec<i64> = (0..1000).collect();
    assert!(matches!(
        submit(&bench, &many),
        Err(IntakeError::TooLarge { .. })
    ));
}

#[test]
fn a_large_request_becomes_several_records_that_know_their_rows() {
    let bench = bench(IntakeLimits {
        record_bytes_max: 4_000,
        ..IntakeLimits::default()
    });
    let values: Vec<i64> = (0..500).collect();
    let meta = SubmitMeta {
        idempotency_key: Some("k".into()),
        source: None,
    };
    let receipt = bench
        .intake
        .submit_blocking("numbers", decoded(&values), meta)
        .unwrap();
    assert_eq!(receipt.accepted, 500);
    let records = bench.recorder.records.lock().unwrap();
    assert!(records.len() > 3, "{}", records.len());
    for record in records.iter() {
        assert!(record.batch.get_array_memory_size() <= 8_000);
        let first = i64::try_from(record.first_row).unwrap();
        assert_eq!(numbers(&record.batch).first(), Some(&first));
    }
    drop(records);
    assert_eq!(journal_values(&bench.intake.reader()), values);
}

#[test]
fn after_a_failed_fsync_nothing_is_acknowledged_or_processed() {
    let bench = bench(IntakeLimits::default());
    submit(&bench, &[1]).unwrap();
    bench.faults.sync.store(true, Ordering::SeqCst);
    assert!(matches!(
        submit(&bench, &[2]),
        Err(IntakeError::Unavailable(_))
    ));
    bench.faults.sync.store(false, Ordering::SeqCst);
    let again = submit(&bench, &[3]).unwrap_err();
    assert!(
        matches!(again, IntakeError::Unavailable(_)),
        "poisoned for good: {again}"
    );
    assert_eq!(bench.recorder.values(), [1]);
    let status = bench.intake.status();
    assert!(
        status
            .journal
            .poisoned
            .unwrap()
            .contains("the disk is gone")
    );
    assert_eq!(status.queued_batches, 0);
}

#[test]
fn a_full_disk_is_told_and_over_when_there_is_room_again() {
    let bench = bench(IntakeLimits::default());
    submit(&bench, &[1]).unwrap();
    bench.faults.full.store(true, Ordering::SeqCst);
    assert!(matches!(
        submit(&bench, &[2]),
        Err(IntakeError::StorageFull(_))
    ));
    bench.faults.full.store(false, Ordering::SeqCst);
    assert_eq!(submit(&bench, &[3]).unwrap().accepted, 1);
    assert_eq!(bench.recorder.values(), [1, 3]);
    assert_eq!(journal_values(&bench.intake.reader()), [1, 3]);
}

#[test]
fn the_time_of_receipt_never_falls_even_when_the_clock_does() {
    let bench = bench(IntakeLimits::default());
    for (now, n) in [(5_000, 1), (4_000, 2), (6_000, 3)] {
        bench.clock.0.store(now, Ordering::SeqCst);
        submit(&bench, &[n]).unwrap();
    }
    let records = bench.recorder.records.lock().unwrap();
    let times: Vec<i64> = records.iter().map(|r| r.received_at_us).collect();
    assert_eq!(times, [5_000, 5_000, 6_000]);
}

#[test]
fn stopping_answers_everything_that_was_taken_and_takes_nothing_more() {
    let bench = bench(IntakeLimits::default());
    bench.recorder.hold(true);
    let jobs: Vec<_> = (0..8).map(|n| submit_later(&bench, &[n])).collect();
    wait_until("all are taken", || {
        bench.intake.status().queued_batches == 8
    });
    let intake = Arc::clone(&bench.intake);
    let stop = std::thread::spawn(move || intake.stop());
    wait_until("nothing more is taken", || {
        bench.intake.jobs.get().is_none()
    });
    assert_eq!(submit(&bench, &[9]), Err(IntakeError::Stopping));
    bench.recorder.hold(false);
    stop.join().unwrap();
    for job in jobs {
        assert_eq!(job.join().unwrap().unwrap().accepted, 1);
    }
    assert_eq!(bench.recorder.values().len(), 8);
    bench.intake.stop();
}

#[test]
fn another_downstream_goes_on_exactly_where_the_first_ended() {
    let bench = bench(IntakeLimits::default());
    let (feeder, stop) = {
        let intake = Arc::clone(&bench.intake);
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let feeder = std::thread::spawn(move || {
            let mut n = 0;
            while !flag.load(Ordering::SeqCst) {
                intake
                    .submit_blocking("numbers", decoded(&[n]), SubmitMeta::default())
                    .unwrap();
                n += 1;
            }
            n
        });
        (feeder, stop)
    };
    wait_until("some went through", || bench.recorder.values().len() > 5);
    let second = Arc::new(Recorder::default());
    let replacement = Arc::clone(&second);
    bench
        .intake
        .replace_downstream(
            move |reader: &JournalReader, upto: Offset| -> Result<_, IntakeError> {
                let replayed: Vec<JournalRecord> = reader
                    .iter_from(Offset::START)
                    .map(|frame| frame.unwrap())
                    .take_while(|(offset, _)| *offset < upto)
                    .map(|(offset, payload)| decode_owned_record(offset, payload).unwrap())
                    .collect();
                replacement.apply(&replayed);
                Ok(replacement)
            },
        )
        .unwrap();
    let at_swap = second.values().len();
    wait_until("some went through after", || {
        second.values().len() > at_swap + 5
    });
    stop.store(true, Ordering::SeqCst);
    let fed = feeder.join().unwrap();
    assert_eq!(
        second.values(),
        (0..fed).collect::<Vec<_>>(),
        "none lost, none twice"
    );
}

#[test]
fn a_replacement_that_fails_leaves_the_old_downstream() {
    let bench = bench(IntakeLimits::default());
    let outcome = bench
        .intake
        .replace_downstream(|_, _| Err(IntakeError::Record("no".into())));
    assert_eq!(outcome, Err(IntakeError::Record("no".into())));
    submit(&bench, &[1]).unwrap();
    assert_eq!(bench.recorder.values(), [1]);
}

#[test]
fn counts_are_kept_per_stream_and_source() {
    let bench = bench(IntakeLimits::default());
    submit(&bench, &[1, 2]).unwrap();
    let meta = SubmitMeta {
        idempotency_key: None,
        source: Some("shop".into()),
    };
    let mut some = decoded(&[3]);
    some.rejected = 2;
    bench.intake.submit_blocking("numbers", some, meta).unwrap();
    let status = bench.intake.status();
    let [stream] = status.streams.as_slice() else {
        panic!("one stream")
    };
    assert_eq!(
        (stream.requests, stream.accepted, stream.rejected),
        (2, 3, 2)
    );
    let [source] = status.sources.as_slice() else {
        panic!("one source")
    };
    assert_eq!(
        (source.source.as_str(), source.counts.accepted),
        ("shop", 1)
    );
}

/// A downstream that panics must not leave callers waiting.
struct Panics;

impl Downstream for Panics {
    fn apply(&self, _: &[JournalRecord]) -> Vec<Applied> {
        panic!("a fault in processing")
    }
}

#[test]
fn a_downstream_that_panics_leaves_no_caller_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Arc::new(DiskStorage::open(folder.path().join("journal")).unwrap());
    let (journal, _) = Journal::open(storage, JournalOptions::default()).unwrap();
    let intake = Intake::start(
        journal,
        Arc::new(Panics),
        IntakeLimits::default(),
        Arc::new(TestClock::default()),
    )
    .unwrap();
    for _ in 0..2 {
        let outcome = intake.submit_blocking("numbers", decoded(&[1]), SubmitMeta::default());
        assert!(
            matches!(outcome, Err(IntakeError::Unavailable(_))),
            "{outcome:?}"
        );
    }
    intake.stop();
}

#[tokio::test]
async fn async_callers_are_answered_too() {
    let bench = bench(IntakeLimits::default());
    let receipt = bench
        .intake
        .submit("numbers", decoded(&[1]), SubmitMeta::default())
        .await
        .unwrap();
    assert_eq!(receipt.accepted, 1);
}
