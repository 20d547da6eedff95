//! Finds a part of a JSON text by a path, as text.

use std::borrow::Cow;

use super::scan::{Scanner, Syntax};
use super::unescape;
use crate::source::Step;

/// Nesting allowed around and in the events of a response.
const DEPTH_MAX: usize = 64;

/// What stands at a path.
pub(crate) enum Found<'a> {
    /// The text of the value, or of an array of all values.
    Text(Cow<'a, str>),
    /// The text is not JSON.
    NotJson {
        /// What is wrong.
        reason: &'static str,
        /// Where.
        at: usize,
    },
    /// Nothing stands there.
    Nothing(String),
}

enum Fault {
    Syntax(Syntax),
    Nothing(String),
}

impl From<Syntax> for Fault {
    fn from(syntax: Syntax) -> Self {
        Self::Syntax(syntax)
    }
}

/// Finds what stands at `steps`. Values behind `[*]` are put into one array; of arrays their
/// elements. `null` where events are expected is no events.
pub(crate) fn find<'a>(text: &'a str, steps: &[Step]) -> Found<'a> {
    match try_find(text, steps) {
        Ok(found) => Found::Text(found),
        Err(Fault::Syntax(syntax)) => Found::NotJson {
            reason: syntax.reason,
            at: syntax.at,
        },
        Err(Fault::Nothing(reason)) => Found::Nothing(reason),
    }
}

fn try_find<'a>(text: &'a str, steps: &[Step]) -> Result<Cow<'a, str>, Fault> {
    // The whole text is checked first, so that a response cut short never counts as events.
    let mut scanner = Scanner::new(text, DEPTH_MAX);
    scanner.space();
    let start = scanner.at;
    scanner.skip(1)?;
    let end = scanner.at;
    scanner.space();
    if scanner.at < text.len() {
        return Err(Syntax {
            reason: "something follows it",
            at: scanner.at,
        }
        .into());
    }
    let mut values = Vec::new();
    let whole = text.get(start..end).unwrap_or_default();
    walk(whole, steps, &mut values)?;
    if let ([value], false) = (values.as_slice(), steps.contains(&Step::Every)) {
        return Ok(Cow::Borrowed(if *value == "null" { "[]" } else { value }));
    }
    let parts: Vec<&str> = values
        .iter()
        .map(|value| match value.strip_prefix('[') {
            Some(inner) => inner.strip_suffix(']').unwrap_or(inner).trim(),
            None => value,
        })
        .filter(|part| !part.is_empty() && *part != "null")
        .collect();
    Ok(Cow::Owned(format!("[{}]", parts.join(","))))
}

fn walk<'a>(value: &'a str, steps: &[Step], values: &mut Vec<&'a str>) -> Result<(), Fault> {
    let Some((step, rest)) = steps.split_first() else {
        values.push(value);
        return Ok(());
    };
    match step {
        Step::Name(name) => {
            let member = member(value, name)?;
            let member = member.ok_or_else(|| Fault::Nothing(format!("there is no '{name}'")))?;
            walk(member, rest, values)
        }
        Step::Index(index) => {
            let elements = elements(value)?;
            let element = elements.get(*index);
            let missing = || Fault::Nothing(format!("the array has no element {index}"));
            walk(element.ok_or_else(missing)?, rest, values)
        }
        Step::Every => {
            for element in elements(value)? {
                walk(element, rest, values)?;
            }
            Ok(())
        }
    }
}

fn member<'a>(object: &'a str, name: &str) -> Result<Option<&'a str>, Fault> {
    if !object.starts_with('{') {
        let reason = format!("'{name}' is looked for in something that is no object");
        return Err(Fault::Nothing(reason));
    }
    let mut scanner = Scanner::new(object, DEPTH_MAX);
    scanner.at = 1;
    scanner.space();
    if scanner.peek() == Some(b'}') {
        return Ok(None);
    }
    loop {
        scanner.space();
        let quoted = scanner.string()?;
        let key = scanner.slice(quoted.span);
        scanner.colon()?;
        let start = scanner.at;
        scanner.skip(1)?;
        let mut plain = String::new();
        let same = match quoted.escaped {
            true => unescape::push(key, &mut plain).is_ok() && plain == name,
            false => key == name,
        };
        if same {
            return Ok(object.get(start..scanner.at));
        }
        if !scanner.comma(b'}')? {
            return Ok(None);
        }
    }
}

fn elements(array: &str) -> Result<Vec<&str>, Fault> {
    if !array.starts_with('[') {
        return Err(Fault::Nothing("it is no array".to_owned()));
    }
    let mut scanner = Scanner::new(array, DEPTH_MAX);
    scanner.at = 1;
    scanner.space();
    let mut elements = Vec::new();
    if scanner.peek() == Some(b']') {
        return Ok(elements);
    }
    loop {
        scanner.space();
        let start = scanner.at;
        scanner.skip(1)?;
        elements.extend(array.get(start..scanner.at));
        if !scanner.comma(b']')? {
            return Ok(elements);
        }
    }
}
