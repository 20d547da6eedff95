//! Processing against its oracle: plain DataFusion SQL over the raw rows.

mod definitions;
mod functions;
mod limits;
mod recovery;
mod replay;
mod support;
