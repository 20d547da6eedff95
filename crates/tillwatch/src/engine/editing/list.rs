//! What the folder holds.

use std::path::Path;

use tillwatch_serve::documents::{
    DefinitionFile, DefinitionItem, DefinitionList, DefinitionPack, Holdings,
};
use tillwatch_serve::ports::TaggedText;
use tillwatch_serve::{Problem, Slug};

use super::Inner;
use super::folder::{Place, quoted, shown, tag_of, unknown};
use crate::definitions::edit::{self, body, splice};
use crate::definitions::files::read_file;
use crate::definitions::folder::{SourceFile, nearest_name};
use crate::definitions::node::{self, Node, Value};
use crate::definitions::{Folder, finish, pack};

impl Inner {
    pub(super) fn list(&self) -> Result<DefinitionList, Problem> {
        let folder = self.read();
        let digest = self.digest(&folder);
        let in_force = self.is_in_force(digest);
        let reason = self.read_only();
        let mut packs: Vec<DefinitionPack> = Vec::new();
        for file in &folder.files {
            let Some((name, below)) = pack_of(&file.path) else {
                continue;
            };
            let at = packs.iter().position(|pack| pack.name == name);
            let at = at.unwrap_or_else(|| {
                packs.push(DefinitionPack {
                    name,
                    ..DefinitionPack::default()
                });
                packs.len() - 1
            });
            if let Some(pack) = packs.get_mut(at) {
                pack.files.push(below);
                gather(&mut pack.holds, &file.tree);
            }
        }
        let mut files = Vec::new();
        for place in self.places()? {
            files.push(self.listed(&place, &folder.files));
        }
        let faults = if in_force {
            Vec::new()
        } else {
            self.told(&self.faults(folder, digest))
        };
        Ok(DefinitionList {
            writable: reason.is_none(),
            reason,
            digest: format!("{digest:016x}"),
            in_force,
            files,
            packs,
            faults,
        })
    }

    /// What tells the folder's files from others. Definitions without a folder are those that were loaded.
    fn digest(&self, folder: &Folder) -> u64 {
        match self.dir() {
            Some(_) => folder.digest(),
            None => self
                .loaded()
                .map_or_else(|| folder.digest(), |loaded| loaded.digest),
        }
    }

    /// What is wrong with a folder, computed once for the same files.
    fn faults(&self, folder: Folder, digest: u64) -> Vec<crate::definitions::Fault> {
        if let Some(faults) = self.remembered(digest) {
            return faults;
        }
        let faults = finish(folder, &|name| std::env::var(name).ok()).err();
        let faults = faults.unwrap_or_default();
        self.remember(digest, &faults);
        faults
    }

    fn listed(&self, place: &Place, files: &[SourceFile]) -> DefinitionFile {
        let hidden = self.hidden(place);
        if self.is_elsewhere(place) {
            // Nothing of it is told but that it is there.
            return DefinitionFile {
                file: place.file.clone(),
                reason: hidden,
                ..DefinitionFile::default()
            };
        }
        let metadata = std::fs::metadata(&place.path).ok();
        let changed = metadata.as_ref().and_then(|data| data.modified().ok());
        let changed = changed.and_then(|at| jiff::Timestamp::try_from(at).ok());
        let text = read_file(&place.path);
        let mut holds = Holdings::new();
        if let Some(file) = files.iter().find(|file| file.path == place.path) {
            gather(&mut holds, &file.tree);
        }
        DefinitionFile {
            file: place.file.clone(),
            bytes: metadata.map_or(0, |data| data.len()),
            changed_at: changed.map(|at| at.to_string()),
            // What tells a text from others tells a short secret, too.
            etag: (text.as_ref().ok())
                .filter(|_| hidden.is_none())
                .map(|text| quoted(&tag_of(&[text]))),
            reason: text.err().or(hidden).or_else(|| self.fixed(place)),
            holds,
        }
    }

    pub(super) fn file(&self, file: &str) -> Result<TaggedText, Problem> {
        let Some(place) = self.place(file)? else {
            let places = self.places()?;
            let names = places.iter().map(|place| place.file.as_str());
            return Err(unknown(file).suggesting(nearest_name(file, names).as_deref()));
        };
        let text = self.text(&place)?;
        let tag = tag_of(&[&text]);
        Ok(TaggedText { text, tag })
    }

