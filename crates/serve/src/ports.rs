//! What the server needs of the other parts, as narrow interfaces.
//!
//! The adapters to the real parts are in `adapters`; tests put simple ones in their place, which
//! lets them show faults (a full disk, a poisoned journal) that real parts do not show on demand.

mod definitions;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
pub use definitions::{
    DefinitionChange, DefinitionPlace, Definitions, FileSample, Precondition, TaggedText,
};
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
pub use tillwatch_analyse::{ForecastQuery, Horizon, Period, Span, Windows, Zone};
pub use tillwatch_monitor::catalogue::{BoardCondition, KeptToken};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use crate::documents::{
    ActionRequest, Annotation, AnnotationKind, AuditStatus, BacktestAnswer, BacktestRequest,
    BackupStatus, Board, BoardList, BoardPlace, ChannelStatus, CubeStatus, DefinitionsStatus,
    Figure, ForecastDocument, HistoryStatus, Incident, IncidentState, JournalStatus,
    MaintainStatus, MemoryStatus, Metric, Monitor, QuarantineList, Receipt, ReplayReceipt, Silence,
    SourceStatus, StreamStatus, VerifyRequest, VerifyStatus,
};
use crate::problem::Problem;

/// A body of events on its way in.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The stream, as named in the address.
    pub stream: String,
    /// The `Content-Type` header, as sent.
    pub content_type: Option<String>,
    /// The `Content-Encoding` header, as sent.
    pub content_encoding: Option<String>,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<String>,
    /// The body, still compressed if it was.
    pub body: Bytes,
}

/// Taking events.
pub trait Collector: Send + Sync + 'static {
    /// The names of all streams.
    fn streams(&self) -> Vec<String>;

    /// Checks what the headers say before the body is read: the stream, the type, the encoding.
    ///
    /// # Errors
    /// `unknown-stream`, `unsupported-content-type`, `unsupported-content-encoding`.
    fn check(&self, envelope: &Envelope) -> Result<(), Problem>;

    /// Counts a request of a stream that was refused for a limit of the server before it came here, and
    /// says when to try again.
    fn refused(&self, _stream: &str) -> Duration {
        Duration::from_secs(1)
    }

    /// Decodes, writes and processes a body, and answers when it is safe on disk.
    ///
    /// # Errors
    /// What is wrong with the body as a whole, overload, and faults of the journal.
    fn take(&self, envelope: Envelope) -> BoxFuture<'_, Result<Receipt, Problem>>;

    /// The latest lines in quarantine.
    ///
    /// # Errors
    /// `unknown-stream`, or a fault when reading.
    fn quarantine(
        &self,
        stream: String,
        limit: usize,
    ) -> BoxFuture<'_, Result<QuarantineList, Problem>>;

    /// Tries the lines in quarantine again.
    ///
    /// # Errors
    /// As [`Self::quarantine`] and [`Self::take`].
    fn replay(&self, stream: String, limit: usize)
    -> BoxFuture<'_, Result<ReplayReceipt, Problem>>;
}

/// A question for the series of a metric, its times fixed and aligned to the step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesQuestion {
    /// The metric's name.
    pub metric: String,
    /// First bucket, in microseconds since the epoch; a multiple of the step.
    pub from_us: i64,
    /// End, exclusive; a multiple of the step.
    pub to_us: i64,
    /// Distance of the points in microseconds; a multiple of the cube's bucket. Not looked at where steps are a calendar's.
    pub step_us: i64,
    /// What of time each point stands for.
    pub windows: Windows,
    /// Dimensions to split by.
    pub by: Vec<String>,
    /// Dimensions and the values they must have.
    pub filters: Vec<(String, String)>,
    /// Slices in the answer; the heaviest are kept.
    pub limit: usize,
}

/// The points of a slice, ascending: begin of the bucket in microseconds since the epoch, and value.
pub type SlicePoints = Vec<(i64, Option<Figure>)>;

/// A step with buckets that changed after they were complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevisedStep {
    /// When the last event that changed it was received, in microseconds since the epoch.
    pub revised_at_us: i64,
    /// How many events came late, of all slices of the cube.
    pub events: u64,
}

