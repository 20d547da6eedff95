//! Opens a file, plain or compressed, as a stream of bytes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::FileError;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// A file's bytes after decompression.
pub(crate) struct ByteSource {
    reader: Box<dyn Read + Send>,
    consumed: Arc<AtomicU64>,
}

impl ByteSource {
    /// Opens `path` at `offset` bytes, counted after decompression.
    pub(crate) fn open(path: &Path, offset: u64) -> Result<Self, FileError> {
        let failed = |action| FileError::io(action, path);
        let mut file = File::open(path).map_err(failed("open"))?;
        let compression = compression_of(&mut file).map_err(failed("read"))?;
        let start = if compression == Compression::None {
            offset
        } else {
            0
        };
        file.seek(SeekFrom::Start(start))
            .map_err(failed("seek in"))?;
        let consumed = Arc::new(AtomicU64::new(start));
        let counted = Counted {
            file,
            consumed: Arc::clone(&consumed),
        };
        let mut reader: Box<dyn Read + Send> = match compression {
            Compression::None => Box::new(counted),
            Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(counted)),
            Compression::Zstd => {
                Box::new(zstd::stream::read::Decoder::new(counted).map_err(failed("decompress"))?)
            }
        };
        // Compressed bytes cannot be jumped over.
        let skip = offset - start;
        let skipped = io::copy(&mut reader.by_ref().take(skip), &mut io::sink())
            .map_err(failed("decompress"))?;
        if skipped < skip {
            return Err(FileError::malformed(
                path,
                skipped,
                "the file ends before the place to start at",
            ));
        }
        Ok(Self { reader, consumed })
    }

    /// Bytes of the file itself, compressed if it is, that have been read: what a progress bar shows.
    pub(crate) fn consumed(&self) -> u64 {
        self.consumed.load(Ordering::Relaxed)
    }

    /// Appends up to `wanted` bytes to `buffer`; fewer only at the end of the file.
    pub(crate) fn fill(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> io::Result<usize> {
        // Growing by and by would copy what has been read several times.
        buffer.reserve(wanted);
        self.reader.by_ref().take(wanted as u64).read_to_end(buffer)
    }
}

fn compression_of(file: &mut File) -> io::Result<Compression> {
    let mut magic = Vec::with_capacity(4);
    file.take(4).read_to_end(&mut magic)?;
    Ok(match magic.as_slice() {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] => Compression::Zstd,
        _ => Compression::None,
    })
}

struct Counted {
    file: File,
    consumed: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.consumed.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
