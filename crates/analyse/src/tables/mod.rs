//! Cubes and streams as tables, read only, one view of each per query.

mod argument;
mod catalogue;
mod cube;
mod stream;
mod time_range;

/// Batches read ahead of the query. More would only hold memory.
pub(crate) const AHEAD: usize = 2;

pub(crate) use argument::{length_us, text};
pub(crate) use catalogue::{CATALOGUE, CubeTables, QueryTables, SCHEMA, take_views};
pub(crate) use cube::{BUCKET, CubeTable};
pub(crate) use time_range::{TimeRange, time_range};
