//! Loads a file, so that it can be taken up again after a crash of either side and nothing counts twice.
//!
//! The file is cut into chunks at fixed places. A chunk is sent with an `Idempotency-Key` made of the
//! file's fingerprint and the chunk's place, and is noted as done when the other side has answered, which it
//! does when the events are durable. What was sent and not noted is sent again with the same key. What is noted
//! holds for the journal that answered, not for its address: another one begins with nothing.

mod error;
mod fingerprint;
mod http;
mod local;
mod rejected;
mod send;
mod sink;
mod state;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::dialect::FileFormat;
use super::error::FileError;
use super::reader::{Chunk, FileReader, ReadOptions};
use rejected::RejectedFile;
use send::Retries;
use state::{SavedState, StateFile};

pub use error::IngestError;
pub use fingerprint::Fingerprint;
pub use http::{HttpSink, HttpSinkOptions};
pub use local::IntakeSink;
pub use sink::{Answer, Parcel, Sink, SinkError};
pub use state::default_state_folder;

/// How a file is loaded.
#[derive(Debug, Clone)]
pub struct IngestOptions {
    /// How the file is read. What an interrupted run began with goes before this.
    pub read: ReadOptions,
    /// Where it is noted how far a file has been loaded.
    pub state_folder: PathBuf,
    /// Where rejected lines go; beside the file, as `<file>.rejected.ndjson`, when absent.
    pub rejected_path: Option<PathBuf>,
    /// Whether to forget how far the file was loaded before, and begin anew.
    pub restart: bool,
    /// Chunks sent and not yet answered. Default 4.
    pub in_flight_max: usize,
    /// Failures in a row of one chunk, after which loading ends and can be taken up later. Default 10.
    pub failures_max: u32,
    /// The wait after a first failure; it doubles with each. Default 250 ms.
    pub retry_wait_min: Duration,
    /// The longest wait between two tries, also when the server asks for more. Default 30 s.
    pub retry_wait_max: Duration,
    /// How long a server may call itself overloaded before loading ends. Default 10 minutes.
    pub overload_max: Duration,
}

impl IngestOptions {
    /// The defaults, with this folder for the state.
    #[must_use]
    pub fn new(state_folder: impl Into<PathBuf>) -> Self {
        Self {
            read: ReadOptions::default(),
            state_folder: state_folder.into(),
            rejected_path: None,
            restart: false,
            in_flight_max: 4,
            failures_max: 10,
            retry_wait_min: Duration::from_millis(250),
            retry_wait_max: Duration::from_secs(30),
            overload_max: Duration::from_secs(600),
        }
    }
}

/// How far a file has been loaded. Counts include those of interrupted runs before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes of the file, as it lies on the disk, whose events have been acknowledged.
    pub bytes_done: u64,
    /// Bytes of the file.
    pub bytes_total: u64,
    /// Events taken and new.
    pub accepted: u64,
    /// Events that were there before.
    pub duplicates: u64,
    /// Lines rejected.
    pub rejected: u64,
}

/// What happens while a file is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// More has been acknowledged.
    Progress(Progress),
    /// A chunk is sent again after a wait.
    Waiting {
        /// Why.
        reason: String,
        /// How long.
        wait: Duration,
    },
}

/// Told what happens, from any thread.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;

/// What came of loading a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The counts over all runs.
    pub progress: Progress,
    /// Where the rejected lines are, if there are any.
    pub rejected_path: Option<PathBuf>,
    /// Where an interrupted run before had come to.
    pub resumed_from: Option<u64>,
    /// Whether the file had been loaded completely before, so that nothing was sent.
    pub done_before: bool,
    /// The file's form, as it was found.
    pub format: FileFormat,
}

