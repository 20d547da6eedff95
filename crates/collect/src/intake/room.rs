//! Whether the disk has room: looked at once a second, away from the requests.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use serde::Serialize;
use tillwatch_journal::JournalReader;

use super::IntakeError;

/// Between two looks at the disk.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The disk below the journal as it was when last looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct DiskStatus {
    /// Bytes that are free; none where the storage does not tell.
    pub free_bytes: Option<u64>,
    /// With fewer free, nothing more is taken.
    pub free_bytes_min: u64,
    /// Whether nothing is taken because there are, or were, fewer.
    pub low: bool,
    /// Requests refused for that, or because the disk was full, since start.
    pub refused: u64,
}

/// What the look-out knows.
pub(super) struct Room {
    reader: JournalReader,
    free_bytes: AtomicU64,
    free_bytes_min: AtomicU64,
    known: AtomicBool,
    low: AtomicBool,
    refused: AtomicU64,
}

impl Room {
    /// Looks once.
    pub(super) fn new(reader: JournalReader) -> Self {
        let room = Self {
            reader,
            free_bytes: AtomicU64::new(0),
            free_bytes_min: AtomicU64::new(0),
            known: AtomicBool::new(false),
            low: AtomicBool::new(false),
            refused: AtomicU64::new(0),
        };
        room.look();
        room
    }

    /// Looks again and again until `stop` has no sender any more.
    pub(super) fn watch(&self, stop: &Receiver<()>) {
        while stop.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            self.look();
        }
    }

    fn look(&self) {
        let space = match self.reader.space() {
            Ok(Some(space)) => space,
            Ok(None) => return,
            // Not knowing is no reason to refuse: a disk that is full says so when it is written to.
            Err(error) => {
                tracing::warn!(%error, "how much room the disk has cannot be told");
                self.known.store(false, Ordering::Relaxed);
                self.low.store(false, Ordering::Release);
                return;
            }
        };
        let free_bytes_min = self.reader.free_bytes_min(&space);
        let was_low = self.low.load(Ordering::Acquire);
        let low = is_low(was_low, space.free_bytes, free_bytes_min);
        self.free_bytes.store(space.free_bytes, Ordering::Relaxed);
        self.free_bytes_min.store(free_bytes_min, Ordering::Relaxed);
        self.known.store(true, Ordering::Relaxed);
        self.low.store(low, Ordering::Release);
        let free_bytes = space.free_bytes;
        if low && !was_low {
            tracing::warn!(
                free_bytes,
                free_bytes_min,
                "the disk is nearly full: events are refused until there is room"
            );
        } else if was_low && !low {
            tracing::info!(free_bytes, free_bytes_min, "the disk has room again");
        }
    }

    /// Refuses when the disk is nearly full.
    pub(super) fn check(&self) -> Result<(), IntakeError> {
        if self.low.load(Ordering::Acquire) {
            return Err(IntakeError::DiskLow {
                free_bytes: self.free_bytes.load(Ordering::Relaxed),
                free_bytes_min: self.free_bytes_min.load(Ordering::Relaxed),
            });
        }
        Ok(())
    }

    /// Counts a request that was refused for want of room.
    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn status(&self) -> DiskStatus {
        DiskStatus {
            free_bytes: self
                .known
                .load(Ordering::Relaxed)
                .then(|| self.free_bytes.load(Ordering::Relaxed)),
            free_bytes_min: self.free_bytes_min.load(Ordering::Relaxed),
            low: self.low.load(Ordering::Acquire),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }
}

/// Low below the limit, and then until there is a quarter more than it: what hovers at the limit must not
/// be taken and refused in turns.
fn is_low(was_low: bool, free_bytes: u64, free_bytes_min: u64) -> bool {
    let enough = if was_low {
        free_bytes_min.saturating_add(free_bytes_min / 4)
    } else {
        free_bytes_min
    };
    free_bytes < enough
}

#[cfg(test)]
mod tests {
    use super::is_low;

    #[test]
    fn a_disk_is_low_below_the_limit_and_until_there_is_a_quarter_more() {
        let mut low = false;
        let seen: Vec<bool> = [150, 100, 99, 100, 124, 125, 100, 99, 0, 130]
            .into_iter()
            .map(|free| {
                low = is_low(low, free, 100);
                low
            })
            .collect();
        assert_eq!(
            seen,
            [
                false, false, true, true, true, false, false, true, true, false
            ]
        );
    }

    #[test]
    fn without_a_limit_no_disk_is_low() {
        assert!(!is_low(false, 0, 0));
        assert!(!is_low(true, 0, 0));
    }
}
