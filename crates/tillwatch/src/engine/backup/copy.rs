//! Files on their way into a backup.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tillwatch_journal::{SegmentStatus, durable};

use super::manifest::ManifestFile;

/// Files of the journal's folder besides its segments that belong to it.
const OF_JOURNAL: [&str; 2] = ["instance", "start"];

/// A file that is in the backup.
pub(super) struct Copied {
    /// Its path in the data folder and in the backup.
    path: String,
}

impl Copied {
    pub(super) fn new(path: impl Into<String>) -> Self {
        Self { path: path.into() }
    }

    /// Makes it durable and computes its checksum.
    pub(super) fn seal(self, to: &Path) -> Result<ManifestFile> {
        let place = to.join(&self.path);
        let sealed = File::open(&place).and_then(|file| {
            durable::sync_file(&file)?;
            durable::checksum(&file)
        });
        let (bytes, crc32) =
            sealed.with_context(|| format!("{} cannot be read back", place.display()))?;
        Ok(ManifestFile {
            path: self.path,
            bytes,
            crc32,
        })
    }
}

/// The journal: whole segments, of the last one what is durable.
pub(super) fn journal(
    data: &Path,
    to: &Path,
    folder: &str,
    segments: &[SegmentStatus],
) -> Result<Vec<Copied>> {
    let mut copied = Vec::new();
    for (at, segment) in segments.iter().enumerate() {
        let path = format!("{folder}/{:020}.segment", segment.number);
        let is_last = at + 1 == segments.len();
        if is_last {
            copied.push(start_of(data, to, &path, segment.bytes)?);
        } else {
            copied.push(file(data, to, &path, true)?);
        }
    }
    for name in OF_JOURNAL {
        let path = format!("{folder}/{name}");
        if data.join(&path).is_file() {
            copied.push(file(data, to, &path, false)?);
        }
    }
    Ok(copied)
}

/// All files of the history tables but those that a crash left half written.
pub(super) fn tables(data: &Path, to: &Path, folder: &str) -> Result<Vec<Copied>> {
    let mut copied = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        let place = data.join(&folder);
        let entries = match fs::read_dir(&place) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", place.display()));
            }
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{folder}/{name}");
            if entry.file_type()?.is_dir() {
                left.push(path);
            } else if !name.starts_with('.') {
                // Data files get their name once they are whole and are never changed.
                let is_fixed = name.ends_with(".parquet");
                copied.push(file(data, to, &path, is_fixed)?);
            }
        }
    }
    copied.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(copied)
}

/// One file; linked when nobody changes it any more and the file system can.
pub(super) fn file(data: &Path, to: &Path, path: &str, is_fixed: bool) -> Result<Copied> {
    let (from, target) = places(data, to, path)?;
    let linked = is_fixed && fs::hard_link(&from, &target).is_ok();
    if !linked {
        fs::copy(&from, &target).with_context(|| format!("{} cannot be copied", from.display()))?;
    }
    Ok(Copied::new(path))
}

/// The first bytes of a file that grows.
fn start_of(data: &Path, to: &Path, path: &str, bytes: u64) -> Result<Copied> {
    let (from, target) = places(data, to, path)?;
    let copied = File::open(&from).and_then(|from| {
        let mut target = File::create_new(&target)?;
        io::copy(&mut from.take(bytes), &mut target)
    });
    let copied = copied.with_context(|| format!("{} cannot be copied", from.display()))?;
    anyhow::ensure!(copied == bytes, "{} is cut short", from.display());
    Ok(Copied::new(path))
}

fn places(data: &Path, to: &Path, path: &str) -> Result<(PathBuf, PathBuf)> {
    let target = to.join(path);
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)
            .with_context(|| format!("{} cannot be made", parent.display()))?;
    }
    Ok((data.join(path), target))
}

/// Makes the names in a folder and in all below it durable.
pub(super) fn sync_folders(folder: &Path) -> Result<()> {
    let mut all = BTreeSet::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                left.push(entry.path());
            }
        }
        all.insert(folder);
    }
    for folder in all {
        durable::sync_folder(&folder)
            .with_context(|| format!("{} cannot be made durable", folder.display()))?;
    }
    Ok(())
}

/// Makes the name of a file or folder durable.
pub(super) fn sync_parent(path: &Path) -> Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    durable::sync_folder(parent)
        .with_context(|| format!("{} cannot be made durable", parent.display()))
}
