//! The bytes of a run's header and blocks.

use tillwatch_journal::StorageFile;

use super::super::filter::bytes_of_lines;
use super::super::generation::Width;
use super::{damaged, read_exact};
use crate::error::ProcessError;

/// Bytes of an entry.
pub(super) const ENTRY_BYTES: usize = 16;
/// Entries in a block; the last block of a run may have fewer.
pub(super) const BLOCK_ENTRIES: usize = 255;
/// Bytes of a block: its entries and a trailer of 16 bytes.
pub(super) const BLOCK_BYTES: usize = (BLOCK_ENTRIES + 1) * ENTRY_BYTES;
/// Where the first block is.
pub(super) const BODY_AT: u64 = BLOCK_BYTES as u64;

const HEADER_BYTES: usize = 128;
const CRC_AT: usize = HEADER_BYTES - 4;
const MAGIC: u64 = u64::from_le_bytes(*b"TWDEDUPR");
const VERSION: u32 = 1;

/// What a run's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Header {
    /// How long a generation is.
    pub(in super::super) width: Width,
    /// The newest and the oldest generation of its entries.
    pub(in super::super) newest: i64,
    pub(in super::super) oldest: i64,
    /// Entries.
    pub(in super::super) ids: u64,
    /// Lines of the filter.
    pub(super) filter_lines: u64,
    /// CRC of the blocks' CRCs.
    pub(super) body_crc: u32,
    pub(super) fences_crc: u32,
    pub(super) filter_crc: u32,
    /// CRC of the header itself, by which a checkpoint knows the run.
    pub(in super::super) crc: u32,
}

impl Header {
    pub(super) fn blocks(&self) -> u64 {
        self.ids.div_ceil(BLOCK_ENTRIES as u64)
    }

    /// Entries in a block.
    pub(super) fn entries_in(&self, block: u64) -> usize {
        let before = block.saturating_mul(BLOCK_ENTRIES as u64);
        let rest = self.ids.saturating_sub(before);
        usize::try_from(rest)
            .unwrap_or(BLOCK_ENTRIES)
            .min(BLOCK_ENTRIES)
    }

    pub(super) fn fences_at(&self) -> u64 {
        block_at(self.blocks())
    }

    pub(super) fn filter_at(&self) -> u64 {
        let fences = self.blocks().saturating_mul(8);
        self.fences_at().saturating_add(fences)
    }

    /// Bytes of the file.
    pub(in super::super) fn bytes(&self) -> u64 {
        self.filter_at()
            .saturating_add(bytes_of_lines(self.filter_lines))
    }

    /// The header's bytes; its `crc` is set by the way.
    pub(super) fn encode(&mut self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let mut put = |at: usize, value: &[u8]| {
            if let Some(place) = bytes.get_mut(at..at + value.len()) {
                place.copy_from_slice(value);
            }
        };
        put(0, &MAGIC.to_le_bytes());
        put(8, &VERSION.to_le_bytes());
        put(16, &self.width.0.to_le_bytes());
        put(24, &self.newest.to_le_bytes());
        put(32, &self.oldest.to_le_bytes());
        put(40, &self.ids.to_le_bytes());
        put(48, &self.filter_lines.to_le_bytes());
        put(56, &self.body_crc.to_le_bytes());
        put(60, &self.fences_crc.to_le_bytes());
        put(64, &self.filter_crc.to_le_bytes());
        self.crc = crc32fast::hash(bytes.get(..CRC_AT).unwrap_or_default());
        if let Some(place) = bytes.get_mut(CRC_AT..) {
            place.copy_from_slice(&self.crc.to_le_bytes());
        }
        bytes
    }
}

/// Reads the header of a file and checks that the file is as long as it says.
pub(in super::super) fn check_header(
    file: &dyn StorageFile,
    name: &str,
) -> Result<Header, ProcessError> {
    let mut bytes = [0; HEADER_BYTES];
    read_exact(file, name, 0, &mut bytes)?;
    if u64_at(&bytes, 0) != MAGIC {
        return Err(damaged(name, 0, "it does not begin as a file of ids does"));
    }
    let crc = u32_at(&bytes, CRC_AT);
    if crc32fast::hash(bytes.get(..CRC_AT).unwrap_or_default()) != crc {
        return Err(damaged(name, 0, "the checksum of the header is wrong"));
    }
    let version = u32_at(&bytes, 8);
    if version != VERSION {
        return Err(ProcessError::DedupVersion {
            file: name.to_owned(),
            version,
            known: VERSION,
        });
    }
    let header = Header {
        width: Width(u64_at(&bytes, 16).cast_signed()),
        newest: u64_at(&bytes, 24).cast_signed(),
        oldest: u64_at(&bytes, 32).cast_signed(),
        ids: u64_at(&bytes, 40),
        filter_lines: u64_at(&bytes, 48),
        body_crc: u32_at(&bytes, 56),
        fences_crc: u32_at(&bytes, 60),
        filter_crc: u32_at(&bytes, 64),
        crc,
    };
    if header.width.0 < 1 || header.filter_lines == 0 || header.oldest > header.newest {
        return Err(damaged(name, 0, "the header contradicts itself"));
    }
    let length = file.bytes().map_err(super::failed("measure", name))?;
    if length != header.bytes() {
        let reason = format!("it has {length} bytes instead of {}", header.bytes());
        return Err(damaged(name, length.min(header.bytes()), reason));
    }
    Ok(header)
}

/// Where a block is.
pub(super) fn block_at(block: u64) -> u64 {
    BODY_AT.saturating_add(block.saturating_mul(BLOCK_BYTES as u64))
}

/// Checks a block that was read and gives its checksum.
pub(super) fn check_block(bytes: &[u8], block: u64, name: &str) -> Result<u32, ProcessError> {
    let crc_at = BLOCK_BYTES - 4;
    let crc = u32_at(bytes, crc_at);
    if crc32fast::hash(bytes.get(..crc_at).unwrap_or_default()) != crc {
        return Err(damaged(name, block_at(block), "the checksum is wrong"));
    }
    if u64_at(bytes, BLOCK_BYTES - ENTRY_BYTES) != block {
        return Err(damaged(name, block_at(block), "the block is another one's"));
    }
    Ok(crc)
}

/// Puts the trailer behind the entries of a block, and gives its checksum.
pub(super) fn close_block(bytes: &mut [u8], block: u64) -> u32 {
    if let Some(place) = bytes.get_mut(BLOCK_BYTES - ENTRY_BYTES..BLOCK_BYTES - 8) {
        place.copy_from_slice(&block.to_le_bytes());
    }
    let crc = crc32fast::hash(bytes.get(..BLOCK_BYTES - 4).unwrap_or_default());
    if let Some(place) = bytes.get_mut(BLOCK_BYTES - 4..) {
        place.copy_from_slice(&crc.to_le_bytes());
    }
    crc
}

pub(super) fn u128_at(bytes: &[u8], at: usize) -> u128 {
    let found = bytes.get(at..).and_then(<[u8]>::first_chunk);
    found.map_or(0, |bytes| u128::from_le_bytes(*bytes))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let found = bytes.get(at..).and_then(<[u8]>::first_chunk);
    found.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..).and_then(<[u8]>::first_chunk);
    found.map_or(0, |bytes| u32::from_le_bytes(*bytes))
}
