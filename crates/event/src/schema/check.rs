//! Whether a schema can work: every fault is found, not only the first.

use std::collections::HashMap;

use super::{Field, FieldType, SchemaError, StreamSchema, TimeFormat};
use crate::limits::SchemaLimits;
use crate::{guard, suggest, time};

/// Names that the tables of a stream or cube use themselves.
pub const RESERVED_NAMES: [&str; 1] = ["bucket"];

impl StreamSchema {
    /// Every fault of the schema; empty when it can work.
    #[must_use]
    pub fn faults(&self, limits: &SchemaLimits) -> Vec<SchemaError> {
        let mut faults = Vec::new();
        faults.extend(name_fault(&self.name, limits));
        if self.fields.is_empty() {
            faults.push(SchemaError::NoFields);
        }
        if self.fields.len() > limits.fields_max {
            faults.push(SchemaError::TooManyFields {
                max: limits.fields_max,
            });
        }
        for field in &self.fields {
            field_faults(field, limits, &mut faults);
        }
        duplicate_faults(&self.fields, &mut faults);
        faults.extend(self.id_fault());
        faults.extend(self.time_fault());
        if self.id.is_some() && self.dedup.is_zero() {
            faults.push(SchemaError::NoDedup);
        }
        faults
    }

    fn named(&self, role: &'static str, name: &str) -> Result<&Field, SchemaError> {
        self.field(name).ok_or_else(|| SchemaError::UnknownField {
            role,
            name: name.to_owned(),
            suggestion: suggest::closest(name, self.fields.iter().map(|f| f.name.as_str()))
                .map(str::to_owned),
        })
    }

    fn id_fault(&self) -> Option<SchemaError> {
        let field = match self.named("id", self.id.as_deref()?) {
            Ok(field) => field,
            Err(fault) => return Some(fault),
        };
        let typed = matches!(field.kind, FieldType::String | FieldType::Int64);
        (!typed || field.optional).then(|| SchemaError::IdType {
            name: field.name.clone(),
            found: field.type_text(),
        })
    }

    fn time_fault(&self) -> Option<SchemaError> {
        let field = match self.named("time", &self.time) {
            Ok(field) => field,
            Err(fault) => return Some(fault),
        };
        let typed = matches!(field.kind, FieldType::Timestamp | FieldType::Date);
        (!typed || field.optional).then(|| SchemaError::TimeType {
            name: field.name.clone(),
            found: field.type_text(),
        })
    }
}

/// The fault of a name of a stream, field, cube or metric, if it has one.
///
/// Names are lower-case words joined by `_`, because SQL folds names without quotes to lower case.
#[must_use]
pub fn name_fault(name: &str, limits: &SchemaLimits) -> Option<SchemaError> {
    if RESERVED_NAMES.contains(&name) || name.starts_with("__") {
        return Some(SchemaError::ReservedName(name.to_owned()));
    }
    let first = name
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_lowercase() || b == b'_');
    let rest = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    (!first || !rest || name.len() > limits.name_bytes_max).then(|| SchemaError::BadName {
        name: name.to_owned(),
        max: limits.name_bytes_max,
        suggestion: suggested_name(name, limits.name_bytes_max),
    })
}

/// The name as it could be: `PO / SO #` becomes `po_so`.
#[must_use]
pub fn suggested_name(name: &str, bytes_max: usize) -> Option<String> {
    let mut out = String::new();
    let mut lower_before = false;
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && lower_before {
                out.push('_');
            }
            if out.is_empty() && c.is_ascii_digit() {
                out.push('n');
            }
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        lower_before = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    out.truncate(bytes_max);
    let trimmed = out.trim_end_matches('_');
    (!trimmed.is_empty() && !RESERVED_NAMES.contains(&trimmed)).then(|| trimmed.to_owned())
}

fn field_faults(field: &Field, limits: &SchemaLimits, faults: &mut Vec<SchemaError>) {
    faults.extend(name_fault(&field.name, limits));
    if guard::is_forbidden_name(&field.name)
        || field.from.as_deref().is_some_and(|from| {
            // A step may be plain and its path not, as in `card.cid`.
            guard::is_forbidden_name(from) || from.split('.').any(guard::is_forbidden_name)
        })
    {
        faults.push(SchemaError::ForbiddenField {
            name: field.name.clone(),
        });
    }
    if let FieldType::Decimal { precision, scale } = field.kind
        && (!(1..=38).contains(&precision)
            || scale < 0
            || i8::try_from(precision).is_ok_and(|precision| scale > precision))
    {
        faults.push(SchemaError::DecimalDigits {
            text: field.kind.to_string(),
        });
    }
    if let Some(format) = &field.format {
        if matches!(field.kind, FieldType::Timestamp | FieldType::Date) {
            faults.extend(format_faults(format));
        } else {
            faults.push(SchemaError::FormatWithoutTime {
                name: field.name.clone(),
            });
        }
    }
    if !field.null_values.is_empty() && !field.optional {
        faults.push(SchemaError::NullsOfRequired {
            name: field.name.clone(),
        });
    }
    if field.null_values.len() > limits.null_values_max {
        faults.push(SchemaError::TooManyNulls {
            name: field.name.clone(),
            max: limits.null_values_max,
        });
    }
    if let Some(from) = &field.from
        && (from.is_empty() || from.split('.').count() > limits.path_steps_max)
    {
        faults.push(SchemaError::BadPath {
            name: field.name.clone(),
            path: from.clone(),
            max: limits.path_steps_max,
        });
    }
}

/// Both the pattern and the zone can be at fault.
fn format_faults(format: &TimeFormat) -> Vec<SchemaError> {
    let fault = |pattern: Option<&String>, zone: Option<&String>| {
        let part = TimeFormat {
            pattern: pattern.cloned(),
            zone: zone.cloned(),
        };
        time::TimeReader::new(Some(&part)).err()
    };
    let (pattern, zone) = (format.pattern.as_ref(), format.zone.as_ref());
    let mut faults: Vec<SchemaError> = [fault(pattern, None), fault(None, zone)]
        .into_iter()
        .flatten()
        .collect();
    if faults.is_empty() {
        // What only both together make impossible.
        faults.extend(fault(pattern, zone));
    }
    faults
}

fn duplicate_faults(fields: &[Field], faults: &mut Vec<SchemaError>) {
    let mut names: HashMap<&str, usize> = HashMap::new();
    for field in fields {
        let seen = names.entry(&field.name).or_default();
        *seen += 1;
        if *seen == 2 {
            faults.push(SchemaError::DuplicateField(field.name.clone()));
        }
    }
}
