//! A YAML document as a tree that knows where each part of it stands.
//!
//! Definitions are read into this tree first and into typed shapes second, so that one mistake
//! does not hide the next: every part can be judged, and blamed, on its own.

use std::cell::Cell;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// A place in a file; both numbers start at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where the value begins.
    pub place: Place,
    /// The value.
    pub value: Value,
}

/// A YAML value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing: `~`, `null` or an empty value.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// Any other number. The text is kept by the author in quotes where digits matter.
    Float(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order it is written.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The entry of that name in a mapping, as key and value.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&(Node, Node)> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(key, _)| key.text() == Some(name)),
            _ => None,
        }
    }

    /// The entries of a mapping, in the order they are written; none for anything else.
    #[must_use]
    pub fn entries(&self) -> &[(Node, Node)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value at `path`, names of mapping entries or positions in lists, if there is one.
    #[must_use]
    pub fn find(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |at, step| match &at.value {
            Value::Map(_) => at.entry(step).map(|(_, value)| value),
            Value::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The text of a text node.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The deepest node that exists along `path`: names of mapping entries or positions in lists.
    ///
    /// A fault about something that is missing is thereby shown at what should have held it.
    #[must_use]
    pub fn nearest(&self, path: &[&str]) -> Place {
        let mut at = self;
        let mut place = self.place;
        for step in path {
            let next = match &at.value {
                Value::Map(_) => at.entry(step).map(|(key, value)| (key.place, value)),
                Value::List(items) => step
                    .parse::<usize>()
                    .ok()
                    .and_then(|i| items.get(i))
                    .map(|node| (node.place, node)),
                _ => None,
            };
            let Some((key_place, value)) = next else {
                return place;
            };
            // A mapping is named by its key; a scalar is shown itself.
            place = match value.value {
                Value::Map(_) | Value::List(_) | Value::Null => key_place,
                _ => value.place,
            };
            at = value;
        }
        place
    }

    /// What kind of value this is, in the words of a message.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// Signs of a document that its aliases may stand for in all; following more of them costs time and serves nobody.
const REPLAYED_MAX: usize = 20_000;

/// Levels that lists and mappings stand within each other. The definitions need eight; each takes some 40 KiB of the stack, of which a
/// server's threads have little.
const DEPTH_MAX: usize = 16;

/// Values that a document may have. Each costs some 20 µs, several times over where one definition of a file is changed.
const NODES_MAX: usize = 50_000;

const TOO_DEEP: &str = "lists and mappings stand within each other";

thread_local! {
    /// How deep the node that is being read stands: what an alias brings along counts as well, which the parser does not see.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// One level further down, for as long as this lives.
struct Level;

impl Level {
    fn enter() -> Option<Self> {
        let depth = DEPTH.get();
        // The document itself and what stands innermost are no lists.
        (depth < DEPTH_MAX + 2).then(|| {
            DEPTH.set(depth + 1);
            Self
        })
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get().saturating_sub(1));
    }
}

/// Reads one YAML document.
///
/// # Errors
/// The first syntax error, with its place.
pub fn parse(text: &str) -> Result<Node, (Place, String)> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        strict_booleans: true,
        budget: serde_saphyr::budget! { max_depth: DEPTH_MAX, max_nodes: NODES_MAX },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: REPLAYED_MAX },
    };
    if text
        .lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
    {
        return Ok(Node {
            place: Place { line: 1, column: 1 },
            value: Value::Null,
        });
    }
    serde_saphyr::from_str_with_options::<Node>(text, options).map_err(|error| {
        let place = error
            .location()
            .map_or(Place { line: 1, column: 1 }, |at| Place {
                line: at.line(),
                column: at.column(),
            });
        (place, reason(&error.to_string()))
    })
}

