//! Files: reading them in pieces, proposing a definition for one, loading them.
//!
//! - [`reader`]: CSV, NDJSON, JSON and Parquet files, plain or compressed, in chunks of whole records.
//! - [`propose`](mod@propose): looks through a file and writes a stream, a cube and metrics that load it.
//! - [`ingest`](mod@ingest): sends a file's chunks to a sink, so that it can be taken up again after any crash.

mod dialect;
mod error;
pub mod ingest;
mod json;
mod open;
pub mod propose;
pub mod reader;
mod sniff;
mod split;
mod table;

pub use dialect::{Dialect, FileFormat};
pub use error::FileError;
pub use ingest::{IngestError, IngestOptions, Progress, Sink, ingest};
pub use propose::{
    Proposal, ProposeOptions, ProposedField, ProposedMetric, propose, propose_sample,
};
pub use reader::{Chunk, FileReader, ReadOptions};
