//! The processor: durable records in journal order become cubes and an index.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tillwatch_collect::{Applied, Downstream, JournalRecord, RecordKind, decode_owned_record};
use tillwatch_journal::{JournalReader, Offset};
use tokio::sync::watch;

use crate::backlog::Backlog;
use crate::cube::{Cube, CubeWriter, Money, StoreState};
use crate::dedup::DedupBudget;
use crate::definition::{CubeDefinition, ProcessOptions, StreamDefinition};
use crate::engine::Engine;
use crate::error::{Item, ProcessError};
use crate::functions::Rates;
use crate::history::{Checkpoint, Flush, Kept, StrandedFrame, StreamState};
use crate::status::ProcessStatus;
use crate::stream::StreamLog;
use crate::writer::{Place, Writer};

/// Rows and records read from the journal between two steps of recovery.
pub(crate) const RECOVER_ROWS: usize = 65_536;
const RECOVER_RECORDS: usize = 1_024;
/// Events after which recovery flushes what it read.
const RECOVER_FLUSH_ROWS: usize = 500_000;

/// Streams and cubes of one set of definitions.
///
/// [`Downstream::apply`] is called from one thread at a time; everything else from any.
pub struct Processor {
    backlog: Arc<Backlog>,
    rates: Arc<Rates>,
    streams: HashMap<String, Arc<StreamLog>>,
    cubes: HashMap<String, Arc<Cube>>,
    options: ProcessOptions,
    unknown_records: AtomicU64,
    changes: watch::Sender<u64>,
    kept: OnceLock<Kept>,
    /// The offset of the last checkpoint.
    checkpoint_at: Mutex<Option<Offset>>,
    /// The flush under way, or the one that failed and is tried again.
    flushing: Mutex<Option<Flush>>,
}

/// What only one thread at a time has.
pub(crate) struct Writers {
    pub(crate) by_stream: BTreeMap<String, Writer>,
    /// The last frame applied.
    pub(crate) applied: Option<Offset>,
    /// Frames that no definition could take; noted where the journal is to be shortened.
    pub(crate) stranded: Vec<StrandedFrame>,
    /// Earlier such frames that can be taken now, until a checkpoint holds them.
    pub(crate) readmitted: Vec<StrandedFrame>,
    /// Whether the checkpoint tells other ones of these than there are.
    pub(crate) to_note: bool,
    /// What the checkpoint keeps of streams that are not defined, for when they come back.
    pub(crate) absent: BTreeMap<String, StreamState>,
    /// And of cubes, by the name of their table.
    pub(crate) absent_cubes: BTreeMap<String, StoreState>,
}

/// Which frames of the journal recovery takes; all of them by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecoverRange {
    /// Only those after this one: the [`RecoverReport::last`] of an earlier call. Without it,
    /// recovery starts behind the last checkpoint.
    pub after: Option<Offset>,
    /// Only those before this place.
    pub before: Option<Offset>,
    /// Whether to flush to history on the way, so that memory does not grow with the journal. Only
    /// whoever owns the data folder may.
    pub flush: bool,
}

/// What recovery found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecoverReport {
    /// Frames read.
    pub frames: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Events taken, duplicates not among them.
    pub events: u64,
    /// Duplicates left out.
    pub duplicates: u64,
    /// Events left out, because their stream is not defined any more or their columns do not fit
    /// its schema; [`StreamStatus::failed_reason`](crate::StreamStatus::failed_reason) says why.
    pub failed: u64,
    /// Frames with rejected lines.
    pub reject_frames: u64,
    /// The last frame read, or [`RecoverRange::after`] when there was none.
    pub last: Option<Offset>,
}

impl std::fmt::Debug for Processor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Processor")
            .field("streams", &self.streams.keys())
            .field("cubes", &self.cubes.keys())
            .finish_non_exhaustive()
    }
}

impl Processor {
    /// Plans all definitions.
    ///
    /// # Errors
    /// The first definition that cannot work, with its item, expression and reason.
    pub fn new(
        streams: Vec<StreamDefinition>,
        cubes: Vec<CubeDefinition>,
        rates: Arc<Rates>,
        options: ProcessOptions,
    ) -> Result<Self, ProcessError> {
        Self::plan(streams, cubes, &rates, options).map_err(|mut errors| errors.swap_remove(0))
    }

