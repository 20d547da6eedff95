//! The definitions folder as written: every item with its file, every fault that reading shows.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use tillwatch_event::suggest::closest;

use super::fault::Fault;
use super::files::{is_definitions, list, read_file, within_hidden};
use super::limits::{self, Limits};
use super::names::check_name;
use super::node::{self, Node, Place, Value};
use super::pack;
use super::read::{self, Misfit};
use super::shape::{
    Board, Calendar, Channel, Cube, History, Maintenance, Metric, Monitor, Rates, Route, SECTIONS,
    Source, Stream,
};

/// One file of the folder.
#[derive(Debug)]
pub struct SourceFile {
    /// Its path as it is reported.
    pub path: PathBuf,
    /// Its content.
    pub tree: Node,
}

/// One named item and the file it stands in.
#[derive(Debug, Clone)]
pub struct Item<T> {
    /// Its name.
    pub name: String,
    /// Its file, as an index into [`Folder::files`].
    pub file: usize,
    /// What is written.
    pub value: T,
    /// The items of lists that could not be read, which the value lacks.
    pub removed_items: Vec<Place>,
}

/// All that is written in a folder and the packs it names.
#[derive(Debug, Default)]
pub struct Folder {
    /// The files.
    pub files: Vec<SourceFile>,
    /// Streams.
    pub streams: Vec<Item<Stream>>,
    /// Cubes.
    pub cubes: Vec<Item<Cube>>,
    /// Metrics.
    pub metrics: Vec<Item<Metric>>,
    /// Monitors.
    pub monitors: Vec<Item<Monitor>>,
    /// Channels.
    pub channels: Vec<Item<Channel>>,
    /// Routes.
    pub routes: Vec<Item<Route>>,
    /// Maintenance windows.
    pub maintenance: Vec<Item<Maintenance>>,
    /// Calendars.
    pub calendars: Vec<Item<Calendar>>,
    /// Sources.
    pub sources: Vec<Item<Source>>,
    /// Boards.
    pub boards: Vec<Item<Board>>,
    /// Rates.
    pub rates: Option<Item<Rates>>,
    /// Where history is.
    pub history: Option<Item<History>>,
    /// Limits.
    pub limits: Option<Item<Limits>>,
    /// What reading showed to be wrong.
    pub faults: Vec<Fault>,
    /// Items that are written and could not be read, by section and name. What names one of them is not
    /// at fault.
    unread: HashSet<(String, String)>,
    /// What was read of the folder's own files, to tell whether it has changed.
    digest: DefaultHasher,
}

impl Folder {
    /// Reads every `*.yaml` and `*.yml` file of `dir`, its subfolders included, and the packs they name.
    #[must_use]
    pub fn open(dir: &Path) -> Self {
        Self::open_changed(dir, None)
    }

    /// As [`Self::open`], as if the file at a path within `dir` held another text, or were not there.
    #[must_use]
    pub fn open_changed(dir: &Path, change: Option<(&Path, Option<&str>)>) -> Self {
        let mut folder = Self::default();
        let mut paths = Vec::new();
        if let Err(error) = list(dir, dir, &mut Vec::new(), &mut paths) {
            folder.faults.push(
                Fault::new(
                    dir,
                    Place { line: 1, column: 1 },
                    format!("cannot be read: {error}"),
                )
                .suggest(Some("name a folder with YAML files in it".into())),
            );
            error.to_string().hash(&mut folder.digest);
            return folder;
        }
        if let Some((changed, text)) = change {
            paths.retain(|path| path != changed);
            paths.extend(text.map(|_| changed.to_owned()));
        }
        paths.sort();
        if paths.is_empty() {
            folder.faults.push(
                Fault::new(dir, Place { line: 1, column: 1 }, "holds no *.yaml file").suggest(
                    Some(
                        "write one, or start from a file of yours with `tillwatch propose FILE`"
                            .into(),
                    ),
                ),
            );
        }
        for path in paths {
            let read = match change {
                Some((changed, Some(text))) if path == changed => Ok(text.to_owned()),
                _ => read_file(&path),
            };
            (&path, &read).hash(&mut folder.digest);
            match read {
                Ok(text) => folder.add(path, &text, true),
                Err(reason) => {
                    folder
                        .faults
                        .push(Fault::new(path, Place { line: 1, column: 1 }, reason));
                }
            }
        }
        folder
    }

