//! The file of rejected lines.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tillwatch_event::guard;

use super::error::IngestError;
use super::sink::{Answer, Parcel};
use crate::file::dialect::FileFormat;
use crate::file::table;

/// One line of it.
#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Rejected {
        line: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        field: Option<&'a str>,
        reason: &'a str,
        raw: &'a str,
    },
    /// Lines that the other side counted and did not list.
    Unlisted {
        first_line: u64,
        last_line: u64,
        unlisted: u64,
        reason: &'static str,
    },
}

/// The file of rejected lines, which exists once there are some.
pub(super) struct RejectedFile {
    path: PathBuf,
    file: Option<File>,
    bytes: u64,
    /// Bytes of a record of the loaded file.
    record_bytes_max: usize,
}

/// Its name for a file.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".rejected.ndjson");
    PathBuf::from(name)
}

impl RejectedFile {
    /// Opens what an interrupted run wrote, without what it wrote after its last state; or removes what an
    /// earlier load of the file left. Of a load that is done nothing is touched.
    pub(super) fn open(
        path: PathBuf,
        bytes: u64,
        done: bool,
        record_bytes_max: usize,
    ) -> Result<Self, IngestError> {
        let mut rejected = Self {
            path,
            file: None,
            bytes,
            record_bytes_max,
        };
        if done {
            return Ok(rejected);
        }
        if bytes == 0 {
            return match std::fs::remove_file(&rejected.path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(IngestError::write("remove", &rejected.path)(error))
                }
                _ => Ok(rejected),
            };
        }
        // Somebody may have taken the file away in between; then what is rejected from here on follows.
        let held = std::fs::metadata(&rejected.path).map_or(0, |metadata| metadata.len());
        rejected.bytes = bytes.min(held);
        if held > bytes {
            let file = rejected.file()?;
            file.set_len(bytes)
                .map_err(IngestError::write("cut", &rejected.path))?;
        }
        Ok(rejected)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes the rejected lines of a chunk.
    pub(super) fn append(&mut self, parcel: &Parcel, answer: &Answer) -> Result<(), IngestError> {
        if answer.rejected == 0 {
            return Ok(());
        }
        let forbidden = parcel.chunk.forbidden_columns(parcel.format);
        let line_starts = parcel.chunk.line_starts();
        let rows = match parcel.format {
            FileFormat::Parquet => {
                let lines: Vec<u64> = answer.rejections.iter().map(|r| r.line).collect();
                table::rows_as_json(&parcel.chunk.body, &lines)
            }
            _ => BTreeMap::new(),
        };
        let mut text = Vec::new();
        for rejection in &answer.rejections {
            // The whole record from the file rather than the part that an answer shows.
            let record = parcel.chunk.record_text(
                parcel.format,
                &line_starts,
                rejection.line,
                self.record_bytes_max,
            );
            let record = record.map(|bytes| match &forbidden {
                Some(forbidden) => forbidden.kept(bytes),
                None => Cow::Borrowed(bytes),
            });
            let record = record.as_deref().map(String::from_utf8_lossy);
            let record = record.or_else(|| rows.get(&rejection.line).map(Cow::from));
            let raw = match &record {
                Some(record) => guard::mask_line(record),
                None => Cow::Borrowed(rejection.raw.as_str()),
            };
            push(
                &mut text,
                &Line::Rejected {
                    line: parcel.chunk.line_in_file(rejection.line),
                    field: rejection.field.as_deref(),
                    reason: &rejection.reason,
                    raw: &raw,
                },
            );
        }
        let unlisted = answer
            .rejected
            .saturating_sub(answer.rejections.len() as u64);
        if unlisted > 0 {
            push(
                &mut text,
                &Line::Unlisted {
                    first_line: parcel.chunk.start.line,
                    last_line: parcel.chunk.end.line.saturating_sub(1),
                    unlisted,
                    reason: "more of these lines were rejected than the server lists; its quarantine has them",
                },
            );
        }
        let start = self.bytes;
        let file = self.file()?;
        let write = file
            .seek(SeekFrom::Start(start))
            .and_then(|_| file.write_all(&text));
        write.map_err(IngestError::write("write", &self.path))?;
        self.bytes += text.len() as u64;
        Ok(())
    }

    fn file(&mut self) -> Result<&mut File, IngestError> {
        match &mut self.file {
            Some(file) => Ok(file),
            none => {
                let mut options = OpenOptions::new();
                let opened = options
                    .create(true)
                    .truncate(false)
                    .write(true)
                    .open(&self.path);
                Ok(none.insert(opened.map_err(IngestError::write("write", &self.path))?))
            }
        }
    }
}

fn push(text: &mut Vec<u8>, line: &Line<'_>) {
    // A struct of texts and numbers always has a JSON form.
    if serde_json::to_writer(&mut *text, line).is_ok() {
        text.push(b'\n');
    }
}
