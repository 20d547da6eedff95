//! History: tables of events and of cube states, on a local folder or on a store that speaks S3.
//!
//! The tables are Delta Lake tables of Parquet files, partitioned by the day of their column of time, so that any
//! engine reads them as they lie. `TABLES.md` beside this crate writes the layout down.
//!
//! One process writes a table, this one; so the table's state is held in memory and goes on with each commit of
//! ours, and a commit that somebody else made in between is an error. A commit carries the caller's transaction:
//! a flush that is repeated after a crash changes nothing.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
//! use tillwatch_history::{History, HistoryOptions, Location, TableSpec};
//!
//! # let folder = tempfile::tempdir()?;
//! let time = TimestampMicrosecondArray::from(vec![1_796_000_000_000_000]).with_timezone("UTC");
//! let psp = StringArray::from(vec!["adyen"]);
//! let batch = RecordBatch::try_from_iter([
//!     ("occurred_at", Arc::new(time) as ArrayRef),
//!     ("psp", Arc::new(psp) as ArrayRef),
//! ])?;
//!
//! let location = Location::Folder(folder.path().join("history"));
//! let history = History::open(location, HistoryOptions::default())?;
//! let table = history.table(TableSpec {
//!     name: "events/payments".to_owned(),
//!     schema: batch.schema(),
//!     time: "occurred_at".to_owned(),
//!     sort: vec!["psp".to_owned()],
//!     description: "Payments".to_owned(),
//!     app: "journal-1".to_owned(),
//! })?;
//! table.append(7, &[batch.clone()])?;
//! let again = table.append(7, &[batch])?;
//! assert_eq!(again.transaction, Some(7));
//! assert_eq!(again.files.iter().map(|file| file.rows).sum::<u64>(), 1);
//! # Ok(())
//! # }
//! ```

mod error;
mod file;
mod history;
mod io;
mod options;
pub mod store;
mod table;
mod types;

pub use error::HistoryError;
pub use file::{DataFile, Rows};
pub use history::History;
pub use options::{HistoryOptions, Location, TableSpec};
pub use table::{Fault, StoredTable, Table, Vacuumed, Verified, View};
