//! A data folder with its journal, and the processor at work on it, as tests of history need them.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use datafusion::arrow::array::{AsArray, RecordBatch};
use tillwatch_collect::{Downstream, RecordHead, RecordKind, decode_record, encode_record};
use tillwatch_history::{History, HistoryOptions, Location};
use tillwatch_journal::{
    DiskStorage, Journal, JournalOptions, LockError, Storage, StorageFile, StorageLock,
};
use tillwatch_process::{
    Cube, CubeDefinition, Keeping, ProcessOptions, ProcessStatus, Processor, Recount, RecountRange,
    RecoverRange, StreamDefinition,
};

use crate::support::{Event, Figures, assert_same, batch, cube, figures, live, oracle, rates};

/// A data folder with its journal, and the processor that is at work on it.
pub struct Till {
    folder: tempfile::TempDir,
    journal: Option<Journal>,
    pub processor: Processor,
    stream: StreamDefinition,
    pub cubes: Vec<CubeDefinition>,
    received_at_us: i64,
    /// Checkpoints that can still be written.
    pub checkpoints_left: Arc<AtomicU32>,
}

/// A folder whose checkpoint can be written so many times.
struct State {
    disk: DiskStorage,
    checkpoints_left: Arc<AtomicU32>,
}

impl Storage for State {
    fn lock(&self) -> Result<Box<dyn StorageLock>, LockError> {
        self.disk.lock()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.disk.create(name)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.disk.open(name)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let less = |left: u32| left.checked_sub(1);
        let left = &self.checkpoints_left;
        let left = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        left.map_err(|_| io::Error::other("no checkpoint any more"))?;
        self.disk.rename(from, to)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.disk.sync_dir()
    }

    fn describe(&self) -> String {
        self.disk.describe()
    }
}

impl Till {
    pub fn new(stream: StreamDefinition, cubes: Vec<CubeDefinition>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let checkpoints_left = Arc::new(AtomicU32::new(u32::MAX));
        let opened = open(folder.path(), &stream, &cubes, &checkpoints_left);
        let (journal, processor) = opened.expect("opens");
        Self {
            folder,
            journal: Some(journal),
            processor,
            stream,
            cubes,
            // Behind all event times, so that none is too far ahead of its receipt.
            received_at_us: 100 * DAY_US,
            checkpoints_left,
        }
    }

    pub fn journal(&mut self) -> &mut Journal {
        self.journal.as_mut().expect("it is open")
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub fn send(&mut self, events: &[Event]) -> u64 {
        self.send_at(
            self.received_at_us + 1_000_000,
            RecordKind::Events,
            &batch(events),
        )
    }

    pub fn send_to(&mut self, stream: &str, events: &[Event]) -> u64 {
        self.received_at_us += 1_000_000;
        let head = RecordHead {
            stream,
            ..self.head(RecordKind::Events)
        };
        let payload = encode_record(&head, &batch(events)).expect("encodes");
        self.apply(&payload)
    }

    fn head(&self, kind: RecordKind) -> RecordHead<'static> {
        RecordHead {
            kind,
            stream: "events",
            received_at_us: self.received_at_us,
            idempotency_key: None,
            source: None,
            first_row: 0,
        }
    }

    pub fn send_at(&mut self, received_at_us: i64, kind: RecordKind, rows: &RecordBatch) -> u64 {
        self.received_at_us = received_at_us;
        let payload = encode_record(&self.head(kind), rows).expect("encodes");
        self.apply(&payload)
    }

    fn apply(&mut self, payload: &[u8]) -> u64 {
        let journal = self.journal();
        let offset = journal.append(payload).expect("appends");
        journal.sync().expect("syncs");
        let record = decode_record(offset, payload).expect("decodes");
        self.processor.apply(&[record])[0].accepted
    }

    /// Flushes and lets the journal forget.
    pub fn flush(&mut self) {
        let reader = self.journal().reader();
        self.processor.flush(&reader).expect("flushes");
        if let Some(before) = self.processor.journal_needed_from() {
            self.journal()
                .remove_segments_before(before)
                .expect("forgets");
        }
    }

    pub fn maintain(&self) -> u64 {
        let mut steps = 0;
        while self.processor.maintain_step().expect("maintains").is_some() {
            steps += 1;
        }
        steps
    }

    /// As after `kill -9`: nothing of the running processor is left.
    pub fn restart(&mut self) {
        self.restart_as(self.stream.clone(), self.cubes.clone());
    }

    pub fn restart_as(&mut self, stream: StreamDefinition, cubes: Vec<CubeDefinition>) {
        self.try_restart_as(stream, cubes).expect("starts");
    }

    pub fn try_restart_as(
        &mut self,
        stream: StreamDefinition,
        cubes: Vec<CubeDefinition>,
    ) -> Result<(), String> {
        self.journal = None;
        let left = &self.checkpoints_left;
        let (journal, processor) = open(self.folder.path(), &stream, &cubes, left)?;
        self.journal = Some(journal);
        self.processor = processor;
        self.stream = stream;
        self.cubes = cubes;
        Ok(())
    }

    /// How often each raw event is there, by its id.
    pub fn raw(&mut self) -> BTreeMap<String, usize> {
        let reader = self.journal().reader();
        let log = self.processor.stream("events").expect("the stream");
        let mut ids = BTreeMap::<String, usize>::new();
        for batch in log.scan(&reader, None, None) {
            let batch = batch.expect("a batch");
            assert_eq!(batch.schema(), log.schema());
            for id in batch.column(0).as_string_view().iter().flatten() {
                *ids.entry(id.to_owned()).or_default() += 1;
            }
        }
        ids
    }

