//! Reads a file in chunks of whole records.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::dialect::{Dialect, FileFormat};
use super::error::FileError;
use super::json::{self, Values};
use super::open::{ByteSource, Input};
use super::sniff::{self, BOM};
use super::split::{self, Lines, Split};
use super::table::Table;
use crate::decode::forbidden::Forbidden;

/// How much of a file its form is told from.
const HEAD_BYTES: usize = 1 << 20;

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadOptions {
    /// The file's form; told from its contents when absent.
    pub format: Option<FileFormat>,
    /// How CSV is cut when the file is found to be CSV; told from its contents when absent.
    pub csv: Option<Dialect>,
    /// Whether it is left to the reader of the chunks if the first row of CSV names the columns. It then
    /// stands at the top of every chunk, and [`Chunk::repeated`] says that it has been there before.
    pub header_open: bool,
    /// A chunk holds as many whole records as fit into this. Default 4 MiB.
    pub chunk_bytes: usize,
    /// Records of a Parquet file per chunk. Default 16 384.
    pub chunk_rows: usize,
    /// A longer record is cut at its first line end and left to the decoder to reject, so that one missing
    /// quote or bracket does not swallow the file. Default 1 MiB, as the decoder's limit.
    pub record_bytes_max: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            format: None,
            csv: None,
            header_open: false,
            chunk_bytes: 4 << 20,
            chunk_rows: 16_384,
            record_bytes_max: 1 << 20,
        }
    }
}

/// A place between two records of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// Bytes before it, after decompression; rows, in a Parquet file.
    pub offset: u64,
    /// The line, element or row that comes next, counted from 1.
    pub line: u64,
}

/// Some whole records of a file, as a body that a decoder or server takes by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The records; for CSV with a header, that header before them; for JSON, one value per line.
    pub body: Bytes,
    /// Where the first record starts.
    pub start: Position,
    /// Behind the last record: where the next chunk starts.
    pub end: Position,
    /// Records, blank lines included.
    pub records: u64,
    /// Lines of the body before the first record: those of the header.
    pub header_lines: u64,
    /// Whether the header stood at the top of a chunk before this one, too.
    pub repeated: bool,
}

impl Chunk {
    /// The file's line, element or row for a line of the body, as decoders count them from 1.
    #[must_use]
    pub fn line_in_file(&self, body_line: u64) -> u64 {
        match body_line.checked_sub(1 + self.header_lines) {
            Some(behind) => self.start.line + behind,
            None => body_line,
        }
    }

    /// The columns whose cells may not be kept, which only a header tells.
    pub(crate) fn forbidden_columns(&self, format: FileFormat) -> Option<Forbidden> {
        match format {
            FileFormat::Csv(Dialect { delimiter, .. }) if self.header_lines > 0 => {
                Some(Forbidden::in_header_of(&self.body, delimiter))
            }
            _ => None,
        }
    }

    /// Where the lines of the body begin, for [`record_text`](Self::record_text).
    #[must_use]
    pub fn line_starts(&self) -> Vec<usize> {
        let ends = memchr::memchr_iter(b'\n', &self.body);
        std::iter::once(0).chain(ends.map(|end| end + 1)).collect()
    }

    /// The record that begins at a line of the body, whose lines begin at `line_starts`; `None` where the
    /// body has no lines. A record has at most `bytes_max` bytes, as where the file was read.
    #[must_use]
    pub fn record_text(
        &self,
        format: FileFormat,
        line_starts: &[usize],
        body_line: u64,
        bytes_max: usize,
    ) -> Option<&[u8]> {
        let split: Box<dyn Split + Send> = match format {
            FileFormat::Parquet => return None,
            FileFormat::Csv(dialect) => split::for_delimiter(dialect.delimiter, bytes_max),
            FileFormat::Ndjson | FileFormat::Json => Box::new(Lines),
        };
        let before = usize::try_from(body_line.checked_sub(1)?).ok()?;
        let start = *line_starts.get(before)?;
        let rest = self.body.get(start..).filter(|rest| !rest.is_empty())?;
        let bytes = split.first(rest, true)?;
        rest.get(..bytes).map(<[u8]>::trim_ascii_end)
    }
}

/// Reads a file in chunks of whole records.
///
/// Where chunks begin and end depends on the file, the options and the place it is opened at, and on
/// nothing else: reading again from the end of any chunk gives the same chunks again.
pub struct FileReader {
    path: PathBuf,
    format: FileFormat,
    options: ReadOptions,
    bytes_total: u64,
    kind: Kind,
}

