//! Definitions that are sent rather than read from a file: JSON as a tree whose places are its paths.

use serde_json::{Map, Value as Json};
use tillwatch_serve::adapters::ProposalFault;

use super::fault::Fault;
use super::node::{Node, Place, Value};

/// How the paths of a tree are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathStyle {
    /// `monitor.by.1`: below the name of the whole, positions between dots.
    Named,
    /// `panels[2].metric`: positions in brackets. The name stands for the whole alone.
    Bare,
}

/// The places of a tree that no file holds: each line is one of its paths.
pub struct Places {
    root: &'static str,
    style: PathStyle,
    spots: Vec<Spot>,
}

/// One place.
#[derive(Clone)]
struct Spot {
    path: String,
    /// The same as names and positions, from the root.
    steps: Vec<String>,
}

impl Places {
    /// None yet, of a tree that is called `root`.
    #[must_use]
    pub fn new(root: &'static str, style: PathStyle) -> Self {
        Self {
            root,
            style,
            spots: Vec::new(),
        }
    }

    /// A section with one item in it.
    pub fn section(&mut self, name: &str, written: &Map<String, Json>) -> Node {
        let root = Spot {
            path: self.root.to_owned(),
            steps: Vec::new(),
        };
        let place = self.place(root.clone());
        let key = Node {
            place,
            value: Value::Text(name.to_owned()),
        };
        let item = Node {
            place,
            value: self.map(&root, written),
        };
        Node {
            place,
            value: Value::Map(vec![(key, item)]),
        }
    }

    fn place(&mut self, spot: Spot) -> Place {
        self.spots.push(spot);
        Place {
            line: self.spots.len() as u64,
            column: 1,
        }
    }

    fn below(&self, spot: &Spot, step: String, is_position: bool) -> Spot {
        let is_bare = self.style == PathStyle::Bare;
        let path = match (is_bare, is_position) {
            (true, true) => format!("{}[{step}]", spot.path),
            (true, false) if spot.steps.is_empty() => step.clone(),
            _ => format!("{}.{step}", spot.path),
        };
        let mut steps = spot.steps.clone();
        steps.push(step);
        Spot { path, steps }
    }

    fn map(&mut self, spot: &Spot, written: &Map<String, Json>) -> Value {
        let mut entries = Vec::with_capacity(written.len());
        for (name, value) in written {
            let spot = self.below(spot, name.clone(), false);
            let place = self.place(spot.clone());
            let key = Node {
                place,
                value: Value::Text(name.clone()),
            };
            let value = self.value(&spot, value);
            entries.push((key, Node { place, value }));
        }
        Value::Map(entries)
    }

    fn value(&mut self, spot: &Spot, written: &Json) -> Value {
        match written {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Value::Int(whole),
                (None, number) => Value::Float(number.unwrap_or(f64::NAN)),
            },
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(list) => {
                let mut nodes = Vec::with_capacity(list.len());
                for (at, item) in list.iter().enumerate() {
                    let spot = self.below(spot, at.to_string(), true);
                    let place = self.place(spot.clone());
                    let value = self.value(&spot, item);
                    nodes.push(Node { place, value });
                }
                Value::List(nodes)
            }
            Json::Object(map) => self.map(spot, map),
        }
    }

    /// A fault with its path for its place, and with its line and column in the text that the tree was read from, if it
    /// was read from one.
    #[must_use]
    pub fn told(&self, fault: &Fault, text: Option<&Node>) -> ProposalFault {
        let at = usize::try_from(fault.line).unwrap_or_default();
        let spot = at.checked_sub(1).and_then(|at| self.spots.get(at));
        let place = text.map(|tree| {
            let steps = spot.map_or(&[][..], |spot| spot.steps.as_slice());
            let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
            let place = tree.nearest(&steps);
            (place.line, place.column)
        });
        ProposalFault {
            path: spot.map_or_else(|| self.root.to_owned(), |spot| spot.path.clone()),
            place,
            message: fault.message.clone(),
            suggestion: fault.suggestion.clone(),
        }
    }
}

/// A tree below a key.
#[must_use]
pub fn under(key: &str, tree: Node) -> Node {
    let place = tree.place;
    let key = Node {
        place,
        value: Value::Text(key.to_owned()),
    };
    Node {
        place,
        value: Value::Map(vec![(key, tree)]),
    }
}

/// A tree as JSON, as a server is sent it.
#[must_use]
pub fn json_of(tree: &Node) -> Json {
    match &tree.value {
        Value::Null => Json::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::Text(text) => text.clone().into(),
        Value::List(list) => list.iter().map(json_of).collect(),
        Value::Map(entries) => {
            let named = entries.iter().map(|(key, value)| {
                let name = match json_of(key) {
                    Json::String(name) => name,
                    other => other.to_string(),
                };
                (name, json_of(value))
            });
            Json::Object(named.collect())
        }
    }
}
