//! Secrets that stand in a definitions file, where the name of an environment variable should.
//!
//! Channels take none but by name. Options of the history's store, headers of a source and addresses may hold one: such a file is
//! neither shown nor written over HTTP, also while it is no YAML.

use super::super::node::{Node, Place, Value};

/// Words in the name of a setting or a header that holds a secret.
const WORDS: [&str; 11] = [
    "secret",
    "token",
    "password",
    "passwd",
    "credential",
    "auth",
    "session",
    "signature",
    "cookie",
    "key",
    "sas",
];

/// What a parameter of an address that holds a secret is called, alone or behind another word and `_`.
const PARAMETERS: [&str; 9] = [
    "secret",
    "token",
    "password",
    "passwd",
    "signature",
    "sig",
    "apikey",
    "api_key",
    "access_key",
];

/// Sections in which a setting may hold one.
const SECTIONS: [&str; 3] = ["history", "sources", "channels"];

/// The place of the first secret in a file, and the key that holds it.
#[must_use]
pub fn find(tree: &Node) -> Option<(Place, String)> {
    let items = |section: &str| tree.find(&[section]).map(Node::entries).unwrap_or_default();
    let options = tree.find(&["history", "options"]).into_iter();
    let sources = items("sources").iter();
    let headers = sources.filter_map(|(_, source)| source.find(&["headers"]));
    let channels = items("channels").iter().map(|(_, channel)| channel);
    in_addresses(tree).or_else(|| options.chain(headers).chain(channels).find_map(among))
}

/// The same of a text that is no YAML: while somebody writes on it a line tells what it holds, and the last line without a blank
/// before it which section that is of.
#[must_use]
pub fn find_in_text(text: &str) -> Option<(Place, String)> {
    let mut may_hold = true;
    text.lines().zip(1..).find_map(|(line, number)| {
        if let Some((section, _)) = line.split_once(':')
            && !line.starts_with([' ', '\t', '#', '-', '{', '"', '\''])
        {
            may_hold = SECTIONS.contains(&section.trim_end());
        }
        let told = if is_open_address(line) {
            Some("an address".to_owned())
        } else {
            Some(line).filter(|_| may_hold).and_then(setting)
        };
        let place = Place {
            line: number,
            column: 1,
        };
        told.map(|what| (place, what))
    })
}

/// The key of a line that is called like a secret and has a value of its own.
fn setting(line: &str) -> Option<String> {
    line.match_indices(':').find_map(|(at, _)| {
        let (before, behind) = (line.get(..at)?, line.get(at + 1..)?);
        let key = before.rsplit(['{', ',', ' ', '\t']).next()?;
        let key = key.trim_matches(['"', '\'']);
        let value = behind.trim_start();
        // A mapping or a list below it holds settings of its own, and a comment nothing.
        let is_own = !value.is_empty() && !value.starts_with(['{', '[', '#']);
        let value = value.trim_start_matches(['"', '\'']);
        (is_own && is_secret(key) && !is_variable(value)).then(|| key.to_owned())
    })
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    WORDS.iter().any(|word| key.contains(word))
}

