//! Opening a journal: what is there, what a crash left half done, and what is damaged.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::JournalError;
use crate::frame::{FRAME_HEADER_BYTES, FrameHeader};
use crate::lock::{LockError, StorageLock};
use crate::offset::Offset;
use crate::scanner::{Scanner, Step};
use crate::segment::{
    CreateError, SEGMENT_HEADER_BYTES, SegmentHeader, segment_name, segment_number,
};
use crate::start::Start;
use crate::storage::{Storage, StorageFile};
use crate::view::SegmentView;
use crate::writer::Tail;

/// Read-ahead where only headers are looked at: many small frames per read, few bytes of large ones wasted.
const HEADER_READ_BYTES: u64 = 16 << 10;
/// Read-ahead and copy size where every byte is looked at.
const FULL_READ_BYTES: u64 = 4 << 20;

/// What was found when a journal was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovery {
    /// Whole frames.
    pub frames: u64,
    /// Bytes of all segments, after the torn tail was cut off.
    pub bytes: u64,
    /// Bytes cut off: the remains of frames that a crash kept from becoming durable.
    pub torn_bytes_dropped: u64,
    /// Segments.
    pub segments: u64,
}

/// Takes the storage for this journal alone.
pub(crate) fn lock(storage: &dyn Storage) -> Result<Box<dyn StorageLock>, JournalError> {
    storage.lock().map_err(|error| match error {
        LockError::Held(holder) => JournalError::Locked {
            folder: storage.describe(),
            holder,
        },
        LockError::Io(source) => JournalError::Io {
            action: "lock",
            file: storage.describe(),
            source,
        },
    })
}

/// A journal that was checked: its last segment and its beginning, for the writer; all segments, for readers.
pub(crate) struct Recovered {
    pub(crate) tail: Tail,
    pub(crate) start: Start,
    pub(crate) segments: BTreeMap<u64, SegmentView>,
    pub(crate) recovery: Recovery,
}

/// Checks all segments, cuts off a torn tail, makes what is left durable, removes what a removal left over.
pub(crate) fn recover(storage: &Arc<dyn Storage>) -> Result<Recovered, JournalError> {
    let mut start = Start::read(storage.as_ref())?;
    let (left_over, numbers) = list_segments(storage.as_ref(), &start)?;
    let mut recovery = Recovery::default();
    let mut segments = BTreeMap::new();
    let mut sequence = None;
    let mut last_frame = None;
    let (last, sealed) = match numbers.split_last() {
        Some((last, sealed)) => (*last, sealed),
        None => (1, [].as_slice()),
    };
    for number in sealed {
        let Sealed {
            segment,
            end,
            next,
            last_frame: last_of_segment,
        } = check_sealed(storage.as_ref(), *number, sequence)?;
        last_frame = last_of_segment.or(last_frame);
        recovery.frames += next - segment.first_sequence;
        recovery.bytes += end;
        segments.insert(
            *number,
            SegmentView {
                salt: segment.salt,
                end,
            },
        );
        sequence = Some(next);
    }
    let mut tail = if numbers.is_empty() {
        create(storage.as_ref(), last, 0)?
    } else {
        let (tail, torn_bytes) = recover_last(storage.as_ref(), last, sequence)?;
        recovery.torn_bytes_dropped = torn_bytes;
        tail
    };
    tail.last_frame = tail.last_frame.or(last_frame);
    // After the first segment: a journal that has this file and no segment has lost one.
    match start.settle(storage.as_ref()) {
        Ok(()) => remove(storage.as_ref(), &left_over)?,
        // A full disk keeps no journal from being opened. What is left over goes the next time.
        Err(JournalError::StorageFull { .. }) => {}
        Err(error) => return Err(error),
    }
    storage
        .sync_dir()
        .map_err(JournalError::io("fsync", &storage.describe()))?;
    recovery.frames += tail.next_sequence - tail.segment.first_sequence;
    recovery.bytes += tail.end;
    segments.insert(
        last,
        SegmentView {
            salt: tail.segment.salt,
            end: tail.end,
        },
    );
    recovery.segments = segments.len() as u64;
    Ok(Recovered {
        tail,
        start,
        segments,
        recovery,
    })
}

/// Removes what stands before the journal's start, which is durable.
fn remove(storage: &dyn Storage, numbers: &[u64]) -> Result<(), JournalError> {
    for number in numbers {
        let name = segment_name(*number);
        storage
            .remove(&name)
            .map_err(JournalError::io("remove", &name))?;
    }
    Ok(())
}

