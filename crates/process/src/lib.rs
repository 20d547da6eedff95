//! derive, deduplicate, cubes
mod definition;
mod error;
pub mod functions;
pub use definition::{CubeDefinition, ProcessOptions, StreamDefinition};
pub use error::{Item, ProcessError};
