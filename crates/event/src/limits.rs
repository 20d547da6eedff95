//! Limits of a definition. Limits of decoding and of the queue stand beside the code they bound.

use serde::{Deserialize, Serialize};

/// What a stream's schema may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SchemaLimits {
    /// Declared fields of one stream. Default 512.
    pub fields_max: usize,
    /// Bytes of a stream's or a field's name. Default 63, as in PostgreSQL, whose clients read our tables.
    pub name_bytes_max: usize,
    /// Texts that mean "no value" for one field. Default 32.
    pub null_values_max: usize,
    /// Steps of a `from` path. Default 16.
    pub path_steps_max: usize,
}

impl Default for SchemaLimits {
    fn default() -> Self {
        Self {
            fields_max: 512,
            name_bytes_max: 63,
            null_values_max: 32,
            path_steps_max: 16,
        }
    }
}
