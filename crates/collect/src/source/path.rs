//! Where the events stand in a response: a small part of JSONPath (RFC 9535).

use std::fmt;

use crate::decode::json_text::{self, Found};

/// A path such as `$.data.items` or `$.pages[*].events`: names by dot or in brackets, places by
/// number, and `[*]` for every element. What it leads to is an array of events or one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsPath {
    text: String,
    steps: Vec<Step>,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A member of an object.
    Name(String),
    /// An element of an array, counted from 0.
    Index(usize),
    /// Every element of an array.
    Every,
}

/// Why a path cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// Its text is not of the supported form.
    #[error(
        "the path '{path}' cannot be read at character {at}: use $, .name, ['name'], [0] and [*]"
    )]
    Syntax {
        /// As written.
        path: String,
        /// Where, counted from 0.
        at: usize,
    },
    /// The response is not JSON.
    #[error("the response is not JSON: {reason} (at byte {at})")]
    NotJson {
        /// What is wrong.
        reason: String,
        /// Where, counted from 0.
        at: usize,
    },
    /// The response has nothing at the path.
    #[error("the response has nothing at '{path}': {reason}")]
    Nothing {
        /// The path.
        path: String,
        /// Which step fails.
        reason: String,
    },
}

impl EventsPath {
    /// Reads a path.
    ///
    /// # Errors
    /// [`PathError::Syntax`] where it is not of the supported form.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let fault = |rest: &str| PathError::Syntax {
            path: text.to_owned(),
            at: text.chars().count() - rest.chars().count(),
        };
        let mut rest = text.strip_prefix('$').ok_or_else(|| fault(text))?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, tail) = step(rest).ok_or_else(|| fault(rest))?;
            steps.push(step);
            rest = tail;
        }
        // `[*]` at the end says "the elements", which an array stands for anyway.
        if steps.last() == Some(&Step::Every) {
            steps.pop();
        }
        Ok(Self {
            text: text.to_owned(),
            steps,
        })
    }

    /// The JSON text of the events: an array or an object.
    ///
    /// # Errors
    /// When the response is not JSON or has nothing there.
    pub(crate) fn find<'a>(
        &self,
        response: &'a str,
    ) -> Result<std::borrow::Cow<'a, str>, PathError> {
        match json_text::find(response, &self.steps) {
            Found::Text(text) => Ok(text),
            Found::NotJson { reason, at } => Err(PathError::NotJson {
                reason: reason.to_owned(),
                at,
            }),
            Found::Nothing(reason) => Err(PathError::Nothing {
                path: self.text.clone(),
                reason,
            }),
        }
    }
}

impl fmt::Display for EventsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn step(rest: &str) -> Option<(Step, &str)> {
    if let Some(tail) = rest.strip_prefix('.') {
        let end = tail.find(['.', '[']).unwrap_or(tail.len());
        let (name, tail) = tail.split_at(end);
        let plain = !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        return plain.then(|| (Step::Name(name.to_owned()), tail));
    }
    let inner = rest.strip_prefix('[')?;
    for quote in ['\'', '"'] {
        if let Some(quoted) = inner.strip_prefix(quote) {
            let (name, tail) = quoted.split_once(quote)?;
            return Some((Step::Name(name.to_owned()), tail.strip_prefix(']')?));
        }
    }
    let (inside, tail) = inner.split_once(']')?;
    let step = match inside {
        "*" => Step::Every,
        digits => Step::Index(digits.parse().ok()?),
    };
    Some((step, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_the_events() {
        let response = r#" {"data":{"items":[{"a":1},{"a":2}]},"pages":[{"e":[1,2]},{"e":[]},{"e":3}],"x y":{"b":[5]},"n":null} "#;
        for (path, found) in [
            ("$.data.items", r#"[{"a":1},{"a":2}]"#),
            ("$.data.items[*]", r#"[{"a":1},{"a":2}]"#),
            ("$.data.items[1]", r#"{"a":2}"#),
            ("$.pages[*].e", "[1,2,3]"),
            ("$['x y'].b", "[5]"),
            ("$[\"x y\"]['b']", "[5]"),
            ("$.n", "[]"),
            ("$", response.trim()),
        ] {
            let path = EventsPath::parse(path).unwrap();
            assert_eq!(path.find(response).unwrap(), found, "{path}");
        }
        assert_eq!(
            EventsPath::parse("$[*].e")
                .unwrap()
                .find(r#"[{"e":{"a":1}}]"#)
                .unwrap(),
            r#"[{"a":1}]"#
        );
    }

    #[test]
    fn a_path_that_leads_nowhere_says_where_it_ends() {
        for (path, message) in [
            ("$.b", "the response has nothing at '$.b': there is no 'b'"),
            (
                "$.a.b",
                "the response has nothing at '$.a.b': 'b' is looked for in something that is no object",
            ),
            (
                "$.a[3]",
                "the response has nothing at '$.a[3]': the array has no element 3",
            ),
            ("$[0]", "the response has nothing at '$[0]': it is no array"),
        ] {
            let error = EventsPath::parse(path)
                .unwrap()
                .find(r#"{"a":[1]}"#)
                .unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        for response in ["", "{", "{\"a\":[1}", "<html>", "{} x"] {
            let error = EventsPath::parse("$.a")
                .unwrap()
                .find(response)
                .unwrap_err();
            assert!(matches!(error, PathError::NotJson { .. }), "{response}");
        }
    }

    #[test]
    fn a_path_of_another_form_is_refused() {
        for (path, at) in [
            ("", 0),
            ("a", 0),
            ("$.", 1),
            ("$..a", 1),
            ("$.a[", 3),
            ("$.a[x]", 3),
            ("$.a[?(@.b)]", 3),
            ("$['a", 1),
            ("$a", 1),
        ] {
            assert_eq!(
                EventsPath::parse(path),
                Err(PathError::Syntax {
                    path: path.to_owned(),
                    at
                }),
                "{path}"
            );
        }
    }
}