/// The numbers of the segments that a removal has left over, and of those that count: ascending, without a gap, and
/// from the start on.
fn list_segments(
    storage: &dyn Storage,
    start: &Start,
) -> Result<(Vec<u64>, Vec<u64>), JournalError> {
    let names = storage
        .list()
        .map_err(JournalError::io("list", &storage.describe()))?;
    let mut numbers: Vec<u64> = names
        .iter()
        .filter_map(|name| segment_number(name))
        .collect();
    numbers.sort_unstable();
    let mut left_over = numbers;
    let first = left_over.partition_point(|number| *number < start.segment());
    let numbers = left_over.split_off(first);
    let begins = match numbers.first() {
        Some(oldest) => *oldest == start.segment(),
        // A folder without either is a journal that has not begun.
        None => left_over.is_empty() && !start.is_written(),
    };
    if !begins {
        return Err(JournalError::MissingSegment {
            segment: start.segment(),
        });
    }
    for (number, next) in numbers.iter().zip(numbers.iter().skip(1)) {
        if number + 1 != *next {
            return Err(JournalError::MissingSegment {
                segment: number + 1,
            });
        }
    }
    Ok((left_over, numbers))
}

/// A segment that has a successor.
struct Sealed {
    segment: SegmentHeader,
    end: u64,
    /// The number of the frame that follows its last.
    next: u64,
    last_frame: Option<Offset>,
}

/// Checks a segment that was durable before the next one was begun: anything wrong with it is damage. Its
/// payloads are checked by whoever reads them; here only the chain of headers is.
fn check_sealed(
    storage: &dyn Storage,
    number: u64,
    sequence: Option<u64>,
) -> Result<Sealed, JournalError> {
    let (file, end, header) = open_segment(storage, number)?;
    let segment = header
        .ok_or_else(|| JournalError::damaged(Offset::new(number, 0), "no valid segment header"))?;
    check_identity(&segment, number, sequence)?;
    let key = (number, segment.salt);
    let mut scanner = Scanner::new(file, key, SEGMENT_HEADER_BYTES, end, HEADER_READ_BYTES);
    let mut next = segment.first_sequence;
    let mut group_open = false;
    let mut last_frame = None;
    loop {
        let at = scanner.offset();
        match scanner.header()? {
            Step::Frame(frame) => {
                check_sequence(&frame, at, &mut next)?;
                group_open = frame.continued;
                last_frame = Some(at);
            }
            Step::End if group_open => {
                return Err(JournalError::damaged(
                    at,
                    "the rest of a group of frames is missing",
                ));
            }
            Step::End => {
                return Ok(Sealed {
                    segment,
                    end,
                    next,
                    last_frame,
                });
            }
            Step::Bad(reason) => return Err(JournalError::damaged(at, reason)),
        }
    }
}

/// Checks the last segment, whose end a crash may have torn. Gives also the bytes that were cut off.
fn recover_last(
    storage: &dyn Storage,
    number: u64,
    sequence: Option<u64>,
) -> Result<(Tail, u64), JournalError> {
    let (file, bytes, header) = open_segment(storage, number)?;
    let Some(segment) = header else {
        // The header is durable before the first frame is written. So a file that reaches beyond it has
        // lost something, and one that does not is the remains of a crash while the segment was begun.
        let first = if number == 1 { Some(0) } else { sequence };
        let Some(first) = first.filter(|_| bytes <= SEGMENT_HEADER_BYTES) else {
            return Err(JournalError::damaged(
                Offset::new(number, 0),
                "no valid segment header",
            ));
        };
        let name = segment_name(number);
        storage
            .remove(&name)
            .map_err(JournalError::io("remove", &name))?;
        return Ok((create(storage, number, first)?, bytes));
    };
    check_identity(&segment, number, sequence)?;
    let key = (number, segment.salt);
    let mut scanner = Scanner::new(
        Arc::clone(&file),
        key,
        SEGMENT_HEADER_BYTES,
        bytes,
        FULL_READ_BYTES,
    );
    let mut next = segment.first_sequence;
    let mut proven = 0;
    // The end of the last group that is there as a whole, and the number of the frame that follows it.
    let (mut end, mut next_sequence) = (SEGMENT_HEADER_BYTES, next);
    let mut last_frame = None;
    let torn = loop {
        let at = scanner.offset();
        let continued = match scanner.frame()? {
            Step::Frame(frame) => {
                check_sequence(&frame.header, at, &mut next)?;
                proven = frame.header.proven;
                frame.header.continued
            }
            Step::End => break None,
            Step::Bad(reason) => break Some((at, reason)),
        };
        if !continued {
            (end, next_sequence) = (scanner.offset().position, next);
            last_frame = Some(at);
        }
    };
    let name = segment_name(number);
    // Frames of a group become durable together, so where the torn place was not, its whole group was not.
    if let Some((at, reason)) = torn
        && was_durable(file.as_ref(), &segment, at.position, bytes)?
    {
        return Err(JournalError::damaged(at, reason));
    }
    if end < bytes {
        file.truncate(end)
            .map_err(JournalError::io("truncate", &name))?;
    }
    make_durable(file.as_ref(), &name, proven, end)?;
    let tail = Tail {
        file,
        segment,
        end,
        next_sequence,
        last_frame,
    };
    Ok((tail, bytes - end))
}

