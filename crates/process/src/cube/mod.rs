//! Cubes: partial aggregates of a stream, kept per time bucket and dimensions.

mod inputs;
mod keep;
mod limit;
mod money;
mod plan;
mod settle;
mod states;
mod store;
mod table;
mod view;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, Weak};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::AggregateUDF;
use tillwatch_history::DataFile;
use tillwatch_journal::Offset;

pub(crate) use inputs::{BatchInputs, Inputs, bucket_starts, event_times};
pub(crate) use keep::KeepAt;
pub use limit::OTHER;
pub use money::FigureCurrency;
pub(crate) use money::Money;
pub(crate) use plan::CubePlan;
use states::stretches;
pub(crate) use states::{memory_bytes, starting_within};
use store::CubeStore;
pub(crate) use store::StoreState;
pub(crate) use table::{StateCache, StateTable};
pub use view::CubeView;

use crate::backlog::Backlog;
use crate::definition::CubeDefinition;
use crate::engine::Engine;
use crate::error::ProcessError;
use crate::history::{CubeState, RolledUp};
use crate::revision::{RevisionLog, Revisions};
use crate::status::CubeStatus;
use keep::Keep;
use limit::Combinations;

/// The column that holds the start of a time bucket.
pub const BUCKET: &str = "bucket";

/// A measure of a cube: one aggregate whose states are kept.
#[derive(Debug, Clone)]
pub struct Measure {
    /// The measure's name.
    pub name: String,
    /// The aggregate as defined.
    pub sql: String,
    /// The state columns of the cube that belong to it, in order: the arguments of `merge`.
    pub state_columns: Vec<String>,
    /// `<aggregate>_merge(state columns…)` gives the measure's value over any set of states.
    pub merge: Arc<AggregateUDF>,
    /// The type of the finished value.
    pub data_type: DataType,
    /// The currency of its figures.
    pub currency: FigureCurrency,
}

/// A cube and its states.
///
/// Writing happens on one thread, the processing thread; reading from any.
#[derive(Debug)]
pub struct Cube {
    definition: CubeDefinition,
    plan: CubePlan,
    store: CubeStore,
    rolled_up: RolledUp,
    revisions: RevisionLog,
    /// Where events may wait that are not in the states yet.
    backlog: OnceLock<Weak<Backlog>>,
}

/// What only the writing thread has of a cube.
#[derive(Debug)]
pub(crate) struct CubeWriter {
    pub(crate) cube: Arc<Cube>,
    combinations: Combinations,
    /// The last frame whose states are in the cube's table already: after a crash the table may be
    /// ahead of the checkpoint that recovery starts from.
    pub(crate) reflects: Option<Offset>,
    /// Of a table that is filled anew, the start of the first bucket that is: what is before stays.
    pub(crate) refilled_from_us: Option<i64>,
}

impl Cube {
    /// The definition it was made from.
    #[must_use]
    pub fn definition(&self) -> &CubeDefinition {
        &self.definition
    }

    /// The schema of its states: `bucket` (timestamp in µs, UTC), the dimensions, then the state
    /// columns of every measure, `<measure>` or `<measure>__<i>`.
    #[must_use]
    pub fn state_schema(&self) -> SchemaRef {
        Arc::clone(self.plan.state_schema())
    }

    /// Its measures in the order of definition.
    #[must_use]
    pub fn measures(&self) -> &[Measure] {
        self.plan.measures()
    }

    /// The width of a bucket in microseconds.
    #[must_use]
    pub fn bucket_us(&self) -> i64 {
        self.plan.bucket_us()
    }

    /// The widths that `keep` has given to older buckets, as (start of the first such bucket, width),
    /// newest first, in microseconds; empty when all buckets have the cube's own width.
    #[must_use]
    pub fn widths_us(&self) -> Vec<(i64, i64)> {
        self.store.widths()
    }

    /// Has events aggregated that wait in `backlog` before figures are read. Once.
    pub(crate) fn follow(&self, backlog: &Arc<Backlog>) {
        // A second time is a fault of the caller, and changes nothing.
        let _ = self.backlog.set(Arc::downgrade(backlog));
    }

