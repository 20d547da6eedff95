//! Secrets that stand in a definitions file, where the name of an environment variable should.
//!
//! Channels take none but by name. Options of the history's store and headers of a source may hold one: such a file is neither
//! shown nor written over HTTP.

use super::super::node::{Node, Place, Value};

/// Words in the name of an option or a header that holds a secret.
const WORDS: [&str; 9] = [
    "secret",
    "token",
    "password",
    "passwd",
    "credential",
    "authorization",
    "cookie",
    "key",
    "sas",
];

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
        options.chain(headers).find_map(among)
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
