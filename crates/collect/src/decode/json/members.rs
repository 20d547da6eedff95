//! The members of an object with their values as they are written, so that no digit of a number is lost.

use super::scan::{Scanner, Syntax};
use super::unescape;

/// Nesting that is looked into.
const DEPTH_MAX: usize = 128;

/// A value, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Written<'a> {
    Null,
    Bool(bool),
    /// With all its digits.
    Number(&'a str),
    Text(String),
    /// The text of an object.
    Object(&'a str),
    /// The text of an array.
    Array(&'a str),
}

/// The members of the object that `text` is; `None` when it is something else, or no JSON.
pub(crate) fn members(text: &str) -> Option<Vec<(String, Written<'_>)>> {
    read(&mut Scanner::new(text, DEPTH_MAX)).ok().flatten()
}

fn read<'a>(scanner: &mut Scanner<'a>) -> Result<Option<Vec<(String, Written<'a>)>>, Syntax> {
    scanner.space();
    if scanner.peek() != Some(b'{') {
        return Ok(None);
    }
    scanner.at += 1;
    let mut found = Vec::new();
    scanner.space();
    if scanner.peek() == Some(b'}') {
        scanner.at += 1;
    } else {
        loop {
            scanner.space();
            let key = string(scanner)?;
            scanner.colon()?;
            found.push((key, value(scanner)?));
            if !scanner.comma(b'}')? {
                break;
            }
        }
    }
    scanner.space();
    Ok((scanner.peek().is_none()).then_some(found))
}

fn value<'a>(scanner: &mut Scanner<'a>) -> Result<Written<'a>, Syntax> {
    let start = scanner.at;
    let first = scanner.peek();
    if first == Some(b'"') {
        return string(scanner).map(Written::Text);
    }
    if let Some(b't' | b'f' | b'n') = first {
        return Ok(scanner.literal()?.map_or(Written::Null, Written::Bool));
    }
    scanner.skip(2)?;
    let text = scanner.text.get(start..scanner.at).unwrap_or_default();
    Ok(match first {
        Some(b'{') => Written::Object(text),
        Some(b'[') => Written::Array(text),
        _ => Written::Number(text),
    })
}

fn string(scanner: &mut Scanner<'_>) -> Result<String, Syntax> {
    let quoted = scanner.string()?;
    let raw = scanner.slice(quoted.span);
    if !quoted.escaped {
        return Ok(raw.to_owned());
    }
    let mut text = String::with_capacity(raw.len());
    let at = quoted.span.start;
    unescape::push(raw, &mut text).map_err(|reason| Syntax { reason, at })?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_as_they_are_written() {
        let text = r#" {"a\u0041": 12345678901234567.89, "b" :{"c":[1]} , "d":[1, 2],"e":"x\ny","f":null,"g":true,"h":-1e3} "#;
        let named = |name: &str, value| (name.to_owned(), value);
        assert_eq!(
            members(text).unwrap(),
            [
                named("aA", Written::Number("12345678901234567.89")),
                named("b", Written::Object(r#"{"c":[1]}"#)),
                named("d", Written::Array("[1, 2]")),
                named("e", Written::Text("x\ny".to_owned())),
                named("f", Written::Null),
                named("g", Written::Bool(true)),
                named("h", Written::Number("-1e3")),
            ]
        );
        assert_eq!(members("{}"), Some(Vec::new()));
        for text in ["", "[1]", "{\"a\":1", "{\"a\":01}", "{} x", "7"] {
            assert_eq!(members(text), None, "{text}");
        }
    }
}
