//! One definition of a file replaced, added or removed by its lines, with every other byte as it was.
//!
//! What was written is not believed: the text that comes out is read again, and must hold what the one before held, but for
//! that definition.

use super::super::node::{self, Node, Place, Value};
use super::body::Body;
use super::lines::{Extent, Lines, Section, dedented, section};
use super::{Refusal, same};

/// Where a definition stands in a text, and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The line of its name, from 1.
    pub line: u64,
    /// Its keys as they are written, without the indentation of the file.
    pub yaml: String,
}

/// A text with a definition in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spliced {
    /// The text.
    pub text: String,
    /// The line of the definition's name, from 1; of one that was removed, where it stood.
    pub line: u64,
}

/// The definition of that name as its lines hold it.
///
/// # Errors
/// Its lines cannot be told from others.
pub fn find(text: &str, section_name: &str, name: &str) -> Result<Option<Found>, Refusal> {
    let tree = read(text)?;
    let lines = Lines::of(text);
    let Some(section) = section(&lines, &tree, section_name)? else {
        return Ok(None);
    };
    let Some(extent) = extent_of(&section, name)? else {
        return Ok(None);
    };
    let whole = dedented(&lines, extent);
    let yaml = if extent.opens {
        // Its name's line says nothing that the name does not.
        let (_, below) = whole.split_once('\n').unwrap_or_default();
        without_indent(below)
    } else {
        let (_, value) = whole.split_once(':').unwrap_or_default();
        value.trim_start_matches(' ').to_owned()
    };
    Ok(Some(Found {
        line: extent.first as u64 + 1,
        yaml,
    }))
}

/// The text with a definition in the place of that of its name, or behind the last of its section, or in a section that is
/// put at the end.
///
/// # Errors
/// The lines that would have to be written cannot be told from others.
pub fn put(text: &str, section_name: &str, name: &str, body: &Body) -> Result<Spliced, Refusal> {
    let tree = read(text)?;
    let lines = Lines::of(text);
    let end = lines.end();
    let found = section(&lines, &tree, section_name)?;
    let spliced = match &found {
        None => {
            let mut head = text.to_owned();
            if lines.is_open() {
                head.push_str(end);
            }
            if lines.count() > 0 && !lines.line(lines.count() - 1).trim().is_empty() {
                head.push_str(end);
            }
            head.push_str(section_name);
            head.push(':');
            head.push_str(end);
            let line = Lines::of(&head).count();
            head.push_str(&body.lines(name, 2, end));
            Spliced {
                text: head,
                line: line as u64 + 1,
            }
        }
        Some(section) => match extent_of(section, name)? {
            Some(extent) => replaced(&lines, extent, name, body),
            None => added(&lines, section, name, body)?,
        },
    };
    let expected = with(&tree, section_name, name, Some(&body.tree));
    check(spliced, &expected, section_name, name)
}

/// The text without a definition.
///
/// # Errors
/// Its lines cannot be told from others, or there is none.
pub fn remove(text: &str, section_name: &str, name: &str) -> Result<Spliced, Refusal> {
    let tree = read(text)?;
    let lines = Lines::of(text);
    let found = section(&lines, &tree, section_name)?;
    let extent = match &found {
        Some(section) => extent_of(section, name)?,
        None => None,
    };
    let Some(extent) = extent else {
        let reason = format!("there is no '{name}' in `{section_name}`");
        return Err(Refusal::new(tree.place, reason));
    };
    let mut rest = lines.text(0, extent.first);
    rest.push_str(&lines.text(extent.behind, lines.count()));
    let spliced = Spliced {
        text: rest,
        line: extent.first as u64 + 1,
    };
    let expected = with(&tree, section_name, name, None);
    check(spliced, &expected, section_name, name)
}

fn read(text: &str) -> Result<Node, Refusal> {
    // YAML takes it for the end of a line, and so the lines would be counted otherwise.
    if let Some(at) = (text.match_indices('\r'))
        .find(|(at, _)| text.as_bytes().get(at + 1) != Some(&b'\n'))
        .map(|(at, _)| at)
    {
        let before = text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() as u64 + 1;
        let place = Place { line, column: 1 };
        return Err(Refusal::new(place, "this line ends with CR alone"));
    }
    node::parse(text).map_err(|(place, reason)| Refusal::new(place, reason))
}

