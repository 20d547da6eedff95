//! Changes of single files and definitions, as texts: nothing here touches a disk.

pub mod body;
pub mod file_name;
mod lines;
pub mod secrets;
pub mod splice;
#[cfg(test)]
mod tests;

use super::node::{Node, Place, Value};

/// The sections whose definitions can be written one by one.
pub const SECTIONS: [&str; 3] = ["monitors", "calendars", "maintenance"];

/// Why a text is not changed by itself, and the place where people can do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Where.
    pub place: Place,
    /// Why.
    pub reason: String,
}

impl Refusal {
    fn new(place: Place, reason: impl Into<String>) -> Self {
        Self {
            place,
            reason: reason.into(),
        }
    }
}

/// Whether two trees hold the same, wherever it stands.
#[must_use]
pub fn same(one: &Node, other: &Node) -> bool {
    match (&one.value, &other.value) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            let pairs = || a.iter().zip(b);
            a.len() == b.len() && pairs().all(|(a, b)| same(&a.0, &b.0) && same(&a.1, &b.1))
        }
        _ => false,
    }
}
