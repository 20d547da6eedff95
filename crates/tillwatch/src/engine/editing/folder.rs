//! The files of the folder, as they are found by the paths that people give.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tillwatch_serve::documents::DefinitionFault;
use tillwatch_serve::ports::DefinitionPlace;
use tillwatch_serve::{Problem, Slug};

use super::{DefinitionsSource, Inner};
use crate::definitions::edit::{file_name, secrets};
use crate::definitions::files::{self, read_file};
use crate::definitions::{Fault, Folder, node, pack};

/// Bytes of the hash that tells texts apart.
const TAG_BYTES: usize = 16;

/// What tells a text from others.
pub(super) fn tag_of(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let hash = hash.finalize();
    let bytes = hash.iter().take(TAG_BYTES);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// An entity tag as a header has it.
pub(super) fn quoted(tag: &str) -> String {
    format!("\"{tag}\"")
}

/// A file of the folder.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Its path in the folder.
    pub(super) file: String,
    /// Its whole path, as the folder lists it.
    pub(super) path: PathBuf,
}

impl Inner {
    /// The folder, if there is one.
    pub(super) fn dir(&self) -> Option<&Path> {
        match &self.source {
            DefinitionsSource::Folder { dir, .. } => Some(dir),
            DefinitionsSource::BuiltIn(_) => None,
        }
    }

    /// Reads it.
    pub(super) fn read(&self) -> Folder {
        match &self.source {
            DefinitionsSource::Folder { dir, .. } => Folder::open(dir),
            DefinitionsSource::BuiltIn(text) => {
                let mut folder = Folder::default();
                folder.add(PathBuf::from("built-in"), text, true);
                folder
            }
        }
    }

    /// Why nothing can be changed here; nothing when it can.
    pub(super) fn read_only(&self) -> Option<String> {
        match &self.source {
            DefinitionsSource::BuiltIn(_) => {
                Some("these definitions come with the program and have no folder".to_owned())
            }
            DefinitionsSource::Folder {
                read_only: true, ..
            } => Some("the server was started with --read-only-definitions".to_owned()),
            DefinitionsSource::Folder { dir, .. } => {
                let refused = tillwatch_journal::durable::may_write(dir).err()?;
                Some(format!("the folder cannot be written to: {refused}"))
            }
        }
    }

    /// That nothing can be changed here, if it cannot.
    pub(super) fn check_writable(&self) -> Result<(), Problem> {
        match self.read_only() {
            None => Ok(()),
            Some(reason) => {
                let detail = format!("Nothing was changed: {reason}.");
                Err(Problem::new(Slug::DefinitionsReadOnly, detail))
            }
        }
    }

    /// All files of the folder, by path.
    pub(super) fn places(&self) -> Result<Vec<Place>, Problem> {
        let Some(dir) = self.dir() else {
            return Ok(Vec::new());
        };
        let mut paths = Vec::new();
        files::list(dir, dir, &mut Vec::new(), &mut paths).map_err(|error| {
            let detail = format!("The definitions folder cannot be read: {error}.");
            Problem::new(Slug::Conflict, detail)
        })?;
        paths.sort();
        let place = |path: PathBuf| Place {
            file: shown(dir, &path),
            path,
        };
        Ok(paths.into_iter().map(place).collect())
    }

    /// The file at a path in the folder, exactly as it is listed.
    pub(super) fn place(&self, file: &str) -> Result<Option<Place>, Problem> {
        Ok(self.places()?.into_iter().find(|place| place.file == file))
    }

    /// A file that is to be made.
    pub(super) fn new_place(&self, file: &str) -> Result<Place, Problem> {
        let Some(dir) = self.dir() else {
            self.check_writable()?;
            return Err(unknown(file));
        };
        file_name::check(file).map_err(|reason| {
            Problem::new(
                Slug::BadParameter,
                format!("No file can be made at that path: {reason}."),
            )
            .with("parameter", "file")
        })?;
        let conflict = |detail: String| Problem::new(Slug::Conflict, detail);
        let places = self.places()?;
        if places.len() >= self.files_max {
            let detail = format!(
                "The folder has {} files, and may have {} (limits.http.definition_files_max).",
                places.len(),
                self.files_max
            );
            return Err(conflict(detail).with("files_max", self.files_max));
        }
        // Where letters' case does not count, both were one file.
        let is_like = |other: &&Place| other.file.eq_ignore_ascii_case(file);
        if let Some(other) = places.iter().find(is_like) {
            let detail = format!(
                "There is a file '{}', whose name differs in the case of letters alone.",
                other.file
            );
            return Err(conflict(detail));
        }
        let path = dir.join(file);
        // A link, or something that is no file of definitions, may stand there.
        if path.symlink_metadata().is_ok() {
            return Err(conflict(format!("There is something else at '{file}'.")));
        }
        let place = Place {
            file: file.to_owned(),
            path,
        };
        self.check_parents(&place)?;
        Ok(place)
    }

