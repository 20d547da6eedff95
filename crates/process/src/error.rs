//! What can be wrong with a definition, a batch or a journal when processing.

use std::fmt;

use datafusion::error::DataFusionError;

/// Which part of a definition a fault is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item {
    /// A stream as a whole.
    Stream {
        /// The stream's name.
        stream: String,
    },
    /// A derived column.
    Derive {
        /// The stream's name.
        stream: String,
        /// The derived column's name.
        column: String,
    },
    /// A cube as a whole.
    Cube {
        /// The cube's name.
        cube: String,
    },
    /// A dimension of a cube.
    Dimension {
        /// The cube's name.
        cube: String,
        /// The dimension's name.
        dimension: String,
    },
    /// A measure of a cube.
    Measure {
        /// The cube's name.
        cube: String,
        /// The measure's name.
        measure: String,
    },
    /// The currency table.
    Rates,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream { stream } => write!(f, "stream '{stream}'"),
            Self::Derive { stream, column } => write!(f, "stream '{stream}', derive '{column}'"),
            Self::Cube { cube } => write!(f, "cube '{cube}'"),
            Self::Dimension { cube, dimension } => {
                write!(f, "cube '{cube}', dimension '{dimension}'")
            }
            Self::Measure { cube, measure } => write!(f, "cube '{cube}', measure '{measure}'"),
            Self::Rates => f.write_str("rates"),
        }
    }
}

/// A fault in processing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// A definition cannot work.
    #[error("{item}: {reason}{}", .expression.as_ref().map(|e| format!(" (in `{e}`)")).unwrap_or_default())]
    Definition {
        /// The part of the definition.
        item: Item,
        /// The SQL expression at fault, when there is one.
        expression: Option<String>,
        /// What is wrong, in one sentence.
        reason: String,
    },
    /// The journal could not be read.
    #[error("journal: {0}")]
    Journal(#[from] tillwatch_journal::JournalError),
    /// A frame of the journal is not one of ours.
    #[error("{0}")]
    Frame(#[from] tillwatch_collect::CollectError),
    /// DataFusion failed on well-formed input.
    #[error("query engine: {0}")]
    Engine(#[from] DataFusionError),
    /// A history table could not be opened, read or written.
    #[error("history: {0}")]
    History(#[from] tillwatch_history::HistoryError),
    /// What is kept beside the journal could not be read or written, or does not belong to it.
    #[error("{0}")]
    Kept(String),
    /// A file of remembered ids is not what was written, or not there as a whole.
    #[error("the remembered ids in {file} are damaged at byte {position}: {reason}")]
    DedupDamaged {
        /// The file's name.
        file: String,
        /// Where in it.
        position: u64,
        /// What was found there.
        reason: String,
    },
    /// A file of remembered ids was written by a version of the format that this program does not know.
    #[error(
        "{file} has version {version} of the format of remembered ids; this program reads version {known}"
    )]
    DedupVersion {
        /// The file's name.
        file: String,
        /// The version in its header.
        version: u32,
        /// The newest version this program reads.
        known: u32,
    },
    /// The storage of remembered ids failed.
    #[error("cannot {action} {file}, of the remembered ids: {source}")]
    DedupStorage {
        /// What was tried.
        action: &'static str,
        /// The file or folder it was tried on.
        file: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Columns could not be built or converted.
    #[error("columns: {0}")]
    Columns(#[from] datafusion::arrow::error::ArrowError),
}

impl ProcessError {
    /// A fault in a definition without an expression.
    pub(crate) fn item(item: Item, reason: impl Into<String>) -> Self {
        Self::Definition {
            item,
            expression: None,
            reason: reason.into(),
        }
    }

    /// A fault in an expression of a definition.
    pub(crate) fn expression(
        item: Item,
        expression: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self::Definition {
            item,
            expression: Some(expression.into()),
            reason: reason.into(),
        }
    }

    /// A short name for counters and log lines; it never contains data.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Definition { .. } => "definition",
            Self::Journal(_) => "journal",
            Self::Frame(_) => "frame",
            Self::Engine(_) => "engine",
            Self::DedupDamaged { .. } => "dedup damaged",
            Self::DedupVersion { .. } => "dedup version",
            Self::DedupStorage { .. } => "dedup storage",
            Self::Columns(_) => "columns",
            Self::History(_) => "history",
            Self::Kept(_) => "kept",
        }
    }
}
