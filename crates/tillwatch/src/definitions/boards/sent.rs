//! Boards that people send to be saved: checked as if they stood in the folder, with every fault at its path.

use std::path::PathBuf;

use serde_json::{Map, Value as Json, json};
use tillwatch_event::guard::mask_json;
use tillwatch_serve::adapters::{BoardDefinitions, CheckedBoard, ProposalFault};
use tillwatch_serve::documents::Board;
use tillwatch_serve::ports::BoardText;

use super::super::folder::{Folder, SourceFile, items};
use super::super::load::Loaded;
use super::super::node::{self, Node};
use super::super::places::{PathStyle, Places, json_of, under};
use super::super::proposal::Proposals;
use super::shown::shown;

/// What the whole board is called in its faults.
const ROOT: &str = "board";
/// The section of a file that holds boards.
const SECTION: &str = "boards";

/// A board that is read, with what is wrong with it.
struct Sent {
    board: Option<Board>,
    faults: Vec<ProposalFault>,
}

impl Proposals {
    /// Reads a board, and checks what it names if it is to be `checked`.
    fn board(
        &self,
        name: &str,
        written: &Map<String, Json>,
        text: Option<&Node>,
        checked: bool,
    ) -> Sent {
        let mut places = Places::new(ROOT, PathStyle::Bare);
        let section = places.section(name, written);
        let mut folder = Folder::default();
        let path = PathBuf::from(ROOT);
        folder.files.push(SourceFile {
            path: path.clone(),
            tree: under(SECTION, section.clone()),
        });
        let mut faults = Vec::new();
        items(0, &path, &section, &mut folder.boards, &[], &mut faults);
        if checked {
            folder.metrics.clone_from(&self.metrics);
            folder.cubes.clone_from(&self.cubes);
            super::boards(&folder, &self.natures, &mut faults);
        }
        faults.sort();
        faults.dedup();
        Sent {
            board: folder.boards.first().map(|item| shown(name, &item.value)),
            faults: faults
                .iter()
                .map(|fault| places.told(fault, text))
                .collect(),
        }
    }
}

impl BoardDefinitions for Loaded {
    fn boards(&self) -> &[CheckedBoard] {
        &self.boards
    }

    fn checked(&self, name: &str, text: &BoardText) -> Result<CheckedBoard, Vec<ProposalFault>> {
        let (written, tree) = match text {
            BoardText::Json(written) => {
                let own = own(name, written).map_err(|fault| vec![fault])?;
                (own, None)
            }
            BoardText::Yaml(text) => {
                let tree = read(name, text).map_err(|fault| vec![fault])?;
                match json_of(&tree) {
                    Json::Object(written) => (written, Some(tree)),
                    _ => {
                        let message =
                            format!("found {}, expected the keys of a board", tree.kind());
                        return Err(vec![at(&tree, message)]);
                    }
                }
            }
        };
        let written = masked(written);
        let sent = self.proposals.board(name, &written, tree.as_ref(), true);
        match sent.board {
            Some(board) if sent.faults.is_empty() => Ok(CheckedBoard { board, written }),
            _ => Err(sent.faults),
        }
    }

    fn shown(&self, name: &str, written: &Map<String, Json>) -> Result<Board, Vec<ProposalFault>> {
        let sent = self.proposals.board(name, written, None, false);
        match sent.board {
            Some(board) if sent.faults.is_empty() => Ok(board),
            _ => Err(sent.faults),
        }
    }

    fn yaml(&self, name: &str, written: &Map<String, Json>) -> Result<String, String> {
        let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
        let file = json!({SECTION: {name: written}});
        serde_saphyr::to_string_with_options(&file, options).map_err(|error| error.to_string())
    }
}

/// What is the server's to say of a board: it stands in its answers, and whoever sends one back need not take it out.
const ANSWERED: [&str; 5] = ["name", "from", "version", "changed_at", "by"];

/// The keys that are the writer's.
fn own(name: &str, sent: &Map<String, Json>) -> Result<Map<String, Json>, ProposalFault> {
    if let Some(other) = sent
        .get("name")
        .filter(|other| other.as_str() != Some(name))
    {
        return Err(ProposalFault {
            path: "name".to_owned(),
            place: None,
            message: format!("the board is {other} here and '{name}' in the address"),
            suggestion: Some("leave `name` out".to_owned()),
        });
    }
    let mut own = sent.clone();
    own.retain(|key, _| !ANSWERED.contains(&key.as_str()));
    Ok(own)
}

/// No card number is kept that somebody has written into a title or a text.
fn masked(written: Map<String, Json>) -> Map<String, Json> {
    let text = Json::Object(written).to_string();
    // What is masked stays JSON, and an object stays one.
    serde_json::from_str(&mask_json(&text)).unwrap_or_default()
}

/// The board in a YAML text: the text itself, or what its section `boards` holds under the name.
fn read(name: &str, text: &str) -> Result<Node, ProposalFault> {
    let tree = node::parse(text).map_err(|(place, message)| ProposalFault {
        path: ROOT.to_owned(),
        place: Some((place.line, place.column)),
        message,
        suggestion: None,
    })?;
    let Some((_, section)) = tree.entry(SECTION) else {
        return Ok(tree);
    };
    let others = tree.entries().iter();
    if let Some((other, _)) = others
        .into_iter()
        .find(|(key, _)| key.text() != Some(SECTION))
    {
        let other_name = other.text().unwrap_or_default();
        let message = format!("only `{SECTION}` is read here, and not '{other_name}' as well");
        return Err(at(other, message));
    }
    match section.entries() {
        [(key, board)] if key.text() == Some(name) => Ok(board.clone()),
        [(key, _)] => {
            let message = format!(
                "the board is '{}' here and '{name}' in the address",
                key.text().unwrap_or_default()
            );
            Err(at(key, message))
        }
        _ => {
            let message = format!("`{SECTION}` holds one board here, under its name");
            Err(at(section, message))
        }
    }
}

fn at(node: &Node, message: String) -> ProposalFault {
    ProposalFault {
        path: ROOT.to_owned(),
        place: Some((node.place.line, node.place.column)),
        message,
        suggestion: None,
    }
}

/// The boards of a folder, as they are shown and as they are written.
#[must_use]
pub fn of_folder(folder: &Folder) -> Vec<CheckedBoard> {
    let checked = |item: &super::super::folder::Item<super::super::shape::Board>| {
        let tree =
            (folder.files.get(item.file)).and_then(|file| file.tree.find(&[SECTION, &item.name]));
        let written = match tree.map(json_of) {
            Some(Json::Object(written)) => written,
            _ => Map::new(),
        };
        CheckedBoard {
            board: shown(&item.name, &item.value),
            written,
        }
    };
    folder.boards.iter().map(checked).collect()
}

#[cfg(test)]
mod tests;
