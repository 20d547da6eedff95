//! A text as lines, and which of them a definition in block style has.

use super::super::node::{self, Node, Place, Value};
use super::{Refusal, same};

/// The lines of a text, each with its end.
pub(super) struct Lines<'t> {
    all: Vec<&'t str>,
}

/// A definition among the lines of a text, which are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// The line with its name.
    pub(super) first: usize,
    /// The line behind its last one.
    pub(super) behind: usize,
    /// The blanks before its name.
    pub(super) indent: usize,
    /// Whether nothing but a comment stands behind its name.
    pub(super) opens: bool,
}

/// A section in block style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// The line with its name.
    pub(super) line: usize,
    /// Its definitions, in order.
    pub(super) items: Vec<(String, Result<Extent, Refusal>)>,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self {
            all: text.split_inclusive('\n').collect(),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// A line without its end.
    pub(super) fn line(&self, at: usize) -> &'t str {
        let line = self.all.get(at).copied().unwrap_or_default();
        line.trim_end_matches('\n').trim_end_matches('\r')
    }

    /// The lines from one to before another, as they are.
    pub(super) fn text(&self, first: usize, behind: usize) -> String {
        self.all.get(first..behind).unwrap_or_default().concat()
    }

    /// What ends the lines of a text, told by its first one.
    pub(super) fn end(&self) -> &'static str {
        match self.all.first() {
            Some(line) if line.ends_with("\r\n") => "\r\n",
            _ => "\n",
        }
    }

    /// Whether the last line has no end.
    pub(super) fn is_open(&self) -> bool {
        self.all.last().is_some_and(|line| !line.ends_with('\n'))
    }
}

/// The blanks at the begin of a line.
pub(super) fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Whether a line holds nothing, or a comment alone.
pub(super) fn is_idle(line: &str) -> bool {
    let text = line.trim_start();
    text.is_empty() || text.starts_with('#')
}

/// Whether a line ends a document or begins another.
fn is_marker(line: &str) -> bool {
    let begins = |marker: &str| {
        line.strip_prefix(marker)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
    };
    begins("...") || begins("---")
}

/// What stands behind a key at `column` (from 1) of a line: nothing but blanks before the key, and a colon behind it.
fn behind_key<'l>(line: &'l str, column: u64, key: &str) -> Option<&'l str> {
    let at = usize::try_from(column).ok()?.checked_sub(1)?;
    if indent_of(line) != at {
        return None;
    }
    let text = line.get(at..)?;
    let rest = [key.to_owned(), format!("'{key}'"), format!("\"{key}\"")]
        .iter()
        .find_map(|written| text.strip_prefix(written.as_str()))?;
    let rest = rest.trim_start_matches(' ').strip_prefix(':')?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then_some(rest)
}

/// Whether nothing but a comment stands behind a key.
fn is_bare(rest: &str) -> bool {
    is_idle(rest)
}

fn index(place: Place) -> usize {
    usize::try_from(place.line).unwrap_or(1).saturating_sub(1)
}

/// The section of that name in a text that was read as `tree`; `None` when it has none.
pub(super) fn section(
    lines: &Lines<'_>,
    tree: &Node,
    name: &str,
) -> Result<Option<Section>, Refusal> {
    let Some(at) = (tree.entries().iter()).position(|(key, _)| key.text() == Some(name)) else {
        return Ok(None);
    };
    let entries = tree.entries();
    let Some((key, items)) = entries.get(at) else {
        return Ok(None);
    };
    let line = index(key.place);
    let flow = |place: Place| {
        Refusal::new(
            place,
            format!(
                "`{name}` is not written line by line below its name, so its lines cannot be told apart"
            ),
        )
    };
    match behind_key(lines.line(line), key.place.column, name) {
        Some(rest) if key.place.column == 1 && is_bare(rest) => {}
        _ => return Err(flow(key.place)),
    }
    // Where the next section begins.
    let below = match entries.get(at + 1) {
        Some((next, _)) => index(next.place),
        None => lines.count(),
    };
    if below <= line {
        return Err(flow(key.place));
    }
    let mut found = Vec::new();
    let children = items.entries();
    for (child_at, (child, value)) in children.iter().enumerate() {
        let Some(child_name) = child.text() else {
            return Err(Refusal::new(child.place, "this key is no name"));
        };
        let next = children.get(child_at + 1);
        let behind = next.map_or(below, |(next, _)| index(next.place));
        // One whose lines cannot be told hinders no other.
        let extent = extent(lines, child, child_name, value, behind);
        found.push((child_name.to_owned(), extent));
    }
    if children.is_empty() && !matches!(items.value, Value::Null | Value::Map(_)) {
        return Err(flow(key.place));
    }
    Ok(Some(Section { line, items: found }))
}

/// The lines of one definition, at most up to before `behind`.
fn extent(
    lines: &Lines<'_>,
    key: &Node,
    name: &str,
    value: &Node,
    behind: usize,
) -> Result<Extent, Refusal> {
    let first = index(key.place);
    let refused = |reason: &str| Refusal::new(key.place, format!("'{name}' {reason}"));
    let Some(rest) = behind_key(lines.line(first), key.place.column, name) else {
        return Err(refused("does not stand on a line of its own"));
    };
    let indent = indent_of(lines.line(first));
    if behind <= first {
        return Err(refused("shares its line with another"));
    }
    let mut end = first + 1;
    for at in first + 1..behind {
        let line = lines.line(at);
        if is_marker(line) {
            break;
        }
        if !line.trim().is_empty() && (!is_idle(line) || indent_of(line) > indent) {
            end = at + 1;
        }
    }
    let extent = Extent {
        first,
        behind: end,
        indent,
        opens: is_bare(rest),
    };
    // Read alone these lines have to hold what they hold in the file: then no anchor from elsewhere and no line that was
    // taken for a comment belongs to them.
    let alone = node::parse(&dedented(lines, extent)).ok();
    let holds_the_same = alone.is_some_and(|tree| match tree.entries() {
        [(found, held)] => found.text() == Some(name) && same(held, value),
        _ => false,
    });
    if holds_the_same {
        Ok(extent)
    } else {
        Err(refused(
            "cannot be read by its lines alone; an anchor, an alias or a text over several lines may be why",
        ))
    }
}

/// The lines of a definition as if its name stood at the begin of a line.
pub(super) fn dedented(lines: &Lines<'_>, extent: Extent) -> String {
    let mut text = String::new();
    for at in extent.first..extent.behind {
        let line = lines.line(at);
        let cut = indent_of(line).min(extent.indent);
        text.push_str(line.get(cut..).unwrap_or_default());
        text.push('\n');
    }
    text
}
