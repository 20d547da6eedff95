//! What a topic has computed, and what it must compute next.

use crate::live::state::Meta;
use crate::ports::SeriesQuestion;
use crate::request::series::Question;

/// What the last computation covered.
#[derive(Debug, Default)]
pub(crate) struct Covered {
    /// The version of the data it saw; `None` before the first.
    version: Option<u64>,
    /// The range it asked for, in whole steps.
    range_us: Option<(i64, i64)>,
    /// The latest event time known to have events. Beyond the range these wait for the clock.
    latest_us: Option<i64>,
}

/// What to compute.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// What is known still holds.
    Nothing,
    /// The buckets that may have changed.
    Part(SeriesQuestion),
    /// All buckets of the range.
    Whole,
}

impl Covered {
    /// The version since which changes matter.
    pub(crate) fn version(&self) -> u64 {
        self.version.unwrap_or(0)
    }

    /// What to compute when events have come in `changed` (inclusive, in microseconds) and the range is as `meta` says.
    ///
    /// Only a range that stands where it stood takes a part. Whenever it has moved by a step, what is known of its buckets and
    /// which slices are in it at all may have changed at either end, and only the whole tells.
    pub(crate) fn next(
        &self,
        meta: &Meta,
        question: &Question,
        changed: Option<(i64, i64)>,
        takes_parts: bool,
    ) -> Next {
        let whole = meta.whole(question);
        let has_moved = self.range_us != Some((whole.from_us, whole.to_us));
        let touched = changed.and_then(|(first_us, last_us)| {
            meta.part(question, first_us, last_us.saturating_add(1))
        });
        match touched {
            _ if self.version.is_none() => Next::Whole,
            Some(_) if has_moved || !takes_parts => Next::Whole,
            Some(part) => Next::Part(part),
            None if has_moved && (self.waits_for_the_clock() || meta.goes_on_without_events()) => {
                Next::Whole
            }
            None => Next::Nothing,
        }
    }

    /// Notes that changes up to a version are covered, and the whole question, unless nothing was computed.
    pub(crate) fn done(
        &mut self,
        version: u64,
        changed: Option<(i64, i64)>,
        asked: Option<&SeriesQuestion>,
    ) {
        self.version = Some(version);
        self.latest_us = self.latest_us.max(changed.map(|(_, last_us)| last_us));
        if let Some(whole) = asked {
            self.range_us = Some((whole.from_us, whole.to_us));
        }
    }

    /// Whether there are events that the range has not reached yet.
    pub(crate) fn waits_for_the_clock(&self) -> bool {
        match (self.latest_us, self.range_us) {
            (Some(latest_us), Some((_, to_us))) => latest_us >= to_us,
            _ => false,
        }
    }
}
