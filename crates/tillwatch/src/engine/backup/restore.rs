//! A data folder from a backup.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tillwatch_journal::durable;

use super::copy::{sync_folders, sync_parent};
use super::manifest::Manifest;
use super::{BackupReport, UNFINISHED};

/// Copies a backup into a data folder that is not there or is empty. Every file is compared with the
/// manifest before the folder gets its name. `told` hears of the bytes done and of all.
///
/// # Errors
/// It is no backup or a damaged one, the target holds something, or files cannot be written.
pub fn restore(from: &Path, data: &Path, told: &dyn Fn(u64, u64)) -> Result<BackupReport> {
    let manifest = Manifest::read(from)?;
    let holds_something = match fs::read_dir(data) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", data.display()));
        }
    };
    if holds_something {
        bail!("{} is not empty", data.display());
    }
    let mut name = data.as_os_str().to_owned();
    name.push(UNFINISHED);
    let unfinished = PathBuf::from(name);
    if unfinished.exists() {
        bail!(
            "{} is left of a try before; remove it",
            unfinished.display()
        );
    }
    durable::create_folders(&unfinished)
        .with_context(|| format!("{} cannot be made", unfinished.display()))?;
    let copied = copy(&manifest, from, &unfinished, told);
    let report = match copied {
        Ok(report) => report,
        Err(error) => {
            // Nothing is in it that is not in the backup.
            let _ = fs::remove_dir_all(&unfinished);
            return Err(error);
        }
    };
    sync_folders(&unfinished)?;
    fs::rename(&unfinished, data)
        .with_context(|| format!("{} cannot be given its name", data.display()))?;
    sync_parent(data)?;
    Ok(report)
}

fn copy(
    manifest: &Manifest,
    from: &Path,
    to: &Path,
    told: &dyn Fn(u64, u64),
) -> Result<BackupReport> {
    let all = manifest.files.iter().map(|file| file.bytes).sum();
    let mut done = 0;
    for file in &manifest.files {
        let (source, target) = (from.join(&file.path), to.join(&file.path));
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        // Never linked: the journal goes on in these files.
        fs::copy(&source, &target)
            .with_context(|| format!("{} cannot be copied", source.display()))?;
        let read = File::open(&target).and_then(|copy| {
            durable::sync_file(&copy)?;
            durable::checksum(&copy)
        });
        let read = read.with_context(|| format!("{} cannot be read back", target.display()))?;
        if read != (file.bytes, file.crc32) {
            bail!(
                "{} is not what the manifest says: the backup is damaged",
                source.display()
            );
        }
        done += file.bytes;
        told(done, all);
    }
    Ok(BackupReport {
        files: manifest.files.len() as u64,
        bytes: done,
    })
}
