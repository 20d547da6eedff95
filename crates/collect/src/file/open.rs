//! Opens a file, plain or compressed, as a stream of bytes.

use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::error::FileError;

/// Where the bytes of a file are.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    /// Its path, or what it is called.
    pub(crate) path: PathBuf,
    /// Its bytes, when they are in memory.
    bytes: Option<Bytes>,
    /// Whether it ends where its bytes do.
    pub(crate) whole: bool,
}

impl Input {
    /// A file on the disk.
    pub(crate) fn file(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            bytes: None,
            whole: true,
        }
    }

    /// A file in memory, or its beginning.
    pub(crate) fn memory(name: &Path, bytes: Bytes, whole: bool) -> Self {
        Self {
            path: name.to_owned(),
            bytes: Some(bytes),
            whole,
        }
    }

    /// Whether it lies on the disk.
    pub(crate) fn is_on_disk(&self) -> bool {
        self.bytes.is_none()
    }

    /// Its size in bytes.
    pub(crate) fn bytes_total(&self) -> io::Result<u64> {
        match &self.bytes {
            Some(bytes) => Ok(bytes.len() as u64),
            None => Ok(std::fs::metadata(&self.path)?.len()),
        }
    }

    fn open(&self) -> io::Result<Box<dyn Seekable>> {
        Ok(match &self.bytes {
            Some(bytes) => Box::new(Cursor::new(bytes.clone())),
            None => Box::new(File::open(&self.path)?),
        })
    }
}

/// What can be read from any place.
trait Seekable: Read + Seek + Send {}

impl<T: Read + Seek + Send> Seekable for T {}

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
    /// Whether more would come that is not there.
    is_cut: bool,
}

impl ByteSource {
    /// Opens `input` at `offset` bytes, counted after decompression.
    pub(crate) fn open(input: &Input, offset: u64) -> Result<Self, FileError> {
        let path = input.path.as_path();
        let failed = |action| FileError::io(action, path);
        let mut file = input.open().map_err(failed("open"))?;
        let compression = compression_of(&mut *file).map_err(failed("read"))?;
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
        Ok(Self {
            reader,
            consumed,
            is_cut: !input.whole,
        })
    }

    /// Bytes of the file itself, compressed if it is, that have been read: what a progress bar shows.
    pub(crate) fn consumed(&self) -> u64 {
        self.consumed.load(Ordering::Relaxed)
    }

    /// Appends up to `wanted` bytes to `buffer`; fewer only at the end of the file.
    pub(crate) fn fill(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> io::Result<usize> {
        // Growing by and by would copy what has been read several times.
        buffer.reserve(wanted);
        let before = buffer.len();
        match self.reader.by_ref().take(wanted as u64).read_to_end(buffer) {
            // What was read up to there is in the buffer.
            Err(error) if self.is_cut && error.kind() == ErrorKind::UnexpectedEof => {
                Ok(buffer.len() - before)
            }
            read => read,
        }
    }
}

fn compression_of(file: &mut dyn Seekable) -> io::Result<Compression> {
    let mut magic = Vec::with_capacity(4);
    file.take(4).read_to_end(&mut magic)?;
    Ok(match magic.as_slice() {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] => Compression::Zstd,
        _ => Compression::None,
    })
}

struct Counted {
    file: Box<dyn Seekable>,
    consumed: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.consumed.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
