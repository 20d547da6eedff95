//! What readers may see of a journal: the segments and how far each of them is durable.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::error::JournalError;
use crate::offset::Offset;
use crate::segment::{SEGMENT_HEADER_BYTES, SegmentStatus, first_frame, segment_name};
use crate::storage::{Storage, StorageFile};

/// Files kept open for reading. A year of segments would use up a process's file handles.
const OPEN_FILES_MAX: usize = 64;

/// One segment as readers see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SegmentView {
    /// The salt of its frame headers.
    pub(crate) salt: u64,
    /// Where its durable part ends.
    pub(crate) end: u64,
}

/// The segments readers may see; shared by the writer, which extends it after each fsync, and all readers.
pub(crate) struct View {
    pub(crate) storage: Arc<dyn Storage>,
    /// [`crate::JournalOptions::free_bytes_min`].
    pub(crate) free_bytes_min: Option<u64>,
    segments: RwLock<BTreeMap<u64, SegmentView>>,
    files: Mutex<VecDeque<(u64, Arc<dyn StorageFile>)>>,
}

/// A place in a segment that can be read.
pub(crate) struct Place {
    pub(crate) file: Arc<dyn StorageFile>,
    pub(crate) number: u64,
    pub(crate) segment: SegmentView,
    pub(crate) position: u64,
}

/// What comes after the end of a segment's durable part that was read before.
pub(crate) enum After {
    /// More of the same segment, up to here.
    Grown(u64),
    /// Another segment, which starts here.
    Next(Offset),
    /// Nothing yet.
    Nothing,
}

impl View {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        segments: BTreeMap<u64, SegmentView>,
        free_bytes_min: Option<u64>,
    ) -> Self {
        Self {
            storage,
            free_bytes_min,
            segments: RwLock::new(segments),
            files: Mutex::new(VecDeque::new()),
        }
    }

    /// Shows a segment up to `end`. The caller has made that part durable.
    pub(crate) fn publish(&self, number: u64, segment: SegmentView) {
        self.write().insert(number, segment);
    }

    /// Hides a segment that is being removed.
    pub(crate) fn hide(&self, number: u64) {
        self.write().remove(&number);
        self.files().retain(|(held, _)| *held != number);
    }

    /// The end of the durable part.
    pub(crate) fn durable(&self) -> Offset {
        self.read()
            .last_key_value()
            .map_or(Offset::START, |(n, s)| Offset::new(*n, s.end))
    }

    /// The start of the oldest frame kept.
    pub(crate) fn start(&self) -> Offset {
        self.read()
            .first_key_value()
            .map_or(Offset::START, |(n, _)| first_frame(*n))
    }

    /// All segments, oldest first.
    pub(crate) fn segments(&self) -> Vec<SegmentStatus> {
        self.read()
            .iter()
            .map(|(n, s)| SegmentStatus {
                number: *n,
                bytes: s.end,
            })
            .collect()
    }

    /// Finds where to read `at`, which may be the durable end itself.
    pub(crate) fn place(&self, at: Offset) -> Result<Place, JournalError> {
        let (number, segment) = {
            let segments = self.read();
            let (Some(first), Some(last)) = (segments.first_key_value(), segments.last_key_value())
            else {
                return Err(JournalError::NotDurable {
                    at,
                    durable: Offset::START,
                });
            };
            if at.segment != 0 && at.segment < *first.0 {
                return Err(JournalError::Removed {
                    at,
                    first: *first.0,
                });
            }
            let number = if at.segment == 0 {
                *first.0
            } else {
                at.segment
            };
            match segments.get(&number) {
                Some(segment) if at.position <= segment.end => (number, *segment),
                _ => {
                    return Err(JournalError::NotDurable {
                        at,
                        durable: Offset::new(*last.0, last.1.end),
                    });
                }
            }
        };
        let position = match (at.segment, at.position) {
            (0, _) | (_, 0) => SEGMENT_HEADER_BYTES,
            (_, position) => position,
        };
        Ok(Place {
            file: self.file(number)?,
            number,
            segment,
            position,
        })
    }

    /// What follows `at`, where a reader found the end of what it was shown.
    pub(crate) fn after(&self, at: Offset) -> After {
        let segments = self.read();
        match segments.get(&at.segment) {
            Some(segment) if segment.end > at.position => After::Grown(segment.end),
            _ => match at.segment.checked_add(1) {
                // `Next` of a segment that has been removed in between fails when it is opened, by name.
                Some(next)
                    if segments
                        .last_key_value()
                        .is_some_and(|(last, _)| next <= *last) =>
                {
                    After::Next(first_frame(next))
                }
                _ => After::Nothing,
            },
        }
    }

    fn file(&self, number: u64) -> Result<Arc<dyn StorageFile>, JournalError> {
        let mut files = self.files();
        if let Some((_, file)) = files.iter().find(|(held, _)| *held == number) {
            return Ok(Arc::clone(file));
        }
        let name = segment_name(number);
        let file: Arc<dyn StorageFile> = Arc::from(
            self.storage
                .open(&name)
                .map_err(JournalError::io("open", &name))?,
        );
        if files.len() >= OPEN_FILES_MAX {
            files.pop_front();
        }
        files.push_back((number, Arc::clone(&file)));
        Ok(file)
    }

    // A thread that panicked while holding one of these locks cannot have left them half changed: each
    // change is one insert or remove.
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<u64, SegmentView>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<u64, SegmentView>> {
        self.segments
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn files(&self) -> MutexGuard<'_, VecDeque<(u64, Arc<dyn StorageFile>)>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
