//! The one writer: appends frames, starts segments, makes groups durable, removes old segments.

use std::io;
use std::sync::Arc;

use crate::error::JournalError;
use crate::frame::{FRAME_HEADER_BYTES, FrameHeader};
use crate::instance;
use crate::lock::StorageLock;
use crate::offset::Offset;
use crate::reader::JournalReader;
use crate::recovery::{self, Recovered, Recovery};
use crate::segment::{SEGMENT_HEADER_BYTES, SegmentHeader, SegmentStatus, is_full, segment_name};
use crate::start::Start;
use crate::storage::{Storage, StorageFile};
use crate::view::{SegmentView, View};

/// Parts of a payload up to this size are copied together for one write; larger ones are written as they are.
const COPY_BYTES_MAX: usize = 256 << 10;

/// Limits of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalOptions {
    /// A frame that would make a segment larger than this starts a new one. Default 256 MiB. A single
    /// larger frame, or group of frames, has a segment of its own.
    pub segment_bytes_max: u64,
    /// Larger payloads are refused. Default 64 MiB. Frames written under a higher limit stay readable.
    pub frame_bytes_max: u32,
    /// Bytes of the disk that stay free: with fewer, who writes to the journal should take nothing more.
    /// The journal itself only tells ([`JournalReader::free_bytes_min`]). Default 1 GiB or 2 % of the
    /// disk, whichever is less; 0 for none.
    pub free_bytes_min: Option<u64>,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self {
            segment_bytes_max: 256 << 20,
            frame_bytes_max: 64 << 20,
            free_bytes_min: None,
        }
    }
}

/// An open journal, and the only writer to it.
pub struct Journal {
    storage: Arc<dyn Storage>,
    options: JournalOptions,
    view: Arc<View>,
    start: Start,
    file: Arc<dyn StorageFile>,
    segment: SegmentHeader,
    /// Where the next frame goes.
    end: u64,
    /// Up to where this segment is durable.
    durable: u64,
    /// Whether the file was changed since the last fsync. A frame taken back changes it and not `end`.
    changed: bool,
    next_sequence: u64,
    last_frame: Option<Offset>,
    buffer: Vec<u8>,
    poisoned: Option<String>,
    _lock: Box<dyn StorageLock>,
}

/// What [`recovery::recover`] hands over.
pub(crate) struct Tail {
    pub(crate) file: Arc<dyn StorageFile>,
    pub(crate) segment: SegmentHeader,
    pub(crate) end: u64,
    pub(crate) next_sequence: u64,
    /// Where the last frame starts, if any is kept.
    pub(crate) last_frame: Option<Offset>,
}

impl Journal {
    /// Opens the journal in `storage`, or starts one in an empty storage, and checks what is there.
    ///
    /// What a crash left of frames that never became durable is cut off; see [`Recovery`]. The payloads
    /// of all segments but the last are checked when they are read, not here.
    ///
    /// # Errors
    /// [`JournalError::Locked`] when it is open elsewhere; [`JournalError::Damaged`] and
    /// [`JournalError::MissingSegment`] when something durable is gone; [`JournalError::StartDamaged`];
    /// [`JournalError::UnknownVersion`] and [`JournalError::UnknownStartVersion`].
    pub fn open(
        storage: Arc<dyn Storage>,
        options: JournalOptions,
    ) -> Result<(Self, Recovery), JournalError> {
        let lock = recovery::lock(storage.as_ref())?;
        let Recovered {
            tail,
            start,
            segments,
            recovery,
        } = recovery::recover(&storage)?;
        let journal = Self {
            view: Arc::new(View::new(
                Arc::clone(&storage),
                segments,
                options.free_bytes_min,
            )),
            storage,
            options,
            start,
            file: tail.file,
            segment: tail.segment,
            end: tail.end,
            durable: tail.end,
            changed: false,
            next_sequence: tail.next_sequence,
            last_frame: tail.last_frame,
            buffer: Vec::new(),
            poisoned: None,
            _lock: lock,
        };
        Ok((journal, recovery))
    }

    /// Which journal this is: 32 hexadecimal digits, made when first asked for and kept beside the segments.
    /// Whoever notes what a journal holds notes them too, since another journal may come to lie in its place.
    ///
    /// # Errors
    /// Those of the storage.
    pub fn instance(&self) -> Result<String, JournalError> {
        instance::read_or_make(self.storage.as_ref())
    }