    /// A hash of the names and texts of the folder's own files, as [`Self::open`] read them. It
    /// is good for one run of the program only.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.digest.finish()
    }

    /// Whether [`Self::open`] on `dir` reads the file at `path`, if there is one.
    #[must_use]
    pub fn reads(dir: &Path, path: &Path) -> bool {
        is_definitions(path) && !within_hidden(dir, path)
    }

    /// Whether a folder at `path` may hold files that [`Self::open`] on `dir` reads.
    #[must_use]
    pub fn enters(dir: &Path, path: &Path) -> bool {
        !within_hidden(dir, path)
    }

    /// Reads one text as if it were a file of the folder; `packs` says whether it may name packs.
    pub fn add(&mut self, path: PathBuf, text: &str, packs: bool) {
        let tree = match node::parse(text) {
            Ok(tree) => tree,
            Err((place, message)) => {
                self.faults.push(Fault::new(path, place, message));
                return;
            }
        };
        let file = self.files.len();
        self.files.push(SourceFile {
            path: path.clone(),
            tree: tree.clone(),
        });
        let entries = match tree.value {
            Value::Map(entries) => entries,
            Value::Null => return,
            _ => {
                self.faults.push(Fault::new(
                    path,
                    tree.place,
                    format!("found {}, expected a mapping of sections", tree.kind()),
                ));
                return;
            }
        };
        for (key, value) in entries {
            self.section(file, &path, &key, &value, packs);
            self.note_unread(&key, &value);
        }
    }

    fn note_unread(&mut self, section: &Node, items: &Node) {
        let section = section.text().unwrap_or_default();
        let names: Vec<&str> = match section {
            "streams" => self.streams.iter().map(|i| i.name.as_str()).collect(),
            "cubes" => self.cubes.iter().map(|i| i.name.as_str()).collect(),
            "metrics" => self.metrics.iter().map(|i| i.name.as_str()).collect(),
            "monitors" => self.monitors.iter().map(|i| i.name.as_str()).collect(),
            "channels" => self.channels.iter().map(|i| i.name.as_str()).collect(),
            "calendars" => self.calendars.iter().map(|i| i.name.as_str()).collect(),
            "rates" => {
                if self.rates.is_none() {
                    self.unread.insert((section.to_owned(), String::new()));
                }
                return;
            }
            _ => return,
        };
        let unread = items
            .entries()
            .iter()
            .filter_map(|(name, _)| name.text())
            .filter(|name| !names.contains(name))
            .map(|name| (section.to_owned(), name.to_owned()));
        let unread: Vec<_> = unread.collect();
        self.unread.extend(unread);
    }

    fn section(&mut self, file: usize, path: &Path, key: &Node, value: &Node, packs: bool) {
        let faults = &mut self.faults;
        match key.text().unwrap_or_default() {
            "packs" if packs => {
                if let Some(names) = read_node::<Vec<String>>(value, path, faults) {
                    self.packs(path, value, &names);
                }
            }
            "packs" => faults.push(Fault::new(path, key.place, "a pack cannot name packs")),
            "streams" => items(file, path, value, &mut self.streams, &self.files, faults),
            "cubes" => items(file, path, value, &mut self.cubes, &self.files, faults),
            "metrics" => items(file, path, value, &mut self.metrics, &self.files, faults),
            "monitors" => items(file, path, value, &mut self.monitors, &self.files, faults),
            "channels" => items(file, path, value, &mut self.channels, &self.files, faults),
            "routes" => items(file, path, value, &mut self.routes, &self.files, faults),
            "maintenance" => items(
                file,
                path,
                value,
                &mut self.maintenance,
                &self.files,
                faults,
            ),
            "calendars" => items(file, path, value, &mut self.calendars, &self.files, faults),
            "sources" => items(file, path, value, &mut self.sources, &self.files, faults),
            "boards" => items(file, path, value, &mut self.boards, &self.files, faults),
            "rates" => single(file, path, key, value, &mut self.rates, &self.files, faults),
            "history" => {
                let found = &mut self.history;
                single(file, path, key, value, found, &self.files, faults);
            }
            "limits" => {
                let value = limits::with_numbers(value.clone(), &mut |place, reason| {
                    faults.push(Fault::new(path, place, reason));
                });
                single(
                    file,
                    path,
                    key,
                    &value,
                    &mut self.limits,
                    &self.files,
                    faults,
                );
            }
            other => faults.push(
                Fault::new(path, key.place, format!("unknown section '{other}'")).suggest(
                    nearest_name(other, SECTIONS)
                        .or_else(|| Some(format!("the sections are {}", SECTIONS.join(", ")))),
                ),
            ),
        }
    }

    fn packs(&mut self, path: &Path, list: &Node, names: &[String]) {
        for (index, name) in names.iter().enumerate() {
            let prefix = pack::path(name);
            if self.files.iter().any(|file| file.path.starts_with(&prefix)) {
                continue;
            }
            let files = pack::files(name);
            if files.is_empty() {
                let known = pack::names();
                self.faults.push(
                    Fault::new(
                        path,
                        list.nearest(&[&index.to_string()]),
                        format!("there is no pack '{name}'"),
                    )
                    .suggest(
                        nearest_name(name, known.iter().map(String::as_str))
                            .or_else(|| Some(format!("the packs are {}", known.join(", ")))),
                    ),
                );
            }
            for (file, text) in files {
                self.add(file, &text, false);
            }
        }
    }

    /// Whether the item is written but could not be read, which has been told.
    #[must_use]
    pub fn is_unread(&self, section: &str, name: &str) -> bool {
        self.unread.contains(&(section.to_owned(), name.to_owned()))
    }

    /// As [`Self::fault`], but at the key the path ends with rather than at its value.
    #[must_use]
    pub fn fault_at_key(&self, file: usize, path: &[&str], message: impl Into<String>) -> Fault {
        let key = path.split_last().and_then(|(last, before)| {
            let within = self.files.get(file)?.tree.find(before)?;
            within.entry(last).map(|(key, _)| key.place)
        });
        let mut fault = self.fault(file, path, message);
        if let Some(place) = key {
            (fault.line, fault.column) = (place.line, place.column);
        }
        fault
    }

    /// A fault at `rest` within the item `name` of `section`, in the file it stands in.
    #[must_use]
    pub fn fault(&self, file: usize, path: &[&str], message: impl Into<String>) -> Fault {
        match self.files.get(file) {
            Some(source) => Fault::new(&source.path, source.tree.nearest(path), message),
            None => Fault::new("definitions", Place { line: 1, column: 1 }, message),
        }
    }
}