    /// Has events aggregated that were taken and wait, as [`Self::view`] does before it reads: afterwards
    /// [`Self::widths_us`] are those of all that was taken. It takes up to tens of milliseconds.
    pub fn settle(&self) {
        if let Some(backlog) = self.backlog.get().and_then(Weak::upgrade) {
            backlog.settle();
        }
    }

    /// The states of all buckets that overlap `from_us ≤ t < to_us`, as they are now; no bound takes
    /// all. Events that were taken and wait are aggregated first, which takes up to tens of milliseconds.
    #[must_use]
    pub fn view(&self, from_us: Option<i64>, to_us: Option<i64>) -> CubeView {
        self.settle();
        let columns = self.plan.state_schema().fields().len();
        self.store
            .view(from_us, to_us, self.plan.bucket_us(), columns)
    }

    /// Buckets that start before this, µs, may lack events: raw events of that time had been removed when
    /// the cube was filled. None when it covers all.
    #[must_use]
    pub fn covers_from_us(&self) -> Option<i64> {
        self.store.covers_from_us()
    }

    pub(crate) fn cover_from(&self, from_us: i64) {
        self.store.cover_from(from_us);
    }

    /// The start of the first bucket that has nothing from before `us`, however wide `keep` makes buckets, or
    /// an earlier one made them: `widths` are theirs.
    pub(crate) fn first_whole_from(&self, us: i64, widths: &[(i64, i64)]) -> i64 {
        let own = self.store.widest_us().unwrap_or_else(|| self.bucket_us());
        let widths = widths.iter().map(|(_, width)| *width);
        let width = widths.fold(own.max(1), common_multiple);
        let start = us.saturating_add(width - 1).div_euclid(width);
        start.saturating_mul(width)
    }

    /// Takes up how wide buckets were when the cube was last defined.
    pub(crate) fn restore_widths(&self, state: &StoreState) {
        self.store.restore_widths(state);
    }

    /// The states that are not in the table yet; none when all are.
    /// They stay readable here until [`Self::flushed`].
    pub(crate) fn begin_flush(&self) -> Vec<RecordBatch> {
        self.store.begin_flush()
    }

    pub(crate) fn flushed(&self, files: Arc<[Arc<DataFile>]>) {
        self.store.flushed(files);
    }

    pub(crate) fn replaced(&self, files: Arc<[Arc<DataFile>]>) {
        self.store.replaced(files);
    }

    pub(crate) fn files(&self) -> Arc<[Arc<DataFile>]> {
        self.store.files()
    }

    pub(crate) fn attach(&self, table: StateTable) {
        self.store.attach(table);
    }

    pub(crate) fn table(&self) -> Option<&StateTable> {
        self.store.table()
    }

    pub(crate) fn plan(&self) -> &CubePlan {
        &self.plan
    }

    pub(crate) fn rolled_up(&self) -> &RolledUp {
        &self.rolled_up
    }

    pub(crate) fn kept_at(&self) -> Option<KeepAt> {
        self.store.kept_at()
    }

    /// States merged so that each key is in them once.
    pub(crate) fn reduce(
        &self,
        engine: &Engine,
        states: &[RecordBatch],
    ) -> Result<RecordBatch, ProcessError> {
        self.plan.reduce(engine, states)
    }

    /// As [`Self::reduce`], a stretch of time of about `rows_max` rows after the other, so that no more than
    /// that is merged in memory at once. What comes is in order of time from batch to batch.
    pub(crate) fn reduce_parts(
        &self,
        engine: &Engine,
        states: &[RecordBatch],
        rows_max: usize,
    ) -> Result<Vec<RecordBatch>, ProcessError> {
        stretches(states, rows_max)
            .into_iter()
            .map(|(from, to)| {
                let part = states.iter();
                let part = part.map(|batch| starting_within(batch, from, to));
                let mut part = part.collect::<Result<Vec<_>, _>>()?;
                part.retain(|batch| batch.num_rows() > 0);
                self.reduce(engine, &part)
            })
            .collect()
    }

