//! One object: from its text to a row.

use super::scan::{Quoted, Scanner, Syntax};
use super::unescape;
use crate::decode::cell::{Cell, Input, Row, convert};
use crate::decode::fault::Fault;
use crate::decode::plan::{Key, Node, Plan};
use tillwatch_event::FieldType;

/// Why an object is not taken.
pub(super) enum ObjectFault {
    /// It is not JSON: where it ends is not known.
    Syntax(Syntax),
    /// It is JSON, but no event of this stream.
    Event(Fault),
}

impl From<Syntax> for ObjectFault {
    fn from(syntax: Syntax) -> Self {
        Self::Syntax(syntax)
    }
}

impl From<Fault> for ObjectFault {
    fn from(fault: Fault) -> Self {
        Self::Event(fault)
    }
}

/// Reads objects into rows; its buffers are used again for each.
pub(super) struct ObjectReader<'d> {
    plan: &'d Plan,
    pub(super) row: Row,
    /// For each key the number of the object it was last seen in, to find keys given twice.
    seen: Vec<u64>,
    object: u64,
    pub(super) unknown_fields: u64,
}

impl<'d> ObjectReader<'d> {
    pub(super) fn new(plan: &'d Plan) -> Self {
        Self {
            plan,
            row: Row::new(plan.columns.len()),
            seen: vec![0; plan.keys],
            object: 0,
            unknown_fields: 0,
        }
    }

    /// Reads the object at the scanner's place into the row. The texts of the row lie in the
    /// scanner's text.
    #[inline]
    pub(super) fn read(&mut self, scanner: &mut Scanner<'_>) -> Result<(), ObjectFault> {
        self.row.clear();
        self.object += 1;
        self.unknown_fields = 0;
        let plan = self.plan;
        self.members(scanner, &plan.root, 1)?;
        self.row.complete(&plan.columns)?;
        Ok(())
    }

    /// The members of an object whose brace is at the scanner's place.
    fn members(
        &mut self,
        scanner: &mut Scanner<'_>,
        node: &Node,
        depth: usize,
    ) -> Result<(), ObjectFault> {
        scanner.check_depth(depth)?;
        scanner.expect(b'{', "expected an object")?;
        scanner.space();
        if scanner.peek() == Some(b'}') {
            scanner.at += 1;
            return Ok(());
        }
        let mut expected = 0;
        loop {
            scanner.space();
            // Events of one producer look alike: mostly the key is the one expected, or the one after it
            // where an optional one is left out, written as compactly as can be; one comparison finds it.
            let key = match eat_key(scanner, node, &mut expected) {
                Some(key) => {
                    scanner.space();
                    Some(key)
                }
                None => find_key(scanner, node, &mut expected)?,
            };
            match key {
                Some(key) => self.value(scanner, key, depth)?,
                None => {
                    self.unknown_fields += 1;
                    scanner.skip(depth + 1)?;
                }
            }
            if !scanner.comma(b'}')? {
                return Ok(());
            }
        }
    }

    #[inline]
    fn value(
        &mut self,
        scanner: &mut Scanner<'_>,
        key: &Key,
        depth: usize,
    ) -> Result<(), ObjectFault> {
        if let Some(seen) = self.seen.get_mut(key.number)
            && std::mem::replace(seen, self.object) == self.object
        {
            let column = key
                .columns
                .first()
                .and_then(|at| self.plan.columns.get(*at));
            return Err(match column {
                Some(column) => Fault::field(&column.name, "is given twice").into(),
                None => Fault::line(format!("the key '{}' is given twice", key.name())).into(),
            });
        }
        let start = scanner.at;
        if let Some(index) = key.text
            && scanner.peek() == Some(b'"')
        {
            let quoted = scanner.string()?;
            let cell = if quoted.harmless && !quoted.span.is_empty() {
                Cell::Source {
                    start: quoted.span.start,
                    end: quoted.span.end,
                }
            } else {
                let Some(column) = self.plan.columns.get(index) else {
                    return Ok(());
                };
                convert(column, quoted.input(scanner), &mut self.row.scratch)?
            };
            self.row.set(index, cell);
            return Ok(());
        }
        if let Some(child) = &key.child {
            match scanner.peek() {
                Some(b'{') => self.members(scanner, child, depth + 1)?,
                Some(b'n') => drop(scanner.literal()?),
                _ => {
                    scanner.skip(depth + 1)?;
                    let reason =
                        format!("'{}' must be an object with {}", key.name(), names(child));
                    return Err(Fault::line(reason).into());
                }
            }
            if key.columns.is_empty() {
                return Ok(());
            }
            scanner.at = start;
        }
        let (input, is_null) = read_value(scanner, depth)?;
        let end = scanner.at;
        for index in &key.columns {
            let Some(column) = self.plan.columns.get(*index) else {
                continue;
            };
            // A JSON field keeps any value as it is written, only null is none.
            let input = if column.kind == FieldType::Json && !is_null {
                Input::Json {
                    text: scanner.text.get(start..end).unwrap_or_default(),
                    at: start,
                }
            } else {
                input
            };
            let cell = convert(column, input, &mut self.row.scratch)?;
            self.row.set(*index, cell);
        }
        Ok(())
    }
}

/// The key that is expected, or the one after it, if it stands there as compactly as can be.
#[inline]
fn eat_key<'n>(scanner: &mut Scanner<'_>, node: &'n Node, expected: &mut usize) -> Option<&'n Key> {
    let key = node.expected(*expected)?;
    if scanner.eat(&key.compact) {
        *expected += 1;
        return Some(key);
    }
    let key = node.expected(*expected + 1)?;
    if scanner.eat(&key.compact) {
        *expected += 2;
        return Some(key);
    }
    None
}

/// Reads a key with its colon, and finds it among those of the node.
fn find_key<'n>(
    scanner: &mut Scanner<'_>,
    node: &'n Node,
    expected: &mut usize,
) -> Result<Option<&'n Key>, ObjectFault> {
    let quoted = scanner.string()?;
    let name = scanner.slice(quoted.span);
    scanner.colon()?;
    if !quoted.escaped {
        return Ok(node.find(name.as_bytes(), expected));
    }
    let mut plain = String::new();
    unescape::push(name, &mut plain).map_err(|reason| Fault::line(format!("a key {reason}")))?;
    Ok(node.find(plain.as_bytes(), expected))
}

impl Quoted {
    #[inline]
    fn input<'a>(self, scanner: &Scanner<'a>) -> Input<'a> {
        Input::Text {
            text: scanner.slice(self.span),
            at: self.span.start,
            escaped: self.escaped,
        }
    }
}

/// The value at the scanner's place, and whether it is null.
#[inline]
fn read_value<'a>(scanner: &mut Scanner<'a>, depth: usize) -> Result<(Input<'a>, bool), Syntax> {
    let start = scanner.at;
    Ok(match scanner.peek() {
        Some(b'"') => (scanner.string()?.input(scanner), false),
        Some(b'-' | b'0'..=b'9') => {
            let span = scanner.number()?;
            (Input::Number(scanner.slice(span)), false)
        }
        Some(b'{' | b'[') => {
            scanner.skip(depth + 1)?;
            let text = scanner.text.get(start..scanner.at).unwrap_or_default();
            (Input::Json { text, at: start }, false)
        }
        _ => match scanner.literal()? {
            Some(value) => (Input::Bool(value), false),
            None => (Input::Null, true),
        },
    })
}

fn names(node: &Node) -> String {
    node.names()
        .map(|name| format!("'{name}'"))
        .collect::<Vec<_>>()
        .join(", ")
}
