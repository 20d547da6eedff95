//! The catalogue: incidents, silences, monitors' progress, outgoing messages, saved boards, annotations and access tokens, in
//! SQLite.
//!
//! One connection behind a mutex; every call may wait for the disk, so none may be made from an
//! async thread. What belongs together is written in one transaction: a crash leaves either all of
//! a judgement (states, incidents, messages, how far it was judged) or nothing of it.

mod annotations;
mod boards;
pub(crate) mod feedback;
pub(crate) mod incidents;
pub(crate) mod outbox;
pub(crate) mod progress;
mod schema;
pub(crate) mod silences;
mod tokens;
pub(crate) mod told;

pub use annotations::{Annotation, AnnotationFilter, KeptAnnotation};
pub use boards::{BoardCondition, BoardEntry, BoardRemoval, BoardSave, SavedBoard};
pub use incidents::{IncidentFilter, LIST_MAX, METRIC_MAX};
pub use outbox::{DeliveryState, GROUP_MAX, Message, Outcome};
pub use silences::{KeptSilence, Silence, SilenceOrigin};
pub use tokens::{KeptToken, NewToken, TokenCreation, TokenRole};

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::MonitorError;

/// How long a call waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The catalogue of one data folder.
#[derive(Debug)]
pub struct Catalogue {
    connection: Mutex<Connection>,
}

impl Catalogue {
    /// Opens or creates the catalogue file and brings its schema up to date.
    ///
    /// # Errors
    /// The file cannot be opened or is no catalogue, or a newer version has written it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, MonitorError> {
        Self::prepare(Connection::open(path)?)
    }

    /// A catalogue that is gone with this value, for tests and trials.
    ///
    /// # Errors
    /// SQLite could not be started.
    pub fn in_memory() -> Result<Self, MonitorError> {
        Self::prepare(Connection::open_in_memory()?)
    }

    fn prepare(mut connection: Connection) -> Result<Self, MonitorError> {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // A message counts as sent only once that is on disk, hence FULL: with NORMAL a power loss
        // could forget an incident that people were already told of.
        connection.execute_batch(
            "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;",
        )?;
        schema::migrate(&mut connection)?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    /// Writes all of it, as it is now, into a new file.
    ///
    /// # Errors
    /// The file is there already or cannot be written.
    pub fn copy_to(&self, path: &Path) -> Result<(), MonitorError> {
        let path = path.to_string_lossy();
        self.lock().execute("vacuum into ?1", [path.as_ref()])?;
        Ok(())
    }

    /// Runs `work` in one transaction, which is rolled back where it fails.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, MonitorError>,
    ) -> Result<T, MonitorError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let outcome = work(&transaction)?;
        transaction.commit()?;
        Ok(outcome)
    }

    /// Runs `work`, which only reads.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, MonitorError>,
    ) -> Result<T, MonitorError> {
        work(&self.lock())
    }

    /// A panic elsewhere rolled its transaction back, so the connection is still good.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn damaged(what: &str, reason: impl std::fmt::Display) -> MonitorError {
    MonitorError::Damaged {
        what: what.to_owned(),
        reason: reason.to_string(),
    }
}

fn to_json<T: serde::Serialize>(what: &str, value: &T) -> Result<String, MonitorError> {
    serde_json::to_string(value).map_err(|error| damaged(what, error))
}

fn from_json<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T, MonitorError> {
    serde_json::from_str(text).map_err(|error| damaged(what, error))
}
