//! The schema of a stream: which fields an event has, of which type, and how they become columns.

mod check;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit};

pub use check::{RESERVED_NAMES, name_fault, suggested_name};
pub use parse::{TYPE_NAMES, parse_type};

/// The type of one field, as written in a definition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// UTF-8 text.
    String,
    /// `true` or `false`.
    Bool,
    /// A signed 64-bit integer.
    Int64,
    /// An IEEE 754 double. Never for money.
    Float64,
    /// An exact decimal of `precision` digits, `scale` of them after the point.
    Decimal {
        /// All digits, 1 to 38.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: i8,
    },
    /// An instant, kept in microseconds since 1970-01-01T00:00:00Z.
    Timestamp,
    /// A calendar day without a zone.
    Date,
    /// An ISO 4217 alphabetic currency code.
    Currency,
    /// Any JSON value, kept as its text.
    Json,
}

impl FieldType {
    /// The Arrow type a column of this type has.
    #[must_use]
    pub fn data_type(&self) -> DataType {
        match self {
            Self::String | Self::Currency | Self::Json => DataType::Utf8View,
            Self::Bool => DataType::Boolean,
            Self::Int64 => DataType::Int64,
            Self::Float64 => DataType::Float64,
            Self::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale),
            Self::Timestamp => timestamp_type(),
            Self::Date => DataType::Date32,
        }
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String => f.write_str("string"),
            Self::Bool => f.write_str("bool"),
            Self::Int64 => f.write_str("int64"),
            Self::Float64 => f.write_str("float64"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision}, {scale})"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Date => f.write_str("date"),
            Self::Currency => f.write_str("currency"),
            Self::Json => f.write_str("json"),
        }
    }
}

/// The Arrow type of every instant in Tillwatch: microseconds, UTC.
#[must_use]
pub fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")))
}

/// How the text or number of a time field is read when it is not RFC 3339 or epoch s/ms/µs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeFormat {
    /// A `strptime` pattern, such as `%d-%b-%y`; `None` reads RFC 3339 and epoch numbers.
    pub pattern: Option<String>,
    /// The IANA zone of times written without an offset; UTC when absent.
    pub zone: Option<String>,
}

/// One field of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The column's name.
    pub name: String,
    /// Its type.
    pub kind: FieldType,
    /// Whether it may be absent, null or (in CSV) empty.
    pub optional: bool,
    /// The key in JSON (dots descend into objects) or the CSV column it is read from, when that is not `name`.
    pub from: Option<String>,
    /// How a timestamp or date is read.
    pub format: Option<TimeFormat>,
    /// Texts that mean "no value" besides the empty CSV cell, such as `N/A`; only for optional fields.
    pub null_values: Vec<String>,
}

impl Field {
    /// A field with nothing declared but its name and type.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: FieldType, optional: bool) -> Self {
        Self {
            name: name.into(),
            kind,
            optional,
            from: None,
            format: None,
            null_values: Vec::new(),
        }
    }

    /// The type as written in a definition, with `?` when optional.
    #[must_use]
    pub fn type_text(&self) -> String {
        format!("{}{}", self.kind, if self.optional { "?" } else { "" })
    }

    /// The key or column it is read from.
    #[must_use]
    pub fn source(&self) -> &str {
        self.from.as_deref().unwrap_or(&self.name)
    }
}

/// The schema of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSchema {
    /// The stream's name.
    pub name: String,
    /// The field that identifies an event, for exact deduplication; none means no deduplication by id.
    pub id: Option<String>,
    /// The timestamp or date field that says when the event happened.
    pub time: String,
    /// How long ids are remembered, by time of receipt.
    pub dedup: Duration,
    /// All declared fields, in order of declaration, which is also the columns' order.
    pub fields: Vec<Field>,
}

