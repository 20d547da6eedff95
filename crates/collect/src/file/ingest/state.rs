//! How far a file has been loaded, kept between runs.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tillwatch_event::EventId;

use super::error::IngestError;
use super::fingerprint::Fingerprint;
use crate::file::dialect::FileFormat;
use crate::file::reader::{Position, ReadOptions};

const VERSION: u32 = 2;

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedState {
    version: u32,
    /// Where the file lay, for people.
    path: String,
    /// What it was sent to.
    target: String,
    stream: String,
    fingerprint: String,
    /// The file's form, as a content type.
    pub(super) format: String,
    pub(super) chunk_bytes: usize,
    pub(super) chunk_rows: usize,
    /// Everything before this place has been acknowledged.
    pub(super) acknowledged: Option<Position>,
    pub(super) bytes_done: u64,
    pub(super) accepted: u64,
    pub(super) duplicates: u64,
    pub(super) rejected: u64,
    /// Bytes of the file of rejected lines that belong to what has been acknowledged.
    pub(super) rejected_bytes: u64,
    pub(super) done: bool,
}

impl SavedState {
    pub(super) fn new(
        path: &Path,
        target: &str,
        stream: &str,
        fingerprint: &Fingerprint,
        format: FileFormat,
        read: &ReadOptions,
    ) -> Self {
        Self {
            version: VERSION,
            path: path.display().to_string(),
            target: target.to_owned(),
            stream: stream.to_owned(),
            fingerprint: fingerprint.to_string(),
            format: format!("{} ({})", format.name(), format.content_type()),
            chunk_bytes: read.chunk_bytes,
            chunk_rows: read.chunk_rows,
            acknowledged: None,
            bytes_done: 0,
            accepted: 0,
            duplicates: 0,
            rejected: 0,
            rejected_bytes: 0,
            done: false,
        }
    }
}

/// The file the state is kept in.
pub(super) struct StateFile {
    folder: PathBuf,
    path: PathBuf,
    target: String,
    stream: String,
    fingerprint: String,
}

impl StateFile {
    pub(super) fn new(
        folder: &Path,
        target: &str,
        stream: &str,
        fingerprint: &Fingerprint,
    ) -> Self {
        // A stream's name from the command line may be anything, and a file's name may not.
        let safe: String = stream
            .chars()
            .take(63)
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '_' {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        Self {
            folder: folder.to_owned(),
            // What was loaded into one server says nothing of another.
            path: folder.join(format!(
                "{safe}-{fingerprint}-{}.json",
                EventId::of_text(target)
            )),
            target: target.to_owned(),
            stream: stream.to_owned(),
            fingerprint: fingerprint.to_string(),
        }
    }

    /// The state of an earlier run. One that cannot be read counts as none: then everything is sent again
    /// under the same keys.
    pub(super) fn load(&self) -> Option<SavedState> {
        let text = fs::read(&self.path).ok()?;
        let saved: SavedState = serde_json::from_slice(&text).ok()?;
        let same = saved.version == VERSION
            && saved.target == self.target
            && saved.stream == self.stream
            && saved.fingerprint == self.fingerprint;
        same.then_some(saved)
    }

    /// Replaces the state as a whole, so that a crash leaves the old or the new one.
    pub(super) fn store(&self, state: &SavedState) -> Result<(), IngestError> {
        fs::create_dir_all(&self.folder).map_err(IngestError::write("create", &self.folder))?;
        let next = self.path.with_extension("json.next");
        let text = serde_json::to_vec_pretty(state).unwrap_or_default();
        let write = || -> std::io::Result<()> {
            let mut file = fs::File::create(&next)?;
            file.write_all(&text)?;
            fs::rename(&next, &self.path)
        };
        write().map_err(IngestError::write("write the state", &self.path))
    }
}

/// Where the state is kept unless told otherwise: `tillwatch/ingest` in the user's state folder, which is
/// `$XDG_STATE_HOME` or `~/.local/state`. `None` when neither is known.
#[must_use]
pub fn default_state_folder() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
    };
    let base =
        absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(base.join("tillwatch").join("ingest"))
}
