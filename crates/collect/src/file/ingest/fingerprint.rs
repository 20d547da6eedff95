//! Which file it is, wherever it lies.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use twox_hash::xxhash3_128::Hasher;

use crate::file::error::FileError;

/// How much is read at once.
const READ_BYTES: u64 = 1 << 20;

/// Tells a file by all its bytes. A copy or a renamed file is the same file; one that has grown, or in which
/// one byte was corrected, is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(u128);

impl Fingerprint {
    /// The fingerprint of the file at `path`, which is read as a whole: work for as long as that takes, not
    /// for an async thread.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path) -> Result<Self, FileError> {
        let mut file = File::open(path).map_err(FileError::io("open", path))?;
        let mut read = || -> std::io::Result<u128> {
            let mut hash = 0_u128;
            let mut block = Vec::with_capacity(READ_BYTES as usize + size_of::<u128>());
            loop {
                file.by_ref().take(READ_BYTES).read_to_end(&mut block)?;
                if block.is_empty() {
                    return Ok(hash);
                }
                // Each block is hashed together with the hash of what stands before it.
                block.extend_from_slice(&hash.to_le_bytes());
                hash = Hasher::oneshot(&block);
                block.clear();
            }
        };
        read().map(Self).map_err(FileError::io("read", path))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