fn extent_of(section: &Section, name: &str) -> Result<Option<Extent>, Refusal> {
    let mut items = section.items.iter();
    let found = items.find(|(found, _)| found == name);
    found.map(|(_, extent)| extent.clone()).transpose()
}

fn replaced(lines: &Lines<'_>, extent: Extent, name: &str, body: &Body) -> Spliced {
    let end = lines.end();
    // The line of the name stays where it says nothing else: a comment may stand behind the name.
    let keeps_name = extent.opens && body.is_block();
    let from = extent.first + usize::from(keeps_name);
    let mut text = lines.text(0, from);
    let mut new = if keeps_name {
        body.below(extent.indent, end)
    } else {
        body.lines(name, extent.indent, end)
    };
    // The file keeps its last line without an end.
    if extent.behind == lines.count() && lines.is_open() {
        new.truncate(new.len() - end.len());
    }
    text.push_str(&new);
    text.push_str(&lines.text(extent.behind, lines.count()));
    Spliced {
        text,
        line: extent.first as u64 + 1,
    }
}

fn added(
    lines: &Lines<'_>,
    section: &Section,
    name: &str,
    body: &Body,
) -> Result<Spliced, Refusal> {
    let end = lines.end();
    let last = section.items.last().map(|(_, extent)| extent.clone());
    let last = last.transpose()?;
    let behind = last.map_or(section.line + 1, |extent| extent.behind);
    let indent = last.map_or(2, |extent| extent.indent);
    let mut text = lines.text(0, behind);
    if !text.ends_with('\n') {
        text.push_str(end);
    }
    // Where a blank line is between the others, one is before this.
    let spaced = section.items.len() > 1
        && last.is_some_and(|extent| lines.line(extent.first - 1).trim().is_empty());
    if spaced {
        text.push_str(end);
    }
    let line = Lines::of(&text).count() as u64 + 1;
    text.push_str(&body.lines(name, indent, end));
    text.push_str(&lines.text(behind, lines.count()));
    Ok(Spliced { text, line })
}

/// A tree with another value for a definition, or without it.
fn with(tree: &Node, section: &str, name: &str, value: Option<&Node>) -> Node {
    let place = Place::default();
    let key = |text: &str| Node {
        place,
        value: Value::Text(text.to_owned()),
    };
    let mut sections = tree.entries().to_vec();
    if !sections
        .iter()
        .any(|(found, _)| found.text() == Some(section))
    {
        let none = Node {
            place,
            value: Value::Null,
        };
        sections.push((key(section), none));
    }
    for (_, items) in (sections.iter_mut()).filter(|(found, _)| found.text() == Some(section)) {
        let mut entries = items.entries().to_vec();
        let at = (entries.iter()).position(|(found, _)| found.text() == Some(name));
        match (at.and_then(|at| entries.get_mut(at)), value) {
            (Some((_, held)), Some(value)) => *held = value.clone(),
            (None, Some(value)) => entries.push((key(name), value.clone())),
            (_, None) => entries.retain(|(found, _)| found.text() != Some(name)),
        }
        items.value = if entries.is_empty() {
            Value::Null
        } else {
            Value::Map(entries)
        };
    }
    Node {
        place: tree.place,
        value: Value::Map(sections),
    }
}

/// What came out, if it holds what it is to hold.
fn check(spliced: Spliced, expected: &Node, section: &str, name: &str) -> Result<Spliced, Refusal> {
    let place = Place {
        line: spliced.line,
        column: 1,
    };
    let found = node::parse(&spliced.text).ok();
    if found.is_some_and(|tree| same(&tree, expected)) {
        return Ok(spliced);
    }
    let reason = format!(
        "'{name}' in `{section}` cannot be changed without a change to what stands around it"
    );
    Err(Refusal::new(place, reason))
}

/// Lines without the blanks that all of them begin with.
fn without_indent(text: &str) -> String {
    let filled = || text.lines().filter(|line| !line.trim().is_empty());
    let indent = filled().map(super::lines::indent_of).min().unwrap_or(0);
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let cut = super::lines::indent_of(line).min(indent);
        out.push_str(line.get(cut..).unwrap_or_default());
        out.push('\n');
    }
    out
}
