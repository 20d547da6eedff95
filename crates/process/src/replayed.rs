//! Rejected lines that have become events.
//!
//! A line of the quarantine that is tried again is journaled as an event whose source is the quarantine and whose key names the
//! line. So the journal itself says which lines are done, and says it again after every restart.

use std::fmt;

use tillwatch_collect::{JournalRecord, RecordKind};
use tillwatch_journal::Offset;

/// The source of events that were lines in quarantine before.
pub const QUARANTINE: &str = "quarantine";

/// A line in quarantine. Its text is the idempotency key under which it is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectedLine {
    /// The journal frame with the rejected lines.
    pub frame: Offset,
    /// The line's row in that frame.
    pub row: u64,
}

impl RejectedLine {
    /// The line that a record's event was before, if it was one.
    pub(crate) fn of(record: &JournalRecord) -> Option<Self> {
        if record.kind != RecordKind::Events || record.source.as_deref() != Some(QUARANTINE) {
            return None;
        }
        let key = record.idempotency_key.as_deref()?;
        let mut parts = key.strip_prefix(QUARANTINE)?.strip_prefix(':')?.split(':');
        let mut number = || parts.next()?.parse().ok();
        let line = Self {
            frame: Offset {
                segment: number()?,
                position: number()?,
            },
            row: number()?,
        };
        parts.next().is_none().then_some(line)
    }
}

impl fmt::Display for RejectedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Offset { segment, position } = self.frame;
        write!(f, "{QUARANTINE}:{segment}:{position}:{}", self.row)
    }
}