/// The series of a metric.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeriesAnswer {
    /// One per slice, the heaviest first.
    pub series: Vec<(SliceKey, SlicePoints)>,
    /// The first and last bucket of the question's range in which there is any event of any slice.
    /// Within it a slice without events is zero for counts and sums and nothing for rates; outside nothing is known.
    pub known_us: Option<(i64, i64)>,
    /// Event time up to which buckets are complete, in microseconds since the epoch.
    pub watermark_us: Option<i64>,
    /// By begin, in microseconds since the epoch: the steps of the question's range with buckets that changed after they
    /// were complete.
    pub revised: BTreeMap<i64, RevisedStep>,
    /// What there is to know about points without a value and events in no window, in sentences.
    pub notes: Vec<String>,
    /// Whether slices were left out because of the limit.
    pub truncated: bool,
}

/// The values of a question's `by`, in its order; `None` where events have no value.
pub type SliceKey = Vec<Option<String>>;

/// How often series were computed since the definitions were loaded, and how often that was not needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeriesReuse {
    /// Computations begun.
    pub computed: u64,
    /// Answers given that were kept from before.
    pub reused: u64,
    /// Answers given that another had asked for at the same time.
    pub shared: u64,
    /// Answers kept.
    pub kept: u64,
    /// Bytes of memory they take.
    pub kept_bytes: u64,
}

/// What a caller narrows of the limits of SQL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SqlLimits {
    /// At most so many rows.
    pub rows_max: Option<usize>,
    /// At most so long.
    pub timeout: Option<Duration>,
}

/// The format of an answer to a question in SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlFormat {
    /// `{"columns":[{"name","type"}],"rows":[[…]]}`.
    Json,
    /// A head line and one line per row.
    Csv,
    /// Arrow's IPC stream.
    ArrowStream,
}

/// Answering questions.
pub trait Figures: Send + Sync + 'static {
    /// All metrics, in the order of their definition.
    fn metrics(&self) -> Vec<Metric>;

    /// The metric of that name.
    fn metric(&self, name: &str) -> Option<Metric> {
        self.metrics()
            .into_iter()
            .find(|metric| metric.name == name)
    }

    /// A series. Dropping the future gives up the computation.
    ///
    /// # Errors
    /// What is wrong with the question, or why it cannot be answered now.
    fn series(&self, question: SeriesQuestion) -> BoxFuture<'_, Result<SeriesAnswer, Problem>>;

    /// A metric's forecast. Dropping the future gives up the computation.
    ///
    /// # Errors
    /// What is wrong with the question, or why it cannot be answered now.
    fn forecast(&self, question: ForecastQuery)
    -> BoxFuture<'_, Result<ForecastDocument, Problem>>;

    /// A question in SQL, answered in a format. Dropping the future gives up the computation.
    ///
    /// # Errors
    /// What is wrong with the text, or why it cannot be answered now.
    fn sql(
        &self,
        text: String,
        limits: SqlLimits,
        format: SqlFormat,
    ) -> BoxFuture<'_, Result<Vec<u8>, Problem>>;

    /// How often series were computed, and how often that was not needed.
    fn reuse(&self) -> SeriesReuse {
        SeriesReuse::default()
    }

    /// Bumped after each group of events that has been processed.
    fn changes(&self) -> watch::Receiver<u64>;

    /// The version of what a metric is computed from. It is taken before a computation.
    fn version(&self, metric: &str) -> u64;

    /// The range of event time, in microseconds, that a metric may have changed in since a version.
    /// `None` when it has not changed at all.
    fn changed_since(&self, metric: &str, version: u64) -> Option<(i64, i64)>;
}

/// What may be done to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentAction {
    /// Somebody takes it.
    Acknowledge,
    /// It is over.
    Resolve,
    /// Somebody says whether it was real.
    Feedback {
        /// Whether it was.
        is_real: bool,
    },
    /// Somebody writes something down.
    Note,
    /// Nothing is announced about it for a while.
    Silence {
        /// For how long.
        duration: Duration,
    },
}

/// Something has happened to incidents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IncidentChange {
    /// To the one with this id.
    Of(String),
    /// More than could be kept for a listener that was busy; it looks at the list again.
    Many,
}

/// The changes that a channel tells of; whoever falls behind hears only that there were many.
pub(crate) fn changes_of<T: Clone + Send + 'static>(
    feed: broadcast::Receiver<T>,
    id: impl Fn(&T) -> String + Copy + Send + 'static,
) -> BoxStream<'static, IncidentChange> {
    stream::unfold(feed, move |mut feed| async move {
        match feed.recv().await {
            Ok(event) => Some((IncidentChange::Of(id(&event)), feed)),
            Err(RecvError::Lagged(_)) => Some((IncidentChange::Many, feed)),
            Err(RecvError::Closed) => None,
        }
    })
    .boxed()
}