    /// Refuses what lies behind a link, or in the data folder.
    fn check_parents(&self, place: &Place) -> Result<(), Problem> {
        let Some(dir) = self.dir() else {
            return Ok(());
        };
        let conflict = |detail: String| Err(Problem::new(Slug::Conflict, detail));
        let below = place.path.strip_prefix(dir).unwrap_or(&place.path);
        let mut at = dir.to_owned();
        let data = self.data.canonicalize().ok();
        for step in below.parent().into_iter().flat_map(Path::iter) {
            at.push(step);
            match at.symlink_metadata() {
                Ok(found) if found.is_symlink() => {
                    let detail = format!("'{}' lies behind a link.", place.file);
                    return conflict(detail);
                }
                Ok(found) if !found.is_dir() => {
                    let detail =
                        format!("'{}' lies below something that is no folder.", place.file);
                    return conflict(detail);
                }
                _ => {}
            }
            if data.is_some() && at.canonicalize().ok() == data {
                let detail = format!("'{}' lies in the data folder.", place.file);
                return conflict(detail);
            }
        }
        Ok(())
    }

    /// The text of a file; nothing of what is a link out of the folder or holds a secret.
    pub(super) fn text(&self, place: &Place) -> Result<String, Problem> {
        match self.hidden(place) {
            None => read_file(&place.path).map_err(|reason| {
                let detail = format!("The file '{}' {reason}.", place.file);
                Problem::new(Slug::Conflict, detail)
            }),
            Some(reason) => {
                let detail = format!("The file '{}' is not shown: {reason}.", place.file);
                Err(Problem::new(Slug::Conflict, detail))
            }
        }
    }

    /// Whether a file is a link to one that is not of the folder, or is hidden in it.
    pub(super) fn is_elsewhere(&self, place: &Place) -> bool {
        let root = self.dir().and_then(|dir| dir.canonicalize().ok());
        let real = place.path.canonicalize().ok();
        root.zip(real).is_some_and(|(root, real)| {
            !real.starts_with(&root) || files::within_hidden(&root, &real)
        })
    }

    /// Why a file is not shown.
    pub(super) fn hidden(&self, place: &Place) -> Option<String> {
        if self.is_elsewhere(place) {
            return Some("it is a link to a file outside of the folder".to_owned());
        }
        let text = read_file(&place.path).ok()?;
        let (at, key) = match node::parse(&text) {
            Ok(tree) => secrets::find(&tree),
            Err(_) => secrets::find_in_text(&text),
        }?;
        Some(format!(
            "it holds a secret at {}:{}:{} ({key}), where the name of an environment variable should stand (env:NAME)",
            place.file, at.line, at.column
        ))
    }

    /// Why a file that is there is not changed here; nothing when it can be.
    pub(super) fn fixed(&self, place: &Place) -> Option<String> {
        if place.path.is_symlink() {
            return Some("it is a link; change what it leads to".to_owned());
        }
        let parents = self.check_parents(place).err();
        parents.map(|problem| problem.detail().trim_end_matches('.').to_owned())
    }

    /// Faults as they are told, their files by the paths in the folder.
    pub(super) fn told(&self, faults: &[Fault]) -> Vec<DefinitionFault> {
        let told = |fault: &Fault| DefinitionFault {
            file: match self.dir() {
                Some(dir) => shown(dir, &fault.file),
                None => fault.file.display().to_string(),
            },
            line: fault.line,
            column: fault.column,
            reason: fault.message.clone(),
            suggestion: fault.suggestion.clone(),
        };
        faults.iter().map(told).collect()
    }
}

/// A path in the folder, with slashes; that of a pack's file as it is.
pub(super) fn shown(dir: &Path, path: &Path) -> String {
    if pack::is_pack(path) {
        return path.display().to_string();
    }
    let below = path.strip_prefix(dir).unwrap_or(path);
    let steps: Vec<_> = below.iter().map(|step| step.to_string_lossy()).collect();
    match steps.as_slice() {
        [] => ".".to_owned(),
        steps => steps.join("/"),
    }
}

/// No such thing.
pub(super) fn unknown(what: &str) -> Problem {
    let short: String = what.chars().take(100).collect();
    Problem::new(Slug::UnknownDefinition, format!("There is no '{short}'."))
}

/// What a place is called.
pub(super) fn name_of(place: &DefinitionPlace) -> String {
    match place {
        DefinitionPlace::File(file) => file.clone(),
        DefinitionPlace::Item { section, name } => format!("{section}/{name}"),
    }
}