/// "did you mean …?" if one of `candidates` is close to `name`.
pub fn nearest_name<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    closest(name, candidates).map(|candidate| format!("did you mean '{candidate}'?"))
}

fn misfit_fault(path: &Path, within: Place, misfit: Misfit) -> Fault {
    let suggestion = misfit.unknown.as_deref().and_then(|unknown| {
        nearest_name(unknown, misfit.candidates.iter().copied()).or_else(|| {
            // A word that is none of several has been told which they are.
            let is_told = misfit.message.contains(" is none of: ");
            (!misfit.candidates.is_empty() && !is_told)
                .then(|| format!("it is one of {}", misfit.candidates.join(", ")))
        })
    });
    Fault::new(path, misfit.place.unwrap_or(within), misfit.message).suggest(suggestion)
}

fn read_node<T: DeserializeOwned>(node: &Node, path: &Path, faults: &mut Vec<Fault>) -> Option<T> {
    let reading = read::read(node);
    faults.extend(
        reading
            .misfits
            .into_iter()
            .map(|misfit| misfit_fault(path, node.place, misfit)),
    );
    reading.value
}

pub(super) fn items<T: DeserializeOwned>(
    file: usize,
    path: &Path,
    section: &Node,
    into: &mut Vec<Item<T>>,
    files: &[SourceFile],
    faults: &mut Vec<Fault>,
) {
    let entries = match &section.value {
        Value::Map(entries) => entries,
        Value::Null => return,
        _ => {
            faults.push(Fault::new(
                path,
                section.place,
                format!("found {}, expected a mapping of names", section.kind()),
            ));
            return;
        }
    };
    for (key, value) in entries {
        let Some(name) = key.text() else {
            faults.push(Fault::new(
                path,
                key.place,
                format!("found {}, expected a name", key.kind()),
            ));
            continue;
        };
        if let Err(reason) = check_name(name) {
            faults.push(Fault::new(path, key.place, reason));
        }
        if let Some(other) = into.iter().find(|item| item.name == name) {
            let at = files.get(other.file).map_or_else(String::new, |source| {
                format!(" in {}", source.path.display())
            });
            faults.push(Fault::new(
                path,
                key.place,
                format!("'{name}' is already defined{at}"),
            ));
            continue;
        }
        let reading = read::read(value);
        faults.extend(
            reading
                .misfits
                .into_iter()
                .map(|misfit| misfit_fault(path, key.place, misfit)),
        );
        if let Some(value) = reading.value {
            into.push(Item {
                name: name.to_owned(),
                file,
                value,
                removed_items: reading.removed_items,
            });
        }
    }
}

