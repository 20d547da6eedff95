//! Secrets that stand in a definitions file, where the name of an environment variable should.
//!
//! Channels take none but by name. Options of the history's store, headers of a source and addresses may hold one: such a file is
//! neither shown nor written over HTTP, also while it is no YAML.

use super::super::node::{Node, Place, Value};

/// Words in the name of an option or a header that holds a secret.
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

/// The place of the first line that looks as if it held a secret, in a text that is no YAML: as long as somebody writes on it
/// nobody can tell what stands where.
#[must_use]
pub fn find_in_text(text: &str) -> Option<(Place, String)> {
    let lines = text.lines().zip(1..);
    lines.into_iter().find_map(|(line, number)| {
        let lower = line.to_ascii_lowercase();
        let word = WORDS.iter().find(|word| {
            let rest = lower.split_once(**word).map(|(_, rest)| rest);
            let value = rest
                .and_then(|rest| rest.split_once(':'))
                .map(|(_, value)| value);
            let value = value
                .unwrap_or_default()
                .trim_start_matches([' ', '"', '\'']);
            !value.is_empty() && !value.starts_with("env:")
        });
        let has_user = lower
            .split_once("://")
            .is_some_and(|(_, rest)| rest.contains('@'));
        let what = word.copied().or(has_user.then_some("an address"))?;
        let place = Place {
            line: number,
            column: 1,
        };
        Some((place, what.to_owned()))
    })
}

/// The place of the first secret in a file, and the key that holds it.
#[must_use]
pub fn find(tree: &Node) -> Option<(Place, String)> {
    in_urls(tree).or_else(|| {
        let options = tree.find(&["history", "options"]).into_iter();
        let sources = tree
            .find(&["sources"])
            .map(Node::entries)
            .unwrap_or_default();
        let headers = (sources.iter()).filter_map(|(_, source)| source.find(&["headers"]));
        let channels = tree
            .find(&["channels"])
            .map(Node::entries)
            .unwrap_or_default();
        let channels = channels.iter().map(|(_, channel)| channel);
        options.chain(headers).chain(channels).find_map(among)
    })
}

fn among(settings: &Node) -> Option<(Place, String)> {
    settings.entries().iter().find_map(|(key, value)| {
        let name = key.text()?;
        let lower = name.to_ascii_lowercase();
        let is_secret = WORDS.iter().any(|word| lower.contains(word));
        let literal = match &value.value {
            Value::Text(text) => !text.starts_with("env:") && !text.is_empty(),
            Value::Null => false,
            _ => true,
        };
        (is_secret && literal).then(|| (value.place, name.to_owned()))
    })
}

/// A password in an address, wherever it stands.
fn in_urls(node: &Node) -> Option<(Place, String)> {
    match &node.value {
        Value::Text(text) => {
            let (_, rest) = text.split_once("://")?;
            let asked = rest.split_once('?').map_or("", |(_, asked)| asked);
            let named = asked
                .split(['&', ';'])
                .filter_map(|one| one.split_once('='));
            let mut named = named.map(|(name, _)| name.to_ascii_lowercase());
            if named.any(|name| name == "sig" || WORDS.iter().any(|word| name.contains(word))) {
                return Some((node.place, "an address".to_owned()));
            }
            let authority = rest.split(['/', '?', '#', ' ']).next()?;
            let (user, _) = authority.rsplit_once('@')?;
            user.contains(':')
                .then(|| (node.place, "an address".to_owned()))
        }
        Value::List(items) => items.iter().find_map(in_urls),
        Value::Map(entries) => entries.iter().find_map(|(_, value)| in_urls(value)),
        _ => None,
    }
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
        ] {
            assert_eq!(place(text), Some((line, name.to_owned())), "{text}");
        }
    }
}
