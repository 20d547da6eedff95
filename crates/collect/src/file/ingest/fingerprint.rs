//! Which file it is, wherever it lies.

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use twox_hash::xxhash3_128::Hasher;

use crate::file::error::FileError;

/// How much of the beginning and of the end goes into a fingerprint.
const PART_BYTES: u64 = 1 << 20;

/// Tells a file by its size, its beginning and its end. A copy or a renamed file is the same file; one that
/// has grown is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(u128);

impl Fingerprint {
    /// The fingerprint of the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path) -> Result<Self, FileError> {
        let mut file = File::open(path).map_err(FileError::io("open", path))?;
        let mut read = || -> std::io::Result<u128> {
            let bytes = file.metadata()?.len();
            let mut told = bytes.to_le_bytes().to_vec();
            for start in [0, bytes.saturating_sub(PART_BYTES)] {
                file.seek(SeekFrom::Start(start))?;
                file.by_ref().take(PART_BYTES).read_to_end(&mut told)?;
            }
            Ok(Hasher::oneshot(&told))
        };
        read().map(Self).map_err(FileError::io("read", path))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
