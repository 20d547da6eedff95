//! Reading a run from its first entry to its last.

use crc32fast::Hasher;
use tillwatch_journal::{Storage, StorageFile};

use super::format::{
    BLOCK_BYTES, ENTRY_BYTES, Header, block_at, check_block, check_header, u128_at,
};
use super::{Run, damaged, failed, read_exact};
use crate::error::ProcessError;

/// Blocks read at once.
const BLOCKS_AT_ONCE: usize = 64;

/// The entries of a run, ascending. Every block is checked, and at the end that none was exchanged.
pub(in super::super) struct RunReader {
    file: Box<dyn StorageFile>,
    name: String,
    header: Header,
    buffer: Vec<u8>,
    /// The next entry's place in the buffer, and where its block's entries end.
    at: usize,
    end: usize,
    /// The block after the one being read.
    next_block: u64,
    /// Where in the buffer that one is.
    next_at: usize,
    body: Hasher,
}

impl RunReader {
    pub(in super::super) fn open(storage: &dyn Storage, run: &Run) -> Result<Self, ProcessError> {
        let file = storage.open(&run.file).map_err(failed("open", &run.file))?;
        let header = check_header(file.as_ref(), &run.file)?;
        if header != run.header {
            return Err(damaged(&run.file, 0, "it is another file of that name"));
        }
        Ok(Self {
            file,
            name: run.file.clone(),
            header,
            buffer: Vec::new(),
            at: 0,
            end: 0,
            next_block: 0,
            next_at: 0,
            body: Hasher::new(),
        })
    }

    pub(in super::super) fn next(&mut self) -> Result<Option<u128>, ProcessError> {
        if self.at == self.end && !self.next_block()? {
            return Ok(None);
        }
        let entry = u128_at(&self.buffer, self.at);
        self.at += ENTRY_BYTES;
        Ok(Some(entry))
    }

    fn next_block(&mut self) -> Result<bool, ProcessError> {
        if self.next_block == self.header.blocks() {
            if self.body.clone().finalize() != self.header.body_crc {
                let reason = "its blocks are not those that were written";
                return Err(damaged(&self.name, block_at(0), reason));
            }
            return Ok(false);
        }
        if self.next_at == self.buffer.len() {
            let left = self.header.blocks() - self.next_block;
            let blocks = usize::try_from(left).map_or(BLOCKS_AT_ONCE, |n| n.min(BLOCKS_AT_ONCE));
            self.buffer.resize(blocks * BLOCK_BYTES, 0);
            let position = block_at(self.next_block);
            read_exact(self.file.as_ref(), &self.name, position, &mut self.buffer)?;
            self.next_at = 0;
        }
        let block = self.buffer.get(self.next_at..self.next_at + BLOCK_BYTES);
        let crc = check_block(block.unwrap_or_default(), self.next_block, &self.name)?;
        self.body.update(&crc.to_le_bytes());
        self.at = self.next_at;
        self.end = self.at + self.header.entries_in(self.next_block) * ENTRY_BYTES;
        self.next_at += BLOCK_BYTES;
        self.next_block += 1;
        Ok(true)
    }
}
