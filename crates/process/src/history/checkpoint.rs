//! The checkpoint: one small file that says how far history is, and what belongs to that place.
//! `CHECKPOINT.md` beside this crate writes the bytes down.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tillwatch_journal::{Offset, Storage};

use super::FrameCopy;
use crate::cube::StoreState;
use crate::dedup::DedupCheckpoint;
use crate::error::ProcessError;
use crate::revision::Revisions;
use crate::status::StreamStatus;
use crate::stream::RejectFrame;

const NAME: &str = "checkpoint";
const NEW_NAME: &str = "checkpoint.new";
const MAGIC: &[u8; 8] = b"TWCHECKP";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 32;

/// Everything that belongs to one place of the journal and is in no table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// The instance of the journal.
    pub(crate) journal: String,
    /// The last frame that history holds.
    #[serde(with = "super::offset_text")]
    pub(crate) offset: Offset,
    pub(crate) streams: BTreeMap<String, StreamState>,
    /// By the name of the cube's table, so that another definition does not take it up.
    pub(crate) cubes: BTreeMap<String, CubeState>,
    /// By the name of their table, the cubes that no definition has any more, for when they come back.
    #[serde(default)]
    pub(crate) absent_cubes: BTreeMap<String, StoreState>,
    /// Frames that no definition could take. They are in no table, but in copies of their own.
    #[serde(default)]
    pub(crate) stranded: Vec<StrandedFrame>,
    /// Frames from before `offset` that could not be taken once and can be now. They are replayed as
    /// if they had come right behind `offset`; the next checkpoint holds them.
    #[serde(default)]
    pub(crate) readmitted: Vec<StrandedFrame>,
}

/// A frame that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StrandedFrame {
    #[serde(with = "super::offset_text")]
    pub(crate) offset: Offset,
    pub(crate) stream: String,
    /// Whether there was no such stream. Nothing of it was flushed then, so its table has the frame when it
    /// is as far as the frame.
    #[serde(default)]
    pub(crate) undefined: bool,
    /// The checkpoint behind which it was taken up before its stream was gone again: its table has the
    /// frame when it is further than that.
    #[serde(default, with = "super::offset_text_if_any")]
    pub(crate) readmitted_at: Option<Offset>,
    /// Where it lies outside of the journal; none until a flush has copied it.
    #[serde(default)]
    pub(crate) copy: Option<Arc<FrameCopy>>,
}

impl StrandedFrame {
    /// Whether a table that holds everything up to `reflects` has it. Only right until that table is
    /// written by a definition that knows of the frame; from then on it is not in it.
    pub(crate) fn is_in(&self, reflects: Option<Offset>) -> bool {
        match (reflects, self.readmitted_at) {
            (None, _) => false,
            (Some(reflects), Some(at)) => reflects > at,
            (Some(reflects), None) => self.undefined && reflects >= self.offset,
        }
    }
}

/// What is kept of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StreamState {
    pub(crate) status: StreamStatus,
    pub(crate) rejects: Vec<RejectFrame>,
    pub(crate) dedup: DedupCheckpoint,
    /// A hash of the fields by which events were counted.
    pub(crate) fields: u64,
}

/// What is kept of a cube.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CubeState {
    pub(crate) store: StoreState,
    #[serde(default)]
    pub(crate) revisions: Revisions,
    /// How many of the combinations' hashes behind the document are this cube's; they lie in the
    /// order of the cubes.
    combinations: u64,
    #[serde(skip)]
    pub(crate) known: Vec<u128>,
}

impl CubeState {
    pub(crate) fn new(store: StoreState, revisions: Revisions, known: Vec<u128>) -> Self {
        Self {
            store,
            revisions,
            combinations: known.len() as u64,
            known,
        }
    }
}