enum Kind {
    Text(Box<Text>),
    Table(Box<Table>),
}

struct Text {
    source: ByteSource,
    split: Box<dyn Split + Send>,
    header: Vec<u8>,
    /// The place behind the header, where the first chunk begins.
    first: Position,
    /// Whether a chunk is due for the header even if nothing comes behind it.
    header_due: bool,
    data: Vec<u8>,
    ended: bool,
    /// Whether what is left at the end is a record.
    whole: bool,
    next: Position,
}

impl FileReader {
    /// Opens a file at its first record.
    ///
    /// # Errors
    /// When it cannot be read, or has a form that is not read.
    pub fn open(path: &Path, options: ReadOptions) -> Result<Self, FileError> {
        Self::open_at(path, options, None)
    }

    /// Opens a file at a place where a chunk of it ended, or at its first record.
    ///
    /// # Errors
    /// When it cannot be read, has a form that is not read, or is shorter than that.
    pub fn open_at(
        path: &Path,
        options: ReadOptions,
        at: Option<Position>,
    ) -> Result<Self, FileError> {
        Self::of(&Input::file(path), options, at)
    }

    /// As [`Self::open_at`], wherever the file's bytes are.
    pub(crate) fn of(
        input: &Input,
        options: ReadOptions,
        at: Option<Position>,
    ) -> Result<Self, FileError> {
        let path = input.path.as_path();
        let bytes_total = input.bytes_total().map_err(FileError::io("open", path))?;
        let mut head = Vec::new();
        let mut source = ByteSource::open(input, 0)?;
        source
            .fill(&mut head, HEAD_BYTES)
            .map_err(FileError::io("read", path))?;
        let whole = input.whole && head.len() < HEAD_BYTES;
        let format = match options.format {
            Some(format) => format,
            None => match (sniff::format_of(path, &head, whole)?, options.csv) {
                (FileFormat::Csv(_), Some(dialect)) => FileFormat::Csv(dialect),
                (found, _) => found,
            },
        };
        let kind = if format == FileFormat::Parquet {
            if !input.is_on_disk() {
                return Err(FileError::Unsupported {
                    path: path.to_owned(),
                    found: "Parquet, which only a whole file on the disk is read as",
                    hint: "use `tillwatch propose` and `tillwatch ingest`, or export it as CSV",
                });
            }
            Kind::Table(Box::new(Table::open(
                path,
                options.chunk_rows,
                at.unwrap_or_default(),
            )?))
        } else {
            Kind::Text(Box::new(Text::open(
                input, format, options, &head, whole, at,
            )?))
        };
        Ok(Self {
            path: path.to_owned(),
            format,
            options,
            bytes_total,
            kind,
        })
    }

    /// The file's form.
    #[must_use]
    pub fn format(&self) -> FileFormat {
        self.format
    }

    /// Whether the file begins with a row that names its columns.
    pub(crate) fn is_named(&self) -> bool {
        match &self.kind {
            Kind::Text(text) => !text.header.trim_ascii().is_empty(),
            Kind::Table(_) => false,
        }
    }

    /// The file's size in bytes, as it lies on the disk.
    #[must_use]
    pub fn bytes_total(&self) -> u64 {
        self.bytes_total
    }

    /// How many of these have been read, at least approximately.
    #[must_use]
    pub fn bytes_done(&self) -> u64 {
        match &self.kind {
            Kind::Text(text) => text.source.consumed().min(self.bytes_total),
            Kind::Table(table) => table.share_of(self.bytes_total),
        }
    }

    /// The next records; `None` at the end of the file.
    ///
    /// # Errors
    /// When the file cannot be read, or is damaged in a way that hides where records end.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>, FileError> {
        match &mut self.kind {
            Kind::Text(text) => text.next_chunk(&self.path, self.format, self.options),
            Kind::Table(table) => table.next_chunk(&self.path),
        }
    }
}

