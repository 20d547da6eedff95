//! History: whatever is flushed, compacted, cut off by a crash and taken up again, every event is
//! there once and every figure is what SQL over the raw events gives.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use datafusion::arrow::array::{AsArray, RecordBatch};
use proptest::prelude::*;
use tillwatch_collect::{Downstream, RecordHead, RecordKind, decode_record, encode_record};
use tillwatch_history::{History, HistoryOptions, Location};
use tillwatch_journal::{
    DiskStorage, Journal, JournalOptions, LockError, Storage, StorageFile, StorageLock,
};
use tillwatch_process::{
    Cube, CubeDefinition, Keeping, ProcessOptions, ProcessStatus, Processor, Recount, RecountRange,
    RecoverRange, StreamDefinition,
};

use crate::support::{
    Event, Figures, assert_same, batch, cube, figures, live, oracle, rates, stream,
};

/// A data folder with its journal, and the processor that is at work on it.
pub struct Till {
    folder: tempfile::TempDir,
    journal: Option<Journal>,
    pub processor: Processor,
    stream: StreamDefinition,
    cubes: Vec<CubeDefinition>,
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
    assert!(till.maintain() > 0);
    let widths = till
        .processor
        .cube("per_minute")
        .expect("the cube")
        .widths_us();
    let (hours_from, minutes_from) = (widths[1].0, widths[0].0);
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