/// The parser's message without the place, which stands in front of it, and without advice to those who program it.
fn reason(message: &str) -> String {
    let message = message
        .rsplit_once(" at line ")
        .map_or(message, |(what, _)| what);
    let repeated = message
        .strip_prefix("duplicate mapping key: ")
        .and_then(|rest| rest.split_once(", set "));
    if message.starts_with("multiple YAML documents") {
        return "a second document begins here; write all of a file's sections into one".to_owned();
    }
    let is_deep = message.starts_with("budget breached") && message.contains("depth");
    if is_deep || message.contains("recursion limit") || message.contains(TOO_DEEP) {
        return format!("{TOO_DEEP} more than {DEPTH_MAX} levels deep");
    }
    if message.starts_with("budget breached") && message.contains("Nodes") {
        return format!(
            "the file has more than {NODES_MAX} values; write some of them into another"
        );
    }
    if message.starts_with("budget breached") || message.starts_with("alias replay limit exceeded")
    {
        return "the file is too large once its aliases are followed; write what they stand for where it is needed".to_owned();
    }
    match repeated {
        Some((key, _)) => format!("the key '{key}' stands here twice; keep one of them"),
        None => message.to_owned(),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let _level = Level::enter().ok_or_else(|| serde::de::Error::custom(TOO_DEEP))?;
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        let place = Place {
            line: spanned.referenced.line(),
            column: spanned.referenced.column(),
        };
        Ok(Self {
            place,
            value: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        // Whole numbers past 2^63 have no use in a definition; as a float they are refused by range.
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Node>()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some((key, value)) = entries.next_entry::<Node, Node>()? {
            // Written as text again and again, a key of keys would grow without end.
            if matches!(key.value, Value::List(_) | Value::Map(_)) {
                return Err(serde::de::Error::custom(
                    "a key is a text, and no list or mapping",
                ));
            }
            map.push((key, value));
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nested_too_deeply_is_refused_on_a_small_stack() {
        let small = std::thread::Builder::new().stack_size(1 << 20);
        let deep = small.spawn(|| {
            for depth in [DEPTH_MAX + 1, 1_000] {
                let lists = format!("x: {}{}\n", "[".repeat(depth), "]".repeat(depth));
                let (_, reason) = parse(&lists).unwrap_err();
                assert!(reason.contains("levels deep"), "{reason}");
            }
            // Each level of aliases is shallow by itself.
            let mut chain = "a0: &a0 [x]\n".to_owned();
            for i in 1..30 {
                chain += &format!("a{i}: &a{i} [[[*a{}]]]\n", i - 1);
            }
            let (_, reason) = parse(&chain).unwrap_err();
            assert!(reason.contains("levels deep"), "{reason}");
            let shallow = format!(
                "x: {}{}\n",
                "[".repeat(DEPTH_MAX - 2),
                "]".repeat(DEPTH_MAX - 2)
            );
            assert!(parse(&shallow).is_ok());
        });
        deep.unwrap().join().unwrap();
    }

    #[test]
    fn a_file_has_no_more_values_than_can_be_looked_at_soon() {
        let keys = |count: usize| (0..count).map(|i| format!("k{i}: 1\n")).collect::<String>();
        assert!(parse(&keys(NODES_MAX / 2 - 1)).is_ok());
        let (_, reason) = parse(&keys(NODES_MAX)).unwrap_err();
        assert!(reason.contains("more than 50000 values"), "{reason}");
    }

    #[test]
    fn a_key_is_no_list_and_no_mapping() {
        for text in ["? ? ? a\n", "[a]: b\n", "{a: b}: c\n"] {
            let (_, reason) = parse(text).unwrap_err();
            assert!(reason.contains("a key is a text"), "{text}: {reason}");
        }
    }

    #[test]
    fn every_value_knows_where_it_stands() {
        let tree =
            parse("streams:\n  payments:\n    id: event_id\n    fields: {a: int64, b: 'x'}\n")
                .unwrap();
        assert_eq!(
            tree.nearest(&["streams", "payments", "id"]),
            Place { line: 3, column: 9 }
        );
        assert_eq!(
            tree.nearest(&["streams", "payments"]),
            Place { line: 2, column: 3 }
        );
        assert_eq!(
            tree.nearest(&["streams", "payments", "fields", "b"]),
            Place {
                line: 4,
                column: 27
            }
        );
        assert_eq!(
            tree.nearest(&["streams", "payments", "time"]),
            Place { line: 2, column: 3 }
        );
    }

    #[test]
    fn numbers_and_country_codes_keep_their_meaning() {
        let tree = parse("a: 10s\nb: 0.5\nc: no\nd: 3\ne: 2026-11-01\nf: true\ng:\n").unwrap();
        let Value::Map(entries) = tree.value else {
            panic!()
        };
        let values: Vec<_> = entries.into_iter().map(|(_, v)| v.value).collect();
        assert_eq!(
            values,
            [
                Value::Text("10s".into()),
                Value::Float(0.5),
                Value::Text("no".into()),
                Value::Int(3),
                Value::Text("2026-11-01".into()),
                Value::Bool(true),
                Value::Null,
            ]
        );
    }

    #[test]
    fn a_syntax_error_and_a_repeated_key_have_a_place() {
        let (place, _) = parse("a: [1, 2\nb: 3\n").unwrap_err();
        assert!(place.line >= 1);
        let (place, message) = parse("a: 1\nb: 2\na: 3\n").unwrap_err();
        assert_eq!(place.line, 3, "{message}");
    }

    #[test]
    fn a_second_document_and_aliases_without_end_are_told_in_words() {
        let (place, message) = parse("a: 1\n---\nb: 2\n").unwrap_err();
        assert!(place.line >= 2, "{message}");
        assert!(
            message.starts_with("a second document begins here"),
            "{message}"
        );
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for n in 1..9 {
            let list = vec![format!("*a{}", n - 1); 9].join(",");
            bomb.push_str(&format!("a{n}: &a{n} [{list}]\n"));
        }
        let (_, message) = parse(&bomb).unwrap_err();
        assert!(message.contains("aliases"), "{message}");
    }
}
