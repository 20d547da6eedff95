//! The names that become columns in SQL: derived columns, dimensions and measures.
//!
//! Names of fields are checked with their stream, names of items where they are read, by [`check_name`].

use tillwatch_event::SchemaLimits;
use tillwatch_event::schema::{RESERVED_NAMES, name_fault};

use super::fault::Fault;
use super::folder::Folder;
use super::resolve::split_hint;
use super::shape;

/// Checks every name that becomes a column.
pub fn columns(folder: &Folder, faults: &mut Vec<Fault>) {
    for item in &folder.streams {
        for name in item.value.derive.keys() {
            let path = ["streams", item.name.as_str(), "derive", name];
            check(folder, item.file, &path, name, faults);
        }
    }
    for item in &folder.cubes {
        let base = ["cubes", item.name.as_str()];
        for (index, dimension) in item.value.dimensions.iter().enumerate() {
            // A name alone is that of a column of the stream.
            let shape::Dimension::Expression(pairs) = dimension else {
                continue;
            };
            let index = index.to_string();
            for name in pairs.keys() {
                let path = [base[0], base[1], "dimensions", index.as_str(), name];
                check(folder, item.file, &path, name, faults);
            }
        }
        for name in item.value.measures.keys() {
            check(
                folder,
                item.file,
                &[base[0], base[1], "measures", name],
                name,
                faults,
            );
        }
    }
}

fn check(folder: &Folder, file: usize, path: &[&str], name: &str, faults: &mut Vec<Fault>) {
    let Some(error) = name_fault(name, &SchemaLimits::default()) else {
        return;
    };
    // A cube itself refuses a second column for its buckets.
    if path.starts_with(&["cubes"]) && RESERVED_NAMES.contains(&name) {
        return;
    }
    let (message, suggestion) = split_hint(&error.to_string());
    let hint = "choose another; a name is words of a-z, 0-9 and _ that begin with a letter";
    let suggestion = suggestion.or_else(|| Some(hint.to_owned()));
    faults.push(folder.fault_at_key(file, path, message).suggest(suggestion));
}

/// Names are SQL identifiers without quotes: they become tables, columns and URL parts.
pub fn check_name(name: &str) -> Result<(), String> {
    let mut chars = name.chars();
    let good = chars
        .next()
        .is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && name.len() <= 63;
    if good {
        Ok(())
    } else {
        Err(format!(
            "'{name}' is no name; use a-z, 0-9 and _, beginning with a letter, at most 63 characters"
        ))
    }
}
