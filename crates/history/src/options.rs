//! Where history is, how it is written, and what a table is.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use url::Url;

/// Where all tables are.
#[derive(Clone, Debug)]
pub enum Location {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A store that speaks S3.
    Url {
        /// `s3://bucket/prefix`.
        url: Url,
        /// Settings under the names that `object_store` knows: `aws_endpoint`, `aws_allow_http` and so on.
        /// The environment's `AWS_*` variables are read as well, before these.
        options: BTreeMap<String, String>,
    },
}

/// How tables are written and kept.
#[derive(Clone, Debug)]
pub struct HistoryOptions {
    /// Most rows in one data file.
    pub file_rows_max: usize,
    /// Bytes at which a data file is ended and another begun.
    pub file_bytes_max: usize,
    /// Rows in one row group: what a reader decodes as one.
    pub row_group_rows: usize,
    /// Zstandard's level, 1 to 22.
    pub zstd_level: i32,
    /// Columns of which the log keeps the least and the greatest value, the column of time first.
    pub stats_columns_max: usize,
    /// Commits after which the log is summed up in a checkpoint.
    pub checkpoint_every: u64,
    /// How long entries of the log are kept behind a checkpoint.
    pub log_retention: Duration,
    /// How long files stay that no version of the table needs any more, so that running queries finish.
    pub removed_files_retention: Duration,
    /// Threads that talk to the store and replay logs.
    pub io_threads: usize,
}

impl Default for HistoryOptions {
    fn default() -> Self {
        Self {
            file_rows_max: 1_000_000,
            file_bytes_max: 256 << 20,
            row_group_rows: 65_536,
            zstd_level: 1,
            stats_columns_max: 32,
            checkpoint_every: 20,
            log_retention: Duration::from_secs(3600),
            removed_files_retention: Duration::from_secs(3600),
            io_threads: 2,
        }
    }
}

/// What a table is.
#[derive(Clone, Debug)]
pub struct TableSpec {
    /// A relative path such as `events/payments`: letters, digits, `_`, `-` and `.`, with `/` between.
    pub name: String,
    /// The columns. Every one may be null in the files; see `TABLES.md` for the types that are kept.
    pub schema: SchemaRef,
    /// The column of time: a timestamp in microseconds with the zone `UTC`, or a `Date32`. Never null.
    pub time: String,
    /// Columns by which rows of one time are sorted.
    pub sort: Vec<String>,
    /// What the table holds, for people.
    pub description: String,
    /// The application whose transactions the table carries: the journal's instance.
    pub app: String,
}