/// A fault in a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// A type's name is unknown.
    #[error("unknown type '{name}'; {}", type_hint(*.suggestion))]
    UnknownType {
        /// As written.
        name: String,
        /// What was probably meant.
        suggestion: Option<&'static str>,
    },
    /// A type's text does not end as it should.
    #[error("type '{text}' lacks its closing parenthesis")]
    TypeSyntax {
        /// As written.
        text: String,
    },
    /// A type has arguments that it does not take.
    #[error("type '{name}' takes no arguments")]
    TypeArguments {
        /// The type's name.
        name: String,
    },
    /// A decimal without digits, or with digits out of range.
    #[error(
        "'{text}' needs its digits: decimal(precision 1 to 38, scale 0 to precision), such as decimal(18, 2)"
    )]
    DecimalDigits {
        /// As written.
        text: String,
    },
    /// `id` or `time` names a field that is not declared.
    #[error("`{role}` names '{name}', which is not a field{}", hint(.suggestion.as_deref()))]
    UnknownField {
        /// `id` or `time`.
        role: &'static str,
        /// As written.
        name: String,
        /// What was probably meant.
        suggestion: Option<String>,
    },
    /// The id field is optional or of a type that cannot identify.
    #[error("the id field '{name}' is {found}, but must be string or int64 and not optional")]
    IdType {
        /// The field.
        name: String,
        /// Its type as written.
        found: String,
    },
    /// The time field is optional or no time.
    #[error("the time field '{name}' is {found}, but must be timestamp or date and not optional")]
    TimeType {
        /// The field.
        name: String,
        /// Its type as written.
        found: String,
    },
    /// A stream with an id, but no time to remember it.
    #[error("`dedup` must be longer than 0s when the stream has an `id`")]
    NoDedup,
    /// A stream without fields.
    #[error("the stream has no fields")]
    NoFields,
    /// More fields than the limit `fields_max`.
    #[error("the stream has more than {max} fields (limit fields_max)")]
    TooManyFields {
        /// The limit.
        max: usize,
    },
    /// Two fields have one name.
    #[error("the field '{0}' is declared twice")]
    DuplicateField(String),
    /// A name that the tables use themselves.
    #[error("the name '{0}' is reserved")]
    ReservedName(String),
    /// A name that SQL could not use without quotes, or that is too long.
    #[error(
        "the name '{name}' must be lower-case letters, digits and _, not start with a digit and have 1 to {max} bytes{}",
        hint(.suggestion.as_deref())
    )]
    BadName {
        /// As written.
        name: String,
        /// The limit `name_bytes_max`.
        max: usize,
        /// As it could be.
        suggestion: Option<String>,
    },
    /// A field that may not be stored after authorisation.
    #[error(
        "the field '{name}' holds card verification or track data, which may not be stored (PCI DSS 3.3.1); remove it"
    )]
    ForbiddenField {
        /// The field.
        name: String,
    },
    /// A time format on a field that is no time.
    #[error("the field '{name}' has a time format, but is neither timestamp nor date")]
    FormatWithoutTime {
        /// The field.
        name: String,
    },
    /// A zone that the time-zone database does not know.
    #[error("unknown time zone '{0}'; use an IANA name such as Europe/Berlin")]
    UnknownZone(String),
    /// A pattern that cannot be read.
    #[error("the time format '{pattern}' cannot be read: {reason}")]
    TimePattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Texts for "no value" on a required field.
    #[error("the field '{name}' has `nulls`, but is not optional; write its type with a ?")]
    NullsOfRequired {
        /// The field.
        name: String,
    },
    /// More texts for "no value" than the limit `null_values_max`.
    #[error("the field '{name}' has more than {max} `nulls` (limit null_values_max)")]
    TooManyNulls {
        /// The field.
        name: String,
        /// The limit.
        max: usize,
    },
    /// An empty or too deep `from` path.
    #[error("the field '{name}' is read from '{path}', which must have 1 to {max} steps")]
    BadPath {
        /// The field.
        name: String,
        /// As written.
        path: String,
        /// The limit `path_steps_max`.
        max: usize,
    },
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion
        .map(|word| format!("; did you mean '{word}'?"))
        .unwrap_or_default()
}

fn type_hint(suggestion: Option<&str>) -> String {
    match suggestion {
        Some(word) => format!("did you mean '{word}'?"),
        None => {
            "types are string, bool, int64, float64, decimal(p, s), timestamp, date, currency, json"
                .to_owned()
        }
    }
}

impl StreamSchema {
    /// The Arrow schema of a decoded batch: the declared fields and nothing else.
    #[must_use]
    pub fn arrow_schema(&self) -> SchemaRef {
        let fields = self
            .fields
            .iter()
            .map(|f| arrow::datatypes::Field::new(&f.name, f.kind.data_type(), f.optional))
            .collect::<Vec<_>>();
        Arc::new(Schema::new(fields))
    }

    /// The field of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }
}
