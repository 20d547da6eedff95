//! Maintenance that is asked for by hand.

use tillwatch_process::MaintainReport;

use super::Flushed;

/// What maintenance by hand has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByHandReport {
    /// Events flushed.
    pub flushed_events: u64,
    /// Segments that the journal forgets.
    pub journal_segments: u64,
    /// What was laid together, rolled up and deleted.
    pub maintained: MaintainReport,
    /// Whether somebody needed files as they are, so that they are deleted later.
    pub deletion_deferred: bool,
}

/// Hears what was done so far and, at the end, how it ended.
type Told = Box<dyn FnMut(&ByHandReport, Option<Result<(), String>>) + Send>;

/// Maintenance that is asked for by hand.
pub struct ByHand {
    pub(super) report: ByHandReport,
    /// Whether it began with a flush.
    pub(super) flushed: bool,
    /// Segments up to this one are counted: they go some time after they are not needed.
    counted: u64,
    told: Told,
}

impl ByHand {
    /// Maintenance of which `told` hears after every step, and at last how it ended.
    pub fn new(
        told: impl FnMut(&ByHandReport, Option<Result<(), String>>) + Send + 'static,
    ) -> Self {
        Self {
            report: ByHandReport::default(),
            flushed: false,
            counted: 0,
            told: Box::new(told),
        }
    }

    pub(super) fn flushed(&mut self, flushed: &Flushed) {
        self.report.flushed_events += flushed.events;
        for number in &flushed.past_segments {
            if *number > self.counted {
                self.counted = *number;
                self.report.journal_segments += 1;
            }
        }
    }

    pub(super) fn tell(&mut self) {
        (self.told)(&self.report, None);
    }

    pub(super) fn end(mut self, ended: Result<(), String>) {
        (self.told)(&self.report, Some(ended));
    }
}
