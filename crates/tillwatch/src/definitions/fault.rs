//! What is wrong with a definition, and where.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::node::Place;

/// One fault in the definitions folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// The file, as the folder was named on the command line.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

impl Fault {
    /// A fault at a place of a file.
    pub fn new(file: impl Into<PathBuf>, place: Place, message: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: place.line,
            column: place.column,
            message: message.into(),
            suggestion: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn suggest(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    /// Whether this is only what a comma has cut off a type without quotes, which is told by `other`.
    #[must_use]
    pub fn is_rest_of(&self, other: &Self) -> bool {
        (&self.file, self.line) == (&other.file, other.line)
            && self.column > other.column
            && self.message.starts_with("found nothing, expected a type")
    }

    /// Whether both are at the same place.
    #[must_use]
    pub fn is_where(&self, other: &Self) -> bool {
        (&self.file, self.line, self.column) == (&other.file, other.line, other.column)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.file.display(),
            self.line,
            self.column,
            self.message
        )?;
        if let Some(suggestion) = &self.suggestion {
            write!(f, "\n    help: {suggestion}")?;
        }
        Ok(())
    }
}