    pub(super) fn item(&self, section: &str, name: &str) -> Result<DefinitionItem, Problem> {
        check_section(section)?;
        let folder = self.read();
        let Some((file, key, value)) = written_in(&folder, section, name) else {
            return Err(unknown_item(&folder, section, name));
        };
        let mut item = DefinitionItem {
            section: section.to_owned(),
            name: name.to_owned(),
            line: key.place.line,
            ..DefinitionItem::default()
        };
        if let Some((pack, below)) = pack_of(&file.path) {
            let text = pack_file(&pack, &below)?.text;
            item.yaml = own_text(&text, section, name, value).0;
            item.reason = Some(of_pack(name, &pack));
            item.pack = Some(pack);
            item.etag = quoted(&tag_of(&[&item.yaml]));
            return Ok(item);
        }
        let place = Place {
            file: self
                .dir()
                .map_or_else(String::new, |dir| shown(dir, &file.path)),
            path: file.path.clone(),
        };
        let text = self.text(&place)?;
        let (yaml, refusal) = own_text(&text, section, name, value);
        item.etag = quoted(&item_tag(&place.file, &yaml));
        item.yaml = yaml;
        let refusal = refusal
            .map(|refusal| format!("{}:{}: {}", place.file, refusal.place.line, refusal.reason));
        item.reason = self.read_only().or_else(|| self.fixed(&place)).or(refusal);
        item.editable = item.reason.is_none();
        item.file = Some(place.file);
        Ok(item)
    }
}

/// What tells a definition from others of its name.
pub(super) fn item_tag(file: &str, yaml: &str) -> String {
    tag_of(&[file, yaml])
}

/// The keys of a definition as they are written, or why its lines cannot be told; then what they hold.
pub(super) fn own_text(
    text: &str,
    section: &str,
    name: &str,
    value: &Node,
) -> (String, Option<edit::Refusal>) {
    match splice::find(text, section, name) {
        Ok(Some(found)) => (found.yaml, None),
        Ok(None) => (body::written(value), None),
        Err(refusal) => (body::written(value), Some(refusal)),
    }
}

/// Why a pack's definition is not changed here.
pub(super) fn of_pack(name: &str, pack: &str) -> String {
    format!(
        "'{name}' is of the pack '{pack}', which comes with the program; define another under a name of your own, or take '{pack}' out of `packs` and write its files into the folder (GET /v1/definitions/packs/{pack}/…), where they are yours"
    )
}

/// Where a definition is written: its file, its name and what it is.
pub(super) fn written_in<'f>(
    folder: &'f Folder,
    section: &str,
    name: &str,
) -> Option<(&'f SourceFile, &'f Node, &'f Node)> {
    folder.files.iter().find_map(|file| {
        let items = file.tree.find(&[section])?;
        let (key, value) = items.entry(name)?;
        Some((file, key, value))
    })
}

pub(super) fn unknown_item(folder: &Folder, section: &str, name: &str) -> Problem {
    let items = folder
        .files
        .iter()
        .filter_map(|file| file.tree.find(&[section]));
    let names = items
        .flat_map(|items| items.entries())
        .filter_map(|(key, _)| key.text());
    let nearest = nearest_name(name, names);
    unknown(&format!("{section}/{name}")).suggesting(nearest.as_deref())
}

pub(super) fn check_section(section: &str) -> Result<(), Problem> {
    if edit::SECTIONS.contains(&section) {
        return Ok(());
    }
    let short: String = section.chars().take(100).collect();
    let detail = format!(
        "There is no section '{short}' here; definitions of {} are read and written one by one, all others by their file.",
        edit::SECTIONS.join(", ")
    );
    Err(Problem::new(Slug::UnknownDefinition, detail)
        .suggesting(nearest_name(section, edit::SECTIONS).as_deref()))
}

/// The pack that a file is of, and its path in it.
pub(super) fn pack_of(path: &Path) -> Option<(String, String)> {
    if !pack::is_pack(path) {
        return None;
    }
    let mut steps = path.iter().skip(1).map(|step| step.to_string_lossy());
    let name = steps.next()?.into_owned();
    let below: Vec<_> = steps.collect();
    Some((name, below.join("/")))
}

/// The text of a pack's file.
pub(super) fn pack_file(pack: &str, file: &str) -> Result<TaggedText, Problem> {
    let files = pack::files(pack);
    if files.is_empty() {
        let names = pack::names();
        let nearest = nearest_name(pack, names.iter().map(String::as_str));
        return Err(unknown(&format!("pack {pack}")).suggesting(nearest.as_deref()));
    }
    let found = files
        .into_iter()
        .find(|(path, _)| pack_of(path).is_some_and(|(_, below)| below == file));
    let (_, text) = found.ok_or_else(|| unknown(&format!("{pack}/{file}")))?;
    let tag = tag_of(&[&text]);
    Ok(TaggedText { text, tag })
}

/// Adds the names of a file's sections.
fn gather(holds: &mut Holdings, tree: &Node) {
    for (section, items) in tree.entries() {
        let Some(section) = section.text() else {
            continue;
        };
        let names = holds.entry(section.to_owned()).or_default();
        match (section, &items.value) {
            // Their keys are settings.
            ("limits" | "history" | "rates", _) => {}
            (_, Value::List(list)) => {
                names.extend(list.iter().filter_map(node::Node::text).map(str::to_owned));
            }
            _ => {
                let keys = items.entries().iter().filter_map(|(key, _)| key.text());
                names.extend(keys.map(str::to_owned));
            }
        }
    }
}
