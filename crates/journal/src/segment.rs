//! One segment: its file name and the header at its start.

use std::hash::{BuildHasher, Hasher, RandomState};

use crate::error::JournalError;
use crate::frame::{u32_at, u64_at};
use crate::offset::Offset;
use crate::storage::{Storage, StorageFile};

/// Bytes of a segment's header; the first frame starts here.
pub(crate) const SEGMENT_HEADER_BYTES: u64 = HEADER_BYTES as u64;

const HEADER_BYTES: usize = 48;
const CRC_START: usize = 44;
const MAGIC: [u8; 8] = *b"TWJOURNL";
const VERSION: u32 = 1;
const SUFFIX: &str = ".segment";

/// A segment's size, for status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentStatus {
    /// The segment's number.
    pub number: u64,
    /// Its durable bytes, header included.
    pub bytes: u64,
}

/// What stands at the start of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// The segment's number, which its file name repeats.
    pub(crate) number: u64,
    /// The number its first frame has or will have.
    pub(crate) first_sequence: u64,
    /// Random; mixed into the checksum of every frame header of the segment.
    pub(crate) salt: u64,
}

impl SegmentHeader {
    /// The header of a new segment.
    pub(crate) fn new(number: u64, first_sequence: u64) -> Self {
        // The standard library has no random numbers but the keys of its hash maps, which are enough here:
        // the salt has to be unknown to whoever sends payloads, and different for each segment.
        let salt = RandomState::new().build_hasher().finish();
        Self {
            number,
            first_sequence,
            salt,
        }
    }

    fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let fields = MAGIC
            .into_iter()
            .chain(VERSION.to_le_bytes())
            .chain([0; 4])
            .chain(self.number.to_le_bytes())
            .chain(self.first_sequence.to_le_bytes())
            .chain(self.salt.to_le_bytes());
        for (to, from) in bytes.iter_mut().zip(fields) {
            *to = from;
        }
        let crc = crc_of(&bytes);
        if let Some(end) = bytes.last_chunk_mut() {
            *end = crc.to_le_bytes();
        }
        bytes
    }

    /// The header in `bytes`: `Ok(None)` when they are not one.
    ///
    /// # Errors
    /// [`JournalError::UnknownVersion`] when it is one, of another version of the format.
    fn decode(bytes: &[u8]) -> Result<Option<Self>, JournalError> {
        let read = || {
            let bytes: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
            let whole = bytes.starts_with(&MAGIC) && u32_at(bytes, CRC_START)? == crc_of(bytes);
            if !whole {
                return None;
            }
            let header = Self {
                number: u64_at(bytes, 16)?,
                first_sequence: u64_at(bytes, 24)?,
                salt: u64_at(bytes, 32)?,
            };
            Some((u32_at(bytes, 8)?, header))
        };
        match read() {
            Some((VERSION, header)) => Ok(Some(header)),
            Some((version, header)) => Err(JournalError::UnknownVersion {
                segment: header.number,
                version,
                known: VERSION,
            }),
            None => Ok(None),
        }
    }

    /// The header at the start of `file`; `Ok(None)` when there is none or it is not whole.
    pub(crate) fn read(file: &dyn StorageFile, name: &str) -> Result<Option<Self>, JournalError> {
        let mut bytes = [0; HEADER_BYTES];
        let read = file
            .read_at(0, &mut bytes)
            .map_err(JournalError::io("read", name))?;
        Self::decode(bytes.get(..read).unwrap_or_default())
    }

    /// Creates the segment's file with this header and makes both durable, so that a frame written to it
    /// later cannot survive a crash that the file or its header did not.
    ///
    /// # Errors
    /// [`JournalError::StorageFull`] with nothing left behind, or [`JournalError::Io`].
    pub(crate) fn create(
        &self,
        storage: &dyn Storage,
    ) -> Result<Box<dyn StorageFile>, CreateError> {
        let name = segment_name(self.number);
        let file = storage
            .create(&name)
            .map_err(|e| CreateError::before(e, "create", &name))?;
        if let Err(error) = file.write_at(0, &self.encode()) {
            // The name must be gone durably before the segment before this one is written on: recovery
            // takes a segment that has a successor for one that was durable as a whole.
            let undo = storage.remove(&name).and_then(|()| storage.sync_dir());
            undo.map_err(|e| CreateError::after(JournalError::io("remove", &name)(e)))?;
            return Err(CreateError::before(error, "write", &name));
        }
        file.sync_data()
            .map_err(|e| CreateError::after(JournalError::io("fsync", &name)(e)))?;
        storage
            .sync_dir()
            .map_err(|e| CreateError::after(JournalError::io("fsync the folder of", &name)(e)))?;
        Ok(file)
    }
}

/// Why a segment could not be created.
#[derive(Debug)]
pub(crate) struct CreateError {
    /// The failure.
    pub(crate) error: JournalError,
    /// Whether the folder is as it was before, so that creating may be tried again.
    pub(crate) harmless: bool,
}

impl CreateError {
    fn before(error: std::io::Error, action: &'static str, name: &str) -> Self {
        let full = is_full(&error);
        let error = if full {
            JournalError::StorageFull {
                action: "start a segment",
            }
        } else {
            JournalError::io(action, name)(error)
        };
        Self {
            error,
            harmless: full,
        }
    }

    fn after(error: JournalError) -> Self {
        Self {
            error,
            harmless: false,
        }
    }
}

/// Whether the storage, or the user's share of it, has no room left.
pub(crate) fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// The file name of a segment. Twenty digits hold every `u64`, so names sort as numbers do.
pub(crate) fn segment_name(number: u64) -> String {
    format!("{number:020}{SUFFIX}")
}

/// The number of the segment in a file of that name; `None` for files that are no segments.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let plain = digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// The start of a segment's first frame.
pub(crate) fn first_frame(number: u64) -> Offset {
    Offset::new(number, SEGMENT_HEADER_BYTES)
}

fn crc_of(header: &[u8; HEADER_BYTES]) -> u32 {
    header
        .split_last_chunk::<4>()
        .map_or(0, |(before, _crc)| crc32fast::hash(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_every_flipped_bit_is_noticed() {
        let header = SegmentHeader::new(3, 77);
        let bytes = header.encode();
        assert_eq!(SegmentHeader::decode(&bytes).unwrap(), Some(header));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::decode(&flipped).unwrap(), None, "bit {bit}");
        }
    }

    #[test]
    fn a_header_of_another_version_is_named_and_not_called_damage() {
        let mut bytes = SegmentHeader::new(3, 77).encode();
        bytes[8] = 2;
        let crc = crc_of(&bytes);
        bytes[CRC_START..].copy_from_slice(&crc.to_le_bytes());
        let error = SegmentHeader::decode(&bytes).unwrap_err();
        assert!(
            matches!(
                error,
                JournalError::UnknownVersion {
                    segment: 3,
                    version: 2,
                    known: 1
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn only_twenty_digits_and_the_suffix_name_a_segment() {
        assert_eq!(segment_number(&segment_name(42)), Some(42));
        for other in [
            "lock",
            "42.segment",
            "+0000000000000000042.segment",
            "99999999999999999999.segment",
        ] {
            assert_eq!(segment_number(other), None, "{other}");
        }
    }
}
