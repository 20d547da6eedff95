//! The durable, ordered log that every accepted event is written to before it is acknowledged.
//!
//! A journal is a folder of append-only segments. A segment is a header and frames; a frame is one opaque
//! payload with checksums. `FORMAT.md` beside this crate writes the bytes down.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use tillwatch_journal::{DiskStorage, Journal, JournalOptions, Offset};
//!
//! # let folder = tempfile::tempdir()?;
//! let storage = Arc::new(DiskStorage::open(folder.path().join("journal"))?);
//! let (mut journal, recovery) = Journal::open(storage, JournalOptions::default())?;
//! assert_eq!(recovery.frames, 0);
//!
//! let reader = journal.reader();
//! let at = journal.append(b"one event")?;
//! assert_eq!(reader.iter_from(Offset::START).count(), 0, "not durable yet");
//! journal.sync()?;
//! assert_eq!(reader.read_at(at)?, b"one event");
//! # Ok(())
//! # }
//! ```
//!
//! What it promises: a frame that [`Journal::sync`] covered is there after any crash, in order, once, and
//! unchanged, or [`Journal::open`] or the read says which segment and position is damaged. What was
//! appended and not synced may be there or not, but never in part and never with a gap before it.

pub mod durable;

mod error;
mod frame;
mod instance;
mod lock;
mod offset;
mod reader;
mod recovery;
mod scanner;
mod segment;
mod start;
mod storage;
mod view;
mod writer;

pub use error::JournalError;
pub use lock::{LockError, StorageLock};
pub use offset::Offset;
pub use reader::{Frames, JournalReader};
pub use recovery::Recovery;
pub use segment::SegmentStatus;
pub use storage::{DiskStorage, Space, Storage, StorageFile, make_durable};
pub use writer::{Journal, JournalOptions};