fn single<T: DeserializeOwned>(
    file: usize,
    path: &Path,
    key: &Node,
    value: &Node,
    into: &mut Option<Item<T>>,
    files: &[SourceFile],
    faults: &mut Vec<Fault>,
) {
    let name = key.text().unwrap_or_default();
    if let Some(other) = into {
        // What the user writes stands above what a pack brings along.
        let from_pack = |file: usize| files.get(file).is_some_and(|f| pack::is_pack(&f.path));
        if from_pack(file) {
            return;
        }
        if !from_pack(other.file) {
            faults.push(Fault::new(
                path,
                key.place,
                format!("'{name}' is already defined"),
            ));
            return;
        }
    }
    if let Some(value) = read_node(value, path, faults) {
        *into = Some(Item {
            name: name.to_owned(),
            file,
            value,
            removed_items: Vec::new(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(text: &str) -> Folder {
        let mut folder = Folder::default();
        folder.add("a.yaml".into(), text, true);
        folder
    }

    fn faults(text: &str) -> Vec<String> {
        folder(text)
            .faults
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn all_faults_of_a_file_are_reported_at_once() {
        let found = faults(
            "streems: {}\nstreams:\n  Payments:\n    time: at\n    dedupe: 1h\n    dedup: soon\n    fields: {at: timestamp}\ncubes:\n  c:\n    bucket: 10s\n",
        );
        assert_eq!(
            found,
            [
                "a.yaml:1:1: unknown section 'streems'\n    help: did you mean 'streams'?",
                "a.yaml:3:3: 'Payments' is no name; use a-z, 0-9 and _, beginning with a letter, at most 63 characters",
                "a.yaml:5:5: unknown key 'dedupe'\n    help: did you mean 'dedup'?",
                "a.yaml:6:12: 'soon' is no duration; write a whole number and a unit, such as 10s, 1m, 24h or 7d",
                "a.yaml:9:3: the key 'from' is missing",
            ]
        );
    }

    #[test]
    fn a_field_is_its_type_or_a_mapping_and_faults_inside_keep_their_place() {
        let read = folder(
            "streams:\n  s:\n    time: at\n    fields:\n      at: {type: timestamp, formt: '%Y'}\n      b: int64\n      c: [1]\n",
        );
        let found: Vec<_> = read.faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "a.yaml:5:29: unknown key 'formt'\n    help: did you mean 'format'?",
                "a.yaml:7:10: found a list, expected a type such as string, or a mapping with `type`",
            ]
        );
        assert_eq!(read.streams.len(), 1);
    }

    #[test]
    fn a_name_is_defined_once() {
        let mut read = folder("metrics:\n  m: {of: c, expr: a}\n");
        read.add("b.yaml".into(), "metrics:\n  m: {of: c, expr: b}\n", true);
        assert_eq!(
            read.faults.first().map(ToString::to_string),
            Some("b.yaml:2:3: 'm' is already defined in a.yaml".into())
        );
    }

    #[test]
    fn the_digest_follows_names_and_texts_of_what_is_read_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        let digest = || Folder::open(dir.path()).digest();
        write("a.yaml", "streams: {}\n");
        let first = digest();
        std::fs::create_dir(dir.path().join("data")).unwrap();
        write("data/1.log", "frames");
        write("note.txt", "x");
        write(".a.yaml.swp", "x");
        write(".hidden.yaml", "streams: {}\n");
        assert_eq!(digest(), first);
        write("a.yaml", "streams: {} \n");
        assert_ne!(digest(), first);
        write("a.yaml", "streams: {}\n");
        assert_eq!(digest(), first);
        write("data/b.yml", "cubes: {}\n");
        assert_ne!(digest(), first);
        let reads = |name: &str| Folder::reads(dir.path(), &dir.path().join(name));
        assert!(reads("a.yaml") && reads("data/b.yml"));
        assert!(!reads("data/1.log") && !reads(".hidden.yaml") && !reads(".git/a.yaml"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_back_to_a_folder_above_is_not_followed_again() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("a")).unwrap();
        std::fs::write(dir.path().join("a/x.yaml"), "streams: {}\n").unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("a/loop")).unwrap();
        let folder = Folder::open(dir.path());
        assert_eq!((folder.files.len(), folder.faults), (1, vec![]));
    }

    #[test]
    fn an_unknown_pack_is_named_with_what_there_is() {
        let found = faults("packs: [payment]\n");
        assert_eq!(
            found,
            ["a.yaml:1:9: there is no pack 'payment'\n    help: did you mean 'payments'?"]
        );
    }
}
