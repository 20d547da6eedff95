//! The list of a backup's files, written last: without it a folder is no backup.

use std::fs::File;
use std::io::Write;
use std::path::{Component, Path};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use tillwatch_journal::durable;

/// The version of the manifest and of what lies beside it.
pub(super) const FORMAT: u32 = 1;
const NAME: &str = "manifest.json";

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The version of this form.
    pub(super) format: u32,
    /// The version of Tillwatch that wrote it.
    pub(super) program: String,
    /// When, RFC 3339.
    pub(super) created_at: String,
    /// The instance of the journal.
    pub(super) journal: String,
    /// All files.
    pub(super) files: Vec<ManifestFile>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ManifestFile {
    /// Its path in the data folder.
    pub(super) path: String,
    /// Its length.
    pub(super) bytes: u64,
    /// The CRC-32 (IEEE) of all of it.
    pub(super) crc32: u32,
}

impl Manifest {
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(NAME);
        let text = serde_json::to_vec_pretty(self)?;
        let written = File::create_new(&path).and_then(|mut file| {
            file.write_all(&text)?;
            durable::sync_file(&file)
        });
        written.with_context(|| format!("{} cannot be written", path.display()))
    }

    /// The manifest of a backup. Paths that lead out of a data folder are refused.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(NAME);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                bail!("{} is no backup: it has no {NAME}", folder.display())
            }
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", path.display()));
            }
        };
        let manifest: Self = serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged", path.display()))?;
        if manifest.format != FORMAT {
            bail!(
                "{} has version {} of the format, this program knows {FORMAT}; use a newer program",
                path.display(),
                manifest.format
            );
        }
        for file in &manifest.files {
            let inside = Path::new(&file.path)
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
            if !inside || file.path.is_empty() {
                bail!("{} names a file outside of the backup", path.display());
            }
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(path: &str) -> Manifest {
        Manifest {
            format: FORMAT,
            program: "0".to_owned(),
            created_at: "2026-11-29T00:00:00Z".to_owned(),
            journal: "j".to_owned(),
            files: vec![ManifestFile {
                path: path.to_owned(),
                bytes: 3,
                crc32: 7,
            }],
        }
    }

    #[test]
    fn a_manifest_comes_back_and_leads_nowhere_else() {
        for (path, is_good) in [
            ("journal/1.segment", true),
            ("../x", false),
            ("/etc/passwd", false),
            ("a/../../b", false),
            ("", false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let written = manifest(path);
            written.write(folder.path()).unwrap();
            let read = Manifest::read(folder.path());
            assert_eq!(read.is_ok(), is_good, "{path}");
            if let Ok(read) = read {
                assert_eq!(read, written);
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let none = Manifest::read(folder.path()).unwrap_err();
        assert!(none.to_string().contains("no backup"), "{none}");
        let newer = Manifest {
            format: FORMAT + 1,
            ..manifest("a")
        };
        newer.write(folder.path()).unwrap();
        let newer = Manifest::read(folder.path()).unwrap_err();
        assert!(newer.to_string().contains("newer program"), "{newer}");
    }
}
