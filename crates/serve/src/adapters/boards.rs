//! Boards of the definitions, and those that people saved in the catalogue.

use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tillwatch_monitor::catalogue::{BoardEntry, BoardRemoval, BoardSave, Catalogue, SavedBoard};

use crate::adapters::backtests::ProposalFault;
use crate::adapters::faults;
use crate::documents::{Board, BoardList, BoardPlace, BoardSummary, Localized};
use crate::limits::Limits;
use crate::ports::{BoardCondition, BoardText, Boards};
use crate::problem::{Problem, Slug};
use crate::request::params::nearest;
use crate::request::time::{now_us, rfc3339, shorten};

/// A board that could stand in the definitions.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedBoard {
    /// As it is shown, with its defaults.
    pub board: Board,
    /// As it is written, key by key, and kept.
    pub written: Map<String, Value>,
}

/// The boards of one set of definitions, and what else could be one of them.
pub trait BoardDefinitions: Send + Sync + 'static {
    /// All of them, in the order of their definition.
    fn boards(&self) -> &[CheckedBoard];

    /// A board as it would be in a file of the definitions.
    ///
    /// # Errors
    /// All that is wrong with it.
    fn checked(&self, name: &str, text: &BoardText) -> Result<CheckedBoard, Vec<ProposalFault>>;

    /// A board that was checked when it was saved. What it names may be gone since.
    ///
    /// # Errors
    /// Keys that there are no more.
    fn shown(&self, name: &str, written: &Map<String, Value>) -> Result<Board, Vec<ProposalFault>>;

    /// The section `boards` with a board alone, as a file of the definitions holds it.
    ///
    /// # Errors
    /// It cannot be written as YAML.
    fn yaml(&self, name: &str, written: &Map<String, Value>) -> Result<String, String>;
}

/// Boards of one set of definitions, and those in the catalogue.
pub struct KeptBoards {
    definitions: Arc<dyn BoardDefinitions>,
    catalogue: Arc<Catalogue>,
    bytes_max: usize,
    saved_max: usize,
}

impl KeptBoards {
    /// Over these definitions and a catalogue that outlives them.
    #[must_use]
    pub fn new(
        definitions: Arc<dyn BoardDefinitions>,
        catalogue: Arc<Catalogue>,
        limits: &Limits,
    ) -> Self {
        Self {
            definitions,
            catalogue,
            bytes_max: limits.board_bytes_max,
            saved_max: limits.boards_saved_max,
        }
    }

    fn of_folder(&self, name: &str) -> Option<&CheckedBoard> {
        let mut boards = self.definitions.boards().iter();
        boards.find(|one| one.board.name == name)
    }

    /// The saved board of a name.
    fn saved(&self, name: &str) -> Result<SavedBoard, Problem> {
        let found = self.catalogue.board(name);
        let found = found.map_err(|fault| faults::monitor(&fault))?;
        found.map_or_else(|| Err(self.unknown(name)), Ok)
    }

    fn unknown(&self, name: &str) -> Problem {
        let detail = format!("There is no board '{}'.", shorten(name));
        let problem = Problem::new(Slug::UnknownBoard, detail);
        let Ok(saved) = self.catalogue.boards() else {
            return problem;
        };
        let folder = self.definitions.boards().iter();
        let names = folder.map(|one| one.board.name.as_str());
        let names = names.chain(saved.iter().map(|entry| entry.name.as_str()));
        problem.suggesting(nearest(name, names))
    }

    /// That the folder has the name, with one that is free.
    fn taken(&self, name: &str) -> Problem {
        let detail = format!(
            "'{name}' is a board of the definitions folder, which only its files change; save yours under another name."
        );
        let saved = self.catalogue.boards().unwrap_or_default();
        let is_free = |name: &String| {
            self.of_folder(name).is_none() && saved.iter().all(|entry| entry.name != *name)
        };
        // A name has at most 63 characters, all of one byte.
        let stem = name.get(..60).unwrap_or(name);
        let free = (2..1_000)
            .map(|number| format!("{stem}_{number}"))
            .find(is_free);
        Problem::new(Slug::Conflict, detail).suggesting(free.as_deref())
    }

    fn show(&self, saved: &SavedBoard) -> Result<Board, Problem> {
        let written = read(saved)?;
        let board = self.definitions.shown(&saved.entry.name, &written);
        let board = board.map_err(|wrong| {
            let first = wrong.first();
            let why = first.map_or_else(String::new, |fault| {
                format!("{}: {}", fault.path, fault.message)
            });
            Problem::internal(&format!("saved board '{}': {why}", saved.entry.name))
        })?;
        Ok(kept(board, &saved.entry))
    }
}

impl Boards for KeptBoards {
    fn list(&self) -> Result<BoardList, Problem> {
        let of_folder = self.definitions.boards().iter().map(|one| BoardSummary {
            name: one.board.name.clone(),
            title: one.board.title.clone(),
            from: BoardPlace::Folder,
            version: None,
            changed_at: None,
            by: None,
        });
        let mut list = BoardList {
            boards: of_folder.collect(),
            shadowed: Vec::new(),
        };
        let saved = self.catalogue.boards();
        for entry in saved.map_err(|fault| faults::monitor(&fault))? {
            let into = match self.of_folder(&entry.name) {
                Some(_) => &mut list.shadowed,
                None => &mut list.boards,
            };
            into.push(summary(&entry));
        }
        Ok(list)
    }