    /// A number that grows with every change of what [`Self::view`] gives.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.store.version()
    }

    /// The first and the last bucket start (µs) touched after `version`; `None` when nothing was.
    /// When `version` is too long ago to tell, the range is everything.
    #[must_use]
    pub fn changed_since(&self, version: u64) -> Option<(i64, i64)> {
        self.store.changed_since(version)
    }

    /// How often `keep` may have joined or removed buckets, which [`Self::version`] does not count, and the bucket start (µs)
    /// before which all of them started.
    #[must_use]
    pub fn reshaped(&self) -> (u64, i64) {
        self.store.reshaped()
    }

    /// What `read` makes of the buckets that changed after they were complete. Processing waits for
    /// it, so it must be quick.
    pub fn revisions<T>(&self, read: impl FnOnce(&Revisions) -> T) -> T {
        read(&self.revisions.lock())
    }

    /// Puts back what was known of revisions when the states were kept.
    pub(crate) fn restore_revisions(&self, revisions: Revisions) {
        *self.revisions.lock() = revisions;
    }

    /// Sizes and counts.
    #[must_use]
    pub fn status(&self) -> CubeStatus {
        self.settle();
        let store = self.store.status(&self.definition.name);
        let revisions = self.revisions.lock();
        CubeStatus {
            revised_buckets: revisions.buckets() as u64,
            revised_events: revisions.events(),
            revised_complete_from_us: revisions.complete_from_us(),
            ..store
        }
    }
}

/// The least number that both divide; the largest there is when that is no number.
fn common_multiple(a: i64, b: i64) -> i64 {
    let (mut divisor, mut rest) = (a, b.max(1));
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    (a / divisor).checked_mul(b.max(1)).unwrap_or(i64::MAX)
}

fn panicked(what: &str) -> ProcessError {
    ProcessError::Engine(DataFusionError::Execution(format!("{what} panicked")))
}

impl CubeWriter {
    /// Plans a cube over the stream's columns (declared and derived).
    pub(crate) fn new(
        engine: &Engine,
        definition: CubeDefinition,
        stream: &SchemaRef,
        inputs: &mut Inputs,
        money: &Money,
        combinations_max: usize,
    ) -> Result<Self, Vec<ProcessError>> {
        let plan = CubePlan::new(engine, &definition, stream, inputs, money);
        let (plan, keep) = match (plan, Keep::new(&definition)) {
            (Ok(plan), Ok(keep)) => (plan, keep),
            (plan, keep) => {
                let faults = plan.err().unwrap_or_default();
                return Err(faults.into_iter().chain(keep.err()).collect());
            }
        };
        let combinations =
            Combinations::new(plan.dimension_types(), combinations_max).map_err(|e| vec![e])?;
        let store = CubeStore::new(keep);
        Ok(Self {
            cube: Arc::new(Cube {
                definition,
                plan,
                store,
                rolled_up: RolledUp::default(),
                revisions: RevisionLog::default(),
                backlog: OnceLock::new(),
            }),
            combinations,
            reflects: None,
            refilled_from_us: None,
        })
    }

    /// What a checkpoint keeps besides the states.
    pub(crate) fn state(&self) -> CubeState {
        CubeState::new(
            self.cube.store.state(),
            self.cube.revisions(Revisions::clone),
            self.combinations.known().collect(),
        )
    }

    /// Takes up what a checkpoint kept.
    pub(crate) fn restore(&mut self, state: &CubeState) {
        self.combinations.restore(state.known.iter().copied());
        self.cube
            .store
            .restore(&state.store, self.combinations.len());
        self.cube.restore_revisions(state.revisions.clone());
    }

    /// Adds a batch of events, all of frames up to `upto`.
    ///
    /// A batch that cannot be aggregated is halved until the rows at fault stand alone; those are
    /// left out of this cube and counted, all others are in.
    ///
    /// What the table holds already passes through all the same, for what is counted and for the
    /// combinations, and only its states are not added.
    pub(crate) fn append(&mut self, engine: &Engine, batch: &mut BatchInputs<'_>, upto: Offset) {
        if batch.rows() == 0 {
            return;
        }
        let new = self.is_new(upto);
        let mut failed = 0;
        self.append_or_halve(engine, batch, &mut failed, new);
        if failed > 0 {
            self.cube.store.count_failed(failed);
        }
    }