/// Whether a frame behind `bad` says that `bad` was durable when that frame was written.
///
/// Writes of one unsynced group reach the disk in any order, so a whole frame behind a broken one is no
/// damage by itself.
fn was_durable(
    file: &dyn StorageFile,
    segment: &SegmentHeader,
    bad: u64,
    end: u64,
) -> Result<bool, JournalError> {
    let name = segment_name(segment.number);
    let mut window = Vec::new();
    let mut start = bad + 1;
    while start + FRAME_HEADER_BYTES <= end {
        window.resize(FULL_READ_BYTES.min(end - start) as usize, 0);
        let read = file
            .read_at(start, &mut window)
            .map_err(JournalError::io("read", &name))?;
        window.truncate(read);
        let proves = window
            .windows(FRAME_HEADER_BYTES as usize)
            .filter_map(|bytes| FrameHeader::decode(bytes, segment.salt))
            .any(|frame| frame.proven > bad);
        if proves {
            return Ok(true);
        }
        // The next window overlaps this one, so that a header across the border is seen whole.
        let step = (read as u64).saturating_sub(FRAME_HEADER_BYTES - 1);
        if step == 0 {
            break;
        }
        start += step;
    }
    Ok(false)
}

/// Cuts the last segment at `end` and makes it durable from where no later frame proves that it is.
///
/// What an earlier process wrote or cut off may so far be so in the system's cache only, and if that
/// process died of a failed fsync, the cache may count as clean and another fsync would write nothing.
/// So it is all written and cut once more before the fsync.
fn make_durable(
    file: &dyn StorageFile,
    name: &str,
    from: u64,
    end: u64,
) -> Result<(), JournalError> {
    let mut position = from;
    let mut buffer = Vec::new();
    while position < end {
        buffer.resize(FULL_READ_BYTES.min(end - position) as usize, 0);
        let read = file
            .read_at(position, &mut buffer)
            .map_err(JournalError::io("read", name))?;
        buffer.truncate(read);
        if read == 0 {
            break;
        }
        file.write_at(position, &buffer)
            .map_err(JournalError::io("write", name))?;
        position += read as u64;
    }
    file.truncate(end)
        .map_err(JournalError::io("truncate", name))?;
    file.sync_data().map_err(JournalError::io("fsync", name))
}

type OpenSegment = (Arc<dyn StorageFile>, u64, Option<SegmentHeader>);

fn open_segment(storage: &dyn Storage, number: u64) -> Result<OpenSegment, JournalError> {
    let name = segment_name(number);
    let file: Arc<dyn StorageFile> = Arc::from(
        storage
            .open(&name)
            .map_err(JournalError::io("open", &name))?,
    );
    let bytes = file.bytes().map_err(JournalError::io("measure", &name))?;
    let header = SegmentHeader::read(file.as_ref(), &name)?;
    Ok((file, bytes, header))
}

fn create(storage: &dyn Storage, number: u64, first: u64) -> Result<Tail, JournalError> {
    let segment = SegmentHeader::new(number, first);
    let file = segment
        .create(storage)
        .map_err(|CreateError { error, .. }| error)?;
    Ok(Tail {
        file: Arc::from(file),
        segment,
        end: SEGMENT_HEADER_BYTES,
        next_sequence: first,
        last_frame: None,
    })
}

/// Checks that the file is the segment its name says, and goes on where the one before ended.
fn check_identity(
    segment: &SegmentHeader,
    number: u64,
    sequence: Option<u64>,
) -> Result<(), JournalError> {
    let at = Offset::new(number, 0);
    if segment.number != number {
        let reason = format!("the file holds segment {}", segment.number);
        return Err(JournalError::damaged(at, reason));
    }
    match sequence {
        Some(expected) if expected != segment.first_sequence => {
            let found = segment.first_sequence;
            let reason = format!("it starts with frame {found}, but frame {expected} is next");
            Err(JournalError::damaged(at, reason))
        }
        _ => Ok(()),
    }
}

fn check_sequence(frame: &FrameHeader, at: Offset, next: &mut u64) -> Result<(), JournalError> {
    if frame.sequence != *next {
        let reason = format!(
            "frame {} stands where frame {next} was expected",
            frame.sequence
        );
        return Err(JournalError::damaged(at, reason));
    }
    *next += 1;
    Ok(())
}