/// Whether a value is the name of a variable alone: what stands behind one is a value.
fn is_variable(value: &str) -> bool {
    let name = value.strip_prefix("env:");
    let name = name.map(|name| name.split(['"', '\'', ',', '}']).next().unwrap_or_default());
    name.is_some_and(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

fn among(settings: &Node) -> Option<(Place, String)> {
    settings.entries().iter().find_map(|(key, value)| {
        let name = key.text()?;
        let literal = match &value.value {
            Value::Text(text) => !is_variable(text) && !text.is_empty(),
            Value::Null => false,
            _ => true,
        };
        (is_secret(name) && literal).then(|| (value.place, name.to_owned()))
    })
}

/// A password or a key in an address, wherever it stands.
fn in_addresses(node: &Node) -> Option<(Place, String)> {
    match &node.value {
        Value::Text(text) => is_open_address(text).then(|| (node.place, "an address".to_owned())),
        Value::List(items) => items.iter().find_map(in_addresses),
        Value::Map(entries) => entries.iter().find_map(|(_, value)| in_addresses(value)),
        _ => None,
    }
}

/// Whether a text has an address with a password, or with a parameter that is a secret.
fn is_open_address(text: &str) -> bool {
    text.match_indices("://").any(|(at, sign)| {
        let rest = text.get(at + sign.len()..).unwrap_or_default();
        let rest = rest
            .split([' ', '\t', '"', '\''])
            .next()
            .unwrap_or_default();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        let asked = rest.split_once('?').map_or("", |(_, asked)| asked);
        let mut parameters = asked
            .split(['&', ';'])
            .filter_map(|one| one.split_once('='));
        user.is_some_and(|user| user.contains(':'))
            || parameters.any(|(name, value)| {
                let name = name.to_ascii_lowercase().replace('-', "_");
                let is_it = |word: &str| {
                    let rest = name.strip_suffix(word);
                    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
                };
                !value.is_empty() && PARAMETERS.into_iter().any(is_it)
            })
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::node::parse;
    use super::*;

    #[test]
    fn what_should_be_a_variable_is_found_and_what_is_one_is_not() {
        let place = |text: &str| {
            let found = find(&parse(text).unwrap());
            found.map(|(place, name)| (place.line, name))
        };
        let sound = "history: {url: s3://b/f, options: {aws_region: eu, aws_secret_access_key: env:KEY}}\n\
            sources: {s: {url: https://u@x.example/y, headers: {Accept: a, Authorization: env:AUTH}}}\n";
        assert_eq!(place(sound), None);
        for (text, line, name) in [
            (
                "history:\n  options: {aws_secret_access_key: hunter2}\n",
                2,
                "aws_secret_access_key",
            ),
            (
                "sources:\n  s:\n    headers:\n      X-Api-Key: 12\n",
                4,
                "X-Api-Key",
            ),
            (
                "sources:\n  s: {headers: {Authorization: Bearer x}}\n",
                2,
                "Authorization",
            ),
            (
                "sources:\n  s:\n    url: https://me:pass@x.example/\n",
                3,
                "an address",
            ),
            (
                "sources:\n  s: {url: 'https://x.example/o?page=1&api-key=hunter2'}\n",
                2,
                "an address",
            ),
            (
                "sources:\n  s: {headers: {X-Session: hunter2}}\n",
                2,
                "X-Session",
            ),
            (
                "channels:\n  c: {kind: email, password: hunter2}\n",
                2,
                "password",
            ),
            (
                "channels:\n  c: {routing_key: env:hunter2 literal}\n",
                2,
                "routing_key",
            ),
        ] {
            assert_eq!(place(text), Some((line, name.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_no_yaml_yet_is_shown_unless_a_line_of_it_holds_a_secret() {
        let place = |text: &str| {
            assert!(parse(text).is_err(), "{text}");
            find_in_text(text).map(|(place, name)| (place.line, name))
        };
        // What payments are called is no secret.
        for sound in [
            "metrics:\n  authorization_rate: {of: a, expr: authorized / n}\n  auth: 1\nbad: [1\n",
            "cubes:\n  c: {measures: {authorized: count(*), keys: count(key)}}\nbad: [1\n",
            "sources:\n  s: {headers: {Authorization: env:AUTH, \"Cookie\": \"env:COOKIE\"}}\nbad: [1\n",
            "sources:\n  s: {url: https://x.example/o?sort_key=id&keyword=a}\nbad: [1\n",
            "channels:\n  tokens:   # of each\n    secret:\n bad: [1\n",
        ] {
            assert_eq!(place(sound), None, "{sound}");
        }
        for (text, line, name) in [
            (
                "sources:\n  s: {headers: {Authorization: Bearer x}}\nbad: [1\n",
                2,
                "Authorization",
            ),
            (
                "history: {options: {aws_secret_access_key: x}}\n---\nmonitors: {}\n",
                1,
                "aws_secret_access_key",
            ),
            (
                "channels:\n  c:\n    \"password\": hunter2\nbad: [1\n",
                3,
                "password",
            ),
            (
                "{channels: {c: {password: hunter2}}, bad: [1\n",
                1,
                "password",
            ),
            (
                "boards:\n  b: {text: see https://me:pass@x.example/}\nbad: [1\n",
                2,
                "an address",
            ),
        ] {
            assert_eq!(place(text), Some((line, name.to_owned())), "{text}");
        }
    }
}
