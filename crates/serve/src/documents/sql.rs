//! Questions in SQL and their answers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A question in SQL.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlRequest {
    /// One reading statement.
    #[schema(
        example = "select psp, measure(authorization_rate) from payment_attempts group by psp"
    )]
    pub sql: String,
    /// At most this many rows, if that is fewer than the server's limit.
    pub rows_max: Option<usize>,
    /// At most this long, if that is shorter than the server's limit.
    pub timeout_ms: Option<u64>,
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SqlColumn {
    /// Its name.
    pub name: String,
    /// Its type, in the words of definitions: `string`, `int64`, `decimal(18,2)`, `timestamp` …
    #[serde(rename = "type")]
    pub kind: String,
}

/// An answer: columns and rows.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SqlAnswer {
    /// Names and types.
    pub columns: Vec<SqlColumn>,
    /// One array of values per row. Decimals and integers beyond 2^53 are texts, times RFC 3339.
    #[schema(value_type = Vec<Vec<Object>>)]
    pub rows: Vec<Vec<serde_json::Value>>,
}
