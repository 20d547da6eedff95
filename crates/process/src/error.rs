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
            Self::Columns(_) => "columns",
        }
    }
}

/// The first line of an engine error without its technical prefix, fit for a definition's author.
pub(crate) fn engine_reason(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let line = text.lines().next().unwrap_or_default();
    let mut line = line.trim();
    for prefix in [
        "Error during planning: ",
        "Schema error: ",
        "SQL error: ",
        "This feature is not implemented: ",
        "Execution error: ",
        "type_coercion",
        "caused by",
    ] {
        line = line.strip_prefix(prefix).unwrap_or(line).trim();
    }
    let line = ["ParserError(\"", "TokenizerError(\""]
        .iter()
        .find_map(|kind| line.strip_prefix(kind))
        .map_or(line, |inner| inner.trim_end_matches("\")"));
    if line.is_empty() {
        text.replace('\n', " ")
    } else {
        plain(line)
    }
}

/// The engine's commonest reasons in the words of all other messages.
fn plain(line: &str) -> String {
    let line = line.trim_end_matches('.');
    if let Some(rest) = line.strip_prefix("No field named ") {
        let (name, hint) = rest.split_once(". ").unwrap_or((rest, ""));
        let name = name.trim_matches('"');
        let near = hint
            .strip_prefix("Did you mean ")
            .map(|near| format!("; did you mean {near}"))
            .unwrap_or_default();
        return format!("there is no field '{name}'{near}");
    }
    if let Some(name) = line.strip_prefix("Invalid function ") {
        return format!("there is no function {name}");
    }
    line.to_owned()
}