/// Incidents and monitors. Calls may touch the disk and are made off the async threads.
pub trait Incidents: Send + Sync + 'static {
    /// The latest incidents, of one state or of all.
    ///
    /// # Errors
    /// A fault of the catalogue.
    fn list(&self, state: Option<IncidentState>, limit: usize) -> Result<Vec<Incident>, Problem>;

    /// One incident with its whole timeline.
    ///
    /// # Errors
    /// A fault of the catalogue.
    fn one(&self, id: &str) -> Result<Option<Incident>, Problem>;

    /// Does something to an incident and returns what it is then; `None` when there is none with that id.
    ///
    /// # Errors
    /// `conflict` when its state does not allow it; a fault of the catalogue.
    fn act(
        &self,
        id: &str,
        action: IncidentAction,
        request: &ActionRequest,
    ) -> Result<Option<Incident>, Problem>;

    /// Tells of incidents as they change, from now on.
    fn changes(&self) -> BoxStream<'static, IncidentChange>;

    /// All monitors and what they see.
    ///
    /// # Errors
    /// A fault of the catalogue.
    fn monitors(&self) -> Result<Vec<Monitor>, Problem>;

    /// The silences that last, those that end first before the others.
    ///
    /// # Errors
    /// A fault of the catalogue.
    fn silences(&self, limit: usize) -> Result<Vec<Silence>, Problem>;

    /// Ends a silence before its time; false if there is none of that number.
    ///
    /// # Errors
    /// A fault of the catalogue.
    fn end_silence(&self, id: i64, by: Option<&str>) -> Result<bool, Problem>;
}

/// Judging the past. It takes seconds and is done off the async threads.
pub trait Backtests: Send + Sync + 'static {
    /// Tests the monitor of that name, a proposed version of it, or both. `go_on` hears the share that is done, and ends the test by
    /// saying no.
    ///
    /// # Errors
    /// `unknown-monitor`, `bad-definition` with all its faults, `bad-parameter`, `backtest-impossible`, `overloaded` while too many
    /// are running, and `timeout`.
    fn run(
        &self,
        monitor: &str,
        request: &BacktestRequest,
        go_on: &mut dyn FnMut(f64) -> bool,
    ) -> Result<BacktestAnswer, Problem>;
}

/// Which annotations are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnotationQuery {
    /// Those that were not over at this time, in microseconds since the epoch.
    pub from_us: i64,
    /// Those that had begun before this time.
    pub to_us: i64,
    /// Those of this kind; of all where there is none.
    pub kind: Option<AnnotationKind>,
    /// At most so many, the latest.
    pub limit: usize,
}

/// An annotation that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAnnotation {
    /// What it is of.
    pub kind: AnnotationKind,
    /// When it began, in microseconds since the epoch.
    pub at_us: i64,
    /// When it ended; `None` for what takes no time.
    pub until_us: Option<i64>,
    /// One line.
    pub title: String,
    /// More.
    pub text: Option<String>,
    /// Who wrote it.
    pub by: Option<String>,
    /// Where more is to be read: an address of `http` or `https`.
    pub url: Option<String>,
    /// What of the traffic it concerns, by dimension; empty for all.
    pub slice: BTreeMap<String, Option<String>>,
}

/// Annotations. Calls touch the disk and are made off the async threads.
pub trait Annotations: Send + Sync + 'static {
    /// The latest of a stretch of time, the first of them first.
    ///
    /// # Errors
    /// A fault of the catalogue.
    fn list(&self, query: &AnnotationQuery) -> Result<Vec<Annotation>, Problem>;

    /// Keeps one; with `false` the one that was kept before under the same key.
    ///
    /// # Errors
    /// A fault of the catalogue.
    fn add(&self, new: NewAnnotation, key: Option<&str>) -> Result<(Annotation, bool), Problem>;

    /// Takes one away; false if there is none of that number.
    ///
    /// # Errors
    /// A fault of the catalogue.
    fn remove(&self, id: i64) -> Result<bool, Problem>;
}

/// A board as it is sent.
#[derive(Debug, Clone, PartialEq)]
pub enum BoardText {
    /// Its keys, as JSON.
    Json(serde_json::Map<String, serde_json::Value>),
    /// YAML: the board, or the section `boards` with it alone.
    Yaml(String),
}