    /// Appends one frame and says where it starts. It is durable, and readers see it, after [`Self::sync`].
    ///
    /// # Errors
    /// [`JournalError::FrameTooLarge`] and [`JournalError::StorageFull`] leave the journal as it was;
    /// any other failure of the storage poisons it.
    pub fn append(&mut self, payload: &[u8]) -> Result<Offset, JournalError> {
        self.append_parts(&[payload])
    }

    /// As [`Self::append`], for a payload that lies in several places: `parts` one after another.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn append_parts(&mut self, parts: &[&[u8]]) -> Result<Offset, JournalError> {
        let length = self.length(parts)?;
        self.make_room(FRAME_HEADER_BYTES + u64::from(length))?;
        self.push(parts, length, false)
            .map_err(|error| self.roll_back(error))
    }

    /// Appends frames that belong together, and says where each starts: after any failure and any crash
    /// either all of them are there or none is. They lie in one segment.
    ///
    /// # Errors
    /// As [`Self::append`]; then none of them is kept.
    pub fn append_group(&mut self, payloads: &[&[u8]]) -> Result<Vec<Offset>, JournalError> {
        let lengths = payloads
            .iter()
            .map(|payload| self.length(&[payload]))
            .collect::<Result<Vec<u32>, JournalError>>()?;
        let frames = lengths.iter();
        self.make_room(frames.map(|l| FRAME_HEADER_BYTES + u64::from(*l)).sum())?;
        let (end, next_sequence, last_frame) = (self.end, self.next_sequence, self.last_frame);
        let mut places = Vec::with_capacity(payloads.len());
        for (at, (payload, length)) in payloads.iter().zip(lengths).enumerate() {
            let continued = at + 1 < payloads.len();
            match self.push(&[payload], length, continued) {
                Ok(place) => places.push(place),
                Err(error) => {
                    self.end = end;
                    self.next_sequence = next_sequence;
                    self.last_frame = last_frame;
                    let error = self.roll_back(error);
                    if at > 0 {
                        // Whole frames were taken back. A crash must not bring them up again among frames
                        // that are written over them, so the cut is made durable before that.
                        self.sync()?;
                    }
                    return Err(error);
                }
            }
        }
        Ok(places)
    }

    /// Bytes of the payload, which must be within the limit.
    fn length(&self, parts: &[&[u8]]) -> Result<u32, JournalError> {
        let bytes = parts.iter().map(|part| part.len() as u64).sum::<u64>();
        let bytes_max = self.options.frame_bytes_max;
        u32::try_from(bytes)
            .ok()
            .filter(|length| *length <= bytes_max)
            .ok_or(JournalError::FrameTooLarge { bytes, bytes_max })
    }

    /// Starts a segment when this one would become too large.
    fn make_room(&mut self, bytes: u64) -> Result<(), JournalError> {
        self.check_usable()?;
        let over = self.end + bytes > self.options.segment_bytes_max;
        if over && self.end > SEGMENT_HEADER_BYTES {
            self.start_segment()?;
        }
        Ok(())
    }

    /// Writes one frame behind the last.
    fn push(&mut self, parts: &[&[u8]], length: u32, continued: bool) -> io::Result<Offset> {
        self.changed = true;
        let place = (self.next_sequence, self.durable);
        let header = FrameHeader::of_parts(parts, length, place, continued);
        self.write_frame(&header, parts)?;
        let at = Offset::new(self.segment.number, self.end);
        self.end += header.frame_bytes();
        self.next_sequence += 1;
        self.last_frame = Some(at);
        Ok(at)
    }

    /// Makes everything appended so far durable with one fsync, shows it to readers, and gives the end of
    /// the durable part.
    ///
    /// # Errors
    /// [`JournalError::Poisoned`]: the fsync failed, now or before. What was appended since the last
    /// successful sync may or may not survive, so nothing of it may be acknowledged.
    pub fn sync(&mut self) -> Result<Offset, JournalError> {
        self.check_usable()?;
        if self.changed {
            if let Err(error) = self.file.sync_data() {
                // After a failed fsync the system may have dropped the pages and call the next one a
                // success, so there is no second try.
                return Err(
                    self.poison(format!("fsync of segment {}: {error}", self.segment.number))
                );
            }
            self.changed = false;
            self.durable = self.end;
            self.publish();
        }
        Ok(self.durable())
    }

    /// A reader of the durable frames.
    #[must_use]
    pub fn reader(&self) -> JournalReader {
        JournalReader::new(Arc::clone(&self.view))
    }

    /// The end of the durable part.
    #[must_use]
    pub fn durable(&self) -> Offset {
        Offset::new(self.segment.number, self.durable)
    }

    /// Where the last frame starts that was appended, durable or not; `None` when no frame is left.
    #[must_use]
    pub fn last_frame(&self) -> Option<Offset> {
        self.last_frame.filter(|at| *at >= self.view.start())
    }

    /// The bytes of all segments, with those not durable yet.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.segments().iter().map(|s| s.bytes).sum::<u64>() + (self.end - self.durable)
    }

    /// The segments with their durable bytes, oldest first.
    #[must_use]
    pub fn segments(&self) -> Vec<SegmentStatus> {
        self.view.segments()
    }

    /// Why the journal takes nothing more, if it does not.
    #[must_use]
    pub fn poisoned(&self) -> Option<&str> {
        self.poisoned.as_deref()
    }

    /// Removes the segments all of whose frames lie before `offset`, and says how many those were. The
    /// segment being written is never removed. Works on a full disk too.
    ///
    /// # Errors
    /// [`JournalError::Poisoned`]; [`JournalError::StorageFull`] when none has been removed; or
    /// [`JournalError::Io`], after which some may have been removed. Trying again goes on, and so does opening.
    pub fn remove_segments_before(&mut self, offset: Offset) -> Result<u64, JournalError> {
        self.check_usable()?;
        let keep_from = offset.segment.min(self.segment.number);
        let mut removed = 0;
        let segments = self.segments().into_iter().map(|s| s.number);
        for number in segments.take_while(|number| *number < keep_from) {
            // Durably, before the first one goes: whoever finds one of them missing knows that it may be, and
            // a crash may keep any of them.
            self.start.advance(self.storage.as_ref(), keep_from)?;
            let name = segment_name(number);
            match self.storage.remove(&name) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(JournalError::io("remove", &name)(error));
                }
                _ => self.view.hide(number),
            }
            removed += 1;
        }
        if removed > 0 {
            self.storage
                .sync_dir()
                .map_err(JournalError::io("fsync", &self.storage.describe()))?;
        }
        Ok(removed)
    }

    fn start_segment(&mut self) -> Result<(), JournalError> {
        // Only the last segment may have an end that is not durable; recovery relies on it.
        self.sync()?;
        let segment = SegmentHeader::new(self.segment.number + 1, self.next_sequence);
        match segment.create(self.storage.as_ref()) {
            Ok(file) => {
                self.file = Arc::from(file);
                self.segment = segment;
                self.end = SEGMENT_HEADER_BYTES;
                self.durable = SEGMENT_HEADER_BYTES;
                self.publish();
                Ok(())
            }
            Err(failure) if failure.harmless => Err(failure.error),
            Err(failure) => Err(self.poison(failure.error.to_string())),
        }
    }

    fn write_frame(&mut self, header: &FrameHeader, parts: &[&[u8]]) -> io::Result<()> {
        let mut position = self.end;
        self.buffer.clear();
        self.buffer
            .extend_from_slice(&header.encode(self.segment.salt));
        for part in parts {
            if part.len() > COPY_BYTES_MAX || self.buffer.len() + part.len() > 2 * COPY_BYTES_MAX {
                self.file.write_at(position, &self.buffer)?;
                position += self.buffer.len() as u64;
                self.buffer.clear();
            }
            if part.len() > COPY_BYTES_MAX {
                self.file.write_at(position, part)?;
                position += part.len() as u64;
            } else {
                self.buffer.extend_from_slice(part);
            }
        }
        if self.buffer.is_empty() {
            Ok(())
        } else {
            self.file.write_at(position, &self.buffer)
        }
    }

    /// Takes back what a failed append left behind the last frame that counts.
    fn roll_back(&mut self, error: io::Error) -> JournalError {
        let number = self.segment.number;
        if !is_full(&error) {
            return self.poison(format!("write to segment {number}: {error}"));
        }
        match self.file.truncate(self.end) {
            Ok(()) => JournalError::StorageFull { action: "append" },
            Err(undo) => self.poison(format!(
                "write to segment {number}: {error}; then truncate: {undo}"
            )),
        }
    }

    fn publish(&self) {
        let segment = SegmentView {
            salt: self.segment.salt,
            end: self.durable,
        };
        self.view.publish(self.segment.number, segment);
    }

    fn check_usable(&self) -> Result<(), JournalError> {
        match &self.poisoned {
            Some(reason) => Err(JournalError::Poisoned {
                reason: reason.clone(),
            }),
            None => Ok(()),
        }
    }

    fn poison(&mut self, reason: String) -> JournalError {
        self.poisoned = Some(reason.clone());
        JournalError::Poisoned { reason }
    }
}
