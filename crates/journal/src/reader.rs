//! Reads durable frames, beside the writer.

use std::io;
use std::sync::Arc;

use crate::error::JournalError;
use crate::offset::Offset;
use crate::scanner::{Scanner, Step};
use crate::segment::SegmentStatus;
use crate::storage::Space;
use crate::view::{After, View};

/// How much [`Frames`] reads from the storage at once.
const READ_AHEAD_BYTES: u64 = 4 << 20;

/// What should stay free on a disk unless told, or [`FREE_PART_DEFAULT`] of a small one.
const FREE_BYTES_DEFAULT: u64 = 1 << 30;

/// One part of so many of the disk: 2 %.
const FREE_PART_DEFAULT: u64 = 50;

/// Reads durable frames. Cheap to clone; reads do not disturb the writer or each other.
#[derive(Clone)]
pub struct JournalReader {
    view: Arc<View>,
}

impl JournalReader {
    pub(crate) fn new(view: Arc<View>) -> Self {
        Self { view }
    }

    /// The payload of the frame that starts at `at`.
    ///
    /// # Errors
    /// [`JournalError::NotDurable`] behind the durable end, [`JournalError::Removed`] before the oldest
    /// segment, [`JournalError::Damaged`] when no frame starts there or it is not what was written.
    pub fn read_at(&self, at: Offset) -> Result<Vec<u8>, JournalError> {
        let place = self.view.place(at)?;
        let key = (place.number, place.segment.salt);
        // Header and payload of a frame up to this size come with one read.
        let read_ahead_bytes = 64 << 10;
        let mut scanner = Scanner::new(
            place.file,
            key,
            place.position,
            place.segment.end,
            read_ahead_bytes,
        );
        match scanner.frame()? {
            Step::Frame(frame) => Ok(frame.payload.to_vec()),
            Step::End => Err(JournalError::NotDurable {
                at,
                durable: self.view.durable(),
            }),
            Step::Bad(reason) => Err(JournalError::damaged(at, reason)),
        }
    }

    /// The room on the disk that the journal lies on; none where that is not known.
    ///
    /// # Errors
    /// Those of the system.
    pub fn space(&self) -> io::Result<Option<Space>> {
        self.view.storage.space()
    }

    /// Bytes of such a disk that should stay free:
    /// [`JournalOptions::free_bytes_min`](crate::JournalOptions::free_bytes_min) or its default.
    #[must_use]
    pub fn free_bytes_min(&self, space: &Space) -> u64 {
        let default = || FREE_BYTES_DEFAULT.min(space.total_bytes / FREE_PART_DEFAULT);
        self.view.free_bytes_min.unwrap_or_else(default)
    }

    /// The frames from `from` on, in order, with where each starts. `from` is [`Offset::START`], where a
    /// frame starts, or a durable end that [`Journal::sync`](crate::Journal::sync) gave.
    pub fn iter_from(&self, from: Offset) -> Frames {
        Frames {
            view: Arc::clone(&self.view),
            next: from,
            scanner: None,
            failed: false,
        }
    }

    /// The end of the durable part.
    #[must_use]
    pub fn durable(&self) -> Offset {
        self.view.durable()
    }

    /// The start of the oldest frame kept.
    #[must_use]
    pub fn start(&self) -> Offset {
        self.view.start()
    }

    /// The durable bytes of all segments.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.segments().iter().map(|s| s.bytes).sum()
    }

    /// The segments, oldest first.
    #[must_use]
    pub fn segments(&self) -> Vec<SegmentStatus> {
        self.view.segments()
    }
}

/// The frames from a place on.
///
/// At the durable end the iterator gives `None`; when more has become durable, calling
/// [`next`](Iterator::next) again goes on. After an error it gives nothing more.
pub struct Frames {
    view: Arc<View>,
    next: Offset,
    scanner: Option<Scanner>,
    failed: bool,
}

impl Frames {
    /// Where the next frame starts or will start: behind everything given so far.
    #[must_use]
    pub fn position(&self) -> Offset {
        self.scanner.as_ref().map_or(self.next, Scanner::offset)
    }

    fn step(&mut self) -> Result<Option<(Offset, Vec<u8>)>, JournalError> {
        loop {
            let scanner = match &mut self.scanner {
                Some(scanner) => scanner,
                None => {
                    let place = self.view.place(self.next)?;
                    let key = (place.number, place.segment.salt);
                    let (position, end) = (place.position, place.segment.end);
                    self.scanner.insert(Scanner::new(
                        place.file,
                        key,
                        position,
                        end,
                        READ_AHEAD_BYTES,
                    ))
                }
            };
            let at = scanner.offset();
            match scanner.frame()? {
                Step::Frame(frame) => return Ok(Some((frame.at, frame.payload.to_vec()))),
                Step::Bad(reason) => return Err(JournalError::damaged(at, reason)),
                Step::End => {}
            }
            match self.view.after(at) {
                After::Grown(end) => scanner.extend(end),
                After::Next(start) => {
                    self.next = start;
                    self.scanner = None;
                }
                After::Nothing => return Ok(None),
            }
        }
    }
}

impl Iterator for Frames {
    type Item = Result<(Offset, Vec<u8>), JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let step = self.step();
        self.failed = step.is_err();
        step.transpose()
    }
}