/// Boards: those of the definitions, and those that people saved. Calls may touch the disk and are made off the async
/// threads.
pub trait Boards: Send + Sync + 'static {
    /// All of them.
    ///
    /// # Errors
    /// A fault of the catalogue.
    fn list(&self) -> Result<BoardList, Problem>;

    /// The board of that name: the folder's where there is one, unless `from` says which. With it, what tells this state of
    /// it from others.
    ///
    /// # Errors
    /// `unknown-board`, or a fault of the catalogue.
    fn one(&self, name: &str, from: Option<BoardPlace>) -> Result<(Board, String), Problem>;

    /// As [`Self::one`], as it is written.
    ///
    /// # Errors
    /// As [`Self::one`].
    fn written(&self, name: &str, from: Option<BoardPlace>) -> Result<(String, String), Problem>;

    /// Saves a board; says whether there was none of that name before. `by` is who saves it, where that is known.
    ///
    /// # Errors
    /// `bad-definition` with all its faults, `conflict` where the folder has the name or there are too many,
    /// `precondition-failed`, or a fault of the catalogue.
    fn save(
        &self,
        name: &str,
        text: &BoardText,
        by: Option<&str>,
        condition: &BoardCondition,
    ) -> Result<(Board, String, bool), Problem>;

    /// Removes a saved board.
    ///
    /// # Errors
    /// `unknown-board`, `conflict` where it is one of the folder, `precondition-failed`, or a fault of the catalogue.
    fn remove(&self, name: &str, condition: &BoardCondition) -> Result<(), Problem>;
}

/// Backing up. Nothing here waits for a backup.
pub trait Backup: Send + Sync + 'static {
    /// Begins a backup of that name, or of the time's.
    ///
    /// # Errors
    /// The name is none, there is one of that name, another is being made, or none can be made here.
    fn start(&self, name: Option<String>) -> Result<BackupStatus, Problem>;

    /// The last one since the start.
    fn last(&self) -> Option<BackupStatus>;
}

/// Verifying what is kept. Nothing here waits for a verification.
pub trait Verification: Send + Sync + 'static {
    /// Begins one.
    ///
    /// # Errors
    /// Another is running, or the server is stopping.
    fn start(&self, request: &VerifyRequest) -> Result<VerifyStatus, Problem>;

    /// The last one since the start.
    fn last(&self) -> Option<VerifyStatus>;
}

/// Maintaining history by hand. Nothing here waits for its end.
pub trait Maintenance: Send + Sync + 'static {
    /// Begins it.
    ///
    /// # Errors
    /// Another is running, or the server is stopping.
    fn start(&self) -> Result<MaintainStatus, Problem>;

    /// The last one since the start.
    fn last(&self) -> Option<MaintainStatus>;
}

/// Access tokens that are kept. Calls may touch the disk and are made off the async threads.
pub trait Tokens: Send + Sync + 'static {
    /// All of them, those that are over or revoked too.
    ///
    /// # Errors
    /// What is wrong with where they are kept.
    fn all(&self) -> Result<Vec<KeptToken>, String>;

    /// Notes when tokens were used last: their numbers, and times in microseconds since the epoch.
    ///
    /// # Errors
    /// What is wrong with where they are kept.
    fn used(&self, used: &[(i64, i64)]) -> Result<(), String>;
}

/// How far the start has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// From 0 to 1.
    pub fraction: f64,
    /// Events replayed so far.
    pub events: u64,
}

/// The state of the other parts. It is answered from memory, at any time, even while recovering.
pub trait Health: Send + Sync + 'static {
    /// How far recovery has come.
    fn progress(&self) -> Progress;
    /// The definitions in force.
    fn definitions(&self) -> DefinitionsStatus;
    /// The journal.
    fn journal(&self) -> JournalStatus;
    /// The history tables.
    fn history(&self) -> HistoryStatus;
    /// The continuous audit.
    fn audit(&self) -> AuditStatus {
        AuditStatus::default()
    }
    /// The memory of the process.
    fn memory(&self) -> MemoryStatus {
        MemoryStatus::default()
    }
    /// All streams; `rate_per_s` is filled in by the server.
    fn streams(&self) -> Vec<StreamStatus>;
    /// All cubes.
    fn cubes(&self) -> Vec<CubeStatus>;
    /// All sources.
    fn sources(&self) -> Vec<SourceStatus>;
    /// All active channels.
    fn channels(&self) -> Vec<ChannelStatus> {
        Vec::new()
    }
}
