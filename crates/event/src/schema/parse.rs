//! The text of a type, such as `decimal(18, 2)` or `int64?`.

use super::{FieldType, SchemaError};
use crate::suggest;

/// The names of all types, as written in a definition.
pub const TYPE_NAMES: [&str; 9] = [
    "string",
    "bool",
    "int64",
    "float64",
    "decimal",
    "timestamp",
    "date",
    "currency",
    "json",
];

/// Names of other systems and ours for the same thing.
const SYNONYMS: [(&str, &str); 26] = [
    ("text", "string"),
    ("str", "string"),
    ("varchar", "string"),
    ("char", "string"),
    ("utf8", "string"),
    ("uuid", "string"),
    ("boolean", "bool"),
    ("int", "int64"),
    ("integer", "int64"),
    ("int32", "int64"),
    ("bigint", "int64"),
    ("long", "int64"),
    ("float", "float64"),
    ("double", "float64"),
    ("real", "float64"),
    ("number", "decimal(18, 2)"),
    ("numeric", "decimal(18, 2)"),
    ("money", "decimal(18, 2)"),
    ("amount", "decimal(18, 2)"),
    ("datetime", "timestamp"),
    ("timestamptz", "timestamp"),
    ("time", "timestamp"),
    ("day", "date"),
    ("object", "json"),
    ("jsonb", "json"),
    ("map", "json"),
];

/// Reads a type as written in a definition; the second part is whether it ends in `?`.
///
/// # Errors
/// When the name is unknown (with a suggestion) or a decimal's digits are missing or out of range.
pub fn parse_type(text: &str) -> Result<(FieldType, bool), SchemaError> {
    let trimmed = text.trim();
    let (base, optional) = match trimmed.strip_suffix('?') {
        Some(base) => (base.trim_end(), true),
        None => (trimmed, false),
    };
    let (name, arguments) = match base.split_once('(') {
        None => (base, None),
        Some((name, rest)) => {
            let inner = rest
                .strip_suffix(')')
                .ok_or_else(|| SchemaError::TypeSyntax {
                    text: text.to_owned(),
                })?;
            (name.trim_end(), Some(inner))
        }
    };
    let kind = match (name, arguments) {
        ("decimal", Some(arguments)) => decimal(text, arguments)?,
        ("decimal", None) => {
            return Err(SchemaError::DecimalDigits {
                text: text.to_owned(),
            });
        }
        ("string", None) => FieldType::String,
        ("bool", None) => FieldType::Bool,
        ("int64", None) => FieldType::Int64,
        ("float64", None) => FieldType::Float64,
        ("timestamp", None) => FieldType::Timestamp,
        ("date", None) => FieldType::Date,
        ("currency", None) => FieldType::Currency,
        ("json", None) => FieldType::Json,
        (known, Some(_)) if TYPE_NAMES.contains(&known) => {
            return Err(SchemaError::TypeArguments {
                name: known.to_owned(),
            });
        }
        (unknown, _) => return Err(unknown_type(unknown)),
    };
    Ok((kind, optional))
}

fn unknown_type(name: &str) -> SchemaError {
    let lower = name.to_lowercase();
    let suggestion = SYNONYMS
        .iter()
        .find(|(other, _)| *other == lower)
        .map(|(_, ours)| *ours)
        .or_else(|| suggest::closest(name, TYPE_NAMES));
    SchemaError::UnknownType {
        name: name.to_owned(),
        suggestion,
    }
}

fn decimal(text: &str, arguments: &str) -> Result<FieldType, SchemaError> {
    let fault = || SchemaError::DecimalDigits {
        text: text.to_owned(),
    };
    let mut parts = arguments.split(',').map(str::trim);
    let precision = parts
        .next()
        .and_then(|part| part.parse::<u8>().ok())
        .ok_or_else(fault)?;
    let scale = match parts.next() {
        None => 0,
        Some(part) => part.parse::<i8>().map_err(|_| fault())?,
    };
    let fits = i8::try_from(precision).is_ok_and(|precision| scale <= precision);
    if parts.next().is_some() || !(1..=38).contains(&precision) || scale < 0 || !fits {
        return Err(fault());
    }
    Ok(FieldType::Decimal { precision, scale })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_reads_and_writes_back() {
        for text in [
            "string",
            "bool?",
            "int64",
            "float64?",
            "decimal(18, 2)",
            "timestamp",
            "date?",
            "currency",
            "json?",
            "decimal(38, 38)",
            "decimal(1, 0)?",
        ] {
            let (kind, optional) = parse_type(text).unwrap();
            let written = format!("{kind}{}", if optional { "?" } else { "" });
            assert_eq!(written, text);
        }
        assert_eq!(
            parse_type(" decimal( 12,2 ) ? "),
            Ok((
                FieldType::Decimal {
                    precision: 12,
                    scale: 2
                },
                true
            ))
        );
    }

    #[test]
    fn a_wrong_type_is_told_with_a_suggestion() {
        for (text, message) in [
            ("strng", "unknown type 'strng'; did you mean 'string'?"),
            ("Varchar", "unknown type 'Varchar'; did you mean 'string'?"),
            (
                "money",
                "unknown type 'money'; did you mean 'decimal(18, 2)'?",
            ),
            (
                "banana",
                "unknown type 'banana'; types are string, bool, int64, float64, decimal(p, s), timestamp, date, currency, json",
            ),
            (
                "",
                "unknown type ''; types are string, bool, int64, float64, decimal(p, s), timestamp, date, currency, json",
            ),
            (
                "decimal",
                "'decimal' needs its digits: decimal(precision 1 to 38, scale 0 to precision), such as decimal(18, 2)",
            ),
            (
                "decimal(39, 2)",
                "'decimal(39, 2)' needs its digits: decimal(precision 1 to 38, scale 0 to precision), such as decimal(18, 2)",
            ),
            (
                "decimal(2, 3)",
                "'decimal(2, 3)' needs its digits: decimal(precision 1 to 38, scale 0 to precision), such as decimal(18, 2)",
            ),
            (
                "decimal(2, -1)",
                "'decimal(2, -1)' needs its digits: decimal(precision 1 to 38, scale 0 to precision), such as decimal(18, 2)",
            ),
            ("string(10)", "type 'string' takes no arguments"),
            (
                "decimal(18, 2",
                "type 'decimal(18, 2' lacks its closing parenthesis",
            ),
        ] {
            assert_eq!(parse_type(text).unwrap_err().to_string(), message);
        }
    }
}
