//! Frames that no definition can take, copied out of the journal so that it need not be kept for them.
//!
//! A flush copies those it finds into one file of the state folder, and the checkpoint says where each
//! of them lies. When a definition can take them they are read there, until a table holds them.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tillwatch_journal::{JournalReader, Offset, Storage};

use super::StrandedFrame;
use crate::error::ProcessError;

const BEGINNING: &str = "stranded-";
const ENDING: &str = ".frames";
const MAGIC: &[u8; 8] = b"TWSTRAND";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 16;

/// Where the copy of a frame is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FrameCopy {
    pub(crate) file: String,
    position: u64,
    bytes: u64,
    crc: u32,
}

/// The copies in a state folder.
#[derive(Clone)]
pub(crate) struct FrameCopies(Arc<dyn Storage>);

impl std::fmt::Debug for FrameCopies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("FrameCopies")
            .field(&self.0.describe())
            .finish()
    }
}

impl FrameCopies {
    pub(crate) fn new(state: Arc<dyn Storage>) -> Self {
        Self(state)
    }

    /// Copies the frames that have no copy yet, durably. `upto` names the file: the place of the
    /// checkpoint that will tell of them. After a failure none has one.
    pub(crate) fn copy(
        &self,
        frames: &mut [StrandedFrame],
        upto: Offset,
        journal: &JournalReader,
    ) -> Result<(), ProcessError> {
        let mut new: Vec<_> = (frames.iter_mut())
            .filter(|frame| frame.copy.is_none())
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let name = format!("{BEGINNING}{}-{}{ENDING}", upto.segment, upto.position);
        let fault = |error: io::Error| failed("written", &name, &error.to_string());
        match self.0.remove(&name) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(fault(error)),
            _ => {}
        }
        let file = self.0.create(&name).map_err(fault)?;
        let mut header = [0; HEADER_BYTES];
        let (magic, rest) = header.split_at_mut(MAGIC.len());
        magic.copy_from_slice(MAGIC);
        let (version, _) = rest.split_at_mut(4);
        version.copy_from_slice(&VERSION.to_le_bytes());
        file.write_at(0, &header).map_err(fault)?;
        let mut position = HEADER_BYTES as u64;
        let mut copies = Vec::with_capacity(new.len());
        for frame in &new {
            let payload = journal.read_at(frame.offset)?;
            file.write_at(position, &payload).map_err(fault)?;
            copies.push(FrameCopy {
                file: name.clone(),
                position,
                bytes: payload.len() as u64,
                crc: crc32fast::hash(&payload),
            });
            position += payload.len() as u64;
        }
        file.sync_data()
            .and_then(|()| self.0.sync_dir())
            .map_err(fault)?;
        for (frame, copy) in new.iter_mut().zip(copies) {
            frame.copy = Some(Arc::new(copy));
        }
        Ok(())
    }

    /// The payload of a frame.
    ///
    /// # Errors
    /// It cannot be read, or is not what was copied.
    pub(crate) fn read(&self, copy: &FrameCopy) -> Result<Vec<u8>, ProcessError> {
        let fault = |error: io::Error| failed("read", &copy.file, &error.to_string());
        let file = self.0.open(&copy.file).map_err(fault)?;
        let mut header = [0; HEADER_BYTES];
        let read = file.read_at(0, &mut header).map_err(fault)?;
        if read < HEADER_BYTES || header.get(..MAGIC.len()) != Some(MAGIC.as_slice()) {
            return Err(failed("read", &copy.file, "it is none of Tillwatch"));
        }
        let version = header.get(8..12).and_then(|bytes| bytes.try_into().ok());
        let version = u32::from_le_bytes(version.unwrap_or_default());
        if version != VERSION {
            let reason = format!(
                "it has version {version} of the format, this program knows {VERSION}; use a newer program"
            );
            return Err(failed("read", &copy.file, &reason));
        }
        let bytes = usize::try_from(copy.bytes).unwrap_or(usize::MAX);
        if file.bytes().map_err(fault)? < copy.position.saturating_add(copy.bytes) {
            return Err(failed("read", &copy.file, "it is cut short"));
        }
        let mut payload = vec![0; bytes];
        let read = file.read_at(copy.position, &mut payload).map_err(fault)?;
        if read < bytes || crc32fast::hash(&payload) != copy.crc {
            let reason = format!("the checksum of the frame at {} is wrong", copy.position);
            return Err(failed("read", &copy.file, &reason));
        }
        Ok(payload)
    }

    /// Removes the files that no frame of `named` is in, as far as nobody who began before may still read
    /// them: `oldest` is the first place of the journal in use. What cannot be removed is tried next time.
    pub(crate) fn remove_unneeded(&self, named: &[StrandedFrame], oldest: Option<Offset>) {
        let Ok(names) = self.0.list() else {
            return;
        };
        let is_named = |name: &str| {
            let mut copies = named.iter().filter_map(|frame| frame.copy.as_ref());
            copies.any(|copy| copy.file == name)
        };
        for name in names {
            let Some(upto) = place_of(&name) else {
                continue;
            };
            if !is_named(&name) && oldest.is_none_or(|oldest| oldest > upto) {
                // A file too many harms nobody.
                let _ = self.0.remove(&name);
            }
        }
    }
}

/// The place in the name of a file of copies.
fn place_of(name: &str) -> Option<Offset> {
    let place = name.strip_prefix(BEGINNING)?.strip_suffix(ENDING)?;
    let (segment, position) = place.split_once('-')?;
    Some(Offset::new(segment.parse().ok()?, position.parse().ok()?))
}

fn failed(what: &str, file: &str, reason: &str) -> ProcessError {
    ProcessError::Kept(format!(
        "the copies of frames in {file} cannot be {what}: {reason}"
    ))
}
