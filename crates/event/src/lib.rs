//! What an event is: schema, ids, money, time, limits and the card-number guard.
//!
//! This crate does no I/O and does not know DataFusion. Columns are Arrow columns, because one
//! batch travels as one `RecordBatch` from the decoder to the cubes.

pub mod address;
pub mod currency;
pub mod decimal;
pub mod guard;
pub mod ident;
pub mod lanes;
pub mod limits;
pub mod memory;
pub mod schema;
pub mod suggest;
pub mod time;

pub use decimal::DecimalError;
pub use ident::EventId;
pub use limits::SchemaLimits;
pub use memory::{MemoryBudget, MemoryPart, MemoryShare, MemoryShort, MemoryStatus, Yielding};
pub use schema::{Field, FieldType, SchemaError, StreamSchema, TimeFormat};
pub use time::{TimeError, TimeReader};
