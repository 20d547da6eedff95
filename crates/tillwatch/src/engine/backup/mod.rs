//! Backups: all of a data folder at one moment, in a folder that a start can begin from.
//!
//! A backup holds every frame of the journal that was durable at its moment, the history tables and the
//! checkpoint as of the last flush, and the catalogue; so what was acknowledged before it began is in it.
//! What takes time is done beside the running server: only while names are linked (or, where the file
//! system cannot link, files copied) flushes, maintenance and clean-up wait; events are taken all the time.
//! Files that nobody changes any more are linked, all others copied. `manifest.json` is written last.

mod copy;
mod manifest;
mod restore;
mod server;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tillwatch_journal::{DiskStorage, JournalReader, durable};
use tillwatch_monitor::catalogue::Catalogue;
use tillwatch_process::state_files;

use super::{CATALOGUE, HISTORY, JOURNAL, STATE, is_data_folder, open_journal};
use crate::definitions::Loaded;
use copy::Copied;
use manifest::{FORMAT, Manifest};
pub use restore::restore;
pub use server::Backups;

/// What an unfinished backup or restored folder is called, behind its name.
const UNFINISHED: &str = ".unfinished";

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupReport {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Backs up a data folder that no server has open.
///
/// # Errors
/// A server has it open, it keeps its history elsewhere, the target is there already, or files cannot be
/// read or written.
pub fn back_up_offline(data: &Path, loaded: &Loaded, to: &Path) -> Result<BackupReport> {
    if !is_data_folder(data) {
        bail!("{} is no data folder: it has no journal", data.display());
    }
    check_place(loaded)?;
    let journal = open_journal(data, loaded)?;
    let catalogue = data.join(CATALOGUE);
    let catalogue = (catalogue.is_file())
        .then(|| Catalogue::open(&catalogue))
        .transpose()
        .context("the catalogue cannot be opened")?;
    let target = Target::begin(to)?;
    let instance = journal.instance()?;
    let reader = journal.reader();
    target.write(
        |target| take(data, &reader, catalogue.as_ref(), target),
        instance,
    )
}

/// Refuses history that is kept on an object store: there it is that store's to back up, and a checkpoint
/// here would soon lie behind it.
fn check_place(loaded: &Loaded) -> Result<()> {
    if let Some(place) = &loaded.history {
        let url = &place.url;
        bail!(
            "history is kept at {url}, of which no backup is made here; keep versions of the bucket, and stop the server to copy the data folder"
        );
    }
    Ok(())
}

/// A backup that is being written.
struct Target {
    to: PathBuf,
    unfinished: PathBuf,
}

impl Target {
    /// Makes the folder to write into, beside the one it will be.
    fn begin(to: &Path) -> Result<Self> {
        if to.exists() {
            bail!("{} is there already", to.display());
        }
        let mut name = to.as_os_str().to_owned();
        name.push(UNFINISHED);
        let unfinished = PathBuf::from(name);
        if unfinished.exists() {
            bail!(
                "{} is left of a backup that did not end; remove it",
                unfinished.display()
            );
        }
        durable::create_folders(&unfinished)
            .with_context(|| format!("{} cannot be made", unfinished.display()))?;
        Ok(Self {
            to: to.to_owned(),
            unfinished,
        })
    }

    /// Writes a backup of what `take` links and copies. What is there of one that fails is removed.
    fn write(
        &self,
        take: impl FnOnce(&Self) -> Result<Vec<Copied>>,
        journal: String,
    ) -> Result<BackupReport> {
        let written = take(self).and_then(|copied| self.finish(copied, journal));
        if written.is_err() {
            let _ = std::fs::remove_dir_all(&self.unfinished);
        }
        written
    }

    /// Reads everything once for its checksum, writes the manifest, and gives the folder its name.
    fn finish(&self, copied: Vec<Copied>, journal: String) -> Result<BackupReport> {
        let mut files = Vec::with_capacity(copied.len());
        for file in copied {
            files.push(file.seal(&self.unfinished)?);
        }
        let report = BackupReport {
            files: files.len() as u64,
            bytes: files.iter().map(|file| file.bytes).sum(),
        };
        let manifest = Manifest {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            created_at: jiff::Timestamp::now().to_string(),
            journal,
            files,
        };
        manifest.write(&self.unfinished)?;
        copy::sync_folders(&self.unfinished)?;
        std::fs::rename(&self.unfinished, &self.to)
            .with_context(|| format!("{} cannot be given its name", self.to.display()))?;
        copy::sync_parent(&self.to)?;
        Ok(report)
    }
}

/// Links and copies a data folder as it is now. Nobody flushes, maintains or cleans up meanwhile.
fn take(
    data: &Path,
    journal: &JournalReader,
    catalogue: Option<&Catalogue>,
    target: &Target,
) -> Result<Vec<Copied>> {
    let to = &target.unfinished;
    // First how far the journal is: what comes later may be copied in part, and nobody looks at it.
    let segments = journal.segments();
    let mut copied = copy::journal(data, to, JOURNAL, &segments)?;
    let folder = data.join(STATE);
    if folder.is_dir() {
        let state = DiskStorage::open(&folder)?;
        for name in state_files(&state)? {
            let is_fixed = name != "checkpoint";
            copied.push(copy::file(data, to, &format!("{STATE}/{name}"), is_fixed)?);
        }
    }
    copied.extend(copy::tables(data, to, HISTORY)?);
    if let Some(catalogue) = catalogue {
        catalogue
            .copy_to(&to.join(CATALOGUE))
            .context("the catalogue cannot be copied")?;
        copied.push(Copied::new(CATALOGUE));
    }
    Ok(copied)
}
