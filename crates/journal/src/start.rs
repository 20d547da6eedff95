//! Which segment is the journal's oldest: the file `start`, so that a missing one is noticed.

use std::io::ErrorKind;

use crate::error::JournalError;
use crate::frame::{u32_at, u64_at};
use crate::segment::is_full;
use crate::storage::{Storage, StorageFile};

const FILE: &str = "start";
const NEXT_FILE: &str = "start.next";
/// The two slots lie in different pages, so that no write touches both.
const SLOT_STEP_BYTES: u64 = 4096;
const SLOT_BYTES: usize = 64;
const CRC_START: usize = 60;
const MAGIC: [u8; 8] = *b"TWJSTART";
const VERSION: u32 = 1;
/// The oldest segment of a journal that has no such file: nothing was ever removed from it.
const FIRST_SEGMENT: u64 = 1;

/// The two places in the file that are written in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    First,
    Second,
}

impl Slot {
    fn position(self) -> u64 {
        match self {
            Self::First => 0,
            Self::Second => SLOT_STEP_BYTES,
        }
    }

    fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// What the file says, and how to change it.
///
/// It is changed where it lies: a full disk, of all times, must let old segments be removed, and another
/// file would need room.
pub(crate) struct Start {
    /// `None` while there is none.
    file: Option<Box<dyn StorageFile>>,
    segment: u64,
    /// Where `segment` stands.
    slot: Slot,
    /// Whether this process has made it durable. What an earlier one wrote may be in the cache only.
    durable: bool,
}

impl Start {
    /// What the journal in `storage` says.
    ///
    /// # Errors
    /// [`JournalError::StartDamaged`], [`JournalError::UnknownStartVersion`], and those of the storage.
    pub(crate) fn read(storage: &dyn Storage) -> Result<Self, JournalError> {
        let file = match storage.open(FILE) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self {
                    file: None,
                    segment: FIRST_SEGMENT,
                    slot: Slot::First,
                    durable: false,
                });
            }
            Err(error) => return Err(JournalError::io("open", FILE)(error)),
        };
        let mut newest: Option<(u64, Slot)> = None;
        for slot in [Slot::First, Slot::Second] {
            let mut bytes = [0; SLOT_BYTES];
            let read = file
                .read_at(slot.position(), &mut bytes)
                .map_err(JournalError::io("read", FILE))?;
            let segment = decode(bytes.get(..read).unwrap_or_default())?;
            // A crash may have torn the slot that was being written; then the other one still holds.
            if let Some(segment) = segment
                && newest.is_none_or(|(other, _)| segment > other)
            {
                newest = Some((segment, slot));
            }
        }
        let (segment, slot) = newest.ok_or(JournalError::StartDamaged)?;
        Ok(Self {
            file: Some(file),
            segment,
            slot,
            durable: false,
        })
    }

    /// The number of the oldest segment.
    pub(crate) fn segment(&self) -> u64 {
        self.segment
    }

    /// Whether there is a file that says so.
    pub(crate) fn is_written(&self) -> bool {
        self.file.is_some()
    }

    /// Makes what is said durable. Only then may segments before it go.
    ///
    /// # Errors
    /// [`JournalError::StorageFull`], after which it may be tried again, and those of the storage.
    pub(crate) fn settle(&mut self, storage: &dyn Storage) -> Result<(), JournalError> {
        if self.durable {
            return Ok(());
        }
        match &self.file {
            Some(file) => write(file.as_ref(), self.slot, self.segment)?,
            None => self.file = Some(create(storage, self.segment)?),
        }
        self.durable = true;
        Ok(())
    }

    /// Says, durably, that `segment` is the oldest; nothing when it or a newer one is already.
    ///
    /// # Errors
    /// As [`Self::settle`]. Then what was said before still holds.
    pub(crate) fn advance(
        &mut self,
        storage: &dyn Storage,
        segment: u64,
    ) -> Result<(), JournalError> {
        self.settle(storage)?;
        if segment <= self.segment {
            return Ok(());
        }
        // The slot that holds stays as it is until the other one is durable.
        let slot = self.slot.other();
        if let Some(file) = &self.file {
            write(file.as_ref(), slot, segment)?;
        }
        (self.segment, self.slot) = (segment, slot);
        Ok(())
    }
}

fn write(file: &dyn StorageFile, slot: Slot, segment: u64) -> Result<(), JournalError> {
    file.write_at(slot.position(), &encode(segment))
        .map_err(|error| failure(error, "write"))?;
    file.sync_data().map_err(|error| failure(error, "fsync"))
}

fn create(storage: &dyn Storage, segment: u64) -> Result<Box<dyn StorageFile>, JournalError> {
    match storage.remove(NEXT_FILE) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(JournalError::io("remove", NEXT_FILE)(error));
        }
        _ => {}
    }
    let write = || {
        let file = storage.create(NEXT_FILE)?;
        for slot in [Slot::First, Slot::Second] {
            file.write_at(slot.position(), &encode(segment))?;
        }
        file.sync_data()?;
        storage.rename(NEXT_FILE, FILE)?;
        storage.sync_dir()?;
        Ok(file)
    };
    write().map_err(|error| failure(error, "write"))
}

fn failure(error: std::io::Error, action: &'static str) -> JournalError {
    if is_full(&error) {
        JournalError::StorageFull {
            action: "note where the journal starts",
        }
    } else {
        JournalError::io(action, FILE)(error)
    }
}

fn encode(segment: u64) -> [u8; SLOT_BYTES] {
    let mut bytes = [0; SLOT_BYTES];
    let fields = MAGIC
        .into_iter()
        .chain(VERSION.to_le_bytes())
        .chain([0; 4])
        .chain(segment.to_le_bytes());
    for (to, from) in bytes.iter_mut().zip(fields) {
        *to = from;
    }
    let crc = crc_of(&bytes);
    if let Some(end) = bytes.last_chunk_mut() {
        *end = crc.to_le_bytes();
    }
    bytes
}

/// The number in a slot; `Ok(None)` when it is not whole.
fn decode(bytes: &[u8]) -> Result<Option<u64>, JournalError> {
    let read = || {
        let bytes: &[u8; SLOT_BYTES] = bytes.first_chunk()?;
        let whole = bytes.starts_with(&MAGIC) && u32_at(bytes, CRC_START)? == crc_of(bytes);
        whole.then_some((u32_at(bytes, 8)?, u64_at(bytes, 16)?))
    };
    match read() {
        Some((VERSION, segment)) => Ok(Some(segment)),
        Some((version, _)) => Err(JournalError::UnknownStartVersion {
            version,
            known: VERSION,
        }),
        None => Ok(None),
    }
}

fn crc_of(slot: &[u8; SLOT_BYTES]) -> u32 {
    slot.split_last_chunk::<4>()
        .map_or(0, |(before, _crc)| crc32fast::hash(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_reads_back_and_every_flipped_bit_is_noticed() {
        let bytes = encode(77);
        assert_eq!(decode(&bytes).unwrap(), Some(77));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&flipped).unwrap(), None, "bit {bit}");
        }
    }

    #[test]
    fn a_slot_of_another_version_is_named_and_not_called_damage() {
        let mut bytes = encode(77);
        bytes[8] = 2;
        let crc = crc_of(&bytes);
        bytes[CRC_START..].copy_from_slice(&crc.to_le_bytes());
        let error = decode(&bytes).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the journal's file `start` has format version 2; this program reads version 1"
        );
    }
}