/// Loads the file at `path` into `stream` through `sink`.
///
/// Dropping the future, or any error, leaves a state from which the same call goes on.
///
/// # Errors
/// See [`IngestError`].
pub async fn ingest<S: Sink>(
    path: &Path,
    stream: &str,
    sink: Arc<S>,
    options: &IngestOptions,
    listener: Listener,
) -> Result<Outcome, IngestError> {
    let file = path.to_owned();
    let fingerprint = tokio::task::spawn_blocking(move || Fingerprint::of(&file))
        .await
        .map_err(|error| FileError::io("read", path)(std::io::Error::other(error)))??;
    let retries = Arc::new(Retries::new(options, Arc::clone(&listener)));
    let target = retries.target(sink.as_ref()).await;
    let target = target.map_err(|error| IngestError::unreached(&error))?;
    let mut run = Run::begin(path, &target, stream, fingerprint, options)?;
    if run.saved.done {
        return Ok(run.outcome(true));
    }
    listener(Event::Progress(run.progress));
    let mut chunks = read_ahead(run.reader()?, options.in_flight_max);
    let mut in_flight = VecDeque::new();
    let mut failure = None;
    loop {
        while failure.is_none() && in_flight.len() < options.in_flight_max.max(1) {
            match chunks.recv().await {
                Some(Ok(read)) => in_flight.push_back(run.send(read, &sink, &retries)),
                Some(Err(error)) => failure = Some(IngestError::from(error)),
                None => break,
            }
        }
        let Some(oldest) = in_flight.pop_front() else {
            break;
        };
        let line = oldest.parcel.chunk.start.line;
        match oldest.answer().await {
            Ok((parcel, answer, bytes_done)) => {
                run.acknowledge(&parcel, answer, bytes_done)?;
                listener(Event::Progress(run.progress));
            }
            Err(error) => {
                // What is in flight behind it may arrive or not; it is sent again under its key.
                return Err(IngestError::interrupted(&error, line));
            }
        }
    }
    match failure {
        Some(error) => Err(error),
        None => {
            run.finish()?;
            listener(Event::Progress(run.progress));
            Ok(run.outcome(false))
        }
    }
}

/// One file on its way.
struct Run {
    path: PathBuf,
    read: ReadOptions,
    key: String,
    state: StateFile,
    saved: SavedState,
    rejected: RejectedFile,
    progress: Progress,
    resumed_from: Option<u64>,
}

/// A chunk that was read, and how much of the file had been by then.
struct ReadChunk {
    chunk: Chunk,
    bytes_done: u64,
}

struct InFlight {
    parcel: Arc<Parcel>,
    bytes_done: u64,
    task: Task,
}

