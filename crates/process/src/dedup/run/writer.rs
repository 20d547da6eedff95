//! Writing a run, entry by entry.

use crc32fast::Hasher;
use tillwatch_journal::{Storage, StorageFile, make_durable};

use super::super::filter::Filter;
use super::super::generation::{LOW_BITS, Width, tag_of};
use super::format::{
    BLOCK_BYTES, BLOCK_ENTRIES, BODY_AT, ENTRY_BYTES, Header, block_at, close_block,
};
use super::{Run, damaged, failed, remove_if_there};
use crate::error::ProcessError;

/// Bytes written at once.
const BUFFER_BYTES: usize = 256 * BLOCK_BYTES;

/// A run being written. Nothing names its file before [`RunWriter::finish`] has made it durable.
pub(in super::super) struct RunWriter {
    file: Box<dyn StorageFile>,
    name: String,
    width: Width,
    /// Whole blocks and the one being filled; where the first of them goes.
    buffer: Vec<u8>,
    position: u64,
    /// Entries in the block being filled.
    filled: usize,
    blocks: u64,
    ids: u64,
    last: u128,
    newest: i64,
    oldest: i64,
    body: Hasher,
    fences: Vec<u8>,
    filter: Filter,
}

impl RunWriter {
    /// Begins a file of at most `ids_max` entries. `name` must not exist.
    pub(in super::super) fn create(
        file: Box<dyn StorageFile>,
        name: String,
        width: Width,
        ids_max: u64,
    ) -> Self {
        Self {
            file,
            name,
            width,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            position: BODY_AT,
            filled: 0,
            blocks: 0,
            ids: 0,
            last: 0,
            newest: i64::MIN,
            oldest: i64::MAX,
            body: Hasher::new(),
            fences: Vec::new(),
            filter: Filter::for_ids(ids_max),
        }
    }

    /// Adds an id, larger than the one before, that was received in `generation`.
    pub(in super::super) fn push(
        &mut self,
        entry: u128,
        generation: i64,
    ) -> Result<(), ProcessError> {
        let key = entry & !LOW_BITS;
        if key <= self.last {
            // A bug or bad memory; a file that is not sorted would forget ids without a word.
            let at = block_at(self.blocks);
            return Err(damaged(&self.name, at, "its ids do not come in order"));
        }
        self.last = key;
        if self.filled == 0 {
            self.fences
                .extend_from_slice(&((key >> 64) as u64).to_le_bytes());
        }
        let entry = key | tag_of(generation);
        self.buffer.extend_from_slice(&entry.to_le_bytes());
        self.filter.add(entry);
        self.filled += 1;
        self.ids += 1;
        self.newest = self.newest.max(generation);
        self.oldest = self.oldest.min(generation);
        if self.filled == BLOCK_ENTRIES {
            self.end_block()?;
        }
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), ProcessError> {
        let start = self.buffer.len() - self.filled * ENTRY_BYTES;
        self.buffer.resize(start + BLOCK_BYTES, 0);
        let block = self.buffer.get_mut(start..).unwrap_or_default();
        let crc = close_block(block, self.blocks);
        self.body.update(&crc.to_le_bytes());
        self.blocks += 1;
        self.filled = 0;
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ProcessError> {
        self.write(self.position, &self.buffer)?;
        self.position += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn write(&self, position: u64, bytes: &[u8]) -> Result<(), ProcessError> {
        self.file
            .write_at(position, bytes)
            .map_err(failed("write", &self.name))
    }

    /// Ends the file and makes its contents durable; its name is after the folder's sync.
    /// `None` when there was nothing to write.
    pub(in super::super) fn finish(mut self) -> Result<Option<Run>, ProcessError> {
        if self.ids == 0 {
            return Ok(None);
        }
        if self.filled > 0 {
            self.end_block()?;
        }
        self.flush()?;
        let filter = self.filter.to_bytes();
        let mut header = Header {
            width: self.width,
            newest: self.newest,
            oldest: self.oldest,
            ids: self.ids,
            filter_lines: self.filter.lines(),
            body_crc: self.body.clone().finalize(),
            fences_crc: crc32fast::hash(&self.fences),
            filter_crc: crc32fast::hash(&filter),
            crc: 0,
        };
        self.write(header.fences_at(), &self.fences)?;
        self.write(header.filter_at(), &filter)?;
        let mut first = [0; BLOCK_BYTES];
        let encoded = header.encode();
        if let Some(place) = first.get_mut(..encoded.len()) {
            place.copy_from_slice(&encoded);
        }
        self.write(0, &first)?;
        make_durable(self.file.as_ref()).map_err(failed("sync", &self.name))?;
        Ok(Some(Run {
            file: self.name,
            header,
        }))
    }

    /// Writes a whole file with `fill`; what came of a failure is removed.
    pub(in super::super) fn write_all(
        self,
        storage: &dyn Storage,
        fill: impl FnOnce(&mut Self) -> Result<(), ProcessError>,
    ) -> Result<Option<Run>, ProcessError> {
        let mut writer = self;
        let name = writer.name.clone();
        let written = fill(&mut writer).and_then(|()| writer.finish());
        if !matches!(written, Ok(Some(_))) {
            // Nothing names it, so a later start would remove it all the same.
            let _ = remove_if_there(storage, &name);
        }
        written
    }
}
