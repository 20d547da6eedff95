//! What can go wrong with a table.

use std::error::Error;
use std::io::{self, ErrorKind};

use arrow::error::ArrowError;
use deltalake_core::DeltaTableError;
use parquet::errors::ParquetError;

/// Why a table could not be opened, written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The place of history cannot be used as it is given.
    #[error("history cannot be at {location}: {reason}")]
    Location {
        /// What was given.
        location: String,
        /// Why not.
        reason: String,
    },
    /// The threads for input and output could not be started, or one of them died.
    #[error("history's input and output: {0}")]
    Threads(#[source] io::Error),
    /// A table's definition does not fit.
    #[error("table {table}: {reason}")]
    Spec {
        /// The table's name.
        table: String,
        /// Why it does not fit.
        reason: String,
    },
    /// A column that no table can hold.
    #[error("table {table}, column {column}: {reason}")]
    Column {
        /// The table's name.
        table: String,
        /// The column's name.
        column: String,
        /// Why it cannot be held.
        reason: String,
    },
    /// The table has a column of that name and another type.
    #[error(
        "table {table} has column {column} as {stored}, and it is to be {wanted} now: give it another name, or remove the table"
    )]
    TypeConflict {
        /// The table's name.
        table: String,
        /// The column's name.
        column: String,
        /// The type that the table has, as Delta names it.
        stored: String,
        /// The type that is wanted, as Delta names it.
        wanted: String,
    },
    /// Rows that do not fit the table's columns.
    #[error("rows for table {table} do not fit: {reason}")]
    Rows {
        /// The table's name.
        table: String,
        /// What does not fit.
        reason: String,
    },
    /// A transaction beyond what Delta's logs can hold.
    #[error("transaction {0} is beyond 2^63")]
    Transaction(u64),
    /// Somebody else committed to the table. It is read again by the next call.
    #[error("somebody else wrote version {version} of table {table}: only one process may")]
    Overtaken {
        /// The table's name.
        table: String,
        /// The version that is not ours.
        version: i64,
    },
    /// A file to be replaced is not in the table any more.
    #[error("file {path} is no longer in table {table}")]
    FileGone {
        /// The table's name.
        table: String,
        /// The file's path in the table.
        path: String,
    },
    /// The table was removed.
    #[error("table {0} was removed")]
    Removed(String),
    /// The log holds what this crate does not write.
    #[error("table {table}: {reason}")]
    Foreign {
        /// The table's name.
        table: String,
        /// What is strange.
        reason: String,
    },
    /// The store failed.
    #[error("{table}: {doing} failed: {source}")]
    Store {
        /// The table's name, or the place of history.
        table: String,
        /// What was being done.
        doing: String,
        /// The store's error.
        source: object_store::Error,
    },
    /// The log of a table could not be read or written.
    #[error("table {table}: {doing} failed: {source}")]
    Log {
        /// The table's name.
        table: String,
        /// What was being done.
        doing: &'static str,
        /// The log's error.
        source: Box<DeltaTableError>,
    },
    /// A data file could not be written or read.
    #[error("table {table}, file {path}: {source}")]
    File {
        /// The table's name.
        table: String,
        /// The file's path in the table.
        path: String,
        /// What is wrong with it.
        source: ParquetError,
    },
    /// Columns could not be sorted or converted.
    #[error("table {table}: {source}")]
    Arrow {
        /// The table's name.
        table: String,
        /// What is wrong with them.
        source: ArrowError,
    },
}

impl HistoryError {
    /// Whether the disk, or the part of it that we may use, is full.
    #[must_use]
    pub fn is_storage_full(&self) -> bool {
        let mut error: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(current) = error {
            let io = current.downcast_ref::<io::Error>();
            if io.is_some_and(|io| {
                matches!(io.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
            }) {
                return true;
            }
            error = current.source();
        }
        false
    }
}