/// A sending that ends when nobody waits for it any more.
struct Task(JoinHandle<Result<Answer, SinkError>>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl InFlight {
    async fn answer(mut self) -> Result<(Arc<Parcel>, Answer, u64), SinkError> {
        let answer = (&mut self.task.0).await;
        let answer =
            answer.map_err(|error| SinkError::Refused(format!("sending broke off: {error}")))??;
        Ok((self.parcel, answer, self.bytes_done))
    }
}

impl Run {
    fn begin(
        path: &Path,
        target: &str,
        stream: &str,
        fingerprint: Fingerprint,
        options: &IngestOptions,
    ) -> Result<Self, IngestError> {
        let state = StateFile::new(&options.state_folder, target, stream, &fingerprint);
        let found = if options.restart { None } else { state.load() };
        let format = FileReader::open(path, options.read)?.format();
        let fresh = SavedState::new(path, target, stream, &fingerprint, format, &options.read);
        let saved = match found {
            Some(found) if found.format != fresh.format => {
                return Err(IngestError::OtherForm {
                    began_as: found.format,
                    now: fresh.format,
                });
            }
            Some(found) => found,
            None => fresh,
        };
        let read = ReadOptions {
            format: Some(format),
            // Whether there is a header is for the stream to say, and what it says is known on the other side.
            header_open: true,
            chunk_bytes: saved.chunk_bytes,
            chunk_rows: saved.chunk_rows,
            ..options.read
        };
        let rejected_path = options
            .rejected_path
            .clone()
            .unwrap_or_else(|| rejected::beside(path));
        let rejected = RejectedFile::open(
            rejected_path,
            saved.rejected_bytes,
            saved.done,
            read.record_bytes_max,
        )?;
        let bytes_total = std::fs::metadata(path)
            .map_err(FileError::io("open", path))?
            .len();
        let progress = Progress {
            bytes_done: if saved.done {
                bytes_total
            } else {
                saved.bytes_done
            },
            bytes_total,
            accepted: saved.accepted,
            duplicates: saved.duplicates,
            rejected: saved.rejected,
        };
        let resumed_from = saved.acknowledged.map(|at| at.offset);
        let key = fingerprint.to_string();
        Ok(Self {
            path: path.to_owned(),
            read,
            key,
            state,
            saved,
            rejected,
            progress,
            resumed_from,
        })
    }

    fn reader(&self) -> Result<FileReader, IngestError> {
        Ok(FileReader::open_at(
            &self.path,
            self.read,
            self.saved.acknowledged,
        )?)
    }

    fn send<S: Sink>(&self, read: ReadChunk, sink: &Arc<S>, retries: &Arc<Retries>) -> InFlight {
        let format = self.read.format.unwrap_or(FileFormat::Ndjson);
        let idempotency_key = format!("{}:{}", self.key, read.chunk.start.offset);
        let parcel = Arc::new(Parcel {
            chunk: read.chunk,
            format,
            idempotency_key,
        });
        let (sink, retries, sent) = (Arc::clone(sink), Arc::clone(retries), Arc::clone(&parcel));
        let task = tokio::spawn(async move { retries.send(sink.as_ref(), &sent).await });
        InFlight {
            parcel,
            bytes_done: read.bytes_done,
            task: Task(task),
        }
    }

    /// Notes a chunk as done: first its rejected lines, then the state that says how many bytes those take.
    fn acknowledge(
        &mut self,
        parcel: &Parcel,
        answer: Answer,
        bytes_done: u64,
    ) -> Result<(), IngestError> {
        self.rejected.append(parcel, &answer)?;
        self.progress.accepted += answer.accepted;
        self.progress.duplicates += answer.duplicates;
        self.progress.rejected += answer.rejected;
        self.progress.bytes_done = bytes_done;
        self.saved.acknowledged = Some(parcel.chunk.end);
        self.save()
    }

    fn finish(&mut self) -> Result<(), IngestError> {
        self.progress.bytes_done = self.progress.bytes_total;
        self.saved.done = true;
        self.save()
    }

    fn save(&mut self) -> Result<(), IngestError> {
        self.saved.bytes_done = self.progress.bytes_done;
        self.saved.accepted = self.progress.accepted;
        self.saved.duplicates = self.progress.duplicates;
        self.saved.rejected = self.progress.rejected;
        self.saved.rejected_bytes = self.rejected.bytes();
        self.state.store(&self.saved)
    }

    fn outcome(&self, done_before: bool) -> Outcome {
        Outcome {
            progress: self.progress,
            rejected_path: (self.rejected.bytes() > 0).then(|| self.rejected.path().to_owned()),
            resumed_from: self.resumed_from.filter(|_| !done_before),
            done_before,
            format: self.read.format.unwrap_or(FileFormat::Ndjson),
        }
    }
}

/// Reads chunks on a thread of its own, as many ahead as may be in flight.
fn read_ahead(
    mut reader: FileReader,
    ahead: usize,
) -> mpsc::Receiver<Result<ReadChunk, FileError>> {
    let (sender, receiver) = mpsc::channel(ahead.max(1));
    tokio::task::spawn_blocking(move || {
        while let Some(read) = reader.next_chunk().transpose() {
            let failed = read.is_err();
            let bytes_done = reader.bytes_done();
            let read = read.map(|chunk| ReadChunk { chunk, bytes_done });
            // A closed channel means that loading has ended.
            if sender.blocking_send(read).is_err() || failed {
                break;
            }
        }
    });
    receiver
}
