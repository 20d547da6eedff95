//! Why a question could not be answered, in words for the one who asked.

use std::fmt;
use std::time::Duration;

use tillwatch_event::guard::{mask, mask_line};

/// A place in the SQL text, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line.
    pub line: u64,
    /// Column, in characters.
    pub column: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A fault in the question itself: what, where and what to try instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// One sentence without a full stop.
    pub message: String,
    /// Where in the SQL text, when that is known.
    pub position: Option<Position>,
    /// What would work instead.
    pub suggestion: Option<String>,
}

impl Fault {
    /// A fault without position or suggestion. Card numbers in it are masked: it quotes what was
    /// asked, and goes to answers and logs.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: mask(&message.into()).into_owned(),
            position: None,
            suggestion: None,
        }
    }

    /// The same with a place in the text.
    #[must_use]
    pub fn at(mut self, position: Option<Position>) -> Self {
        self.position = position;
        self
    }

    /// The same with advice.
    #[must_use]
    pub fn suggest(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion.map(|text| mask(&text).into_owned());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(position) = self.position {
            write!(f, " ({position})")?;
        }
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; {suggestion}")?;
        }
        Ok(())
    }
}

/// Why a question could not be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnalyseError {
    /// The SQL text or a part of it exceeds a limit that is checked before planning.
    #[error("{0}")]
    TooLarge(Fault),
    /// The text is not SQL.
    #[error("{0}")]
    Syntax(Fault),
    /// It is SQL, but not one read-only question over our tables and functions.
    #[error("{0}")]
    Forbidden(Fault),
    /// A table, column, function, metric, measure or dimension that does not exist.
    #[error("{0}")]
    Unknown(Fault),
    /// The question makes no sense as asked: types that do not fit, a step that is no multiple.
    #[error("{0}")]
    Invalid(Fault),
    /// A metric's definition cannot work.
    #[error("metric '{metric}': '{expression}': {fault}")]
    Metric {
        /// The metric's name.
        metric: String,
        /// Its expression as written.
        expression: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// Answering took longer than the deadline.
    #[error("the query took longer than {deadline_ms} ms; narrow the time range or aggregate more")]
    Deadline {
        /// The deadline that passed.
        deadline_ms: u64,
    },
    /// The answer has more rows than are handed out.
    #[error("the answer has more than {rows_max} rows; add a limit or aggregate more")]
    TooManyRows {
        /// The limit.
        rows_max: usize,
    },
    /// The answer is larger than is handed out.
    #[error("the answer is larger than {bytes_max} bytes; select fewer columns or rows")]
    AnswerTooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The query needs more memory than one query may have.
    #[error(
        "the query needs more than {bytes_max} bytes of memory; narrow the time range or group by less"
    )]
    Memory {
        /// The limit.
        bytes_max: usize,
    },
    /// The query is within its own limits, but what the process shares has no memory left for it.
    #[error("the server has no memory left for this query just now; try again in a moment")]
    Crowded,
    /// Too many queries wait already.
    #[error("too many queries are waiting; try again in a moment")]
    Busy,
    /// Something on our side failed. The details are in the log, not in the answer.
    #[error(
        "the query could not be answered because of a fault in Tillwatch; its log has the details"
    )]
    Internal,
}

impl AnalyseError {
    pub(crate) fn late(deadline: Duration) -> Self {
        Self::Deadline {
            deadline_ms: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// A short name for the kind of error, stable across releases, as used in problem documents.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "query-too-large",
            Self::Syntax(_) => "sql-syntax",
            Self::Forbidden(_) => "query-not-allowed",
            Self::Unknown(_) => "unknown-name",
            Self::Invalid(_) => "invalid-query",
            Self::Metric { .. } => "invalid-metric",
            Self::Deadline { .. } => "query-deadline",
            Self::TooManyRows { .. } => "too-many-rows",
            Self::AnswerTooLarge { .. } => "answer-too-large",
            Self::Memory { .. } => "query-memory",
            Self::Crowded => "memory-short",
            Self::Busy => "too-many-queries",
            Self::Internal => "internal",
        }
    }

    /// Where in the SQL text the fault is, when that is known.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.fault().and_then(|fault| fault.position)
    }

    /// What would work instead, when that is known.
    #[must_use]
    pub fn suggestion(&self) -> Option<&str> {
        self.fault().and_then(|fault| fault.suggestion.as_deref())
    }

    /// Whether asking differently can help; `false` when the fault is ours or the server is busy.
    #[must_use]
    pub fn is_askers(&self) -> bool {
        !matches!(self, Self::Crowded | Self::Busy | Self::Internal)
    }

    fn fault(&self) -> Option<&Fault> {
        match self {
            Self::TooLarge(fault)
            | Self::Syntax(fault)
            | Self::Forbidden(fault)
            | Self::Unknown(fault)
            | Self::Invalid(fault)
            | Self::Metric { fault, .. } => Some(fault),
            _ => None,
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(Fault::new(message))
    }

    pub(crate) fn unknown(message: impl Into<String>, suggestion: Option<String>) -> Self {
        Self::Unknown(Fault::new(message).suggest(suggestion))
    }

    /// Our own fault: logged with its cause, told without it.
    pub(crate) fn internal(cause: impl fmt::Display) -> Self {
        let cause = cause.to_string();
        tracing::error!(cause = %mask_line(&cause), "query failed on our side");
        Self::Internal
    }
}