impl Text {
    fn open(
        input: &Input,
        format: FileFormat,
        options: ReadOptions,
        head: &[u8],
        whole: bool,
        at: Option<Position>,
    ) -> Result<Self, FileError> {
        let path = input.path.as_path();
        let split: Box<dyn Split + Send> = match format {
            FileFormat::Csv(dialect) => {
                split::for_delimiter(dialect.delimiter, options.record_bytes_max)
            }
            FileFormat::Json => Box::new(Values),
            FileFormat::Ndjson | FileFormat::Parquet => Box::new(Lines),
        };
        let text = head.strip_prefix(BOM).unwrap_or(head);
        let mut start = Position {
            offset: (head.len() - text.len()) as u64,
            line: 1,
        };
        let mut header = Vec::new();
        let has_header =
            matches!(format, FileFormat::Csv(dialect) if dialect.header || options.header_open);
        if has_header {
            let bytes = match split.first(text, whole) {
                Some(bytes) if bytes <= options.record_bytes_max => bytes,
                None if text.is_empty() => 0,
                _ => {
                    let reason = format!(
                        "its first line is longer than {} bytes",
                        options.record_bytes_max
                    );
                    return Err(FileError::malformed(path, start.offset, reason));
                }
            };
            header.extend_from_slice(text.get(..bytes).unwrap_or_default());
            start.offset += bytes as u64;
            start.line += line_ends(&header);
            if !header.is_empty() && !header.ends_with(b"\n") {
                header.push(b'\n');
            }
        }
        if format == FileFormat::Json {
            let blank = text.len() - text.trim_ascii_start().len();
            let bracket = usize::from(text.trim_ascii_start().starts_with(b"["));
            start.offset += (blank + bracket) as u64;
        }
        let next = at.unwrap_or(start);
        let source = ByteSource::open(input, next.offset)?;
        Ok(Self {
            source,
            split,
            header_due: options.header_open && !header.is_empty() && at.is_none(),
            header,
            first: start,
            data: Vec::new(),
            ended: false,
            whole: input.whole,
            next,
        })
    }

    fn next_chunk(
        &mut self,
        path: &Path,
        format: FileFormat,
        options: ReadOptions,
    ) -> Result<Option<Chunk>, FileError> {
        let limit = options.chunk_bytes.max(1);
        self.fill(path, limit)?;
        let mut cut = self.split.cut(&self.data, limit, self.ended && self.whole);
        if cut.bytes == 0 && self.ended && !self.whole {
            // What is left is the beginning of a record.
            return Ok(None);
        }
        if cut.bytes == 0 && !self.data.is_empty() {
            cut = self.long_record(path, options)?;
        }
        if cut.bytes == 0 && !self.header_due {
            return Ok(None);
        }
        self.header_due = false;
        let rest = self.data.split_off(cut.bytes);
        let records = std::mem::replace(&mut self.data, rest);
        if cut.records == 0 && format == FileFormat::Json {
            // Blanks at the end of a JSON file.
            self.next.offset += cut.bytes as u64;
            return Ok(None);
        }
        let lines = match format {
            FileFormat::Json => cut.records,
            _ => line_ends(&records),
        };
        let start = self.next;
        self.next = Position {
            offset: start.offset + cut.bytes as u64,
            line: start.line + lines,
        };
        let mut body = self.header.clone();
        if format == FileFormat::Json {
            json::as_lines(&records, &mut body);
        } else {
            body.extend_from_slice(&records);
        }
        let header_lines = line_ends(&self.header);
        Ok(Some(Chunk {
            body: body.into(),
            start,
            end: self.next,
            records: cut.records,
            header_lines,
            repeated: header_lines > 0 && start != self.first,
        }))
    }

    /// A record that does not fit into a chunk: read on to its end, or cut it where its first line ends.
    fn long_record(&mut self, path: &Path, options: ReadOptions) -> Result<split::Cut, FileError> {
        self.fill(path, options.record_bytes_max)?;
        let cut = self
            .split
            .cut(&self.data, options.record_bytes_max, self.ended);
        if cut.bytes > 0 {
            return Ok(cut);
        }
        match memchr::memchr(b'\n', &self.data) {
            Some(end) => Ok(split::Cut {
                bytes: end + 1,
                records: 1,
            }),
            None => {
                let reason = format!(
                    "line {} is longer than {} bytes",
                    self.next.line, options.record_bytes_max
                );
                Err(FileError::malformed(path, self.next.offset, reason))
            }
        }
    }

    /// Holds `wanted` bytes, or all there are.
    fn fill(&mut self, path: &Path, wanted: usize) -> Result<(), FileError> {
        // One byte more tells whether the file ends exactly here.
        let missing = (wanted + 1).saturating_sub(self.data.len());
        if missing > 0 && !self.ended {
            let read = self
                .source
                .fill(&mut self.data, missing)
                .map_err(|e| FileError::malformed(path, self.next.offset, e))?;
            self.ended = read < missing;
        }
        Ok(())
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests;
