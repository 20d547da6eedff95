//! Data files: Parquet, of one day each, sorted by time.

mod read;
mod sort;
mod stats;
mod write;

pub use read::Rows;
pub(crate) use read::{RowsPlan, footer};
pub(crate) use sort::times_of;
pub(crate) use write::{Encoder, file_path};

/// Microseconds in a day.
pub(crate) const DAY_US: i64 = 86_400_000_000;

/// A file of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFile {
    /// Its path, from the table's folder.
    pub path: String,
    /// The day of all its rows, in days since 1970-01-01.
    pub day: i32,
    /// Rows in it.
    pub rows: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// The least time of its rows, in microseconds since 1970.
    pub min_us: i64,
    /// The greatest time of its rows, in microseconds since 1970.
    pub max_us: i64,
    /// The CRC-32 (IEEE) of all its bytes. Files that another engine wrote have none.
    pub crc32: Option<u32>,
    /// When it was written, in milliseconds since 1970.
    pub written_ms: i64,
}
