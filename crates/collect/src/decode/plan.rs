//! A schema prepared for decoding: what each key or column leads to.

use std::collections::HashMap;

use super::json::Token;
use tillwatch_event::{Field, FieldType, SchemaError, StreamSchema, TimeReader};

/// Nodes with more keys than this look keys up in a table.
const LINEAR_KEYS_MAX: usize = 24;

/// One field, prepared.
#[derive(Debug)]
pub(super) struct ColumnPlan {
    pub(super) name: Box<str>,
    pub(super) source: Box<str>,
    pub(super) kind: FieldType,
    pub(super) optional: bool,
    pub(super) nulls: Vec<String>,
    pub(super) time: TimeReader,
    pub(super) has_pattern: bool,
    /// An id cannot be masked: two ids could become one.
    pub(super) is_id: bool,
}

/// A schema, prepared.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) columns: Vec<ColumnPlan>,
    pub(super) root: Node,
    /// How many keys all nodes have together: each has a number below this.
    pub(super) keys: usize,
}

/// The keys that matter in one JSON object.
#[derive(Debug, Default)]
pub(super) struct Node {
    keys: Vec<Key>,
    table: Option<HashMap<Box<[u8]>, usize>>,
}

/// One key and what it leads to: columns, an object, or both.
#[derive(Debug)]
pub(super) struct Key {
    name: Box<[u8]>,
    /// The key as compact JSON has it: quoted, with its colon.
    pub(super) compact: Token,
    pub(super) number: usize,
    /// The column, when there is just one and it takes texts as they are: other than the empty one, and as
    /// far as the guard passes them.
    pub(super) text: Option<usize>,
    pub(super) columns: Vec<usize>,
    pub(super) child: Option<Node>,
}

impl Plan {
    pub(super) fn new(schema: &StreamSchema) -> Result<Self, SchemaError> {
        let mut plan = Self {
            columns: Vec::new(),
            root: Node::default(),
            keys: 0,
        };
        for (index, field) in schema.fields.iter().enumerate() {
            plan.columns.push(ColumnPlan::new(field, schema)?);
            let steps: Vec<&str> = match &field.from {
                Some(path) => path.split('.').collect(),
                None => vec![&field.name],
            };
            plan.root.insert(&steps, index, &mut plan.keys);
        }
        plan.root.index(&plan.columns);
        Ok(plan)
    }
}

impl ColumnPlan {
    fn new(field: &Field, schema: &StreamSchema) -> Result<Self, SchemaError> {
        Ok(Self {
            name: Box::from(field.name.as_str()),
            source: Box::from(field.source()),
            kind: field.kind.clone(),
            optional: field.optional,
            nulls: field.null_values.clone(),
            time: TimeReader::new(field.format.as_ref())?,
            has_pattern: field
                .format
                .as_ref()
                .is_some_and(|format| format.pattern.is_some()),
            is_id: schema.id.as_deref() == Some(field.name.as_str()),
        })
    }
}

impl ColumnPlan {
    fn takes_text(&self) -> bool {
        // An id of blanks only is none, so each is looked at.
        self.kind == FieldType::String && self.nulls.is_empty() && !self.is_id
    }
}

impl Key {
    /// The key's name.
    pub(super) fn name(&self) -> &str {
        std::str::from_utf8(&self.name).unwrap_or_default()
    }
}

impl Node {
    fn insert(&mut self, steps: &[&str], column: usize, keys: &mut usize) {
        let Some((step, rest)) = steps.split_first() else {
            return;
        };
        let at = self
            .keys
            .iter()
            .position(|key| *key.name == *step.as_bytes());
        let at = at.unwrap_or_else(|| {
            self.keys.push(Key {
                name: Box::from(step.as_bytes()),
                compact: compact(step),
                number: *keys,
                text: None,
                columns: Vec::new(),
                child: None,
            });
            *keys += 1;
            self.keys.len() - 1
        });
        let Some(key) = self.keys.get_mut(at) else {
            return;
        };
        if rest.is_empty() {
            key.columns.push(column);
        } else {
            key.child.get_or_insert_default().insert(rest, column, keys);
        }
    }

    fn index(&mut self, columns: &[ColumnPlan]) {
        for key in &mut self.keys {
            if let ([at], None) = (key.columns.as_slice(), &key.child) {
                key.text = columns.get(*at).filter(|c| c.takes_text()).map(|_| *at);
            }
        }
        if self.keys.len() > LINEAR_KEYS_MAX {
            let table = self
                .keys
                .iter()
                .enumerate()
                .map(|(at, key)| (key.name.clone(), at));
            self.table = Some(table.collect());
        }
        for child in self.keys.iter_mut().filter_map(|key| key.child.as_mut()) {
            child.index(columns);
        }
    }

    /// The key that is expected next, if there is one.
    #[inline]
    pub(super) fn expected(&self, expected: usize) -> Option<&Key> {
        self.keys.get(expected)
    }

    /// The key of that name. Events of one producer have their keys in one order, so the key after
    /// the last one found is tried first; `expected` carries that place from call to call.
    #[inline]
    pub(super) fn find(&self, name: &[u8], expected: &mut usize) -> Option<&Key> {
        if let Some(key) = self.keys.get(*expected)
            && *key.name == *name
        {
            *expected += 1;
            return Some(key);
        }
        self.search(name, expected)
    }

    fn search(&self, name: &[u8], expected: &mut usize) -> Option<&Key> {
        let at = match &self.table {
            Some(table) => *table.get(name)?,
            None => self.keys.iter().position(|key| *key.name == *name)?,
        };
        *expected = at + 1;
        self.keys.get(at)
    }

    /// The names of all keys.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.keys
            .iter()
            .filter_map(|key| std::str::from_utf8(&key.name).ok())
    }
}

/// A key with quotes and colon; empty, which matches nothing, when it would need escapes.
fn compact(name: &str) -> Token {
    if name
        .chars()
        .any(|c| c == '"' || c == '\\' || c.is_control())
    {
        return Token::default();
    }
    Token::new(format!("\"{name}\":").as_bytes())
}
