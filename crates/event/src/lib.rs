//! What an event is: schema, ids, money, time, limits and the card-number guard.
//!
//! This crate does no I/O and does not know DataFusion. Columns are Arrow columns, because one
//! batch travels as one `RecordBatch` from the decoder to the cubes.

pub mod schema;

pub use schema::{Field, FieldType, SchemaError, StreamSchema, TimeFormat};
