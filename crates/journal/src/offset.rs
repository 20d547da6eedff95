//! A place in the journal.

use std::fmt;

/// A place in the journal: where a frame starts, or the end behind the last one. Ordered as the journal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Offset {
    /// The segment's number; the first segment ever is 1.
    pub segment: u64,
    /// Bytes from the start of the segment's file.
    pub position: u64,
}

impl Offset {
    /// Before everything: reading from here starts at the oldest segment that is still kept.
    pub const START: Self = Self {
        segment: 0,
        position: 0,
    };

    /// The place `position` bytes into segment `segment`.
    #[must_use]
    pub const fn new(segment: u64, position: u64) -> Self {
        Self { segment, position }
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.segment, self.position)
    }
}
