//! Looking single ids up in a run's file.

use tillwatch_journal::{Storage, StorageFile};

use super::super::filter::{Filter, bytes_of_lines};
use super::super::generation::LOW_BITS;
use super::format::{BLOCK_BYTES, ENTRY_BYTES, block_at, check_block, check_header, u128_at};
use super::{Run, damaged, failed, read_exact};
use crate::error::ProcessError;

/// What is kept in memory of a run whose ids are not: its filter, and the first id of every block.
pub(in super::super) struct Probe {
    file: Box<dyn StorageFile>,
    fences: Vec<u64>,
    /// None when filters have no room: then every id is looked up in the file.
    filter: Option<Filter>,
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Probe").finish_non_exhaustive()
    }
}

impl Probe {
    pub(in super::super) fn open(storage: &dyn Storage, run: &Run) -> Result<Self, ProcessError> {
        let (name, header) = (&run.file, &run.header);
        let file = storage.open(name).map_err(failed("open", name))?;
        if check_header(file.as_ref(), name)? != *header {
            return Err(damaged(name, 0, "it is another file of that name"));
        }
        let section = |at: u64, bytes: u64, crc: u32, what: &str| {
            let length = usize::try_from(bytes).unwrap_or(usize::MAX);
            let mut read = vec![0; length];
            read_exact(file.as_ref(), name, at, &mut read)?;
            if crc32fast::hash(&read) != crc {
                let reason = format!("the checksum of the {what} is wrong");
                return Err(damaged(name, at, reason));
            }
            Ok(read)
        };
        let fences = section(
            header.fences_at(),
            header.blocks().saturating_mul(8),
            header.fences_crc,
            "first ids",
        )?;
        let (fences, _) = fences.as_chunks();
        let fences = fences.iter().map(|fence| u64::from_le_bytes(*fence));
        let filter = section(
            header.filter_at(),
            bytes_of_lines(header.filter_lines),
            header.filter_crc,
            "filter",
        )?;
        Ok(Self {
            fences: fences.collect(),
            filter: Some(Filter::of_bytes(&filter)),
            file,
        })
    }

    pub(in super::super) fn bytes(&self) -> usize {
        self.fences.capacity() * 8 + self.filter_bytes()
    }

    pub(in super::super) fn filter_bytes(&self) -> usize {
        self.filter.as_ref().map_or(0, Filter::bytes)
    }

    /// Gives the memory of the filter back.
    pub(in super::super) fn drop_filter(&mut self) {
        self.filter = None;
    }

    /// `false` when the id is not in the run.
    pub(in super::super) fn may_have(&self, entry: u128) -> bool {
        self.filter.as_ref().is_none_or(|f| f.may_have(entry))
    }

    /// Fetches what [`Probe::may_have`] will read.
    pub(in super::super) fn touch(&self, entry: u128) -> u64 {
        self.filter.as_ref().map_or(0, |f| f.touch(entry))
    }

    /// The id's entry in the run. `buffer` is room for a block.
    pub(in super::super) fn find(
        &self,
        run: &Run,
        entry: u128,
        buffer: &mut Vec<u8>,
    ) -> Result<Option<u128>, ProcessError> {
        buffer.resize(BLOCK_BYTES, 0);
        let top = (entry >> 64) as u64;
        // Ids that share their upper half may begin in one block and end in the next.
        let mut block = self.fences.partition_point(|fence| *fence <= top);
        while let Some(before) = block.checked_sub(1) {
            block = before;
            if let Some(found) = self.find_in(run, block, entry, buffer)? {
                return Ok(Some(found));
            }
            if self.fences.get(block).is_none_or(|fence| *fence < top) {
                break;
            }
        }
        Ok(None)
    }

    fn find_in(
        &self,
        run: &Run,
        block: usize,
        entry: u128,
        buffer: &mut [u8],
    ) -> Result<Option<u128>, ProcessError> {
        let number = block as u64;
        let position = block_at(number);
        read_exact(self.file.as_ref(), &run.file, position, buffer)?;
        check_block(buffer, number, &run.file)?;
        let (mut low, mut high) = (0, run.header.entries_in(number));
        while low < high {
            let middle = usize::midpoint(low, high);
            let found = u128_at(buffer, middle * ENTRY_BYTES);
            if (found ^ entry) <= LOW_BITS {
                return Ok(Some(found));
            }
            if found < entry {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(None)
    }
}