    /// Notes which buckets events from one time to another, µs, of frames up to `upto`, will change.
    pub(crate) fn note_change(&self, first_us: i64, last_us: i64, upto: Offset) {
        if self.is_new(upto) {
            let width = self.cube.bucket_us();
            let start = |t: i64| t.div_euclid(width).saturating_mul(width);
            self.cube.store.changed(start(first_us), start(last_us));
        }
    }

    /// Whether the table does not hold the states of a frame already.
    fn is_new(&self, place: Offset) -> bool {
        self.reflects.is_none_or(|reflects| place > reflects)
    }

    /// Notes which buckets the events of `times` change though they were complete, up to
    /// `complete_us`, when the events were received.
    pub(crate) fn revise(
        &self,
        times: &[i64],
        complete_us: i64,
        received_at_us: i64,
        buckets_max: usize,
    ) {
        let width_us = self.cube.bucket_us();
        let mut revisions = self.cube.revisions.lock();
        revisions.note(times, width_us, complete_us, received_at_us, buckets_max);
    }

    /// As [`Self::retain`], however little event time has moved on: states of all ages have come.
    pub(crate) fn retain_now(&mut self, engine: &Engine, watermark_us: i64) {
        self.cube.store.retain_anew();
        self.retain(engine, watermark_us);
    }

    /// Rolls up and removes what `keep` says, now and then, as event time moves on.
    pub(crate) fn retain(&mut self, engine: &Engine, watermark_us: i64) {
        let cube = &self.cube;
        let retain = AssertUnwindSafe(|| cube.store.retain(engine, &cube.plan, watermark_us));
        let retained = catch_unwind(retain).unwrap_or_else(|_| Err(panicked("retention")));
        if let Err(error) = retained {
            tracing::error!(cube = %cube.definition.name, error = error.name(), "retention failed");
        }
    }

    fn append_or_halve(
        &mut self,
        engine: &Engine,
        batch: &mut BatchInputs<'_>,
        failed: &mut u64,
        new: bool,
    ) {
        let rows = batch.rows();
        match self.guarded_append(engine, batch, new) {
            Ok(()) => {}
            Err(error) if rows <= 1 => {
                // Said once per cube, and counted. The row's values stay out of the log; the
                // error's kind is enough to look for it.
                if *failed == 0 && self.cube.store.failed() == 0 {
                    tracing::warn!(cube = %self.cube.definition.name, error = error.name(), "an event cannot be aggregated");
                }
                *failed += rows as u64;
            }
            Err(_) => {
                let half = rows / 2;
                for (start, rows) in [(0, half), (half, rows - half)] {
                    self.append_or_halve(engine, &mut batch.slice(start, rows), failed, new);
                }
            }
        }
    }

    /// A panic inside an aggregate is a fault of its row like any other: the states are swapped in
    /// as the last step, so nothing of the batch is in when one happens.
    fn guarded_append(
        &mut self,
        engine: &Engine,
        batch: &mut BatchInputs<'_>,
        new: bool,
    ) -> Result<(), ProcessError> {
        let append = AssertUnwindSafe(|| self.try_append(engine, batch, new));
        catch_unwind(append).unwrap_or_else(|_| Err(panicked("an aggregate")))
    }

    fn try_append(
        &mut self,
        engine: &Engine,
        batch: &mut BatchInputs<'_>,
        new: bool,
    ) -> Result<(), ProcessError> {
        let plan = &self.cube.plan;
        let states = plan.partial(engine, batch)?;
        let (states, folded) = self.combinations.limit(&states)?;
        // Folding may have made keys equal that were not.
        let states = if folded > 0 {
            plan.reduce(engine, &[states])?
        } else {
            states
        };
        if new {
            self.cube.store.append(engine, plan, states)?;
        }
        self.cube
            .store
            .count_combinations(self.combinations.len(), folded);
        Ok(())
    }
}
