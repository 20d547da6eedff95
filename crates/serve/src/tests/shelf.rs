//! Boards of a folder, and a catalogue for others.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tillwatch_monitor::catalogue::Catalogue;

use crate::Limits;
use crate::adapters::{BoardDefinitions, CheckedBoard, KeptAnnotations, KeptBoards, ProposalFault};
use crate::documents::{Board, BoardPlace};
use crate::ports::{Annotations, BoardText, Boards};

/// Boards of a folder that has one, or none. Others need a title, and a `fault` in them is one; YAML is read where it is JSON
/// as well.
#[derive(Default)]
pub(super) struct Shelf {
    boards: Vec<CheckedBoard>,
}

impl Shelf {
    pub(super) fn with(boards: Vec<Board>) -> Self {
        let checked = |board: Board| CheckedBoard {
            written: Map::from_iter([("title".to_owned(), json!(board.title))]),
            board,
        };
        Self {
            boards: boards.into_iter().map(checked).collect(),
        }
    }

    /// These boards, and no saved ones yet.
    pub(super) fn kept(self, limits: &Limits) -> Arc<dyn Boards> {
        let catalogue = Arc::new(Catalogue::in_memory().unwrap());
        Arc::new(KeptBoards::new(Arc::new(self), catalogue, limits))
    }
}

/// No annotations yet.
pub(super) fn annotations(limits: &Limits) -> Arc<dyn Annotations> {
    let catalogue = Arc::new(Catalogue::in_memory().unwrap());
    Arc::new(KeptAnnotations::new(catalogue, limits))
}

impl BoardDefinitions for Shelf {
    fn boards(&self) -> &[CheckedBoard] {
        &self.boards
    }

    fn checked(&self, name: &str, text: &BoardText) -> Result<CheckedBoard, Vec<ProposalFault>> {
        let written = match text {
            BoardText::Json(written) => written.clone(),
            BoardText::Yaml(text) => serde_json::from_str(text).unwrap(),
        };
        let board = self.shown(name, &written)?;
        Ok(CheckedBoard { board, written })
    }

    fn shown(&self, name: &str, written: &Map<String, Value>) -> Result<Board, Vec<ProposalFault>> {
        let fault = |path: &str, message: &str| ProposalFault {
            path: path.to_owned(),
            place: Some((3, 5)),
            message: message.to_owned(),
            suggestion: Some("did you mean 'payments'?".to_owned()),
        };
        if written.contains_key("fault") {
            let path = "panels[2].metric";
            return Err(vec![
                fault(path, "there is no metric 'paymens'"),
                fault("board", "is odd"),
            ]);
        }
        let title = written.get("title").cloned().unwrap_or_default();
        let title = serde_json::from_value(title);
        Ok(Board {
            name: name.to_owned(),
            title: title.map_err(|_| vec![fault("title", "is missing")])?,
            tiles: Vec::new(),
            charts: Vec::new(),
            panels: Vec::new(),
            incidents: true,
            from: BoardPlace::Folder,
            version: None,
            changed_at: None,
            by: None,
        })
    }

    fn yaml(&self, name: &str, written: &Map<String, Value>) -> Result<String, String> {
        Ok(json!({"boards": {name: written}}).to_string())
    }
}
