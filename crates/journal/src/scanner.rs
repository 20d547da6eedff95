//! Reads the frames of one segment one after another, with a read-ahead buffer.

use std::sync::Arc;

use crate::error::JournalError;
use crate::frame::{FRAME_HEADER_BYTES, FrameHeader};
use crate::offset::Offset;
use crate::segment::segment_name;
use crate::storage::StorageFile;

/// What stands at a place of a segment.
pub(crate) enum Step<T> {
    /// A whole frame, or its header.
    Frame(T),
    /// Nothing: the place is the end.
    End,
    /// Bytes that are no whole frame, and why.
    Bad(&'static str),
}

/// A whole frame.
pub(crate) struct Frame<'a> {
    /// Where it starts.
    pub(crate) at: Offset,
    pub(crate) header: FrameHeader,
    pub(crate) payload: &'a [u8],
}

/// A reader of one segment's frames up to a fixed end.
pub(crate) struct Scanner {
    file: Arc<dyn StorageFile>,
    segment: u64,
    salt: u64,
    position: u64,
    end: u64,
    read_ahead_bytes: u64,
    buffer: Vec<u8>,
    buffer_start: u64,
}

impl Scanner {
    /// Reads `segment` from `from` up to `end`, at least `read_ahead_bytes` at a time.
    pub(crate) fn new(
        file: Arc<dyn StorageFile>,
        (segment, salt): (u64, u64),
        from: u64,
        end: u64,
        read_ahead_bytes: u64,
    ) -> Self {
        Self {
            file,
            segment,
            salt,
            position: from,
            end,
            read_ahead_bytes,
            buffer: Vec::new(),
            buffer_start: from,
        }
    }

    /// Where the next frame starts.
    pub(crate) fn offset(&self) -> Offset {
        Offset::new(self.segment, self.position)
    }

    /// Lets more of a growing segment be read.
    pub(crate) fn extend(&mut self, end: u64) {
        self.end = self.end.max(end);
    }

    /// The next frame with its payload, whose checksum is checked.
    pub(crate) fn frame(&mut self) -> Result<Step<Frame<'_>>, JournalError> {
        let at = self.offset();
        let header = match self.peek()? {
            Step::Frame(header) => header,
            Step::End => return Ok(Step::End),
            Step::Bad(reason) => return Ok(Step::Bad(reason)),
        };
        self.load(header.frame_bytes())?;
        let start = self.position - self.buffer_start + FRAME_HEADER_BYTES;
        let range = start as usize..start as usize + header.length as usize;
        match self.buffer.get(range) {
            Some(payload) if header.fits(payload) => {
                self.position += header.frame_bytes();
                Ok(Step::Frame(Frame {
                    at,
                    header,
                    payload,
                }))
            }
            Some(_) => Ok(Step::Bad("the payload does not match its checksum")),
            None => Ok(Step::Bad("the file ends within the payload")),
        }
    }

    /// The next frame's header, passing over a payload that is not looked at.
    pub(crate) fn header(&mut self) -> Result<Step<FrameHeader>, JournalError> {
        let step = self.peek()?;
        if let Step::Frame(header) = &step {
            self.position += header.frame_bytes();
        }
        Ok(step)
    }

    fn peek(&mut self) -> Result<Step<FrameHeader>, JournalError> {
        let left = self.end.saturating_sub(self.position);
        if left == 0 {
            return Ok(Step::End);
        }
        self.load(FRAME_HEADER_BYTES)?;
        let start = (self.position - self.buffer_start) as usize;
        let header = self
            .buffer
            .get(start..)
            .and_then(|bytes| FrameHeader::decode(bytes, self.salt));
        Ok(match header {
            Some(header) if header.frame_bytes() > left => {
                Step::Bad("the file ends within the payload")
            }
            Some(header) => Step::Frame(header),
            None if left < FRAME_HEADER_BYTES => Step::Bad("the file ends within a frame header"),
            None => Step::Bad("no valid frame header"),
        })
    }

    /// Makes the buffer hold the `needed` bytes from the position on, or as many of them as there are.
    fn load(&mut self, needed: u64) -> Result<(), JournalError> {
        let held_to = self.buffer_start + self.buffer.len() as u64;
        if self.position + needed <= held_to {
            return Ok(());
        }
        let left = self.end - self.position;
        let wanted = needed.max(self.read_ahead_bytes).min(left) as usize;
        self.buffer.resize(wanted, 0);
        let name = || segment_name(self.segment);
        let read = self
            .file
            .read_at(self.position, &mut self.buffer)
            .map_err(|e| JournalError::io("read", &name())(e))?;
        self.buffer.truncate(read);
        self.buffer_start = self.position;
        Ok(())
    }
}
