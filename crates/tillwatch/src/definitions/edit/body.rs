//! One definition as it is sent.

use std::fmt::Write as _;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::super::node::{self, Node, Place, Value};
use super::lines::{Lines, dedented, indent_of, is_idle, section};
use super::same;

/// What indents a level of a definition that is written here.
const STEP: usize = 2;

/// One definition: what it holds, and its lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    /// What it holds.
    pub tree: Node,
    /// Its lines, the first of them at the begin of a line, without empty ones at either end.
    block: Vec<String>,
}

/// Why what was sent is no definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// Where in the text that was sent.
    pub place: Place,
    /// Why.
    pub reason: String,
    /// What to do about it.
    pub suggestion: Option<String>,
}

impl Unfit {
    fn new(place: Place, reason: impl Into<String>) -> Self {
        Self {
            place,
            reason: reason.into(),
            suggestion: None,
        }
    }
}

impl Body {
    /// Reads the keys of a definition, or a section with it alone, from YAML or JSON. Comments stay where it is written line
    /// by line.
    ///
    /// # Errors
    /// It cannot be read, or is something else.
    pub fn read(text: &str, section_name: &str, name: &str) -> Result<Self, Unfit> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let text = text.replace("\r\n", "\n");
        let tree = node::parse(&text).map_err(|(place, reason)| Unfit::new(place, reason))?;
        let whole = Lines::of(&text);
        let (tree, lines) = match tree.entry(section_name) {
            None => (tree.clone(), text.clone()),
            Some((key, items)) => {
                let held = alone(&tree, key, items, section_name, name)?;
                let found = section(&whole, &tree, section_name).ok().flatten();
                let extent = found.and_then(|section| {
                    let (_, extent) = section.items.into_iter().next()?;
                    extent.ok()
                });
                let lines = match extent {
                    Some(extent) if extent.opens => {
                        let own = dedented(&whole, extent);
                        own.split_once('\n').map(|(_, below)| below.to_owned())
                    }
                    _ => None,
                };
                (held.clone(), lines.unwrap_or_default())
            }
        };
        if !matches!(tree.value, Value::Map(_)) {
            let what = format!("found {}, expected the keys of a definition", tree.kind());
            return Err(Unfit::new(tree.place, what));
        }
        // JSON is made lines that people read.
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&lines).is_ok();
        let mut body = Self {
            block: block_of(&if is_json { written(&tree) } else { lines }),
            tree,
        };
        if !body.holds() {
            body.block = block_of(&written(&body.tree));
        }
        if !body.holds() {
            let place = body.tree.place;
            return Err(Unfit::new(
                place,
                "this cannot be written line by line; send it without anchors, aliases and tags",
            ));
        }
        Ok(body)
    }

    /// Whether its lines hold what it holds, wherever they stand.
    fn holds(&self) -> bool {
        let text = self.lines("x", 4, "\n");
        let read = node::parse(&format!("s:\n{text}")).ok();
        let found = read.as_ref().and_then(|tree| tree.find(&["s", "x"]));
        !self.block.is_empty() && found.is_some_and(|found| same(found, &self.tree))
    }

    /// Whether it stands on lines of its own, below its name.
    #[must_use]
    pub fn is_block(&self) -> bool {
        !self.block.is_empty()
    }

    /// Its lines below its name, which has `indent` blanks before it.
    #[must_use]
    pub fn below(&self, indent: usize, end: &str) -> String {
        let mut out = String::new();
        let blanks = " ".repeat(indent + STEP);
        for line in &self.block {
            if !line.is_empty() {
                out.push_str(&blanks);
                out.push_str(line);
            }
            out.push_str(end);
        }
        out
    }

    /// Its lines, with its name.
    #[must_use]
    pub fn lines(&self, name: &str, indent: usize, end: &str) -> String {
        let mut out = String::new();
        // Writing to a `String` cannot fail.
        let _ = write!(out, "{}{name}:{end}", " ".repeat(indent));
        out.push_str(&self.below(indent, end));
        out
    }
}

/// The only definition of the only section.
fn alone<'t>(
    tree: &'t Node,
    key: &Node,
    items: &'t Node,
    section_name: &str,
    name: &str,
) -> Result<&'t Node, Unfit> {
    let mut others = tree.entries().iter();
    if let Some((other, _)) = others.find(|(other, _)| other.text() != Some(section_name)) {
        let other_name = other.text().unwrap_or_default();
        let reason = format!("only `{section_name}` is read here, and not '{other_name}' as well");
        return Err(Unfit::new(other.place, reason));
    }
    match items.entries() {
        [(found, held)] if found.text() == Some(name) => Ok(held),
        [(found, _)] => {
            let reason = format!(
                "this is '{}' here and '{name}' in the address",
                found.text().unwrap_or_default()
            );
            Err(Unfit::new(found.place, reason))
        }
        _ => Err(Unfit::new(
            key.place,
            format!("`{section_name}` holds one definition here, under its name"),
        )),
    }
}

/// The lines of a text from the first that holds something to the last, without the blanks that they all begin with.
fn block_of(text: &str) -> Vec<String> {
    let all: Vec<&str> = text.lines().collect();
    let is_marker = |line: &str| line == "---" || line == "...";
    let filled = |line: &&str| !line.trim().is_empty() && !is_marker(line);
    let Some(first) = all.iter().position(&filled) else {
        return Vec::new();
    };
    let last = all.iter().rposition(filled).unwrap_or(first);
    let own = all.get(first..=last).unwrap_or_default();
    let content = own.iter().filter(|line| !is_idle(line));
    let indent = content.map(|line| indent_of(line)).min().unwrap_or(0);
    let cut = |line: &&str| {
        let cut = indent_of(line).min(indent);
        let rest = line.get(cut..).unwrap_or_default();
        if rest.trim().is_empty() {
            String::new()
        } else {
            rest.to_owned()
        }
    };
    own.iter().map(cut).collect()
}

/// A tree as YAML, line by line.
#[must_use]
pub fn written(tree: &Node) -> String {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(&Written(tree), options).unwrap_or_default()
}

/// A tree, as it is serialized.
struct Written<'t>(&'t Node);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0.value {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::Float(value) => serializer.serialize_f64(*value),
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(list) => {
                let mut items = serializer.serialize_seq(Some(list.len()))?;
                for item in list {
                    items.serialize_element(&Written(item))?;
                }
                items.end()
            }
            Value::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(&Written(key), &Written(value))?;
                }
                map.end()
            }
        }
    }
}
