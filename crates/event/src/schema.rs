//! The schema of a stream: which fields an event has, of which type, and how they become columns.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit};

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
    /// A type's text could not be read.
    #[error("unknown type '{0}'")]
    UnknownType(String),
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