impl Checkpoint {
    /// Writes it in place of the one before, durably: after a crash either of the two is there.
    pub(crate) fn write(&self, storage: &dyn Storage) -> Result<(), ProcessError> {
        let bytes = self.encode()?;
        let fault = |error: io::Error| {
            ProcessError::Kept(format!(
                "the checkpoint in {} cannot be written: {error}",
                storage.describe()
            ))
        };
        match storage.remove(NEW_NAME) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fault(error)),
            _ => {}
        }
        let file = storage.create(NEW_NAME).map_err(fault)?;
        file.write_at(0, &bytes)
            .and_then(|()| file.sync_data())
            .and_then(|()| storage.rename(NEW_NAME, NAME))
            .and_then(|()| storage.sync_dir())
            .map_err(fault)
    }

    /// The checkpoint there is; none before the first.
    pub(crate) fn read(storage: &dyn Storage) -> Result<Option<Self>, ProcessError> {
        let fault = |reason: String| {
            ProcessError::Kept(format!(
                "the checkpoint in {} cannot be read: {reason}",
                storage.describe()
            ))
        };
        let file = match storage.open(NAME) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fault(error.to_string())),
        };
        let length = file.bytes().map_err(|error| fault(error.to_string()))?;
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let read = file.read_at(0, &mut bytes);
        let read = read.map_err(|error| fault(error.to_string()))?;
        bytes.truncate(read);
        Self::decode(&bytes).map(Some).map_err(fault)
    }

    fn encode(&self) -> Result<Vec<u8>, ProcessError> {
        let document = serde_json::to_vec(self).map_err(|error| {
            ProcessError::Kept(format!("the checkpoint cannot be encoded: {error}"))
        })?;
        let hashes = self
            .cubes
            .values()
            .map(|cube| cube.known.len())
            .sum::<usize>();
        let mut bytes = Vec::with_capacity(HEADER_BYTES + document.len() + hashes * 16 + 4);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&0_u32.to_le_bytes());
        bytes.extend_from_slice(&(document.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&(hashes as u64).to_le_bytes());
        bytes.extend_from_slice(&document);
        for cube in self.cubes.values() {
            for hash in &cube.known {
                bytes.extend_from_slice(&hash.to_le_bytes());
            }
        }
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        Ok(bytes)
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let short = || "it is cut short".to_owned();
        let (header, rest) = bytes.split_at_checked(HEADER_BYTES).ok_or_else(short)?;
        let number = |at: usize| -> u64 {
            let bytes = header.get(at..at + 8).and_then(|b| b.try_into().ok());
            u64::from_le_bytes(bytes.unwrap_or_default())
        };
        if header.get(..8) != Some(MAGIC) {
            return Err("it is none of Tillwatch".to_owned());
        }
        let version = number(8) & u64::from(u32::MAX);
        if version != u64::from(VERSION) {
            return Err(format!(
                "it has version {version} of the format, this program knows {VERSION}; use a newer program"
            ));
        }
        let (body, crc) = rest
            .len()
            .checked_sub(4)
            .and_then(|at| bytes.split_at_checked(HEADER_BYTES + at))
            .ok_or_else(short)?;
        if crc != crc32fast::hash(body).to_le_bytes() {
            return Err("its checksum is wrong".to_owned());
        }
        let document_bytes = usize::try_from(number(16)).map_err(|_| short())?;
        let (document, mut hashes) = rest
            .get(..rest.len() - 4)
            .and_then(|rest| rest.split_at_checked(document_bytes))
            .ok_or_else(short)?;
        let mut checkpoint: Self =
            serde_json::from_slice(document).map_err(|error| error.to_string())?;
        for cube in checkpoint.cubes.values_mut() {
            let bytes = usize::try_from(cube.combinations)
                .ok()
                .and_then(|count| count.checked_mul(16))
                .ok_or_else(short)?;
            let (own, others) = hashes.split_at_checked(bytes).ok_or_else(short)?;
            cube.known = (own.as_chunks::<16>().0.iter())
                .map(|hash| u128::from_le_bytes(*hash))
                .collect();
            hashes = others;
        }
        Ok(checkpoint)
    }
}