    /// Plans all definitions and reports every one that cannot work, for `tillwatch check`.
    ///
    /// # Errors
    /// All faults found, at least one.
    pub fn plan(
        streams: Vec<StreamDefinition>,
        cubes: Vec<CubeDefinition>,
        rates: &Arc<Rates>,
        options: ProcessOptions,
    ) -> Result<Self, Vec<ProcessError>> {
        let engine = Engine::new(rates, options.function_bounds()).map_err(|e| vec![e.into()])?;
        let budget = DedupBudget::new(options.dedup_memory_bytes_max);
        let mut errors = Vec::new();
        let mut logs = HashMap::new();
        let mut writers = BTreeMap::new();
        for stream in &streams {
            let name = stream.schema.name.clone();
            match Writer::plan(&engine, stream, &options, &budget) {
                Ok(writer) => {
                    logs.insert(name.clone(), Arc::clone(&writer.log));
                    if writers.insert(name.clone(), writer).is_some() {
                        errors.push(ProcessError::item(
                            Item::Stream { stream: name },
                            "a stream of that name is already defined",
                        ));
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        let is_stream = |name: &str| streams.iter().any(|s| s.schema.name == name);
        let mut planned = HashMap::new();
        for cube in cubes {
            match plan_cube(&engine, cube, &streams, &mut writers, &options) {
                Ok(Some(cube)) => {
                    let name = cube.definition().name.clone();
                    let taken = is_stream(&name);
                    if planned.insert(name.clone(), cube).is_some() || taken {
                        errors.push(ProcessError::item(
                            Item::Cube { cube: name },
                            "a cube or stream of that name is already defined",
                        ));
                    }
                }
                Ok(None) => {}
                Err(faults) => errors.extend(faults),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        writers.values_mut().for_each(Writer::narrow);
        let writers = Writers {
            by_stream: writers,
            applied: None,
            stranded: Vec::new(),
            readmitted: Vec::new(),
            to_note: false,
            absent: BTreeMap::new(),
            absent_cubes: BTreeMap::new(),
        };
        let backlog = Backlog::new(engine, writers, options.backlog_bytes_max);
        let backlog = Arc::new(backlog);
        for cube in planned.values() {
            cube.follow(&backlog);
        }
        Ok(Self {
            backlog,
            rates: Arc::clone(rates),
            streams: logs,
            cubes: planned,
            options,
            unknown_records: AtomicU64::new(0),
            changes: watch::Sender::new(0),
            kept: OnceLock::new(),
            checkpoint_at: Mutex::new(None),
            flushing: Mutex::new(None),
        })
    }

    /// Reads the journal through the same way live records take. `progress` is told what was done
    /// so far.
    ///
    /// # Errors
    /// When the journal is damaged or has a frame of an unknown version.
    pub fn recover(
        &self,
        reader: &JournalReader,
        range: RecoverRange,
        progress: &dyn Fn(&RecoverReport),
    ) -> Result<RecoverReport, ProcessError> {
        let after = match range.after {
            Some(after) => Some(after),
            None => {
                self.readmit(reader)?;
                self.kept().and_then(|kept| kept.from)
            }
        };
        let mut report = RecoverReport {
            last: after,
            ..RecoverReport::default()
        };
        let borders = self.borders();
        let mut group = Vec::new();
        let (mut rows, mut unflushed) = (0, 0);
        for frame in reader.iter_from(after.unwrap_or_else(|| reader.start())) {
            let (offset, payload) = frame?;
            if after == Some(offset) {
                continue;
            }
            if range.before.is_some_and(|before| offset >= before) {
                break;
            }
            report.bytes += payload.len() as u64;
            let record = decode_owned_record(offset, payload)?;
            report.frames += 1;
            report.last = Some(offset);
            report.reject_frames += u64::from(record.kind == RecordKind::Rejects);
            rows += record.batch.num_rows();
            group.push(record);
            let full = rows >= RECOVER_ROWS || group.len() >= RECOVER_RECORDS;
            if full || borders.contains(&offset) {
                self.recover_group(&mut group, &mut report, progress);
                unflushed += rows;
                rows = 0;
            }
            if range.flush && unflushed >= RECOVER_FLUSH_ROWS {
                // What fails here is tried again once the server runs, and told there.
                if let Err(error) = self.flush(reader) {
                    tracing::error!(%error, "history could not be written");
                }
                unflushed = 0;
            }
        }
        self.recover_group(&mut group, &mut report, progress);
        Ok(report)
    }

    /// Takes records out of the journal and says what became of each. Those that cannot be taken were
    /// acknowledged when their definition was another, so they are noted and kept.
    fn replay(&self, records: &[JournalRecord]) -> Vec<Applied> {
        self.take_all(records, self.kept.get().is_some())
    }

    fn recover_group(
        &self,
        group: &mut Vec<JournalRecord>,
        report: &mut RecoverReport,
        progress: &dyn Fn(&RecoverReport),
    ) {
        for applied in self.replay(group) {
            report.events += applied.accepted;
            report.duplicates += applied.duplicates;
            report.failed += applied.failed;
        }
        group.clear();
        progress(report);
    }

    /// What the processing thread has, with all that was taken in the cubes.
    pub(crate) fn writers(&self) -> MutexGuard<'_, Writers> {
        self.backlog.writers()
    }

    /// What the processing thread has, while events may wait to be aggregated: of ids and frames, which does not
    /// depend on the cubes.
    pub(crate) fn writers_unsettled(&self) -> MutexGuard<'_, Writers> {
        self.backlog.writers_unsettled()
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.backlog.engine()
    }

    /// What outlives the journal; none when nothing does.
    pub(crate) fn kept(&self) -> Option<&Kept> {
        self.kept.get()
    }

    pub(crate) fn keep(&self, kept: Kept) {
        *self.checkpoint() = kept.from;
        // A second time is a fault of the caller, and changes nothing.
        let _ = self.kept.set(kept);
    }

    pub(crate) fn flushing(&self) -> &Mutex<Option<Flush>> {
        &self.flushing
    }

    fn checkpoint(&self) -> MutexGuard<'_, Option<Offset>> {
        self.checkpoint_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a flush failed and is to be tried again before anything else is done to history.
    #[must_use]
    pub fn flush_pending(&self) -> bool {
        self.flushing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    /// Events applied that are not in history yet.
    #[must_use]
    pub fn unflushed_events(&self) -> u64 {
        self.streams.values().map(|log| log.unflushed()).sum()
    }

    /// The last frame that the last checkpoint holds.
    #[must_use]
    pub fn checkpoint_at(&self) -> Option<Offset> {
        *self.checkpoint()
    }

    pub(crate) fn checkpointed(&self, checkpoint: &Checkpoint) {
        *self.checkpoint() = Some(checkpoint.offset);
    }

    /// The cube of that name.
    #[must_use]
    pub fn cube(&self, name: &str) -> Option<Arc<Cube>> {
        self.cubes.get(name).cloned()
    }

    /// All cubes, by name.
    #[must_use]
    pub fn cubes(&self) -> Vec<Arc<Cube>> {
        let mut all: Vec<_> = self.cubes.values().cloned().collect();
        all.sort_by(|a, b| a.definition().name.cmp(&b.definition().name));
        all
    }

    /// The stream of that name.
    #[must_use]
    pub fn stream(&self, name: &str) -> Option<Arc<StreamLog>> {
        self.streams.get(name).cloned()
    }

    /// All streams, by name.
    #[must_use]
    pub fn streams(&self) -> Vec<Arc<StreamLog>> {
        let mut all: Vec<_> = self.streams.values().cloned().collect();
        all.sort_by(|a, b| a.name().cmp(b.name()));
        all
    }

    /// The conversion rates that `convert` uses.
    #[must_use]
    pub fn rates(&self) -> &Arc<Rates> {
        &self.rates
    }

    /// The limits it works with.
    #[must_use]
    pub fn options(&self) -> &ProcessOptions {
        &self.options
    }

    /// Counts records of streams that are not defined.
    pub(crate) fn unknown_records(&self) -> &AtomicU64 {
        &self.unknown_records
    }

    /// Has events aggregated that were taken and wait, so that a stream's own counts of what could not be derived
    /// or measured are those of all its events. Takes up to tens of milliseconds.
    pub fn settle(&self) {
        self.backlog.settle();
    }

    /// Counts and sizes of every stream and cube.
    #[must_use]
    pub fn status(&self) -> ProcessStatus {
        self.settle();
        ProcessStatus {
            streams: self.streams().iter().map(|s| s.status()).collect(),
            cubes: self.cubes().iter().map(|c| c.status()).collect(),
            unknown_records: self.unknown_records.load(Ordering::Relaxed),
        }
    }

    /// Changes after every applied group; the figure is the number of groups.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

impl Drop for Processor {
    /// Cubes may outlive it, and what waits for them goes with it.
    fn drop(&mut self) {
        self.backlog.settle();
    }
}

impl Downstream for Processor {
    /// What cannot be taken is not acknowledged, so it is not noted either: it will be sent again.
    fn apply(&self, records: &[JournalRecord]) -> Vec<Applied> {
        self.take_all(records, false)
    }
}

impl Processor {
    fn take_all(&self, records: &[JournalRecord], strand: bool) -> Vec<Applied> {
        if records.is_empty() {
            return Vec::new();
        }
        let mut writers = self.backlog.take();
        let mut applied = Vec::with_capacity(records.len());
        for record in records {
            let place = Place {
                at: record.offset,
                copy: None,
            };
            applied.push(writers.take(
                record,
                &place,
                strand,
                &self.options,
                &self.unknown_records,
            ));
        }
        if let Some(last) = records.last() {
            writers.applied = Some(last.offset);
            // What recovery takes has borders: frames that some table has already, and frames after them.
            self.backlog.taken(writers, strand);
        }
        self.changes.send_modify(|groups| *groups += 1);
        applied
    }
}

impl Writers {
    /// One record, as if it stood at that place; with `strand`, what cannot be taken is noted so that
    /// it is kept.
    pub(crate) fn take(
        &mut self,
        record: &JournalRecord,
        place: &Place,
        strand: bool,
        options: &ProcessOptions,
        unknown: &AtomicU64,
    ) -> Applied {
        let taken = match self.by_stream.get_mut(record.stream.as_ref()) {
            // Its definition is gone or broken; the journal still has it.
            None => {
                unknown.fetch_add(1, Ordering::Relaxed);
                match record.kind {
                    RecordKind::Events => Applied {
                        failed: record.batch.num_rows() as u64,
                        ..Applied::default()
                    },
                    RecordKind::Rejects => Applied::default(),
                }
            }
            Some(writer) => match record.kind {
                RecordKind::Events => {
                    let taken = writer.take(record, place);
                    if taken.accepted + taken.duplicates > 0 {
                        writer.take_replayed(record);
                    }
                    taken
                }
                RecordKind::Rejects => {
                    writer.take_rejects(record, place, options.reject_frames_max);
                    Applied::default()
                }
            },
        };
        let writer = self.by_stream.get(record.stream.as_ref());
        let unknown_stream = writer.is_none();
        // What its table has already, from before it ceased to fit, is one of the table's unfit rows.
        let is_in_table =
            writer.is_some_and(|writer| writer.reflects_of(record.kind) >= Some(place.at));
        if strand && (taken.failed > 0 || unknown_stream) && !is_in_table {
            self.stranded.push(StrandedFrame {
                offset: record.offset,
                stream: record.stream.to_string(),
                undefined: unknown_stream,
                readmitted_at: None,
                copy: place.copy.clone(),
            });
        }
        taken
    }

    /// Aggregates what was taken, all of frames up to `upto`.
    pub(crate) fn aggregate(&mut self, engine: &Engine, upto: Offset) {
        for writer in self.by_stream.values_mut() {
            writer.aggregate(engine, upto);
        }
    }
}

/// Plans a cube and gives it to its stream's writer. `None` when the stream itself is at fault,
/// which has been reported already.
fn plan_cube(
    engine: &Engine,
    cube: CubeDefinition,
    streams: &[StreamDefinition],
    writers: &mut BTreeMap<String, Writer>,
    options: &ProcessOptions,
) -> Result<Option<Arc<Cube>>, Vec<ProcessError>> {
    let stream = streams.iter().find(|s| s.schema.name == cube.from);
    let (Some(writer), Some(stream)) = (writers.get_mut(&cube.from), stream) else {
        if stream.is_some() {
            return Ok(None);
        }
        return Err(vec![ProcessError::item(
            Item::Cube {
                cube: cube.name.clone(),
            },
            format!("there is no stream '{}'", cube.from),
        )]);
    };
    let schema = writer.log.schema();
    let money = Money::of(engine, stream, &schema);
    let planned = CubeWriter::new(
        engine,
        cube,
        &schema,
        &mut writer.inputs,
        &money,
        options.combinations_max,
    )?;
    let cube = Arc::clone(&planned.cube);
    writer.cubes.push(planned);
    Ok(Some(cube))
}
