//! Tests of the intake: a recording downstream, a clock that is set, a disk that can fail.

mod answers;
mod clock;
mod failures;
mod fair;
mod forgetting;
mod pieces;

use super::*;
use crate::record::RecordKind;
use arrow::array::{AsArray, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::Instant;
use tillwatch_journal::{
    DiskStorage, JournalOptions, LockError, Space, Storage, StorageFile, StorageLock,
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
                    ..Applied::default()
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
    /// Free bytes of a disk of a gibibyte; a disk that does not tell when zero.
    free_bytes: AtomicU64,
    /// When not zero: the write that fails, counted from now on, because the disk is full.
    full_at: AtomicU64,
    /// Who removes a segment waits as long as this is locked.
    removing: Mutex<()>,
    /// Segments that were to be removed so far.
    removals: AtomicU64,
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
        if name.ends_with(".segment") {
            self.faults.removals.fetch_add(1, Ordering::SeqCst);
            drop(self.faults.removing.lock().unwrap());
        }
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
    fn space(&self) -> io::Result<Option<Space>> {
        let free_bytes = self.faults.free_bytes.load(Ordering::SeqCst);
        Ok((free_bytes > 0).then_some(Space {
            free_bytes,
            total_bytes: 1 << 30,
        }))
    }
}

impl StorageFile for FaultyFile {
    fn write_at(&self, position: u64, bytes: &[u8]) -> io::Result<()> {
        let countdown =
            self.faults
                .full_at
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                    left.checked_sub(1)
                });
        if self.faults.full.load(Ordering::SeqCst) || countdown == Ok(1) {
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
    bench_of(limits, JournalOptions::default())
}

fn bench_of(limits: IntakeLimits, options: JournalOptions) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let faults = Arc::new(Faults::default());
    let disk = DiskStorage::open(folder.path().join("journal")).unwrap();
    let storage = Arc::new(FaultyStorage {
        disk,
        faults: Arc::clone(&faults),
    });
    let (journal, _) = Journal::open(storage, options).unwrap();
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
        places: None,
        rejections: Vec::new(),
        again: None,
        rejected: 0,
        lines: values.len() as u64,
        unknown_fields: 0,
    }
}
