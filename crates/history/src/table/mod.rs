//! A table: rows in, rows out, and the commits between.

mod commit;
mod log;
mod shape;
mod state;
mod vacuum;
mod verify;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::array::RecordBatch;

pub use state::View;
pub use vacuum::Vacuumed;
pub use verify::{Fault, StoredTable, Verified};

pub(crate) use shape::{DAY, Shape, check_name};

use self::log::Log;
use self::state::{Change, State, UnderWay};
use crate::file::{DataFile, Rows, RowsPlan};
use crate::store::Place;
use crate::{HistoryError, HistoryOptions, TableSpec};

/// A table under one definition. Several may be open at a time, of other definitions too: they share what is
/// committed.
#[derive(Debug)]
pub struct Table {
    shape: Shape,
    core: Arc<Core>,
}

/// What all definitions of a table share.
#[derive(Debug)]
pub(crate) struct Core {
    name: String,
    place: Place,
    options: Arc<HistoryOptions>,
    log: Log,
    /// Held from reading the state for a commit until the state has it.
    writer: Mutex<Writer>,
    state: Mutex<State>,
    under_way: Mutex<UnderWay>,
    /// Held while the log is summed up.
    checkpoint: Mutex<()>,
}

#[derive(Debug, Default)]
struct Writer {
    /// It is not known whether a commit came to be, so the log has to be read again.
    unsure: bool,
    removed: bool,
    /// Commits since the log was summed up.
    commits: u64,
}

impl Core {
    pub(crate) fn open(
        place: Place,
        options: Arc<HistoryOptions>,
        name: &str,
        app: &str,
    ) -> Result<Self, HistoryError> {
        let log = Log::new(place.clone(), name)?;
        let state = log.load(vec![app.to_owned()])?;
        Ok(Self {
            name: name.to_owned(),
            place,
            log,
            writer: Mutex::new(Writer {
                // As if each checkpoint had been written when it was due.
                commits: u64::try_from(state.version + 1).unwrap_or(0)
                    % options.checkpoint_every.max(1),
                ..Writer::default()
            }),
            options,
            state: Mutex::new(state),
            under_way: Mutex::default(),
            checkpoint: Mutex::default(),
        })
    }

    /// No more is written to the table from here on.
    pub(crate) fn close(&self) {
        locked(&self.writer).removed = true;
        *locked(&self.state) = State::default();
    }

    fn knows(&self, app: &str) -> Result<(), HistoryError> {
        let mut writer = locked(&self.writer);
        // Whoever opens the table relies on what it holds.
        self.ready(&mut writer)?;
        if locked(&self.state).transactions.contains_key(app) {
            return Ok(());
        }
        let version = match locked(&self.state).version {
            state::NO_VERSION => None,
            _ => self.log.transaction(app.to_owned())?,
        };
        let transactions = &mut locked(&self.state).transactions;
        transactions.insert(app.to_owned(), version);
        drop(writer);
        Ok(())
    }
}

impl Table {
    pub(crate) fn new(spec: TableSpec, core: Arc<Core>) -> Result<Self, HistoryError> {
        let shape = Shape::new(spec)?;
        core.knows(&shape.spec.app)?;
        let metadata = locked(&core.state).metadata.clone();
        if let Some(metadata) = metadata {
            // Says so now when a column does not fit, not at the first flush.
            shape.evolve(&metadata)?;
        }
        Ok(Self { shape, core })
    }

    /// The definition.
    #[must_use]
    pub fn spec(&self) -> &TableSpec {
        &self.shape.spec
    }

    /// The committed state, from memory.
    #[must_use]
    pub fn view(&self) -> View {
        locked(&self.core.state).view(&self.shape.spec.app)
    }

    /// The bytes of all files of the present version.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.core.bytes()
    }

    /// Appends rows in one commit that carries `transaction` as the version of the definition's application.
    ///
    /// A transaction that is not greater than the committed one changes nothing and gives the present view: a flush
    /// that is repeated after a crash. Without rows only the transaction moves on. The rows are durable when this
    /// returns.
    ///
    /// # Errors
    /// When the rows do not fit, and those of the store. The table then holds all of the rows or none: when it was
    /// not known which, the next call finds out, so that repeating the call is always right.
    pub fn append(&self, transaction: u64, batches: &[RecordBatch]) -> Result<View, HistoryError> {
        let version =
            i64::try_from(transaction).map_err(|_| HistoryError::Transaction(transaction))?;
        if let Some(view) = self.committed(version)? {
            return Ok(view);
        }
        let written = self.write(batches)?;
        self.commit(Some(version), &[], written)
    }

    /// Removes files and adds rows instead, in one commit; the transaction stays. For compaction, roll-up, and, with
    /// no rows, retention.
    ///
    /// # Errors
    /// [`HistoryError::FileGone`], without a change, when one of the files is no longer in the table; otherwise those
    /// of [`Table::append`].
    pub fn replace(
        &self,
        files: &[Arc<DataFile>],
        batches: &[RecordBatch],
    ) -> Result<View, HistoryError> {
        self.all_there(files)?;
        if files.is_empty() && batches.iter().all(|batch| batch.num_rows() == 0) {
            return Ok(self.view());
        }
        let written = self.write(batches)?;
        self.commit(None, files, written)
    }

    /// The rows of one file, in its order. Columns of the definition come as it has them, others as the file has
    /// them, and those that the file has not are absent. `columns` are the names that are wanted, in that order; `None` is for
    /// all of the file's. `range` is of the time, from..to in microseconds: rows outside may still come.
    ///
    /// # Errors
    /// When the file cannot be read; later ones come with the rows.
    pub fn read(
        &self,
        file: &DataFile,
        columns: Option<&[String]>,
        range: Option<(i64, i64)>,
    ) -> Result<Rows, HistoryError> {
        self.read_required(file, columns, &[], range)
    }

    /// As [`Self::read`], with those of the `required` columns too that the file does not show to be without
    /// nulls; [`Rows::unproven`] names them.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_required(
        &self,
        file: &DataFile,
        columns: Option<&[String]>,
        required: &[String],
        range: Option<(i64, i64)>,
    ) -> Result<Rows, HistoryError> {
        Rows::open(&RowsPlan {
            place: &self.core.place,
            table: self.shape.name(),
            path: self.core.file_path(&file.path),
            file,
            schema: Some(&self.shape.spec.schema),
            time: &self.shape.spec.time,
            columns,
            required,
            range,
        })
    }
}

impl Core {
    /// The bytes of all files of the present version.
    fn bytes(&self) -> u64 {
        let files = Arc::clone(&locked(&self.state).files);
        files.iter().map(|file| file.bytes).sum()
    }

    /// Whether there is anything committed.
    pub(crate) fn is_there(&self) -> bool {
        locked(&self.state).version != state::NO_VERSION
    }

    /// A file's path in the store.
    fn file_path(&self, path: &str) -> object_store::path::Path {
        path.split('/')
            .fold(self.place.path(&self.name), object_store::path::Path::join)
    }
}

/// Nothing that is held in our locks is half changed when a holder dies.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time that commits carry, in milliseconds since 1970.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

/// Whether a set has all of these files.
fn paths(files: &[Arc<DataFile>]) -> HashSet<&str> {
    files.iter().map(|file| file.path.as_str()).collect()
}