    /// Every event once, and every figure what SQL over the events gives.
    pub fn check(&mut self, events: &[Event]) {
        let ids = self.raw();
        let wanted: BTreeMap<String, usize> = events
            .iter()
            .map(|e| (format!("event-{}", e.id), 1))
            .collect();
        assert_eq!(ids, wanted, "each event once");
        for definition in &self.cubes {
            let cube = self.processor.cube(&definition.name).expect("the cube");
            let wanted = oracle(definition, &self.stream, events);
            assert_same(&live(&cube), &wanted);
            let width = cube.bucket_us();
            let times = || events.iter().map(|e| e.at_us.div_euclid(width) * width);
            if let (Some(first), Some(last)) = (times().min(), times().max()) {
                let (kept, recounted) = self.recount(&cube, (first, last + width), width);
                assert_same(&recounted, &wanted);
                assert_same(&kept, &wanted);
            }
        }
    }

    /// The figures of a range by the states and by the events, as the audit has them.
    pub fn recount(&self, cube: &Cube, range_us: (i64, i64), width_us: i64) -> Both {
        match self.try_recount(cube, range_us, width_us) {
            Recount::Done(both) => (
                figures(std::slice::from_ref(&both.kept), both.key_columns),
                figures(std::slice::from_ref(&both.recounted), both.key_columns),
            ),
            other => panic!("{other:?}"),
        }
    }

    pub fn try_recount(&self, cube: &Cube, (from_us, to_us): (i64, i64), width_us: i64) -> Recount {
        let range = RecountRange {
            from_us,
            to_us,
            width_us,
            rows_max: u64::MAX,
            go_on: Arc::new(|| true),
        };
        let journal = self.journal.as_ref().expect("it is open").reader();
        let name = &cube.definition().name;
        (self.processor)
            .recount(name, &journal, &range)
            .expect("it is read")
    }
}

/// Kept and recounted.
type Both = (Figures, Figures);

/// What must be the same after a restart.
pub fn comparable(processor: &Processor) -> ProcessStatus {
    let mut status = processor.status();
    for cube in &mut status.cubes {
        (cube.rows, cube.bytes, cube.chunks, cube.version) = (0, 0, 0, 0);
        (cube.stored_rows, cube.stored_bytes, cube.stored_files) = (0, 0, 0);
    }
    for stream in &mut status.streams {
        (stream.index_bytes, stream.frames, stream.dedup_bytes) = (0, 0, 0);
        stream.dedup_disk_bytes = 0;
        (
            stream.stored_bytes,
            stream.stored_files,
            stream.stored_events,
        ) = (0, 0, 0);
    }
    status
}

fn open(
    folder: &std::path::Path,
    stream: &StreamDefinition,
    cubes: &[CubeDefinition],
    checkpoints_left: &Arc<AtomicU32>,
) -> Result<(Journal, Processor), String> {
    let storage = Arc::new(DiskStorage::open(folder.join("journal")).expect("storage"));
    let options = JournalOptions {
        // Small, so that the journal has something to forget.
        segment_bytes_max: 16 << 10,
        ..JournalOptions::default()
    };
    let (journal, _) = Journal::open(storage, options).expect("a journal");
    let processor = plan(stream, cubes);
    processor
        .attach(
            Keeping {
                state: Arc::new(State {
                    disk: DiskStorage::open(folder.join("state")).expect("a folder"),
                    checkpoints_left: Arc::clone(checkpoints_left),
                }),
                ..keeping(folder, &journal)
            },
            &|_| {},
        )
        .map_err(|error| error.to_string())?;
    let range = RecoverRange {
        flush: true,
        ..RecoverRange::default()
    };
    processor
        .recover(&journal.reader(), range, &|_| {})
        .map_err(|error| error.to_string())?;
    Ok((journal, processor))
}

pub fn plan(stream: &StreamDefinition, cubes: &[CubeDefinition]) -> Processor {
    Processor::new(
        vec![stream.clone()],
        cubes.to_vec(),
        rates(),
        ProcessOptions::default(),
    )
    .expect("definitions")
}

pub fn keeping(folder: &std::path::Path, journal: &Journal) -> Keeping {
    let location = Location::Folder(folder.join("history"));
    let history = History::open(location, HistoryOptions::default()).expect("history");
    let state: Arc<dyn Storage> =
        Arc::new(DiskStorage::open(folder.join("state")).expect("a folder"));
    Keeping {
        history,
        state,
        journal: journal.instance().expect("an instance"),
        journal_end: journal.durable(),
        pins: Arc::default(),
        memory: tillwatch_event::MemoryBudget::unbounded(),
    }
}

pub const DAY_US: i64 = 86_400_000_000;

pub fn event(id: u32, at_us: i64) -> Event {
    Event {
        id,
        at_us,
        psp: [Some("adyen"), Some("stripe"), None][id as usize % 3],
        ok: id.is_multiple_of(2),
        amount: (!id.is_multiple_of(7)).then(|| i64::from(id) * 101),
        quantity: Some(i64::from(id) % 5),
        x: Some(f64::from(id) / 8.0),
        y: 1.0,
        user: Some(id % 17),
    }
}

pub fn per_minute() -> CubeDefinition {
    cube("per_minute", Duration::from_secs(60), &[("psp", "psp")])
}