    fn one(&self, name: &str, from: Option<BoardPlace>) -> Result<(Board, String), Problem> {
        match (self.of_folder(name), from) {
            (Some(found), None | Some(BoardPlace::Folder)) => {
                Ok((found.board.clone(), digest(&found.written)))
            }
            (_, Some(BoardPlace::Folder)) => Err(self.unknown(name)),
            _ => {
                let saved = self.saved(name)?;
                Ok((self.show(&saved)?, saved.entry.version.to_string()))
            }
        }
    }

    fn written(&self, name: &str, from: Option<BoardPlace>) -> Result<(String, String), Problem> {
        let (written, tag) = match (self.of_folder(name), from) {
            (Some(found), None | Some(BoardPlace::Folder)) => {
                (found.written.clone(), digest(&found.written))
            }
            (_, Some(BoardPlace::Folder)) => return Err(self.unknown(name)),
            _ => {
                let saved = self.saved(name)?;
                (read(&saved)?, saved.entry.version.to_string())
            }
        };
        let yaml = self.definitions.yaml(name, &written);
        Ok((yaml.map_err(|cause| Problem::internal(&cause))?, tag))
    }

    fn save(
        &self,
        name: &str,
        text: &BoardText,
        by: Option<&str>,
        condition: &BoardCondition,
    ) -> Result<(Board, String, bool), Problem> {
        if self.of_folder(name).is_some() {
            return Err(self.taken(name));
        }
        let checked = self.definitions.checked(name, text);
        let checked = checked.map_err(|faults| faults::definition(&faults))?;
        let written = Value::Object(checked.written).to_string();
        if written.len() > self.bytes_max {
            // YAML may be much longer once its aliases are followed.
            let detail = format!(
                "The board has {} bytes as it is kept, and may have {} (limits.http.board_bytes_max).",
                written.len(),
                self.bytes_max
            );
            return Err(Problem::new(Slug::BodyTooLarge, detail).with("bytes_max", self.bytes_max));
        }
        let title = serde_json::to_string(&checked.board.title);
        let title = title.map_err(|cause| Problem::internal(&cause))?;
        let texts = (title.as_str(), written.as_str());
        let saved = self
            .catalogue
            .save_board(name, texts, by, condition, self.saved_max, now_us());
        match saved.map_err(|fault| faults::monitor(&fault))? {
            BoardSave::Saved { entry, is_new } => {
                let tag = entry.version.to_string();
                Ok((kept(checked.board, &entry), tag, is_new))
            }
            BoardSave::Otherwise(now) => Err(otherwise(name, now.as_ref())),
            BoardSave::Full => {
                let detail = format!(
                    "{} boards are saved, which is the limit (limits.http.boards_saved_max); remove one first.",
                    self.saved_max
                );
                Err(Problem::new(Slug::Conflict, detail).with("boards_max", self.saved_max))
            }
        }
    }

    fn remove(&self, name: &str, condition: &BoardCondition) -> Result<(), Problem> {
        let removal = self.catalogue.remove_board(name, condition);
        match removal.map_err(|fault| faults::monitor(&fault))? {
            BoardRemoval::Removed => Ok(()),
            BoardRemoval::Otherwise(Some(now)) => Err(otherwise(name, Some(&now))),
            BoardRemoval::Unknown | BoardRemoval::Otherwise(None) => {
                if self.of_folder(name).is_none() {
                    return Err(self.unknown(name));
                }
                let detail = format!(
                    "'{name}' is a board of the definitions folder, which only its files change."
                );
                Err(Problem::new(Slug::Conflict, detail))
            }
        }
    }
}

/// A board as the catalogue has it.
fn kept(board: Board, entry: &BoardEntry) -> Board {
    Board {
        from: BoardPlace::Catalogue,
        version: Some(entry.version),
        changed_at: Some(rfc3339(entry.changed_at_us)),
        by: entry.by.clone(),
        ..board
    }
}

fn summary(entry: &BoardEntry) -> BoardSummary {
    // One that is damaged keeps no other out of the list.
    let title = serde_json::from_str(&entry.title).unwrap_or_else(|_| Localized {
        en: entry.name.clone(),
        zh: None,
    });
    BoardSummary {
        name: entry.name.clone(),
        title,
        from: BoardPlace::Catalogue,
        version: Some(entry.version),
        changed_at: Some(rfc3339(entry.changed_at_us)),
        by: entry.by.clone(),
    }
}

fn read(saved: &SavedBoard) -> Result<Map<String, Value>, Problem> {
    serde_json::from_str(&saved.written)
        .map_err(|cause| Problem::internal(&format!("saved board '{}': {cause}", saved.entry.name)))
}

/// What tells this state of a folder's board from others: it is no version, so that it matches none.
fn digest(written: &Map<String, Value>) -> String {
    let text = serde_json::to_string(written).unwrap_or_default();
    let hash = Sha256::digest(text.as_bytes());
    let start = hash.iter().take(8).map(|byte| format!("{byte:02x}"));
    format!("folder-{}", start.collect::<String>())
}

/// That a board is not what the request took it for.
fn otherwise(name: &str, now: Option<&BoardEntry>) -> Problem {
    let Some(now) = now else {
        let detail = format!("There is no saved board '{}'.", shorten(name));
        return Problem::new(Slug::PreconditionFailed, detail);
    };
    let changed_at = rfc3339(now.changed_at_us);
    let detail = format!(
        "The board '{name}' was saved at {changed_at} and is at version {}; read it again.",
        now.version
    );
    Problem::new(Slug::PreconditionFailed, detail)
        .with("version", now.version)
        .with("changed_at", changed_at)
}
